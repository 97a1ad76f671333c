//! What comes in, and what is to be done about it.

use std::sync::Arc;

use ratatui::crossterm::event::Event as Input;

use super::explanation::BoundaryId;
use super::job::{Job, ReadPurpose};
use super::library::EpisodePage;
use super::menu::Menu;
use super::threshold_estimates::ThresholdEstimates;
use super::training_page::TrainingUpdate;
use crate::engine::gpu::GpuMemory;
use crate::evaluation::{QuantileScale, UserComparison};
use crate::recording::RecordedEpisode;
use crate::routing::{Contributions, RouterRegistry};
use crate::session::{Command, RoutingConfig, SessionUpdate};
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
    Session(SessionUpdate),
    /// The session's end of the channel is gone.
    SessionGone,
    /// A question that [`Job::DrawQuestion`] asked for.
    QuestionDrawn(Question),
    /// What [`Job::WatchGpu`] sees.
    Gpu(GpuMemory),
    /// What [`Job::EstimateThreshold`] asked for, or why there is nothing.
    ThresholdEstimates(Result<Arc<ThresholdEstimates>, String>),
    /// What [`Job::Explain`] asked for.
    Explained(BoundaryId, Contributions),
    /// What [`Job::ListEpisodes`] found, or why it could not look.
    EpisodesListed {
        request_id: u64,
        from_start: bool,
        page: Result<EpisodePage, String>,
    },
    /// The episode that [`Job::ReadEpisode`] asked for, or why it cannot be read.
    EpisodeRead(ReadPurpose, Result<Box<RecordedEpisode>, String>),
    /// A change was kept; what to tell the person, or why it was not kept.
    ChangeSaved(Result<String, String>),
    /// The list that [`Job::LoadMenu`] asked for, or why there is none.
    MenuLoaded(Result<Menu, String>),
    ThemeLoaded(Result<Box<Theme>, String>),
    PresetLoaded(Result<Box<LoadedRouting>, String>),
    /// A policy to fork with at that step, from 0.
    PolicyLoaded(usize, Result<RouterRegistry, String>),
    Training(TrainingUpdate),
    /// A policy is in force, and routes; or why it is not.
    Promoted(Result<Box<LoadedRouting>, String>),
    UserScored(Result<UserComparison, String>),
    /// A text was sent to the terminal's clipboard, or why it was not.
    Copied(Result<(), String>),
    /// The time: milliseconds since the Unix epoch.
    Clock(u64),
}

/// A preset, and who chooses under it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedRouting {
    pub routing: RoutingConfig,
    /// Scores of its policy's training, where a policy routes.
    pub scale: Option<QuantileScale>,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    SendCommand(Command),
    /// To be done beside the loop.
    RunJob(Job),
    /// Draw with another theme.
    SetTheme(Box<Theme>),
    /// Load other models, in place of those of the session.
    RestartSession(Box<RoutingConfig>),
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
