//! Episodes as trajectories of boundaries.

use std::collections::BTreeSet;

use crate::config::DraftLength;
use crate::episode::{Decider, Decision, Episode, Generation, Role, StopReason, Verdict};
use crate::evaluation::{LoggedChoice, LoggedEpisode};
use crate::routing::{self, DatasetCounts, Draft, FeatureSet, PairFingerprint, Policy};
use crate::store::{EpisodeEnd, Store, StoreError};
use crate::tasks::arithmetic::Problem;
use crate::tasks::{Question, Solutions};

/// A boundary at which a router weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundarySample {
    /// In the order of the feature set.
    pub features: Vec<f32>,
    pub large: bool,
    /// Probability of the choice when it was made, given the choices before it; in (0, 1].
    pub propensity: f64,
    /// Whether the trace before it was free of slips that matter, 1 or 0, where the task set can
    /// verify steps; 0 throughout where it cannot. For training only: no router sees it.
    pub trace_correct: f32,
    /// Whether the small model's draft was a slip that matters, where that is known: the draft was
    /// whole, the trace before it free of slips, and the task set can verify steps. For training only.
    pub step_error: Option<bool>,
    /// What was spent from this boundary to the next one at which a router weighed, in the unit of the prices.
    pub cost: f64,
}

/// An episode as a router sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// The question's text: episodes of the same question stand together in a bootstrap.
    pub question: String,
    pub boundaries: Vec<BoundarySample>,
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
    pub dataset_counts: DatasetCounts,
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
        pair: &PairFingerprint,
        set: &FeatureSet,
        mut progress: impl FnMut(),
    ) -> Result<Self, StoreError> {
        let mut dataset = Self::default();
        for summary in store.summaries() {
            progress();
            let summary = summary?;
            if !matches!(summary.end, EpisodeEnd::Finished { .. }) {
                dataset.dataset_counts.ungraded += 1;
                continue;
            }
            dataset.add(&store.episode(summary.id)?, pair, set);
        }
        Ok(dataset)
    }

    /// Takes an episode in, or counts why not.
    pub fn add(&mut self, episode: &Episode, pair: &PairFingerprint, set: &FeatureSet) {
        if !pair.matches(episode) {
            self.dataset_counts.other_models += 1;
            return;
        }
        // Its first choices are its parent's, and that it was made depends on what came of them.
        if episode.started.parent.is_some() {
            self.dataset_counts.forks += 1;
            return;
        }
        let decisions = || episode.decisions().map(|(_, decision)| decision);
        // A threshold that was moved was moved by a person who had seen the trace.
        if episode.has_user_choice() || decisions().any(|d| d.propensity.is_none()) {
            self.dataset_counts.user += 1;
            return;
        }
        // What was chosen tells of the draft beyond what the features do, and would be taken for their merit.
        let privileged =
            |d: &Decision| matches!(&d.by, Decider::Rule(r) if r == "oracle" || r == "judge");
        if decisions().any(privileged) {
            self.dataset_counts.unusable += 1;
            return;
        }
        let correct = match episode.verdict() {
            Some(Verdict::Correct) => true,
            Some(Verdict::Wrong) => false,
            Some(Verdict::Undecided) | None => {
                self.dataset_counts.ungraded += 1;
                return;
            }
        };
        let started = &episode.started;
        let origin = started.origin.as_ref();
        let solution = origin.and_then(|o| self.solutions.find(o, &started.question));
        let Some(trajectory) = trajectory(episode, correct, set, solution) else {
            self.dataset_counts.unusable += 1;
            return;
        };
        self.dataset_counts.used += 1;
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
pub fn logged_episodes(
    trajectories: &[Trajectory],
    policy: &Policy,
) -> candle_core::Result<Vec<LoggedEpisode>> {
    let drawn: Vec<&Trajectory> = trajectories.iter().filter(|t| t.explored).collect();
    let rows: Vec<Vec<f32>> =
        drawn.iter().flat_map(|t| t.boundaries.iter().map(|b| b.features.clone())).collect();
    let mut p = policy.p_large_batch(&rows)?.into_iter();
    let one = |t: &&Trajectory| {
        let choices = t.boundaries.iter().zip(p.by_ref());
        let boundaries = choices
            .map(|(b, p_large)| LoggedChoice { p_large, large: b.large, propensity: b.propensity })
            .collect();
        let question = LoggedEpisode::question_hash(&t.question);
        LoggedEpisode { question, boundaries, correct: t.correct, cost: t.cost }
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
    let question = Question::from_user(episode.started.question.clone());
    let mut so_far = episode.clone();
    let mut boundaries: Vec<BoundarySample> = Vec::new();
    let mut confidences = Vec::new();
    let mut saved_cost = 0.0;
    let mut trace_correct = solution.is_some();
    for step in std::mem::take(&mut so_far.steps) {
        let mut cost = step.cost(prices);
        let discarded_draft = step.discarded.iter().find(|w| w.model == Role::Small);
        let draft = discarded_draft.or(Some(&step.generation).filter(|w| w.model == Role::Small));
        let whole = |d: &&Generation| d.stop != StopReason::DraftLimit;
        if let Some(draft) = draft.filter(whole) {
            confidences.extend(routing::confidence(&draft.tokens));
        }
        let weighed = step.decision.as_ref().filter(|d| d.p_large.is_some());
        if let Some(decision) = weighed {
            // What the router saw of the draft, and what one with this set would have seen.
            let seen = decision.features.get("glimpse.length").map_or(0, |n| *n as usize);
            let seen_draft = draft_prefix(draft, seen, set.draft_length)?;
            if let Some(discarded_draft) = discarded_draft {
                let unseen = discarded_draft.tokens.len().saturating_sub(seen_draft.tokens.len());
                saved_cost += prices.small.cost(0, 0, unseen);
                cost -= prices.small.cost(0, 0, unseen);
            }
            let boundary = routing::RouterInput {
                episode: &so_far,
                question: &question,
                draft: &seen_draft,
                scored_by_large: &[],
            };
            let mut features = routing::features(&boundary);
            // The ledger is that of the episode's end.
            features.extend(
                decision.features.get_key_value("budget.left").map(|(k, v)| (k.clone(), *v)),
            );
            let place = so_far.steps.len();
            let whole = draft.filter(|d| trace_correct && d.stop != StopReason::DraftLimit);
            let step_error =
                solution.zip(whole).map(|(s, d)| !s.step_is_acceptable(place, &d.text));
            boundaries.push(BoundarySample {
                features: set.row(&features),
                step_error,
                large: decision.choice == Role::Large,
                propensity: decision.propensity?,
                trace_correct: f32::from(u8::from(trace_correct)),
                cost,
            });
        } else if let Some(last) = boundaries.last_mut() {
            // A step that was settled belongs to the choice that settled it.
            last.cost += cost;
        }
        let place = so_far.steps.len();
        trace_correct &=
            solution.is_some_and(|s| s.step_is_acceptable(place, &step.generation.text));
        so_far.steps.push(step);
    }
    let large = &episode.ledger.totals.large;
    (!boundaries.is_empty()).then(|| Trajectory {
        question: episode.started.question.clone(),
        boundaries,
        correct,
        explored: episode.started.preset.routing.exploration.is_some(),
        cost: episode.ledger.cost() - saved_cost,
        large_cost: prices.large.cost(large.prefilled, large.reused, large.kept),
        began_ms: episode.began_ms,
        confidences,
    })
}

/// The beginning of a draft that a glimpse of length `wanted` shows, of which a router saw `seen`
/// tokens; nothing where it saw less.
fn draft_prefix(draft: Option<&Generation>, seen: usize, wanted: DraftLength) -> Option<Draft> {
    let wanted = match wanted {
        DraftLength::Tokens(0) => return Some(Draft::default()),
        DraftLength::Tokens(n) => n,
        DraftLength::Step => usize::MAX,
    };
    let draft = draft?;
    let all = draft.tokens.len();
    // A step that ends within the glimpse is seen whole.
    if seen < wanted.min(all) {
        return None;
    }
    let tokens = draft.tokens[..wanted.min(all)].to_vec();
    let complete = tokens.len() == all && draft.stop != StopReason::DraftLimit;
    let text = tokens.iter().map(|t| t.text.as_str()).collect();
    Some(Draft { text, tokens, complete })
}
