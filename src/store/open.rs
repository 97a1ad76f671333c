//! Opening a store: nothing is written before everything has been read and checked.

use std::path::Path;
use std::time::Duration;

use super::clean_marker::CleanMarker;
use super::counters::{Counter, CounterValues, Counters};
use super::database::{RESERVE_BYTES, Writer, log_folder};
use super::former_layout;
use super::index::{OpenedIndex, open_index};
use super::log::{Damage, DamageKind, LogScan, LogWriter, erase_bodies, scan_log};
use super::log_tables::LogTables;
use super::operation::{Operation, Table};
use super::process_lock::{LockError, ProcessLock};
use super::sled_tables::SledTables;
use super::tables::Tables;
use super::{Store, StoreError};
use crate::private_file::{create_private_folder, write_private};

/// Names of the files of a store, of this layout and of the former one.
const LOCK: &str = "lock";
const COUNTERS: &str = "counters";
const RESERVE: &str = "reserve";

/// Value of the row of a damage whose loss was made good.
const RECOVERED: &str = "recovered";
/// Value of the row of a damage that lost something.
const LOST: &str = "lost";
/// Value of the row of a record that was cut off while it was written.
const INTERRUPTED: &str = "interrupted";

impl Store {
    /// Opens the store in the folder `path`, and creates it if it does not exist. Only one process at a time can
    /// have it open for writing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it open, [`StoreError::Newer`] if a newer program wrote it,
    /// [`StoreError::NotAStore`] if the folder holds something else, and [`StoreError::Open`] if the disk refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_waiting(path, Duration::ZERO, |_| {})
    }

    /// Opens the store like [`Store::open`], but waits up to `wait` for a process that has it open. `waiting` is
    /// called with the description of that process when the waiting begins.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn open_waiting(
        path: &Path,
        wait: Duration,
        waiting: impl Fn(&str),
    ) -> Result<Self, StoreError> {
        let existed = path.exists();
        create_private_folder(path).map_err(|e| StoreError::open(path, &e))?;
        let mut notices = Vec::new();
        if is_foreign(path)? {
            return Err(StoreError::NotAStore(path.into()));
        }
        let is_empty = existed && is_empty_folder(path)?;
        let lock = ProcessLock::acquire(&path.join(LOCK), wait, &waiting);
        let lock = lock.map_err(|error| match error {
            LockError::Held(holder) => StoreError::Locked { path: path.into(), holder },
            LockError::Io(error) => StoreError::open(path, &error),
        })?;
        if is_empty {
            notices.push(format!("the folder {} was empty: it is a new store now", path.display()));
        }
        former_layout::convert(path, &mut notices)?;
        let log = log_folder(path);
        create_private_folder(&log).map_err(|e| StoreError::open(path, &e))?;
        let opening = match open_unchanged(path) {
            Some(opening) => opening?,
            None => examine(path)?,
        };
        let reserve = path.join(RESERVE);
        if !reserve.exists() {
            // Only a convenience on a full disk, so it may fail on one.
            let _ = write_private(&reserve, &vec![0; RESERVE_BYTES]);
        }
        notices.extend(opening.notices);
        let writer = Writer { log: opening.log, counters: opening.counters, reserve };
        let mut store = Self {
            path: path.into(),
            tables: opening.tables,
            writer: Some(writer.into()),
            notices,
            _converted: None,
            _lock: Some(lock),
        };
        if let Some(findings) = opening.findings {
            let notices = store.record_damage(&findings)?;
            store.notices.extend(notices);
        }
        Ok(store)
    }

    /// Opens the store in the folder `path` as it is now, for reading only. It writes nothing and needs no lock, so
    /// another process may be writing; what that writes later is not seen.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer program wrote it, [`StoreError::NotAStore`] if the folder holds something
    /// else, and [`StoreError::Open`] if it cannot be read. A folder that does not exist is an empty store.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        if path.exists() && is_foreign(path)? {
            return Err(StoreError::NotAStore(path.into()));
        }
        let mut notices = Vec::new();
        let converted = former_layout::convert_copy(path, &mut notices)?;
        let root = converted.as_ref().map_or(path, |folder| folder.path());
        let mut scan = if log_folder(root).exists() { scan(root)? } else { LogScan::default() };
        let view = LogTables::new(&log_folder(root), &scan);
        if ProcessLock::is_held(&root.join(LOCK)) {
            // The end of the log may be a record that is being written, and the next episode may have begun.
            let damage = std::mem::take(&mut scan.damage);
            let sound_end = damage.into_iter().filter(|damage| !is_at_the_end(damage, &scan));
            scan.damage = sound_end.collect();
        } else {
            let closed_after = CleanMarker::read(root).map_or(0, |marker| marker.end.last_record);
            scan.damage.extend(Damage::missing(scan.last_record + 1, closed_after));
            notices.extend(episodes_without_events(path, root, last_episode(&view, &scan)));
        }
        notices.extend(known_losses(path, &view));
        forget_known_damage(&view, &mut scan);
        notices.extend(scan.damage.iter().map(|damage| format!("{}: {damage}", path.display())));
        notices.extend(incomplete(path, &view, &scan));
        Ok(Self {
            path: path.into(),
            tables: Box::new(view),
            writer: None,
            notices,
            _converted: converted,
            _lock: None,
        })
    }

    /// Writes down what was damaged and what was recovered, so that each damage is examined once, and returns the
    /// sentences about it.
    fn record_damage(&self, findings: &Findings) -> Result<Vec<String>, StoreError> {
        let Findings { scan, view, recovery } = findings;
        let path = self.path.display();
        let mut notices = Vec::new();
        let mut rows: Vec<(String, String)> = Vec::new();
        if let Some(damage) = Damage::missing(scan.last_record + 1, recovery.applied) {
            notices.push(format!("{path}: {damage}; the index had their rows"));
            rows.push((damage.key(), RECOVERED.to_owned()));
        }
        for damage in &scan.damage {
            let state = recovery.state_of(damage, scan);
            let outcome = match state {
                RECOVERED => "; the index had its rows",
                INTERRUPTED => ", as by a crash while it was written",
                _ => "",
            };
            notices.push(format!("{path}: {damage}{outcome}"));
            rows.push((damage.key(), format!("{state}: {damage}")));
        }
        if rows.iter().any(|(_, state)| state.starts_with(LOST)) {
            notices.extend(incomplete(&self.path, view, scan));
        }
        for (episode, operations) in &recovery.rows {
            self.change(*episode, |_| Ok((operations.clone(), ())))?;
        }
        let puts = rows
            .iter()
            .map(|(key, state)| Operation::put(Table::Meta, key.as_bytes(), state.as_bytes()));
        self.change(0, |_| Ok((puts.collect(), ())))?;
        Ok(notices)
    }
}

