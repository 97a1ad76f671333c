//! The lock of the process that writes to a store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time between two attempts.
const RETRY: Duration = Duration::from_millis(20);

/// Held by the one process that writes; released when dropped, and when the process ends.
pub(super) struct ProcessLock {
    _file: File,
}

/// Why there is no lock.
pub(super) enum LockError {
    /// The process that has it, as it describes itself.
    Held(String),
    Io(io::Error),
}

impl ProcessLock {
    /// Locks the file `path`. If another process has the lock, calls `waiting` once with its description and waits
    /// up to `wait` for it.
    ///
    /// # Errors
    /// [`LockError::Held`] if the other process keeps the lock, [`LockError::Io`] if the disk refuses.
    pub(super) fn acquire(
        path: &Path,
        wait: Duration,
        waiting: &dyn Fn(&str),
    ) -> Result<Self, LockError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(LockError::Io)?;
        let deadline = Instant::now() + wait;
        let mut reported = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(LockError::Held(holder(path)));
                }
                Err(TryLockError::WouldBlock) => {
                    if !std::mem::replace(&mut reported, true) {
                        waiting(&holder(path));
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
        // The description only serves a message, so it may fail on a full disk.
        let description = format!("process {}", std::process::id());
        let _ = file.set_len(0).and_then(|()| file.write_all(description.as_bytes()));
        Ok(Self { _file: file })
    }

    /// Whether a process has the lock.
    pub(super) fn is_held(path: &Path) -> bool {
        File::open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// The description of the process that has the lock.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_string(&mut text));
    if read.is_ok() && text.starts_with("process ") { text } else { "another process".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_waits_and_is_then_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!ProcessLock::is_held(&path));
        let first = ProcessLock::acquire(&path, Duration::ZERO, &|_| {}).ok().unwrap();
        assert!(ProcessLock::is_held(&path));
        let reported = std::cell::RefCell::new(Vec::new());
        let report = |holder: &str| reported.borrow_mut().push(holder.to_owned());
        let second = ProcessLock::acquire(&path, RETRY * 3, &report);
        let expected = format!("process {}", std::process::id());
        assert!(matches!(second, Err(LockError::Held(holder)) if holder == expected));
        assert_eq!(*reported.borrow(), [expected]);
        drop(first);
        assert!(ProcessLock::acquire(&path, Duration::ZERO, &|_| {}).is_ok());
    }
}
