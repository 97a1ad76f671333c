//! Whether another process has the store open.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Whether another holder has sled's advisory lock on the store in the folder `path`.
///
/// sled locks its file `db` for as long as the store is open, but reports a failure to do so as an error of kind
/// `Other`. So the operating system is asked instead.
pub(super) fn is_held_elsewhere(path: &Path) -> bool {
    let Ok(file) = File::open(path.join("db")) else { return false };
    // SAFETY: the descriptor belongs to `file`, which lives until the end of this function; closing it releases
    // the lock.
    let taken = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0;
    !taken && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_seen_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_held_elsewhere(folder.path()), "there is no store yet");
        let config = sled::Config::new().path(folder.path()).flush_every_ms(None);
        let db = config.open().unwrap();
        assert!(is_held_elsewhere(folder.path()));
        drop(db);
        assert!(!is_held_elsewhere(folder.path()));
        assert!(config.open().is_ok(), "the check leaves no lock");
    }
}
