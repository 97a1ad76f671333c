//! The workbench: one screen to watch an episode, to choose who writes, and to train policies.
//!
//! Data flows one way: keys and session updates become [`Message`]s, [`update`] changes the
//! [`State`] and returns [`Effect`]s, the run loop carries them out, and the [`View`] reads the
//! state. The state knows nothing of the view, and learns about an episode from its events only.
//!
//! | file | what is in it |
//! |---|---|
//! | `key`, `keymap` | keys by name; the active keys |
//! | `action` | [`Action`]: what a key can do, and on which page |
//! | `message` | [`Message`] and [`Effect`]: what comes in, what is to be done |
//! | `job`, `job_executor` | [`Job`]: slow work; [`JobExecutor`]: runs it |
//! | `active_routing` | [`ActiveRouting`]: the active preset, threshold and routers |
//! | `state` | [`State`]: everything the workbench knows |
//! | `displayed_episode` | [`DisplayedEpisode`]: the episode on the screen |
//! | `compare`, `explanation`, `library`, `menu`, `overlay`, `replay`, `threshold_estimates`, `training_page` | parts of the state |
//! | `threshold_text`, `transcript` | thresholds in words; an episode as text |
//! | `handlers` | what actions and answers do to the state |
//! | `view` | [`View`] and the panes |
//! | `page`, `pages` | what a page is; the pages |
//! | `palette` | the list of the available actions |
//! | `actions` | the table of actions: names, keys, help, handlers |
//! | `update` | [`update`]: message by message |
//! | `cast_export` | [`write_asciicast`]: a replay as an asciicast |
//! | `svg_export` | [`replay_svg`]: a screen of a replay as a picture |
//! | `run` | the loop that connects terminal, session and state |

mod action;
mod actions;
mod active_routing;
mod cast_export;
mod compare;
mod displayed_episode;
mod explanation;
mod handlers;
mod job;
mod job_executor;
mod key;
mod keymap;
mod library;
mod menu;
mod message;
mod overlay;
mod page;
mod pages;
mod palette;
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

pub use action::{Action, ActionScope, ActionSpec, PageId};
pub use active_routing::{ActiveRouting, LoadedRouting};
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
pub use message::{Effect, Message, Scroll};
pub use overlay::{Overlay, Prompt, PromptKind};
pub use replay::{Replay, ReplayAction};
pub use run::{ExitReason, WorkbenchConfig, run};
pub use state::{InitialState, MINIMUM_SIZE, Notice, SessionStatus, State};
pub use svg_export::replay_svg;
pub use threshold_estimates::{ThresholdEstimates, ThresholdEstimatesState};
pub use training_page::{
    COLLECT_BATCH, TrainingAction, TrainingPage, TrainingProgress, TrainingUpdate,
};
pub use update::update;
pub use view::screen::View;
