//! Reading a model's files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::EngineError;

/// The name of the list of a model's shards.
pub(super) const SHARD_INDEX: &str = "model.safetensors.index.json";

/// The safetensors files of a folder that are the model's weights, sorted. Some folders have a second copy of
/// them in a file of another name: the shards that the index lists come first, then those that are named as shards,
/// then `model.safetensors`, then whatever there is.
pub(super) fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let entries = fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    found.sort();
    let listed = indexed_shards(folder).unwrap_or_default();
    let ways: [&dyn Fn(&str) -> bool; 3] = [
        &|name| listed.contains(name),
        &|name| name.starts_with("model-") && name.contains("-of-"),
        &|name| name == "model.safetensors",
    ];
    for way in ways {
        let is_one = |path: &&PathBuf| path.file_name().and_then(|n| n.to_str()).is_some_and(way);
        let chosen: Vec<PathBuf> = found.iter().filter(is_one).cloned().collect();
        if !chosen.is_empty() {
            return Ok(chosen);
        }
    }
    Ok(found)
}

/// Names of the shards that the index of a folder lists; nothing where it has no index that can be read.
pub(super) fn indexed_shards(folder: &Path) -> Option<BTreeSet<String>> {
    let index = fs::read_to_string(folder.join(SHARD_INDEX)).ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_copy_of_the_weights_does_not_count() {
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
        assert_eq!(
            names()[0],
            "model-00001-of-00002.safetensors",
            "an index of files that are not here"
        );
        put("part-a.safetensors", "");
        put("part-b.safetensors", "");
        assert_eq!(names(), ["part-a.safetensors", "part-b.safetensors"]);
        put(SHARD_INDEX, "{");
        assert_eq!(names().len(), 2);
    }
}
