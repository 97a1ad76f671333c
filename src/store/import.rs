//! Episodes that come from elsewhere.

use super::{Store, StoreError};

impl Store {
    /// Keeps a whole episode under a new number, its events as the JSON that they were: to the last
    /// digit of every number. They survive together. `over` says whether the last of them ends the
    /// episode.
    ///
    /// # Errors
    /// When the disk refuses, or the events do not fit together.
    pub fn import_json(&self, events: Vec<String>, over: bool) -> Result<u64, StoreError> {
        let id = self.next_episode_id()?;
        let rows = events.into_iter().map(String::into_bytes).collect();
        self.append_rows(id, rows, true, over)?;
        Ok(id)
    }
}
