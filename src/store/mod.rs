//! Episodes on disk. The only room that names sled.
//!
//! Two trees hold episodes: `events` has every event, keyed by episode and place, as JSON; `episodes` holds one
//! entry an episode: empty while it runs, its [`Summary`] once it is over. Summaries only save time;
//! they are folded from the events wherever one is missing or of another version. What is kept of
//! policies stands in `policies`.

mod import;
mod policies;
mod summary;

use std::path::{Path, PathBuf};

use sled::{Batch, Config, Db, Tree};
use thiserror::Error;

use crate::episode::{Episode, Event, FoldError, SCHEMA};

pub use summary::{End, Summary};

/// Version of the store's layout. Older ones are read; newer ones are refused.
const FORMAT: u32 = 1;
/// Memory for pages of the store, in bytes.
const CACHE: u64 = 64 << 20;

/// Why the store did not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error(
        "the store {0} is in use by another pointsman: close it, or give this one its own with --store"
    )]
    Locked(PathBuf),
    #[error(
        "cannot open the store {path}: {reason}; make the folder writable or choose another with --store"
    )]
    Open { path: PathBuf, reason: String },
    #[error(
        "the store {0} was written by a newer pointsman: update pointsman, or choose another with --store"
    )]
    Newer(PathBuf),
    #[error(
        "{0} holds a damaged store, or none: move the folder away, or choose another with --store"
    )]
    NoStore(PathBuf),
    #[error(
        "the store {path} did not take what it was to keep: {reason}; what it had acknowledged is safe"
    )]
    Write { path: PathBuf, reason: String },
    #[error("cannot read the store {path}: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("the store {path} holds no episode {id}: `pointsman episodes ls` lists them")]
    Missing { path: PathBuf, id: u64 },
    #[error("episode {id} in {path} cannot be read: {reason}")]
    Damaged { path: PathBuf, id: u64, reason: String },
}

/// A store of episodes; cheap to share between threads behind an `Arc`.
pub struct Store {
    path: PathBuf,
    db: Db,
    events: Tree,
    episodes: Tree,
}

