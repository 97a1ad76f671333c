//! Where standard output and error go, since dependencies print: to the log while the screen is up,
//! and nowhere near a command's results.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

/// The process's own descriptors, put aside; dropping it brings them back.
pub(super) struct SavedDescriptors {
    out: OwnedFd,
    err: OwnedFd,
}

impl SavedDescriptors {
    /// Sends standard output and error to the file `log`.
    ///
    /// # Errors
    /// When the log takes no more text, or the system has no descriptor left; nothing is changed
    /// then.
    pub(super) fn redirect_to_log(log: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        io::stdout().flush()?;
        let aside = Self { out: copy(libc::STDOUT_FILENO)?, err: copy(libc::STDERR_FILENO)? };
        redirect(file.as_raw_fd(), libc::STDOUT_FILENO)?;
        redirect(file.as_raw_fd(), libc::STDERR_FILENO)?;
        Ok(aside)
    }

    /// A copy of the terminal's descriptor, to draw to.
    pub(super) fn terminal(&self) -> io::Result<OwnedFd> {
        self.out.try_clone()
    }
}

impl Drop for SavedDescriptors {
    fn drop(&mut self) {
        // What was printed so far belongs to the log, not to the screen. There is nobody left to
        // tell of an error.
        let _ = io::stdout().flush();
        let _ = redirect(self.out.as_raw_fd(), libc::STDOUT_FILENO);
        let _ = redirect(self.err.as_raw_fd(), libc::STDERR_FILENO);
    }
}

/// Runs `work` with standard output sent to standard error: loading a model prints there, and
/// standard output is for results only.
///
/// # Errors
/// When the descriptors cannot be copied.
pub fn with_stdout_to_stderr<T>(work: impl FnOnce() -> T) -> io::Result<T> {
    io::stdout().flush()?;
    let saved = copy(libc::STDOUT_FILENO)?;
    redirect(libc::STDERR_FILENO, libc::STDOUT_FILENO)?;
    let result = work();
    io::stdout().flush()?;
    redirect(saved.as_raw_fd(), libc::STDOUT_FILENO)?;
    Ok(result)
}

fn copy(of: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: `fcntl` takes any number and reports a bad one; the copy has no other owner.
    unsafe {
        let fd = libc::fcntl(of, libc::F_DUPFD_CLOEXEC, 3);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

fn redirect(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: `to` is one of the standard descriptors, which no Rust value owns.
    if unsafe { libc::dup2(from, to) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
