//! Routers: what chooses the writer of the next step.
//!
//! | module | contents |
//! |---|---|
//! | `router` | the trait [`Router`], what a router sees, answers and needs |
//! | `features` | the table of features at a boundary |
//! | `routers` | the table of routers; one file per handcrafted rule |
//! | `registry` | makes routers by name |
//! | `policy`, `network` | the trained policy: its file and its network |
//! | `policy_checks` | checks of a policy file's numbers |
//! | `policy_file` | loads policy files, embedded ones included |
//! | `provenance` | what a calibrated threshold is valid for |
//! | `attribution` | how far each feature moved p(large) |
//! | `gaussian_mixture` | the mixture of the router `gmm` |
//! | `shadow` | routers whose opinion is recorded but has no effect |
//! | `exploration` | choices drawn at random, with their propensities |

mod attribution;
mod error;
mod exploration;
mod features;
mod gaussian_mixture;
mod network;
mod policy;
mod policy_checks;
mod policy_file;
mod provenance;
mod registry;
mod router;
mod routers;
mod shadow;

pub use attribution::{Contribution, Contributions, contributions, rule_contributions};
pub use error::RouterError;
pub use exploration::{Explorer, SampledChoice};
pub use features::{FEATURES, FeatureSpec, feature_spec, feature_specs, features};
pub use gaussian_mixture::{GaussianComponent, GaussianMixture, confidence};
pub use network::{ActorCriticOutput, Network};
pub use policy::{
    DatasetCounts, FeatureSet, LAMBDA_GRID, LAMBDA_LOG_STD, POLICY_FORMAT, Policy, PolicyCard,
    PolicyError, standardized,
};
pub use policy_file::load_policy;
pub use provenance::{Calibration, CalibrationTarget, PairFingerprint, Provenance};
pub use registry::RouterRegistry;
pub use router::{
    AcceptedDrafts, Available, Draft, Opinion, Requirements, Router, RouterInput,
    check_requirements, checked_opinion,
};
pub use routers::{ROUTERS, RouterSpec, check_router_name, router_name, router_names, router_spec};
pub use shadow::ShadowRouter;

crate::exit::classify!(Usage: RouterError);
