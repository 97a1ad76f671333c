//! The panes. They read the state and the theme, and keep only what is expensive to compute.
//!
//! | file | what it draws |
//! |---|---|
//! | `screen` | [`screen::View`]: a whole frame |
//! | `episode` | the panes of an episode: `question`, `trace`, `routing`, `budget`, `why` |
//! | `library`, `training_page` | the other pages |
//! | `status`, `live_status`, `replay_status` | the status line and the hints |
//! | `overlay`, `compare`, `curve`, `menu`, `user_score` | what lies over the page |
//! | `render_context`, `text` | theme, characters, text in columns |

mod budget;
mod compare;
mod curve;
pub(super) mod episode;
pub(super) mod library;
pub(super) mod live_status;
mod menu;
mod overlay;
mod question;
pub(super) mod render_context;
pub(super) mod replay_status;
mod routing;
pub(super) mod screen;
mod status;
pub(super) mod text;
mod trace;
pub(super) mod training_page;
mod user_score;
mod why;
