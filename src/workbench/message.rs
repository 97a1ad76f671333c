//! What comes in, and what is to be done about it.

use std::sync::Arc;

use ratatui::crossterm::event::Event as Input;

use super::errand::{Errand, Purpose};
use super::library::Stretch;
use super::menu::Menu;
use super::outlook::Outlook;
use super::reasons::Boundary;
use super::school::News;
use crate::engine::gpu::GpuMemory;
use crate::evaluation::{PersonScore, Scale};
use crate::recording::Recorded;
use crate::routing::{Contributions, Roster};
use crate::session::{Command, Employment, Update};
use crate::tasks::Question;
use crate::theme::Theme;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// From the terminal.
    Input(Input),
    /// The terminal has so many columns and rows.
    Resized(u16, u16),
    /// From the session.
    Session(Update),
    /// The session's end of the channel is gone.
    SessionGone,
    /// A question that [`Errand::Draw`] asked for.
    Drawn(Question),
    /// What [`Errand::WatchGpu`] sees.
    Gpu(GpuMemory),
    /// What [`Errand::LookAhead`] asked for, or why there is nothing.
    Outlook(Result<Arc<Outlook>, String>),
    /// What [`Errand::Explain`] asked for.
    Explained(Boundary, Contributions),
    /// What [`Errand::Find`] found, or why it could not look.
    Found {
        ticket: u64,
        anew: bool,
        found: Result<Stretch, String>,
    },
    /// The episode that [`Errand::Read`] asked for, or why it cannot be read.
    Read(Purpose, Result<Box<Recorded>, String>),
    /// A change was kept; what to tell the person, or why it was not kept.
    Kept(Result<String, String>),
    /// The list that [`Errand::Choices`] asked for, or why there is none.
    Menu(Result<Menu, String>),
    Theme(Result<Box<Theme>, String>),
    Preset(Result<Box<Chosen>, String>),
    /// A policy to fork with at that step, from 0.
    Hired(usize, Result<Roster, String>),
    School(News),
    /// A policy is in force, and routes; or why it is not.
    Promoted(Result<Box<Chosen>, String>),
    Scored(Result<PersonScore, String>),
    /// A text was sent to the terminal's clipboard, or why it was not.
    Copied(Result<(), String>),
    /// The time: milliseconds since the Unix epoch.
    Clock(u64),
}

/// A preset, and who chooses under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub employment: Employment,
    /// Scores of its policy's training, where a policy routes.
    pub scale: Option<Scale>,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send(Command),
    /// To be done beside the loop.
    Do(Errand),
    /// Draw with another theme.
    Dress(Box<Theme>),
    /// Load other models, in place of those of the session.
    Restart(Box<Employment>),
    /// Copy this to the clipboard.
    Copy(String),
    /// Scroll the trace, or all reasons, a matter of the view alone.
    Scroll(Scroll),
    Suspend,
    /// Tell the session, restore the terminal, end.
    Quit,
}

/// How to scroll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    PageUp,
    PageDown,
    /// Back to the end, and stay there.
    Follow,
}