impl Store {
    /// Opens the store in the folder `path`, making it where there is none. One process at a time
    /// can have it open.
    ///
    /// # Errors
    /// When another process has it, a newer program wrote it, or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open_error = |error: sled::Error| match error {
            // sled reports a taken lock as an error of this kind and no other.
            sled::Error::Io(e) if e.to_string().contains("lock") => StoreError::Locked(path.into()),
            other => StoreError::Open { path: path.into(), reason: other.to_string() },
        };
        std::fs::create_dir_all(path)
            .map_err(|e| StoreError::Open { path: path.into(), reason: e.to_string() })?;
        let existed = path.join("db").exists();
        // Every event is flushed as it is appended; there is nothing left to flush in between.
        let config = Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
        let db = config.open().map_err(open_error)?;
        match db.get("format").map_err(open_error)? {
            Some(found) if newer(&found) => return Err(StoreError::Newer(path.into())),
            Some(_) => {}
            // sled takes a file that it cannot read for an empty one.
            None if existed => return Err(StoreError::NoStore(path.into())),
            None => {
                db.insert("format", &FORMAT.to_be_bytes()).map_err(open_error)?;
                db.flush().map_err(open_error)?;
            }
        }
        let events = db.open_tree("events").map_err(open_error)?;
        let episodes = db.open_tree("episodes").map_err(open_error)?;
        Ok(Self { path: path.into(), db, events, episodes })
    }

    /// A new episode's id; ids are counted from 1 and never given twice.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(&self) -> Result<u64, StoreError> {
        self.next("last_id")
    }

    /// Appends an event to episode `id`. Once this has returned, the event survives a crash.
    ///
    /// # Errors
    /// When the disk refuses; the event may then be missing.
    pub fn append(&self, id: u64, event: &Event) -> Result<(), StoreError> {
        self.append_all(id, std::slice::from_ref(event))
    }

    /// The same for several events, which then survive together.
    ///
    /// # Errors
    /// When the disk refuses; some of the events may then be missing.
    pub fn append_all(&self, id: u64, events: &[Event]) -> Result<(), StoreError> {
        let rows = events.iter().map(serde_json::to_vec).collect::<Result<_, _>>();
        let over = events.last().is_some_and(|event| event.kind.is_last());
        self.append_rows(id, rows.map_err(|e| self.refused(&e))?, over)
    }

    /// Appends events as their JSON; `over` where the last of them ends the episode.
    fn append_rows(&self, id: u64, rows: Vec<Vec<u8>>, over: bool) -> Result<(), StoreError> {
        let last = self.events.scan_prefix(id.to_be_bytes()).keys().next_back();
        let first = match last {
            None => 0,
            Some(key) => place_of(&key.map_err(|e| self.refused(&e))?) + 1,
        };
        let mut batch = Batch::default();
        for (place, json) in (first..).zip(rows) {
            batch.insert(&key_of(id, place), json);
        }
        self.events.apply_batch(batch).map_err(|e| self.refused(&e))?;
        // After the events: an entry without them would be an episode that cannot be read.
        if over {
            self.keep_summary(id)?;
        } else if first == 0 {
            self.episodes.insert(id.to_be_bytes(), &[]).map_err(|e| self.refused(&e))?;
        }
        self.db.flush().map_err(|e| self.refused(&e))?;
        Ok(())
    }

    /// The events of episode `id`, in order.
    ///
    /// # Errors
    /// When there is no such episode, or one of its events cannot be read.
    pub fn events(&self, id: u64) -> Result<Vec<Event>, StoreError> {
        let rows = self.json(id)?.into_iter().enumerate();
        rows.map(|(index, json)| self.parse(id, index, &json)).collect()
    }

    /// The same as the JSON that was stored.
    ///
    /// # Errors
    /// When there is no such episode, or it cannot be read.
    pub fn json(&self, id: u64) -> Result<Vec<String>, StoreError> {
        let rows = self.events.scan_prefix(id.to_be_bytes()).values();
        let texts = rows.map(|row| {
            let row = row.map_err(|e| self.unreadable(&e))?;
            String::from_utf8(row.to_vec()).map_err(|e| self.damaged(id, &e))
        });
        let texts = texts.collect::<Result<Vec<String>, StoreError>>()?;
        if texts.is_empty() {
            return Err(StoreError::Missing { path: self.path.clone(), id });
        }
        Ok(texts)
    }

    /// Episode `id`, folded.
    ///
    /// # Errors
    /// As [`Store::events`], and when the events do not fit together.
    pub fn episode(&self, id: u64) -> Result<Episode, StoreError> {
        let folded = Episode::fold(&self.events(id)?).map_err(|e| self.damaged(id, &e))?;
        folded.ok_or_else(|| StoreError::Missing { path: self.path.clone(), id })
    }

    /// What is known of every episode, oldest first; in place of an episode that cannot be read
    /// stands the reason.
    pub fn list(&self) -> impl Iterator<Item = Result<Summary, StoreError>> + '_ {
        self.episodes.iter().map(|row| {
            let (key, json) = row.map_err(|e| self.unreadable(&e))?;
            let id = number(Some(&key));
            match Summary::parse(&json) {
                Some(summary) => Ok(summary),
                None => Ok(Summary::of(id, &self.episode(id)?)),
            }
        })
    }

    /// How many episodes there are.
    pub fn len(&self) -> usize {
        self.episodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.episodes.is_empty()
    }

    /// Counts `counter` up.
    fn next(&self, counter: &str) -> Result<u64, StoreError> {
        let next = |old: Option<&[u8]>| Some((number(old) + 1).to_be_bytes().to_vec());
        let count = self.db.update_and_fetch(counter, next).map_err(|e| self.refused(&e))?;
        Ok(number(count.as_deref()))
    }

    fn keep_summary(&self, id: u64) -> Result<(), StoreError> {
        let summary = Summary::of(id, &self.episode(id)?);
        let json = serde_json::to_vec(&summary).map_err(|e| self.refused(&e))?;
        self.episodes.insert(id.to_be_bytes(), json).map_err(|e| self.refused(&e))?;
        Ok(())
    }

    fn parse(&self, id: u64, index: usize, json: &str) -> Result<Event, StoreError> {
        // The version first: an event of a newer format need not parse as one of ours.
        #[derive(serde::Deserialize)]
        struct Version {
            schema: u32,
        }
        if let Ok(Version { schema }) = serde_json::from_str(json)
            && schema > SCHEMA
        {
            return Err(self.damaged(id, &FoldError::Newer(index, schema)));
        }
        serde_json::from_str(json).map_err(|e| self.damaged(id, &format!("event {index}: {e}")))
    }

    fn refused(&self, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Write { path: self.path.clone(), reason: reason.to_string() }
    }

    fn unreadable(&self, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Read { path: self.path.clone(), reason: reason.to_string() }
    }

    fn damaged(&self, id: u64, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), id, reason: reason.to_string() }
    }
}

/// Keys sort as episodes and their events do.
fn key_of(id: u64, place: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&id.to_be_bytes());
    key[8..].copy_from_slice(&place.to_be_bytes());
    key
}

fn place_of(key: &[u8]) -> u32 {
    key.get(8..).and_then(|rest| rest.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn number(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes)
}

fn newer(format: &[u8]) -> bool {
    format.try_into().map_or(true, |bytes| u32::from_be_bytes(bytes) > FORMAT)
}
