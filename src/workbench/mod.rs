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
//! | `onscreen` | [`Run`]: an episode on the screen |
//! | `compare`, `outlook`, `reasons`, `replay` | parts of the state: another episode, what recordings say, pushes, a recording |
//! | `estimates` | thresholds in words |
//! | `library` | the list of stored episodes |
//! | `school` | retraining and calibration |
//! | `menu` | a list to choose from |
//! | `errand`, `desk` | [`Errand`]: work beside the loop; [`Desk`]: who does it |
//! | `actions`, `offers` | the table of actions; what can be done now, and why not |
//! | `key`, `keymap` | keys by name; those in force, with the user's |
//! | `update` | [`update`]: pure, message by message |
//! | `view` | the panes |
//! | `film` | [`film`]: a replay as an asciicast |
//! | `run` | the loop that binds them to terminal and session |

mod actions;
mod compare;
mod desk;
mod errand;
mod estimates;
mod film;
mod key;
mod keymap;
mod library;
mod menu;
mod message;
mod offers;
mod onscreen;
mod outlook;
mod reasons;
mod replay;
mod run;
mod school;
mod state;
mod transcript;
mod update;
mod view;

pub use actions::{ACTIONS, Action, Mode, Place, Row};
pub use compare::Compare;
pub use desk::{Desk, NoDesk, Session};
pub use errand::{Change, Errand, Purpose};
pub use film::film;
pub use key::Key;
pub use keymap::Keymap;
pub use library::{Deed, Library, Listed, Sought, Stretch};
pub use menu::{Item, List, Menu, Pick};
pub use message::{Chosen, Effect, Message, Scroll};
pub use onscreen::{InFlight, Run};
pub use outlook::{Outlook, Outlooks};
pub use reasons::{Boundary, Reasons};
pub use replay::{Order, Replay};
pub use run::{Ended, Start, run};
pub use school::{Beside, COLLECTED, Doing, Lesson, Newcomer, News, Reached, School};
pub use state::{Asked, Beginning, Link, MINIMUM, Notice, Overlay, Page, Prompt, State};
pub use update::update;
pub use view::View;
