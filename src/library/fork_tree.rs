//! Forks as a tree: an episode's parents, and all that was forked from them.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{EpisodeEntry, Store, StoreError};

/// The family of episode `id`, from its first ancestor on: each before its forks, which stand from
/// oldest to newest, with the number of forks between it and that ancestor. What is in the bin or cannot be read is
/// left out, and an episode whose parent is not there is an ancestor.
///
/// # Errors
/// When `id` itself cannot be read.
pub fn fork_tree(store: &Store, id: u64) -> Result<Vec<(EpisodeEntry, usize)>, StoreError> {
    store.entry(id)?;
    let entries: BTreeMap<u64, EpisodeEntry> =
        store.entries(None).flatten().map(|entry| (entry.summary.id, entry)).collect();
    let parent = |id: u64| {
        let parent = entries.get(&id)?.summary.parent.as_ref()?.episode;
        entries.contains_key(&parent).then_some(parent)
    };
    let mut seen = BTreeSet::new();
    let mut first = id;
    // An imported store may say anything, a circle too.
    while let Some(parent) = parent(first).filter(|parent| seen.insert(*parent)) {
        first = parent;
    }
    let mut forks: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for id in entries.keys() {
        if let Some(parent) = parent(*id) {
            forks.entry(parent).or_default().push(*id);
        }
    }
    let (mut fork_tree, mut next) = (Vec::new(), vec![(first, 0)]);
    let mut visited = BTreeSet::new();
    while let Some((id, depth)) = next.pop() {
        if !visited.insert(id) {
            continue;
        }
        fork_tree.extend(entries.get(&id).map(|entry| (entry.clone(), depth)));
        let forks = forks.get(&id).into_iter().flatten().rev();
        next.extend(forks.map(|fork| (*fork, depth + 1)));
    }
    Ok(fork_tree)
}
