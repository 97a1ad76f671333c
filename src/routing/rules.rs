//! Handcrafted routers.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    GaussianMixture, Opinion, Router, RouterError, RouterInput, TokenStats, confidence, features,
};
use crate::config::DraftLength;
use crate::episode::{Role, Token};

/// One model throughout.
pub(super) struct Pinned(pub Role);

impl Router for Pinned {
    fn name(&self) -> &'static str {
        match self.0 {
            Role::Small => "always-small",
            Role::Large => "always-large",
        }
    }

    fn pinned(&self) -> Option<Role> {
        Some(self.0)
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Tokens(0)
    }

    fn opinion(&mut self, _: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let p_large = f64::from(u8::from(self.0 == Role::Large));
        Ok(Opinion { p_large, features: BTreeMap::new() })
    }
}

/// A draw from [0, 1) at each boundary, by the episode's seed: the large model with probability
/// 1 − t.
pub(super) struct Random;

impl Router for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Tokens(0)
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let mut rng = ChaCha8Rng::seed_from_u64(boundary.episode.started.seed);
        // One stream an episode, one word of it a step.
        rng.set_word_pos(2 * boundary.episode.steps.len() as u128);
        Ok(Opinion { p_large: rng.random(), features: features(boundary) })
    }
}

/// The large model for the first k steps: 1/(1 + step) ≥ t.
pub(super) struct FirstK;

impl Router for FirstK {
    fn name(&self) -> &'static str {
        "first-k"
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Tokens(0)
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let p_large = 1.0 / (1.0 + boundary.episode.steps.len() as f64);
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

/// Entropy H (nats) of the glimpse's first token, as the probability 1 − exp(−H): GlimpRouter
/// (arXiv 2601.05110).
pub(super) struct Entropy;

impl Router for Entropy {
    fn name(&self) -> &'static str {
        "entropy"
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Tokens(1)
    }

    fn check_draft_length(&self, draft_length: DraftLength) -> Result<(), RouterError> {
        require_draft("entropy", draft_length)
    }

    fn needs_token_stats(&self) -> TokenStats {
        TokenStats::Distribution
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let first = boundary.draft.tokens.first();
        let first = first.ok_or(RouterError::NeedsDraft("entropy", 1))?;
        let p_large = 1.0 - f64::from(-first.entropy).exp();
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

/// One less the probability of the glimpse's least certain token.
pub(super) struct Confidence;

impl Router for Confidence {
    fn name(&self) -> &'static str {
        "confidence"
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Step
    }

    fn check_draft_length(&self, draft_length: DraftLength) -> Result<(), RouterError> {
        require_draft("confidence", draft_length)
    }

    fn needs_token_stats(&self) -> TokenStats {
        TokenStats::Logprobs
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let least = boundary.draft.tokens.iter().map(|t| t.logprob).reduce(f32::min);
        let least = least.ok_or(RouterError::NeedsDraft("confidence", 1))?;
        let p_large = 1.0 - f64::from(least).exp();
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

/// Probability that the glimpse's confidence comes from the unsure part of a mixture that was
/// fitted on logged episodes.
pub(super) struct GaussianMixtureRouter(pub GaussianMixture);

impl Router for GaussianMixtureRouter {
    fn name(&self) -> &'static str {
        "gmm"
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Step
    }

    fn check_draft_length(&self, draft_length: DraftLength) -> Result<(), RouterError> {
        require_draft("gmm", draft_length)
    }

    fn needs_token_stats(&self) -> TokenStats {
        TokenStats::Logprobs
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let confidence = confidence(&boundary.draft.tokens);
        let confidence = confidence.ok_or(RouterError::NeedsDraft("gmm", 1))?;
        Ok(Opinion { p_large: self.0.unsure_probability(confidence), features: features(boundary) })
    }
}

/// One less the geometric mean of the probabilities that the large model gives the glimpse's
/// tokens: accept or redo by the large model's own score, which is charged.
pub(super) struct Judge;

impl Router for Judge {
    fn name(&self) -> &'static str {
        "judge"
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Step
    }

    fn check_draft_length(&self, draft_length: DraftLength) -> Result<(), RouterError> {
        require_draft("judge", draft_length)
    }

    fn needs_draft_scored(&self) -> bool {
        true
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let mean = mean_logprob(boundary.scored_by_large);
        let mean = mean.ok_or(RouterError::NeedsDraft("judge", 1))?;
        Ok(Opinion { p_large: 1.0 - mean.exp(), features: features(boundary) })
    }
}

/// Knows the solution: the large model where the small one slips and it matters.
///
/// A step that the answer does not depend on is left to the small model, and so is everything
/// after a slip that did matter: that episode is already_wrong.
pub(super) struct Oracle;

impl Router for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn draft_length(&self) -> DraftLength {
        DraftLength::Step
    }

    fn check_draft_length(&self, draft_length: DraftLength) -> Result<(), RouterError> {
        require_draft("oracle", draft_length)
    }

    fn needs_solution(&self) -> bool {
        true
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let solution = boundary.question.solution.as_ref();
        let solution =
            solution.ok_or_else(|| RouterError::NeedsSolution(self.name().to_owned()))?;
        let steps = &boundary.episode.steps;
        let already_wrong = steps
            .iter()
            .enumerate()
            .any(|(i, s)| !solution.step_is_acceptable(i, &s.generation.text));
        let step_error = !solution.step_is_acceptable(steps.len(), &boundary.draft.text);
        let p_large = f64::from(u8::from(step_error && !already_wrong));
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

fn require_draft(name: &'static str, draft_length: DraftLength) -> Result<(), RouterError> {
    if draft_length == DraftLength::Tokens(0) {
        Err(RouterError::NeedsDraft(name, 1))
    } else {
        Ok(())
    }
}

fn mean_logprob(tokens: &[Token]) -> Option<f64> {
    let sum: f64 = tokens.iter().map(|t| f64::from(t.logprob)).sum();
    (!tokens.is_empty()).then(|| sum / tokens.len() as f64)
}
