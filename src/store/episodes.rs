//! Episodes in the store: appending events, reading them, listing summaries.

use std::ops::Bound;

use serde::Deserialize;
use sled::{Batch, IVec};

use super::database::decode_u64;
use super::{EpisodeEntry, EpisodeSummary, Store, StoreError};
use crate::episode::{Episode, Event, EventKind, FoldError, SCHEMA};

/// Which ends of its episode a list of events contains.
#[derive(Clone, Copy)]
struct Extent {
    /// The first of them starts the episode.
    begins: bool,
    /// The last of them ends it.
    ends: bool,
}

impl Store {
    /// The number of a new episode. Numbers are counted from 1 and never reused.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses.
    pub fn next_episode_id(&self) -> Result<u64, StoreError> {
        self.increment("last_id")
    }

    /// Appends an event to episode `id`. Once this has returned, the event survives a crash.
    ///
    /// # Errors
    /// As for [`Store::append_all`].
    pub fn append(&self, id: u64, event: &Event) -> Result<(), StoreError> {
        self.append_all(id, std::slice::from_ref(event))
    }

    /// Appends several events to episode `id`. Once this has returned, they all survive a crash.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses; some of the events may then be missing.
    /// [`StoreError::Missing`] if the episode does not exist and the first event does not start it, as when the
    /// episode was deleted while it ran.
    pub fn append_all(&self, id: u64, events: &[Event]) -> Result<(), StoreError> {
        let rows = events.iter().map(serde_json::to_vec).collect::<Result<_, _>>();
        let extent = Extent {
            begins: events.first().is_some_and(|e| matches!(e.kind, EventKind::Started(_))),
            ends: events.last().is_some_and(|event| event.kind.ends_episode()),
        };
        self.append_rows(id, rows.map_err(|e| self.write_error(&e))?, extent)
    }

    /// Adds a complete episode from its events as JSON, which is kept to the last digit, and returns its number.
    /// `over` says whether the last event ends the episode. After a crash, either all events exist or none.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses, [`StoreError::Damaged`] if the events do not fit together.
    pub fn import_json(&self, events: Vec<String>, over: bool) -> Result<u64, StoreError> {
        let id = self.next_episode_id()?;
        let rows = events.into_iter().map(String::into_bytes).collect();
        self.append_rows(id, rows, Extent { begins: true, ends: over })?;
        Ok(id)
    }

    fn append_rows(&self, id: u64, rows: Vec<Vec<u8>>, extent: Extent) -> Result<(), StoreError> {
        let last = self.events.scan_prefix(id.to_be_bytes()).keys().next_back();
        let first = match last {
            None => 0,
            Some(key) => event_index_of(&key.map_err(|e| self.write_error(&e))?) + 1,
        };
        if first == 0 && !extent.begins {
            return Err(self.missing_error(id));
        }
        let mut batch = Batch::default();
        for (index, json) in (first..).zip(rows) {
            batch.insert(&event_key(id, index), json);
        }
        self.events.apply_batch(batch).map_err(|e| self.write_error(&e))?;
        // The events come first: a row in `episodes` without events would be an unreadable episode.
        if extent.ends {
            self.save_summary(id)?;
        } else if first == 0 {
            self.episodes.insert(id.to_be_bytes(), &[]).map_err(|e| self.write_error(&e))?;
        }
        self.flush()
    }

    /// Adds complete episodes and returns their new numbers. One flush serves all of them, which makes this the
    /// fast way for many.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the events of an episode do not fit together, before anything is written;
    /// [`StoreError::Write`] if the disk refuses.
    pub fn add_episodes(&self, episodes: &[Vec<Event>]) -> Result<Vec<u64>, StoreError> {
        let (mut events, mut summaries) = (Batch::default(), Batch::default());
        let mut ids = Vec::new();
        for episode in episodes {
            let id = self.next_episode_id()?;
            let folded = Episode::fold(episode).map_err(|e| self.damaged_error(id, &e))?;
            let folded = folded.ok_or_else(|| self.missing_error(id))?;
            for (index, event) in (0..).zip(episode) {
                events.insert(&event_key(id, index), self.to_json(event)?);
            }
            let over = folded.is_over().then(|| self.to_json(&EpisodeSummary::of(id, &folded)));
            summaries.insert(&id.to_be_bytes(), over.transpose()?.unwrap_or_default());
            ids.push(id);
        }
        // The events come first, as in `append_rows`.
        self.events.apply_batch(events).map_err(|e| self.write_error(&e))?;
        self.episodes.apply_batch(summaries).map_err(|e| self.write_error(&e))?;
        self.flush()?;
        Ok(ids)
    }

    /// The events of episode `id` in order, whether or not it is in the trash.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such episode, [`StoreError::Damaged`] or [`StoreError::Read`] if one
    /// of its events cannot be read.
    pub fn events(&self, id: u64) -> Result<Vec<Event>, StoreError> {
        let rows = self.events_json(id)?.into_iter().enumerate();
        rows.map(|(index, json)| self.parse_event(id, index, &json)).collect()
    }

