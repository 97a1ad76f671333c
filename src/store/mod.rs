//! Episodes on disk. The only room that names sled.
//!
//! Two trees hold episodes: `events` has every event, keyed by episode and place, as JSON; `episodes` holds one
//! entry an episode: empty while it runs, its [`EpisodeSummary`] once it is over. Summaries only save time;
//! they are folded from the events wherever one is missing or of another version. What a person says
//! of an episode, and whether it is in the bin, stands in `annotations`; what is kept of policies, in
//! `policies`.

mod annotations;
mod import;
mod policies;
mod summary;
mod trash;

use std::ops::Bound;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sled::{Batch, Config, Db, IVec, Tree};
use thiserror::Error;

use crate::episode::{Episode, Event, EventKind, FoldError, SCHEMA};

pub use annotations::{Annotations, Tag, TagError};
pub use summary::{EpisodeEnd, EpisodeSummary};
pub use trash::TrashMark;

/// Version of the store's layout. Older ones are read; newer ones are refused.
const FORMAT_VERSION: u32 = 1;
/// Memory for pages of the store, in bytes.
const CACHE_BYTES: u64 = 64 << 20;

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
    NotAStore(PathBuf),
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
    #[error("episode {0} is in the trash: `pointsman episodes restore {0}` brings it back")]
    InTrash(u64),
    #[error("episode {0} is not in the trash: `pointsman episodes trash ls` lists what is")]
    NotInTrash(u64),
}

crate::exit::classify!(Failure: StoreError);

/// What a list shows of an episode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpisodeEntry {
    #[serde(flatten)]
    pub summary: EpisodeSummary,
    #[serde(flatten)]
    pub annotations: Annotations,
}

