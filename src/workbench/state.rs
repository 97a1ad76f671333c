//! What the screen is about. Nothing here knows how it is drawn.

use std::sync::Arc;
use std::time::Duration;

use ratatui_textarea::TextArea;

use super::compare::Compare;
use super::keymap::Keymap;
use super::onscreen::Run;
use super::outlook::Outlooks;
use super::reasons::{Boundary, Reasons};
use super::replay::Replay;
use crate::config::Preset;
use crate::episode::{Episode, Status};
use crate::evaluation::Scale;
use crate::routing::Contributions;
use crate::tasks::Question;

/// While an episode runs or is played and nothing else happens, the clock on the screen moves this
/// often.
const CLOCK: Duration = Duration::from_secs(1);

/// What a workbench starts from.
#[derive(Debug, Clone)]
pub struct Beginning {
    pub preset: Preset,
    /// The question that is asked as soon as the session is ready.
    pub first: Option<Question>,
    /// Seed of every episode: asked again, a question differs only by the choices.
    pub seed: u64,
    /// Where episodes are kept, for the screen.
    pub store: String,
    /// The keys in force.
    pub keys: Keymap,
    /// The scale of the policy's training, to move the threshold on before anything is recorded.
    pub scale: Option<Scale>,
}

/// Everything that the workbench knows.
#[derive(Debug, Clone)]
pub struct State {
    pub preset: Preset,
    pub seed: u64,
    pub store: String,
    pub keys: Keymap,
    pub link: Link,
    /// The question to ask when the session is ready, or again.
    pub question: Option<Question>,
    /// A question was sent and its episode has not begun.
    pub starting: bool,
    /// The episode on the screen.
    pub run: Option<Run>,
    /// The episode that was on the screen before, where it is the parent of the one that is, or of the same
    /// question.
    pub other: Option<(u64, Arc<Episode>)>,
    /// The threshold for the next episode, in [0, 1].
    pub threshold: f64,
    /// A threshold that was sent to the running episode and is not in force yet.
    pub asked_threshold: Option<f64>,
    /// What the recordings say of thresholds.
    pub outlook: Outlooks,
    /// Scores of the policy's training, where a policy routes.
    pub trained_scale: Option<Scale>,
    /// How far each feature pushed, at the step in view.
    pub reasons: Reasons,
    /// The step that a person looks at, from 0; the current one where absent.
    pub selected: Option<usize>,
    /// Whether the reasons have the whole side to themselves.
    pub all_reasons: bool,
    pub overlay: Overlay,
    /// A line for the foot of the screen, until the next key.
    pub notice: Option<Notice>,
    /// Milliseconds since the Unix epoch, as of the last message that told the time.
    pub now_ms: u64,
}

/// How the session is.
#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    /// Models are being loaded; what the session says of it.
    Loading(String),
    Ready,
    /// The session is over; why.
    Failed(String),
    /// There is none: a recording is shown.
    Replay(Box<Replay>),
}

/// What lies over the panes.
#[derive(Debug, Clone)]
pub enum Overlay {
    None,
    Help,
    /// A question is being typed.
    Editor(Box<TextArea<'static>>),
    /// A threshold is being typed.
    Threshold(String),
    /// What is to be different from that step on, from 0.
    Fork(usize),
    /// The episode on the screen beside another.
    Compare(Compare),
}

/// A line for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Good to know.
    Hint(String),
    /// Something did not work.
    Trouble(String),
}

impl State {
    /// The state before anything has happened.
    pub fn new(beginning: Beginning) -> Self {
        let Beginning { preset, first, seed, store, keys, scale } = beginning;
        Self {
            threshold: preset.routing.threshold,
            preset,
            seed,
            store,
            keys,
            link: Link::Loading("starting".into()),
            question: first,
            starting: false,
            run: None,
            other: None,
            asked_threshold: None,
            outlook: Outlooks::default(),
            reasons: Reasons::default(),
            trained_scale: scale,
            selected: None,
            all_reasons: false,
            overlay: Overlay::None,
            notice: None,
            now_ms: 0,
        }
    }

    /// The recording that is shown, where there is no session.
    pub fn replay(&self) -> Option<&Replay> {
        match &self.link {
            Link::Replay(replay) => Some(replay),
            _ => None,
        }
    }

    /// How long it takes until the screen changes by itself, at the latest; nothing where it does
    /// not.
    pub fn changes_in(&self) -> Option<Duration> {
        match self.replay() {
            Some(replay) => {
                let seconds = replay.player().next_in_ms()? / 1000.0;
                Some(Duration::from_secs_f64(seconds.clamp(0.0, CLOCK.as_secs_f64())))
            }
            None => {
                let running = |run: &Run| run.episode.status == Status::Running;
                self.open().is_some_and(running).then_some(CLOCK)
            }
        }
    }

    /// The episode that is running or paused.
    pub fn open(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| !run.episode.is_over())
    }

    /// The threshold in force.
    pub fn threshold_now(&self) -> f64 {
        self.open().map_or(self.threshold, |run| run.episode.threshold)
    }

    /// The step that the reasons are about, from 0: the selected one, the one that is being
    /// written, or the last.
    pub fn step_in_view(&self) -> Option<usize> {
        let run = self.run.as_ref()?;
        let last = run.last_step()?;
        Some(self.selected.map_or(last, |step| step.min(last)))
    }

    /// The reasons at the step in view, where they are those of the policy that had its say there.
    pub fn pushes(&self) -> Option<&Contributions> {
        let boundary = self.boundary()?;
        let (known, contributions) = self.reasons.known.as_ref()?;
        let (_, p_large) = self.run.as_ref()?.seen_at(boundary.1)?;
        // Another policy than the one that explains may have decided in an older episode.
        let same = (contributions.p_large - p_large?).abs() < 1e-3;
        (*known == boundary && same).then_some(contributions)
    }

    /// The boundary in view, where a policy had its say.
    pub fn boundary(&self) -> Option<Boundary> {
        let run = self.run.as_ref()?;
        let by_policy = run.episode.started.preset.routing.router == "policy";
        let step = self.step_in_view().filter(|_| by_policy)?;
        Some((run.id, step, run.episode.taken_back))
    }
}
