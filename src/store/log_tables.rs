//! The tables as a view of the log: where each row is, without an index on disk.
//!
//! A process that only reads needs no lock and writes nothing.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::log::{Location, LogScan, OperationKind, read_values};
use super::operation::{Operation, Table, event_index_of, event_key, number_of};
use super::tables::{Rows, TableError, Tables};

/// Where the value of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: Location,
    /// Index of the operation in its record.
    operation: u32,
    /// Number of the record.
    record: u64,
}

/// Consecutive events in consecutive operations of one record: an episode that was stored as a whole has one run.
#[derive(Debug, Clone, Copy)]
struct EventRun {
    first: Place,
    /// Index of the first event.
    index: u32,
    events: u32,
}

#[derive(Default)]
struct Rowsets {
    /// All tables except the events, by table.
    rows: [BTreeMap<Vec<u8>, Place>; Table::ALL.len()],
    /// By episode, in the order of their records.
    events: BTreeMap<u64, Vec<EventRun>>,
}

/// The values of the record that was read last.
type CachedRecord = Option<(Location, Arc<Vec<Vec<u8>>>)>;

/// The rows of all tables in the log of one folder.
pub(super) struct LogTables {
    folder: PathBuf,
    rowsets: RwLock<Rowsets>,
    /// Consecutive events are often in one record.
    cache: Mutex<CachedRecord>,
}

impl LogTables {
    pub(super) fn new(folder: &Path, scan: &LogScan) -> Self {
        let mut rowsets = Rowsets::default();
        for record in &scan.records {
            let heads = record.operations.iter().map(|head| (head.kind, head.table, head.key));
            rowsets.apply(record.record, record.at, heads);
        }
        Self { folder: folder.into(), rowsets: RwLock::new(rowsets), cache: Mutex::default() }
    }

    /// The keys of a table in order, each with the number of the record that set it.
    pub(super) fn keys(&self, table: Table) -> Vec<(Vec<u8>, u64)> {
        self.read(|rowsets| {
            if table != Table::Events {
                let rows = rowsets.rows[table as usize].iter();
                return rows.map(|(key, place)| (key.clone(), place.record)).collect();
            }
            let episodes = rowsets.events.iter();
            let places = episodes.flat_map(|(id, runs)| {
                let places = places(runs).into_iter();
                places.map(|(index, place)| (event_key(*id, index).to_vec(), place.record))
            });
            places.collect()
        })
    }

    /// The greatest number in the keys of a table; 0 if it is empty.
    pub(super) fn last_number(&self, table: Table) -> u64 {
        self.read(|rowsets| match table {
            Table::Events => rowsets.events.last_key_value().map_or(0, |(id, _)| *id),
            _ => rowsets.rows[table as usize].last_key_value().map_or(0, |(key, _)| number_of(key)),
        })
    }

    /// The episodes with an event that is missing between others, or before them.
    pub(super) fn incomplete_episodes(&self) -> Vec<u64> {
        self.read(|rowsets| {
            let incomplete = rowsets.events.iter().filter(|(_, runs)| {
                let places = places(runs);
                places.keys().next_back().map_or(0, |last| *last as usize + 1) > places.len()
            });
            incomplete.map(|(id, _)| *id).collect()
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Rowsets) -> T) -> T {
        read(&self.rowsets.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn value(&self, place: Place) -> Result<Vec<u8>, TableError> {
        let values = self.values(place.at)?;
        let value = values.get(place.operation as usize);
        value.cloned().ok_or_else(|| place.at.describe())
    }

    fn values(&self, at: Location) -> Result<Arc<Vec<Vec<u8>>>, TableError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((cached, values)) = &*cache
            && *cached == at
        {
            return Ok(values.clone());
        }
        let values = Arc::new(read_values(&self.folder, at).map_err(|e| e.to_string())?);
        *cache = Some((at, values.clone()));
        Ok(values)
    }
}

impl Tables for LogTables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let place = self.read(|rowsets| rowsets.rows[table as usize].get(key).copied());
        place.map(|place| self.value(place)).transpose()
    }

