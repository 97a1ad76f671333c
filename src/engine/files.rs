//! Reading a model's files.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::EngineError;

/// The safetensors files of a folder, sorted.
pub(super) fn weights(folder: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let entries = fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    found.sort();
    Ok(found)
}

/// Hashes a file's name, its length, its first and its last MiB.
pub(super) fn sample(path: &Path, hasher: &mut blake3::Hasher) -> std::io::Result<()> {
    const PART: u64 = 1 << 20;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hasher.update(&length.to_le_bytes());
    let mut part = Vec::new();
    Read::by_ref(&mut file).take(PART).read_to_end(&mut part)?;
    file.seek(SeekFrom::Start(length.saturating_sub(PART)))?;
    file.take(PART).read_to_end(&mut part)?;
    hasher.update(&part);
    Ok(())
}

pub(super) fn unreadable(path: &Path, reason: &dyn std::fmt::Display) -> EngineError {
    EngineError::Unreadable { path: path.to_owned(), reason: reason.to_string() }
}
