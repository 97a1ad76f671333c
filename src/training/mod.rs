//! Policies from episodes.
//!
//! | file | what is in it |
//! |---|---|
//! | `collect` | episodes to learn from, many at once, into the store |
//! | `dataset` | episodes as trajectories of boundaries |
//! | `vtrace` | values and advantages of trajectories that another policy wrote |
//! | `trainer`, `lessons` | the actor-critic that fits a policy to them: its course, and a round of it |
//! | `settings` | the numbers that are not learnt |
//! | `gate` | whether a new policy is better than the one in force |

mod collect;
mod dataset;
mod gate;
mod lessons;
mod settings;
mod trainer;
mod vtrace;

pub use collect::{Collected, Plan, collect, exploring};
pub use dataset::{Boundary, Dataset, Trajectory, logged};
pub use gate::{Contest, contest};
pub use settings::Settings;
pub use trainer::{Progress, TrainError, train};
pub use vtrace::{Targets, v_trace};
