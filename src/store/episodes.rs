//! Episodes in the store: appending events, reading them, listing summaries.

use serde::Deserialize;

use super::counters::Counter;
use super::operation::{Operation, Table, number_of};
use super::tables::{Row, TableError, Tables};
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
    /// [`StoreError::Write`] if the disk refuses, [`StoreError::ReadOnly`] if the store is open for reading only.
    pub fn next_episode_id(&self) -> Result<u64, StoreError> {
        self.advance(Counter::Episode, 1)
    }

    /// Appends an event to episode `id`. Once this has returned, the event is on disk.
    ///
    /// # Errors
    /// As for [`Store::append_all`].
    pub fn append(&self, id: u64, event: &Event) -> Result<(), StoreError> {
        self.append_all(id, std::slice::from_ref(event))
    }

    /// Appends several events to episode `id`. Once this has returned, they are on disk; after a crash before that,
    /// either all exist or none.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses, [`StoreError::ReadOnly`] if the store is open for reading only.
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
        self.change(id, |tables| {
            let first = tables.next_event(id).map_err(|e| self.read_error(&e))?;
            if first == 0 && !extent.begins {
                return Err(self.missing_error(id));
            }
            let summary =
                if extent.ends { Some(self.summary_with(tables, id, &rows)?) } else { None };
            let events = (first..).zip(rows);
            let mut operations: Vec<Operation> =
                events.map(|(index, json)| Operation::put_event(id, index, json)).collect();
            if let Some(summary) = summary {
                operations.push(Operation::put(Table::Episodes, &id.to_be_bytes(), summary));
            } else if first == 0 {
                operations.push(Operation::put(Table::Episodes, &id.to_be_bytes(), []));
            }
            Ok((operations, ()))
        })
    }

    /// The summary of episode `id` as JSON, with the new events `rows` at its end.
    fn summary_with(
        &self,
        tables: &dyn Tables,
        id: u64,
        rows: &[Vec<u8>],
    ) -> Result<Vec<u8>, StoreError> {
        let stored = tables.events(id).map_err(|e| self.read_error(&e))?;
        let json = stored.into_iter().chain(rows.iter().cloned().map(Some));
        let folded = Episode::fold(&self.parse_events(id, json)?);
        let folded = folded.map_err(|e| self.damaged_error(id, &e))?;
        let folded = folded.ok_or_else(|| self.missing_error(id))?;
        self.to_json(&EpisodeSummary::of(id, &folded))
    }

    /// Adds complete episodes and returns their new numbers. One write to the disk serves all of them, which makes
    /// this the fast way for many. After a crash, each episode exists as a whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the events of an episode do not fit together, before anything is written;
    /// [`StoreError::Write`] if the disk refuses.
    pub fn add_episodes(&self, episodes: &[Vec<Event>]) -> Result<Vec<u64>, StoreError> {
        let last = self.advance(Counter::Episode, episodes.len() as u64)?;
        let first = last + 1 - episodes.len() as u64;
        let records = (first..).zip(episodes).map(|(id, episode)| self.whole_episode(id, episode));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let mut appended = None;
        {
            let mut writer = self.writer()?;
            for (id, operations) in (first..).zip(&records) {
                appended = self.append_record(&mut writer, id, operations)?;
            }
        }
        if let Some(appended) = appended {
            appended.sync().map_err(|e| self.write_error(&e))?;
        }
        Ok((first..=last).collect())
    }

    /// The record of a whole episode.
    fn whole_episode(&self, id: u64, events: &[Event]) -> Result<Vec<Operation>, StoreError> {
        let folded = Episode::fold(events).map_err(|e| self.damaged_error(id, &e))?;
        let folded = folded.ok_or_else(|| self.missing_error(id))?;
        let mut operations = Vec::with_capacity(events.len() + 1);
        for (index, event) in (0..).zip(events) {
            operations.push(Operation::put_event(id, index, self.to_json(event)?));
        }
        let over = folded.is_over().then(|| self.to_json(&EpisodeSummary::of(id, &folded)));
        let summary = over.transpose()?.unwrap_or_default();
        operations.push(Operation::put(Table::Episodes, &id.to_be_bytes(), summary));
        Ok(operations)
    }

    /// The events of episode `id` in order, whether or not it is in the trash.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such episode, [`StoreError::Damaged`] or [`StoreError::Read`] if one
    /// of its events cannot be read.
    pub fn events(&self, id: u64) -> Result<Vec<Event>, StoreError> {
        let events = self.stored_events(id)?;
        self.parse_events(id, events.into_iter())
    }

    /// The events of episode `id` as the JSON that was stored.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such episode, [`StoreError::Damaged`] or [`StoreError::Read`] if it
    /// cannot be read.
    pub fn events_json(&self, id: u64) -> Result<Vec<String>, StoreError> {
        let rows = self.stored_events(id)?.into_iter().enumerate();
        let texts = rows.map(|(index, row)| {
            let row = row.ok_or_else(|| self.lost_event_error(id, index))?;
            String::from_utf8(row).map_err(|e| self.damaged_error(id, &e))
        });
        texts.collect()
    }

    fn stored_events(&self, id: u64) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let events = self.tables.events(id).map_err(|e| self.damaged_error(id, &e))?;
        if events.is_empty() { Err(self.missing_error(id)) } else { Ok(events) }
    }

    fn parse_events(
        &self,
        id: u64,
        json: impl Iterator<Item = Option<Vec<u8>>>,
    ) -> Result<Vec<Event>, StoreError> {
        let events = json.enumerate().map(|(index, json)| {
            let json = json.ok_or_else(|| self.lost_event_error(id, index))?;
            self.parse_event(id, index, &json)
        });
        events.collect()
    }

    fn lost_event_error(&self, id: u64, index: usize) -> StoreError {
        let reason = format!(
            "event {index} is lost; `pointsman episodes salvage` copies the events before it"
        );
        self.damaged_error(id, &reason)
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
        let rows = self.tables.rows(Table::Episodes, None, false);
        let entries = rows.filter_map(|row| self.entry_unless_trashed(row));
        entries.map(|entry| entry.map(|entry| entry.summary))
    }

    /// The summaries and annotations of all episodes outside the trash, newest first, beginning before episode
    /// `before` if it is given. The rows are read as they are asked for.
    pub fn entries(
        &self,
        before: Option<u64>,
    ) -> impl Iterator<Item = Result<EpisodeEntry, StoreError>> + '_ {
        let end = before.map(u64::to_be_bytes);
        let rows = self.tables.rows(Table::Episodes, end.as_ref().map(<[u8; 8]>::as_slice), true);
        rows.filter_map(|row| self.entry_unless_trashed(row))
    }

    /// Summary and annotations of episode `id`, whether or not it is in the trash.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such episode, [`StoreError::Damaged`] or [`StoreError::Read`] if it
    /// cannot be read.
    pub fn entry(&self, id: u64) -> Result<EpisodeEntry, StoreError> {
        let json = self.tables.get(Table::Episodes, &id.to_be_bytes());
        let json = json.map_err(|e| self.read_error(&e))?.ok_or_else(|| self.missing_error(id))?;
        Ok(EpisodeEntry { summary: self.summary(id, &json)?, annotations: self.annotations(id)? })
    }

    /// Number of episodes outside the trash. It is counted, which takes longer than a frame in a large store.
    pub fn len(&self) -> usize {
        let trashed = self.trash_marks().flatten().count();
        self.tables.count(Table::Episodes).unwrap_or(0).saturating_sub(trashed)
    }

    /// Whether there is no episode outside the trash.
    pub fn is_empty(&self) -> bool {
        self.entries(None).next().is_none()
    }

    /// The entry of a row of the table of episodes; `None` if it is in the trash.
    fn entry_unless_trashed(
        &self,
        row: Result<Row, TableError>,
    ) -> Option<Result<EpisodeEntry, StoreError>> {
        let entry = || {
            let (key, json) = row.map_err(|e| self.read_error(&e))?;
            let id = number_of(&key);
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
    fn summary(&self, id: u64, json: &[u8]) -> Result<EpisodeSummary, StoreError> {
        if let Some(summary) = EpisodeSummary::parse(json) {
            return Ok(summary);
        }
        let summary = EpisodeSummary::of(id, &self.episode(id)?);
        if EpisodeSummary::is_older(json) && !self.is_read_only() {
            // If the disk refuses, the old summary stays.
            let _ = self.replace_summary(id, json, &summary);
        }
        Ok(summary)
    }

    /// Replaces the summary `old`, unless the row has changed. A crash may undo it, because a summary can be folded
    /// again.
    fn replace_summary(&self, id: u64, old: &[u8], new: &EpisodeSummary) -> Result<(), StoreError> {
        let key = id.to_be_bytes();
        let mut writer = self.writer()?;
        let found = self.tables.get(Table::Episodes, &key).map_err(|e| self.read_error(&e))?;
        if found.as_deref() == Some(old) {
            let operation = Operation::put(Table::Episodes, &key, self.to_json(new)?);
            self.append_record(&mut writer, id, &[operation])?;
        }
        Ok(())
    }

    fn parse_event(&self, id: u64, index: usize, json: &[u8]) -> Result<Event, StoreError> {
        // The version first: an event of a newer format need not parse as one of ours.
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        if let Ok(Version { schema }) = serde_json::from_slice(json)
            && schema > SCHEMA
        {
            let newer = FoldError::NewerSchema { event: index, schema };
            return Err(self.damaged_error(id, &newer));
        }
        serde_json::from_slice(json)
            .map_err(|e| self.damaged_error(id, &format!("event {index}: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::event_key;
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
        let kept = |id: u64| store.tables.get(Table::Episodes, &id.to_be_bytes()).unwrap().unwrap();
        let put = |id: u64, json: &[u8]| {
            let operation = Operation::put(Table::Episodes, &id.to_be_bytes(), json);
            store.change(id, |_| Ok((vec![operation], ()))).unwrap();
        };
        let today = kept(ids[0]);
        let old = br#"{"version":3,"id":1,"question":"1 + 1?","router":"policy","person_steps":0}"#;
        let newer = br#"{"version":99,"everything":"else"}"#;
        put(ids[0], old);
        put(ids[1], newer);
        put(ids[2], b"");
        let found: Vec<EpisodeEntry> = store.entries(None).map(Result::unwrap).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[2], expected);
        assert_eq!(found[1].summary.question, "1 + 1?");
        assert_eq!(kept(ids[0]), today, "a summary of an older version is replaced");
        assert_eq!(kept(ids[1]), newer, "a summary of a newer version stays");
        assert_eq!(kept(ids[2]), b"", "a running episode has no summary");
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
