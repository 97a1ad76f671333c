//! Ends a long command soon after the reader of its standard output has gone, as after `| head -1`.
//!
//! A command that only prints at its end would notice after hours. A thread waits for the other end of the pipe to be
//! closed. Commands look at [`is_gone`] where they can stop in order; what lasts longer than [`GRACE`], such as the
//! loading of a model, ends with the process, which the store survives.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::stdio::note;
use crate::engine::Flow;

/// How long a command may take to stop in order.
const GRACE: Duration = Duration::from_secs(2);

static READER_IS_GONE: AtomicBool = AtomicBool::new(false);

/// Starts to watch standard output, if it is a pipe or a socket. A command that does not stop by itself ends with
/// `exit_code`.
pub(super) fn start(exit_code: u8) {
    // Not the descriptor itself, which is redirected while models are loaded.
    let Ok(output) = io::stdout().as_fd().try_clone_to_owned() else { return };
    if !has_reader(&output) {
        return;
    }
    // Without the thread, the next write notices that the reader has gone.
    let _ = thread::Builder::new().name("pointsman-output".into()).spawn(move || {
        if wait_for_hang_up(&output).is_ok() {
            READER_IS_GONE.store(true, Ordering::Relaxed);
            thread::sleep(GRACE);
            report(exit_code);
            // SAFETY: ends the process, as a signal would.
            unsafe { libc::_exit(exit_code.into()) };
        }
    });
}

/// Whether the reader of standard output is known to have gone.
pub(super) fn is_gone() -> bool {
    READER_IS_GONE.load(Ordering::Relaxed)
}

/// Says that a command whose purpose is not what it prints is incomplete.
pub(super) fn report(exit_code: u8) {
    if exit_code != 0 {
        note!(
            "pointsman: stopped before the end, because the reader of standard output has closed it: run the command again to continue"
        );
    }
}

/// For callbacks of long work: cancels it once the reader has gone.
pub(super) fn flow() -> Flow {
    if is_gone() { Flow::Cancel } else { Flow::Continue }
}

/// Whether another process reads what is written to `output`. A terminal does not count: its end is a signal, which
/// `nohup` may have turned off.
fn has_reader(output: &OwnedFd) -> bool {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `fstat` fills the whole structure if it returns 0.
    let status = unsafe {
        if libc::fstat(output.as_raw_fd(), status.as_mut_ptr()) != 0 {
            return false;
        }
        status.assume_init()
    };
    matches!(status.st_mode & libc::S_IFMT, libc::S_IFIFO | libc::S_IFSOCK)
}

/// Returns when the other end of a pipe or socket is closed.
///
/// # Errors
/// If the system cannot watch it.
fn wait_for_hang_up(output: &OwnedFd) -> io::Result<()> {
    let mut watched = libc::pollfd { fd: output.as_raw_fd(), events: 0, revents: 0 };
    loop {
        // SAFETY: a pointer to one valid structure.
        if unsafe { libc::poll(&raw mut watched, 1, -1) } >= 0 {
            // Errors and hang-ups are reported without being asked for.
            let is_closed = watched.revents & (libc::POLLERR | libc::POLLHUP) != 0;
            return if is_closed { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) };
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
