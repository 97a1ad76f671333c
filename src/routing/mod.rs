//! Routers: what chooses the writer of the next step.
//!
//! | file | what is in it |
//! |---|---|
//! | `features`, `reading` | what can be seen at a boundary: in the tokens, in what they say |
//! | `rules` | handcrafted routers |
//! | `policy`, `network` | the trained one, its file and its network |
//! | `ground` | what its figures hold for; calibrated thresholds |
//! | `attribution` | how far each feature pushed p(large) |
//! | `shipped` | policy files, those inside the binary among them |
//! | `mixture` | two Gaussians on confidence, for one of the rules |
//! | `roster` | routers by name |
//! | `shadow` | routers that only look on |
//! | `exploration` | choices that are drawn, to learn from them |

mod attribution;
mod exploration;
mod features;
mod ground;
mod mixture;
mod network;
mod policy;
mod reading;
mod roster;
mod rules;
mod shadow;
mod shipped;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::config::Glimpse;
use crate::engine::Evidence;
use crate::episode::{Decider, Episode, Role, Token};
use crate::tasks::Question;

pub use attribution::{Contributions, Part, contributions, rule_contributions};
pub use exploration::{Drawn, Explorer};
pub use features::{FEATURES, features};
pub use ground::{Calibration, Ground, Pair, Target};
pub use mixture::{Component, Mixture, confidence};
pub use network::{Heads, Network};
pub use policy::{
    Card, FORMAT, FeatureSet, Intake, PRICE_SPREAD, PRICES, Policy, PolicyError, standardized,
};
pub use roster::{NAMES, Roster, known};
pub use shadow::Shadow;
pub use shipped::load_policy;

/// What a router may look at.
pub struct Boundary<'a> {
    /// The episode so far; its next step is the one to decide about.
    pub episode: &'a Episode,
    pub question: &'a Question,
    /// The glimpse; empty where the router asked for none.
    pub glimpse: &'a Glance,
    /// The glimpse's tokens as the large model sees them; empty unless the router judges.
    pub judged: &'a [Token],
}

/// The beginning of the next step as the small model would write it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glance {
    pub text: String,
    pub tokens: Vec<Token>,
    /// Whether the step ends with it.
    pub whole: bool,
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

    /// The glimpse that suits it best; a preset may ask for another.
    fn glimpse(&self) -> Glimpse;

    /// Whether it can do with a glimpse of this length.
    ///
    /// # Errors
    /// When it cannot.
    fn needs(&self, _: Glimpse) -> Result<(), RouterError> {
        Ok(())
    }

    /// What the small model must tell of its tokens.
    fn evidence(&self) -> Evidence {
        Evidence::Nothing
    }

    /// Whether the large model must read the glimpse first.
    fn judges(&self) -> bool {
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
    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError>;
}

/// Why a router cannot be had or cannot decide.
#[derive(Debug, Error)]
pub enum RouterError {
    #[error("there is no router `{0}`: use one of {list}", list = NAMES.join(", "))]
    Unknown(String),
    #[error(
        "router {0} needs the gold solution of a task: take a question of --tasks arithmetic or another router"
    )]
    NeedsSolution(String),
    #[error("router {0} needs a glimpse of at least {1}: set --glimpse {1} or more")]
    NeedsGlimpse(&'static str, usize),
    #[error(
        "router {router} needs a large model that reads drafts, and {model} is behind an address: choose another router or model"
    )]
    NeedsDictation { router: String, model: String },
    #[error(
        "policy {policy} was trained for a glimpse of {needed}, not of {given}: set --glimpse {needed}, or train another"
    )]
    OtherGlimpse { policy: String, needed: Glimpse, given: Glimpse },
    #[error(
        "router {router} needs {needed} of the small model's tokens, and model {model} gives {given}: choose another router or model"
    )]
    NeedsEvidence { router: String, needed: Evidence, model: String, given: Evidence },
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
    NeedsReading(String),
    #[error("router {0} always chooses the same model: as a shadow it would have nothing to say")]
    NoShadow(String),
    #[error("policy {name}: {reason}")]
    Policy { name: String, reason: String },
}
