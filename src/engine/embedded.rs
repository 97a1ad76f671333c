//! Models inside the binary.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use tempfile::NamedTempFile;

use super::error::EngineError;

/// Prefix of the names of models and policies inside the binary.
pub(crate) const BUILTIN: &str = "builtin:";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/presets"]
#[include = "*/*/*.json"]
#[include = "*/*/*.safetensors"]
struct EmbeddedModels;

/// Writes the files of the model `source` (`builtin:NAME`) to a folder below `cache`, unless they are there already.
///
/// # Errors
/// [`EngineError::NotFound`] if the binary has no such model, [`EngineError::Unpack`] if a file cannot be written.
pub(super) fn unpack(source: &str, cache: &Path) -> Result<PathBuf, EngineError> {
    let name = source.strip_prefix(BUILTIN).unwrap_or(source);
    let prefix = format!("{name}/");
    let files: Vec<_> = EmbeddedModels::iter().filter(|file| file.starts_with(&prefix)).collect();
    if files.is_empty() {
        return Err(EngineError::NotFound(source.to_owned()));
    }
    let mut hasher = blake3::Hasher::new();
    for file in &files {
        if let Some(content) = EmbeddedModels::get(file) {
            hasher.update(&content.data);
        }
    }
    let digest = hasher.finalize().to_hex();
    let folder = cache.join("models").join(format!("{}-{}", name.replace('/', "-"), &digest[..12]));
    for file in &files {
        let Some(content) = EmbeddedModels::get(file) else { continue };
        let path = folder.join(&file[prefix.len()..]);
        let is_complete = fs::metadata(&path).is_ok_and(|m| m.len() == content.data.len() as u64);
        if is_complete {
            continue;
        }
        // Renamed into place, so that another process never reads half a file.
        fs::create_dir_all(&folder)
            .and_then(|()| NamedTempFile::new_in(&folder))
            .and_then(|mut temporary| temporary.write_all(&content.data).map(|()| temporary))
            .and_then(|temporary| temporary.persist(&path).map_err(|e| e.error))
            .map_err(|e| EngineError::Unpack { path: path.clone(), reason: e.to_string() })?;
    }
    Ok(folder)
}
