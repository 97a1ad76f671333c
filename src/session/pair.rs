//! Loading the two models of a preset.

use std::path::Path;
use std::sync::Arc;

use super::{Conductor, Fleet};
use crate::config::Preset;
use crate::engine::{self, EngineError, Gate};
use crate::episode::{PerRole, Role};

/// Pairs up to this many parameters in this process are loaded once for each processor core: their steps
/// are too short to keep more than one core busy.
pub const TINY: u64 = 50_000_000;

/// Episodes at once where a server writes: it batches them, and they wait for it most of the time.
const IN_FLIGHT: usize = 16;

/// Loads both models.
///
/// # Errors
/// When one of them cannot be loaded.
pub fn load_pair(preset: &Preset, cache: &Path) -> Result<Conductor, EngineError> {
    pair(preset, cache, &gates(preset))
}

fn pair(
    preset: &Preset,
    cache: &Path,
    gates: &PerRole<Arc<Gate>>,
) -> Result<Conductor, EngineError> {
    let load = |role: Role| engine::load(preset.model(role), cache, &gates[role]);
    let engines = PerRole { small: load(Role::Small)?, large: load(Role::Large)? };
    let conductor = Conductor::new(engines, preset.clone());
    // A chat template that is missing or fails is told now rather than at the first question.
    conductor.framed()?;
    Ok(conductor)
}

/// One gate for each model, through which all its requests go.
fn gates(preset: &Preset) -> PerRole<Arc<Gate>> {
    PerRole::from_fn(|role| {
        let remote = preset.model(role).remote.as_ref();
        Gate::new(remote.and_then(|remote| remote.requests_per_minute))
    })
}

/// Loads the pair `jobs` times, for as many episodes at once; where that is not said, as often as helps.
///
/// # Errors
/// When a model cannot be loaded.
pub fn load_fleet(
    preset: &Preset,
    cache: &Path,
    jobs: Option<usize>,
) -> Result<Fleet, EngineError> {
    let gates = gates(preset);
    let first = pair(preset, cache, &gates)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let here = Role::BOTH.into_iter().filter(|role| preset.model(*role).remote.is_none());
    let elsewhere = here.clone().count() < Role::BOTH.len();
    let parameters: u64 = here.map(|role| first.model(role).parameters).sum();
    let helpful = match parameters <= TINY {
        true if elsewhere => IN_FLIGHT.max(cores),
        true => cores,
        // More copies of the weights would not be faster.
        false => 1,
    };
    let others = (1..jobs.unwrap_or(helpful)).map(|_| pair(preset, cache, &gates));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    Ok(Fleet::new(first, others))
}
