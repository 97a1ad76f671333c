//! What an episode is run for: a sink that keeps its events, an observer that watches.

use super::Command;
use crate::episode::{Event, Role, Token};
use crate::routing::Opinion;

/// Where events go. An event counts as having happened once `append` has returned.
pub trait EventSink: Send {
    /// A new episode's id.
    ///
    /// # Errors
    /// A sentence for the user.
    fn begin_episode(&mut self) -> Result<u64, String>;

    /// Keeps an event of episode `id`.
    ///
    /// # Errors
    /// A sentence for the user.
    fn append(&mut self, id: u64, event: &Event) -> Result<(), String>;
}

/// Who watches an episode and may interrupt it.
pub trait EpisodeObserver {
    /// A command that has arrived, if any.
    fn poll(&mut self) -> Option<Command>;
    /// Waits for a command: the episode is paused. `None` ends the episode.
    fn wait(&mut self) -> Option<Command>;
    /// An event that is in the sink.
    fn on_event(&mut self, id: u64, on_event: &Event);
    /// A token as it is drawn.
    fn on_token(&mut self, model: Role, on_token: &Token);
    /// The router's opinion, before the decision.
    fn on_opinion(&mut self, step: usize, on_opinion: &Opinion);
    /// A command that has no place here, with the reason.
    fn on_refused(&mut self, reason: &str);
    /// Something that is good to know, such as why a shadow says nothing.
    fn on_notice(&mut self, _: &str) {}
}

/// In memory: the events of one episode, which is number 1.
impl EventSink for Vec<Event> {
    fn begin_episode(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        self.push(event.clone());
        Ok(())
    }
}

/// No sink, and nobody watching: what evaluation uses.
pub struct NullObserver;

impl EventSink for NullObserver {
    fn begin_episode(&mut self) -> Result<u64, String> {
        Ok(0)
    }

    fn append(&mut self, _: u64, _: &Event) -> Result<(), String> {
        Ok(())
    }
}

impl EpisodeObserver for NullObserver {
    fn poll(&mut self) -> Option<Command> {
        None
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn on_event(&mut self, _: u64, _: &Event) {}

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}
