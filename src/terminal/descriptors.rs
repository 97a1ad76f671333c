//! Redirection of standard output and error, because dependencies print: to the log while the screen is active, and
//! away from the results of a command.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use crate::private_file::append_private;

/// The saved descriptors of the process; dropping it restores them.
pub(super) struct SavedDescriptors {
    out: OwnedFd,
    err: OwnedFd,
}

impl SavedDescriptors {
    /// Redirects standard output and error to the file `log`.
    ///
    /// # Errors
    /// If the log cannot be opened, or the system has no descriptor left.
    pub(super) fn redirect_to_log(log: &Path) -> io::Result<Self> {
        let file = append_private(log)?;
        io::stdout().flush()?;
        let saved = Self { out: copy(libc::STDOUT_FILENO)?, err: copy(libc::STDERR_FILENO)? };
        redirect(file.as_raw_fd(), libc::STDOUT_FILENO)?;
        redirect(file.as_raw_fd(), libc::STDERR_FILENO)?;
        Ok(saved)
    }

    /// A copy of the terminal's descriptor, for drawing.
    pub(super) fn terminal(&self) -> io::Result<OwnedFd> {
        self.out.try_clone()
    }
}

impl Drop for SavedDescriptors {
    fn drop(&mut self) {
        // Text printed so far belongs in the log. Errors cannot be reported here.
        let _ = io::stdout().flush();
        let _ = redirect(self.out.as_raw_fd(), libc::STDOUT_FILENO);
        let _ = redirect(self.err.as_raw_fd(), libc::STDERR_FILENO);
    }
}

/// Runs `work` while what it prints to standard output is discarded. Loading a model prints there, which is for results
/// only, and panics if it cannot: standard error may be closed or full.
///
/// # Errors
/// If the descriptors cannot be copied.
pub(crate) fn with_stdout_discarded<T>(work: impl FnOnce() -> T) -> io::Result<T> {
    let nowhere = OpenOptions::new().write(true).open("/dev/null")?;
    io::stdout().flush()?;
    let _redirected = RedirectedStdout { saved: copy(libc::STDOUT_FILENO)? };
    redirect(nowhere.as_raw_fd(), libc::STDOUT_FILENO)?;
    Ok(work())
}

/// Dropping it restores standard output, also after a panic.
struct RedirectedStdout {
    saved: OwnedFd,
}

impl Drop for RedirectedStdout {
    fn drop(&mut self) {
        // An incomplete line does not belong to the results.
        let _ = io::stdout().flush();
        let _ = redirect(self.saved.as_raw_fd(), libc::STDOUT_FILENO);
    }
}

fn copy(of: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: `fcntl` accepts any number and reports an invalid one; the copy has no other owner.
    unsafe {
        let fd = libc::fcntl(of, libc::F_DUPFD_CLOEXEC, 3);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

fn redirect(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: `to` is one of the standard descriptors, which no Rust value owns.
    if unsafe { libc::dup2(from, to) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
