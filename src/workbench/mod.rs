//! The workbench: one screen to watch an episode and to take the points.
//!
//! Data goes round one way: keys and the session's updates become [`Message`]s, [`update`] changes
//! the [`State`] and names [`Effect`]s, the run loop carries them out, and the [`View`] reads the
//! state. The state knows no view, and what is true of an episode it knows from its events only.
//!
//! | file | what is in it |
//! |---|---|
//! | `state` | [`State`]: what the screen is about |
//! | `actions` | the table of actions: keys, help, where they are valid |
//! | `key`, `keymap` | keys by name; those in force, with the user's |
//! | `update` | [`update`]: pure, message by message |
//! | `threshold` | its scale, and what the recordings say of it |
//! | `reasons` | how far each feature pushed |
//! | `compare` | forks, and another episode beside the one on the screen |
//! | `view` | the panes |
//! | `replay` | [`Replay`]: the same state, fed by a recording |
//! | `film` | [`film`]: a replay as an asciicast |
//! | `run` | the loop that binds them to terminal and session |

mod actions;
mod compare;
mod film;
mod key;
mod keymap;
mod reasons;
mod replay;
mod run;
mod state;
mod threshold;
mod update;
mod view;

pub use actions::{ACTIONS, Action, Place, Row};
pub use compare::Compare;
pub use film::film;
pub use key::Key;
pub use keymap::Keymap;
pub use reasons::{Boundary, Reasons};
pub use replay::{Order, Replay};
pub use run::{Ended, Explain, LookAhead, Session, Start, run};
pub use state::{Beginning, InFlight, Link, Notice, Overlay, Run, State};
pub use threshold::{Outlook, Outlooks};
pub use update::{Effect, Message, Scroll, update};
pub use view::{MINIMUM, View};
