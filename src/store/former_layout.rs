//! Converting a store whose only copy of the events is a sled database, as the first version wrote it.
//!
//! sled changes the files that it opens and drops what it cannot read, so it only opens a copy. The files themselves
//! are kept in the folder `before-log`.

use std::collections::BTreeMap;

use std::path::{Path, PathBuf};

use sled::{Config, Db, Tree};
use tempfile::TempDir;

use super::StoreError;
use super::caught_panic::without_panic;
use super::counters::{Counter, CounterValues, Counters};
use super::database::log_folder;
use super::index::copy_folder;
use super::log::{Appended, LogScan, LogWriter};
use super::operation::{Operation, Table, number_of};
use super::sled_tables::remove_folder;
use crate::private_file::create_private_folder;

/// Version of the former layout. Newer ones are refused.
const FORMAT_VERSION: u32 = 1;
/// Folder of the converted database, kept until the trash is emptied.
pub(super) const BEFORE_LOG: &str = "before-log";

/// The trees besides `events`, and the tables that hold their rows now.
const TREES: [(&str, Table); 5] = [
    ("episodes", Table::Episodes),
    ("annotations", Table::Annotations),
    ("policies", Table::Policies),
    ("reign", Table::Promotions),
    ("calibrations", Table::Calibrations),
];

/// Converts the store in `path` in place if it has the former layout. A crash leaves it as it was, or converted.
///
/// # Errors
/// [`StoreError::NotAStore`] if nothing of it can be read, [`StoreError::Newer`] if a newer program wrote it,
/// [`StoreError::Open`] if the disk refuses.
pub(super) fn convert(path: &Path, notices: &mut Vec<String>) -> Result<(), StoreError> {
    if !path.join("db").exists() {
        return Ok(());
    }
    let kept = kept_folder(path);
    if is_former(path) {
        let fresh = path.join("log.new");
        remove_folder(&fresh).map_err(|e| StoreError::open(path, &e))?;
        convert_into(path, &fresh, &path.join("counters"), notices)?;
        std::fs::rename(&fresh, log_folder(path)).map_err(|e| StoreError::open(path, &e))?;
        notices.push(format!(
            "the store {} was converted to the present format; its former files are in {} until the trash is emptied",
            path.display(),
            kept.display()
        ));
    } else {
        notices.push(format!(
            "the store {} also had files of the former format, which are in {} now: an earlier pointsman wrote them, or a conversion was interrupted",
            path.display(),
            kept.display()
        ));
    }
    set_former_files_aside(path, &kept).map_err(|e| StoreError::open(path, &e))
}

/// The first folder for former files that holds no database.
fn kept_folder(path: &Path) -> PathBuf {
    let first = path.join(BEFORE_LOG);
    let later = (2..).map(|n| path.join(format!("{BEFORE_LOG}-{n}")));
    let folders = std::iter::once(first.clone()).chain(later);
    folders.into_iter().find(|folder| !folder.join("db").exists()).unwrap_or(first)
}

/// Converts a store of the former layout into a temporary folder; `None` if it has the present layout.
///
/// # Errors
/// As for [`convert`].
pub(super) fn convert_copy(
    path: &Path,
    notices: &mut Vec<String>,
) -> Result<Option<TempDir>, StoreError> {
    if !is_former(path) {
        return Ok(None);
    }
    let folder = TempDir::new().map_err(|e| StoreError::open(path, &e))?;
    let log = log_folder(folder.path());
    convert_into(path, &log, &folder.path().join("counters"), notices)?;
    Ok(Some(folder))
}

fn is_former(path: &Path) -> bool {
    path.join("db").exists() && !log_folder(path).exists()
}

/// Moves the sled files of a converted store into a folder of their own.
fn set_former_files_aside(path: &Path, kept: &Path) -> std::io::Result<()> {
    create_private_folder(kept)?;
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name();
        // `db` moves last: until then the next start finds it and goes on.
        if name == "conf" || name == "blobs" || name.to_string_lossy().starts_with("snap.") {
            std::fs::rename(path.join(&name), kept.join(&name))?;
        }
    }
    std::fs::rename(path.join("db"), kept.join("db"))
}

