//! Copying what can be read of a damaged store into a new one.

use std::path::Path;

use super::index::copy_folder;
use super::operation::{Operation, Table};
use super::{EpisodeSummary, Store, StoreError};
use crate::episode::{Episode, Event};

/// What [`Store::salvage`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SalvageReport {
    /// Number of episodes that are complete in the new store.
    pub complete: usize,
    /// Episodes of which only the events before the first lost one were copied, with the number of copied events.
    pub shortened: Vec<(u64, usize)>,
    /// Episodes of which nothing could be copied.
    pub lost: Vec<u64>,
    /// What opening found, see [`Store::notices`].
    pub notices: Vec<String>,
}

impl Store {
    /// Copies the store to the new folder `to`, and makes every episode there readable: of a
    /// damaged episode, the events before the damage are kept. Episodes keep their numbers. The store itself is only
    /// read.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if `to` exists, [`StoreError::Open`] if the disk refuses, else as for [`Store::open`].
    pub fn salvage(&self, to: &Path) -> Result<SalvageReport, StoreError> {
        if to.exists() {
            return Err(StoreError::Exists(to.into()));
        }
        copy_folder(&self.path, to).map_err(|e| StoreError::open(to, &e))?;
        let store = Self::open(to)?;
        let mut report =
            SalvageReport { notices: store.notices().to_vec(), ..SalvageReport::default() };
        let rows = store.tables.rows(Table::Episodes, None, false);
        let ids: Vec<u64> =
            rows.filter_map(Result::ok).map(|(key, _)| super::operation::number_of(&key)).collect();
        for id in ids.into_iter().chain(store.episodes_without_row()) {
            if store.episode(id).is_ok() {
                report.complete += 1;
                continue;
            }
            match store.shorten(id)? {
                0 => report.lost.push(id),
                events => report.shortened.push((id, events)),
            }
        }
        Ok(report)
    }

    /// Episodes with events and without a row in the list, which a damaged store can have.
    fn episodes_without_row(&self) -> Vec<u64> {
        let last = self.writer.as_ref().map_or(0, |_| {
            self.writer()
                .map_or(0, |writer| writer.counters.values().get(super::counters::Counter::Episode))
        });
        let has_events = |id: &u64| self.tables.next_event(*id).is_ok_and(|next| next > 0);
        let has_row =
            |id: &u64| matches!(self.tables.get(Table::Episodes, &id.to_be_bytes()), Ok(Some(_)));
        (1..=last).filter(|id| has_events(id) && !has_row(id)).collect()
    }

    /// Replaces the events of episode `id` by the longest readable beginning, and returns its length.
    fn shorten(&self, id: u64) -> Result<usize, StoreError> {
        let events = self.tables.events(id).unwrap_or_default();
        let parsed = events.iter().map_while(|json| {
            let json = json.as_ref()?;
            let event: Event = serde_json::from_slice(json).ok()?;
            Some((json.clone(), event))
        });
        let (json, events): (Vec<Vec<u8>>, Vec<Event>) = parsed.unzip();
        let readable = (1..=events.len()).rev().find_map(|length| {
            let folded = Episode::fold(&events[..length]).ok().flatten()?;
            Some((length, folded))
        });
        let mut operations = Operation::remove_episode(id)[..2].to_vec();
        if let Some((length, folded)) = &readable {
            let kept = json.into_iter().take(*length);
            operations.extend((0..).zip(kept).map(|(i, json)| Operation::put_event(id, i, json)));
            let summary = if folded.is_over() {
                self.to_json(&EpisodeSummary::of(id, folded))?
            } else {
                Vec::new()
            };
            operations.push(Operation::put(Table::Episodes, &id.to_be_bytes(), summary));
        }
        self.change(id, |_| Ok((operations, ())))?;
        Ok(readable.map_or(0, |(length, _)| length))
    }
}
