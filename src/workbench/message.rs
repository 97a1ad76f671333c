//! What comes in, and what is to be done about it.

use std::sync::Arc;

use ratatui::crossterm::event::Event as Input;

use super::active_routing::LoadedRouting;
use super::explanation::BoundaryId;
use super::job::{Job, ReadPurpose};
use super::library::EpisodePage;
use super::menu::Menu;
use super::threshold_estimates::ThresholdEstimates;
use super::training_page::TrainingUpdate;
use crate::engine::gpu::GpuMemory;
use crate::evaluation::UserComparison;
use crate::recording::RecordedEpisode;
use crate::routing::{Contributions, RouterRegistry};
use crate::session::{Command, RoutingConfig, SessionUpdate};
use crate::tasks::Question;
use crate::theme::Theme;

/// Something that happened. The error of a `Result` is the reason, for the user.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A key or a paste.
    Input(Input),
    /// The terminal has so many columns and rows.
    Resized(u16, u16),
    /// From the session.
    Session(SessionUpdate),
    /// The session has ended and closed its channel.
    SessionGone,
    /// Answer to [`Job::DrawQuestion`].
    QuestionDrawn(Question),
    /// Report of [`Job::WatchGpu`].
    Gpu(GpuMemory),
    /// Answer to [`Job::EstimateThreshold`].
    ThresholdEstimates(Result<Arc<ThresholdEstimates>, String>),
    /// Answer to [`Job::Explain`].
    Explained(BoundaryId, Contributions),
    /// Answer to [`Job::ListEpisodes`].
    EpisodesListed {
        /// Number of the request.
        request_id: u64,
        /// Whether the page is the first of the list.
        from_start: bool,
        /// The page.
        page: Result<EpisodePage, String>,
    },
    /// Answer to [`Job::ReadEpisode`].
    EpisodeRead(ReadPurpose, Result<Box<RecordedEpisode>, String>),
    /// A change was saved; a line about it.
    ChangeSaved(Result<String, String>),
    /// Answer to [`Job::LoadMenu`].
    MenuLoaded(Result<Menu, String>),
    /// Answer to [`Job::LoadTheme`].
    ThemeLoaded(Result<Box<Theme>, String>),
    /// Answer to [`Job::LoadPreset`].
    PresetLoaded(Result<Box<LoadedRouting>, String>),
    /// Answer to [`Job::LoadPolicy`]: routers with the policy, and the step to fork at, from 0.
    PolicyLoaded(usize, Result<RouterRegistry, String>),
    /// Report of [`Job::RunTraining`].
    Training(TrainingUpdate),
    /// Answer to [`Job::Promote`] and [`Job::RollBack`]: the new routing.
    Promoted(Result<Box<LoadedRouting>, String>),
    /// Answer to [`Job::ScoreUser`].
    UserScored(Result<UserComparison, String>),
    /// A text was sent to the terminal's clipboard.
    Copied(Result<(), String>),
    /// The time: milliseconds since the Unix epoch.
    Clock(u64),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a command to the session.
    SendCommand(Command),
    /// Run a job on a thread of its own.
    RunJob(Job),
    /// Draw with another theme.
    SetTheme(Box<Theme>),
    /// Replace the session by one with the models of this preset.
    RestartSession(Arc<RoutingConfig>),
    /// Copy this to the clipboard.
    Copy(String),
    /// Scroll the trace or the why pane; only the view knows where they are.
    Scroll(Scroll),
    /// Suspend the process.
    Suspend,
    /// End the program: end the session, restore the terminal.
    Quit,
}

/// How to scroll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the end, and stay there.
    Follow,
}
