//! The files of a repository, and which of them a model needs.

use serde::Deserialize;

use super::error::HubError;
use crate::engine::model_files::{SHARD_INDEX, has_extension};

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

/// Which files of a repository to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FetchSet {
    /// Weights, configuration and tokenizer.
    Model,
    /// Configuration and tokenizer, for a GGUF file that has its weights elsewhere.
    Tokenizer,
}

/// The hub's description of a repository.
#[derive(Deserialize)]
pub(super) struct RepoListing {
    /// The commit.
    pub(super) sha: String,
    siblings: Vec<RepoFile>,
}

/// A file of a repository.
#[derive(Clone, Deserialize)]
pub(super) struct RepoFile {
    #[serde(rename = "rfilename")]
    pub(super) name: String,
    /// Bytes.
    pub(super) size: Option<u64>,
    /// Git's hash, which names the file in the cache unless it has an [`LfsInfo`].
    #[serde(rename = "blobId")]
    blob: Option<String>,
    lfs: Option<LfsInfo>,
}

/// Set for files in Git's large file storage, such as weights.
#[derive(Clone, Deserialize)]
struct LfsInfo {
    sha256: String,
}

impl RepoFile {
    /// SHA-256 of the content, known for large files only.
    pub(super) fn sha256(&self) -> Option<&str> {
        self.lfs.as_ref().map(|lfs| lfs.sha256.as_str())
    }

    /// The name of the content in the cache's folder `blobs`, if the hub reports a valid hash.
    pub(super) fn blob_name(&self) -> Option<&str> {
        let hash = self.sha256().or(self.blob.as_deref())?;
        let is_hash = hash.len() >= 40 && hash.chars().all(|c| c.is_ascii_hexdigit());
        is_hash.then_some(hash)
    }
}

impl RepoListing {
    /// Checks that the commit can be used as a folder name.
    fn check(&self, id: &str) -> Result<(), HubError> {
        let is_hex = self.sha.len() >= 7 && self.sha.chars().all(|c| c.is_ascii_hexdigit());
        let reason = || "its commit is not a hexadecimal number".to_owned();
        if is_hex { Ok(()) } else { Err(HubError::BadResponse { id: id.into(), reason: reason() }) }
    }

    /// The GGUF file of this name.
    ///
    /// # Errors
    /// [`HubError::NoFile`] if there is none.
    pub(super) fn find_gguf_file(&self, id: &str, file: &str) -> Result<RepoFile, HubError> {
        self.check(id)?;
        let found = self.siblings.iter().find(|sibling| sibling.name == file).cloned();
        found.ok_or_else(|| {
            let names = self.siblings.iter().map(|sibling| sibling.name.as_str());
            let gguf: Vec<&str> = names.filter(|name| has_extension(name, "gguf")).collect();
            HubError::NoFile { id: id.into(), file: file.into(), others: gguf.join(", ") }
        })
    }

    /// The files to download. Names that contain folders are never among them, so no name leads out of the cache.
    ///
    /// # Errors
    /// [`HubError::Incomplete`] if the repository lacks a file that is needed.
    pub(super) fn select_files(
        &self,
        id: &str,
        wanted: FetchSet,
    ) -> Result<Vec<RepoFile>, HubError> {
        self.check(id)?;
        let has = |name: &str| self.siblings.iter().any(|file| file.name == name);
        let is_shard =
            |name: &str| name.starts_with("model-") && has_extension(name, "safetensors");
        let is_sharded = self.siblings.iter().any(|file| is_shard(&file.name));
        let is_weights = |name: &str| {
            !name.contains(['/', '\\'])
                && if is_sharded { is_shard(name) } else { name == "model.safetensors" }
        };
        let incomplete = |what| Err(HubError::Incomplete { id: id.into(), what });
        if !has("tokenizer.json") {
            return incomplete("tokenizer.json");
        }
        if wanted == FetchSet::Model {
            if !has("config.json") {
                return incomplete("config.json");
            }
            if !self.siblings.iter().any(|file| is_weights(&file.name)) {
                return incomplete("safetensors");
            }
        }
        let is_wanted = |file: &&RepoFile| {
            COMPANION_FILES.contains(&file.name.as_str())
                || (wanted == FetchSet::Model && is_weights(&file.name))
        };
        Ok(self.siblings.iter().filter(is_wanted).cloned().collect())
    }
}
