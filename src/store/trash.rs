//! The trash: deleted episodes that can be restored.
//!
//! An episode in the trash is only marked in its annotations, so it comes back exactly as it was.

use sled::Transactional;
use sled::transaction::ConflictableTransactionError;

use super::database::decode_u64;
use super::{Store, StoreError, TrashMark};

impl Store {
    /// Moves the episodes `ids` to the trash: all, or none. `at_ms` is the current time in milliseconds since the
    /// Unix epoch. Once this has returned, the change survives a crash.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::InTrash`] for the first such episode, [`StoreError::Write`] if the
    /// disk refuses.
    pub fn move_to_trash(&self, ids: &[u64], at_ms: u64) -> Result<(), StoreError> {
        let trashed = TrashMark { deletion: self.increment("last_deletion")?, at_ms };
        self.update_annotations(ids, |id, annotations| match annotations.trashed.replace(trashed) {
            Some(_) => Err(StoreError::InTrash(id)),
            None => Ok(()),
        })
    }

    /// Restores the episodes `ids` from the trash, all or none, as they were.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::NotInTrash`] for the first such episode, [`StoreError::Write`] if
    /// the disk refuses.
    pub fn restore(&self, ids: &[u64]) -> Result<(), StoreError> {
        self.update_annotations(ids, |id, annotations| match annotations.trashed.take() {
            Some(_) => Ok(()),
            None => Err(StoreError::NotInTrash(id)),
        })
    }

    /// Undoes the last deletion: restores those of its episodes that are still in the trash. Returns their numbers,
    /// oldest episode first; none if the trash is empty.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Read`] if the trash cannot be read, [`StoreError::Write`] if the disk
    /// refuses.
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

    /// The episodes in the trash, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Read`] if it cannot be read.
    pub fn trashed(&self) -> Result<Vec<(u64, TrashMark)>, StoreError> {
        self.trash_marks().collect()
    }

    /// The episodes in the trash one by one.
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

    /// Deletes the episodes in the trash for good: events, summaries and annotations. Returns their numbers. After a
    /// crash, each episode is either complete and in the trash, or gone.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Read`] if the trash cannot be read, [`StoreError::Write`] if the disk
    /// refuses; the episodes that are not deleted yet stay in the trash.
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

    /// Deletes episode `id` if it is in the trash, and returns whether it was.
    fn delete_permanently(&self, id: u64) -> Result<bool, StoreError> {
        let keys = self.events.scan_prefix(id.to_be_bytes()).keys();
        let keys = keys.collect::<sled::Result<Vec<_>>>().map_err(|e| self.read_error(&e))?;
        let key = id.to_be_bytes();
        let trees = (&self.events, &self.episodes, &self.annotations);
        let result = trees.transaction(|(events, episodes, annotations)| {
            let json = annotations.get(key)?;
            let found = self.parse_annotations(id, json.as_ref());
            // It may have been restored in the meantime.
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
        result.map_err(|e| self.transaction_error(e))
    }
}
