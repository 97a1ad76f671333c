//! The terminal: entering and restoring it, and writing few bytes to it.
//!
//! | file | content |
//! |---|---|
//! | `screen` | [`Screen`]: enter, draw, suspend, restore; the panic hook |
//! | `descriptors` | redirection of standard output and error |
//! | `writer` | writes on a thread of its own, so that a terminal that stops reading blocks nobody |
//! | `backend` | a ratatui backend that writes nothing for an unchanged frame, and a writer that counts bytes |
//! | `clipboard` | [`Clipboard`]: copies text through the terminal |
//! | `pacing` | `Pacer`: when the next frame is due |
//! | `input`, `signals` | keys and signals for a `select!` |
//! | `size` | the part of the window that is drawn |

mod backend;
mod clipboard;
mod descriptors;
mod input;
mod pacing;
mod screen;
mod signals;
mod size;
mod writer;

pub(crate) use backend::{CountingWriter, DiffBackend};
pub use clipboard::{Clipboard, CopyError};
pub(crate) use descriptors::with_stdout_discarded;
pub(crate) use input::keyboard_events;
pub(crate) use pacing::Pacer;
pub use screen::{Screen, TerminalError};
pub(crate) use signals::{Signal, Signals};
pub(crate) use size::{clamp_size, window_size};