/// A store of episodes; cheap to share between threads behind an `Arc`.
pub struct Store {
    path: PathBuf,
    db: Db,
    events: Tree,
    episodes: Tree,
    annotations: Tree,
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
        let config = Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let db = config.open().map_err(open_error)?;
        match db.get("format").map_err(open_error)? {
            Some(found) if is_newer_format(&found) => return Err(StoreError::Newer(path.into())),
            Some(_) => {}
            // sled takes a file that it cannot read for an empty one.
            None if existed => return Err(StoreError::NotAStore(path.into())),
            None => {
                db.insert("format", &FORMAT_VERSION.to_be_bytes()).map_err(open_error)?;
                db.flush().map_err(open_error)?;
            }
        }
        let events = db.open_tree("events").map_err(open_error)?;
        let episodes = db.open_tree("episodes").map_err(open_error)?;
        let annotations = db.open_tree("annotations").map_err(open_error)?;
        Ok(Self { path: path.into(), db, events, episodes, annotations })
    }

    /// A new episode's id; ids are counted from 1 and never given twice.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn next_episode_id(&self) -> Result<u64, StoreError> {
        self.increment("last_id")
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
    /// When the disk refuses; some of the events may then be missing. When there is no such episode
    /// and the events begin none: it was deleted while it ran.
    pub fn append_all(&self, id: u64, events: &[Event]) -> Result<(), StoreError> {
        let rows = events.iter().map(serde_json::to_vec).collect::<Result<_, _>>();
        let begins = events.first().is_some_and(|e| matches!(e.kind, EventKind::Started(_)));
        let over = events.last().is_some_and(|event| event.kind.ends_episode());
        self.append_rows(id, rows.map_err(|e| self.write_error(&e))?, begins, over)
    }

    /// Appends events as their JSON; `begins` where the first of them begins the episode, `over` where the
    /// last of them ends it.
    fn append_rows(
        &self,
        id: u64,
        rows: Vec<Vec<u8>>,
        begins: bool,
        over: bool,
    ) -> Result<(), StoreError> {
        let last = self.events.scan_prefix(id.to_be_bytes()).keys().next_back();
        let first = match last {
            None => 0,
            Some(key) => event_index_of(&key.map_err(|e| self.write_error(&e))?) + 1,
        };
        if first == 0 && !begins {
            return Err(self.missing_error(id));
        }
        let mut batch = Batch::default();
        for (index, json) in (first..).zip(rows) {
            batch.insert(&event_key(id, index), json);
        }
        self.events.apply_batch(batch).map_err(|e| self.write_error(&e))?;
        // After the events: an entry without them would be an episode that cannot be read.
        if over {
            self.save_summary(id)?;
        } else if first == 0 {
            self.episodes.insert(id.to_be_bytes(), &[]).map_err(|e| self.write_error(&e))?;
        }
        self.flush()
    }

    /// Takes whole episodes in, which then survive together, and returns their new ids. One flush
    /// for all of them makes this the fast way for many.
    ///
    /// # Errors
    /// When events do not fit together, before anything is kept; when the disk refuses.
    pub fn add_episodes(&self, episodes: &[Vec<Event>]) -> Result<Vec<u64>, StoreError> {
        let (mut events, mut summaries) = (Batch::default(), Batch::default());
        let mut ids = Vec::new();
        for episode in episodes {
            let id = self.next_episode_id()?;
            let folded = Episode::fold(episode).map_err(|e| self.damaged_error(id, &e))?;
            let folded = folded.ok_or_else(|| self.missing_error(id))?;
            self.add_to_batch(&mut events, id, 0, episode)?;
            let over = folded.is_over().then(|| self.to_json(&EpisodeSummary::of(id, &folded)));
            summaries.insert(&id.to_be_bytes(), over.transpose()?.unwrap_or_default());
            ids.push(id);
        }
        // In this order for the same reason as above.
        self.events.apply_batch(events).map_err(|e| self.write_error(&e))?;
        self.episodes.apply_batch(summaries).map_err(|e| self.write_error(&e))?;
        self.flush()?;
        Ok(ids)
    }

    /// The events of episode `id`, in order; those of one in the bin too.
    ///
    /// # Errors
    /// When there is no such episode, or one of its events cannot be read.
    pub fn events(&self, id: u64) -> Result<Vec<Event>, StoreError> {
        let rows = self.events_json(id)?.into_iter().enumerate();
        rows.map(|(index, json)| self.parse(id, index, &json)).collect()
    }

    /// The same as the JSON that was stored.
    ///
    /// # Errors
    /// When there is no such episode, or it cannot be read.
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

    /// Episode `id`, folded.
    ///
    /// # Errors
    /// As [`Store::events`], and when the events do not fit together.
    pub fn episode(&self, id: u64) -> Result<Episode, StoreError> {
        let folded = Episode::fold(&self.events(id)?).map_err(|e| self.damaged_error(id, &e))?;
        folded.ok_or_else(|| self.missing_error(id))
    }

    /// What is known of every episode, oldest first; in place of an episode that cannot be read
    /// stands the reason. What is in the bin is left out, here and in all lists.
    pub fn summaries(&self) -> impl Iterator<Item = Result<EpisodeSummary, StoreError>> + '_ {
        let rows = self.episodes.iter().filter_map(|row| self.entry_unless_trashed(row));
        rows.map(|entry| entry.map(|entry| entry.summary))
    }

    /// The same with annotations, newest first: from the one before episode `before`, or from the
    /// newest. Read as it is asked for, and without the events where the summary is there.
    pub fn entries(
        &self,
        before: Option<u64>,
    ) -> impl Iterator<Item = Result<EpisodeEntry, StoreError>> + '_ {
        let end = before.map_or(Bound::Unbounded, |id| Bound::Excluded(id.to_be_bytes()));
        let rows = self.episodes.range::<[u8; 8], _>((Bound::Unbounded, end)).rev();
        rows.filter_map(|row| self.entry_unless_trashed(row))
    }

    /// The entry of episode `id`, be it in the bin or not.
    ///
    /// # Errors
    /// When there is no such episode, or it cannot be read.
    pub fn entry(&self, id: u64) -> Result<EpisodeEntry, StoreError> {
        let json = self.episodes.get(id.to_be_bytes()).map_err(|e| self.read_error(&e))?;
        let json = json.ok_or_else(|| self.missing_error(id))?;
        Ok(EpisodeEntry { summary: self.summary(id, &json)?, annotations: self.annotations(id)? })
    }

    /// How many episodes there are, without those in the bin. They are counted: in a large store that
    /// takes longer than a frame.
    pub fn len(&self) -> usize {
        let trashed = self.trash_marks().filter(Result::is_ok).count();
        self.episodes.len().saturating_sub(trashed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries(None).next().is_none()
    }

    /// The entry of a row of the tree `episodes`; nothing where it is in the bin.
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

    /// The summary of an episode over that is kept, else one that is folded now. One that an older
    /// program kept is replaced on this occasion, so that it is folded but once.
    fn summary(&self, id: u64, json: &IVec) -> Result<EpisodeSummary, StoreError> {
        if let Some(summary) = EpisodeSummary::parse(json) {
            return Ok(summary);
        }
        let summary = EpisodeSummary::of(id, &self.episode(id)?);
        if EpisodeSummary::is_older(json) {
            let new = Some(self.to_json(&summary)?);
            // Whoever else changed it meanwhile is right; and a disk that refuses takes nothing away.
            let _ = self.episodes.compare_and_swap(id.to_be_bytes(), Some(json), new);
        }
        Ok(summary)
    }

    /// Counts `counter` up.
    fn increment(&self, counter: &str) -> Result<u64, StoreError> {
        let increment = |old: Option<&[u8]>| Some((decode_u64(old) + 1).to_be_bytes().to_vec());
        let count =
            self.db.update_and_fetch(counter, increment).map_err(|e| self.write_error(&e))?;
        Ok(decode_u64(count.as_deref()))
    }

    /// Puts events of episode `id` into a batch, from place `first` on.
    fn add_to_batch(
        &self,
        batch: &mut Batch,
        id: u64,
        first: u32,
        events: &[Event],
    ) -> Result<(), StoreError> {
        for (index, event) in (first..).zip(events) {
            batch.insert(&event_key(id, index), self.to_json(event)?);
        }
        Ok(())
    }

    fn save_summary(&self, id: u64) -> Result<(), StoreError> {
        let json = self.to_json(&EpisodeSummary::of(id, &self.episode(id)?))?;
        self.episodes.insert(id.to_be_bytes(), json).map_err(|e| self.write_error(&e))?;
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
            return Err(self.damaged_error(id, &FoldError::NewerSchema(index, schema)));
        }
        serde_json::from_str(json)
            .map_err(|e| self.damaged_error(id, &format!("event {index}: {e}")))
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(drop).map_err(|e| self.write_error(&e))
    }

    fn to_json(&self, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(value).map_err(|e| self.write_error(&e))
    }

    fn missing_error(&self, id: u64) -> StoreError {
        StoreError::Missing { path: self.path.clone(), id }
    }

    fn write_error(&self, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Write { path: self.path.clone(), reason: reason.to_string() }
    }

    fn read_error(&self, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Read { path: self.path.clone(), reason: reason.to_string() }
    }

    fn damaged_error(&self, id: u64, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), id, reason: reason.to_string() }
    }
}

