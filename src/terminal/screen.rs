//! The screen: entered at the start, and restored however the program ends.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsRawFd;
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

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
use super::writer::TerminalWriter;

/// Why the screen cannot be used.
#[derive(Debug, Error)]
pub enum TerminalError {
    /// Standard input or output is not a terminal.
    #[error(
        "the workbench needs a terminal: use `pointsman run` for output without one, or `ssh -t` to get a terminal"
    )]
    NoTerminal,
    /// The terminal rejects a mode or a write.
    #[error("the terminal cannot be used: {0}")]
    Io(#[from] io::Error),
    /// The log cannot be opened.
    #[error(
        "cannot open the log {0}: {1}; make it writable, or set POINTSMAN_HOME to another folder"
    )]
    Log(String, io::Error),
}

crate::exit::classify!(Failure: TerminalError);

/// The terminal in use: alternate screen, raw mode, bracketed paste, hidden cursor; standard output and error go to the
/// log. Dropping it restores everything.
pub struct Screen {
    terminal: Terminal<DiffBackend<CountingWriter<TerminalWriter>>>,
    writer: TerminalWriter,
    bytes_written: Arc<AtomicU64>,
}

/// What is needed to restore the terminal from anywhere, including the panic hook.
struct ActiveTerminal {
    terminal: File,
    writer: TerminalWriter,
    /// Dropped after the modes are reset.
    _saved: SavedDescriptors,
    /// The thread that draws. A panic in another thread does not restore the terminal.
    owner: ThreadId,
}

/// How long a terminal may take to read what restores it.
const PATIENCE: Duration = Duration::from_secs(1);

static ACTIVE_TERMINAL: Mutex<Option<ActiveTerminal>> = Mutex::new(None);
static PANIC_HOOK: Once = Once::new();

impl Screen {
    /// Enters the screen. Everything that the process prints from now on goes to `log`.
    ///
    /// # Errors
    /// If there is no terminal or it cannot be used; it is then unchanged.
    pub fn enter(log: &Path) -> Result<Self, TerminalError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(TerminalError::NoTerminal);
        }
        PANIC_HOOK.call_once(restore_at_panic);
        let saved = SavedDescriptors::redirect_to_log(log)
            .map_err(|error| TerminalError::Log(log.display().to_string(), error))?;
        let terminal = File::from(saved.terminal()?);
        let writer = TerminalWriter::start(terminal.try_clone()?)?;
        let owner = thread::current().id();
        *lock() = Some(ActiveTerminal { terminal, writer: writer.clone(), _saved: saved, owner });
        let counting = CountingWriter::new(writer.clone());
        let bytes_written = counting.counter();
        let screen = enter_modes()
            .and_then(|()| Terminal::new(DiffBackend::new(counting)))
            .map(|terminal| Self { terminal, writer, bytes_written });
        screen.map_err(|error| {
            restore();
            error.into()
        })
    }

    /// Whether the terminal has taken what was drawn before. Until then, a frame would only wait behind others.
    pub(crate) fn is_ready(&self) -> bool {
        self.writer.is_ready()
    }

    /// Returns when [`Self::is_ready`] may have become true.
    pub(crate) async fn wait_until_ready(&self) {
        self.writer.wait_until_ready().await;
    }

    /// Draws a frame. An unchanged frame writes nothing. It does not wait for the terminal.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(render).map(|_| ())
    }

    /// Writes an escape sequence that draws nothing, between two frames.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write_sequence(&mut self, sequence: &str) -> io::Result<()> {
        let backend = self.terminal.backend_mut();
        backend.write_all(sequence.as_bytes())?;
        Write::flush(backend)
    }

    /// Restores the terminal, stops the process (including inference) until the shell continues it, and enters the
    /// screen again.
    ///
    /// # Errors
    /// If the screen cannot be entered again.
    pub fn suspend(&mut self) -> io::Result<()> {
        leave_modes();
        stop_process();
        self.reacquire()
    }

    /// Sets the terminal's modes again and redraws everything in the next frame, because other programs may have used the
    /// terminal while the process was stopped.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn reacquire(&mut self) -> io::Result<()> {
        // crossterm would do nothing, because it assumes that raw mode is still set.
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
    match lock().as_mut() {
        Some(active) => {
            execute!(active.writer, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
        }
        None => Ok(()),
    }
}

/// Resets all modes. Errors are ignored, because the terminal may be gone. Returns whether the terminal reads.
fn leave_modes() -> bool {
    let reads = lock().as_mut().is_none_or(ActiveTerminal::reset_modes);
    let _ = disable_raw_mode();
    reads
}

impl ActiveTerminal {
    /// Resets the modes, or gives up if the terminal does not read. Returns whether it reads.
    fn reset_modes(&mut self) -> bool {
        self.write_reset();
        if self.writer.wait_until_written(PATIENCE) {
            return true;
        }
        // There is room for this sequence once the frames before it are dropped, here and in the system's buffer.
        self.writer.discard();
        // SAFETY: drops output of this descriptor; an error leaves it as it was.
        unsafe { libc::tcflush(self.terminal.as_raw_fd(), libc::TCOFLUSH) };
        self.write_reset();
        self.writer.wait_until_written(PATIENCE);
        false
    }

    fn write_reset(&mut self) {
        let _ = execute!(
            self.writer,
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        );
    }
}

/// Stops the process as Ctrl-Z does for a program without a handler, until it is continued. Returns at once if there
/// is no shell that could continue it.
fn stop_process() {
    // SAFETY: the handler is put back after the signal, which stops this thread before `raise` returns. A signal to
    // the process could arrive after the screen is entered again.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut handler: libc::sigaction = std::mem::zeroed();
        let is_replaced = libc::sigaction(libc::SIGTSTP, &raw const default, &raw mut handler) == 0;
        libc::raise(libc::SIGTSTP);
        if is_replaced {
            libc::sigaction(libc::SIGTSTP, &raw const handler, std::ptr::null_mut());
        }
    }
}

/// Restores the terminal and the standard descriptors; does nothing the second time. Returns whether the terminal
/// reads.
fn restore() -> bool {
    if lock().is_none() {
        return true;
    }
    let reads = leave_modes();
    *lock() = None;
    reads
}

/// Installs a panic hook that logs the panic, restores the terminal, and calls the previous hook.
fn restore_at_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        tracing::error!("{panic}");
        let owner = lock().as_ref().map(|active| active.owner);
        // A message to a terminal that does not read would wait for ever.
        if owner != Some(thread::current().id()) || restore() {
            print(panic);
        }
    }));
}