/// The parts of a store that is being opened.
struct Opening {
    tables: Box<dyn Tables>,
    log: LogWriter,
    counters: Counters,
    notices: Vec<String>,
    /// `None` if the log was not read.
    findings: Option<Findings>,
}

/// What reading the log found.
struct Findings {
    scan: LogScan,
    view: LogTables,
    recovery: Recovery,
}

/// Opens a large store without reading its log, if no file has changed since it was closed.
fn open_unchanged(path: &Path) -> Option<Result<Opening, StoreError>> {
    let marker = CleanMarker::read(path)?;
    if !marker.spares_reading_the_log(path) {
        return None;
    }
    // An index that lost its end is older than the log.
    let tables = SledTables::open(&path.join("index")).ok()?;
    if tables.applied() != Ok(marker.end.last_record) {
        return None;
    }
    let counters = Counters::open(&path.join(COUNTERS), marker.numbers);
    Some(counters.map_err(|e| StoreError::open(path, &e)).map(|counters| Opening {
        notices: known_losses(path, &tables).into_iter().collect(),
        log: LogWriter::new(&log_folder(path), marker.end),
        tables: Box::new(tables),
        counters,
        findings: None,
    }))
}

/// Reads the whole log, and opens or makes an index that is in step with it.
fn examine(path: &Path) -> Result<Opening, StoreError> {
    let log = log_folder(path);
    let mut scan = scan(path)?;
    erase_bodies(&log, &scan.to_erase).map_err(|e| StoreError::open(path, &e))?;
    let view = LogTables::new(&log, &scan);
    let mut notices = Vec::from_iter(known_losses(path, &view));
    forget_known_damage(&view, &mut scan);
    let opened = open_index(path, &log, &scan);
    let counters = open_counters(path, &view, &scan, &opened, &mut notices)?;
    let mut log = LogWriter::new(&log, scan.end());
    log.skip_to(opened.applied);
    let recovery = Recovery { rows: opened.recovered, applied: opened.applied };
    let findings = Some(Findings { scan, view, recovery });
    Ok(Opening { tables: opened.tables, log, counters, notices, findings })
}

/// What the index of the earlier process still had.
struct Recovery {
    rows: std::collections::BTreeMap<u64, Vec<Operation>>,
    /// Number of the record up to which it had everything.
    applied: u64,
}

impl Recovery {
    fn state_of(&self, damage: &Damage, scan: &LogScan) -> &'static str {
        let covers_all = || {
            let others = scan.damage.iter().filter(|other| *other != damage);
            let numbered = others.filter_map(last_record_of);
            self.applied > 0 && numbered.max().is_none_or(|last| last <= self.applied)
        };
        let recovered = match last_record_of(damage) {
            Some(last) => last <= self.applied,
            None => covers_all(),
        };
        if recovered {
            RECOVERED
        } else if is_at_the_end(damage, scan) {
            INTERRUPTED
        } else {
            LOST
        }
    }
}

