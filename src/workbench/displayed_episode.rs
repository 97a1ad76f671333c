//! An episode on the screen: what its events say, and what is on its way.

use std::collections::BTreeMap;

use crate::episode::{Decider, Episode, EpisodeStatus, Event, EventKind, FoldError, Role, Token};
use crate::routing::Opinion;

/// An episode on the screen: what its events say, and what is on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayedEpisode {
    pub id: u64,
    pub episode: Episode,
    /// Text that is being written, ahead of its event.
    pub in_flight: Option<InFlightText>,
    /// The router's opinion before the step of that number, until the step is written.
    pub opinion: Option<(usize, Opinion)>,
}

/// Text that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlightText {
    pub model: Role,
    pub text: String,
    pub tokens: usize,
}

impl DisplayedEpisode {
    pub(in crate::workbench) fn start(id: u64, event: &Event) -> Result<Self, FoldError> {
        let episode = Episode::start(event)?;
        Ok(Self { id, episode, in_flight: None, opinion: None })
    }

    /// An episode of the store.
    pub(in crate::workbench) fn stored(id: u64, episode: Episode) -> Self {
        Self { id, episode, in_flight: None, opinion: None }
    }

    pub(in crate::workbench) fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        self.episode.apply(event)?;
        match &event.kind {
            // The small model's glimpse is no beginning of the large model's step.
            EventKind::Decided { choice, .. }
                if self
                    .in_flight
                    .as_ref()
                    .is_some_and(|generation| generation.model != *choice) =>
            {
                self.in_flight = None;
            }
            EventKind::Written { .. }
            | EventKind::Redone { .. }
            | EventKind::Finished { .. }
            | EventKind::Failed { .. } => {
                self.in_flight = None;
                self.opinion = None;
            }
            _ => {}
        }
        Ok(())
    }

    pub(in crate::workbench) fn push_token(&mut self, model: Role, token: &Token) {
        let fresh = || InFlightText { model, text: String::new(), tokens: 0 };
        let generation = self.in_flight.get_or_insert_with(fresh);
        if generation.model != model {
            *generation = fresh();
        }
        generation.text.push_str(&token.text);
        generation.tokens += 1;
    }

    /// The current step while the episode is open, the last one afterwards; nothing where an
    /// episode ended before its first step.
    pub fn last_step(&self) -> Option<usize> {
        let written = self.episode.steps.len();
        if self.episode.is_over() { written.checked_sub(1) } else { Some(written) }
    }

    /// What the router saw before step `step`, and its p(large); nothing where it was not asked.
    pub fn features_at(&self, step: usize) -> Option<(&BTreeMap<String, f64>, Option<f64>)> {
        let written = self.episode.steps.get(step);
        let decision = match written {
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
        let until = match self.episode.status {
            EpisodeStatus::Running => now_ms.max(self.episode.last_ms),
            _ => self.episode.last_ms,
        };
        until.saturating_sub(self.episode.began_ms)
    }

    /// Whether a pause was asked for and a model still writes.
    pub fn is_pausing(&self) -> bool {
        self.episode.status == EpisodeStatus::Paused && self.episode.decision.is_some()
    }

    /// Decisions made by a person, and all decisions.
    pub fn user_decisions(&self) -> (usize, usize) {
        let steps = self.episode.steps.iter().map(|step| step.decision.as_ref());
        let decisions = steps.chain([self.episode.decision.as_ref()]).flatten();
        decisions.fold((0, 0), |(user, all), decision| {
            (user + usize::from(decision.by == Decider::User), all + 1)
        })
    }
}
