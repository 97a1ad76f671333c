//! The keyboard, as something that a `select!` can wait for.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Keys, pastes and resizes, read on the thread that draws: another between them would have to wait for a
/// processor of its own while models keep all of them busy.
pub struct Keyboard {
    terminal: AsyncFd<OwnedFd>,
}

impl Keyboard {
    /// Listens to standard input, a terminal in raw mode. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system cannot wait for it.
    pub fn listen() -> io::Result<Self> {
        // Events that are here already are found at the first look.
        let terminal = io::stdin().as_fd().try_clone_to_owned()?;
        // SAFETY: a descriptor that is owned stays open, and the same, for as long as it is.
        let terminal = unsafe { AsyncFd::register_with_interest(terminal, Interest::READABLE) };
        Ok(Self { terminal: terminal? })
    }

    /// Waits until there is something, and gives all of it, which may be nothing: half a sequence. Dropping the
    /// future loses nothing.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn next(&mut self) -> io::Result<Vec<Event>> {
        let mut ready = self.terminal.readable().await?;
        let is_gone = ready.ready().is_read_closed();
        ready.clear_ready();
        if is_gone {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        waiting()
    }
}

/// The events that are here; a resize is one of them.
///
/// # Errors
/// When the terminal cannot be read.
fn waiting() -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    while event::poll(Duration::ZERO)? {
        events.push(event::read()?);
    }
    Ok(events)
}
