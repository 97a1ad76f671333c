//! What dependencies print, and where it goes.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use crate::config::Folders;

/// Opens the log and sends all tracing there. Returns its path; `/dev/null` where the folder takes
/// no file, since a missing log is no reason not to work.
///
/// # Errors
/// When not even that can be opened.
pub fn log(folders: &Folders) -> std::io::Result<PathBuf> {
    let wanted = folders.state.join("pointsman.log");
    let open = |path: &PathBuf| OpenOptions::new().create(true).append(true).open(path);
    let _ = std::fs::create_dir_all(&folders.state);
    let (path, file) = match open(&wanted) {
        Ok(file) => (wanted, file),
        Err(_) => {
            let nowhere = PathBuf::from("/dev/null");
            let file = open(&nowhere)?;
            (nowhere, file)
        }
    };
    // mistral.rs warns at every restart of its engine; there is one after each episode.
    let filter = EnvFilter::try_from_env("POINTSMAN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("error,pointsman=info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    // Only a second call in one process can fail here, and then the first one stands.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(path)
}

/// Runs `work` with standard output sent to standard error: loading a model prints there, and
/// standard output is for results only.
///
/// # Errors
/// When the descriptors cannot be copied.
pub fn quiet<T>(work: impl FnOnce() -> T) -> std::io::Result<T> {
    std::io::stdout().flush()?;
    let out = std::io::stdout().as_raw_fd();
    // SAFETY: `dup` takes any number and reports a bad one; the copy is owned by nobody else.
    let saved = unsafe {
        let copy = libc::dup(out);
        if copy < 0 {
            return Err(std::io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(copy)
    };
    redirect(std::io::stderr().as_raw_fd(), out)?;
    let result = work();
    std::io::stdout().flush()?;
    redirect(saved.as_raw_fd(), out)?;
    Ok(result)
}

fn redirect(from: i32, to: i32) -> std::io::Result<()> {
    // SAFETY: both are open descriptors of this process; `dup2` closes nothing that Rust owns, since
    // `to` is standard output, which has no owner.
    if unsafe { libc::dup2(from, to) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}
