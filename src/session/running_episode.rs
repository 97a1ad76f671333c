//! An episode in progress: its events as they happen, and the user's commands.

use super::{Command, EpisodeObserver, EventSink, Fork, SessionError, now_ms};
use crate::engine::{Engine, EngineOutput, EngineRequest, Flow, Segment, generate_checked};
use crate::episode::{
    Decider, Episode, EpisodeStatus, Event, EventKind, Generation, OverrideScope, PerRole, Role,
};

/// Commands that are applied between two tokens, at most.
const MAX_COMMANDS_AT_ONCE: usize = 256;

/// A command that interrupts the loop. The greater one prevails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interrupt {
    /// Write the last step anew.
    Redo,
    /// End the episode.
    Stop,
}

/// An episode in progress.
///
/// Its state is the fold of its events, [`Episode`], which knows whether it is paused and which override
/// is active, plus two things that are not events: the interrupt that the loop has not acted on yet, and
/// whether to pause after the next step.
pub(super) struct RunningEpisode<'a> {
    id: u64,
    pub(super) episode: Episode,
    sink: &'a mut dyn EventSink,
    pub(super) observer: &'a mut dyn EpisodeObserver,
    pub(super) interrupt: Option<Interrupt>,
    pause_after_step: bool,
    /// In a fork, the text that each model had read in the parent and has not read here.
    pub(super) pending_prefill: PerRole<Option<Vec<Segment>>>,
}

impl<'a> RunningEpisode<'a> {
    /// Starts an episode with its first event.
    pub(super) fn start(
        started: EventKind,
        sink: &'a mut dyn EventSink,
        observer: &'a mut dyn EpisodeObserver,
        pending_prefill: PerRole<Option<Vec<Segment>>>,
    ) -> Result<Self, SessionError> {
        let id = sink.begin_episode().map_err(SessionError::Sink)?;
        let first = Event::new(now_ms(), started);
        sink.append(id, &first).map_err(SessionError::Sink)?;
        let episode = Episode::start(&first)?;
        observer.on_event(id, first);
        let (interrupt, pause_after_step) = (None, false);
        Ok(Self { id, episode, sink, observer, interrupt, pause_after_step, pending_prefill })
    }

    /// Appends an event: to the sink, to the episode, and last to the observer.
    pub(super) fn emit(&mut self, kind: EventKind) -> Result<(), SessionError> {
        let event = Event::new(now_ms(), kind);
        self.sink.append(self.id, &event).map_err(SessionError::Sink)?;
        self.episode.apply(&event)?;
        self.observer.on_event(self.id, event);
        Ok(())
    }

    /// Emits what a fork shares with its parent, and the pause that the episode begins with.
    pub(super) fn emit_opening_events(
        &mut self,
        fork: Option<&Fork>,
        paused: bool,
    ) -> Result<(), SessionError> {
        if let Some(fork) = fork {
            for kind in fork.inherited_events() {
                self.emit(kind)?;
            }
            if let Some(model) = fork.model {
                self.emit(EventKind::OverrideSet { model, scope: OverrideScope::NextStep })?;
            }
        }
        if paused { self.pause() } else { Ok(()) }
    }

    /// Number of the next step.
    pub(super) fn next_step(&self) -> usize {
        self.episode.steps.len()
    }

    /// Records a text that is not kept.
    pub(super) fn discard(
        &mut self,
        model: Role,
        output: EngineOutput,
    ) -> Result<(), SessionError> {
        let generation = generation(model, output);
        self.emit(EventKind::Discarded { step: self.next_step(), generation })
    }

    /// Takes the last step back and returns the other model, which writes it anew. The router's opinion
    /// stays as it was: the boundary is the same.
    pub(super) fn take_back(&mut self) -> Result<Role, SessionError> {
        self.interrupt = None;
        let step = self.next_step().saturating_sub(1);
        let last = self.episode.steps.last();
        let choice = last.map_or(Role::Large, |last| last.generation.model.other());
        let decision = last.and_then(|last| last.decision.clone());
        self.emit(EventKind::Redone { step })?;
        self.emit(EventKind::Decided {
            step,
            p_large: decision.as_ref().and_then(|d| d.p_large),
            threshold: self.episode.threshold,
            features: decision.map(|d| d.features).unwrap_or_default(),
            propensity: None,
            choice,
            by: Decider::User,
        })?;
        Ok(choice)
    }

