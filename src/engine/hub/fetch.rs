//! Downloads into the local cache.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};
use sha2::{Digest, Sha256};

use super::cache::cache_dir;
use super::error::HubError;
use super::id::hub_file;
use super::listing::{FetchSet, RepoFile, RepoListing};
use crate::engine::error::one_line;

/// How often a download that broke off is resumed before giving up.
const RETRIES: usize = 3;

/// The progress of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchProgress<'a> {
    /// The file that is being downloaded.
    pub file: &'a str,
    /// Bytes present, of all files.
    pub done: u64,
    /// Bytes of all files whose size the hub reports.
    pub total: u64,
}

/// The result of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSummary {
    /// The snapshot in the cache.
    pub folder: PathBuf,
    /// Number of files.
    pub files: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// How many files were in the cache before.
    pub already_present: usize,
    /// How many files were compared with the hub's SHA-256 in this run.
    pub verified: usize,
}

/// Downloads what a model of the hub needs into the local cache, or the one file that `owner/name/file.gguf` names.
/// Files that are present are left alone; partial downloads are resumed. Access to private and gated models needs a
/// token in `HF_TOKEN`.
///
/// # Errors
/// See [`HubError`]; partial downloads are kept.
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
        Some(file) => vec![listing.find_gguf_file(id, file)?],
        None => listing.select_files(id, wanted)?,
    };
    let folder = fetcher.repository.join("snapshots").join(&listing.sha);
    let total = files.iter().filter_map(|file| file.size).sum();
    let is_present = |file: &RepoFile| {
        let length = fs::metadata(folder.join(&file.name)).map(|m| m.len());
        length.is_ok_and(|length| file.size.is_none_or(|size| size == length))
    };
    let missing = files.iter().filter(|file| !is_present(file));
    let needed: u64 = missing.map(|file| fetcher.missing_bytes(file)).sum();
    fetcher.check_disk_space(needed)?;
    let mut summary = FetchSummary {
        folder: folder.clone(),
        files: files.len(),
        bytes: 0,
        already_present: 0,
        verified: 0,
    };
    for file in &files {
        let mut report = |at: u64| {
            on_progress(FetchProgress { file: &file.name, done: summary.bytes + at, total });
        };
        report(0);
        let path = folder.join(&file.name);
        if is_present(file) {
            summary.already_present += 1;
        } else {
            let verified = fetcher.fetch_file(file, &listing.sha, &path, &mut report)?;
            summary.verified += usize::from(verified);
        }
        let length = fs::metadata(&path).map_err(|e| disk_error(&path, &e))?.len();
        report(length);
        summary.bytes += length;
    }
    Ok(summary)
}

/// Downloads the files of one repository.
struct Fetcher<'a> {
    id: &'a str,
    endpoint: String,
    api: Api,
    /// The local cache.
    cache: PathBuf,
    /// The repository's folder in the cache.
    repository: PathBuf,
    /// Whether a token is sent.
    has_token: bool,
}

impl<'a> Fetcher<'a> {
    fn new(id: &'a str) -> Result<Self, HubError> {
        let cache_dir = cache_dir().ok_or_else(|| HubError::Disk {
            path: "~/.cache/huggingface".into(),
            reason: "no home folder is known".into(),
        })?;
        // hf-hub writes absolute links, which need absolute paths.
        let cache = std::path::absolute(&cache_dir)
            .map_err(|e| HubError::Disk { path: cache_dir.clone(), reason: e.to_string() })?;
        let variable =
            |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let token = variable("HF_TOKEN").map(|token| token.trim().to_owned());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let has_token = token.is_some();
        // Without hf-hub's own retries, which restart instead of resuming.
        let api = ApiBuilder::from_cache(Cache::new(cache.clone()))
            .with_endpoint(endpoint.clone())
            .with_token(token)
            .with_progress(false)
            .build();
        let repository = cache.join(Repo::new(id.to_owned(), RepoType::Model).folder_name());
        let bad_response =
            |e: ApiError| HubError::BadResponse { id: id.into(), reason: one_line(&e) };
        Ok(Self { id, endpoint, api: api.map_err(bad_response)?, cache, repository, has_token })
    }

    /// Asks the hub for the repository's files.
    fn listing(&self) -> Result<RepoListing, HubError> {
        let request = self.api.model(self.id.to_owned()).info_request().query("blobs", "true");
        let response = request.call().map_err(|e| self.hub_error(Box::new(e).into()))?;
        response.into_json().map_err(|e| self.bad_response(&e))
    }

    /// Bytes of a file that are still to be downloaded.
    fn missing_bytes(&self, file: &RepoFile) -> u64 {
        if self.cached_blob(file).is_some() {
            return 0;
        }
        let partial = self.partial_path(file).and_then(|path| fs::metadata(path).ok());
        file.size.unwrap_or(0).saturating_sub(partial.map_or(0, |partial| partial.len()))
    }

    /// Where hf-hub keeps the partial download of a file, if the hub reports the file's hash.
    fn partial_path(&self, file: &RepoFile) -> Option<PathBuf> {
        let name = file.blob_name()?;
        Some(self.repository.join("blobs").join(format!("{name}.part")))
    }

