//! The files of a model folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::EngineError;
use crate::user_file::{self, MAX_MODEL_SETTINGS};

/// The file that lists a model's shards.
pub(super) const SHARD_INDEX: &str = "model.safetensors.index.json";

/// Whether a file name has this extension.
pub(super) fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// The safetensors files of a folder that hold the model's weights, sorted.
///
/// Some folders have a second copy of the weights under another name. The shards that the index lists are preferred,
/// then files named as shards, then `model.safetensors`, then all.
///
/// # Errors
/// If the folder cannot be read, or a shard is missing.
pub(super) fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let entries = fs::read_dir(folder).map_err(|e| EngineError::unreadable_file(folder, &e))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors") && path.is_file())
        .collect();
    found.sort();
    let listed = indexed_shards(folder).unwrap_or_default();
    let preferences: [&dyn Fn(&str) -> bool; 3] = [
        &|name| listed.contains(name),
        &|name| name.starts_with("model-") && name.contains("-of-"),
        &|name| name == "model.safetensors",
    ];
    for is_preferred in preferences {
        let matches =
            |path: &&PathBuf| path.file_name().and_then(|n| n.to_str()).is_some_and(is_preferred);
        let chosen: Vec<PathBuf> = found.iter().filter(matches).cloned().collect();
        if !chosen.is_empty() {
            return match missing_shard(&chosen, &listed) {
                Some(shard) => Err(EngineError::MissingShard(folder.join(shard))),
                None => Ok(chosen),
            };
        }
    }
    Ok(found)
}

/// A shard that the index lists, or that the number in the name of the others implies, and that is not among them.
fn missing_shard(chosen: &[PathBuf], listed: &BTreeSet<String>) -> Option<String> {
    let names: BTreeSet<&str> =
        chosen.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    if names.iter().any(|name| listed.contains(*name)) {
        return listed.iter().find(|name| !names.contains(name.as_str())).cloned();
    }
    let (_, total) = names.first()?.strip_suffix(".safetensors")?.split_once("-of-")?;
    let count: usize = total.parse().ok()?;
    let all = (1..=count)
        .map(|n| format!("model-{n:0width$}-of-{total}.safetensors", width = total.len()));
    all.into_iter().find(|name| !names.contains(name.as_str()))
}

/// The names of the shards that a folder's index lists; `None` without a readable index.
pub(super) fn indexed_shards(folder: &Path) -> Option<BTreeSet<String>> {
    let index = user_file::read_text(&folder.join(SHARD_INDEX), MAX_MODEL_SETTINGS).ok()?;
    let index: Value = serde_json::from_str(&index).ok()?;
    index["weight_map"]
        .as_object()?
        .values()
        .map(|shard| shard.as_str().map(str::to_owned))
        .collect()
}

/// Hashes a file's name, its length, its first and its last MiB.
pub(super) fn hash_file_ends(path: &Path, hasher: &mut blake3::Hasher) -> std::io::Result<()> {
    const PART: u64 = 1 << 20;
    let mut file = user_file::open(path)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_copy_of_the_weights_is_ignored() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
        let names = || -> Vec<String> {
            let found = weight_files(home.path()).unwrap();
            found.iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        put("consolidated.safetensors", "");
        assert_eq!(names(), ["consolidated.safetensors"]);
        put("model.safetensors", "");
        assert_eq!(names(), ["model.safetensors"]);
        put("model-00001-of-00002.safetensors", "");
        put("model-00002-of-00002.safetensors", "");
        assert_eq!(names().len(), 2);
        put(
            SHARD_INDEX,
            r#"{"weight_map": {"a": "part-b.safetensors", "c": "part-a.safetensors"}}"#,
        );
        assert_eq!(names()[0], "model-00001-of-00002.safetensors", "an index of missing files");
        put("part-a.safetensors", "");
        let error = weight_files(home.path()).unwrap_err().to_string();
        assert!(error.contains("part-b.safetensors") && error.contains("missing"), "{error}");
        put("part-b.safetensors", "");
        assert_eq!(names(), ["part-a.safetensors", "part-b.safetensors"]);
        put(SHARD_INDEX, "{");
        assert_eq!(names().len(), 2);
        fs::remove_file(home.path().join("model-00001-of-00002.safetensors")).unwrap();
        let error = weight_files(home.path()).unwrap_err().to_string();
        assert!(error.contains("model-00001-of-00002.safetensors"), "{error}");
    }
}
