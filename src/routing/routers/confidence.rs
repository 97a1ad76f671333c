//! One minus the probability of the draft's least certain token.

use crate::routing::{RouterError, RouterInput};

pub(super) fn p_large(input: &RouterInput<'_>) -> Result<f64, RouterError> {
    let least = input.draft.tokens.iter().map(|t| t.logprob).reduce(f32::min);
    let least = least.ok_or_else(|| RouterError::NeedsDraft("confidence".into()))?;
    Ok(1.0 - f64::from(least).exp())
}