    fn rows(&self, table: Table, end: Option<&[u8]>, descending: bool) -> Rows<'_> {
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        let mut places: Vec<(Vec<u8>, Place)> = self.read(|rowsets| {
            let rows = rowsets.rows[table as usize].range::<[u8], _>((Bound::Unbounded, end));
            rows.map(|(key, place)| (key.clone(), *place)).collect()
        });
        if descending {
            places.reverse();
        }
        // An error is that of one record: the others can still be read.
        Box::new(places.into_iter().map(|(key, place)| Ok((key, self.value(place)?))))
    }

    fn count(&self, table: Table) -> Result<usize, TableError> {
        Ok(self.read(|rowsets| rowsets.rows[table as usize].len()))
    }

    fn events(&self, id: u64) -> Result<Vec<Option<Vec<u8>>>, TableError> {
        let runs = self.read(|rowsets| rowsets.events.get(&id).cloned()).unwrap_or_default();
        let mut events = Vec::new();
        for (index, place) in places(&runs) {
            events.resize(index as usize, None);
            events.push(Some(self.value(place)?));
        }
        Ok(events)
    }

    fn next_event(&self, id: u64) -> Result<u32, TableError> {
        Ok(self.read(|rowsets| {
            let runs = rowsets.events.get(&id).map_or(&[][..], Vec::as_slice);
            runs.iter().map(|run| run.index + run.events).max().unwrap_or(0)
        }))
    }

    fn apply(&self, record: u64, at: Location, operations: &[Operation]) -> Result<(), TableError> {
        let mut rowsets = self.rowsets.write().unwrap_or_else(PoisonError::into_inner);
        let heads = operations.iter().map(|operation| match operation {
            Operation::Put { table, key, .. } => (OperationKind::Put, *table, key.as_slice()),
            Operation::Remove { table, key } => (OperationKind::Remove, *table, key.as_slice()),
            Operation::Erase { .. } => (OperationKind::Erase, Table::Meta, &[][..]),
        });
        rowsets.apply(record, at, heads);
        Ok(())
    }

    fn close(&self, _: u64) -> Result<bool, TableError> {
        Ok(false)
    }
}

impl Rowsets {
    fn apply<'a>(
        &mut self,
        record: u64,
        at: Location,
        heads: impl Iterator<Item = (OperationKind, Table, &'a [u8])>,
    ) {
        for (operation, (kind, table, key)) in (0..).zip(heads) {
            let place = Place { at, operation, record };
            match (kind, table) {
                (OperationKind::Put, Table::Events) => self.add_event(key, place),
                (OperationKind::Put, _) => {
                    self.rows[table as usize].insert(key.to_vec(), place);
                }
                (OperationKind::Remove, Table::Events) => {
                    self.events.remove(&number_of(key));
                }
                (OperationKind::Remove, _) => {
                    self.rows[table as usize].remove(key);
                }
                (OperationKind::Erase, _) => {}
            }
        }
    }

    fn add_event(&mut self, key: &[u8], place: Place) {
        let index = event_index_of(key);
        let runs = self.events.entry(number_of(key)).or_default();
        if let Some(last) = runs.last_mut()
            && last.first.at == place.at
            && last.first.operation + last.events == place.operation
            && last.index + last.events == index
        {
            last.events += 1;
        } else {
            runs.push(EventRun { first: place, index, events: 1 });
        }
    }
}

/// The place of each event, by index; that of the last record if several have it.
fn places(runs: &[EventRun]) -> BTreeMap<u32, Place> {
    let mut places = BTreeMap::new();
    for run in runs {
        for offset in 0..run.events {
            let place = Place { operation: run.first.operation + offset, ..run.first };
            places.insert(run.index + offset, place);
        }
    }
    places
}
