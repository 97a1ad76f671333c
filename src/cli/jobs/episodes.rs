//! Stored episodes: listed, read, annotated, deleted, exported, scored.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::JobRunner;
use crate::evaluation::{UserComparison, compare_with_user};
use crate::library::{LocalCalendar, PageCursor, Query, fork_tree, query_page};
use crate::recording::{RecordedEpisode, write_event_json};
use crate::session::now_ms;
use crate::store::{EpisodeEntry, StoreError};
use crate::workbench::{AnnotationChange, EpisodePage, LibraryQuery, ListedEpisode};

/// Number of episodes that a comparison of the user with the router reads, the newest ones.
const MAX_SCORED_EPISODES: usize = 10_000;

impl JobRunner {
    /// A page of the list; a later request ends the search.
    pub(super) fn list_episodes(
        &self,
        request_id: u64,
        query: &LibraryQuery,
        after: Option<PageCursor>,
        rows: usize,
    ) -> Result<EpisodePage, String> {
        self.latest_search.fetch_max(request_id, Ordering::Relaxed);
        let is_wanted = || self.latest_search.load(Ordering::Relaxed) == request_id;
        let query = match query {
            LibraryQuery::Search(query) => query,
            LibraryQuery::Forks { of: id, .. } => {
                let rows = fork_tree(&self.store, *id).map_err(|e| e.to_string())?;
                let rows = rows.into_iter().map(|(entry, depth)| listed_episode(entry, depth));
                return Ok(EpisodePage { rows: rows.collect(), ..EpisodePage::default() });
            }
        };
        let query = Query::parse(query, &LocalCalendar::at(now_ms())).map_err(|e| e.to_string())?;
        let found = query_page(&self.store, &query, after, rows, |_| is_wanted());
        let found = found.map_err(|e| e.to_string())?;
        Ok(EpisodePage {
            rows: found.entries.into_iter().map(|entry| listed_episode(entry, 0)).collect(),
            unreadable: found.unreadable.len(),
            next: found.next,
        })
    }

    /// Reads an episode.
    pub(super) fn load_episode(&self, id: u64) -> Result<Box<RecordedEpisode>, StoreError> {
        let (events, episode) = (self.store.events(id)?, self.store.episode(id)?);
        Ok(Box::new(RecordedEpisode { id, line: 1, events, json: Vec::new(), episode }))
    }

    /// Annotates episodes; returns a line about it.
    pub(super) fn annotate(
        &self,
        ids: &[u64],
        change: &AnnotationChange,
    ) -> Result<String, StoreError> {
        self.store.annotate(ids, |annotations| match change {
            AnnotationChange::Starred(starred) => annotations.starred = *starred,
            AnnotationChange::Tag { tag, added: true } => {
                annotations.tags.insert(tag.clone());
            }
            AnnotationChange::Tag { tag, added: false } => {
                annotations.tags.remove(tag);
            }
            AnnotationChange::Note(note) => annotations.note.clone_from(note),
        })?;
        let episodes = count(ids);
        Ok(match change {
            AnnotationChange::Starred(true) => format!("{episodes} starred"),
            AnnotationChange::Starred(false) => format!("{episodes} without a star"),
            AnnotationChange::Tag { tag, added: true } => format!("{episodes} tagged {tag}"),
            AnnotationChange::Tag { tag, added: false } => {
                format!("{episodes} without the tag {tag}")
            }
            AnnotationChange::Note(_) => format!("note on {episodes} saved"),
        })
    }

    /// Moves episodes to the trash; returns a line about it.
    pub(super) fn move_to_trash(&self, ids: &[u64]) -> Result<String, String> {
        self.store.move_to_trash(ids, now_ms()).map_err(|e| e.to_string())?;
        Ok(format!("{} moved to the trash; undo restores them", count(ids)))
    }

    /// Undoes the last deletion; returns a line about it.
    pub(super) fn undo_delete(&self) -> Result<String, String> {
        match self.store.undo_last_deletion().map_err(|e| e.to_string())?.as_slice() {
            [] => Err("the trash is empty: there is no deletion to undo".into()),
            ids => Ok(format!("{} restored from the trash", count(ids))),
        }
    }

    /// Writes episodes to a new file; returns a line about it.
    pub(super) fn export(&self, ids: &[u64], path: &Path) -> Result<String, String> {
        let failed = |e: &dyn Display| format!("cannot write {}: {e}", path.display());
        // An existing file is never overwritten.
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => failed(&"it exists already, choose another name"),
            _ => failed(&e),
        })?;
        let mut out = BufWriter::new(&file);
        for &id in ids {
            for json in self.store.events_json(id).map_err(|e| e.to_string())? {
                write_event_json(&mut out, id, &json).map_err(|e| failed(&e))?;
            }
        }
        out.flush().and_then(|()| file.sync_all()).map_err(|e| failed(&e))?;
        Ok(format!("{} written to {}", count(ids), path.display()))
    }

    /// Compares the user with the router, on the questions in whose episodes the user chose.
    pub(super) fn user_score(&self) -> Result<UserComparison, String> {
        let failed = |e: &dyn Display| format!("the store cannot be read: {e}");
        let entries: Vec<EpisodeEntry> =
            self.store.entries(None).take(MAX_SCORED_EPISODES).flatten().collect();
        let chosen: BTreeSet<&str> = entries
            .iter()
            .filter(|entry| entry.summary.user_steps > 0)
            .map(|entry| entry.summary.question.as_str())
            .collect();
        let compared = entries.iter().filter(|e| chosen.contains(e.summary.question.as_str()));
        let episodes = compared.map(|entry| self.store.episode(entry.summary.id));
        let episodes = episodes.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
        Ok(compare_with_user(&episodes))
    }
}

fn listed_episode(entry: EpisodeEntry, depth: usize) -> ListedEpisode {
    let (date, hour, minute) = LocalCalendar::date_time(entry.summary.began_ms);
    let began = format!("{:02}-{:02} {hour:02}:{minute:02}", date.month, date.day);
    ListedEpisode { entry, depth, began }
}

fn count(ids: &[u64]) -> String {
    match ids {
        [one] => format!("episode {one}"),
        _ => format!("{} episodes", ids.len()),
    }
}
