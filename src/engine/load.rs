//! Loading the model of a preset.

use std::path::Path;
use std::sync::Arc;

use super::error::EngineError;
use super::interface::Engine;
use super::kind::{EngineKind, Runtime};
use super::mistralrs::MistralEngine;
use super::openai::{RateLimiter, RemoteEngine};
use crate::config::ModelConfig;

/// Loads a model into this process, or connects to the server of a remote one.
///
/// Models of the binary are unpacked below `cache`. Requests to a server wait for `rate_limiter`; engines that use the
/// same server share one.
///
/// # Errors
/// If the model cannot be found or loaded, or the key of a remote model is missing. A server is not contacted yet.
pub fn load(
    config: &ModelConfig,
    cache: &Path,
    rate_limiter: &Arc<RateLimiter>,
) -> Result<Box<dyn Engine>, EngineError> {
    Ok(match EngineKind::of(config).runtime {
        Runtime::InProcess => Box::new(MistralEngine::load(config, cache)?),
        Runtime::Server(_) => Box::new(RemoteEngine::new(config, rate_limiter.clone())?),
    })
}
