//! The table of routers.
//!
//! A handcrafted rule is a function from a [`RouterInput`] to p(large), in a file of its own, and one
//! row of [`ROUTERS`].

mod confidence;
mod entropy;
mod first_k;
mod gmm;
mod judge;
mod oracle;
mod policy;
mod random;
mod rule;

use super::{AcceptedDrafts, GaussianMixture, Requirements, RouterError, RouterInput};
use crate::config::DraftLength;
use crate::engine::TokenStats;
use crate::episode::Role;

pub(super) use policy::PolicyRouter;
pub(super) use rule::{MixtureRouter, PinnedRouter, RuleRouter};

/// Names of routers that the program itself refers to.
pub mod router_name {
    /// The trained policy.
    pub const POLICY: &str = "policy";
    /// The small model alone.
    pub const ALWAYS_SMALL: &str = "always-small";
    /// The large model alone.
    pub const ALWAYS_LARGE: &str = "always-large";
    /// A draw at each boundary.
    pub const RANDOM: &str = "random";
}

/// A router: its name, what it computes and what it needs.
#[derive(Debug)]
pub struct RouterSpec {
    /// Its name on the command line and in presets.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Its p(large).
    pub formula: &'static str,
    /// What p(large) is computed from: a feature's name, or a description if it is none. `None` for
    /// a policy, which reads many features, and for a router that reads nothing.
    pub statistic: Option<&'static str>,
    /// What it needs in order to decide. A policy's own requirements depend on the features it was
    /// trained on; the row has the defaults.
    pub requirements: Requirements,
    pub(super) kind: RouterKind,
}

