//! What comes in, and what is to be done about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::crossterm::event::Event as Input;

use super::outlook::Outlook;
use super::reasons::Boundary;
use crate::routing::Contributions;
use crate::session::{Command, Update};
use crate::tasks::Question;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// From the terminal.
    Input(Input),
    /// From the session.
    Session(Update),
    /// The session's end of the channel is gone.
    SessionGone,
    /// A question that [`Effect::Draw`] asked for.
    Drawn(Question),
    /// What [`Effect::LookAhead`] asked for, or why there is nothing.
    Outlook(Result<Arc<Outlook>, String>),
    /// What [`Effect::Explain`] asked for.
    Explained(Boundary, Contributions),
    /// The time: milliseconds since the Unix epoch.
    Clock(u64),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send(Command),
    /// Draw a question of the task set and come back with [`Message::Drawn`].
    Draw,
    /// Compute how far each of these features pushed, and come back with [`Message::Explained`].
    Explain {
        boundary: Boundary,
        features: BTreeMap<String, f64>,
    },
    /// Read what the store says of thresholds, and come back with [`Message::Outlook`].
    LookAhead,
    /// Scroll the trace, a matter of the view alone.
    Scroll(Scroll),
    Suspend,
    /// Tell the session, restore the terminal, end.
    Quit,
}

/// How to scroll the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    PageUp,
    PageDown,
    /// Back to the end, and stay there.
    Follow,
}
