//! The bin: what was deleted and can still be had back.
//!
//! Moving an episode there is a mark among its annotations, so it comes back exactly as it was.

use serde::{Deserialize, Serialize};
use sled::Transactional;
use sled::transaction::ConflictableTransactionError;

use super::{Store, StoreError, decode_u64};

/// An episode's being in the bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashMark {
    /// Which deletion moved it there; they are counted from 1, and one may move many episodes.
    pub deletion: u64,
    /// When: milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl Store {
    /// Moves the episodes `ids` to the bin, all or none; `at_ms` is the time, in milliseconds since
    /// the Unix epoch. Once this has returned, they stay there after a crash.
    ///
    /// # Errors
    /// When one of them is missing or in the bin already, or the disk refuses.
    pub fn move_to_trash(&self, ids: &[u64], at_ms: u64) -> Result<(), StoreError> {
        let trashed = TrashMark { deletion: self.increment("last_deletion")?, at_ms };
        self.update_annotations(ids, |id, annotations| match annotations.trashed.replace(trashed) {
            Some(_) => Err(StoreError::InTrash(id)),
            None => Ok(()),
        })
    }

    /// Takes the episodes `ids` out of the bin, all or none: they are as they were.
    ///
    /// # Errors
    /// When one of them is missing or not in the bin, or the disk refuses.
    pub fn restore(&self, ids: &[u64]) -> Result<(), StoreError> {
        self.update_annotations(ids, |id, annotations| match annotations.trashed.take() {
            Some(_) => Ok(()),
            None => Err(StoreError::NotInTrash(id)),
        })
    }

    /// Takes back the last deletion that can be: restores what it moved to the bin and is still there.
    /// Returns those ids, oldest episode first; none where the bin is empty.
    ///
    /// # Errors
    /// When the bin cannot be read, or the disk refuses.
    pub fn undo_last_deletion(&self) -> Result<Vec<u64>, StoreError> {
        let trashed = self.trashed()?;
        let last = trashed.iter().map(|(_, trashed)| trashed.deletion).max();
        let ids = trashed.iter().filter(|(_, trashed)| Some(trashed.deletion) == last);
        let ids: Vec<u64> = ids.map(|(id, _)| *id).collect();
        if !ids.is_empty() {
            self.restore(&ids)?;
        }
        Ok(ids)
    }

    /// What is in the bin, oldest episode first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn trashed(&self) -> Result<Vec<(u64, TrashMark)>, StoreError> {
        self.trash_marks().collect()
    }

    /// The same one by one.
    pub(super) fn trash_marks(
        &self,
    ) -> impl Iterator<Item = Result<(u64, TrashMark), StoreError>> + '_ {
        self.annotations.iter().filter_map(|row| {
            let mark = || {
                let (key, json) = row.map_err(|e| self.read_error(&e))?;
                let id = decode_u64(Some(&key));
                let trashed = self.parse_annotations(id, Some(&json))?.trashed;
                Ok(trashed.map(|trashed| (id, trashed)))
            };
            mark().transpose()
        })
    }

    /// Deletes what is in the bin for good: events, summary and annotations. Returns those ids. A
    /// crash leaves each episode in the bin, whole, or gone.
    ///
    /// # Errors
    /// When the bin cannot be read, or the disk refuses; what is not deleted yet is still in the bin.
    pub fn empty_trash(&self) -> Result<Vec<u64>, StoreError> {
        let mut gone = Vec::new();
        for (id, _) in self.trashed()? {
            if self.delete_permanently(id)? {
                gone.push(id);
            }
        }
        self.flush()?;
        Ok(gone)
    }

    /// Deletes episode `id` if it is in the bin; says whether it was.
    fn delete_permanently(&self, id: u64) -> Result<bool, StoreError> {
        let keys = self.events.scan_prefix(id.to_be_bytes()).keys();
        let keys = keys.collect::<sled::Result<Vec<_>>>().map_err(|e| self.read_error(&e))?;
        let key = id.to_be_bytes();
        let trees = (&self.events, &self.episodes, &self.annotations);
        let outcome = trees.transaction(|(events, episodes, annotations)| {
            let json = annotations.get(key)?;
            let found = self.parse_annotations(id, json.as_ref());
            // It may have been restored meanwhile.
            if found.map_err(ConflictableTransactionError::Abort)?.trashed.is_none() {
                return Ok(false);
            }
            for event in &keys {
                events.remove(event)?;
            }
            episodes.remove(&key)?;
            annotations.remove(&key)?;
            Ok(true)
        });
        outcome.map_err(|e| self.transaction_error(e))
    }
}