    fn is_paused(&self) -> bool {
        self.episode.status == EpisodeStatus::Paused
    }

    fn pause(&mut self) -> Result<(), SessionError> {
        if self.is_paused() { Ok(()) } else { self.emit(EventKind::Paused) }
    }

    fn resume(&mut self, pause_after_step: bool) -> Result<(), SessionError> {
        self.pause_after_step = pause_after_step;
        if self.is_paused() { self.emit(EventKind::Resumed) } else { Ok(()) }
    }

    fn interrupt_with(&mut self, interrupt: Interrupt) {
        self.interrupt = self.interrupt.max(Some(interrupt));
    }

    fn apply_command(&mut self, command: Command) -> Result<(), SessionError> {
        match command {
            Command::Pause => self.pause()?,
            Command::Resume => self.resume(false)?,
            Command::Step => self.resume(true)?,
            Command::SetOverride { model, scope } => {
                self.emit(EventKind::OverrideSet { model, scope })?;
            }
            Command::ClearOverride => {
                if self.episode.active_override.is_some() {
                    self.emit(EventKind::OverrideCleared)?;
                }
            }
            Command::SetThreshold(to) => self.set_threshold(to)?,
            Command::SetBudget(to) => {
                let from = self.episode.budget;
                self.emit(EventKind::BudgetChanged { from, to })?;
            }
            Command::Bookmark(note) => {
                self.emit(EventKind::Bookmarked { step: self.next_step(), note })?;
            }
            Command::Redo if self.episode.steps.is_empty() => {
                self.observer.on_refused("no step has been written yet, so none can be redone");
            }
            Command::Redo => self.interrupt_with(Interrupt::Redo),
            // Applies to the next question.
            Command::SetRouting(_) => {}
            Command::Stop | Command::Quit | Command::Ask { .. } | Command::Fork(_) => {
                self.interrupt_with(Interrupt::Stop);
            }
        }
        Ok(())
    }

    fn set_threshold(&mut self, to: f64) -> Result<(), SessionError> {
        let from = self.episode.threshold;
        if !(0.0..=1.0).contains(&to) {
            self.observer.on_refused(&format!("a threshold of {to} is not between 0 and 1"));
        } else if from != to {
            self.emit(EventKind::ThresholdMoved { from, to })?;
        }
        Ok(())
    }

    /// Applies the commands that have arrived: a limited number, because an observer may have one at every call, such
    /// as the end of the episode once its output is closed.
    pub(super) fn apply_pending_commands(&mut self) -> Result<(), SessionError> {
        for _ in 0..MAX_COMMANDS_AT_ONCE {
            match self.observer.poll() {
                Some(command) => self.apply_command(command)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Waits for commands until the episode is resumed or interrupted.
    pub(super) fn wait_while_paused(&mut self) -> Result<(), SessionError> {
        self.apply_pending_commands()?;
        while self.is_paused() && self.interrupt.is_none() {
            match self.observer.wait() {
                Some(command) => self.apply_command(command)?,
                None => self.interrupt_with(Interrupt::Stop),
            }
        }
        Ok(())
    }

    /// Pauses if the step that has just been written was a single step.
    pub(super) fn pause_after_single_step(&mut self) -> Result<(), SessionError> {
        if std::mem::take(&mut self.pause_after_step) { self.pause() } else { Ok(()) }
    }

    /// Lets an engine write or score, and applies commands meanwhile. The observer sees the tokens of
    /// `shown`.
    pub(super) fn generate_observed(
        &mut self,
        shown: Option<Role>,
        engine: &mut dyn Engine,
        request: &EngineRequest,
    ) -> Result<EngineOutput, SessionError> {
        let mut failed = None;
        let output = generate_checked(engine, request, &mut |token| {
            if let (Some(role), Some(token)) = (shown, token) {
                self.observer.on_token(role, token);
            }
            if failed.is_none() {
                failed = self.apply_pending_commands().err();
            }
            if self.interrupt.is_some() || failed.is_some() { Flow::Cancel } else { Flow::Continue }
        })?;
        failed.map_or(Ok(output), Err)
    }
}

/// An engine's output as a part of an event.
pub(super) fn generation(model: Role, output: EngineOutput) -> Generation {
    let EngineOutput { text, tokens, usage, stop } = output;
    Generation { model, text, tokens, usage, stop }
}
