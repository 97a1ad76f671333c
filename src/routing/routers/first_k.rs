//! The large model writes the first k steps. The threshold sets k: 1/(1 + step) ≥ t.

use crate::routing::{RouterError, RouterInput};

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn p_large(input: &RouterInput<'_>) -> Result<f64, RouterError> {
    Ok(1.0 / (1.0 + input.episode.steps.len() as f64))
}
