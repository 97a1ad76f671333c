//! Routers: what chooses the writer of the next step.
//!
//! | file | what is in it |
//! |---|---|
//! | `features`, `text_features` | what can be seen at a boundary: in the tokens, in what they say |
//! | `rules` | handcrafted routers |
//! | `policy`, `network` | the trained one, its file and its network |
//! | `provenance` | what its figures hold for; calibrated thresholds |
//! | `attribution` | how far each feature pushed p(large) |
//! | `policy_file` | policy files, those inside the binary among them |
//! | `gaussian_mixture` | two Gaussians on confidence, for one of the rules |
//! | `registry` | routers by name |
//! | `shadow` | routers that only look on |
//! | `exploration` | choices that are drawn, to learn from them |

mod attribution;
mod exploration;
mod features;
mod gaussian_mixture;
mod network;
mod policy;
mod policy_file;
mod provenance;
mod registry;
mod rules;
mod shadow;
mod text_features;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::config::DraftLength;
use crate::engine::TokenStats;
use crate::episode::{Decider, Episode, Role, Token};
use crate::tasks::Question;

pub use attribution::{Contribution, Contributions, contributions, rule_contributions};
pub use exploration::{Explorer, SampledChoice};
pub use features::{FEATURES, features};
pub use gaussian_mixture::{GaussianComponent, GaussianMixture, confidence};
pub use network::{ActorCriticOutput, Network};
pub use policy::{
    DatasetCounts, FeatureSet, LAMBDA_GRID, LAMBDA_LOG_STD, POLICY_FORMAT, Policy, PolicyCard,
    PolicyError, standardized,
};
pub use policy_file::load_policy;
pub use provenance::{Calibration, CalibrationTarget, PairFingerprint, Provenance};
pub use registry::{ROUTER_NAMES, RouterRegistry, check_router_names};
pub use shadow::ShadowRouter;

/// What a router may look at.
pub struct RouterInput<'a> {
    /// The episode so far; its next step is the one to decide about.
    pub episode: &'a Episode,
    pub question: &'a Question,
    /// The glimpse; empty where the router asked for none.
    pub draft: &'a Draft,
    /// The glimpse's tokens as the large model sees them; empty unless the router needs_draft_scored.
    pub scored_by_large: &'a [Token],
}

/// The beginning of the next step as the small model would write it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    pub text: String,
    pub tokens: Vec<Token>,
    /// Whether the step ends with it.
    pub complete: bool,
}

/// A router's opinion at a boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Probability that the large model should write the next step, in [0, 1].
    pub p_large: f64,
    /// What it was computed from.
    pub features: BTreeMap<String, f64>,
}

/// Chooses at a boundary, by a probability that the threshold is compared with.
pub trait Router: Send {
    /// How it is called on the command line.
    fn name(&self) -> &str;

    /// Who decides, for the record.
    fn decider(&self) -> Decider {
        Decider::Rule(self.name().to_owned())
    }

    /// The model that it always chooses, whatever the threshold; nothing for a router that weighs.
    fn pinned(&self) -> Option<Role> {
        None
    }

    /// The glimpse that compat it best; a preset may ask for another.
    fn draft_length(&self) -> DraftLength;

    /// Whether it can do with a glimpse of this length.
    ///
    /// # Errors
    /// When it cannot.
    fn check_draft_length(&self, _: DraftLength) -> Result<(), RouterError> {
        Ok(())
    }

    /// What the small model must tell of its tokens.
    fn needs_token_stats(&self) -> TokenStats {
        TokenStats::None
    }

    /// Whether the large model must read the glimpse first.
    fn needs_draft_scored(&self) -> bool {
        false
    }

    /// Whether it can only decide about questions whose solution is known.
    fn needs_solution(&self) -> bool {
        false
    }

    /// Its opinion.
    ///
    /// # Errors
    /// When it lacks what it needs.
    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError>;
}

/// Why a router cannot be had or cannot decide.
#[derive(Debug, Error)]
pub enum RouterError {
    #[error("there is no router `{0}`: use one of {list}", list = ROUTER_NAMES.join(", "))]
    Unknown(String),
    #[error(
        "router {0} needs the gold solution of a task: take a question of --tasks arithmetic or another router"
    )]
    NeedsSolution(String),
    #[error("router {0} needs a glimpse of at least {1}: set --draft {1} or more")]
    NeedsDraft(&'static str, usize),
    #[error(
        "router {router} needs a large model that reads drafts, and {model} is behind an address: choose another router or model"
    )]
    NeedsTextScoring { router: String, model: String },
    #[error(
        "policy {policy} was trained for a glimpse of {needed}, not of {given}: set --draft {needed}, or train another"
    )]
    OtherDraftLength { policy: String, needed: DraftLength, given: DraftLength },
    #[error(
        "router {router} needs {needed} of the small model's tokens, and model {model} gives {given}: choose another router or model"
    )]
    NeedsTokenStats { router: String, needed: TokenStats, model: String, given: TokenStats },
    #[error(
        "there is no policy for preset {0}: make one with `pointsman train`, name one with --policy, or choose another router"
    )]
    NoPolicy(String),
    #[error(
        "router gmm needs a mixture that was fitted on episodes, and {0} has none: `pointsman train` fits one"
    )]
    NoMixture(String),
    #[error(
        "router {0} needs the large model to read the draft, which the router in force does not ask for"
    )]
    NeedsDraftScored(String),
    #[error("router {0} always chooses the same model: as a shadow it would have nothing to say")]
    PinnedShadow(String),
    #[error("policy {name}: {reason}")]
    Policy { name: String, reason: String },
}

crate::exit::classify!(Usage: RouterError);
