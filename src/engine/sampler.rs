//! Samples tokens from logits and computes their statistics.
//!
//! Pure functions: an engine passes one vector of logits for each token.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::episode::MIN_LOGPROB;

/// How tokens are sampled; see [`EngineRequest`](super::EngineRequest).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SamplerParams {
    pub(super) temperature: f64,
    pub(super) top_p: f64,
    pub(super) seed: u64,
}

/// A sampled token and its statistics; see [`Token`](crate::episode::Token).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SampledToken {
    pub(super) id: u32,
    pub(super) logprob: f32,
    pub(super) entropy: f32,
    pub(super) top: f32,
    pub(super) margin: f32,
}

/// Samples the token at `position` of the text, or takes the `forced` one. Statistics are those of the distribution at
/// temperature 1 over the whole vocabulary.
///
/// The generator is seeded with the position, so a text gets the same tokens however it is cut into requests. An empty
/// vector, or one without a finite number, gives token 0.
pub(super) fn sample_token(
    logits: &[f32],
    params: SamplerParams,
    position: usize,
    forced: Option<u32>,
) -> SampledToken {
    let max = logits.iter().copied().filter(|l| l.is_finite()).fold(f32::MIN, f32::max);
    let shifted = |l: f32| if l.is_finite() { f64::from(l - max) } else { f64::NEG_INFINITY };
    let total: f64 = logits.iter().map(|&l| shifted(l).exp()).sum();
    let log_total = total.ln();

    let (mut best, mut first, mut second, mut entropy) = (0, 0.0, 0.0, 0.0);
    for (id, &logit) in logits.iter().enumerate() {
        let logprob = shifted(logit) - log_total;
        let p = logprob.exp();
        if p > first {
            (best, second, first) = (id, first, p);
        } else if p > second {
            second = p;
        }
        if p > 0.0 {
            entropy -= p * logprob;
        }
    }
    let id = match forced {
        Some(id) => id as usize,
        None if params.temperature <= 0.0 => best,
        None => sample_nucleus(logits, params, position, max),
    };
    // A model may exclude tokens with negative infinity, but NaN and positive infinity come from damaged weights.
    let is_broken = logits.iter().any(|l| l.is_nan() || *l == f32::INFINITY);
    let logprob = logits.get(id).map_or(0.0, |&l| shifted(l) - log_total);
    SampledToken {
        id: u32::try_from(id).unwrap_or(0),
        // A forced token may be one that the model excludes.
        logprob: if is_broken { f32::NAN } else { (logprob as f32).max(MIN_LOGPROB) },
        // Rounding can make the entropy of a certain token negative.
        entropy: entropy.max(0.0) as f32,
        top: first as f32,
        margin: (first - second) as f32,
    }
}

/// Samples from the smallest set of tokens whose probabilities sum to `top_p` (nucleus sampling, Holtzman et al. 2020).
fn sample_nucleus(logits: &[f32], params: SamplerParams, position: usize, max: f32) -> usize {
    let mut weights: Vec<(usize, f64)> = logits
        .iter()
        .enumerate()
        .filter(|(_, l)| l.is_finite())
        .map(|(id, &l)| (id, (f64::from(l - max) / params.temperature).exp()))
        .collect();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let total: f64 = weights.iter().map(|(_, w)| w).sum();
    let mut nucleus = 0.0;
    let mut kept = 0;
    for (_, weight) in &weights {
        nucleus += weight;
        kept += 1;
        if nucleus >= params.top_p * total {
            break;
        }
    }
    // Multiples of an odd constant (a Weyl sequence) give neighbouring positions unrelated seeds.
    let stream = (position as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut rng = ChaCha8Rng::seed_from_u64(params.seed ^ stream);
    let mut remaining = rng.random::<f64>() * nucleus;
    for (id, weight) in &weights[..kept] {
        remaining -= weight;
        if remaining <= 0.0 {
            return *id;
        }
    }
    weights.first().map_or(0, |(id, _)| *id)
}

/// Whether a step is finished: the delimiter follows a non-blank character.
pub(super) fn step_is_over(text: &str, delimiter: &str) -> bool {
    text.trim_start().contains(delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLD: SamplerParams = SamplerParams { temperature: 0.0, top_p: 1.0, seed: 1 };

    #[test]
    fn statistics_of_a_known_distribution() {
        let p: [f32; 3] = [0.5, 0.25, 0.25];
        let sampled = sample_token(&p.map(f32::ln), COLD, 0, None);
        assert_eq!(sampled.id, 0);
        assert!((sampled.logprob - 0.5_f32.ln()).abs() < 1e-6);
        assert!((sampled.entropy - 1.5 * 2.0_f32.ln()).abs() < 1e-6);
        assert!((sampled.top - 0.5).abs() < 1e-6 && (sampled.margin - 0.25).abs() < 1e-6);
    }

    #[test]
    fn sampling_follows_the_distribution_and_the_seed() {
        let logits = [0.5_f32, 0.25, 0.25].map(f32::ln);
        let warm = SamplerParams { temperature: 1.0, top_p: 1.0, seed: 7 };
        let ids: Vec<u32> = (0..4000).map(|i| sample_token(&logits, warm, i, None).id).collect();
        let share = ids.iter().filter(|&&id| id == 0).count() as f64 / 4000.0;
        assert!((share - 0.5).abs() < 0.04, "{share}");
        let again: Vec<u32> = (0..4000).map(|i| sample_token(&logits, warm, i, None).id).collect();
        assert_eq!(ids, again);
        let narrow = SamplerParams { top_p: 0.4, ..warm };
        assert!((0..100).all(|i| sample_token(&logits, narrow, i, None).id == 0));
    }

    #[test]
    fn broken_logits_give_a_token() {
        assert_eq!(sample_token(&[], COLD, 0, None).id, 0);
        assert_eq!(sample_token(&[f32::NAN, f32::NAN], COLD, 0, None).id, 0);
        assert_eq!(sample_token(&[f32::NEG_INFINITY, 1.0, f32::NAN], COLD, 0, None).id, 1);
    }

    #[test]
    fn a_leading_delimiter_does_not_end_a_step() {
        assert!(!step_is_over("\n\nLet", "\n\n"));
        assert!(step_is_over("\n\nLet x\n\n", "\n\n"));
        assert!(!step_is_over("a\n", "\n\n"));
    }
}
