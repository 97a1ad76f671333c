//! The episode on the screen: what its events say, and what is ahead of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::episode::{Decider, Episode, EpisodeStatus, Event, EventKind, FoldError, Role, Token};
use crate::routing::Opinion;

/// The episode on the screen: what its events say, and what is ahead of them.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayedEpisode {
    /// Its number.
    pub id: u64,
    /// The fold of its events, shared with forks and comparisons.
    pub episode: Arc<Episode>,
    /// Text that is being written, ahead of its event.
    pub in_flight: Option<InFlightText>,
    /// The router's opinion before the step of that number, until the step is written.
    pub opinion: Option<(usize, Opinion)>,
    /// The failure that ended the episode without an event, since no event could be stored.
    failure: Option<EpisodeStatus>,
}

/// Text that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlightText {
    /// The model that writes it.
    pub model: Role,
    /// The text so far.
    pub text: String,
    /// Its tokens so far.
    pub tokens: usize,
}

impl DisplayedEpisode {
    /// An episode that begins with this event.
    pub(super) fn start(id: u64, event: &Event) -> Result<Self, FoldError> {
        Ok(Self::stored(id, Episode::start(event)?))
    }

    /// An episode of the store.
    pub(super) fn stored(id: u64, episode: Episode) -> Self {
        Self { id, episode: Arc::new(episode), in_flight: None, opinion: None, failure: None }
    }

    /// Folds the next event.
    pub(super) fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        Arc::make_mut(&mut self.episode).apply(event)?;
        match &event.kind {
            // The small model's draft does not begin the large model's step.
            EventKind::Decided { choice, .. }
                if self.in_flight.as_ref().is_some_and(|text| text.model != *choice) =>
            {
                self.in_flight = None;
            }
            EventKind::Written { .. }
            | EventKind::Redone { .. }
            | EventKind::Finished { .. }
            | EventKind::Failed { .. } => self.clear_in_flight(),
            _ => {}
        }
        Ok(())
    }

    /// Notes that the episode ended because its events could not be stored.
    pub(super) fn fail(&mut self, reason: String) {
        self.clear_in_flight();
        self.failure = Some(EpisodeStatus::Failed(reason));
    }

    fn clear_in_flight(&mut self) {
        self.in_flight = None;
        self.opinion = None;
    }

    /// Adds a token ahead of its event.
    pub(super) fn push_token(&mut self, model: Role, token: &Token) {
        let fresh = || InFlightText { model, text: String::new(), tokens: 0 };
        let in_flight = self.in_flight.get_or_insert_with(fresh);
        if in_flight.model != model {
            *in_flight = fresh();
        }
        in_flight.text.push_str(&token.text);
        in_flight.tokens += 1;
    }

    /// How far the episode is: by its events, or by the failure to store one.
    pub fn status(&self) -> &EpisodeStatus {
        self.failure.as_ref().unwrap_or(&self.episode.status)
    }

    /// Whether no further event comes.
    pub fn is_over(&self) -> bool {
        self.failure.is_some() || self.episode.is_over()
    }

    /// The current step while the episode is open, the last one afterwards; `None` if the episode
    /// ended before its first step.
    pub fn last_step(&self) -> Option<usize> {
        let written = self.episode.steps.len();
        if self.is_over() { written.checked_sub(1) } else { Some(written) }
    }

    /// The features before step `step`, and the router's p(large); `None` if there are no features.
    pub fn features_at(&self, step: usize) -> Option<(&BTreeMap<String, f64>, Option<f64>)> {
        let decision = match self.episode.steps.get(step) {
            Some(step) => step.decision.as_ref(),
            None => self.episode.decision.as_ref(),
        };
        let opinion = || {
            let (_, opinion) = self.opinion.as_ref().filter(|(at, _)| *at == step)?;
            Some((&opinion.features, Some(opinion.p_large)))
        };
        let decided = decision.map(|decision| (&decision.features, decision.p_large));
        decided.or_else(opinion).filter(|(features, _)| !features.is_empty())
    }

    /// Milliseconds that the episode has taken; the clock stands still in a pause and at the end.
    pub fn elapsed_ms(&self, now_ms: u64) -> u64 {
        let until = match self.status() {
            EpisodeStatus::Running => now_ms.max(self.episode.last_ms),
            _ => self.episode.last_ms,
        };
        until.saturating_sub(self.episode.began_ms)
    }

    /// Whether a pause was requested and a model is still writing.
    pub fn is_pausing(&self) -> bool {
        *self.status() == EpisodeStatus::Paused && self.episode.decision.is_some()
    }

    /// Decisions made by the user, and all decisions.
    pub fn user_decisions(&self) -> (usize, usize) {
        let steps = self.episode.steps.iter().map(|step| step.decision.as_ref());
        let decisions = steps.chain([self.episode.decision.as_ref()]).flatten();
        decisions.fold((0, 0), |(user, all), decision| {
            (user + usize::from(decision.by == Decider::User), all + 1)
        })
    }
}