    /// The file's content in the cache, if another commit had the same one, by SHA-256 and size.
    fn cached_blob(&self, file: &RepoFile) -> Option<PathBuf> {
        let blob = self.partial_path(file).filter(|_| file.sha256().is_some())?.with_extension("");
        let length = fs::metadata(&blob).ok()?.len();
        (file.size == Some(length)).then_some(blob)
    }

    /// Links `path` in the snapshot of `commit` to the file's content, if the cache has it. Returns whether it does.
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
            // hf-hub finds the snapshot by this reference; a download writes it too.
            .and_then(|()| {
                let repository = Repo::new(self.id.to_owned(), RepoType::Model);
                Cache::new(self.cache.clone()).repo(repository).create_ref(commit)
            })
            .map_err(|e| disk_error(path, &e))?;
        Ok(true)
    }

    /// Fails if the cache's disk has less than `needed` bytes free.
    fn check_disk_space(&self, needed: u64) -> Result<(), HubError> {
        fs::create_dir_all(&self.repository).map_err(|e| disk_error(&self.repository, &e))?;
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

    /// Provides a file at `path` in the snapshot of `commit`, from the cache or the hub. Returns whether its checksum
    /// was compared.
    fn fetch_file(
        &self,
        file: &RepoFile,
        commit: &str,
        path: &Path,
        report: &mut dyn FnMut(u64),
    ) -> Result<bool, HubError> {
        if self.link_cached_blob(file, commit, path)? {
            match self.verify(file, path) {
                // `verify` has deleted the broken file.
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
            // hf-hub fails on a partial file that is complete or too long.
            if fs::metadata(&partial_path).is_ok_and(|found| found.len() >= size) {
                fs::remove_file(&partial_path).map_err(|e| disk_error(&partial_path, &e))?;
            }
        }
        // hf-hub would accept a dangling link, or one to a file of another size.
        match fs::remove_file(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(disk_error(path, &e)),
            _ => {}
        }
        let repository = self.api.model(self.id.to_owned());
        for attempt in 0.. {
            let progress = ProgressAdapter { at: 0, report: &mut *report };
            match repository.download_with_progress(&file.name, progress) {
                Ok(_) => break,
                Err(ApiError::IoError(error)) if attempt < RETRIES && is_network_error(&error) => {
                    std::thread::sleep(Duration::from_millis(500 << attempt));
                }
                Err(error) => return Err(self.hub_error(error)),
            }
        }
        Ok(())
    }

    /// Compares a file with the size and the checksum that the hub reports, and deletes it if they differ. Returns
    /// whether the hub reports a checksum.
    fn verify(&self, file: &RepoFile, path: &Path) -> Result<bool, HubError> {
        let failed = |e: io::Error| disk_error(path, &e);
        let corrupt = |what| {
            // The link and its target.
            let blob = fs::canonicalize(path).map_err(failed)?;
            fs::remove_file(path).and_then(|()| fs::remove_file(blob)).map_err(failed)?;
            Err(HubError::Corrupt { id: self.id.into(), file: file.name.clone(), what })
        };
        let length = fs::metadata(path).map_err(failed)?.len();
        if file.size.is_some_and(|size| size != length) {
            return corrupt("size");
        }
        let Some(expected) = file.sha256() else { return Ok(false) };
        let mut hasher = Sha256::new();
        io::copy(&mut File::open(path).map_err(failed)?, &mut hasher).map_err(failed)?;
        let found = format!("{:x}", hasher.finalize());
        if found.eq_ignore_ascii_case(expected) { Ok(true) } else { corrupt("checksum") }
    }

    /// The [`HubError`] for an error of hf-hub.
    fn hub_error(&self, error: ApiError) -> HubError {
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
            ApiError::IoError(e) => disk_error(&self.repository, &e),
            ApiError::LockAcquisition(_) => HubError::Busy(id),
            ApiError::RequestError(e) => {
                // The client's message may contain a signed address; its kind does not.
                let kind = e.kind().to_string();
                match e.into_response().map(|response| response.status()) {
                    Some(status @ (401 | 403 | 404)) => {
                        let status = format!("status {status}");
                        if self.has_token {
                            HubError::RefusedToken { id, endpoint, status }
                        } else {
                            HubError::Refused { id, endpoint, status }
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

    fn bad_response(&self, reason: &dyn std::fmt::Display) -> HubError {
        HubError::BadResponse { id: self.id.into(), reason: one_line(reason) }
    }
}

fn disk_error(path: &Path, error: &io::Error) -> HubError {
    HubError::Disk { path: path.to_owned(), reason: one_line(error) }
}

/// Whether an error comes from the network rather than from the disk.
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

/// Free bytes on the disk of `folder`.
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: zeroes are a valid value of this plain struct, which the call fills in; the path ends with a zero.
    let stat = unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        if libc::statvfs(path.as_ptr(), &raw mut stat) != 0 {
            return None;
        }
        stat
    };
    Some((stat.f_bavail as u64).saturating_mul(stat.f_frsize as u64))
}

/// Counts the bytes of a file that hf-hub has downloaded.
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
