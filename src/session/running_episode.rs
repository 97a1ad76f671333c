//! An episode on its way: its events as they happen, and the commands that it obeys meanwhile.

use super::{Command, EpisodeObserver, EventSink, Fork, SessionError, now_ms};
use crate::engine::{Engine, EngineOutput, EngineRequest, Flow, Segment};
use crate::episode::{Decider, Episode, Event, EventKind, OverrideScope, PerRole, Role};

/// An episode on its way.
pub(super) struct RunningEpisode<'a> {
    pub(super) id: u64,
    pub(super) episode: Episode,
    pub(super) sink: &'a mut dyn EventSink,
    pub(super) observer: &'a mut dyn EpisodeObserver,
    /// Steps to write before the next pause.
    pub(super) steps_left: Option<usize>,
    pub(super) stopped: bool,
    /// The last step is to be written anew.
    pub(super) redo: bool,
    /// In a fork, what a model had read in the parent and has not read here.
    pub(super) pending_prefill: PerRole<Option<Vec<Segment>>>,
}

impl RunningEpisode<'_> {
    pub(super) fn emit(&mut self, kind: EventKind) -> Result<(), SessionError> {
        let event = Event::new(now_ms(), kind);
        self.sink.append(self.id, &event).map_err(SessionError::Sink)?;
        self.episode.apply(&event)?;
        self.observer.on_event(self.id, &event);
        Ok(())
    }

    /// Notes what a fork shares with its parent, and the pause that the episode begins with.
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

    /// Takes the last step back, and gives it to the other model. The router's opinion is that of the first
    /// time: the boundary is the same.
    pub(super) fn take_back(&mut self) -> Result<Role, SessionError> {
        let step = self.episode.steps.len().saturating_sub(1);
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
        self.episode.status == crate::episode::EpisodeStatus::Paused
    }

    pub(super) fn pause(&mut self) -> Result<(), SessionError> {
        if self.is_paused() { Ok(()) } else { self.emit(EventKind::Paused) }
    }

    fn resume(&mut self) -> Result<(), SessionError> {
        if self.is_paused() { self.emit(EventKind::Resumed) } else { Ok(()) }
    }

    fn apply_command(&mut self, command: Command) -> Result<(), SessionError> {
        match command {
            Command::Pause => self.pause(),
            Command::Resume => {
                self.steps_left = None;
                self.resume()
            }
            Command::Step => {
                self.steps_left = Some(1);
                self.resume()
            }
            Command::SetOverride { model, scope } => {
                self.emit(EventKind::OverrideSet { model, scope })
            }
            Command::ClearOverride if self.episode.active_override.is_some() => {
                self.emit(EventKind::OverrideCleared)
            }
            Command::ClearOverride => Ok(()),
            Command::SetThreshold(to) if (0.0..=1.0).contains(&to) => {
                let from = self.episode.threshold;
                if from == to { Ok(()) } else { self.emit(EventKind::ThresholdMoved { from, to }) }
            }
            Command::SetThreshold(to) => {
                self.observer.on_refused(&format!("a threshold of {to} is not between 0 and 1"));
                Ok(())
            }
            Command::SetBudget(to) => {
                let from = self.episode.budget;
                self.emit(EventKind::BudgetChanged { from, to })
            }
            Command::Bookmark(note) => {
                let step = self.episode.steps.len();
                self.emit(EventKind::Bookmarked { step, note })
            }
            Command::Redo => {
                if self.episode.steps.is_empty() {
                    self.observer.on_refused("no step is written yet that could be written anew");
                } else {
                    self.redo = true;
                }
                Ok(())
            }
            // It is for the next question.
            Command::SetRouting(_) => Ok(()),
            Command::Stop | Command::Quit | Command::Ask { .. } | Command::Fork(_) => {
                self.stopped = true;
                Ok(())
            }
        }
    }

    pub(super) fn apply_pending_commands(&mut self) -> Result<(), SessionError> {
        while let Some(command) = self.observer.poll() {
            self.apply_command(command)?;
        }
        Ok(())
    }

    pub(super) fn wait_while_paused(&mut self) -> Result<(), SessionError> {
        self.apply_pending_commands()?;
        while self.is_paused() && !self.stopped && !self.redo {
            match self.observer.wait() {
                Some(command) => self.apply_command(command)?,
                None => self.stopped = true,
            }
        }
        Ok(())
    }

    pub(super) fn pause_after_steps(&mut self) -> Result<(), SessionError> {
        match self.steps_left.as_mut() {
            Some(0) | None => Ok(()),
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    self.steps_left = None;
                    self.pause()?;
                }
                Ok(())
            }
        }
    }

    /// Lets an engine write or read, and obeys meanwhile; `shown` is the model whose tokens are shown.
    pub(super) fn generate_observed(
        &mut self,
        shown: Option<Role>,
        engine: &mut dyn Engine,
        request: &EngineRequest,
    ) -> Result<EngineOutput, SessionError> {
        let mut failed = None;
        let draft = engine.generate(request, &mut |token| {
            if let (Some(role), Some(token)) = (shown, token) {
                self.observer.on_token(role, token);
            }
            if failed.is_none() {
                failed = self.apply_pending_commands().err();
            }
            if self.stopped || self.redo || failed.is_some() {
                Flow::Cancel
            } else {
                Flow::Continue
            }
        })?;
        failed.map_or(Ok(draft), Err)
    }
}
