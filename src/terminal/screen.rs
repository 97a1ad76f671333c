//! The screen: taken at the start, given back at the end, in whatever way the end comes.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};
use ratatui::{Frame, Terminal};
use thiserror::Error;

use super::backend::{CountingWriter, DiffBackend};
use super::descriptors::SavedDescriptors;

/// Why there is no screen.
#[derive(Debug, Error)]
pub enum TerminalError {
    #[error(
        "the workbench needs a terminal: use `pointsman run` for output without one, or `ssh -t` to get one"
    )]
    NoTerminal,
    #[error("the terminal cannot be used: {0}")]
    Io(#[from] io::Error),
    #[error("what is printed cannot be sent to the log {0}: {1}")]
    Log(String, io::Error),
}

crate::exit::classify!(Failure: TerminalError);

/// The terminal while it is ours: alternate screen, raw mode, bracketed paste, no cursor; standard
/// output and error go to the log. Dropping it gives everything back.
pub struct Screen {
    terminal: Terminal<DiffBackend<CountingWriter<File>>>,
    bytes_written: Arc<AtomicU64>,
}

/// What is needed to give the terminal back, from whichever place that happens.
struct ActiveTerminal {
    terminal: File,
    /// Dropped after the modes are left.
    _aside: SavedDescriptors,
    /// The thread that draws: a panic elsewhere does not end the screen.
    owner: ThreadId,
}

static ACTIVE_TERMINAL: Mutex<Option<ActiveTerminal>> = Mutex::new(None);
static PANIC_HOOK: Once = Once::new();

impl Screen {
    /// Takes the terminal; what this process prints from now on goes to `log`.
    ///
    /// # Errors
    /// When there is none, or it refuses; it is as it was then.
    pub fn enter(log: &Path) -> Result<Self, TerminalError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(TerminalError::NoTerminal);
        }
        PANIC_HOOK.call_once(restore_at_panic);
        let aside = SavedDescriptors::redirect_to_log(log)
            .map_err(|error| TerminalError::Log(log.display().to_string(), error))?;
        let output = File::from(aside.terminal()?);
        let meter = CountingWriter::new(output.try_clone()?);
        let active =
            ActiveTerminal { terminal: output, _aside: aside, owner: thread::current().id() };
        *lock() = Some(active);
        let bytes_written = meter.counter();
        let screen = enter_modes()
            .and_then(|()| Terminal::new(DiffBackend::new(meter)))
            .map(|terminal| Self { terminal, bytes_written });
        screen.map_err(|error| {
            restore();
            error.into()
        })
    }

    /// Draws a frame; one that changes nothing writes nothing.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(render).map(|_| ())
    }

    /// Sends the terminal something that draws nothing, between two frames.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn write_sequence(&mut self, sequence: &str) -> io::Result<()> {
        let backend = self.terminal.backend_mut();
        backend.write_all(sequence.as_bytes())?;
        Write::flush(backend)
    }

    /// Gives the terminal back, stops the process until a shell continues it (inference stops with
    /// it), and takes the terminal again.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn suspend(&mut self) -> io::Result<()> {
        leave_modes();
        // SAFETY: raises a signal in this thread, which is stopped before the call returns; a
        // signal to the process could arrive after the terminal is taken again.
        unsafe { libc::raise(libc::SIGTSTP) };
        self.reacquire()
    }

    /// Sets the terminal's modes anew and draws everything at the next frame: after a stop, the
    /// terminal may have been used by others.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn reacquire(&mut self) -> io::Result<()> {
        // crossterm believes itself in raw mode, and would do nothing.
        let _ = disable_raw_mode();
        enter_modes()?;
        self.terminal.clear()
    }

    /// Bytes written to the terminal by frames and [`Self::write_sequence`].
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written.load(Ordering::Relaxed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn lock() -> std::sync::MutexGuard<'static, Option<ActiveTerminal>> {
    ACTIVE_TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn enter_modes() -> io::Result<()> {
    enable_raw_mode()?;
    match lock().as_ref() {
        Some(active) => {
            execute!(&active.terminal, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
        }
        None => Ok(()),
    }
}

/// Leaves all modes, ignoring errors: there may be no terminal any more.
fn leave_modes() {
    if let Some(mut active) = lock().as_ref().map(|active| &active.terminal) {
        let _ = execute!(
            active,
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        );
    }
    let _ = disable_raw_mode();
}

/// Gives the terminal and the standard descriptors back; does nothing the second time.
fn restore() {
    if lock().is_some() {
        leave_modes();
        *lock() = None;
    }
}

/// Puts a hook before the one in force: it logs, restores the terminal, and lets the other print.
fn restore_at_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        tracing::error!("{panic}");
        let owner = lock().as_ref().map(|active| active.owner);
        if owner == Some(thread::current().id()) {
            restore();
        }
        print(panic);
    }));
}
