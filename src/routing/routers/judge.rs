//! One minus the geometric mean of the probabilities that the large model gives the draft's tokens:
//! the large model's own score decides whether the draft is kept.

use crate::routing::{RouterError, RouterInput};

pub(super) fn p_large(input: &RouterInput<'_>) -> Result<f64, RouterError> {
    let tokens = input.scored_by_large;
    if tokens.is_empty() {
        return Err(RouterError::NeedsDraft("judge".into()));
    }
    let sum: f64 = tokens.iter().map(|t| f64::from(t.logprob)).sum();
    Ok(1.0 - (sum / tokens.len() as f64).exp())
}
