//! Models of the Hugging Face hub: where its cache is, and fetching into it.
//!
//! What is fetched is what a model needs, without the second copy of the weights that some repositories have. The
//! engine loads the snapshot's folder, whoever fetched it, and so needs no network.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::model_files::{SHARD_INDEX, indexed_shards, weight_files};

/// Files beside the weights that a model may need.
const COMPANION_FILES: [&str; 7] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
    SHARD_INDEX,
];

/// How often a download that broke off is taken up again at once.
const RETRIES: usize = 3;

/// Whether a text has the form of a Hugging Face id: owner/name and nothing else; `./x`, `/x` and `x.gguf`
/// are meant as paths, and what has a colon is of another kind.
pub fn is_hub_id(source: &str) -> bool {
    let parts: Vec<&str> = source.split('/').collect();
    let fine = |part: &&str| !part.is_empty() && !part.starts_with(['.', '~']);
    parts.len() == 2
        && parts.iter().all(fine)
        && !source.ends_with(".gguf")
        && !source.contains(':')
}

/// The Hugging Face id and the name of the file, where a text has the form `owner/name/file.gguf`.
pub fn hub_file(source: &str) -> Option<(&str, &str)> {
    let (id, file) = source.rsplit_once('/')?;
    (file.ends_with(".gguf") && is_hub_id(id)).then_some((id, file))
}

/// Whether a text names something on the hub, a model or a GGUF file of one, rather than a path.
pub fn is_on_hub(source: &str) -> bool {
    (is_hub_id(source) || hub_file(source).is_some()) && !Path::new(source).exists()
}

/// Why a model could not be fetched.
#[derive(Debug, Error)]
pub enum HubError {
    #[error(
        "{id} cannot be read at {endpoint} ({status}): check the name; if it is private or gated, accept its terms at {endpoint}/{id} and set HF_TOKEN to a token that may read it"
    )]
    Refused { id: String, endpoint: String, status: String },
    #[error(
        "{endpoint} refuses the token in HF_TOKEN for {id} ({status}): check the name, accept the model's terms at {endpoint}/{id}, or set HF_TOKEN to a token that may read it"
    )]
    RefusedToken { id: String, endpoint: String, status: String },
    #[error(
        "{endpoint} does not answer for {id} ({reason}): check the network, or set HTTPS_PROXY or HF_ENDPOINT (a mirror); what has come so far is kept, and the same command goes on from there"
    )]
    Unreachable { id: String, endpoint: String, reason: String },
    #[error(
        "{id} has no {what}: take a repository with config.json, tokenizer.json and safetensors"
    )]
    Incomplete { id: String, what: &'static str },
    #[error("{id} has no file {file}: it has {}", if others.is_empty() { "no GGUF file" } else { others })]
    NoFile { id: String, file: String, others: String },
    #[error(
        "{folder} has room for {free} bytes, and {id} needs {needed} more: make room, or set HF_HOME to a folder on another disk"
    )]
    DiskFull { id: String, folder: PathBuf, needed: u64, free: u64 },
    #[error(
        "{file} of {id} came with a wrong {what} and was deleted: run the same command again, and look at the disk or the proxy if it happens twice"
    )]
    Corrupt { id: String, file: String, what: &'static str },
    #[error(
        "another process is fetching {0}: wait until it has ended, and run the same command again"
    )]
    Busy(String),
    #[error("the hub's answer about {id} makes no sense ({reason}): check HF_ENDPOINT")]
    BadResponse { id: String, reason: String },
    #[error(
        "cannot write to {path}: {reason}; free or change it, or set HF_HOME to another folder"
    )]
    Disk { path: PathBuf, reason: String },
}

crate::exit::classify!(Failure: HubError);

/// Which files are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FetchSet {
    Model,
    /// What a GGUF file needs beside it: no weights.
    Tokenizer,
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchProgress<'a> {
    /// The file that is coming.
    pub file: &'a str,
    /// Bytes that are here, of all files.
    pub done: u64,
    /// Bytes of all files, as far as the hub tells.
    pub total: u64,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSummary {
    /// The snapshot in the cache.
    pub folder: PathBuf,
    pub files: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Files that were here before.
    pub already_present: usize,
    /// Files whose SHA-256 was compared with the hub's, in this run.
    pub verified: usize,
}

