//! Policies from episodes.
//!
//! | file | what is in it |
//! |---|---|
//! | `collect` | episodes to learn from, many at once, into the store |
//! | `dataset` | episodes as trajectories of boundaries |
//! | `vtrace` | values and advantages of trajectories that another policy wrote |
//! | `trainer`, `targets` | the actor-critic that fits a policy to them: its course, and a round of it |
//! | `settings` | the numbers that are not learnt |
//! | `promotion` | whether a new policy is better than the one in force |

mod collect;
mod dataset;
mod promotion;
mod settings;
mod targets;
mod trainer;
mod vtrace;

pub use collect::{CollectionPlan, CollectionResult, collect, exploration_preset};
pub use dataset::{BoundarySample, Dataset, Trajectory, logged_episodes};
pub use promotion::{PromotionTest, run_promotion_test};
pub use settings::TrainingSettings;
pub use trainer::{TrainError, TrainingProgress, train};
pub use vtrace::{VTraceTargets, v_trace};
