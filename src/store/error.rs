//! Errors of the store.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the store did not do what was asked. Each message is one sentence that names the store and the remedy.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has the store open.
    #[error(
        "the store {path} is in use by another pointsman ({holder}): close it, or give this one its own with --store"
    )]
    Locked {
        /// The store's folder.
        path: PathBuf,
        /// The process that has it open, as it describes itself.
        holder: String,
    },
    /// The folder for a copy of the store exists already.
    #[error("{0} exists already: give a new folder for the copy")]
    Exists(PathBuf),
    /// The store is open for reading only.
    #[error("the store {0} is open for reading only")]
    ReadOnly(PathBuf),
    /// The folder or a file in it cannot be opened.
    #[error(
        "cannot open the store {path}: {reason}; make the folder writable or choose another with --store"
    )]
    Open {
        /// The store's folder.
        path: PathBuf,
        /// The reason as the system gives it.
        reason: String,
    },
    /// A newer program wrote it.
    #[error(
        "a newer pointsman wrote the store {0}: update pointsman, or choose another with --store"
    )]
    Newer(PathBuf),
    /// The folder holds something else, or a damaged store.
    #[error(
        "{0} holds a damaged store, or none: move the folder away, or choose another with --store"
    )]
    NotAStore(PathBuf),
    /// The disk refused a change.
    #[error(
        "cannot write to the store {path}: {reason}; everything acknowledged before is safe, and `pointsman episodes rm` and `trash empty` make room"
    )]
    Write {
        /// The store's folder.
        path: PathBuf,
        /// The reason as the system gives it.
        reason: String,
    },
    /// The disk refused to read.
    #[error("cannot read the store {path}: {reason}")]
    Read {
        /// The store's folder.
        path: PathBuf,
        /// The reason as the system gives it.
        reason: String,
    },
    /// There is no such episode.
    #[error("the store {path} holds no episode {id}: `pointsman episodes ls` lists them")]
    Missing {
        /// The store's folder.
        path: PathBuf,
        /// The episode's number.
        id: u64,
    },
    /// An event or annotation of the episode is damaged, or does not fit.
    #[error("episode {id} in {path} cannot be read: {reason}")]
    Damaged {
        /// The store's folder.
        path: PathBuf,
        /// The episode's number.
        id: u64,
        /// What is wrong.
        reason: String,
    },
    /// The episode is in the trash, where it cannot be annotated or deleted again.
    #[error("episode {0} is in the trash: `pointsman episodes restore {0}` brings it back")]
    InTrash(u64),
    /// The episode is not in the trash.
    #[error("episode {0} is not in the trash: `pointsman episodes trash ls` lists the trash")]
    NotInTrash(u64),
}

impl StoreError {
    /// The store in the folder `path` cannot be opened.
    pub(super) fn open(path: &Path, reason: &dyn Display) -> Self {
        Self::Open { path: path.into(), reason: reason.to_string() }
    }
}

crate::exit::classify!(Failure: StoreError);
