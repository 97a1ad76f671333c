//! The terminal: entering and restoring it, and writing few bytes to it.
//!
//! | file | content |
//! |---|---|
//! | `screen` | [`Screen`]: enter, draw, suspend, restore; the panic hook |
//! | `descriptors` | redirection of standard output and error |
//! | `backend` | a ratatui backend that writes nothing for an unchanged frame, and a writer that counts bytes |
//! | `clipboard` | [`Clipboard`]: copies text through the terminal |
//! | `pacing` | `Pacer`: when the next frame is due |
//! | `input`, `signals` | keys and signals for a `select!` |

mod backend;
mod clipboard;
mod descriptors;
mod input;
mod pacing;
mod screen;
mod signals;

pub(crate) use backend::{CountingWriter, DiffBackend};
pub use clipboard::{Clipboard, CopyError};
pub(crate) use descriptors::with_stdout_to_stderr;
pub(crate) use input::keyboard_events;
pub(crate) use pacing::Pacer;
pub use screen::{Screen, TerminalError};
pub(crate) use signals::{Signal, Signals};
