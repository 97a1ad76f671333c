//! The file `index.clean`: what the files of a store looked like when it was closed.
//!
//! A small store is compared byte by byte when it opens. Reading all of a large one would take seconds, so there the
//! sizes and times of change decide; sled and the log check what is read later.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::counters::CounterValues;
use super::log::LogEnd;
use crate::private_file::write_private;

/// Up to this size of log and index in bytes, the contents of the files are compared.
const COMPARED_BYTES: u64 = 64 << 20;

/// What a store was when it was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CleanMarker {
    pub(super) end: LogEnd,
    /// The greatest numbers in the log.
    pub(super) numbers: CounterValues,
    files: Vec<FileState>,
    /// Of the contents of the index; empty for a large store.
    index_digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FileState {
    /// Below the store's folder.
    path: PathBuf,
    bytes: u64,
    changed: (i64, i64),
}

impl CleanMarker {
    /// Describes the closed store in the folder `store`.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(super) fn of(store: &Path, end: LogEnd, numbers: CounterValues) -> io::Result<Self> {
        let files = file_states(store)?;
        let index_digest = if is_large(&files) { String::new() } else { digest(store, &files)? };
        Ok(Self { end, numbers, files, index_digest })
    }

    /// Reads the marker of the store; `None` if it was never closed.
    pub(super) fn read(store: &Path) -> Option<Self> {
        let json = std::fs::read(marker_path(store)).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Writes the marker of the store.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn write(&self, store: &Path) -> io::Result<()> {
        write_private(&marker_path(store), &serde_json::to_vec(self)?)
    }

    /// Whether the index is as it was closed.
    pub(super) fn fits_index(&self, store: &Path) -> bool {
        match file_states(store) {
            Ok(files) if is_large(&files) => files == self.files,
            Ok(files) => digest(store, &files).is_ok_and(|found| found == self.index_digest),
            Err(_) => false,
        }
    }

    /// Whether the store is so large that its log is not read, and unchanged since it was closed.
    pub(super) fn spares_reading_the_log(&self, store: &Path) -> bool {
        is_large(&self.files) && file_states(store).is_ok_and(|files| files == self.files)
    }
}

fn marker_path(store: &Path) -> PathBuf {
    store.join("index.clean")
}

fn is_large(files: &[FileState]) -> bool {
    files.iter().map(|file| file.bytes).sum::<u64>() > COMPARED_BYTES
}

/// The files of log and index, sorted.
fn file_states(store: &Path) -> io::Result<Vec<FileState>> {
    let mut files = Vec::new();
    for folder in ["index", "log"] {
        for entry in std::fs::read_dir(store.join(folder))? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file() {
                files.push(FileState {
                    path: Path::new(folder).join(entry.file_name()),
                    bytes: metadata.len(),
                    changed: (metadata.mtime(), metadata.mtime_nsec()),
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Digest of the names and contents of the index. The log has checksums of its own.
fn digest(store: &Path, files: &[FileState]) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for file in files.iter().filter(|file| file.path.starts_with("index")) {
        hasher.update(file.path.as_os_str().as_encoded_bytes());
        io::copy(&mut File::open(store.join(&file.path))?, &mut hasher)?;
    }
    Ok(hasher.finalize().to_string())
}
