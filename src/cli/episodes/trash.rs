//! `pointsman episodes rm`, `undo`, `restore` and `trash`.

use serde_json::json;

use super::annotations::print_annotations;
use super::export::distinct;
use super::list::{EpisodeTable, Selection};
use crate::cli::error::{CommandError, CommandResult};
use crate::cli::output;
use crate::library::{LocalCalendar, Query};
use crate::session::now_ms;
use crate::store::Store;

pub(super) fn remove(
    store: &Store,
    ids: Vec<u64>,
    query: Option<&Query>,
    json: bool,
) -> CommandResult<()> {
    let selection = match query {
        Some(query) => Selection::of(store, query)?,
        None => Selection { ids: distinct(ids), unreadable: 0 },
    };
    let ids = &selection.ids;
    if !ids.is_empty() {
        store.move_to_trash(ids, now_ms())?;
    }
    if json {
        print_annotations(store, ids, json)?;
    } else if ids.is_empty() {
        output::print_line("no episode matches, so none was moved to the trash")?;
    } else {
        let (verb, them) = if ids.len() == 1 { ("is", "it") } else { ("are", "them") };
        output::print_line(&format!(
            "{} {verb} in the trash: `pointsman episodes undo` restores {them}",
            episode_count(ids)
        ))?;
    }
    selection.fail_if_unreadable()
}

pub(super) fn undo(store: &Store, json: bool) -> CommandResult<()> {
    let ids = store.undo_last_deletion()?;
    if ids.is_empty() {
        return Err(CommandError::failure("the trash is empty: there is no deletion to undo"));
    }
    print_restored(store, &ids, json)
}

pub(super) fn restore(store: &Store, ids: &[u64], json: bool) -> CommandResult<()> {
    let ids = distinct(ids.to_vec());
    store.restore(&ids)?;
    print_restored(store, &ids, json)
}

fn print_restored(store: &Store, ids: &[u64], json: bool) -> CommandResult<()> {
    if json {
        return print_annotations(store, ids, json);
    }
    Ok(output::print_line(&format!("{} restored", episode_count(ids)))?)
}

pub(super) fn list(store: &Store, json: bool) -> CommandResult<()> {
    let mut trashed = store.trashed()?;
    trashed.sort_unstable_by_key(|(id, trashed)| std::cmp::Reverse((trashed.deletion, *id)));
    let mut table = EpisodeTable::new("deleted");
    for (id, trashed) in &trashed {
        match store.entry(*id) {
            Ok(entry) if json => output::print_json(&entry)?,
            Ok(entry) => table.add(&entry, LocalCalendar::format(trashed.at_ms)),
            Err(error) => table.report_unreadable(&error),
        }
    }
    if !json {
        table.print("the trash is empty")?;
    }
    table.finish()
}

pub(super) fn empty(store: &Store, json: bool) -> CommandResult<()> {
    let ids = store.empty_trash()?;
    if !json {
        return Ok(output::print_line(&format!("{} deleted permanently", episode_count(&ids)))?);
    }
    for id in ids {
        output::print_json(&json!({ "id": id, "deleted": true }))?;
    }
    Ok(())
}

/// Episodes in words: `episode 3`, `2 episodes`.
fn episode_count(ids: &[u64]) -> String {
    match ids {
        [id] => format!("episode {id}"),
        _ => format!("{} episodes", ids.len()),
    }
}
