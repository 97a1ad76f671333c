//! Loading the two models of a preset.

use std::path::Path;

use super::{Conductor, Fleet};
use crate::config::Preset;
use crate::engine::mistralrs::MistralEngine;
use crate::engine::{Engine, EngineError};
use crate::episode::{PerRole, Role};

/// Pairs up to this many parameters are loaded once for each processor core: their steps are too short
/// to keep more than one core busy.
const TINY: u64 = 50_000_000;

/// Loads both models.
///
/// # Errors
/// When one of them cannot be loaded.
pub fn load_pair(preset: &Preset, cache: &Path) -> Result<Conductor, EngineError> {
    let engine = |role: Role| -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(MistralEngine::load(preset.model(role), cache)?))
    };
    let engines = PerRole { small: engine(Role::Small)?, large: engine(Role::Large)? };
    Ok(Conductor::new(engines, preset.clone()))
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
    let first = load_pair(preset, cache)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parameters: u64 = Role::BOTH.into_iter().map(|r| first.model(r).parameters).sum();
    let helpful = if parameters <= TINY { cores } else { 1 };
    let others = (1..jobs.unwrap_or(helpful)).map(|_| load_pair(preset, cache));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    Ok(Fleet::new(first, others))
}
