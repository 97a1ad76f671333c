//! Opening the index: as it was closed, or checked against the log, or made again from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::caught_panic::without_panic;
use super::clean_marker::CleanMarker;
use super::log::{DamageKind, LogScan, OperationKind, RecordHead, read_values};
use super::log_tables::LogTables;
use super::operation::{Operation, Table, event_key, number_of};
use super::packed::unpack_events;
use super::sled_tables::{IndexRows, SledTables, remove_folder};
use super::tables::{TableError, Tables};

/// An index that is in step with the log.
pub(super) struct OpenedIndex {
    pub(super) tables: Box<dyn Tables>,
    /// Rows that the log lost and the index still had, by episode; 0 for the others.
    pub(super) recovered: BTreeMap<u64, Vec<Operation>>,
    /// Number of the record up to which the index of the earlier process had everything.
    pub(super) applied: u64,
    /// Whether the earlier process closed the index.
    pub(super) was_clean: bool,
}

/// Opens the index beside the log folder `log` in the store `store`.
pub(super) fn open_index(store: &Path, log: &Path, scan: &LogScan) -> OpenedIndex {
    let folder = store.join("index");
    let (recovered, was_clean) = (BTreeMap::new(), true);
    if scan.damage.is_empty()
        && is_clean(store, scan.last_record)
        && let Ok(tables) = SledTables::open(&folder)
    {
        let tables = Box::new(tables);
        return OpenedIndex { tables, recovered, applied: scan.last_record, was_clean };
    }
    let view = LogTables::new(log, scan);
    let copy = folder.with_extension("check");
    let checked = check_copy(&folder, &copy);
    let (applied, recovered) = match &checked {
        Ok((applied, rows)) => (*applied, missing_rows(&view, rows, *applied, scan)),
        Err(error) => {
            tracing::info!("the index is made again from the log: {error}");
            (0, recovered)
        }
    };
    let was_clean = !folder.exists() && scan.last_record == 0;
    let opened = adopt_copy(&folder, &copy, applied, log, scan, &view)
        .or_else(|_| rebuild(store, &folder, log, scan, checked.is_err()));
    let _ = remove_folder(&copy);
    let tables: Box<dyn Tables> = match opened {
        Ok(tables) => Box::new(tables),
        Err(error) => {
            // The log has everything: on a full disk, deleting must still work.
            tracing::warn!("the store works without its index: {error}");
            Box::new(view)
        }
    };
    OpenedIndex { tables, recovered, applied, was_clean }
}

/// Whether the index is as it was when the store was closed after record `last_record`.
fn is_clean(store: &Path, last_record: u64) -> bool {
    CleanMarker::read(store)
        .is_some_and(|marker| marker.end.last_record == last_record && marker.fits_index(store))
}

/// Copies the index and reads all of the copy. sled changes the files that it opens, so it never opens those that
/// may be damaged.
fn check_copy(folder: &Path, copy: &Path) -> Result<(u64, IndexRows), TableError> {
    remove_folder(copy).and_then(|()| copy_folder(folder, copy)).map_err(|e| e.to_string())?;
    let tables = SledTables::open(copy)?;
    // sled also panics while it reads damaged pages.
    without_panic(|| Ok((tables.applied()?, tables.all_rows()?)))
}

/// Uses the checked copy as the index, after the records that it does not have yet.
fn adopt_copy(
    folder: &Path,
    copy: &Path,
    applied: u64,
    log: &Path,
    scan: &LogScan,
    view: &LogTables,
) -> Result<SledTables, TableError> {
    if applied == 0 || applied > scan.last_record || !scan.damage.is_empty() {
        return Err("the index and the log differ".to_owned());
    }
    remove_folder(folder)
        .and_then(|()| std::fs::rename(copy, folder))
        .map_err(|e| e.to_string())?;
    let tables = SledTables::open(folder)?;
    replay(&tables, log, scan.records.iter().filter(|record| record.record > applied))?;
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Events) {
        let keys = view.keys(table).into_iter().map(|(key, _)| key);
        let rows = tables.rows(table, None, false).collect::<Result<Vec<_>, _>>()?;
        if !keys.eq(rows.into_iter().map(|(key, _)| key)) {
            return Err("the index and the log differ".to_owned());
        }
    }
    Ok(tables)
}

/// Makes the index from the log. An earlier index that cannot be read, or that knows more than the log, is set aside.
fn rebuild(
    store: &Path,
    folder: &Path,
    log: &Path,
    scan: &LogScan,
    unreadable: bool,
) -> Result<SledTables, TableError> {
    let is_damaged = unreadable || !scan.damage.is_empty();
    let fresh = folder.with_extension("new");
    let mut made = make_index(&fresh, log, scan);
    if made.is_err() {
        // A part of an index must not fill a disk that is full already.
        remove_folder(&fresh).map_err(|e| e.to_string())?;
        if !is_damaged {
            remove_folder(folder).map_err(|e| e.to_string())?;
            made = make_index(&fresh, log, scan);
        }
    }
    if made.is_err() {
        remove_folder(&fresh).map_err(|e| e.to_string())?;
    }
    made?;
    if folder.exists() {
        let moved = if is_damaged {
            std::fs::rename(folder, set_aside_path(store))
        } else {
            remove_folder(folder)
        };
        moved.map_err(|e| e.to_string())?;
    }
    std::fs::rename(&fresh, folder).map_err(|e| e.to_string())?;
    SledTables::open(folder)
}

