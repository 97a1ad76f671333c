//! `pointsman episodes export`.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::list::Selection;
use crate::cli::atomic_file::AtomicFile;
use crate::cli::error::CommandResult;
use crate::cli::stdio::{note, stdout};
use crate::library::Query;
use crate::recording::write_event_json;
use crate::store::{Store, StoreError};

pub(super) fn export(
    store: &Store,
    ids: Vec<u64>,
    query: Option<&Query>,
    out: Option<&Path>,
) -> CommandResult<()> {
    let mut selection = if ids.is_empty() {
        Selection::of(store, query.unwrap_or(&Query::default()))?
    } else {
        Selection { ids: distinct(ids), unreadable: 0 }
    };
    match out {
        None => write(store, &mut selection, stdout())?,
        Some(path) => {
            let mut file = AtomicFile::create(path)?;
            write(store, &mut selection, &mut file)?;
            file.finish()?;
            note!("{} episodes written to {}", selection.ids.len(), path.display());
        }
    }
    selection.fail_if_unreadable()
}

/// Prints the events of one episode.
///
/// # Errors
/// If the episode does not exist or cannot be read, or standard output cannot be written.
pub(super) fn print(store: &Store, id: u64) -> CommandResult<()> {
    let mut selection = Selection { ids: vec![id], unreadable: 0 };
    write(store, &mut selection, stdout())?;
    selection.fail_if_unreadable()
}

/// The ids without repetitions, in their order.
pub(super) fn distinct(ids: Vec<u64>) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

/// Writes the episodes of the selection. Those that cannot be read are reported and removed from it.
fn write(store: &Store, selection: &mut Selection, out: impl Write) -> CommandResult<()> {
    let mut out = BufWriter::new(out);
    let mut written = Vec::new();
    for &id in &selection.ids {
        match store.events_json(id) {
            Ok(events) => {
                for json in events {
                    write_event_json(&mut out, id, &json)?;
                }
                written.push(id);
            }
            Err(error @ StoreError::Missing { .. }) => return Err(error.into()),
            Err(error) => {
                note!("pointsman: {error}");
                selection.unreadable += 1;
            }
        }
    }
    selection.ids = written;
    out.flush()?;
    Ok(())
}
