//! What an episode is run for: a journal that keeps its events, an audience that watches.

use super::Command;
use crate::episode::{Event, Role, Token};
use crate::routing::Opinion;

/// Where events go. An event counts as having happened once `append` has returned.
pub trait Journal: Send {
    /// A new episode's id.
    ///
    /// # Errors
    /// A sentence for the user.
    fn begin(&mut self) -> Result<u64, String>;

    /// Keeps an event of episode `id`.
    ///
    /// # Errors
    /// A sentence for the user.
    fn append(&mut self, id: u64, event: &Event) -> Result<(), String>;
}

/// Who watches an episode and may interrupt it.
pub trait Audience {
    /// A command that has arrived, if any.
    fn poll(&mut self) -> Option<Command>;
    /// Waits for a command: the episode is paused. `None` ends the episode.
    fn wait(&mut self) -> Option<Command>;
    /// An event that is in the journal.
    fn event(&mut self, id: u64, event: &Event);
    /// A token as it is drawn.
    fn token(&mut self, model: Role, token: &Token);
    /// The router's opinion, before the decision.
    fn opinion(&mut self, step: usize, opinion: &Opinion);
    /// A command that has no place here, with the reason.
    fn refuse(&mut self, reason: &str);
    /// Something that is good to know, such as why a shadow says nothing.
    fn remark(&mut self, _: &str) {}
}

/// In memory: the events of one episode, which is number 1.
impl Journal for Vec<Event> {
    fn begin(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        self.push(event.clone());
        Ok(())
    }
}

/// No journal, and nobody watching: what evaluation uses.
pub struct Nobody;

impl Journal for Nobody {
    fn begin(&mut self) -> Result<u64, String> {
        Ok(0)
    }

    fn append(&mut self, _: u64, _: &Event) -> Result<(), String> {
        Ok(())
    }
}

impl Audience for Nobody {
    fn poll(&mut self) -> Option<Command> {
        None
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn event(&mut self, _: u64, _: &Event) {}

    fn token(&mut self, _: Role, _: &Token) {}

    fn opinion(&mut self, _: usize, _: &Opinion) {}

    fn refuse(&mut self, _: &str) {}
}
