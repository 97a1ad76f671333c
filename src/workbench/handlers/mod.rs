//! What actions and answers do to the state. Pure: no I/O, no clock.
//!
//! | file | what it changes |
//! |---|---|
//! | `notices` | the line at the foot of the screen |
//! | `display` | which episode is on the screen |
//! | `episode` | the running episode: questions, overrides, pauses |
//! | `session` | updates from the session |
//! | `navigation` | selection, scrolling, pages, help |
//! | `threshold` | the threshold |
//! | `library` | the list of stored episodes, and what is opened from it |
//! | `replay` | a recording in place of a session |
//! | `compare`, `fork` | the comparison of two episodes; the start of a fork |
//! | `menu`, `prompt` | lists to choose from; lines that are typed |
//! | `training_page` | training, calibration, promotion |
//! | `explanation` | the contributions of the features |

pub(super) mod compare;
pub(super) mod display;
pub(super) mod episode;
pub(super) mod explanation;
pub(super) mod fork;
pub(super) mod library;
pub(super) mod menu;
pub(super) mod navigation;
pub(super) mod notices;
pub(super) mod prompt;
pub(super) mod replay;
pub(super) mod session;
pub(super) mod threshold;
pub(super) mod training_page;
