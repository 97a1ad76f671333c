//! The two sides of a running episode: a sink that keeps its events, and an observer.

use super::Command;
use crate::episode::{Event, Role, Token};
use crate::routing::Opinion;

/// Keeps events. An event has happened once `append` has returned.
pub trait EventSink: Send {
    /// Number of a new episode.
    ///
    /// # Errors
    /// If no episode can be begun: a sentence for the user.
    fn begin_episode(&mut self) -> Result<u64, String>;

    /// Keeps an event of episode `id`.
    ///
    /// # Errors
    /// If it cannot be kept: a sentence for the user.
    fn append(&mut self, id: u64, event: &Event) -> Result<(), String>;
}

/// Sees an episode as it runs, and gives commands.
pub trait EpisodeObserver {
    /// A command that has arrived, if any.
    fn poll(&mut self) -> Option<Command>;
    /// Waits for a command while the episode is paused. `None` ends the episode.
    fn wait(&mut self) -> Option<Command>;
    /// An event that the sink has kept.
    fn on_event(&mut self, id: u64, event: Event);
    /// A token as it is drawn.
    fn on_token(&mut self, model: Role, token: &Token);
    /// The router's opinion before the decision about `step`.
    fn on_opinion(&mut self, step: usize, opinion: &Opinion);
    /// A command that cannot be carried out, with the reason.
    fn on_refused(&mut self, reason: &str);
    /// A notice about the episode, such as why a shadow has no opinion.
    fn on_notice(&mut self, _: &str) {}
}

/// Keeps the events of one episode, number 1, in memory.
impl EventSink for Vec<Event> {
    fn begin_episode(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        self.push(event.clone());
        Ok(())
    }
}

/// Keeps nothing, and gives no commands; evaluation needs only the episode that a run returns.
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

    fn on_event(&mut self, _: u64, _: Event) {}

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}
