//! The store: episodes, policies and calibrations on disk. The only module that names sled.
//!
//! An event that is acknowledged is on disk: it is in a record of the event log, which is only ever appended to,
//! and that record is synced. sled holds the same rows as an index, which can be made again from the log. So damage to
//! the index loses nothing, and damage to the log loses only the records that it hits, and names them. A process that
//! only reads needs no index and no lock: it sees the log as it is when it opens the store.
//!
//! | in the folder | what |
//! |---|---|
//! | `log/` | the event log in segments |
//! | `index/`, `index.clean` | sled, and what it looked like when it was closed |
//! | `counters` | the numbers that were given last |
//! | `lock` | locked by the process that writes |
//! | `reserve` | space for the record of a deletion on a full disk |
//! | `before-log/`, `damaged-index-1/` | files of the former layout and damaged indexes, until the trash is emptied |
//!
//! | table | key | value |
//! |---|---|---|
//! | events | episode, index | the event as JSON |
//! | episodes | episode | empty while it runs, then its [`EpisodeSummary`] as JSON |
//! | annotations | episode | its [`Annotations`] as JSON; no row for the default |
//! | policies | policy | its file |
//! | promotions | preset | numbers of the promoted policies as JSON |
//! | calibrations | number | a calibrated threshold as JSON |
//! | meta | name | which damage is known |
//!
//! Summaries only save time: they are folded from the events whenever one is missing or of another version.
//!
//! ```
//! use pointsman::config::{Folders, load_preset};
//! use pointsman::episode::{Event, EventKind, ModelRecord, PerRole, Started};
//! use pointsman::store::Store;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(folder.path())?;
//! let model = ModelRecord { name: "m".into(), digest: "d".into(), parameters: 1 };
//! let started = Started {
//!     question: "1 + 1?".into(),
//!     origin: None,
//!     gold: None,
//!     preset: load_preset("tiny", &Folders::below(folder.path())?)?,
//!     models: PerRole { small: model.clone(), large: model },
//!     prices: PerRole { small: 1.0.into(), large: 10.0.into() },
//!     seed: 0,
//!     collection: None,
//!     parent: None,
//! };
//!
//! let id = store.next_episode_id()?;
//! store.append(id, &Event::new(1_800_000_000_000, EventKind::Started(Box::new(started))))?;
//! store.annotate(&[id], |annotations| annotations.starred = true)?;
//!
//! assert_eq!(store.events(id)?.len(), 1);
//! let newest = store.entries(None).next().expect("one episode")?;
//! assert_eq!((newest.summary.question.as_str(), newest.annotations.starred), ("1 + 1?", true));
//! # Ok(())
//! # }
//! ```

mod annotate;
mod annotations;
mod caught_panic;
mod clean_marker;
mod counters;
mod database;
mod episodes;
mod error;
mod former_layout;
mod index;
mod log;
mod log_tables;
mod open;
mod operation;
mod packed;
mod policies;
mod process_lock;
mod salvage;
mod sled_tables;
mod summary;
mod tables;
mod trash;

pub use annotations::{Annotations, Tag, TagError, TrashMark};
pub use database::Store;
pub use error::StoreError;
pub use salvage::SalvageReport;
pub use summary::{EpisodeEnd, EpisodeEntry, EpisodeSummary};
