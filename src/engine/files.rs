//! Where a model's files are, and their fingerprint.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use tempfile::NamedTempFile;

use super::EngineError;

/// What the names of models embedded in the binary begin with.
pub const BUILTIN: &str = "builtin:";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/presets"]
#[include = "*/*/*.json"]
#[include = "*/*/*.safetensors"]
struct Builtin;

/// A model's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// A folder with config.json, tokenizer.json and safetensors.
    Folder(PathBuf),
    /// A GGUF file.
    Gguf(PathBuf),
    /// An id of the Hugging Face hub.
    Hub(String),
}

/// Finds the model that `source` of a preset names; one that is embedded in the binary is
/// unpacked below `cache` first.
///
/// # Errors
/// When there is nothing of that name, or a file cannot be read or unpacked.
pub fn locate(source: &str, cache: &Path) -> Result<Located, EngineError> {
    if let Some(name) = source.strip_prefix(BUILTIN) {
        return unpack(name, cache).map(Located::Folder);
    }
    let path = Path::new(source);
    if path.is_dir() {
        for needed in ["config.json", "tokenizer.json"] {
            if !path.join(needed).is_file() {
                return Err(EngineError::Incomplete(path.to_owned(), needed));
            }
        }
        if weights(path)?.is_empty() {
            return Err(EngineError::Incomplete(path.to_owned(), "*.safetensors"));
        }
        return Ok(Located::Folder(path.to_owned()));
    }
    if path.is_file() {
        return Ok(Located::Gguf(path.to_owned()));
    }
    if is_hub_id(source) {
        return Ok(Located::Hub(source.to_owned()));
    }
    Err(EngineError::NotFound(source.to_owned()))
}

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

/// Writes an embedded model's files below `cache`, unless they are there.
fn unpack(name: &str, cache: &Path) -> Result<PathBuf, EngineError> {
    let prefix = format!("{name}/");
    let files: Vec<_> = Builtin::iter().filter(|file| file.starts_with(&prefix)).collect();
    if files.is_empty() {
        return Err(EngineError::NotFound(format!("{BUILTIN}{name}")));
    }
    let mut hasher = blake3::Hasher::new();
    for file in &files {
        if let Some(content) = Builtin::get(file) {
            hasher.update(&content.data);
        }
    }
    let digest = hasher.finalize().to_hex();
    let folder = cache.join("models").join(format!("{}-{}", name.replace('/', "-"), &digest[..12]));
    for file in &files {
        let Some(content) = Builtin::get(file) else { continue };
        let path = folder.join(&file[prefix.len()..]);
        let there = fs::metadata(&path).is_ok_and(|m| m.len() == content.data.len() as u64);
        if there {
            continue;
        }
        // Renamed into place, so that a second process never reads half a file.
        fs::create_dir_all(&folder)
            .and_then(|()| NamedTempFile::new_in(&folder))
            .and_then(|mut draft| draft.write_all(&content.data).map(|()| draft))
            .and_then(|draft| draft.persist(&path).map_err(|e| e.error))
            .map_err(|e| unreadable(&path, &e))?;
    }
    Ok(folder)
}

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

/// A fingerprint of the weights: names, lengths, first and last MiB of each file. For a hub id, the
/// id itself.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn digest(located: &Located) -> Result<String, EngineError> {
    let files = match located {
        Located::Folder(folder) => weights(folder)?,
        Located::Gguf(path) => vec![path.clone()],
        Located::Hub(id) => return Ok(format!("hub:{id}")),
    };
    let mut hasher = blake3::Hasher::new();
    for path in files {
        sample(&path, &mut hasher).map_err(|e| unreadable(&path, &e))?;
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

fn sample(path: &Path, hasher: &mut blake3::Hasher) -> std::io::Result<()> {
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
