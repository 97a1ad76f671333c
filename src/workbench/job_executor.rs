//! Who does what the loop must not wait for.

use std::sync::mpsc::Sender;

use tokio::sync::mpsc::Receiver;

use super::job::Job;
use super::message::Message;
use crate::session::{Command, RoutingConfig, SessionUpdate};

/// The workbench's ends of the session's channels.
pub struct SessionHandle {
    pub commands: Sender<Command>,
    pub updates: Receiver<SessionUpdate>,
}

/// Who does errands. Each is done on a thread of its own.
pub trait JobExecutor: Send + Sync {
    /// Does an job, and tells what comes of it: nothing, one message or several.
    fn run(&self, job: Job, send: &dyn Fn(Message));

    /// Starts a session with other models, which are loaded once the session before has ended.
    ///
    /// # Errors
    /// When there can be none.
    fn start_session(&self, routing: RoutingConfig) -> Result<SessionHandle, String>;
}

/// A desk that does nothing: for a recording without a store.
pub struct NullExecutor;

impl JobExecutor for NullExecutor {
    fn run(&self, _: Job, _: &dyn Fn(Message)) {}

    fn start_session(&self, _: RoutingConfig) -> Result<SessionHandle, String> {
        Err("a recording has no models".into())
    }
}
