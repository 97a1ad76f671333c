//! Where the model is that a preset names, and its fingerprint.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use tempfile::NamedTempFile;

use super::EngineError;
use super::hub::{cached_file, hub_file, is_hub_id, snapshot_dir};
use super::model_files::{hash_file_ends, unreadable, weight_files};

/// What the names of models embedded in the binary begin with.
pub const BUILTIN: &str = "builtin:";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/presets"]
#[include = "*/*/*.json"]
#[include = "*/*/*.safetensors"]
struct Builtin;

/// A model's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocatedModel {
    /// A folder with config.json, tokenizer.json and safetensors.
    Folder(PathBuf),
    /// A GGUF file.
    Gguf(PathBuf),
    /// A model of the Hugging Face hub, whole in its cache here.
    Hub { id: String, snapshot: PathBuf },
}

/// Finds the model that `source` of a preset names; one that is embedded in the binary is
/// unpacked below `cache` first.
///
/// # Errors
/// When there is nothing of that name, one of the hub is not, or not wholly, in its cache here, or a file cannot
/// be read or unpacked.
pub fn locate(source: &str, cache: &Path) -> Result<LocatedModel, EngineError> {
    if let Some(name) = source.strip_prefix(BUILTIN) {
        return unpack(name, cache).map(LocatedModel::Folder);
    }
    let path = Path::new(source);
    if path.is_dir() {
        for needed in ["config.json", "tokenizer.json"] {
            if !path.join(needed).is_file() {
                return Err(EngineError::Incomplete(path.to_owned(), needed));
            }
        }
        if weight_files(path)?.is_empty() {
            return Err(EngineError::Incomplete(path.to_owned(), "*.safetensors"));
        }
        return Ok(LocatedModel::Folder(path.to_owned()));
    }
    if path.is_file() {
        return Ok(LocatedModel::Gguf(path.to_owned()));
    }
    if is_hub_id(source) {
        let here = snapshot_dir(source);
        let here = here.map(|snapshot| LocatedModel::Hub { id: source.to_owned(), snapshot });
        return here.ok_or_else(|| EngineError::NotFetched(source.to_owned()));
    }
    if let Some((id, file)) = hub_file(source) {
        let here = cached_file(id, file).map(LocatedModel::Gguf);
        return here.ok_or_else(|| EngineError::NotFetched(source.to_owned()));
    }
    Err(EngineError::NotFound(source.to_owned()))
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
            .map_err(|e| EngineError::Unpack { path: path.clone(), reason: e.to_string() })?;
    }
    Ok(folder)
}

/// A fingerprint of the weights: names, lengths, first and last MiB of each file. For a hub id, the
/// id itself.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn digest(located: &LocatedModel) -> Result<String, EngineError> {
    let files = match located {
        LocatedModel::Folder(folder) => weight_files(folder)?,
        LocatedModel::Gguf(path) => vec![path.clone()],
        LocatedModel::Hub { id, .. } => return Ok(format!("hub:{id}")),
    };
    let mut hasher = blake3::Hasher::new();
    for path in files {
        hash_file_ends(&path, &mut hasher).map_err(|e| unreadable(&path, &e))?;
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}
