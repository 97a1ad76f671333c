//! Forks: an episode that shares its first steps with another.

use std::sync::Arc;

use thiserror::Error;

use super::step_loop::segments;
use crate::config::{DraftLength, InvalidPreset, Preset};
use crate::engine::Segment;
use crate::episode::{
    Decider, Decision, Episode, EventKind, ModelRecord, Parent, PerRole, Role, Step, StopReason,
};
use crate::routing::{Explorer, Router};

/// Where an episode leaves its parent, and what changes from there on.
///
/// The child has its parent's question, seed and preset. With nothing changed, at temperature 0, it writes
/// what its parent wrote, except where the user intervened: overrides and changes of the threshold after
/// the fork are not repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    /// Number of the parent.
    pub parent: u64,
    /// The parent, over or not.
    pub episode: Arc<Episode>,
    /// The first step that is not shared, from 0 to the parent's number of steps.
    pub step: usize,
    /// The user's choice of the model that writes that step.
    pub model: Option<Role>,
    /// The threshold, in [0, 1]; that of the parent at this step if `None`.
    pub threshold: Option<f64>,
    /// The length of drafts. If `None`, the parent's for the same router, else the router's own.
    pub draft_length: Option<DraftLength>,
    /// The budget; the parent's last one if `None`.
    pub budget: Option<f64>,
}

/// Why an episode cannot be forked.
#[derive(Debug, Error)]
pub enum ForkError {
    /// The parent has no such step.
    #[error(
        "step {step} of episode {parent} cannot be forked from: its number of steps is {steps}"
    )]
    NoStep {
        /// Number of the parent.
        parent: u64,
        /// The step, from 1.
        step: usize,
        /// The parent's number of steps.
        steps: usize,
    },
    /// A step that the fork would share ends the episode.
    #[error(
        "nothing can follow step {step} of episode {parent}, which ends the text or was stopped midway: fork from step {step} or an earlier one"
    )]
    NothingFollows {
        /// Number of the parent.
        parent: u64,
        /// The step, from 1.
        step: usize,
    },
    /// The parent was written by another model than the one loaded.
    #[error(
        "episode {parent} was written by model {wrote}, but model {loaded} is loaded: start pointsman with the models of the preset {preset} as they were"
    )]
    OtherModels {
        /// Number of the parent.
        parent: u64,
        /// Name of the parent's model.
        wrote: String,
        /// Name of the loaded model.
        loaded: String,
        /// The parent's preset.
        preset: String,
    },
    /// A change makes the preset invalid.
    #[error("the fork's {0}")]
    Invalid(#[from] InvalidPreset),
}

crate::exit::classify!(Usage: ForkError);

impl Fork {
    /// A fork of `episode`, number `parent`, with nothing changed.
    pub fn new(parent: u64, episode: impl Into<Arc<Episode>>, step: usize) -> Self {
        let episode = episode.into();
        Self {
            parent,
            episode,
            step,
            model: None,
            threshold: None,
            draft_length: None,
            budget: None,
        }
    }

    /// Checks that the parent can be forked at that step with these models.
    ///
    /// # Errors
    /// If it cannot; the message has the reason.
    pub fn check(&self, models: PerRole<&ModelRecord>) -> Result<(), ForkError> {
        let &Self { parent, step, ref episode, .. } = self;
        let steps = episode.steps.len();
        if step > steps {
            return Err(ForkError::NoStep { parent, step: step + 1, steps });
        }
        let started = &episode.started;
        let shared_steps = self.shared_steps();
        let ends = |at: &usize| {
            let generation = &shared_steps[*at].generation;
            let stopped = matches!(
                generation.stop,
                StopReason::EndOfText | StopReason::ContextFull | StopReason::Cancelled
            );
            let preset = &started.preset;
            let prompt = preset.prompt_for(generation.model, &started.question);
            let before = shared_steps[..*at].iter().map(|step| step.generation.text.as_str());
            let before = std::iter::once(prompt.as_str()).chain(before);
            stopped || preset.steps.has_answer(before, &generation.text)
        };
        if let Some(at) = (0..shared_steps.len()).find(ends) {
            return Err(ForkError::NothingFollows { parent, step: at + 1 });
        }
        let other = Role::BOTH.into_iter().find(|r| started.models[*r].digest != models[*r].digest);
        other.map_or(Ok(()), |role| {
            Err(ForkError::OtherModels {
                parent,
                wrote: started.models[role].name.clone(),
                loaded: models[role].name.clone(),
                preset: started.preset.name.clone(),
            })
        })
    }

