//! What goes over a session's channels: the user's commands, and updates for the screen.

use super::Fork;
use crate::config::Preset;
use crate::episode::{Event, OverrideScope, Role, Token};
use crate::routing::{Opinion, RouterRegistry};
use crate::tasks::Question;

/// What the user asks of a running session.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start an episode on a question; stops a running episode.
    Ask {
        /// The question.
        question: Question,
        /// Name of the router; the preset's if `None`.
        router: Option<String>,
        /// Seed of everything that the episode draws.
        seed: u64,
        /// Whether it starts in pause.
        paused: bool,
    },
    /// Start a fork; stops a running episode.
    Fork(Box<ForkRequest>),
    /// Pause at the next boundary.
    Pause,
    /// Resume after a pause.
    Resume,
    /// Write one step, then pause.
    Step,
    /// Choose the writer instead of the router.
    SetOverride {
        /// The model that writes.
        model: Role,
        /// For how long.
        scope: OverrideScope,
    },
    /// Let the router choose again.
    ClearOverride,
    /// Take the last step back and have the other model write it anew. What is being written after it is
    /// dropped; a pause lasts.
    Redo,
    /// Move the threshold, in [0, 1].
    SetThreshold(f64),
    /// Change the budget of the running episode; no limit if `None`.
    SetBudget(Option<f64>),
    /// Use these routers under this preset from the next question on. The preset must be of the models
    /// that are loaded.
    SetRouting(Box<RoutingConfig>),
    /// Bookmark the step that is being written, or was written last.
    Bookmark(String),
    /// End the episode.
    Stop,
    /// End the episode and the session.
    Quit,
}

/// A fork that the user asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ForkRequest {
    /// Where it leaves its parent, and what changes there.
    pub fork: Fork,
    /// Name of the router; the parent's if `None`.
    pub router: Option<String>,
    /// Makes the routers, with their policy; the session's registry if `None`.
    pub registry: Option<RouterRegistry>,
    /// Whether it starts in pause.
    pub paused: bool,
}

/// The active routing: a preset, and the registry that makes its routers.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingConfig {
    /// The preset.
    pub preset: Preset,
    /// Makes the routers.
    pub registry: RouterRegistry,
}

/// What a session reports to the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionUpdate {
    /// The models are being loaded; the text is for the status bar.
    Loading(String),
    /// The session accepts commands.
    Ready,
    /// An event that is already in the store.
    Event {
        /// Number of the episode.
        id: u64,
        /// The event.
        event: Box<Event>,
    },
    /// The router's opinion at a boundary, ahead of the decision.
    Opinion {
        /// Number of the step, from 0.
        step: usize,
        /// The opinion.
        opinion: Opinion,
    },
    /// A token as it was drawn, ahead of its event. Tokens may be dropped if the screen is slow; the event
    /// that follows has them all.
    Token {
        /// The model that wrote it.
        model: Role,
        /// The token.
        token: Token,
    },
    /// A notice about the running episode.
    Notice(String),
    /// A command that could not be carried out, with the reason; the session continues.
    Refused(String),
    /// The episode ended without a last event, since the sink failed; the session continues.
    SinkFailed(String),
    /// The session is over, for this reason.
    SessionFailed(String),
}
