//! The state of the workbench. It does not know how it is drawn.

use std::sync::Arc;
use std::time::Duration;

use super::action::PageId;
use super::active_routing::{ActiveRouting, LoadedRouting};
use super::displayed_episode::DisplayedEpisode;
use super::explanation::{BoundaryId, Explanation};
use super::keymap::Keymap;
use super::library::Library;
use super::overlay::{Overlay, Prompt, PromptKind};
use super::replay::Replay;
use super::threshold_estimates::ThresholdEstimatesState;
use super::training_page::TrainingPage;
use crate::config::Preset;
use crate::engine::gpu::GpuMemory;
use crate::episode::{Episode, EpisodeStatus, PerRole};
use crate::evaluation::QuantileScale;
use crate::routing::{Contributions, PairFingerprint, router_name};
use crate::tasks::Question;

/// How often the clock on the screen moves while an episode runs or is played and nothing else
/// happens.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// The smallest terminal: columns, rows.
pub const MINIMUM_SIZE: (u16, u16) = (80, 24);

/// What a workbench starts from.
#[derive(Debug, Clone)]
pub struct InitialState {
    /// The active preset with its routers.
    pub routing: LoadedRouting,
    /// The question to ask as soon as the session is ready.
    pub first_question: Option<Question>,
    /// Seed of every episode: the same question with the same choices gives the same text.
    pub seed: u64,
    /// Path of the store, for the screen.
    pub store: String,
    /// The active keys.
    pub keys: Keymap,
}

/// Everything that the workbench knows.
#[derive(Debug, Clone)]
pub struct State {
    /// The active preset with its routers.
    pub active: ActiveRouting,
    /// Seed of every episode.
    pub seed: u64,
    /// Path of the store, for the screen.
    pub store: String,
    /// The active keys.
    pub keys: Keymap,
    /// Whether there are models to ask.
    pub session_status: SessionStatus,
    /// The page that is open over the episode; `None` if the episode is shown.
    pub(super) open_page: Option<PageId>,
    /// The recording that is played.
    pub(super) replay: Option<Box<Replay>>,
    /// The library page.
    pub library: Library,
    /// The training page.
    pub training_page: TrainingPage,
    /// The question to ask when the session is ready, or again.
    pub question: Option<Question>,
    /// A question was sent and its episode has not begun.
    pub starting: bool,
    /// The episode on the screen.
    pub displayed: Option<DisplayedEpisode>,
    /// Number of the session's current or last episode.
    pub live_id: Option<u64>,
    /// The session's episode, while a stored episode or a replay is on the screen.
    pub background: Option<DisplayedEpisode>,
    /// The previous episode on the screen, if it is the parent of the current one or has the same
    /// question.
    pub previous: Option<(u64, Arc<Episode>)>,
    /// What the recordings say about thresholds.
    pub threshold_estimates: ThresholdEstimatesState,
    /// The contribution of each feature to p(large) at the step in view.
    pub explanation: Explanation,
    /// The step that the user has selected, from 0; `None` for the current one.
    pub selected: Option<usize>,
    /// Whether the features have the whole side of the screen.
    pub why_expanded: bool,
    /// What lies over the page.
    pub overlay: Overlay,
    /// Columns and rows of the terminal, once they are known.
    pub size: Option<(u16, u16)>,
    /// Memory of the GPU, if there is one.
    pub gpu: Option<GpuMemory>,
    /// Text appears by whole steps, and clocks move only with events.
    pub reduced_motion: bool,
    /// A line at the foot of the screen, until the next key.
    pub notice: Option<Notice>,
    /// The time of the last clock message, milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// Whether there are models to ask.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionStatus {
    /// The models are being loaded; the session's report.
    Loading(String),
    /// The session takes commands.
    Ready,
    /// The session is over; why.
    Failed(String),
    /// There is no session, only a recording.
    None,
}

/// A line for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Information, or why a key did nothing.
    Hint(String),
    /// Something failed.
    Error(String),
}

impl State {
    /// The state before anything has happened.
    pub fn new(initial: InitialState) -> Self {
        let InitialState { routing, first_question, seed, store, keys } = initial;
        Self {
            active: ActiveRouting::new(routing),
            seed,
            store,
            keys,
            session_status: SessionStatus::Loading("starting".into()),
            open_page: None,
            replay: None,
            library: Library::default(),
            training_page: TrainingPage::default(),
            question: first_question,
            starting: false,
            displayed: None,
            live_id: None,
            background: None,
            previous: None,
            threshold_estimates: ThresholdEstimatesState::default(),
            explanation: Explanation::default(),
            selected: None,
            why_expanded: false,
            overlay: Overlay::None,
            size: None,
            gpu: None,
            reduced_motion: false,
            notice: None,
            now_ms: 0,
        }
    }

    /// The recording that is played.
    pub fn replay(&self) -> Option<&Replay> {
        self.replay.as_deref()
    }

    /// The page on the screen.
    pub fn page(&self) -> PageId {
        let episode = if self.replay.is_some() { PageId::Replay } else { PageId::Live };
        self.open_page.unwrap_or(episode)
    }

    /// The active preset, with the threshold and the budget of the next episode.
    pub fn preset(&self) -> &Preset {
        self.active.preset()
    }

    /// The preset of the displayed episode, or the active one.
    pub fn preset_shown(&self) -> &Preset {
        match self.replay() {
            Some(replay) => &replay.recorded().episode.started.preset,
            None => self
                .stored_episode()
                .map_or(self.preset(), |displayed| &displayed.episode.started.preset),
        }
    }