    /// The link to the parent, as the child records it.
    pub fn parent(&self) -> Parent {
        Parent { episode: self.parent, step: self.step }
    }

    /// The preset of the child, which `router` decides.
    ///
    /// # Errors
    /// If a change makes the preset invalid.
    pub fn preset(&self, router: &dyn Router) -> Result<Preset, ForkError> {
        let mut preset = self.episode.started.preset.clone();
        let routing = &mut preset.routing;
        let same_router = routing.router == router.name();
        let threshold = self.threshold.unwrap_or_else(|| self.threshold_at_fork());
        // Propensities of draws under another router or threshold would be wrong.
        if !same_router || threshold != routing.threshold {
            routing.exploration = None;
        }
        routing.threshold = threshold;
        if !same_router {
            router.name().clone_into(&mut routing.router);
            routing.draft_length = None;
        }
        routing.draft_length = self.draft_length.or(routing.draft_length);
        preset.budget.limit = self.budget.or(self.episode.budget);
        preset.validate()?;
        Ok(preset)
    }

    /// The parent's threshold at the step.
    fn threshold_at_fork(&self) -> f64 {
        let Episode { steps, decision, threshold, .. } = self.episode.as_ref();
        let at = match steps.get(self.step) {
            Some(step) => step.decision.as_ref(),
            None => decision.as_ref(),
        };
        at.map_or(*threshold, |decision| decision.threshold)
    }

    fn shared_steps(&self) -> &[Step] {
        &self.episode.steps[..self.step.min(self.episode.steps.len())]
    }

    /// The events of the shared steps.
    pub(super) fn inherited_events(&self) -> impl Iterator<Item = EventKind> + '_ {
        self.shared_steps().iter().enumerate().flat_map(|(step, parent_step)| {
            let mut kinds: Vec<EventKind> = Vec::new();
            let scorings = parent_step.scorings.iter().cloned();
            kinds.extend(scorings.map(|scoring| EventKind::DraftScored { step, scoring }));
            if let Some(decision) = parent_step.decision.clone() {
                let Decision { features, p_large, threshold, propensity, choice, by, shadows } =
                    decision;
                if !shadows.is_empty() {
                    kinds.push(EventKind::ShadowsEvaluated { step, p_large: shadows });
                }
                kinds.push(EventKind::Decided {
                    step,
                    features,
                    p_large,
                    threshold,
                    propensity,
                    choice,
                    by,
                });
            }
            let drafts = parent_step.discarded.iter().cloned();
            kinds.extend(drafts.map(|generation| EventKind::Discarded { step, generation }));
            kinds.push(EventKind::Written { step, generation: parent_step.generation.clone() });
            kinds
        })
    }

    /// Brings an explorer to its state in the parent.
    pub(super) fn replay_draws(&self, explorer: &mut Explorer) {
        let decisions = self.shared_steps().iter().filter_map(|step| step.decision.as_ref());
        let drawn = decisions.filter(|d| d.by != Decider::User).filter_map(|d| d.p_large);
        for p_large in drawn {
            explorer.draw(p_large);
        }
    }

    /// What `role` had read when the parent reached the step: the text before the last shared step that it
    /// wrote, drafted or scored, and all but the last token of its text there, which the next request
    /// reads. `None` if it had read nothing.
    pub(super) fn prefilled_before(&self, role: Role, prompt: &str) -> Option<Vec<Segment>> {
        let steps = self.shared_steps();
        let last = steps.iter().rposition(|step| step.read_by(role))?;
        let step = &steps[last];
        let mut generations = step.discarded.iter().chain([&step.generation]).rev();
        let written = generations.find(|w| w.model == role).map(|w| &w.tokens);
        let scorings = || step.scorings.iter().rev().find(|r| r.model == role).map(|r| &r.tokens);
        let tokens = written.or_else(scorings)?;
        let mut read = segments(prompt, &steps[..last], role);
        if let Some((_, before)) = tokens.split_last()
            && !before.is_empty()
        {
            read.push(Segment {
                text: before.iter().map(|t| t.text.as_str()).collect::<String>().into(),
                own_ids: Some(before.iter().map(|t| t.id).collect()),
            });
        }
        Some(read)
    }
}
