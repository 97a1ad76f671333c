//! The tables in sled: the index of the process that writes.
//!
//! Everything here can be made again from the log, so sled is opened only if its files are those that it closed with,
//! or after all of a copy has been read. One sled tree holds all tables, so that a record is applied as a whole; a key
//! begins with the number of its table. The events of an episode are one row, written when the episode ends.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use sled::{Batch, Config, Db, IVec};

use super::caught_panic::without_panic;
use super::log::Location;
use super::operation::{Operation, Table, event_index_of, number_of};
use super::packed::{pack, pack_events, unpack, unpack_events};
use super::tables::{Rows, TableError, Tables, until_error};
use crate::private_file::create_private_folder;

/// Size of sled's page cache in bytes.
const CACHE_BYTES: u64 = 64 << 20;
/// Key of the number of the record up to which all records are contained.
const APPLIED: &[u8] = b"\xffapplied";

/// The rows of all tables, by table and key.
pub(super) type IndexRows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Events of an episode that are not packed yet.
#[derive(Default)]
struct RunningEpisode {
    /// Number of the first record that is not in sled.
    first_record: u64,
    events: Vec<Option<Vec<u8>>>,
}

/// The rows of all tables in a sled database.
pub(super) struct SledTables {
    folder: PathBuf,
    db: RwLock<Option<Db>>,
    running: Mutex<BTreeMap<u64, RunningEpisode>>,
    /// Whether anything was written since it was opened.
    changed: AtomicBool,
}

impl SledTables {
    /// Opens the database in `folder`, or creates it.
    ///
    /// # Errors
    /// If sled cannot open it, or panics over it.
    pub(super) fn open(folder: &Path) -> Result<Self, TableError> {
        Ok(Self {
            folder: folder.into(),
            db: RwLock::new(Some(open_db(folder)?)),
            running: Mutex::default(),
            changed: AtomicBool::new(false),
        })
    }

    /// Number of the record up to which all records are contained; 0 if none.
    pub(super) fn applied(&self) -> Result<u64, TableError> {
        let applied = self.db()?.get(APPLIED).map_err(|e| e.to_string())?;
        Ok(applied.map_or(0, |bytes| number_of(&bytes)))
    }

    /// All rows, with the events of each episode packed under the episode's number. Reads everything.
    pub(super) fn all_rows(&self) -> Result<IndexRows, TableError> {
        let mut rows = BTreeMap::new();
        for row in self.db()?.iter() {
            let (key, value) = row.map_err(|e| e.to_string())?;
            if let Some(table) = key.first().and_then(|byte| Table::from_byte(*byte)) {
                rows.insert((table, key[1..].to_vec()), unpack(&value)?);
            }
        }
        Ok(rows)
    }

    fn db(&self) -> Result<Db, TableError> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        db.clone().ok_or_else(|| "the index is closed".to_owned())
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, RunningEpisode>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn packed_events(&self, id: u64) -> Result<Vec<Option<Vec<u8>>>, TableError> {
        let key = row_key(Table::Events, &id.to_be_bytes());
        let packed = self.db()?.get(key).map_err(|e| e.to_string())?;
        packed.map_or(Ok(Vec::new()), |packed| Ok(unpack_events(&unpack(&packed)?)))
    }

    /// Adds an event to its episode, which is packed later.
    fn add_event(
        &self,
        running: &mut BTreeMap<u64, RunningEpisode>,
        record: u64,
        key: &[u8],
        json: &[u8],
    ) -> Result<(), TableError> {
        let (id, index) = (number_of(key), event_index_of(key) as usize);
        let episode = match running.entry(id) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let events = self.packed_events(id)?;
                entry.insert(RunningEpisode { first_record: record, events })
            }
        };
        if episode.events.len() <= index {
            episode.events.resize(index + 1, None);
        }
        episode.events[index] = Some(json.to_vec());
        Ok(())
    }

    /// Writes the events of the episodes `ids`, and forgets that they run.
    fn pack_into(
        batch: &mut Batch,
        running: &mut BTreeMap<u64, RunningEpisode>,
        ids: impl IntoIterator<Item = u64>,
    ) {
        for id in ids {
            if let Some(episode) = running.remove(&id) {
                let key = row_key(Table::Events, &id.to_be_bytes());
                batch.insert(key, pack(&pack_events(&episode.events)));
            }
        }
    }

    /// Packs all episodes, writes everything and drops the database: only then are its files complete.
    pub(super) fn finish(&self, last_record: u64) -> Result<(), TableError> {
        let flushed = self.flush(last_record);
        self.db.write().unwrap_or_else(PoisonError::into_inner).take();
        flushed
    }

    /// Packs all episodes and writes everything.
    fn flush(&self, last_record: u64) -> Result<(), TableError> {
        if !self.changed.load(Ordering::Acquire) && self.applied()? == last_record {
            return Ok(());
        }
        let mut running = self.running();
        let mut batch = Batch::default();
        let ids: Vec<u64> = running.keys().copied().collect();
        Self::pack_into(&mut batch, &mut running, ids);
        batch.insert(APPLIED, &last_record.to_be_bytes());
        let db = self.db()?;
        db.apply_batch(batch).map_err(|e| e.to_string())?;
        db.flush().map(drop).map_err(|e| e.to_string())
    }
}

