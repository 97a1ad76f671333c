//! Signals for a `select!`.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{self, SignalKind, signal};

/// A signal that affects the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A signal that would end the process: restore the terminal and exit.
    Terminate,
    /// SIGTSTP from another process: restore the terminal and stop.
    Suspend,
    /// SIGCONT: the process was stopped, and other programs may have used the terminal.
    Continued,
}

/// Receives signals, which then have no other effect.
pub(crate) struct Signals(Vec<(unix::Signal, Signal)>);

impl Signals {
    /// Installs the handlers. Call it within a tokio runtime.
    ///
    /// # Errors
    /// If the system rejects a handler.
    pub(crate) fn listen() -> io::Result<Self> {
        let kinds = [
            (SignalKind::interrupt(), Signal::Terminate),
            (SignalKind::terminate(), Signal::Terminate),
            (SignalKind::hangup(), Signal::Terminate),
            (SignalKind::quit(), Signal::Terminate),
            (SignalKind::alarm(), Signal::Terminate),
            (SignalKind::user_defined1(), Signal::Terminate),
            (SignalKind::user_defined2(), Signal::Terminate),
            (SignalKind::from_raw(libc::SIGTSTP), Signal::Suspend),
            (SignalKind::from_raw(libc::SIGCONT), Signal::Continued),
        ];
        let receivers = kinds.into_iter().map(|(kind, meaning)| Ok((signal(kind)?, meaning)));
        receivers.collect::<io::Result<_>>().map(Self)
    }

    /// Waits for the next signal. Dropping the future loses no signal.
    pub(crate) async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            for (receiver, meaning) in &mut self.0 {
                if receiver.poll_recv(context).is_ready() {
                    return Poll::Ready(*meaning);
                }
            }
            Poll::Pending
        })
        .await
    }
}
