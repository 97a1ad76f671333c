//! The local cache of the hub, which pointsman shares with other programs.

use std::path::PathBuf;

use hf_hub::{Cache, Repo, RepoType};

use crate::engine::model_files::{SHARD_INDEX, indexed_shards, weight_files};

/// The cache's folder: `HF_HUB_CACHE`, else `hub` below `HF_HOME`, else below `~/.cache/huggingface`; `None` without a
/// home folder.
pub(super) fn cache_dir() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home =
        || variable("HF_HOME").or_else(|| Some(variable("HOME")?.join(".cache/huggingface")));
    variable("HF_HUB_CACHE").or_else(|| Some(home()?.join("hub")))
}

/// The folder of a model's snapshot, if it is complete.
pub(in crate::engine) fn snapshot_dir(id: &str) -> Option<PathBuf> {
    let folder = cached_file(id, "config.json")?.parent()?.to_owned();
    cached_file(id, "tokenizer.json")?;
    let is_complete = if folder.join(SHARD_INDEX).is_file() {
        indexed_shards(&folder)?.iter().all(|shard| folder.join(shard).is_file())
    } else {
        !weight_files(&folder).ok()?.is_empty()
    };
    is_complete.then_some(folder)
}

/// The path of a model's file, if it is in the cache.
pub(in crate::engine) fn cached_file(id: &str, file: &str) -> Option<PathBuf> {
    let repository = Repo::new(id.to_owned(), RepoType::Model);
    Cache::new(cache_dir()?).repo(repository).get(file)
}
