//! The tables as a view of the log: where each row is, without an index on disk.
//!
//! A process that only reads needs no lock and writes nothing.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::log::{Location, LogScan, OperationKind, read_values};
use super::operation::{Operation, Table, event_index_of, number_of};
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

type Keys = BTreeMap<Vec<u8>, Place>;

/// The values of the record that was read last.
type CachedRecord = Option<(Location, Arc<Vec<Vec<u8>>>)>;

/// The rows of all tables in the log of one folder.
pub(super) struct LogTables {
    folder: PathBuf,
    tables: RwLock<[Keys; Table::ALL.len()]>,
    /// Consecutive events are often in one record.
    cache: Mutex<CachedRecord>,
}

impl LogTables {
    pub(super) fn new(folder: &Path, scan: &LogScan) -> Self {
        let mut tables: [Keys; Table::ALL.len()] = Default::default();
        for record in &scan.records {
            let heads = record.operations.iter().map(|head| (head.kind, head.table, &*head.key));
            apply(&mut tables, record.record, record.at, heads);
        }
        Self { folder: folder.into(), tables: RwLock::new(tables), cache: Mutex::default() }
    }

    /// The keys of a table, each with the number of the record that set it.
    pub(super) fn keys(&self, table: Table) -> Vec<(Vec<u8>, u64)> {
        self.read(|tables| {
            tables[table as usize].iter().map(|(key, place)| (key.clone(), place.record)).collect()
        })
    }

    /// The episodes with an event that is missing between others, or before them.
    pub(super) fn incomplete_episodes(&self) -> Vec<u64> {
        self.read(|tables| {
            let mut incomplete = Vec::new();
            let mut expected = (0, 0);
            for key in tables[Table::Events as usize].keys() {
                let (id, index) = (number_of(key), event_index_of(key));
                if id != expected.0 {
                    expected = (id, 0);
                }
                if index > expected.1 && incomplete.last() != Some(&id) {
                    incomplete.push(id);
                }
                expected.1 = index + 1;
            }
            incomplete
        })
    }

    fn read<T>(&self, read: impl FnOnce(&[Keys; Table::ALL.len()]) -> T) -> T {
        read(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
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

    /// The keys of the events of an episode, in order.
    fn event_places(&self, id: u64) -> Vec<(u32, Place)> {
        self.read(|tables| {
            let range = event_range(id);
            let events = tables[Table::Events as usize].range::<[u8], _>(bounds(&range));
            events.map(|(key, place)| (event_index_of(key), *place)).collect()
        })
    }
}

impl Tables for LogTables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let place = self.read(|tables| tables[table as usize].get(key).copied());
        place.map(|place| self.value(place)).transpose()
    }

    fn rows(&self, table: Table, end: Option<&[u8]>, descending: bool) -> Rows<'_> {
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        let mut places: Vec<(Vec<u8>, Place)> = self.read(|tables| {
            let rows = tables[table as usize].range::<[u8], _>((Bound::Unbounded, end));
            rows.map(|(key, place)| (key.clone(), *place)).collect()
        });
        if descending {
            places.reverse();
        }
        let rows = places.into_iter().map(|(key, place)| Ok((key, self.value(place)?)));
        // An error is that of one record: the others can still be read.
        Box::new(rows)
    }

    fn count(&self, table: Table) -> Result<usize, TableError> {
        Ok(self.read(|tables| tables[table as usize].len()))
    }

    fn events(&self, id: u64) -> Result<Vec<Option<Vec<u8>>>, TableError> {
        let mut events = Vec::new();
        for (index, place) in self.event_places(id) {
            events.resize(index as usize, None);
            events.push(Some(self.value(place)?));
        }
        Ok(events)
    }

    fn next_event(&self, id: u64) -> Result<u32, TableError> {
        Ok(self.event_places(id).last().map_or(0, |(index, _)| index + 1))
    }

    fn apply(&self, record: u64, at: Location, operations: &[Operation]) -> Result<(), TableError> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let heads = operations.iter().map(|operation| match operation {
            Operation::Put { table, key, .. } => (OperationKind::Put, *table, key.as_slice()),
            Operation::Remove { table, key } => (OperationKind::Remove, *table, key.as_slice()),
            Operation::Erase { .. } => (OperationKind::Erase, Table::Meta, &[][..]),
        });
        apply(&mut tables, record, at, heads);
        Ok(())
    }
}

fn apply<'a>(
    tables: &mut [Keys; Table::ALL.len()],
    record: u64,
    at: Location,
    heads: impl Iterator<Item = (OperationKind, Table, &'a [u8])>,
) {
    for (operation, (kind, table, key)) in (0..).zip(heads) {
        let rows = &mut tables[table as usize];
        match kind {
            OperationKind::Put => {
                rows.insert(key.to_vec(), Place { at, operation, record });
            }
            OperationKind::Remove if table == Table::Events => {
                let range = event_range(number_of(key));
                let keys: Vec<_> =
                    rows.range::<[u8], _>(bounds(&range)).map(|(key, _)| key.clone()).collect();
                for key in keys {
                    rows.remove(&key);
                }
            }
            OperationKind::Remove => {
                rows.remove(key);
            }
            OperationKind::Erase => {}
        }
    }
}

/// The first key of an episode's events, and the first key after them.
fn event_range(id: u64) -> ([u8; 8], [u8; 8]) {
    (id.to_be_bytes(), id.saturating_add(1).to_be_bytes())
}

fn bounds(range: &([u8; 8], [u8; 8])) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(&range.0), Bound::Excluded(&range.1))
}
