//! The trash: deleted episodes that can be restored.
//!
//! An episode in the trash is only marked in its annotations, so it comes back exactly as it was.

use std::collections::BTreeSet;
use std::io;

use super::counters::Counter;
use super::former_layout::BEFORE_LOG;
use super::log::{Location, RecordHead, erase_bodies, scan_log};
use super::operation::{Operation, Table, number_of};
use super::sled_tables::remove_folder;
use super::{Store, StoreError, TrashMark};

impl Store {
    /// Moves the episodes `ids` to the trash: all, or none. `at_ms` is the current time in milliseconds since the
    /// Unix epoch. Once this has returned, the change is on disk.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::InTrash`] for the first such episode, [`StoreError::Write`] if the
    /// disk refuses.
    pub fn move_to_trash(&self, ids: &[u64], at_ms: u64) -> Result<(), StoreError> {
        let trashed = TrashMark { deletion: self.advance(Counter::Deletion, 1)?, at_ms };
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
        self.tables.rows(Table::Annotations, None, false).filter_map(|row| {
            let mark = || {
                let (key, json) = row.map_err(|e| self.read_error(&e))?;
                let id = number_of(&key);
                let trashed = self.parse_annotations(id, Some(&json))?.trashed;
                Ok(trashed.map(|trashed| (id, trashed)))
            };
            mark().transpose()
        })
    }

    /// Deletes the episodes in the trash for good: their events, summaries and annotations are erased from the disk,
    /// as is what was kept of a former layout or a damaged index. Returns their numbers. After a crash, each episode
    /// is either complete and in the trash, or gone; the next start erases what is left.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Read`] if the trash cannot be read, [`StoreError::Write`] if the disk
    /// refuses; the episodes that are not deleted yet stay in the trash.
    pub fn empty_trash(&self) -> Result<Vec<u64>, StoreError> {
        let log = self.log_folder();
        let mut writer = self.writer()?;
        let ids: Vec<u64> = self.trashed()?.into_iter().map(|(id, _)| id).collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        let scan = scan_log(&log).map_err(|e| self.read_error(&e.to_string()))?;
        let (operations, erased) = self.plan_erasure(&scan.records, &ids)?;
        if let Some(appended) = self.append_record(&mut writer, 0, &operations)? {
            appended.sync().map_err(|e| self.write_error(&e))?;
        }
        erase_bodies(&log, &erased).map_err(|e| self.write_error(&e))?;
        self.tables.compact().map_err(|e| self.write_error(&e))?;
        self.remove_kept_files().map_err(|e| self.write_error(&e))?;
        Ok(ids)
    }

    /// The operations that delete the episodes, and the records that hold anything of them.
    fn plan_erasure(
        &self,
        records: &[RecordHead],
        ids: &[u64],
    ) -> Result<(Vec<Operation>, Vec<Location>), StoreError> {
        let ids: BTreeSet<u64> = ids.iter().copied().collect();
        let of_deleted = |table: Table, key: &[u8]| {
            matches!(table, Table::Events | Table::Episodes | Table::Annotations)
                && ids.contains(&number_of(key))
        };
        let mut operations: Vec<Operation> =
            ids.iter().flat_map(|id| Operation::remove_episode(*id)).collect();
        let (mut erased, mut numbers) = (Vec::new(), Vec::new());
        for record in records {
            let mut heads = record.operations.iter();
            if !heads.any(|head| of_deleted(head.table, head.key)) {
                continue;
            }
            erased.push(record.at);
            numbers.push(record.record);
            // A record of several episodes also has rows that stay; they are written again as they are now.
            let staying = record.operations.iter().filter(|head| !of_deleted(head.table, head.key));
            for head in staying {
                operations.extend(self.current_row(head.table, head.key)?);
            }
        }
        operations.push(Operation::Erase { records: numbers });
        Ok((operations, erased))
    }

    /// The operation that sets a row to what it is.
    fn current_row(&self, table: Table, key: &[u8]) -> Result<Option<Operation>, StoreError> {
        let value = self.tables.get(table, key).map_err(|e| self.read_error(&e))?;
        Ok(value.map(|value| Operation::put(table, key, value)))
    }

    /// Removes the files of a former layout and of damaged indexes, which may hold deleted episodes.
    fn remove_kept_files(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(BEFORE_LOG) || name.starts_with("damaged-index") {
                remove_folder(&entry.path())?;
            }
        }
        Ok(())
    }
}