/// Keys sort as episodes and their events do.
fn event_key(id: u64, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&id.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

fn event_index_of(key: &[u8]) -> u32 {
    key.get(8..).and_then(|rest| rest.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn decode_u64(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes)
}

fn is_newer_format(format: &[u8]) -> bool {
    format.try_into().map_or(true, |bytes| u32::from_be_bytes(bytes) > FORMAT_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Folders, load_preset};
    use crate::episode::{FinishReason, ModelRecord, PerRole, Started, Verdict};

    fn events() -> Vec<Event> {
        let model = ModelRecord { name: "m".into(), digest: "d".into(), parameters: 1 };
        let started = Started {
            question: "1 + 1?".into(),
            origin: None,
            gold: None,
            preset: load_preset("tiny", &Folders::below("/nonexistent").unwrap()).unwrap(),
            models: PerRole { small: model.clone(), large: model },
            prices: PerRole { small: 1.0.into(), large: 10.0.into() },
            seed: 0,
            collection: None,
            parent: None,
        };
        let (verdict, reason) = (Verdict::Undecided, FinishReason::Answered);
        let kinds = [
            EventKind::Started(Box::new(started)),
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
        let old = br#"{"version":2,"id":1,"question":"1 + 1?","router":"policy"}"#;
        let newer = br#"{"version":99,"everything":"else"}"#;
        store.episodes.insert(ids[0].to_be_bytes(), &old[..]).unwrap();
        store.episodes.insert(ids[1].to_be_bytes(), &newer[..]).unwrap();
        store.episodes.insert(ids[2].to_be_bytes(), &[]).unwrap();
        let found: Vec<EpisodeEntry> = store.entries(None).map(Result::unwrap).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[2], expected);
        assert_eq!(found[1].summary.question, "1 + 1?");
        assert_eq!(kept(ids[0]), today, "an old one is folded but once");
        assert_eq!(kept(ids[1]), newer, "a newer program may have more to say");
        assert_eq!(kept(ids[2]), "", "what runs has none");
    }
}
