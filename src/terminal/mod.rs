//! The terminal: taking it, giving it back whatever happens, and writing to it sparingly.
//!
//! | file | what is in it |
//! |---|---|
//! | `screen` | [`Screen`]: enter, draw, suspend, restore; the panic hook |
//! | `descriptors` | where standard output and error go |
//! | `backend` | a ratatui backend that writes nothing for an unchanged frame, and counts bytes |
//! | `clipboard` | [`Clipboard`]: copies through the terminal |
//! | `pacing` | [`Pacer`]: when the next frame is due |
//! | `input`, `signals` | keys and signals as channels that a `select!` can wait for |

mod backend;
mod clipboard;
mod descriptors;
mod input;
mod pacing;
mod screen;
mod signals;

pub use backend::{CountingWriter, DiffBackend};
pub use clipboard::{Clipboard, CopyError};
pub use descriptors::with_stdout_to_stderr;
pub use input::keyboard_events;
pub use pacing::Pacer;
pub use screen::{Screen, TerminalError};
pub use signals::{Signal, Signals};
