//! Writes to the terminal on a thread of its own: a terminal that stops reading, such as that of a sleeping laptop
//! behind SSH, blocks nobody but this thread.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How often the thread looks whether its bytes are still wanted while the terminal takes none, in milliseconds.
const POLL_MS: libc::c_int = 50;

/// Queues bytes for the terminal. Clones share the queue; the thread ends when the last one is dropped.
#[derive(Clone)]
pub(super) struct TerminalWriter {
    shared: Arc<Shared>,
    /// Closes the queue when the last clone is dropped.
    _open: Arc<OpenQueue>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// The queue has bytes, or is closed.
    filled: Condvar,
    /// All bytes are written, or an error occurred.
    emptied: Condvar,
    /// As `emptied`, for the event loop.
    emptied_async: Notify,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    /// Whether the thread has taken bytes that it has not written.
    is_writing: bool,
    /// Whether the bytes that the thread has taken are to be dropped.
    discards: bool,
    is_closed: bool,
    error: Option<io::Error>,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.is_writing
    }
}

struct OpenQueue(Arc<Shared>);

impl Drop for OpenQueue {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.filled.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is queued until the queue is closed.
    fn serve(&self, terminal: &File) {
        loop {
            let mut queue = self.lock();
            while queue.bytes.is_empty() && !queue.is_closed {
                queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if queue.bytes.is_empty() {
                return;
            }
            let bytes = std::mem::take(&mut queue.bytes);
            queue.is_writing = true;
            drop(queue);
            let written = write_unless(terminal, &bytes, || self.lock().discards);
            let mut queue = self.lock();
            queue.is_writing = false;
            queue.discards = false;
            queue.error = written.err().or(queue.error.take());
            drop(queue);
            self.emptied.notify_all();
            self.emptied_async.notify_one();
        }
    }
}

impl TerminalWriter {
    /// Starts the thread that writes to `terminal`.
    ///
    /// # Errors
    /// If the system cannot start a thread or has no descriptor left.
    pub(super) fn start(terminal: File) -> io::Result<Self> {
        let terminal = reopen_nonblocking(&terminal).unwrap_or(terminal);
        let shared = Arc::<Shared>::default();
        let served = Arc::clone(&shared);
        thread::Builder::new()
            .name("pointsman-screen".into())
            .spawn(move || served.serve(&terminal))?;
        let open = Arc::new(OpenQueue(Arc::clone(&shared)));
        Ok(Self { shared, _open: open })
    }

    /// Whether the terminal has taken everything, so that more can be drawn. Also after an error, which the next
    /// write returns.
    pub(super) fn is_ready(&self) -> bool {
        let queue = self.shared.lock();
        queue.is_empty() || queue.error.is_some()
    }

    /// Returns when [`Self::is_ready`] may have become true.
    pub(super) async fn wait_until_ready(&self) {
        self.shared.emptied_async.notified().await;
    }

    /// Waits until everything is written, at most for `timeout`. Returns whether it is.
    pub(super) fn wait_until_written(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut queue = self.shared.lock();
        while !queue.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.emptied.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Drops all bytes that the terminal has not taken.
    pub(super) fn discard(&self) {
        let mut queue = self.shared.lock();
        queue.bytes.clear();
        queue.discards = queue.is_writing;
    }
}

impl Write for TerminalWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut queue = self.shared.lock();
        if let Some(error) = queue.error.take() {
            return Err(error);
        }
        queue.bytes.extend_from_slice(bytes);
        drop(queue);
        self.shared.filled.notify_all();
        Ok(bytes.len())
    }

    /// Does not wait: see [`TerminalWriter::wait_until_written`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same terminal with an open file description of its own, which can be non-blocking without a change for other
/// programs. `None` if the system does not name the terminal: writes then block the thread.
fn reopen_nonblocking(terminal: &File) -> Option<File> {
    let path = terminal_path(terminal.as_fd())?;
    let options = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path)
        .ok()?;
    // In a container the name may be that of another terminal.
    let (same, other) = (terminal.metadata().ok()?, options.metadata().ok()?);
    let is_same = same.file_type().is_char_device() && same.rdev() == other.rdev();
    is_same.then_some(options)
}

fn terminal_path(terminal: BorrowedFd<'_>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let mut name = vec![0_u8; 256];
    // SAFETY: the pointer is to as many bytes as the length says.
    let failed =
        unsafe { libc::ttyname_r(terminal.as_raw_fd(), name.as_mut_ptr().cast(), name.len()) != 0 };
    if failed {
        return None;
    }
    name.truncate(name.iter().position(|byte| *byte == 0)?);
    Some(PathBuf::from(std::ffi::OsString::from_vec(name)))
}

/// Writes the bytes, and waits while the terminal takes none; returns early if `is_unwanted`.
fn write_unless(
    mut terminal: &File,
    mut bytes: &[u8],
    is_unwanted: impl Fn() -> bool,
) -> io::Result<()> {
    while !bytes.is_empty() && !is_unwanted() {
        match terminal.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut wanted =
                    libc::pollfd { fd: terminal.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
                // SAFETY: a pointer to one valid structure. The next write shows whether the terminal is ready.
                unsafe { libc::poll(&raw mut wanted, 1, POLL_MS) };
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, Read};
    use std::os::fd::OwnedFd;

    use super::*;

    /// Both ends of a pipe; the writing end does not block.
    fn pipe() -> (PipeReader, File) {
        let (reader, writer) = std::io::pipe().unwrap();
        // SAFETY: changes a flag of a descriptor that is open.
        let changed = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        assert_eq!(changed, 0);
        (reader, OwnedFd::from(writer).into())
    }

    #[test]
    fn a_terminal_that_does_not_read_blocks_nobody() {
        let (mut reader, writer) = pipe();
        let mut terminal = TerminalWriter::start(writer).unwrap();
        // More than a pipe takes.
        terminal.write_all(&vec![b'x'; 1 << 20]).unwrap();
        terminal.write_all(b"more").unwrap();
        assert!(!terminal.is_ready());
        assert!(!terminal.wait_until_written(Duration::from_millis(1)));
        terminal.discard();
        assert!(terminal.wait_until_written(Duration::from_secs(60)));
        // What comes after is written once there is room.
        terminal.write_all(b"restored").unwrap();
        drop(terminal);
        let mut text = Vec::new();
        reader.read_to_end(&mut text).unwrap();
        assert!(text.len() < 1 << 20 && text.ends_with(b"xrestored"), "{}", text.len());
    }

    #[test]
    fn an_error_is_returned_by_the_next_write() {
        let (reader, writer) = pipe();
        drop(reader);
        let mut terminal = TerminalWriter::start(writer).unwrap();
        terminal.write_all(b"lost").unwrap();
        assert!(terminal.wait_until_written(Duration::from_secs(60)));
        assert!(terminal.is_ready());
        let error = terminal.write_all(b"more").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
