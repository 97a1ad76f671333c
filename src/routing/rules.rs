//! Handcrafted routers.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Boundary, Evidence, Mixture, Opinion, Router, RouterError, confidence, features};
use crate::config::Glimpse;
use crate::episode::{Role, Token};

/// One model throughout.
pub(super) struct Always(pub Role);

impl Router for Always {
    fn name(&self) -> &'static str {
        match self.0 {
            Role::Small => "always-small",
            Role::Large => "always-large",
        }
    }

    fn pinned(&self) -> Option<Role> {
        Some(self.0)
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Tokens(0)
    }

    fn opinion(&mut self, _: &Boundary<'_>) -> Result<Opinion, RouterError> {
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

    fn glimpse(&self) -> Glimpse {
        Glimpse::Tokens(0)
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let mut rng = ChaCha8Rng::seed_from_u64(boundary.episode.started.seed);
        // One stream an episode, one word of it a step.
        rng.set_word_pos(2 * boundary.episode.steps.len() as u128);
        Ok(Opinion { p_large: rng.random(), features: features(boundary) })
    }
}

/// The large model for the first k steps: 1/(1 + step) ≥ t.
pub(super) struct First;

impl Router for First {
    fn name(&self) -> &'static str {
        "first-k"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Tokens(0)
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
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

    fn glimpse(&self) -> Glimpse {
        Glimpse::Tokens(1)
    }

    fn needs(&self, glimpse: Glimpse) -> Result<(), RouterError> {
        at_least_one("entropy", glimpse)
    }

    fn evidence(&self) -> Evidence {
        Evidence::Distribution
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let first = boundary.glimpse.tokens.first();
        let first = first.ok_or(RouterError::NeedsGlimpse("entropy", 1))?;
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

    fn glimpse(&self) -> Glimpse {
        Glimpse::Step
    }

    fn needs(&self, glimpse: Glimpse) -> Result<(), RouterError> {
        at_least_one("confidence", glimpse)
    }

    fn evidence(&self) -> Evidence {
        Evidence::Logprobs
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let least = boundary.glimpse.tokens.iter().map(|t| t.logprob).reduce(f32::min);
        let least = least.ok_or(RouterError::NeedsGlimpse("confidence", 1))?;
        let p_large = 1.0 - f64::from(least).exp();
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

/// Probability that the glimpse's confidence comes from the unsure part of a mixture that was
/// fitted on logged episodes.
pub(super) struct Gmm(pub Mixture);

impl Router for Gmm {
    fn name(&self) -> &'static str {
        "gmm"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Step
    }

    fn needs(&self, glimpse: Glimpse) -> Result<(), RouterError> {
        at_least_one("gmm", glimpse)
    }

    fn evidence(&self) -> Evidence {
        Evidence::Logprobs
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let confidence = confidence(&boundary.glimpse.tokens);
        let confidence = confidence.ok_or(RouterError::NeedsGlimpse("gmm", 1))?;
        Ok(Opinion { p_large: self.0.unsure(confidence), features: features(boundary) })
    }
}

/// One less the geometric mean of the probabilities that the large model gives the glimpse's
/// tokens: accept or redo by the large model's own score, which is charged.
pub(super) struct Judge;

impl Router for Judge {
    fn name(&self) -> &'static str {
        "judge"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Step
    }

    fn needs(&self, glimpse: Glimpse) -> Result<(), RouterError> {
        at_least_one("judge", glimpse)
    }

    fn judges(&self) -> bool {
        true
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let mean = mean_logprob(boundary.judged);
        let mean = mean.ok_or(RouterError::NeedsGlimpse("judge", 1))?;
        Ok(Opinion { p_large: 1.0 - mean.exp(), features: features(boundary) })
    }
}

/// Knows the solution: the large model where the small one slips and it matters.
///
/// A step that the answer does not depend on is left to the small model, and so is everything
/// after a slip that did matter: that episode is lost.
pub(super) struct Oracle;

impl Router for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Step
    }

    fn needs(&self, glimpse: Glimpse) -> Result<(), RouterError> {
        at_least_one("oracle", glimpse)
    }

    fn needs_solution(&self) -> bool {
        true
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let solution = boundary.question.solution.as_ref();
        let solution =
            solution.ok_or_else(|| RouterError::NeedsSolution(self.name().to_owned()))?;
        let steps = &boundary.episode.steps;
        let lost =
            steps.iter().enumerate().any(|(i, s)| !solution.step_will_do(i, &s.writing.text));
        let slips = !solution.step_will_do(steps.len(), &boundary.glimpse.text);
        let p_large = f64::from(u8::from(slips && !lost));
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

fn at_least_one(name: &'static str, glimpse: Glimpse) -> Result<(), RouterError> {
    if glimpse == Glimpse::Tokens(0) { Err(RouterError::NeedsGlimpse(name, 1)) } else { Ok(()) }
}

fn mean_logprob(tokens: &[Token]) -> Option<f64> {
    let sum: f64 = tokens.iter().map(|t| f64::from(t.logprob)).sum();
    (!tokens.is_empty()).then(|| sum / tokens.len() as f64)
}
