//! Episodes as trajectories of boundaries.

use std::collections::BTreeSet;

use crate::episode::{Decider, Episode, PerRole, Role, Verdict};
use crate::evaluation::{Logged, LoggedChoice};
use crate::routing::{FeatureSet, Intake, Policy};
use crate::store::{End, Store, StoreError};

/// A boundary at which a router weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// In the order of the feature set, as they were logged.
    pub features: Vec<f32>,
    pub large: bool,
    /// Probability of the choice when it was made, given the choices before it; in (0, 1].
    pub propensity: f64,
    /// What was spent from this boundary to the next one at which a router weighed, in the unit of the prices.
    pub cost: f64,
}

/// An episode as a router sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// The question's text: episodes of the same question stand together in a bootstrap.
    pub question: String,
    pub boundaries: Vec<Boundary>,
    pub correct: bool,
    /// Whether its choices were drawn to learn from, so that every threshold had its chance.
    pub explored: bool,
    /// Of the whole episode, in the unit of the prices.
    pub cost: f64,
    /// Mean log-probability of each step that the small model drafted whole.
    pub confidences: Vec<f64>,
}

/// Trajectories, and what was left out.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub trajectories: Vec<Trajectory>,
    pub intake: Intake,
    /// Policies that decided in them.
    pub parents: BTreeSet<String>,
}

impl Dataset {
    /// Takes every episode of the store in that was written by the models with these digests;
    /// `progress` is told of each.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(
        store: &Store,
        models: &PerRole<String>,
        set: &FeatureSet,
        mut progress: impl FnMut(),
    ) -> Result<Self, StoreError> {
        let mut dataset = Self::default();
        for summary in store.list() {
            progress();
            let summary = summary?;
            if !matches!(summary.end, End::Finished { .. }) {
                dataset.intake.ungraded += 1;
                continue;
            }
            dataset.add(&store.episode(summary.id)?, models, set);
        }
        Ok(dataset)
    }

    /// Takes an episode in, or counts why not.
    pub fn add(&mut self, episode: &Episode, models: &PerRole<String>, set: &FeatureSet) {
        if Role::BOTH.iter().any(|role| episode.started.models[*role].digest != models[*role]) {
            self.intake.other_models += 1;
            return;
        }
        let decisions = || episode.steps.iter().filter_map(|s| s.decision.as_ref());
        let threshold = episode.started.preset.routing.threshold;
        // A threshold that was moved was moved by a person who had seen the trace.
        let touched = |d: &crate::episode::Decision| {
            d.by == Decider::Person || d.propensity.is_none() || d.threshold != threshold
        };
        if decisions().any(touched) {
            self.intake.person += 1;
            return;
        }
        let correct = match episode.verdict() {
            Some(Verdict::Correct) => true,
            Some(Verdict::Wrong) => false,
            Some(Verdict::Undecided) | None => {
                self.intake.ungraded += 1;
                return;
            }
        };
        let Some(trajectory) = trajectory(episode, correct, set) else {
            self.intake.unweighed += 1;
            return;
        };
        self.intake.used += 1;
        for decision in decisions() {
            if let Decider::Policy(name) = &decision.by {
                self.parents.insert(name.clone());
            }
        }
        self.trajectories.push(trajectory);
    }
}

/// The trajectories whose choices were drawn, as a log for off-policy estimates of `policy`, whose
/// feature set must be theirs.
///
/// # Errors
/// When the network fails.
pub fn logged(trajectories: &[Trajectory], policy: &Policy) -> candle_core::Result<Vec<Logged>> {
    let drawn: Vec<&Trajectory> = trajectories.iter().filter(|t| t.explored).collect();
    let rows: Vec<Vec<f32>> =
        drawn.iter().flat_map(|t| t.boundaries.iter().map(|b| b.features.clone())).collect();
    let mut p = policy.p_large_of(&rows)?.into_iter();
    let one = |t: &&Trajectory| {
        let choices = t.boundaries.iter().zip(p.by_ref());
        let boundaries = choices
            .map(|(b, p_large)| LoggedChoice { p_large, large: b.large, propensity: b.propensity })
            .collect();
        let hash = blake3::hash(t.question.as_bytes());
        let question = hash.as_bytes()[..8].try_into().map_or(0, u64::from_le_bytes);
        Logged { question, boundaries, correct: t.correct, cost: t.cost }
    };
    Ok(drawn.iter().map(one).collect())
}

fn trajectory(episode: &Episode, correct: bool, set: &FeatureSet) -> Option<Trajectory> {
    let prices = episode.started.prices;
    let mut boundaries: Vec<Boundary> = Vec::new();
    let mut confidences = Vec::new();
    for step in &episode.steps {
        let cost = step.cost(prices);
        let draft = step.discarded.iter().chain([&step.writing]).find(|w| w.model == Role::Small);
        if let Some(draft) = draft.filter(|d| !d.tokens.is_empty()) {
            let sum: f64 = draft.tokens.iter().map(|t| f64::from(t.logprob)).sum();
            confidences.push(sum / draft.tokens.len() as f64);
        }
        let weighed = step.decision.as_ref().filter(|d| d.p_large.is_some());
        match (weighed, boundaries.last_mut()) {
            (Some(decision), _) => {
                // An episode of an older program may lack features; 0 would be a lie.
                let always = ["trace.step", "question.numbers", "large.unread"];
                if always.iter().any(|name| !decision.features.contains_key(*name)) {
                    return None;
                }
                boundaries.push(Boundary {
                    features: set.row(&decision.features),
                    large: decision.choice == Role::Large,
                    propensity: decision.propensity?,
                    cost,
                });
            }
            // A step that was settled belongs to the choice that settled it.
            (None, Some(last)) => last.cost += cost,
            (None, None) => {}
        }
    }
    (!boundaries.is_empty()).then(|| Trajectory {
        question: episode.started.question.clone(),
        boundaries,
        correct,
        explored: episode.started.preset.routing.exploration.is_some(),
        cost: episode.ledger.cost(),
        confidences,
    })
}