/// The hub's cache: `HF_HUB_CACHE`, else `hub` below `HF_HOME`, else below `~/.cache/huggingface`.
pub fn cache_dir() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || set("HF_HOME").or_else(|| Some(set("HOME")?.join(".cache/huggingface")));
    set("HF_HUB_CACHE").or_else(|| Some(home()?.join("hub")))
}

/// The folder of a model in the cache, if all that it needs is there.
pub fn snapshot_dir(id: &str) -> Option<PathBuf> {
    let folder = cached_file(id, "config.json")?.parent()?.to_owned();
    cached_file(id, "tokenizer.json")?;
    let whole = if folder.join(SHARD_INDEX).is_file() {
        indexed_shards(&folder)?.iter().all(|shard| folder.join(shard).is_file())
    } else {
        !weight_files(&folder).ok()?.is_empty()
    };
    whole.then_some(folder)
}

/// A file of a model in the cache.
pub fn cached_file(id: &str, file: &str) -> Option<PathBuf> {
    let repository = Repo::new(id.to_owned(), RepoType::Model);
    Cache::new(cache_dir()?).repo(repository).get(file)
}

/// What the hub tells of a repository.
#[derive(Deserialize)]
struct RepoListing {
    sha: String,
    siblings: Vec<RepoFile>,
}

impl RepoListing {
    /// The commit is a folder's name.
    fn check(&self, id: &str) -> Result<(), HubError> {
        let hex = self.sha.len() >= 7 && self.sha.chars().all(|c| c.is_ascii_hexdigit());
        let reason = || "its commit has no number".to_owned();
        if hex { Ok(()) } else { Err(HubError::BadResponse { id: id.into(), reason: reason() }) }
    }
}

#[derive(Clone, Deserialize)]
struct RepoFile {
    rfilename: String,
    size: Option<u64>,
    /// Git's hash, which is the name in the cache of what is no [`Lfs`].
    #[serde(rename = "blobId")]
    blob: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Clone, Deserialize)]
struct Lfs {
    sha256: String,
}

/// Fetches what a model of the hub needs into the cache, or the one file that `owner/name/file.gguf` names; files
/// that are there are left alone, and one of which a part is there is continued. The token, if one is needed, is
/// taken from `HF_TOKEN`.
///
/// # Errors
/// See [`HubError`]; what has come so far stays.
pub fn fetch(
    source: &str,
    wanted: FetchSet,
    on_progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<FetchSummary, HubError> {
    let (id, file) = match hub_file(source) {
        Some((id, file)) => (id, Some(file)),
        None => (source, None),
    };
    let fetcher = Fetcher::new(id)?;
    let listing = fetcher.listing()?;
    let files = match file {
        Some(file) => vec![find_gguf_file(id, &listing, file)?],
        None => select_files(id, &listing, wanted)?,
    };
    let folder = fetcher.repository.join("snapshots").join(&listing.sha);
    let total = files.iter().filter_map(|file| file.size).sum();
    let here = |file: &RepoFile| {
        let length = fs::metadata(folder.join(&file.rfilename)).map(|m| m.len());
        length.is_ok_and(|length| file.size.is_none_or(|size| size == length))
    };
    let missing = files.iter().filter(|file| !here(file));
    let needed: u64 = missing.map(|file| fetcher.missing_bytes(file)).sum();
    fetcher.check_disk_space(needed)?;
    let mut fetched = FetchSummary {
        folder: folder.clone(),
        files: files.len(),
        bytes: 0,
        already_present: 0,
        verified: 0,
    };
    for file in &files {
        let mut report = |at: u64| {
            on_progress(FetchProgress { file: &file.rfilename, done: fetched.bytes + at, total });
        };
        report(0);
        let path = folder.join(&file.rfilename);
        if here(file) {
            fetched.already_present += 1;
        } else {
            let verified = fetcher.fetch_file(file, &listing.sha, &path, &mut report)?;
            fetched.verified += usize::from(verified);
        }
        let length = fs::metadata(&path).map_err(|e| fetcher.disk(&path, &e))?.len();
        report(length);
        fetched.bytes += length;
    }
    Ok(fetched)
}

/// The file of that name.
fn find_gguf_file(id: &str, listing: &RepoListing, file: &str) -> Result<RepoFile, HubError> {
    listing.check(id)?;
    let mut all = listing.siblings.iter();
    let found = all.find(|sibling| sibling.rfilename == file).cloned();
    found.ok_or_else(|| {
        let gguf = listing.siblings.iter().map(|s| s.rfilename.as_str());
        let gguf: Vec<&str> = gguf.filter(|name| name.ends_with(".gguf")).collect();
        HubError::NoFile { id: id.into(), file: file.into(), others: gguf.join(", ") }
    })
}

/// The files that are wanted. Names with folders are none of them, and so no name leads out of the cache.
fn select_files(
    id: &str,
    listing: &RepoListing,
    wanted: FetchSet,
) -> Result<Vec<RepoFile>, HubError> {
    listing.check(id)?;
    let has = |name: &str| listing.siblings.iter().any(|file| file.rfilename == name);
    let shard = |name: &str| name.starts_with("model-") && name.ends_with(".safetensors");
    let sharded = listing.siblings.iter().any(|file| shard(&file.rfilename));
    let weights = |name: &str| {
        !name.contains(['/', '\\'])
            && if sharded { shard(name) } else { name == "model.safetensors" }
    };
    if !has("tokenizer.json") {
        return Err(HubError::Incomplete { id: id.into(), what: "tokenizer.json" });
    }
    if wanted == FetchSet::Model {
        if !has("config.json") {
            return Err(HubError::Incomplete { id: id.into(), what: "config.json" });
        }
        if !listing.siblings.iter().any(|file| weights(&file.rfilename)) {
            return Err(HubError::Incomplete { id: id.into(), what: "safetensors" });
        }
    }
    let take = |file: &&RepoFile| {
        let name = file.rfilename.as_str();
        COMPANION_FILES.contains(&name) || (wanted == FetchSet::Model && weights(name))
    };
    Ok(listing.siblings.iter().filter(take).cloned().collect())
}

/// One repository, and how to get at it.
struct Fetcher<'a> {
    id: &'a str,
    endpoint: String,
    api: Api,
    /// The hub's cache.
    cache: PathBuf,
    /// The repository's folder in it.
    repository: PathBuf,
    /// Whether a token is sent.
    token: bool,
}