fn last_record_of(damage: &Damage) -> Option<u64> {
    match damage.kind {
        DamageKind::Body { record, .. } | DamageKind::CutOff { record, .. } => Some(record),
        DamageKind::Missing { to, .. } => Some(to),
        DamageKind::Bytes { .. } => None,
    }
}

/// Whether the damage is a record that the end of the last segment cuts off.
fn is_at_the_end(damage: &Damage, scan: &LogScan) -> bool {
    let is_last = scan.records.iter().rev().find(|record| record.at.segment == damage.segment);
    damage.segment == scan.last_segment
        && is_last.is_none_or(|record| record.at.offset < damage.offset)
        && matches!(damage.kind, DamageKind::CutOff { .. } | DamageKind::Bytes { .. })
}

/// Removes the damage that an earlier process wrote down.
fn forget_known_damage(view: &LogTables, scan: &mut LogScan) {
    let is_known =
        |damage: &Damage| matches!(view.get(Table::Meta, damage.key().as_bytes()), Ok(Some(_)));
    scan.damage.retain(|damage| !is_known(damage));
}

/// Says which records an earlier process found to be lost.
fn known_losses(path: &Path, tables: &dyn Tables) -> Option<String> {
    let rows = tables.rows(Table::Meta, None, false).filter_map(Result::ok);
    let states = rows.map(|(_, state)| String::from_utf8_lossy(&state).into_owned());
    let lost =
        states.filter_map(|state| Some(state.strip_prefix(LOST)?.strip_prefix(": ")?.to_owned()));
    let lost: Vec<String> = lost.collect();
    (!lost.is_empty()).then(|| {
        format!(
            "the store {} lost records: {}; `pointsman episodes salvage` copies what is left",
            path.display(),
            lost.join(", ")
        )
    })
}

/// Names the episodes that lack an event.
fn incomplete(path: &Path, view: &LogTables, scan: &LogScan) -> Option<String> {
    let mut ids = view.incomplete_episodes();
    ids.extend(scan.damage.iter().filter_map(Damage::episode));
    ids.sort_unstable();
    ids.dedup();
    (!ids.is_empty()).then(|| {
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        format!(
            "the store {} lost events of these episodes: {}; `pointsman episodes salvage` copies what is left",
            path.display(),
            ids.join(", ")
        )
    })
}

fn scan(path: &Path) -> Result<LogScan, StoreError> {
    let scan = scan_log(&log_folder(path)).map_err(|e| StoreError::open(path, &e))?;
    if scan.is_newer { Err(StoreError::Newer(path.into())) } else { Ok(scan) }
}

/// The counters, at least as high as the numbers in the log and in the index.
fn open_counters(
    path: &Path,
    view: &LogTables,
    scan: &LogScan,
    opened: &OpenedIndex,
    notices: &mut Vec<String>,
) -> Result<Counters, StoreError> {
    let mut values = CounterValues::default();
    values.raise(Counter::Episode, last_episode(view, scan));
    values.raise(Counter::Policy, view.last_number(Table::Policies));
    values.raise(Counter::Calibration, view.last_number(Table::Calibrations));
    let recovered = opened.recovered.keys().next_back().copied();
    values.raise(Counter::Episode, recovered.unwrap_or(0));
    if !opened.was_clean {
        notices.extend(episodes_without_events(path, path, values.get(Counter::Episode)));
    }
    Counters::open(&path.join(COUNTERS), values).map_err(|e| StoreError::open(path, &e))
}

/// Greatest number of an episode in the log.
fn last_episode(view: &LogTables, scan: &LogScan) -> u64 {
    view.last_number(Table::Events).max(scan.last_episode)
}

/// Says which numbers were given to episodes after `last`, of which the log in `root` has no event.
fn episodes_without_events(path: &Path, root: &Path, last: u64) -> Option<String> {
    let given = CounterValues::read(&root.join(COUNTERS))?.get(Counter::Episode);
    (given > last).then(|| {
        format!(
            "{}: the episodes {} to {given} have no events: they ended before the first one, or their records are lost",
            path.display(),
            last + 1
        )
    })
}

/// Whether the folder holds files, and none of them is that of a store.
fn is_foreign(path: &Path) -> Result<bool, StoreError> {
    let mut found_any = false;
    for entry in std::fs::read_dir(path).map_err(|e| StoreError::open(path, &e))? {
        let name = entry.map_err(|e| StoreError::open(path, &e))?.file_name();
        if [LOCK, COUNTERS, "log", "index", "db", "conf"].iter().any(|known| name == *known) {
            return Ok(false);
        }
        found_any = true;
    }
    Ok(found_any)
}

fn is_empty_folder(path: &Path) -> Result<bool, StoreError> {
    let mut entries = std::fs::read_dir(path).map_err(|e| StoreError::open(path, &e))?;
    Ok(entries.next().is_none())
}