impl Tables for SledTables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let value = self.db()?.get(row_key(table, key)).map_err(|e| e.to_string())?;
        value.map(|value| unpack(&value)).transpose()
    }

    fn rows(&self, table: Table, end: Option<&[u8]>, descending: bool) -> Rows<'_> {
        let db = match self.db() {
            Ok(db) => db,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let start = Bound::Included(vec![table as u8]);
        let end = end.map_or_else(|| vec![table as u8 + 1], |end| row_key(table, end));
        let rows = db.range::<Vec<u8>, _>((start, Bound::Excluded(end)));
        let parse = |row: sled::Result<(IVec, IVec)>| {
            let (key, value) = row.map_err(|e| e.to_string())?;
            Ok((key[1..].to_vec(), unpack(&value)?))
        };
        if descending { until_error(rows.rev().map(parse)) } else { until_error(rows.map(parse)) }
    }

    fn count(&self, table: Table) -> Result<usize, TableError> {
        let mut count = 0;
        for key in self.db()?.scan_prefix([table as u8]).keys() {
            key.map_err(|e| e.to_string())?;
            count += 1;
        }
        Ok(count)
    }

    fn events(&self, id: u64) -> Result<Vec<Option<Vec<u8>>>, TableError> {
        if let Some(episode) = self.running().get(&id) {
            return Ok(episode.events.clone());
        }
        self.packed_events(id)
    }

    fn next_event(&self, id: u64) -> Result<u32, TableError> {
        if let Some(episode) = self.running().get(&id) {
            return Ok(episode.events.len() as u32);
        }
        Ok(self.packed_events(id)?.len() as u32)
    }

    fn apply(&self, record: u64, _: Location, operations: &[Operation]) -> Result<(), TableError> {
        self.changed.store(true, Ordering::Release);
        let mut running = self.running();
        let mut batch = Batch::default();
        for operation in operations {
            match operation {
                Operation::Put { table: Table::Events, key, value } => {
                    self.add_event(&mut running, record, key, value)?;
                }
                Operation::Put { table, key, value } => {
                    batch.insert(row_key(*table, key), pack(value));
                    // A summary ends its episode.
                    if *table == Table::Episodes && !value.is_empty() {
                        Self::pack_into(&mut batch, &mut running, [number_of(key)]);
                    }
                }
                Operation::Remove { table, key } => {
                    if *table == Table::Events {
                        // An event that follows in the same record must not find the removed ones.
                        let episode = RunningEpisode { first_record: record, events: Vec::new() };
                        running.insert(number_of(key), episode);
                    }
                    batch.remove(row_key(*table, key));
                }
                Operation::Erase { .. } => {}
            }
        }
        running.retain(|_, episode| !episode.events.is_empty());
        let first_unpacked = running.values().map(|episode| episode.first_record).min();
        let applied = first_unpacked.map_or(record, |first| first - 1);
        batch.insert(APPLIED, &applied.to_be_bytes());
        self.db()?.apply_batch(batch).map_err(|e| e.to_string())
    }

    fn compact(&self) -> Result<(), TableError> {
        // sled keeps removed values in its file for a while, so the rows move to a new database.
        let fresh = self.folder.with_extension("new");
        let mut slot = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let old = slot.take().ok_or_else(|| "the index is closed".to_owned())?;
        let copied = remove_folder(&fresh)
            .map_err(|e| e.to_string())
            .and_then(|()| copy_rows(&old, &open_db(&fresh)?));
        let new = if copied.is_ok() {
            drop(old);
            replace_folder(&self.folder, &fresh)?;
            open_db(&self.folder)?
        } else {
            // A full disk has no space for both.
            remove_folder(&fresh).map_err(|e| e.to_string())?;
            move_rows_in_memory(old, &self.folder)?
        };
        *slot = Some(new);
        Ok(())
    }

    fn close(&self, last_record: u64) -> Result<bool, TableError> {
        self.finish(last_record).map(|()| true)
    }
}

/// Opens a database.
fn open_db(folder: &Path) -> Result<Db, TableError> {
    create_private_folder(folder).map_err(|e| e.to_string())?;
    // The log is what survives a crash: sled need not flush at intervals.
    let config = Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    without_panic(|| config.open().map_err(|e| e.to_string()))
}

fn replace_folder(folder: &Path, by: &Path) -> Result<(), TableError> {
    remove_folder(folder).and_then(|()| std::fs::rename(by, folder)).map_err(|e| e.to_string())
}

/// Makes the database again in place, with its rows in memory meanwhile. If that fails, the next start makes it from
/// the log.
fn move_rows_in_memory(old: Db, folder: &Path) -> Result<Db, TableError> {
    let rows = old.iter().collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    drop(old);
    remove_folder(folder).map_err(|e| e.to_string())?;
    let new = open_db(folder)?;
    for (key, value) in rows {
        new.insert(key, value).map_err(|e| e.to_string())?;
    }
    new.flush().map_err(|e| e.to_string())?;
    Ok(new)
}

fn copy_rows(old: &Db, new: &Db) -> Result<(), TableError> {
    for row in old.iter() {
        let (key, value) = row.map_err(|e| e.to_string())?;
        new.insert(key, value).map_err(|e| e.to_string())?;
    }
    new.flush().map(drop).map_err(|e| e.to_string())
}

pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn row_key(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table as u8], key].concat()
}
