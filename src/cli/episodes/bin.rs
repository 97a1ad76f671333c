//! `pointsman episodes rm`, `undo`, `restore` and `bin`.

use serde_json::json;

use super::export::distinct;
use super::list::{Selection, Table};
use super::{count, style, tell};
use crate::library::{LocalTime, Query};
use crate::session::now_ms;
use crate::store::Store;

pub fn remove(
    store: &Store,
    ids: Vec<u64>,
    query: Option<&Query>,
    json: bool,
) -> anyhow::Result<()> {
    let selection = match query {
        Some(query) => Selection::of(store, query)?,
        None => Selection { ids: distinct(ids), unreadable: 0 },
    };
    let ids = &selection.ids;
    if !ids.is_empty() {
        store.bin(ids, now_ms())?;
    }
    if json {
        tell(store, ids, json)?;
    } else if ids.is_empty() {
        style::line("no episode matches; none was moved")?;
    } else {
        let (verb, them) = if ids.len() == 1 { ("is", "it") } else { ("are", "them") };
        style::line(&format!(
            "{} {verb} in the bin: `pointsman episodes undo` brings {them} back",
            count(ids)
        ))?;
    }
    selection.complain()
}

pub fn undo(store: &Store, json: bool) -> anyhow::Result<()> {
    let ids = store.undo()?;
    anyhow::ensure!(!ids.is_empty(), "the bin is empty: there is no deletion to take back");
    tell_back(store, &ids, json)
}

pub fn restore(store: &Store, ids: &[u64], json: bool) -> anyhow::Result<()> {
    let ids = distinct(ids.to_vec());
    store.restore(&ids)?;
    tell_back(store, &ids, json)
}

fn tell_back(store: &Store, ids: &[u64], json: bool) -> anyhow::Result<()> {
    if json {
        return tell(store, ids, json);
    }
    let verb = if ids.len() == 1 { "is" } else { "are" };
    Ok(style::line(&format!("{} {verb} back", count(ids)))?)
}

pub fn list(store: &Store, json: bool) -> anyhow::Result<()> {
    let mut binned = store.binned()?;
    binned.sort_unstable_by_key(|(id, binned)| std::cmp::Reverse((binned.deletion, *id)));
    let mut table = Table::new("deleted");
    for (id, binned) in &binned {
        match store.entry(*id) {
            Ok(entry) if json => style::line(&serde_json::to_string(&entry)?)?,
            Ok(entry) => table.add(&entry, LocalTime::text(binned.at_ms)),
            Err(error) => table.complain(&error),
        }
    }
    if !json {
        table.print("the bin is empty")?;
    }
    table.finish()
}

pub fn empty(store: &Store, json: bool) -> anyhow::Result<()> {
    let ids = store.empty_bin()?;
    if !json {
        return Ok(style::line(&format!("{} deleted for good", count(&ids)))?);
    }
    for id in ids {
        style::line(&json!({ "id": id, "deleted": true }).to_string())?;
    }
    Ok(())
}
