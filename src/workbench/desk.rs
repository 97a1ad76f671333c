//! Who does what the loop must not wait for.

use std::sync::mpsc::Sender;

use tokio::sync::mpsc::Receiver;

use super::errand::Errand;
use super::message::Message;
use crate::session::{Command, Employment, Update};

/// The workbench's ends of the session's channels.
pub struct Session {
    pub commands: Sender<Command>,
    pub updates: Receiver<Update>,
}

/// Who does errands. Each is done on a thread of its own.
pub trait Desk: Send + Sync {
    /// Does an errand, and tells what comes of it: nothing, one message or several.
    fn run(&self, errand: Errand, tell: &dyn Fn(Message));

    /// Starts a session with other models, which are loaded once the session before has ended.
    ///
    /// # Errors
    /// When there can be none.
    fn session(&self, employment: Employment) -> Result<Session, String>;
}

/// A desk that does nothing: for a recording without a store.
pub struct NoDesk;

impl Desk for NoDesk {
    fn run(&self, _: Errand, _: &dyn Fn(Message)) {}

    fn session(&self, _: Employment) -> Result<Session, String> {
        Err("a recording has no models".into())
    }
}