impl<'a> Fetcher<'a> {
    fn new(id: &'a str) -> Result<Self, HubError> {
        let cache_dir = cache_dir().ok_or_else(|| HubError::Disk {
            path: "~/.cache/huggingface".into(),
            reason: "there is no home folder".into(),
        })?;
        // hf-hub makes absolute links, and wants absolute paths for it.
        let cache = std::path::absolute(&cache_dir)
            .map_err(|e| HubError::Disk { path: cache_dir.clone(), reason: e.to_string() })?;
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let token = set("HF_TOKEN").map(|token| token.trim().to_owned());
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let with_token = token.is_some();
        // Not hf-hub's own retries: they forget what was there before the first.
        let api = ApiBuilder::from_cache(Cache::new(cache.clone()))
            .with_endpoint(endpoint.clone())
            .with_token(token)
            .with_progress(false)
            .build();
        let repository = cache.join(Repo::new(id.to_owned(), RepoType::Model).folder_name());
        let bad_response =
            |e: ApiError| HubError::BadResponse { id: id.into(), reason: one_line(&e) };
        Ok(Self {
            id,
            endpoint,
            api: api.map_err(bad_response)?,
            cache,
            repository,
            token: with_token,
        })
    }

    fn listing(&self) -> Result<RepoListing, HubError> {
        let request = self.api.model(self.id.to_owned()).info_request().query("blobs", "true");
        let response = request.call().map_err(|e| self.failed(Box::new(e).into()))?;
        response.into_json().map_err(|e| self.bad_response(&e))
    }

    /// Bytes of a file that are not here.
    fn missing_bytes(&self, file: &RepoFile) -> u64 {
        if self.cached_blob(file).is_some() {
            return 0;
        }
        let partial = self.partial_path(file).and_then(|path| fs::metadata(path).ok());
        file.size.unwrap_or(0).saturating_sub(partial.map_or(0, |partial| partial.len()))
    }

