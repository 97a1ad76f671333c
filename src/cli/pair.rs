//! Loading the two models of a preset.

use std::path::Path;

use crate::config::Preset;
use crate::engine::mistralrs::MistralEngine;
use crate::engine::{Engine, EngineError};
use crate::episode::{PerRole, Role};
use crate::session::Conductor;

/// Loads both models.
///
/// # Errors
/// When one of them cannot be loaded.
pub fn load(preset: &Preset, cache: &Path) -> Result<Conductor, EngineError> {
    let engine = |role: Role| -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(MistralEngine::load(preset.model(role), cache)?))
    };
    let engines = PerRole { small: engine(Role::Small)?, large: engine(Role::Large)? };
    Ok(Conductor::new(engines, preset.clone()))
}
