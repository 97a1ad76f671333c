//! The store as the event sink of a session.

use crate::episode::Event;
use crate::session::EventSink;
use crate::store::Store;

/// Appends events to a store, owned or borrowed.
pub(super) struct StoreSink<S>(pub(super) S);

impl<S: std::borrow::Borrow<Store> + Send> EventSink for StoreSink<S> {
    fn begin_episode(&mut self) -> Result<u64, String> {
        self.0.borrow().next_episode_id().map_err(|e| e.to_string())
    }

    fn append(&mut self, id: u64, event: &Event) -> Result<(), String> {
        self.0.borrow().append(id, event).map_err(|e| e.to_string())
    }
}
