//! Episodes as trajectories of boundaries.

use std::collections::BTreeSet;

use crate::config::Glimpse;
use crate::episode::{Decider, Decision, Episode, Role, StopReason, Verdict, Writing};
use crate::evaluation::{Logged, LoggedChoice};
use crate::routing::{self, FeatureSet, Glance, Intake, Pair, Policy};
use crate::store::{End, Store, StoreError};
use crate::tasks::arithmetic::Problem;
use crate::tasks::{Question, Solutions};

/// A boundary at which a router weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// In the order of the feature set.
    pub features: Vec<f32>,
    pub large: bool,
    /// Probability of the choice when it was made, given the choices before it; in (0, 1].
    pub propensity: f64,
    /// Whether the trace before it was free of slips that matter, 1 or 0, where the task set can
    /// verify steps; 0 throughout where it cannot. For training only: no router sees it.
    pub on_track: f32,
    /// Whether the small model's draft was a slip that matters, where that is known: the draft was
    /// whole, the trace before it free of slips, and the task set can verify steps. For training only.
    pub slip: Option<bool>,
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
    /// What of that the large model wrote and prefilled.
    pub large_cost: f64,
    /// When it began: milliseconds since the Unix epoch.
    pub began_ms: u64,
    /// [`routing::confidence`] of each step that the small model drafted whole.
    pub confidences: Vec<f64>,
}

/// Trajectories, and what was left out.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub trajectories: Vec<Trajectory>,
    pub intake: Intake,
    /// Policies that decided in them.
    pub parents: BTreeSet<String>,
    solutions: Solutions,
}

impl Dataset {
    /// Takes every episode of the store in that `pair` wrote; `progress` is told of each.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(
        store: &Store,
        pair: &Pair,
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
            dataset.add(&store.episode(summary.id)?, pair, set);
        }
        Ok(dataset)
    }

    /// Takes an episode in, or counts why not.
    pub fn add(&mut self, episode: &Episode, pair: &Pair, set: &FeatureSet) {
        if !pair.wrote(episode) {
            self.intake.other_models += 1;
            return;
        }
        // Its first choices are its parent's, and that it was made depends on what came of them.
        if episode.started.parent.is_some() {
            self.intake.forks += 1;
            return;
        }
        let decisions = || episode.decisions().map(|(_, decision)| decision);
        // A threshold that was moved was moved by a person who had seen the trace.
        if episode.is_persons() || decisions().any(|d| d.propensity.is_none()) {
            self.intake.person += 1;
            return;
        }
        // What was chosen tells of the draft beyond what the features do, and would be taken for their merit.
        let knowing =
            |d: &Decision| matches!(&d.by, Decider::Rule(r) if r == "oracle" || r == "judge");
        if decisions().any(knowing) {
            self.intake.unweighed += 1;
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
        let started = &episode.started;
        let origin = started.origin.as_ref();
        let solution = origin.and_then(|o| self.solutions.find(o, &started.question));
        let Some(trajectory) = trajectory(episode, correct, set, solution) else {
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
        let question = Logged::question_id(&t.question);
        Logged { question, boundaries, correct: t.correct, cost: t.cost }
    };
    Ok(drawn.iter().map(one).collect())
}

/// The boundaries of an episode with their features, which are read anew from its text and tokens: so
/// older episodes serve a newer feature set, and those with a long glimpse one with a shorter.
/// Nothing where a router weighed nothing, or saw less than the set needs.
fn trajectory(
    episode: &Episode,
    correct: bool,
    set: &FeatureSet,
    solution: Option<&Problem>,
) -> Option<Trajectory> {
    let prices = episode.started.prices;
    let question = Question::typed(episode.started.question.clone());
    let mut so_far = episode.clone();
    let mut boundaries: Vec<Boundary> = Vec::new();
    let mut confidences = Vec::new();
    let mut spared = 0.0;
    let mut on_track = solution.is_some();
    for step in std::mem::take(&mut so_far.steps) {
        let mut cost = step.cost(prices);
        let dropped = step.discarded.iter().find(|w| w.model == Role::Small);
        let draft = dropped.or(Some(&step.writing).filter(|w| w.model == Role::Small));
        let whole = |d: &&Writing| d.stop != StopReason::Glimpse;
        if let Some(draft) = draft.filter(whole) {
            confidences.extend(routing::confidence(&draft.tokens));
        }
        let weighed = step.decision.as_ref().filter(|d| d.p_large.is_some());
        if let Some(decision) = weighed {
            // What the router saw of the draft, and what one with this set would have seen.
            let seen = decision.features.get("glimpse.length").map_or(0, |n| *n as usize);
            let glance = glance(draft, seen, set.glimpse)?;
            if let Some(dropped) = dropped {
                let unseen = dropped.tokens.len().saturating_sub(glance.tokens.len());
                spared += prices.small.of(0, 0, unseen);
                cost -= prices.small.of(0, 0, unseen);
            }
            let boundary = routing::Boundary {
                episode: &so_far,
                question: &question,
                glimpse: &glance,
                judged: &[],
            };
            let mut features = routing::features(&boundary);
            // The ledger is that of the episode's end.
            features.extend(
                decision.features.get_key_value("budget.left").map(|(k, v)| (k.clone(), *v)),
            );
            let place = so_far.steps.len();
            let whole = draft.filter(|d| on_track && d.stop != StopReason::Glimpse);
            let slip = solution.zip(whole).map(|(s, d)| !s.step_will_do(place, &d.text));
            boundaries.push(Boundary {
                features: set.row(&features),
                slip,
                large: decision.choice == Role::Large,
                propensity: decision.propensity?,
                on_track: f32::from(u8::from(on_track)),
                cost,
            });
        } else if let Some(last) = boundaries.last_mut() {
            // A step that was settled belongs to the choice that settled it.
            last.cost += cost;
        }
        let place = so_far.steps.len();
        on_track &= solution.is_some_and(|s| s.step_will_do(place, &step.writing.text));
        so_far.steps.push(step);
    }
    let large = &episode.ledger.accounts.large;
    (!boundaries.is_empty()).then(|| Trajectory {
        question: episode.started.question.clone(),
        boundaries,
        correct,
        explored: episode.started.preset.routing.exploration.is_some(),
        cost: episode.ledger.cost() - spared,
        large_cost: prices.large.of(large.prefilled, large.reused, large.kept),
        began_ms: episode.began_ms,
        confidences,
    })
}

/// The beginning of a draft that a glimpse of length `wanted` shows, of which a router saw `seen`
/// tokens; nothing where it saw less.
fn glance(draft: Option<&Writing>, seen: usize, wanted: Glimpse) -> Option<Glance> {
    let wanted = match wanted {
        Glimpse::Tokens(0) => return Some(Glance::default()),
        Glimpse::Tokens(n) => n,
        Glimpse::Step => usize::MAX,
    };
    let draft = draft?;
    let all = draft.tokens.len();
    // A step that ends within the glimpse is seen whole.
    if seen < wanted.min(all) {
        return None;
    }
    let tokens = draft.tokens[..wanted.min(all)].to_vec();
    let whole = tokens.len() == all && draft.stop != StopReason::Glimpse;
    let text = tokens.iter().map(|t| t.text.as_str()).collect();
    Some(Glance { text, tokens, whole })
}
