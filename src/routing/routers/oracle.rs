//! Knows the solution: the large model where the small one errs and it matters.
//!
//! It leaves a step that the answer does not depend on to the small model, and likewise every step
//! after an error that did matter: such an episode is already wrong.

use crate::routing::{RouterError, RouterInput};

pub(super) fn p_large(input: &RouterInput<'_>) -> Result<f64, RouterError> {
    let solution = input.question.solution.as_ref();
    let solution = solution.ok_or_else(|| RouterError::NeedsSolution("oracle".into()))?;
    let steps = &input.episode.steps;
    let already_wrong =
        steps.iter().enumerate().any(|(i, s)| !solution.step_is_acceptable(i, &s.generation.text));
    let step_error = !solution.step_is_acceptable(steps.len(), input.draft.text);
    Ok(f64::from(u8::from(step_error && !already_wrong)))
}
