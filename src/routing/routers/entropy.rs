//! Entropy H (nats) of the draft's first token, as the probability 1 − exp(−H): `GlimpRouter`
//! (arXiv 2601.05110).

use crate::routing::{RouterError, RouterInput};

pub(super) fn p_large(input: &RouterInput<'_>) -> Result<f64, RouterError> {
    let first = input.draft.tokens.first();
    let first = first.ok_or_else(|| RouterError::NeedsDraft("entropy".into()))?;
    Ok(1.0 - f64::from(-first.entropy).exp())
}
