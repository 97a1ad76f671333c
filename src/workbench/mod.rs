//! The workbench: one screen to watch an episode and to take the points.
//!
//! Data goes round one way: keys and the session's updates become [`Message`]s, [`update`] changes
//! the [`State`] and names [`Effect`]s, the run loop carries them out, and the [`View`] reads the
//! state. The state knows no view, and what is true of an episode it knows from its events only.
//!
//! | file | what is in it |
//! |---|---|
//! | `message` | [`Message`] and [`Effect`]: what comes in, what is to be done |
//! | `state` | [`State`]: what the screen is about |
//! | `displayed_episode` | [`DisplayedEpisode`]: an episode on the screen |
//! | `compare`, `threshold_estimates`, `explanation`, `replay` | parts of the state: another episode, what recordings say, pushes, a recording |
//! | `threshold_text` | thresholds in words |
//! | `library` | the list of stored episodes |
//! | `training_page` | retraining and calibration |
//! | `menu` | a list to choose from |
//! | `job`, `job_executor` | [`Job`]: work beside the loop; [`JobExecutor`]: who does it |
//! | `actions`, `availability` | the table of actions; what can be done now, and why not |
//! | `key`, `keymap` | keys by name; those in force, with the user's |
//! | `update` | [`update`]: pure, message by message |
//! | `view` | the panes |
//! | `cast_export` | [`write_asciicast`]: a replay as an asciicast |
//! | `svg_export` | [`replay_svg`]: a screen of a replay as a picture |
//! | `run` | the loop that binds them to terminal and session |

mod actions;
mod availability;
mod cast_export;
mod compare;
mod displayed_episode;
mod explanation;
mod job;
mod job_executor;
mod key;
mod keymap;
mod library;
mod menu;
mod message;
mod replay;
mod run;
mod state;
mod svg_export;
mod threshold_estimates;
mod threshold_text;
mod training_page;
mod transcript;
mod update;
mod view;

pub use actions::{ACTIONS, Action, ActionScope, ActionSpec, Mode};
pub use cast_export::write_asciicast;
pub use compare::Comparison;
pub use displayed_episode::{DisplayedEpisode, InFlightText};
pub use explanation::{BoundaryId, Explanation};
pub use job::{AnnotationChange, Job, ReadPurpose};
pub use job_executor::{JobExecutor, NullExecutor, SessionHandle};
pub use key::Key;
pub use keymap::Keymap;
pub use library::{EpisodePage, Library, LibraryAction, LibraryQuery, ListedEpisode};
pub use menu::{Menu, MenuChoice, MenuItem, MenuKind};
pub use message::{Effect, LoadedRouting, Message, Scroll};
pub use replay::{Replay, ReplayAction};
pub use run::{ExitReason, WorkbenchConfig, run};
pub use state::{
    InitialState, MINIMUM_SIZE, Notice, Overlay, Page, Prompt, PromptKind, SessionStatus, State,
};
pub use svg_export::replay_svg;
pub use threshold_estimates::{ThresholdEstimates, ThresholdEstimatesState};
pub use training_page::{
    COLLECT_BATCH, TrainingAction, TrainingPage, TrainingProgress, TrainingUpdate,
};
pub use update::update;
pub use view::View;
