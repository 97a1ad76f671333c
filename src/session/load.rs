//! Loading the two models of a preset.

use std::path::Path;
use std::sync::Arc;

use super::{EpisodeRunner, RunnerPool};
use crate::config::Preset;
use crate::engine::{self, EngineError, EngineKind, RateLimiter};
use crate::episode::{PerRole, Role};

/// A local pair with at most this many parameters is loaded once for each processor core: its steps are
/// too short to keep more than one core busy.
pub const TINY_PAIR_PARAMETERS: u64 = 50_000_000;

/// Number of concurrent episodes with a remote model: its server batches their requests, and they wait
/// for it most of the time.
const REMOTE_PARALLEL_EPISODES: usize = 16;

/// Loads both models of a preset. Embedded models are unpacked below `cache`.
///
/// # Errors
/// If a model cannot be loaded, or the preset asks for a chat template that is missing or fails.
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
    // A chat template that is missing or fails is reported now rather than at the first question.
    runner.templated_preset()?;
    Ok(runner)
}

/// One rate limiter for each model, which all runners share.
fn rate_limiters(preset: &Preset) -> PerRole<Arc<RateLimiter>> {
    PerRole::from_fn(|role| {
        let remote = preset.model(role).remote.as_ref();
        RateLimiter::new(remote.and_then(|remote| remote.requests_per_minute))
    })
}

/// Loads the pair `jobs` times, for that many concurrent episodes; by default as often as it helps.
///
/// # Errors
/// As [`load_pair`].
pub fn load_runner_pool(
    preset: &Preset,
    cache: &Path,
    jobs: Option<usize>,
) -> Result<RunnerPool, EngineError> {
    let rate_limiters = rate_limiters(preset);
    let first = load_runner(preset, cache, &rate_limiters)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let local =
        Role::BOTH.into_iter().filter(|role| EngineKind::of(preset.model(*role)).is_local());
    let has_remote = local.clone().count() < Role::BOTH.len();
    let parameters: u64 = local.map(|role| first.model(role).parameters).sum();
    let helpful = if parameters > TINY_PAIR_PARAMETERS {
        // More copies of large weights would not be faster.
        1
    } else if has_remote {
        REMOTE_PARALLEL_EPISODES.max(cores)
    } else {
        cores
    };
    let others = (1..jobs.unwrap_or(helpful)).map(|_| load_runner(preset, cache, &rate_limiters));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    Ok(RunnerPool::new(first, others))
}
