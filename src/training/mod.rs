//! Policies from episodes: collecting, training, and the test before a promotion.
//!
//! | file | content |
//! |---|---|
//! | `collect` | writes episodes to learn from into the store, several at once |
//! | `dataset`, `trajectory` | stored episodes as trajectories of boundaries |
//! | `trainer`, `targets`, `vtrace` | the actor-critic: its rounds, the targets of a round, V-trace |
//! | `settings` | hyperparameters |
//! | `train_job` | trains from a store and stores the policy |
//! | `candidate` | a new policy beside the current one, estimated from recorded episodes |
//! | `promotion` | whether a new policy is better than the current one, on fresh questions |
//! | `policies` | policies in the store: the current one, by name, new ones |
//!
//! ```no_run
//! use std::path::Path;
//!
//! use pointsman::config::{DraftLength, Folders, load_preset};
//! use pointsman::engine::token_stats;
//! use pointsman::routing::{FeatureSet, RouterRegistry};
//! use pointsman::session::load_runner_pool;
//! use pointsman::store::Store;
//! use pointsman::tasks::{Split, questions};
//! use pointsman::training::{
//!     CollectionPlan, CollectionRequest, TrainingJob, TrainingSettings, collect,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folders = Folders::find()?;
//! let preset = load_preset("tiny", &folders)?;
//! let store = Store::open(Path::new("episodes"))?;
//! let mut pool = load_runner_pool(&preset, &folders.cache, None)?;
//!
//! // Collect 2,000 episodes with random choices.
//! let questions: Vec<_> = questions("arithmetic", Split::Develop, 7)?.take(2000).collect();
//! let registry = RouterRegistry::new(&preset.name, None);
//! let plan = CollectionPlan::for_training(CollectionRequest {
//!     preset: &preset,
//!     policy: None,
//!     coin: 0.2,
//!     questions: "first questions",
//!     seed: 7,
//! })?;
//! collect(&mut pool, &registry, &store, &plan, &questions, |_, _| ())?;
//!
//! // Train a policy from them, and make it the current policy.
//! let set = FeatureSet::full(DraftLength::Step).restricted_to(token_stats(&preset.small));
//! let pair = pool.first().pair();
//! let job = TrainingJob {
//!     store: &store,
//!     preset: &preset.name,
//!     pair: &pair,
//!     set: &set,
//!     settings: &TrainingSettings::default(),
//!     holdout_every: None,
//! };
//! let trained = job.run(|_| ())?;
//! store.promote(&preset.name, trained.id)?;
//! # Ok(())
//! # }
//! ```

mod candidate;
mod collect;
mod dataset;
mod policies;
mod promotion;
mod settings;
mod targets;
mod train_job;
mod trainer;
mod trajectory;
mod vtrace;

pub use candidate::{AccuracyEstimate, Candidate, CostComparison};
pub use collect::{
    COIN, CollectError, CollectionPlan, CollectionRequest, CollectionResult, collect,
};
pub use dataset::{Dataset, FreshEpisodes, FreshEpisodesError, fresh_episodes, logged_episodes};
pub(crate) use policies::is_policy_source;
pub use policies::{
    ListedPolicy, PolicyLookupError, StoredPolicy, current_policy, deciding_policy, find_policy,
    list_policies, registry, registry_as_decided, roll_back, save_new_policy, stored_policy,
};
pub use promotion::{
    PromotionError, PromotionResult, PromotionTest, check_routers, promotion_seed,
};
pub use settings::TrainingSettings;
pub use train_job::{TrainedPolicy, TrainingJob, TrainingStage};
pub use trainer::{TrainError, TrainingProgress, train};
pub use trajectory::{BoundarySample, Trajectory};
pub use vtrace::{VTraceTargets, v_trace};
