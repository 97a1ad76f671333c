//! The sled database below the store: its trees, its counters, its errors.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sled::{Config, Db, IVec, Tree};

use super::StoreError;
use super::lock::is_held_elsewhere;

/// Version of the store's layout. Stores of this and earlier versions are read; newer ones are refused.
const FORMAT_VERSION: u32 = 1;
/// Size of sled's page cache in bytes.
const CACHE_BYTES: u64 = 64 << 20;

/// Episodes, policies and calibrations on disk. Share it between threads behind an `Arc`.
pub struct Store {
    path: PathBuf,
    db: Db,
    /// Every event as JSON, by episode and index.
    pub(super) events: Tree,
    /// One row per episode: empty while it runs, then its summary as JSON.
    pub(super) episodes: Tree,
    /// Annotations as JSON, by episode.
    pub(super) annotations: Tree,
}

impl Store {
    /// Opens the store in the folder `path`, and creates it if it does not exist. Only one process at a time can
    /// have it open.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it open, [`StoreError::Newer`] if a newer program wrote it,
    /// [`StoreError::NotAStore`] if the folder holds something else, and [`StoreError::Open`] if the disk refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open_error = |reason: &dyn Display| StoreError::Open {
            path: path.into(),
            reason: reason.to_string(),
        };
        std::fs::create_dir_all(path).map_err(|e| open_error(&e))?;
        let existed = path.join("db").exists();
        // Every append flushes, so there is nothing to flush at intervals.
        let config = Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let db = config.open().map_err(|error| match error {
            sled::Error::Io(_) if is_held_elsewhere(path) => StoreError::Locked(path.into()),
            other => open_error(&other),
        })?;
        match db.get("format").map_err(|e| open_error(&e))? {
            Some(found) if is_newer_format(&found) => return Err(StoreError::Newer(path.into())),
            Some(_) => {}
            // sled treats a file that it cannot read like an empty one.
            None if existed => return Err(StoreError::NotAStore(path.into())),
            None => {
                db.insert("format", &FORMAT_VERSION.to_be_bytes()).map_err(|e| open_error(&e))?;
                db.flush().map_err(|e| open_error(&e))?;
            }
        }
        let tree = |name: &str| db.open_tree(name).map_err(|e| open_error(&e));
        let (events, episodes, annotations) =
            (tree("events")?, tree("episodes")?, tree("annotations")?);
        Ok(Self { path: path.into(), db, events, episodes, annotations })
    }

    /// A tree that is opened when it is needed.
    pub(super) fn tree(&self, name: &str) -> Result<Tree, StoreError> {
        self.db.open_tree(name).map_err(|e| self.read_error(&e))
    }

    /// Increments `counter` and returns its new value: 1 at first.
    pub(super) fn increment(&self, counter: &str) -> Result<u64, StoreError> {
        let increment = |old: Option<&[u8]>| Some((decode_u64(old) + 1).to_be_bytes().to_vec());
        let count =
            self.db.update_and_fetch(counter, increment).map_err(|e| self.write_error(&e))?;
        Ok(decode_u64(count.as_deref()))
    }

    /// Waits until everything written so far survives a crash.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(drop).map_err(|e| self.write_error(&e))
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

    pub(super) fn read_error(&self, reason: &dyn Display) -> StoreError {
        StoreError::Read { path: self.path.clone(), reason: reason.to_string() }
    }

    pub(super) fn damaged_error(&self, id: u64, reason: &dyn Display) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), id, reason: reason.to_string() }
    }
}

/// A number as keys and counters hold it, big-endian; 0 if absent.
pub(super) fn decode_u64(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes)
}

fn is_newer_format(format: &IVec) -> bool {
    format.as_ref().try_into().map_or(true, |bytes| u32::from_be_bytes(bytes) > FORMAT_VERSION)
}