fn convert_into(
    path: &Path,
    log: &Path,
    counters: &Path,
    notices: &mut Vec<String>,
) -> Result<(), StoreError> {
    let copy = TempDir::new().map_err(|e| StoreError::open(path, &e))?;
    copy_former_files(path, copy.path()).map_err(|e| StoreError::open(path, &e))?;
    let db = open_copy(copy.path()).map_err(|_| StoreError::NotAStore(path.into()))?;
    match db.get("format") {
        Ok(Some(format)) => {
            let version = format.as_ref().try_into().map_or(u32::MAX, u32::from_be_bytes);
            if version > FORMAT_VERSION {
                return Err(StoreError::Newer(path.into()));
            }
        }
        // sled treats a file that it cannot read like an empty one.
        Ok(None) | Err(_) => return Err(StoreError::NotAStore(path.into())),
    }
    create_private_folder(log).map_err(|e| StoreError::open(path, &e))?;
    let values = former_counters(&db);
    let mut contents = Contents::default();
    if let Err(error) = without_panic(|| {
        contents.read(&db, values.get(Counter::Episode));
        Ok(())
    }) {
        contents.lost.push(format!("some rows are lost: {error}"));
    }
    for lost in &contents.lost {
        notices.push(format!("{}: {lost}", path.display()));
    }
    contents.write(log).map_err(|e| StoreError::open(path, &e))?;
    Counters::open(counters, values).map(drop).map_err(|e| StoreError::open(path, &e))
}

/// Copies the files of the former layout only.
fn copy_former_files(path: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "blobs" {
            copy_folder(&entry.path(), &to.join(name))?;
        } else if name == "db" || name == "conf" || name.to_string_lossy().starts_with("snap.") {
            std::fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Opens the copy; without its snapshot if that does not fit, because sled can make it again.
fn open_copy(folder: &Path) -> Result<Db, String> {
    let open = || {
        let config = Config::new().path(folder).flush_every_ms(None);
        without_panic(|| config.open().map_err(|e| e.to_string()))
    };
    open().or_else(|_| {
        for entry in std::fs::read_dir(folder).map_err(|e| e.to_string())? {
            let entry = entry.map_err(|e| e.to_string())?;
            if entry.file_name().to_string_lossy().starts_with("snap.") {
                std::fs::remove_file(entry.path()).map_err(|e| e.to_string())?;
            }
        }
        open()
    })
}

fn former_counters(db: &Db) -> CounterValues {
    let mut values = CounterValues::default();
    for (name, counter) in [
        ("last_id", Counter::Episode),
        ("last_policy", Counter::Policy),
        ("last_calibration", Counter::Calibration),
        ("last_deletion", Counter::Deletion),
    ] {
        let value = db.get(name).ok().flatten();
        values.raise(counter, value.map_or(0, |bytes| number_of(&bytes)));
    }
    values
}

/// What could be read of the former database.
#[derive(Default)]
struct Contents {
    episodes: BTreeMap<u64, Vec<Operation>>,
    others: Vec<Operation>,
    lost: Vec<String>,
}

impl Contents {
    fn read(&mut self, db: &Db, last_id: u64) {
        match db.open_tree("events") {
            Ok(tree) => self.read_events(&tree, last_id),
            Err(error) => self.lost.push(format!("all events are lost: {error}")),
        }
        for (name, table) in TREES {
            match db.open_tree(name) {
                Ok(tree) => self.read_tree(&tree, name, table),
                Err(error) => self.lost.push(format!("all {name} are lost: {error}")),
            }
        }
    }

    /// Reads episode by episode, so that a damaged page costs only the episodes in it: sled repeats the error of a
    /// page for ever.
    fn read_events(&mut self, tree: &Tree, last_id: u64) {
        for id in 1..=last_id {
            let mut events = Vec::new();
            for row in tree.scan_prefix(id.to_be_bytes()) {
                match row {
                    Ok((key, json)) => {
                        events.push(Operation::put(Table::Events, &key, json.to_vec()));
                    }
                    Err(error) => {
                        self.lost.push(format!("events of episode {id} are lost: {error}"));
                        break;
                    }
                }
            }
            if !events.is_empty() {
                self.episodes.insert(id, events);
            }
        }
    }

    fn read_tree(&mut self, tree: &Tree, name: &str, table: Table) {
        for row in tree {
            let (key, value) = match row {
                Ok(row) => row,
                Err(error) => {
                    self.lost.push(format!("some {name} are lost: {error}"));
                    return;
                }
            };
            let operation = Operation::put(table, &key, value.to_vec());
            match table {
                Table::Episodes | Table::Annotations => {
                    // A row without events would be an unreadable episode.
                    if let Some(episode) = self.episodes.get_mut(&number_of(&key)) {
                        episode.push(operation);
                    }
                }
                _ => self.others.push(operation),
            }
        }
    }

    fn write(self, log: &Path) -> std::io::Result<()> {
        let mut writer = LogWriter::new(log, LogScan::default().end());
        let mut last: Option<Appended> = None;
        for (id, operations) in self.episodes {
            last = Some(writer.append(id, &operations)?);
        }
        for operation in self.others {
            last = Some(writer.append(0, &[operation])?);
        }
        last.map_or(Ok(()), |appended| appended.sync())
    }
}