    /// Whether this is the session's current or last episode.
    pub fn is_live(&self, displayed: &DisplayedEpisode) -> bool {
        self.live_id == Some(displayed.id) && self.replay.is_none()
    }

    /// The displayed episode, if it comes from the store or a recording.
    pub fn stored_episode(&self) -> Option<&DisplayedEpisode> {
        self.displayed.as_ref().filter(|displayed| !self.is_live(displayed))
    }

    /// The episode that is running or paused.
    pub fn open_episode(&self) -> Option<&DisplayedEpisode> {
        self.displayed.as_ref().filter(|displayed| self.is_live(displayed) && !displayed.is_over())
    }

    /// Whether the terminal is too small to draw the panes.
    pub fn is_too_small(&self) -> bool {
        self.size.is_some_and(|(width, height)| width < MINIMUM_SIZE.0 || height < MINIMUM_SIZE.1)
    }

    /// Whether there is a page, a replay or a stored episode to return from.
    pub fn can_go_back(&self) -> bool {
        self.open_page.is_some()
            || (self.session_status != SessionStatus::None
                && (self.replay.is_some() || self.stored_episode().is_some()))
    }

    /// The longest time until the screen changes by itself; `None` if it does not.
    pub fn time_to_next_change(&self) -> Option<Duration> {
        if let Some(replay) = self.replay() {
            let seconds = replay.player().next_in_ms()? / 1000.0;
            return Some(Duration::from_secs_f64(seconds.clamp(0.0, CLOCK_INTERVAL.as_secs_f64())));
        }
        let running = |displayed: &DisplayedEpisode| *displayed.status() == EpisodeStatus::Running;
        let ticks = !self.reduced_motion && self.open_episode().is_some_and(running);
        ticks.then_some(CLOCK_INTERVAL)
    }

    /// The threshold that a stored episode ended with, or the active one.
    pub fn threshold_shown(&self) -> f64 {
        self.stored_episode()
            .map_or_else(|| self.threshold_now(), |displayed| displayed.episode.threshold)
    }

    /// The threshold of the replayed or running episode, or of the next one.
    pub fn threshold_now(&self) -> f64 {
        let replayed = self.displayed.as_ref().filter(|_| self.replay.is_some());
        replayed
            .or(self.open_episode())
            .map_or(self.active.threshold(), |displayed| displayed.episode.threshold)
    }

    /// The scale that the threshold moves on: the scores of the recordings, or of the policy's
    /// training. `None` for a router whose scores are unknown.
    pub fn scale(&self) -> Option<&QuantileScale> {
        match &self.threshold_estimates {
            ThresholdEstimatesState::Loaded(estimates) if !estimates.index.scale.is_empty() => {
                Some(&estimates.index.scale)
            }
            _ => self.active.scale(),
        }
    }

    /// The share of recorded steps that the small model writes at `threshold`, in per cent.
    pub fn percentile(&self, threshold: f64) -> Option<f64> {
        self.scale().map(|scale| 100.0 * scale.quantile_of(threshold))
    }

    /// Milliseconds that the displayed episode has taken.
    pub fn elapsed_ms(&self) -> Option<u64> {
        let displayed = self.displayed.as_ref()?;
        // The clock of a stored episode stands still, also if the episode has no end.
        let moves = self.replay.is_some() || self.is_live(displayed);
        Some(displayed.elapsed_ms(if moves { self.now_ms } else { 0 }))
    }

    /// The step that the why pane is about, from 0: the selected one, the one that is being
    /// written, or the last.
    pub fn step_in_view(&self) -> Option<usize> {
        let displayed = self.displayed.as_ref()?;
        let last = displayed.last_step()?;
        Some(self.selected.map_or(last, |step| step.min(last)))
    }

    /// The contributions of the features at the step in view, if the current policy decided it.
    pub fn contributions(&self) -> Option<&Contributions> {
        let boundary = self.boundary_in_view()?;
        let (known, contributions) = self.explanation.known.as_ref()?;
        let (_, p_large) = self.displayed.as_ref()?.features_at(boundary.1)?;
        // A different policy may have decided in an older episode.
        let same = (contributions.p_large - p_large?).abs() < 1e-3;
        (*known == boundary && same).then_some(contributions)
    }

    /// The boundary before the step in view, if a policy routes there.
    pub fn boundary_in_view(&self) -> Option<BoundaryId> {
        let displayed = self.displayed.as_ref()?;
        let by_policy = displayed.episode.started.preset.routing.router == router_name::POLICY;
        let step = self.step_in_view().filter(|_| by_policy)?;
        Some((displayed.id, step, displayed.episode.redo_count))
    }

    /// The models of the session under the active preset, once an episode has named them.
    pub(super) fn pair(&self) -> Option<PairFingerprint> {
        let mut shown = self.displayed.iter().chain(&self.background);
        let displayed = shown.find(|displayed| Some(displayed.id) == self.live_id)?;
        let started = &displayed.episode.started;
        let models = PerRole::from_fn(|role| &started.models[role]);
        Some(PairFingerprint::of(self.preset(), started.prices, models))
    }

    /// Opens a line to type, which has `text` at first.
    pub(super) fn open_prompt(&mut self, kind: PromptKind, text: &str) {
        self.overlay = Overlay::Prompt(Prompt::new(kind, text));
    }
}
