//! The keyboard as a channel.

use std::io;
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc::{Receiver, channel};

/// Maximum number of waiting events; a paste is one event.
const CHANNEL_CAPACITY: usize = 256;

/// How long the thread waits for a key before it checks whether the receiver still exists.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Keys, pastes and resizes, read on a separate thread. The thread ends soon after the receiver is dropped, or when the
/// terminal is gone, which closes the channel.
///
/// # Errors
/// If the system cannot start a thread.
pub(crate) fn keyboard_events() -> io::Result<Receiver<Event>> {
    let (sender, receiver) = channel(CHANNEL_CAPACITY);
    thread::Builder::new().name("pointsman-keys".into()).spawn(move || {
        while !sender.is_closed() {
            let event = match event::poll(POLL_INTERVAL) {
                Ok(true) => event::read(),
                Ok(false) => continue,
                Err(error) => Err(error),
            };
            match event {
                Ok(event) => {
                    if sender.blocking_send(event).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!("the keyboard cannot be read: {error}");
                    return;
                }
            }
        }
    })?;
    Ok(receiver)
}
