//! Features of the steps so far: the last one, all of them, and what they cost.

use super::FeatureSpec;
use super::text::{flag, length};
use super::token_summary::{TokenSummary, digits, max_or_zero, mean};
use crate::episode::{Episode, Role, Step, Token};

pub(super) struct TraceInput<'a> {
    episode: &'a Episode,
    last: Option<TokenSummary>,
    small: Option<SmallModelTrace>,
    unread_by_large: f64,
}

/// Statistics of the tokens that the small model wrote.
struct SmallModelTrace {
    min_logprob: f64,
    mean_logprob: f64,
    worst_step: f64,
    worst_number: f64,
}

impl<'a> TraceInput<'a> {
    pub(super) fn new(episode: &'a Episode, question: &str) -> Self {
        Self {
            episode,
            last: episode.steps.last().and_then(|s| TokenSummary::of(&s.generation.tokens)),
            small: SmallModelTrace::of(&episode.steps),
            unread_by_large: unread_by_large(&episode.steps, question),
        }
    }

    fn budget_left(&self) -> f64 {
        self.episode.budget.map_or(1.0, |limit| {
            if limit > 0.0 {
                (1.0 - self.episode.ledger.cost() / limit).clamp(0.0, 1.0)
            } else {
                0.0
            }
        })
    }
}

impl SmallModelTrace {
    /// `None` before the small model has written a token.
    fn of(steps: &[Step]) -> Option<Self> {
        let by_small: Vec<&[Token]> = steps
            .iter()
            .filter(|s| s.generation.model == Role::Small)
            .map(|s| s.generation.tokens.as_slice())
            .collect();
        let logprobs = || by_small.iter().copied().flatten().map(|t| f64::from(t.logprob));
        let count = logprobs().count();
        if count == 0 {
            return None;
        }
        let worst = |of: fn(&[Token]) -> f64| by_small.iter().map(|t| of(t)).fold(0.0, f64::max);
        Some(Self {
            min_logprob: logprobs().fold(0.0, f64::min),
            mean_logprob: logprobs().sum::<f64>() / count as f64,
            worst_step: worst(|tokens| mean(tokens.iter().map(|t| t.entropy))),
            worst_number: worst(|tokens| max_or_zero(digits(tokens).map(|t| t.entropy))),
        })
    }
}

/// Length of what follows the large model's last step; question included before its first.
fn unread_by_large(steps: &[Step], question: &str) -> f64 {
    let last_large = steps.iter().rposition(|s| s.generation.model == Role::Large);
    let unread = &steps[last_large.map_or(0, |last| last + 1)..];
    let prompt = if last_large.is_none() { length(question) } else { 0.0 };
    prompt + unread.iter().map(|s| length(&s.generation.text)).sum::<f64>()
}

pub(super) static FEATURES: [FeatureSpec; 20] = [
    FeatureSpec::entropy(
        "last.first_entropy",
        "entropy of the first token's distribution in the last step",
        |i| Some(i.trace.last.as_ref()?.first_entropy),
    ),
    FeatureSpec::probability(
        "last.first_probability",
        "highest probability of the first token's distribution in the last step",
        |i| Some(i.trace.last.as_ref()?.first_probability),
    ),
    FeatureSpec::probability(
        "last.first_margin",
        "highest minus second highest probability of that distribution",
        |i| Some(i.trace.last.as_ref()?.first_margin),
    ),
    FeatureSpec::entropy("last.mean_entropy", "mean entropy of the last step's tokens", |i| {
        Some(i.trace.last.as_ref()?.all.mean_entropy)
    }),
    FeatureSpec::entropy("last.max_entropy", "highest entropy of a token in the last step", |i| {
        Some(i.trace.last.as_ref()?.all.max_entropy)
    }),
    FeatureSpec::logprob(
        "last.mean_logprob",
        "mean log-probability of the last step's tokens",
        |i| Some(i.trace.last.as_ref()?.mean_logprob),
    ),
    FeatureSpec::logprob(
        "last.min_logprob",
        "lowest log-probability of a token in the last step",
        |i| Some(i.trace.last.as_ref()?.all.min_logprob),
    ),
    FeatureSpec::count("last.length", "number of tokens of the last step", |i| {
        Some(i.trace.last.as_ref()?.length)
    }),
    FeatureSpec::entropy(
        "last.digit_mean_entropy",
        "mean entropy of the last step's tokens with a digit; 0 without one",
        |i| Some(i.trace.last.as_ref()?.digits.mean_entropy),
    ),
    FeatureSpec::entropy(
        "last.digit_max_entropy",
        "highest entropy of a token with a digit in the last step; 0 without one",
        |i| Some(i.trace.last.as_ref()?.digits.max_entropy),
    ),
    FeatureSpec::entropy(
        "last.number_entropy",
        "highest entropy within the last step's last number; 0 without one",
        |i| Some(i.trace.last.as_ref()?.number_entropy),
    ),
    FeatureSpec::logprob(
        "last.number_logprob",
        "log-probability of the last step's whole last number; 0 without one",
        |i| Some(i.trace.last.as_ref()?.number_logprob),
    ),
    FeatureSpec::flag("last.large", "the large model wrote the last step", |i| {
        Some(flag(i.trace.episode.steps.last()?.generation.model == Role::Large))
    }),
    FeatureSpec::logprob(
        "trace.min_logprob",
        "lowest log-probability of a token that the small model wrote",
        |i| Some(i.trace.small.as_ref()?.min_logprob),
    ),
    FeatureSpec::logprob(
        "trace.mean_logprob",
        "mean log-probability of the tokens that the small model wrote",
        |i| Some(i.trace.small.as_ref()?.mean_logprob),
    ),
    FeatureSpec::entropy(
        "trace.worst_step",
        "highest mean entropy of a step that the small model wrote",
        |i| Some(i.trace.small.as_ref()?.worst_step),
    ),
    FeatureSpec::entropy(
        "trace.worst_number",
        "highest entropy of a token with a digit that the small model wrote",
        |i| Some(i.trace.small.as_ref()?.worst_number),
    ),
    FeatureSpec::count("trace.step", "number of the next step, from 0", |i| {
        Some(i.trace.episode.steps.len() as f64)
    }),
    FeatureSpec::share("trace.large_share", "share of steps that the large model wrote", |i| {
        Some(i.trace.episode.share_of(Role::Large))
    }),
    FeatureSpec::share("budget.left", "share of the budget that is left; 1 without a limit", |i| {
        Some(i.trace.budget_left())
    }),
];

/// What a change of the writer would cost.
pub(super) const UNREAD_LENGTH: FeatureSpec = FeatureSpec::length(
    "large.unread_length",
    "length of the part of question and trace that the large model has not read",
    |i| Some(i.trace.unread_by_large),
);