    /// The events of episode `id` as the JSON that was stored.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such episode, [`StoreError::Damaged`] or [`StoreError::Read`] if it
    /// cannot be read.
    pub fn events_json(&self, id: u64) -> Result<Vec<String>, StoreError> {
        let rows = self.events.scan_prefix(id.to_be_bytes()).values();
        let texts = rows.map(|row| {
            let row = row.map_err(|e| self.read_error(&e))?;
            String::from_utf8(row.to_vec()).map_err(|e| self.damaged_error(id, &e))
        });
        let texts = texts.collect::<Result<Vec<String>, StoreError>>()?;
        if texts.is_empty() {
            return Err(self.missing_error(id));
        }
        Ok(texts)
    }

    /// Episode `id`, folded from its events.
    ///
    /// # Errors
    /// As for [`Store::events`], and [`StoreError::Damaged`] if the events do not fit together.
    pub fn episode(&self, id: u64) -> Result<Episode, StoreError> {
        let folded = Episode::fold(&self.events(id)?).map_err(|e| self.damaged_error(id, &e))?;
        folded.ok_or_else(|| self.missing_error(id))
    }

    /// The summaries of all episodes outside the trash, oldest first; an error stands for an unreadable one.
    pub fn summaries(&self) -> impl Iterator<Item = Result<EpisodeSummary, StoreError>> + '_ {
        let rows = self.episodes.iter().filter_map(|row| self.entry_unless_trashed(row));
        rows.map(|entry| entry.map(|entry| entry.summary))
    }

    /// The summaries and annotations of all episodes outside the trash, newest first, beginning before episode
    /// `before` if it is given. The rows are read as they are asked for.
    pub fn entries(
        &self,
        before: Option<u64>,
    ) -> impl Iterator<Item = Result<EpisodeEntry, StoreError>> + '_ {
        let end = before.map_or(Bound::Unbounded, |id| Bound::Excluded(id.to_be_bytes()));
        let rows = self.episodes.range::<[u8; 8], _>((Bound::Unbounded, end)).rev();
        rows.filter_map(|row| self.entry_unless_trashed(row))
    }

    /// Summary and annotations of episode `id`, whether or not it is in the trash.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such episode, [`StoreError::Damaged`] or [`StoreError::Read`] if it
    /// cannot be read.
    pub fn entry(&self, id: u64) -> Result<EpisodeEntry, StoreError> {
        let json = self.episodes.get(id.to_be_bytes()).map_err(|e| self.read_error(&e))?;
        let json = json.ok_or_else(|| self.missing_error(id))?;
        Ok(EpisodeEntry { summary: self.summary(id, &json)?, annotations: self.annotations(id)? })
    }

    /// Number of episodes outside the trash. It is counted, which takes longer than a frame in a large store.
    pub fn len(&self) -> usize {
        let trashed = self.trash_marks().flatten().count();
        self.episodes.len().saturating_sub(trashed)
    }

    /// Whether there is no episode outside the trash.
    pub fn is_empty(&self) -> bool {
        self.entries(None).next().is_none()
    }

    /// The entry of a row of the tree `episodes`; `None` if it is in the trash.
    fn entry_unless_trashed(
        &self,
        row: sled::Result<(IVec, IVec)>,
    ) -> Option<Result<EpisodeEntry, StoreError>> {
        let entry = || {
            let (key, json) = row.map_err(|e| self.read_error(&e))?;
            let id = decode_u64(Some(&key));
            let annotations = self.annotations(id)?;
            if annotations.trashed().is_some() {
                return Ok(None);
            }
            Ok(Some(EpisodeEntry { summary: self.summary(id, &json)?, annotations }))
        };
        entry().transpose()
    }

    /// The stored summary, or else one folded from the events. It replaces a summary of an older version, so that
    /// each episode is folded only once.
    fn summary(&self, id: u64, json: &IVec) -> Result<EpisodeSummary, StoreError> {
        if let Some(summary) = EpisodeSummary::parse(json) {
            return Ok(summary);
        }
        let summary = EpisodeSummary::of(id, &self.episode(id)?);
        if EpisodeSummary::is_older(json) {
            let new = Some(self.to_json(&summary)?);
            // If the row changed meanwhile, the change wins; if the disk refuses, the old summary stays.
            let _ = self.episodes.compare_and_swap(id.to_be_bytes(), Some(json), new);
        }
        Ok(summary)
    }

    fn save_summary(&self, id: u64) -> Result<(), StoreError> {
        let json = self.to_json(&EpisodeSummary::of(id, &self.episode(id)?))?;
        self.episodes.insert(id.to_be_bytes(), json).map_err(|e| self.write_error(&e))?;
        Ok(())
    }

    fn parse_event(&self, id: u64, index: usize, json: &str) -> Result<Event, StoreError> {
        // The version first: an event of a newer format need not parse as one of ours.
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        if let Ok(Version { schema }) = serde_json::from_str(json)
            && schema > SCHEMA
        {
            let newer = FoldError::NewerSchema { event: index, schema };
            return Err(self.damaged_error(id, &newer));
        }
        serde_json::from_str(json)
            .map_err(|e| self.damaged_error(id, &format!("event {index}: {e}")))
    }
}

