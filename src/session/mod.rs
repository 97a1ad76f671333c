//! Runs episodes: commands in, events out.
//!
//! | module | contents |
//! |---|---|
//! | `episode_runner` | [`EpisodeRunner`] owns the two models and runs an [`EpisodeSpec`] |
//! | `step_loop` | the loop of one episode: draft, opinion, choice, step |
//! | `running_episode` | its events as they happen, and its state: pause, override, redo, stop |
//! | `observer` | [`EventSink`] keeps the events, [`EpisodeObserver`] sees them and gives commands |
//! | `session_thread`, `command` | [`spawn_session`]: a runner on a thread of its own, with a channel each way |
//! | `runner_pool` | [`RunnerPool`]: several runners at once |
//! | `load` | loads the models of a preset |
//! | `fork` | [`Fork`]: an episode that shares its first steps with another |
//! | `compat` | [`check_router`]: whether a router can decide with a pair of models |
//!
//! A program of its own needs four calls: `load_preset`, [`load_pair`], `RouterRegistry::router` and
//! [`EpisodeRunner::run`], whose documentation has an example.

mod command;
mod compat;
mod episode_runner;
mod error;
mod fork;
mod load;
mod observer;
mod runner_pool;
mod running_episode;
mod session_thread;
mod step_loop;

use std::time::{SystemTime, UNIX_EPOCH};

pub use command::{Command, ForkRequest, RoutingConfig, SessionUpdate};
pub use compat::check_router;
pub use episode_runner::{EpisodeRunner, EpisodeSpec};
pub use error::SessionError;
pub use fork::{Fork, ForkError};
pub use load::{TINY_PAIR_PARAMETERS, load_pair, load_runner_pool};
pub use observer::{EpisodeObserver, EventSink, NullObserver};
pub use runner_pool::RunnerPool;
pub use session_thread::{SessionHandle, spawn_session};

/// The time now: milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
