//! Forks as a tree: an episode's ancestors, and everything that was forked from them.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{EpisodeEntry, Store, StoreError};

/// The tree of forks that contains episode `id`: each episode before its forks, forks from oldest to newest, each with
/// its depth (0 for the root). Episodes that are in the trash or unreadable are left out; an episode whose parent is
/// left out is a root.
///
/// # Errors
/// [`StoreError`] if `id` itself cannot be read.
pub fn fork_tree(store: &Store, id: u64) -> Result<Vec<(EpisodeEntry, usize)>, StoreError> {
    store.entry(id)?;
    let entries: BTreeMap<u64, EpisodeEntry> =
        store.entries(None).flatten().map(|entry| (entry.summary.id, entry)).collect();
    let parent = |id: u64| {
        let parent = entries.get(&id)?.summary.parent.as_ref()?.episode;
        entries.contains_key(&parent).then_some(parent)
    };
    let mut seen = BTreeSet::new();
    let mut root = id;
    // The parents in an imported store may form a cycle.
    while let Some(parent) = parent(root).filter(|parent| seen.insert(*parent)) {
        root = parent;
    }
    let mut forks: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for id in entries.keys() {
        if let Some(parent) = parent(*id) {
            forks.entry(parent).or_default().push(*id);
        }
    }
    let (mut fork_tree, mut next) = (Vec::new(), vec![(root, 0)]);
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
