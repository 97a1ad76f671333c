//! [`HubError`]: why a model cannot be downloaded.

use std::path::PathBuf;

use thiserror::Error;

/// Why a model could not be downloaded. Each message names the model or the path, and the remedy.
#[derive(Debug, Error)]
pub enum HubError {
    /// The hub denies access, and no token was sent.
    #[error(
        "{id} cannot be read at {endpoint} ({status}): check the name; if it is private or gated, accept its terms at {endpoint}/{id} and set HF_TOKEN to a token that may read it"
    )]
    Refused {
        /// The repository.
        id: String,
        /// The hub's address.
        endpoint: String,
        /// The HTTP status.
        status: String,
    },
    /// The hub denies access with the token that was sent.
    #[error(
        "{endpoint} refuses the token in HF_TOKEN for {id} ({status}): check the name, accept the model's terms at {endpoint}/{id}, or set HF_TOKEN to a token that may read it"
    )]
    RefusedToken {
        /// The repository.
        id: String,
        /// The hub's address.
        endpoint: String,
        /// The HTTP status.
        status: String,
    },
    /// The hub cannot be reached, or the download broke off.
    #[error(
        "{endpoint} does not answer for {id} ({reason}): check the network, or set HTTPS_PROXY or HF_ENDPOINT (a mirror); partial downloads are kept, and the same command resumes them"
    )]
    Unreachable {
        /// The repository.
        id: String,
        /// The hub's address.
        endpoint: String,
        /// What happened.
        reason: String,
    },
    /// The repository lacks a file that every model needs.
    #[error(
        "{id} has no {what}: choose a repository with config.json, tokenizer.json and safetensors"
    )]
    Incomplete {
        /// The repository.
        id: String,
        /// What it lacks.
        what: &'static str,
    },
    /// The repository does not have the named GGUF file.
    #[error("{id} has no file {file}: it has {}", if others.is_empty() { "no GGUF file" } else { others })]
    NoFile {
        /// The repository.
        id: String,
        /// The file.
        file: String,
        /// The GGUF files that the repository has, separated by commas.
        others: String,
    },
    /// The cache's disk is too small.
    #[error(
        "{folder} has {free} free bytes, but {id} needs {needed} more: free some space, or set HF_HOME to a folder on another disk"
    )]
    DiskFull {
        /// The repository.
        id: String,
        /// The cache.
        folder: PathBuf,
        /// Bytes still to download.
        needed: u64,
        /// Bytes available.
        free: u64,
    },
    /// A downloaded file does not have the size or checksum that the hub reports.
    #[error(
        "{file} of {id} came with a wrong {what} and was deleted: run the same command again, and check the disk or the proxy if it happens twice"
    )]
    Corrupt {
        /// The repository.
        id: String,
        /// The file.
        file: String,
        /// `size` or `checksum`.
        what: &'static str,
    },
    /// Another process holds the lock of the file.
    #[error(
        "another process is downloading {0}: wait until it has ended, and run the same command again"
    )]
    Busy(String),
    /// The reply is not what the hub sends.
    #[error("the hub's reply about {id} is invalid ({reason}): check HF_ENDPOINT")]
    BadResponse {
        /// The repository.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The cache cannot be written.
    #[error("cannot write to {path}: {reason}; make it writable, or set HF_HOME to another folder")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        reason: String,
    },
}

crate::exit::classify!(Failure: HubError);