/// p(large) of a handcrafted rule.
type Rule = fn(&RouterInput<'_>) -> Result<f64, RouterError>;
/// p(large) of a rule that reads a fitted mixture.
type MixtureRule = fn(&GaussianMixture, &RouterInput<'_>) -> Result<f64, RouterError>;

/// How a router is made.
#[derive(Debug)]
pub(super) enum RouterKind {
    /// Always this model.
    Pinned(Role),
    Rule(Rule),
    /// From the mixture in the policy file.
    Mixture(MixtureRule),
    /// From the policy file.
    Policy,
}

impl RouterSpec {
    /// Whether it is made from a policy file.
    #[must_use]
    pub fn needs_policy(&self) -> bool {
        matches!(self.kind, RouterKind::Policy | RouterKind::Mixture(_))
    }

    /// Whether it needs the mixture that training fits.
    #[must_use]
    pub fn needs_mixture(&self) -> bool {
        matches!(self.kind, RouterKind::Mixture(_))
    }

    /// The model that it always chooses; `None` if it depends on the boundary.
    #[must_use]
    pub fn pinned(&self) -> Option<Role> {
        match self.kind {
            RouterKind::Pinned(role) => Some(role),
            _ => None,
        }
    }
}

/// The default of the whole step as draft.
const WHOLE_STEP: Requirements = Requirements::draft(DraftLength::Step);

/// The table of all routers.
pub static ROUTERS: [RouterSpec; 10] = [
    RouterSpec {
        name: router_name::POLICY,
        summary: "the trained policy",
        formula: "mean of the networks' p(large) over the λ grid",
        statistic: None,
        requirements: Requirements {
            accepted_drafts: AcceptedDrafts::OwnLength,
            token_stats: TokenStats::Distribution,
            ..WHOLE_STEP
        },
        kind: RouterKind::Policy,
    },
    RouterSpec {
        name: router_name::ALWAYS_SMALL,
        summary: "the small model writes every step",
        formula: "0",
        statistic: None,
        requirements: Requirements::NOTHING,
        kind: RouterKind::Pinned(Role::Small),
    },
    RouterSpec {
        name: router_name::ALWAYS_LARGE,
        summary: "the large model writes every step",
        formula: "1",
        statistic: None,
        requirements: Requirements::NOTHING,
        kind: RouterKind::Pinned(Role::Large),
    },
    RouterSpec {
        name: router_name::RANDOM,
        summary: "a draw at each boundary, from the episode's seed",
        formula: "u, uniform in [0, 1)",
        statistic: Some("a draw"),
        requirements: Requirements::NOTHING,
        kind: RouterKind::Rule(random::p_large),
    },
    RouterSpec {
        name: "first-k",
        summary: "the large model writes the first steps",
        formula: "1 / (1 + step), step counted from 0",
        statistic: Some("trace.step"),
        requirements: Requirements::NOTHING,
        kind: RouterKind::Rule(first_k::p_large),
    },
    RouterSpec {
        name: "entropy",
        summary: "entropy H (nats) of the draft's first token (GlimpRouter, arXiv 2601.05110)",
        formula: "1 − exp(−H)",
        statistic: Some("draft.first_entropy"),
        requirements: Requirements {
            token_stats: TokenStats::Distribution,
            ..Requirements::draft(DraftLength::Tokens(1))
        },
        kind: RouterKind::Rule(entropy::p_large),
    },
    RouterSpec {
        name: "confidence",
        summary: "probability p of the draft's least certain token",
        formula: "1 − min p",
        statistic: Some("draft.min_logprob"),
        requirements: Requirements { token_stats: TokenStats::Logprobs, ..WHOLE_STEP },
        kind: RouterKind::Rule(confidence::p_large),
    },
    RouterSpec {
        name: "gmm",
        summary: "two Gaussians, fitted on the drafts' confidence (STEER, arXiv 2511.06190)",
        formula: "P(unsure component | confidence)",
        statistic: Some("draft.mean_logprob"),
        requirements: Requirements { token_stats: TokenStats::Logprobs, ..WHOLE_STEP },
        kind: RouterKind::Mixture(gmm::p_large),
    },
    RouterSpec {
        name: "judge",
        summary: "the large model scores the draft, which is charged",
        formula: "1 − geometric mean of the large model's token probabilities",
        statistic: Some("the large model's score"),
        requirements: Requirements { scored_draft: true, ..WHOLE_STEP },
        kind: RouterKind::Rule(judge::p_large),
    },
    RouterSpec {
        name: "oracle",
        summary: "knows the solution: the large model where the small one errs and it matters",
        formula: "1 if the draft is a step error in a trace that is right so far, else 0",
        statistic: Some("the solution"),
        requirements: Requirements { solution: true, ..WHOLE_STEP },
        kind: RouterKind::Rule(oracle::p_large),
    },
];

/// The row of a router.
#[must_use]
pub fn router_spec(name: &str) -> Option<&'static RouterSpec> {
    ROUTERS.iter().find(|spec| spec.name == name)
}

/// The names of all routers, in the order of the table.
pub fn router_names() -> impl Iterator<Item = &'static str> {
    ROUTERS.iter().map(|spec| spec.name)
}

/// Checks that a router of this name exists.
///
/// # Errors
/// If it does not; the message lists the names.
pub fn check_router_name(name: &str) -> Result<&'static RouterSpec, RouterError> {
    router_spec(name).ok_or_else(|| RouterError::Unknown(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::routing::{RouterRegistry, feature_spec, load_policy};

    #[test]
    fn every_row_makes_its_router() {
        let policy = Arc::new(load_policy("builtin:tiny").unwrap());
        let registry = RouterRegistry::new("tiny", Some(policy));
        for spec in &ROUTERS {
            let router = registry.router(spec.name).unwrap();
            assert_eq!(router.name(), spec.name);
            assert_eq!(router.pinned(), spec.pinned());
            if spec.name != router_name::POLICY {
                assert_eq!(router.requirements(), spec.requirements, "{}", spec.name);
            }
            let without = RouterRegistry::new("tiny", None).router(spec.name);
            assert_eq!(without.is_err(), spec.needs_policy(), "{}", spec.name);
        }
        let error = registry.router("x").err().unwrap().to_string();
        assert!(router_names().all(|name| error.contains(name)), "{error}");
    }

    #[test]
    fn statistics_are_features_that_need_what_the_router_needs() {
        for spec in &ROUTERS {
            let feature = spec.statistic.and_then(feature_spec);
            let needed = feature.map_or(TokenStats::None, |feature| feature.needs);
            assert!(needed <= spec.requirements.token_stats, "{}", spec.name);
        }
    }
}
