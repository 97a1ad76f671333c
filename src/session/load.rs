//! Loading the two models of a preset.

use std::path::Path;
use std::sync::Arc;

use super::{EpisodeRunner, RunnerPool};
use crate::config::Preset;
use crate::engine::{self, EngineError, RateLimiter};
use crate::episode::{PerRole, Role};

/// Pairs up to this many parameters in this process are loaded once for each processor core: their steps
/// are too short to keep more than one core busy.
pub const TINY_PAIR_PARAMETERS: u64 = 50_000_000;

/// Episodes at once where a server writes: it batches them, and they wait for it most of the time.
const REMOTE_PARALLEL_EPISODES: usize = 16;

/// Loads both models.
///
/// # Errors
/// When one of them cannot be loaded.
pub fn load_pair(preset: &Preset, cache: &Path) -> Result<EpisodeRunner, EngineError> {
    load_runner(preset, cache, &rate_limiters(preset))
}

fn load_runner(
    preset: &Preset,
    cache: &Path,
    rate_limiters: &PerRole<Arc<RateLimiter>>,
) -> Result<EpisodeRunner, EngineError> {
    let load = |role: Role| engine::load(preset.model(role), cache, &rate_limiters[role]);
    let engines = PerRole { small: load(Role::Small)?, large: load(Role::Large)? };
    let runner = EpisodeRunner::new(engines, preset.clone());
    // A chat template that is missing or fails is told now rather than at the first question.
    runner.templated_preset()?;
    Ok(runner)
}

/// One rate_limiter for each model, through which all its requests go.
fn rate_limiters(preset: &Preset) -> PerRole<Arc<RateLimiter>> {
    PerRole::from_fn(|role| {
        let remote = preset.model(role).remote.as_ref();
        RateLimiter::new(remote.and_then(|remote| remote.requests_per_minute))
    })
}

/// Loads the pair `jobs` times, for as many episodes at once; where that is not said, as often as helps.
///
/// # Errors
/// When a model cannot be loaded.
pub fn load_runner_pool(
    preset: &Preset,
    cache: &Path,
    jobs: Option<usize>,
) -> Result<RunnerPool, EngineError> {
    let rate_limiters = rate_limiters(preset);
    let first = load_runner(preset, cache, &rate_limiters)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let here = Role::BOTH.into_iter().filter(|role| preset.model(*role).remote.is_none());
    let elsewhere = here.clone().count() < Role::BOTH.len();
    let parameters: u64 = here.map(|role| first.model(role).parameters).sum();
    let helpful = match parameters <= TINY_PAIR_PARAMETERS {
        true if elsewhere => REMOTE_PARALLEL_EPISODES.max(cores),
        true => cores,
        // More copies of the weights would not be faster.
        false => 1,
    };
    let others = (1..jobs.unwrap_or(helpful)).map(|_| load_runner(preset, cache, &rate_limiters));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    Ok(RunnerPool::new(first, others))
}
