//! What several studies start from: the tiny pair, a policy, and questions of the built-in task set.

use std::sync::Arc;

use pointsman::config::{Folders, Preset, load_preset};
use pointsman::routing::{Policy, RouterRegistry, load_policy};
use pointsman::session::{RunnerPool, load_runner_pool};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};

/// The preset `tiny`, its models, and the routers with a policy.
pub(crate) struct PolicyStudy {
    pub(crate) preset: Preset,
    pub(crate) policy: Arc<Policy>,
    pub(crate) registry: RouterRegistry,
    pub(crate) pool: RunnerPool,
}

impl PolicyStudy {
    /// Loads the models and `policy`, a file or an embedded policy.
    pub(crate) fn load(policy: &str) -> anyhow::Result<Self> {
        let (preset, pool) = load_tiny_pair()?;
        let policy = Arc::new(load_policy(policy)?);
        let registry = RouterRegistry::new(&preset.name, Some(policy.clone()));
        Ok(Self { preset, policy, registry, pool })
    }
}

/// The preset `tiny` and its models, in as many copies as help.
pub(crate) fn load_tiny_pair() -> anyhow::Result<(Preset, RunnerPool)> {
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let pool = load_runner_pool(&preset, &folders.cache, None)?;
    Ok((preset, pool))
}

/// The first `n` questions of a split in the order of the seed.
pub(crate) fn draw(split: Split, seed: u64, n: usize) -> anyhow::Result<Vec<Question>> {
    Ok(questions("arithmetic", split, seed)?.take(n).collect())
}
