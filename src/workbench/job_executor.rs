//! The seam between the workbench and what runs its jobs.

use std::sync::mpsc::Sender;

use tokio::sync::mpsc::Receiver;

use super::job::Job;
use super::message::Message;
use crate::session::{Command, RoutingConfig, SessionUpdate};

/// The workbench's ends of the session's channels.
pub struct SessionHandle {
    /// Commands to the session.
    pub commands: Sender<Command>,
    /// Updates from the session.
    pub updates: Receiver<SessionUpdate>,
}

/// Runs jobs. The workbench calls it on a new thread for each job.
pub trait JobExecutor: Send + Sync {
    /// Runs a job and sends its answers: none, one or several.
    fn run(&self, job: Job, send: &dyn Fn(Message));

    /// Starts a session with the models of this preset, which are loaded once the previous session
    /// has ended.
    ///
    /// # Errors
    /// The reason why no session can start, for the user.
    fn start_session(&self, routing: &RoutingConfig) -> Result<SessionHandle, String>;
}

/// Runs no job: for a recording without a store.
pub struct NullExecutor;

impl JobExecutor for NullExecutor {
    fn run(&self, _: Job, _: &dyn Fn(Message)) {}

    fn start_session(&self, _: &RoutingConfig) -> Result<SessionHandle, String> {
        Err("a recording has no models".into())
    }
}
