//! What the screen is about. Nothing here knows how it is drawn.

use std::sync::Arc;
use std::time::Duration;

use ratatui_textarea::TextArea;

use super::actions::Mode;
use super::compare::Comparison;
use super::displayed_episode::DisplayedEpisode;
use super::explanation::{BoundaryId, Explanation};
use super::keymap::Keymap;
use super::library::Library;
use super::menu::Menu;
use super::replay::Replay;
use super::threshold_estimates::ThresholdEstimatesState;
use super::training_page::TrainingPage;
use crate::config::Preset;
use crate::engine::gpu::GpuMemory;
use crate::episode::{Episode, EpisodeStatus};
use crate::evaluation::{QuantileScale, UserComparison};
use crate::routing::Contributions;
use crate::tasks::Question;

/// While an episode runs or is played and nothing else happens, the clock on the screen moves this
/// often.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// The smallest terminal: columns, rows.
pub const MINIMUM_SIZE: (u16, u16) = (80, 24);

/// What a workbench starts from.
#[derive(Debug, Clone)]
pub struct InitialState {
    pub preset: Preset,
    /// The question that is asked as soon as the session is ready.
    pub first_question: Option<Question>,
    /// Seed of every episode: asked again, a question differs only by the choices.
    pub seed: u64,
    /// Where episodes are kept, for the screen.
    pub store: String,
    /// The keys in force.
    pub keys: Keymap,
    /// The scale of the policy's training, to move the threshold on before anything is recorded.
    pub scale: Option<QuantileScale>,
}

/// Everything that the workbench knows.
#[derive(Debug, Clone)]
pub struct State {
    pub preset: Preset,
    pub seed: u64,
    pub store: String,
    pub keys: Keymap,
    pub session_status: SessionStatus,
    pub page: Page,
    /// The recording that is played, where one is.
    pub(super) replay: Option<Box<Replay>>,
    pub library: Library,
    pub training_page: TrainingPage,
    /// The question to ask when the session is ready, or again.
    pub question: Option<Question>,
    /// A question was sent and its episode has not begun.
    pub starting: bool,
    /// The episode on the screen.
    pub displayed: Option<DisplayedEpisode>,
    /// Number of the episode that the session is at.
    pub live_id: Option<u64>,
    /// What was on the screen before a stored episode or a replay took its place.
    pub background: Option<DisplayedEpisode>,
    /// The episode that was on the screen before, where it is the parent of the one that is, or of the same
    /// question.
    pub previous: Option<(u64, Arc<Episode>)>,
    /// The threshold for the next episode, in [0, 1].
    pub threshold: f64,
    /// A threshold that was sent to the running episode and is not in force yet.
    pub pending_threshold: Option<f64>,
    /// What the recordings say of thresholds.
    pub threshold_estimates: ThresholdEstimatesState,
    /// Scores of the policy's training, where a policy routes.
    pub training_scale: Option<QuantileScale>,
    /// How far each feature pushed, at the step in view.
    pub explanation: Explanation,
    /// The step that a person looks at, from 0; the current one where absent.
    pub selected: Option<usize>,
    /// Whether the reasons have the whole side to themselves.
    pub why_expanded: bool,
    pub overlay: Overlay,
    /// Columns and rows of the terminal, where they are known.
    pub size: Option<(u16, u16)>,
    /// Memory of the GPU, where there is one.
    pub gpu: Option<GpuMemory>,
    /// Text appears by whole steps, and clocks move only with events.
    pub reduced_motion: bool,
    /// A line for the foot of the screen, until the next key.
    pub notice: Option<Notice>,
    /// Milliseconds since the Unix epoch, as of the last message that told the time.
    pub now_ms: u64,
}

/// How the session is.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionStatus {
    /// Models are being loaded; what the session says of it.
    Loading(String),
    Ready,
    /// The session is over; why.
    Failed(String),
    /// There is none: nothing but a recording is shown.
    None,
}

/// What fills the screen above the status line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// An episode.
    #[default]
    Episode,
    Library,
    /// Retraining and calibration.
    Training,
}

/// What lies over the panes.
#[derive(Debug, Clone)]
pub enum Overlay {
    None,
    /// The keys, from that line on.
    Help(usize),
    /// A question is being typed.
    Editor(Box<TextArea<'static>>),
    /// Something else is being typed.
    Prompt(Prompt),
    /// A list to choose from.
    Menu(Menu),
    /// How the person does against the router; nothing while it is counted.
    Score(Option<UserComparison>),
    /// A threshold is being typed.
    Threshold(String),
    /// What is to be different from that step on, from 0.
    Fork(usize),
    /// The episode on the screen beside another.
    Compare(Comparison),
}

/// A line that is being typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    pub kind: PromptKind,
    pub area: Box<TextArea<'static>>,
    /// It says what was there before: the first letter takes its place.
    pub replace_on_type: bool,
}

/// What a typed line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptKind {
    /// What to look for in the library.
    Search,
    /// A tag for these episodes, or one to take away.
    Tag(Vec<u64>),
    /// A note on this episode.
    Note(u64),
    /// The file that these episodes are written to.
    Export(Vec<u64>),
    /// What an episode may cost.
    Budget,
}

/// A line for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Good to know.
    Hint(String),
    /// Something did not work.
    Error(String),
}

