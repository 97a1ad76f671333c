//! An episode as a trajectory of boundaries.

use crate::config::DraftLength;
use crate::episode::{Episode, Generation, Role, StopReason, Token};
use crate::routing::{self, Draft, FeatureSet};
use crate::tasks::Question;
use crate::tasks::arithmetic::Problem;

/// A boundary at which a router gave a score.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundarySample {
    /// Feature values, in the order of the feature set.
    pub features: Vec<f32>,
    /// Whether the large model was chosen.
    pub large: bool,
    /// Probability of the choice when it was made, given the choices before it; in (0, 1].
    pub propensity: f64,
    /// 1 if the trace before the boundary has no step error that matters, else 0. Always 0 if the task
    /// set cannot verify steps. For training only: no router sees it.
    pub trace_correct: f32,
    /// Whether the small model's draft is a step error that matters. `None` unless the draft is a whole
    /// step, the trace before it is correct, and the task set can verify steps. For training only.
    pub step_error: Option<bool>,
    /// Cost from this boundary to the next one with a score, in the unit of the prices.
    pub cost: f64,
}

/// An episode as a router sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// The question's text. Intervals are clustered by it.
    pub question: String,
    /// The boundaries with a score, in their order; at least one.
    pub boundaries: Vec<BoundarySample>,
    /// Whether the answer is correct.
    pub correct: bool,
    /// Whether the choices were drawn at random (see [`Exploration`](crate::config::Exploration)).
    pub explored: bool,
    /// Cost of the episode, in the unit of the prices.
    pub cost: f64,
    /// The part of that cost that the large model's tokens account for.
    pub large_cost: f64,
    /// Start of the episode, in milliseconds since the Unix epoch.
    pub began_ms: u64,
    /// [`routing::confidence`] of each step that the small model drafted whole.
    pub confidences: Vec<f64>,
}

/// The trajectory of an episode. `None` if no boundary has a score, or a router saw less of a draft than
/// `set` needs.
///
/// Features are computed anew from text and tokens. So older episodes serve a newer feature set, and
/// episodes with a long draft serve a feature set with a shorter one.
pub(super) fn trajectory(
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
        let index = so_far.steps.len();
        let discarded_draft = step.discarded.iter().find(|w| w.model == Role::Small);
        let draft = discarded_draft.or(Some(&step.generation).filter(|w| w.model == Role::Small));
        let whole_draft = draft.filter(|d| d.stop != StopReason::DraftLimit);
        confidences.extend(whole_draft.and_then(|draft| routing::confidence(&draft.tokens)));
        let scored = step.decision.as_ref().filter(|d| d.p_large.is_some());
        if let Some(decision) = scored {
            // What the router saw of the draft, and what one with this set would have seen.
            let seen = decision.draft_length().unwrap_or(0);
            let (tokens, complete) = draft_prefix(draft, seen, set.draft_length)?;
            let text: String = tokens.iter().map(|t| t.text.as_str()).collect();
            if let Some(discarded_draft) = discarded_draft {
                let unseen = discarded_draft.tokens.len().saturating_sub(tokens.len());
                saved_cost += prices.small.cost(0, 0, unseen);
                cost -= prices.small.cost(0, 0, unseen);
            }
            let mut features = routing::features(&routing::RouterInput {
                episode: &so_far,
                question: &question,
                draft: Draft { text: &text, tokens, complete },
                scored_by_large: &[],
            });
            // `so_far` has the ledger of the episode's end.
            features.extend(
                decision.features.get_key_value("budget.left").map(|(k, v)| (k.clone(), *v)),
            );
            let whole_draft = whole_draft.filter(|_| trace_correct);
            let step_error =
                solution.zip(whole_draft).map(|(s, d)| !s.step_is_acceptable(index, &d.text));
            boundaries.push(BoundarySample {
                features: set.row(&features),
                step_error,
                large: decision.choice == Role::Large,
                propensity: decision.propensity?,
                trace_correct: f32::from(u8::from(trace_correct)),
                cost,
            });
        } else if let Some(last) = boundaries.last_mut() {
            // A step without a score follows from the choice before it.
            last.cost += cost;
        }
        trace_correct &=
            solution.is_some_and(|s| s.step_is_acceptable(index, &step.generation.text));
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

/// The first `wanted` tokens of a draft of which a router saw `seen` tokens, and whether they are the
/// whole step. `None` if the router saw less.
fn draft_prefix(
    draft: Option<&Generation>,
    seen: usize,
    wanted: DraftLength,
) -> Option<(&[Token], bool)> {
    let wanted = match wanted {
        DraftLength::Tokens(0) => return Some((&[], false)),
        DraftLength::Tokens(n) => n,
        DraftLength::Step => usize::MAX,
    };
    let draft = draft?;
    let all = draft.tokens.len();
    // A step shorter than the wanted draft is seen whole.
    if seen < wanted.min(all) {
        return None;
    }
    let tokens = &draft.tokens[..wanted.min(all)];
    Some((tokens, tokens.len() == all && draft.stop != StopReason::DraftLimit))
}
