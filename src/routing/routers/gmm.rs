//! Probability that the draft's confidence comes from the unsure component of a mixture, which was
//! fitted on logged episodes.

use crate::routing::{GaussianMixture, RouterError, RouterInput, confidence};

pub(super) fn p_large(
    mixture: &GaussianMixture,
    input: &RouterInput<'_>,
) -> Result<f64, RouterError> {
    let confidence = confidence(input.draft.tokens);
    let confidence = confidence.ok_or_else(|| RouterError::NeedsDraft("gmm".into()))?;
    Ok(mixture.unsure_probability(confidence))
}
