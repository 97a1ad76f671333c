//! A draw from [0, 1) at each boundary: the large model with probability 1 − t.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::routing::{RouterError, RouterInput};

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn p_large(input: &RouterInput<'_>) -> Result<f64, RouterError> {
    let mut rng = ChaCha8Rng::seed_from_u64(input.episode.started.seed);
    // One stream per episode, two words (one `f64`) per step.
    rng.set_word_pos(2 * input.episode.steps.len() as u128);
    Ok(rng.random())
}