/// Keys sort by episode, then by index.
fn event_key(id: u64, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&id.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

fn event_index_of(key: &[u8]) -> u32 {
    key.get(8..).and_then(|rest| rest.try_into().ok()).map_or(0, u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::fixtures;
    use crate::episode::{FinishReason, Verdict};

    fn events() -> Vec<Event> {
        let (verdict, reason) = (Verdict::Undecided, FinishReason::Answered);
        let kinds = [
            EventKind::Started(Box::new(fixtures::started())),
            EventKind::Finished { answer: None, verdict, reason },
        ];
        kinds.map(|kind| Event::new(1, kind)).into()
    }

    #[test]
    fn a_summary_of_another_version_is_folded_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let ids = store.add_episodes(&[events(), events(), events()]).unwrap();
        let expected = store.entry(ids[0]).unwrap();
        let kept = |id: u64| store.episodes.get(id.to_be_bytes()).unwrap().unwrap();
        let today = kept(ids[0]);
        let old = br#"{"version":3,"id":1,"question":"1 + 1?","router":"policy","person_steps":0}"#;
        let newer = br#"{"version":99,"everything":"else"}"#;
        store.episodes.insert(ids[0].to_be_bytes(), &old[..]).unwrap();
        store.episodes.insert(ids[1].to_be_bytes(), &newer[..]).unwrap();
        store.episodes.insert(ids[2].to_be_bytes(), &[]).unwrap();
        let found: Vec<EpisodeEntry> = store.entries(None).map(Result::unwrap).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[2], expected);
        assert_eq!(found[1].summary.question, "1 + 1?");
        assert_eq!(kept(ids[0]), today, "a summary of an older version is replaced");
        assert_eq!(kept(ids[1]), newer, "a summary of a newer version stays");
        assert_eq!(kept(ids[2]), "", "a running episode has no summary");
    }

    /// Writes a store as the program did up to event format 5 and summary version 3.
    fn write_former_store(path: &std::path::Path) {
        let mut started = serde_json::to_string(&events()[0]).unwrap();
        for (current, former) in [("answer_marker", "answer"), ("\"schema\":6", "\"schema\":5")] {
            assert!(started.contains(current), "{started}");
            started = started.replace(current, former);
        }
        let written = r#"{"schema":5,"at_ms":3,"event":"written","step":0,"model":"large","text":"Answer: 2\n","tokens":[],"prefilled":7,"reused":0,"prefill_ms":1.0,"decode_ms":2.0,"stop":"delimiter"}"#;
        let events = [
            started.as_str(),
            r#"{"schema":5,"at_ms":2,"event":"decided","step":0,"features":{},"p_large":null,"threshold":0.5,"propensity":null,"choice":"large","by":"person"}"#,
            written,
            r#"{"schema":5,"at_ms":4,"event":"taken_back","step":0}"#,
            r#"{"schema":5,"at_ms":5,"event":"decided","step":0,"features":{},"p_large":null,"threshold":0.5,"propensity":null,"choice":"large","by":"person"}"#,
            written,
            r#"{"schema":5,"at_ms":6,"event":"finished","answer":"2","verdict":"correct","reason":"circles"}"#,
        ];
        let summary =
            r#"{"version":3,"id":1,"began_ms":1,"last_ms":6,"question":"1 + 1?","person_steps":1}"#;
        let db = sled::Config::new().path(path).flush_every_ms(None).open().unwrap();
        db.insert("format", &1_u32.to_be_bytes()).unwrap();
        db.insert("last_id", &1_u64.to_be_bytes()).unwrap();
        let tree = |name: &str| db.open_tree(name).unwrap();
        for (index, json) in (0..).zip(events) {
            tree("events").insert(event_key(1, index), json).unwrap();
        }
        let id = 1_u64.to_be_bytes();
        tree("episodes").insert(id, summary).unwrap();
        tree("annotations")
            .insert(
                id,
                r#"{"tags":["a"],"starred":true,"note":"","binned":{"deletion":1,"at_ms":7}}"#,
            )
            .unwrap();
        tree("policies").insert(id, "file").unwrap();
        tree("reign").insert("tiny", "[1]").unwrap();
        db.flush().unwrap();
    }

    #[test]
    fn a_store_of_the_former_format_opens() {
        let folder = tempfile::tempdir().unwrap();
        write_former_store(folder.path());
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.trashed().unwrap().len(), 1);
        store.restore(&[1]).unwrap();

        let entry = store.entries(None).next().unwrap().unwrap();
        assert_eq!((entry.summary.user_steps, entry.summary.large_steps), (1, 1));
        assert!(entry.annotations.starred && entry.annotations.trashed().is_none());
        let episode = store.episode(1).unwrap();
        assert_eq!((episode.redo_count, episode.verdict()), (1, Some(Verdict::Correct)));

        assert_eq!(store.promotions("tiny").unwrap(), [1]);
        assert_eq!(store.policies().unwrap(), [(1, b"file".to_vec())]);
        assert_eq!(store.next_episode_id().unwrap(), 2);
    }
}
