//! Handcrafted routers.

use std::collections::BTreeMap;

use super::{Boundary, Opinion, Router, RouterError, features};
use crate::config::Glimpse;
use crate::episode::Role;

/// Names of all routers.
pub const NAMES: &[&str] = &["always-small", "always-large", "entropy", "confidence", "oracle"];

/// The router of a name.
///
/// # Errors
/// When there is none.
pub fn by_name(name: &str) -> Result<Box<dyn Router>, RouterError> {
    Ok(match name {
        "always-small" => Box::new(Always(Role::Small)),
        "always-large" => Box::new(Always(Role::Large)),
        "entropy" => Box::new(Entropy),
        "confidence" => Box::new(Confidence),
        "oracle" => Box::new(Oracle),
        other => return Err(RouterError::Unknown(other.to_owned())),
    })
}

/// One model throughout.
struct Always(Role);

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

/// Entropy H (nats) of the glimpse's first token, as the probability 1 − exp(−H).
struct Entropy;

impl Router for Entropy {
    fn name(&self) -> &'static str {
        "entropy"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Tokens(1)
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let first = boundary.glimpse.tokens.first();
        let first = first.ok_or(RouterError::NeedsGlimpse("entropy", 1))?;
        let p_large = 1.0 - f64::from(-first.entropy).exp();
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

/// One less the probability of the glimpse's least certain token.
struct Confidence;

impl Router for Confidence {
    fn name(&self) -> &'static str {
        "confidence"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Step
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let least = boundary.glimpse.tokens.iter().map(|t| t.logprob).reduce(f32::min);
        let least = least.ok_or(RouterError::NeedsGlimpse("confidence", 1))?;
        let p_large = 1.0 - f64::from(least).exp();
        Ok(Opinion { p_large, features: features(boundary) })
    }
}

/// Knows the solution: the large model where the small one slips and it matters.
///
/// A step that the answer does not depend on is left to the small model, and so is everything
/// after a slip that did matter: that episode is lost.
struct Oracle;

impl Router for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Step
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
