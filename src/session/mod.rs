//! The loop of an episode: commands in, events out.
//!
//! [`EpisodeRunner`] owns the two engines and runs one episode after the other on the thread that
//! calls it; headless commands use it directly. [`spawn_session`] gives it a thread of its own, with a
//! channel each way, for the workbench. A [`RunnerPool`] has several runners at work at once.

mod compat;
mod episode_runner;
mod fork;
mod load;
mod observer;
mod runner_pool;
mod running_episode;
mod session_thread;

use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;

use crate::config::Preset;
use crate::engine::EngineError;
use crate::episode::{Event, FoldError, OverrideScope, Role, Token};
use crate::exit::{ClassifiedError, ErrorClass};
use crate::routing::{Opinion, RouterError, RouterRegistry};
use crate::tasks::Question;

pub use compat::check_router;
pub use episode_runner::{EpisodeRunner, EpisodeSpec};
pub use fork::{Fork, ForkError};
pub use load::{TINY_PAIR_PARAMETERS, load_pair, load_runner_pool};
pub use observer::{EpisodeObserver, EventSink, NullObserver};
pub use runner_pool::RunnerPool;
pub use session_thread::{SessionHandle, spawn_session};

/// What a person asks of a running session.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start an episode on this question; one that is running is stopped.
    Ask {
        question: Question,
        router: Option<String>,
        seed: u64,
        paused: bool,
    },
    /// Start an episode that shares its first steps with another; one that is running is stopped.
    Fork(Box<ForkRequest>),
    /// Stop at the next boundary.
    Pause,
    Resume,
    /// Write one step, then pause.
    Step,
    /// Take the points.
    SetOverride {
        model: Role,
        scope: OverrideScope,
    },
    /// Give the points back to the router.
    ClearOverride,
    /// Take the last step that is written back and have the other model write it anew; what is being written
    /// after it is dropped. A pause lasts.
    Redo,
    /// Move the threshold, in [0, 1].
    SetThreshold(f64),
    /// Change the budget of the running episode.
    SetBudget(Option<f64>),
    /// Have these routers choose, under this preset, which must be of the models that are loaded, from the
    /// next question on.
    SetRouting(Box<RoutingConfig>),
    /// Mark the step that is being written or was written last.
    Bookmark(String),
    /// End the episode.
    Stop,
    /// End the episode and the session.
    Quit,
}

/// A fork that a person asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ForkRequest {
    pub fork: Fork,
    /// Name of the router; the parent's where absent.
    pub router: Option<String>,
    /// Where routers come from, and with them the policy; the session's where absent.
    pub registry: Option<RouterRegistry>,
    /// Start in pause.
    pub paused: bool,
}

/// Who chooses from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingConfig {
    pub preset: Preset,
    pub registry: RouterRegistry,
}

/// What a session tells the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionUpdate {
    /// The models are being loaded; a line for the status bar.
    Loading(String),
    /// The session takes commands.
    Ready,
    /// An event of episode `id`, already in the store.
    Event { id: u64, event: Box<Event> },
    /// What the router thinks at the boundary before step `step`, ahead of the decision.
    Opinion { step: usize, opinion: Opinion },
    /// A token as it was drawn, ahead of its event. These may be dropped when the screen is slow;
    /// the event that follows has them all.
    Token { model: Role, token: Token },
    /// Something of the running episode that is good to know.
    Notice(String),
    /// The command could not be carried out; the session goes on.
    Refused(String),
    /// The episode is over without a last event, since the sink takes none; the session goes on.
    SinkFailed(String),
    /// The session is over.
    SessionFailed(String),
}

/// Why an episode could not be run.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An engine failed at one question of many.
    #[error("question {place}: {error}")]
    Question { place: String, error: EngineError },
    #[error(transparent)]
    Router(#[from] RouterError),
    #[error(transparent)]
    Fork(#[from] ForkError),
    #[error("{0}")]
    Sink(String),
    #[error("it was cancelled, and nothing of it was kept")]
    Cancelled,
    #[error("the episode's events do not fit: {0}")]
    Fold(#[from] FoldError),
}

impl ClassifiedError for SessionError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Engine(error) | Self::Question { error, .. } => error.class(),
            Self::Router(error) => error.class(),
            Self::Fork(error) => error.class(),
            Self::Sink(_) | Self::Cancelled | Self::Fold(_) => ErrorClass::Failure,
        }
    }
}

/// Characters of a question that a message repeats.
const QUESTION_EXCERPT_CHARS: usize = 48;

impl SessionError {
    /// The same with the question, where an engine failed at one of many.
    pub fn at(self, question: &Question) -> Self {
        let Self::Engine(error) = self else { return self };
        let text = question.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut beginning: String =
            text.chars().filter(|c| !c.is_control()).take(QUESTION_EXCERPT_CHARS).collect();
        if text.chars().nth(QUESTION_EXCERPT_CHARS).is_some() {
            beginning.push('…');
        }
        let place = match &question.origin {
            Some(origin) => format!("{} of {} (“{beginning}”)", origin.index + 1, origin.task),
            None => format!("“{beginning}”"),
        };
        Self::Question { place, error }
    }

    /// Whether the question does not fit into a model's context: asking it again comes to the same.
    pub fn is_prompt_too_long(&self) -> bool {
        matches!(self, Self::Engine(error) | Self::Question { error, .. }
            if matches!(error, EngineError::PromptTooLong(..)))
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
