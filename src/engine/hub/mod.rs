//! Models of the Hugging Face hub: their names, the local cache, and downloads into it.
//!
//! | file | content |
//! |---|---|
//! | `id` | the form of ids and file names |
//! | `cache` | finds models in the local cache |
//! | `listing` | the files of a repository, and which of them a model needs |
//! | `fetch` | [`fetch()`]: downloads them, resumes and verifies |
//! | `error` | [`HubError`] |
//!
//! A download has only what a model needs, without the second copy of the weights that some repositories contain.
//! Engines load the snapshot's folder, so loading needs no network.

mod cache;
mod error;
mod fetch;
mod id;
mod listing;

pub(super) use cache::{cached_file, snapshot_dir};
pub use error::HubError;
pub use fetch::{FetchProgress, FetchSummary, fetch};
pub(super) use id::hub_file;
pub use id::{is_hub_id, is_on_hub};
pub use listing::FetchSet;