    /// Where hf-hub keeps the part of a file that has come, if the hub tells the file's hash.
    fn partial_path(&self, file: &RepoFile) -> Option<PathBuf> {
        let hash = file.lfs.as_ref().map(|lfs| &lfs.sha256).or(file.blob.as_ref())?;
        let fine = hash.len() >= 40 && hash.chars().all(|c| c.is_ascii_hexdigit());
        fine.then(|| self.repository.join("blobs").join(format!("{hash}.part")))
    }

    /// A file as another commit had it: here already, by its SHA-256 and size.
    fn cached_blob(&self, file: &RepoFile) -> Option<PathBuf> {
        let blob = self.partial_path(file).filter(|_| file.lfs.is_some())?.with_extension("");
        let length = fs::metadata(&blob).ok()?.len();
        (file.size == Some(length)).then_some(blob)
    }

    /// Puts a file that is here already at `path` in the snapshot of `commit`; whether there is one.
    fn link_cached_blob(
        &self,
        file: &RepoFile,
        commit: &str,
        path: &Path,
    ) -> Result<bool, HubError> {
        let Some(cached_blob) = self.cached_blob(file) else { return Ok(false) };
        let name = cached_blob.file_name().unwrap_or_default();
        let folder = path.parent().unwrap_or(&self.repository);
        let stale = match fs::remove_file(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
        stale
            .and_then(|()| fs::create_dir_all(folder))
            .and_then(|()| symlink(Path::new("../../blobs").join(name), path))
            // As a download does: by it the snapshot is found.
            .and_then(|()| {
                let repository = Repo::new(self.id.to_owned(), RepoType::Model);
                Cache::new(self.cache.clone()).repo(repository).create_ref(commit)
            })
            .map_err(|e| self.disk(path, &e))?;
        Ok(true)
    }

    fn check_disk_space(&self, needed: u64) -> Result<(), HubError> {
        fs::create_dir_all(&self.repository).map_err(|e| self.disk(&self.repository, &e))?;
        match free_bytes(&self.repository) {
            Some(free) if free < needed => Err(HubError::DiskFull {
                id: self.id.into(),
                folder: self.cache.clone(),
                needed,
                free,
            }),
            _ => Ok(()),
        }
    }

    /// Gets a file to `path` in the snapshot of `commit`: from another commit's, else from the hub. Whether its
    /// checksum was compared.
    fn fetch_file(
        &self,
        file: &RepoFile,
        commit: &str,
        path: &Path,
        report: &mut dyn FnMut(u64),
    ) -> Result<bool, HubError> {
        if self.link_cached_blob(file, commit, path)? {
            match self.verify(file, path) {
                // It is spoilt, and gone by now.
                Err(HubError::Corrupt { .. }) => {}
                verified => return verified,
            }
        }
        self.download(file, path, report)?;
        self.verify(file, path)
    }

    fn download(
        &self,
        file: &RepoFile,
        path: &Path,
        report: &mut dyn FnMut(u64),
    ) -> Result<(), HubError> {
        if let (Some(partial_path), Some(size)) = (self.partial_path(file), file.size) {
            // Nothing is left to ask for, or it is no part of this file: hf-hub would fail on either.
            if fs::metadata(&partial_path).is_ok_and(|found| found.len() >= size) {
                fs::remove_file(&partial_path).map_err(|e| self.disk(&partial_path, &e))?;
            }
        }
        // A link that leads nowhere, or to something of another size, would be taken for the file.
        match fs::remove_file(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(self.disk(path, &e)),
            _ => {}
        }
        let repository = self.api.model(self.id.to_owned());
        for attempt in 0.. {
            let meter = ProgressAdapter { at: 0, report: &mut *report };
            match repository.download_with_progress(&file.rfilename, meter) {
                Ok(_) => break,
                Err(ApiError::IoError(error)) if attempt < RETRIES && is_network_error(&error) => {
                    std::thread::sleep(std::time::Duration::from_millis(500 << attempt));
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    /// Compares size and, where the hub gives one, checksum; whether it did the latter.
    fn verify(&self, file: &RepoFile, path: &Path) -> Result<bool, HubError> {
        let disk = |e: io::Error| self.disk(path, &e);
        let corrupt = |what| {
            // The link and what it leads to.
            let blob = fs::canonicalize(path).map_err(disk)?;
            fs::remove_file(path).and_then(|()| fs::remove_file(blob)).map_err(disk)?;
            Err(HubError::Corrupt { id: self.id.into(), file: file.rfilename.clone(), what })
        };
        let length = fs::metadata(path).map_err(disk)?.len();
        if file.size.is_some_and(|size| size != length) {
            return corrupt("size");
        }
        let Some(lfs) = &file.lfs else { return Ok(false) };
        let mut hasher = Sha256::new();
        io::copy(&mut File::open(path).map_err(disk)?, &mut hasher).map_err(disk)?;
        let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found.eq_ignore_ascii_case(&lfs.sha256) { Ok(true) } else { corrupt("checksum") }
    }

    fn failed(&self, error: ApiError) -> HubError {
        let (id, endpoint) = (self.id.to_owned(), self.endpoint.clone());
        match error {
            ApiError::IoError(e) if e.kind() == ErrorKind::StorageFull => HubError::DiskFull {
                id,
                folder: self.cache.clone(),
                needed: 1,
                free: free_bytes(&self.cache).unwrap_or(0),
            },
            ApiError::IoError(e) if is_network_error(&e) => {
                HubError::Unreachable { id, endpoint, reason: one_line(&e) }
            }
            ApiError::IoError(e) => self.disk(&self.repository, &e),
            ApiError::LockAcquisition(_) => HubError::Busy(id),
            ApiError::RequestError(e) => {
                // The sentence of the HTTP client may have a signed address in it; its kind has not.
                let kind = e.kind().to_string();
                match e.into_response().map(|response| response.status()) {
                    Some(status @ (401 | 403 | 404)) => {
                        let status = format!("status {status}");
                        match self.token {
                            true => HubError::RefusedToken { id, endpoint, status },
                            false => HubError::Refused { id, endpoint, status },
                        }
                    }
                    Some(status) => {
                        HubError::Unreachable { id, endpoint, reason: format!("status {status}") }
                    }
                    None => HubError::Unreachable { id, endpoint, reason: kind },
                }
            }
            other => self.bad_response(&other),
        }
    }

    fn disk(&self, path: &Path, error: &io::Error) -> HubError {
        HubError::Disk { path: path.to_owned(), reason: one_line(error) }
    }

    fn bad_response(&self, reason: &dyn std::fmt::Display) -> HubError {
        HubError::BadResponse { id: self.id.into(), reason: one_line(reason) }
    }
}

/// Whether the body of a reply broke off, as against a disk that refuses.
fn is_network_error(error: &io::Error) -> bool {
    use ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected, TimedOut,
        UnexpectedEof, WouldBlock,
    };
    let kinds = [
        BrokenPipe,
        ConnectionAborted,
        ConnectionRefused,
        ConnectionReset,
        NotConnected,
        TimedOut,
        UnexpectedEof,
        WouldBlock,
    ];
    kinds.contains(&error.kind())
        || (error.kind() == ErrorKind::Other && error.raw_os_error().is_none())
}

fn one_line(text: &dyn std::fmt::Display) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes that the user may still write to the disk of `folder`.
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: all zeroes is a value of this plain struct, which the call fills in; the path ends with a zero.
    let stat = unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        if libc::statvfs(path.as_ptr(), &raw mut stat) != 0 {
            return None;
        }
        stat
    };
    Some((stat.f_bavail as u64).saturating_mul(stat.f_frsize as u64))
}

/// Counts what comes of a file, for hf-hub.
struct ProgressAdapter<'a> {
    at: u64,
    report: &'a mut dyn FnMut(u64),
}

impl hf_hub::api::Progress for ProgressAdapter<'_> {
    fn init(&mut self, _: usize, _: &str) {
        self.at = 0;
    }

    fn update(&mut self, bytes: usize) {
        self.at += bytes as u64;
        (self.report)(self.at);
    }

    fn finish(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_files_of_the_hub_are_told_from_paths() {
        assert!(is_hub_id("Qwen/Qwen3-8B") && hub_file("Qwen/Qwen3-8B").is_none());
        assert_eq!(hub_file("o/n/m-q8_0.gguf"), Some(("o/n", "m-q8_0.gguf")));
        for path in
            ["n/m.gguf", "/o/n/m.gguf", "./n/m.gguf", "~/n/m.gguf", "a/o/n/m.gguf", "m.gguf"]
        {
            assert!(!is_hub_id(path) && hub_file(path).is_none(), "{path}");
        }
    }
}
