//! The store: its tables, the log that they are made from, and how a change gets to both.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tempfile::TempDir;

use super::StoreError;
use super::clean_marker::CleanMarker;
use super::counters::{Counter, Counters};
use super::log::{Appended, LogWriter};
use super::operation::Operation;
use super::process_lock::ProcessLock;
use super::tables::{TableError, Tables};

/// Episodes, policies and calibrations on disk. Share it between threads behind an `Arc`.
///
/// One process at a time can open it for writing; any number can read it meanwhile, see [`Store::open_read_only`].
pub struct Store {
    pub(super) path: PathBuf,
    pub(super) tables: Box<dyn Tables>,
    /// `None` if the store is open for reading only.
    pub(super) writer: Option<Mutex<Writer>>,
    /// What opening found, see [`Store::notices`].
    pub(super) notices: Vec<String>,
    /// Holds the log that was made from a store of the former layout, if it cannot be converted in place.
    pub(super) _converted: Option<TempDir>,
    /// Released last.
    pub(super) _lock: Option<ProcessLock>,
}

/// What only the writing process has.
pub(super) struct Writer {
    pub(super) log: LogWriter,
    pub(super) counters: Counters,
    /// Space that is given back when a deletion meets a full disk.
    pub(super) reserve: PathBuf,
}

/// Size in bytes of the file that is removed to make room for the record of a deletion.
pub(super) const RESERVE_BYTES: usize = 64 << 10;

impl Store {
    /// Sentences about what opening found: damaged records with their episodes, and what was recovered. Empty for a
    /// store in order.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Whether the store was opened with [`Store::open_read_only`].
    pub fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    /// Makes one change: `plan` says which, from the tables as they are. Once this has returned, the change is on
    /// disk. It concerns `episode`, or several or none if that is 0.
    pub(super) fn change<T>(
        &self,
        episode: u64,
        plan: impl FnOnce(&dyn Tables) -> Result<(Vec<Operation>, T), StoreError>,
    ) -> Result<T, StoreError> {
        let (appended, result) = {
            let mut writer = self.writer()?;
            let (operations, result) = plan(&*self.tables)?;
            (self.append_record(&mut writer, episode, &operations)?, result)
        };
        if let Some(appended) = appended {
            appended.sync().map_err(|e| self.write_error(&e))?;
        }
        Ok(result)
    }

    /// Appends a record to the log and applies it to the tables. It is not on disk before it is synced.
    pub(super) fn append_record(
        &self,
        writer: &mut Writer,
        episode: u64,
        operations: &[Operation],
    ) -> Result<Option<Appended>, StoreError> {
        if operations.is_empty() {
            return Ok(None);
        }
        let appended = match writer.log.append(episode, operations) {
            Err(error) if is_full(&error) && operations.iter().all(Operation::frees_space) => {
                // A full disk must not keep the user from deleting.
                std::fs::remove_file(&writer.reserve).map_err(|_| self.write_error(&error))?;
                writer.log.append(episode, operations)
            }
            appended => appended,
        };
        let appended = appended.map_err(|e| self.write_error(&e))?;
        let applied = self.tables.apply(appended.record, appended.at, operations);
        applied.map_err(|e| self.write_error(&e))?;
        Ok(Some(appended))
    }

    /// The writer, for one change at a time.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        let writer = self.writer.as_ref();
        let writer = writer.ok_or_else(|| StoreError::ReadOnly(self.path.clone()))?;
        Ok(writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives `n` new numbers, and returns the last of them.
    pub(super) fn advance(&self, counter: Counter, n: u64) -> Result<u64, StoreError> {
        let given = self.writer()?.counters.advance(counter, n);
        given.map_err(|e| self.write_error(&e))
    }

    pub(super) fn to_json(&self, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(value).map_err(|e| self.write_error(&e))
    }

    pub(super) fn missing_error(&self, id: u64) -> StoreError {
        StoreError::Missing { path: self.path.clone(), id }
    }

    pub(super) fn write_error(&self, reason: &dyn Display) -> StoreError {
        StoreError::Write { path: self.path.clone(), reason: reason.to_string() }
    }

    pub(super) fn read_error(&self, reason: &TableError) -> StoreError {
        StoreError::Read { path: self.path.clone(), reason: reason.clone() }
    }

    pub(super) fn damaged_error(&self, id: u64, reason: &dyn Display) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), id, reason: reason.to_string() }
    }

    /// The folder of the log.
    pub(super) fn log_folder(&self) -> PathBuf {
        log_folder(&self.path)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

pub(super) fn log_folder(store: &Path) -> PathBuf {
    store.join("log")
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(writer) = &mut self.writer {
            let writer = writer.get_mut().unwrap_or_else(PoisonError::into_inner);
            let end = writer.log.end();
            let closed = self.tables.close(end.last_record).and_then(|has_index| {
                if has_index {
                    let marker = CleanMarker::of(&self.path, end, writer.counters.values());
                    marker
                        .and_then(|marker| marker.write(&self.path))
                        .map_err(|e| e.to_string())?;
                }
                Ok(())
            });
            if let Err(error) = closed {
                tracing::warn!("the next start makes the index from the log: {error}");
            }
        }
    }
}
