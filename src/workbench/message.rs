//! What comes in, and what is to be done about it.

use std::sync::Arc;

use ratatui::crossterm::event::Event as Input;

use super::errand::{Errand, Purpose};
use super::library::Stretch;
use super::outlook::Outlook;
use super::reasons::Boundary;
use crate::recording::Recorded;
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
    /// A question that [`Errand::Draw`] asked for.
    Drawn(Question),
    /// What [`Errand::LookAhead`] asked for, or why there is nothing.
    Outlook(Result<Arc<Outlook>, String>),
    /// What [`Errand::Explain`] asked for.
    Explained(Boundary, Contributions),
    /// What [`Errand::Find`] found, or why it could not look.
    Found { ticket: u64, anew: bool, found: Result<Stretch, String> },
    /// The episode that [`Errand::Read`] asked for, or why it cannot be read.
    Read(Purpose, Result<Box<Recorded>, String>),
    /// A change was kept; what to tell the person, or why it was not kept.
    Kept(Result<String, String>),
    /// The time: milliseconds since the Unix epoch.
    Clock(u64),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send(Command),
    /// To be done beside the loop.
    Do(Errand),
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