impl State {
    /// The state before anything has happened.
    pub fn new(beginning: InitialState) -> Self {
        let InitialState { preset, first_question, seed, store, keys, scale } = beginning;
        Self {
            threshold: preset.routing.threshold,
            preset,
            seed,
            store,
            keys,
            session_status: SessionStatus::Loading("starting".into()),
            page: Page::Episode,
            replay: None,
            library: Library::default(),
            training_page: TrainingPage::default(),
            question: first_question,
            starting: false,
            displayed: None,
            live_id: None,
            background: None,
            previous: None,
            pending_threshold: None,
            threshold_estimates: ThresholdEstimatesState::default(),
            explanation: Explanation::default(),
            training_scale: scale,
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

    /// The recording that is played, where one is.
    pub fn replay(&self) -> Option<&Replay> {
        self.replay.as_deref()
    }

    /// What the keys are for.
    pub fn mode(&self) -> Mode {
        match self.page {
            Page::Library => Mode::Library,
            Page::Training => Mode::Training,
            Page::Episode if self.replay.is_some() => Mode::Replay,
            Page::Episode => Mode::Live,
        }
    }

    /// The preset that the episode on the screen was made with, else the one in force.
    pub fn preset_shown(&self) -> &Preset {
        let stored = self.displayed.as_ref().filter(|displayed| !self.is_live(displayed));
        match self.replay() {
            Some(replay) => &replay.recorded().episode.started.preset,
            None => stored.map_or(&self.preset, |displayed| &displayed.episode.started.preset),
        }
    }

    /// Whether the session is at this episode, or it was the last one that it was at.
    pub fn is_live(&self, displayed: &DisplayedEpisode) -> bool {
        self.live_id == Some(displayed.id) && self.replay.is_none()
    }

    /// Whether the terminal is too small for anything but saying so.
    pub fn is_too_small(&self) -> bool {
        self.size.is_some_and(|(width, height)| width < MINIMUM_SIZE.0 || height < MINIMUM_SIZE.1)
    }

    /// Whether something is on the screen that [`super::Action::Back`] leaves.
    pub fn can_go_back(&self) -> bool {
        let stored = self.displayed.as_ref().is_some_and(|displayed| !self.is_live(displayed));
        self.page != Page::Episode
            || (self.session_status != SessionStatus::None && (self.replay.is_some() || stored))
    }

    /// How long it takes until the screen changes by itself, at the latest; nothing where it does
    /// not.
    pub fn time_to_next_change(&self) -> Option<Duration> {
        match self.replay() {
            Some(replay) => {
                let seconds = replay.player().next_in_ms()? / 1000.0;
                Some(Duration::from_secs_f64(seconds.clamp(0.0, CLOCK_INTERVAL.as_secs_f64())))
            }
            None => {
                let running = |displayed: &DisplayedEpisode| {
                    displayed.episode.status == EpisodeStatus::Running
                };
                let ticks = !self.reduced_motion && self.open_episode().is_some_and(running);
                ticks.then_some(CLOCK_INTERVAL)
            }
        }
    }

    /// The episode that is running or paused.
    pub fn open_episode(&self) -> Option<&DisplayedEpisode> {
        self.displayed
            .as_ref()
            .filter(|displayed| self.is_live(displayed) && !displayed.episode.is_over())
    }

    /// The threshold that the episode on the screen ended with, else the one in force.
    pub fn threshold_shown(&self) -> f64 {
        let stored = self.displayed.as_ref().filter(|displayed| !self.is_live(displayed));
        stored.map_or_else(|| self.threshold_now(), |displayed| displayed.episode.threshold)
    }

    /// The threshold in force; in a replay, the one that was.
    pub fn threshold_now(&self) -> f64 {
        let shown = self.displayed.as_ref().filter(|_| self.replay.is_some());
        shown
            .or(self.open_episode())
            .map_or(self.threshold, |displayed| displayed.episode.threshold)
    }

    /// Milliseconds that the episode on the screen has taken.
    pub fn elapsed_ms(&self) -> Option<u64> {
        let displayed = self.displayed.as_ref()?;
        // An episode that was killed stands still where it broke off.
        let moves = self.replay.is_some() || self.is_live(displayed);
        Some(displayed.elapsed_ms(if moves { self.now_ms } else { 0 }))
    }

    /// The step that the reasons are about, from 0: the selected one, the one that is being
    /// written, or the last.
    pub fn step_in_view(&self) -> Option<usize> {
        let displayed = self.displayed.as_ref()?;
        let last = displayed.last_step()?;
        Some(self.selected.map_or(last, |step| step.min(last)))
    }

    /// The reasons at the step in view, where they are those of the policy that had its say there.
    pub fn contributions(&self) -> Option<&Contributions> {
        let boundary = self.boundary_in_view()?;
        let (known, contributions) = self.explanation.known.as_ref()?;
        let (_, p_large) = self.displayed.as_ref()?.features_at(boundary.1)?;
        // Another policy than the one that explains may have decided in an older episode.
        let same = (contributions.p_large - p_large?).abs() < 1e-3;
        (*known == boundary && same).then_some(contributions)
    }

    /// The boundary in view, where a policy had its say.
    pub fn boundary_in_view(&self) -> Option<BoundaryId> {
        let displayed = self.displayed.as_ref()?;
        let by_policy = displayed.episode.started.preset.routing.router == "policy";
        let step = self.step_in_view().filter(|_| by_policy)?;
        Some((displayed.id, step, displayed.episode.redo_count))
    }
}