/// Makes an index in the folder `fresh` from all records.
fn make_index(fresh: &Path, log: &Path, scan: &LogScan) -> Result<(), TableError> {
    remove_folder(fresh).map_err(|e| e.to_string())?;
    let tables = SledTables::open(fresh)?;
    replay(&tables, log, scan.records.iter())?;
    tables.finish(scan.last_record)
}

/// A new name in the store for an index that is kept, but no longer used.
fn set_aside_path(store: &Path) -> PathBuf {
    let names = (1..).map(|n| store.join(format!("damaged-index-{n}")));
    names.into_iter().find(|path| !path.exists()).unwrap_or_else(|| store.join("damaged-index"))
}

/// Applies the records to the index.
fn replay<'a>(
    tables: &SledTables,
    log: &Path,
    records: impl Iterator<Item = &'a RecordHead>,
) -> Result<(), TableError> {
    for record in records {
        let operations = read_operations(log, record)?;
        tables.apply(record.record, record.at, &operations)?;
    }
    Ok(())
}

/// The operations of a record with their values.
pub(super) fn read_operations(
    log: &Path,
    record: &RecordHead,
) -> Result<Vec<Operation>, TableError> {
    let values = read_values(log, record.at).map_err(|e| e.to_string())?;
    let operations = record.operations.iter().zip(values);
    let operations = operations.map(|(head, value)| match head.kind {
        OperationKind::Put => Operation::Put { table: head.table, key: head.key.to_vec(), value },
        OperationKind::Remove => Operation::Remove { table: head.table, key: head.key.to_vec() },
        OperationKind::Erase => Operation::Erase { records: head.erased().collect() },
    });
    Ok(operations.collect())
}

/// The rows that the index had after record `applied`, and the log has not, although no later record changed them.
fn missing_rows(
    view: &LogTables,
    rows: &IndexRows,
    applied: u64,
    scan: &LogScan,
) -> BTreeMap<u64, Vec<Operation>> {
    let mut missing: BTreeMap<u64, Vec<Operation>> = BTreeMap::new();
    let lost_records = applied > scan.last_record
        || scan.damage.iter().any(
            |damage| !matches!(damage.kind, DamageKind::CutOff { record, .. } if record > applied),
        );
    if !lost_records {
        return missing;
    }
    let removed: BTreeSet<(Table, &[u8])> = later_removals(scan, applied);
    let known: BTreeMap<(Table, Vec<u8>), u64> = Table::ALL
        .into_iter()
        .flat_map(|table| {
            view.keys(table).into_iter().map(move |(key, record)| ((table, key), record))
        })
        .collect();
    for ((table, key), value) in rows {
        if removed.contains(&(*table, key.as_slice())) {
            continue;
        }
        let id = number_of(key);
        if *table == Table::Events {
            let events = unpack_events(value).into_iter().enumerate();
            for (index, json) in events {
                let event = event_key(id, index as u32);
                if let Some(json) = json
                    && !known.contains_key(&(Table::Events, event.to_vec()))
                {
                    let operation = Operation::put(Table::Events, &event, json);
                    missing.entry(id).or_default().push(operation);
                }
            }
        } else if is_stale(view, &known, *table, key, value, applied) {
            let id = if matches!(table, Table::Episodes | Table::Annotations) { id } else { 0 };
            let operation = Operation::put(*table, key, value.clone());
            missing.entry(id).or_default().push(operation);
        }
    }
    // A row in the list without events would be an unreadable episode.
    missing.retain(|id, operations| {
        let recovers_events = operations.iter().any(Operation::is_event);
        *id == 0 || recovers_events || view.next_event(*id).is_ok_and(|next| next > 0)
    });
    missing
}

/// Whether the log lacks the row, or has an earlier value of it.
fn is_stale(
    view: &LogTables,
    known: &BTreeMap<(Table, Vec<u8>), u64>,
    table: Table,
    key: &[u8],
    value: &[u8],
    applied: u64,
) -> bool {
    match known.get(&(table, key.to_vec())) {
        None => true,
        Some(record) if *record > applied => false,
        Some(_) => view.get(table, key).is_ok_and(|found| found.as_deref() != Some(value)),
    }
}

/// The rows that records after `applied` removed.
fn later_removals(scan: &LogScan, applied: u64) -> BTreeSet<(Table, &[u8])> {
    let later = scan.records.iter().filter(|record| record.record > applied);
    let heads = later.flat_map(|record| record.operations.iter());
    let removals = heads.filter(|head| head.kind == OperationKind::Remove);
    removals.map(|head| (head.table, head.key)).collect()
}

/// Copies the files of a folder, and of the folders in it.
pub(super) fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    crate::private_file::create_private_folder(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
