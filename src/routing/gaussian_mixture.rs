//! A mixture of two Gaussians over the small model's confidence, after STEER (arXiv 2511.06190).

use serde::{Deserialize, Serialize};

use crate::episode::Token;

/// Confidence of some tokens: −ln(−l), where l is their mean log-probability (nats); below 14. `None`
/// without tokens. On the scale of l itself, all but the worst steps are just below 0.
pub fn confidence(tokens: &[Token]) -> Option<f64> {
    let sum: f64 = tokens.iter().map(|t| f64::from(t.logprob)).sum();
    (!tokens.is_empty()).then(|| -(-sum / tokens.len() as f64).max(1e-6).ln())
}

/// One component of a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GaussianComponent {
    /// In (0, 1); the weights of a mixture add up to 1.
    pub weight: f64,
    /// Mean, on the scale of [`confidence`].
    pub mean: f64,
    /// Variance, on the square of that scale.
    pub variance: f64,
}

impl GaussianComponent {
    /// Logarithm of weight × density at `x`.
    fn log_mass(&self, x: f64) -> f64 {
        let scaled = (x - self.mean).powi(2) / self.variance;
        self.weight.ln() - 0.5 * (scaled + (std::f64::consts::TAU * self.variance).ln())
    }
}

/// A mixture of two Gaussians over the [`confidence`] of steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixture {
    /// The component with the lower mean.
    pub unsure: GaussianComponent,
    /// The component with the higher mean.
    pub sure: GaussianComponent,
}

impl GaussianMixture {
    /// Probability that the confidence `x` comes from the unsure component.
    pub fn unsure_probability(&self, x: f64) -> f64 {
        1.0 / (1.0 + (self.sure.log_mass(x) - self.unsure.log_mass(x)).exp())
    }

    /// Mean log-density of `values`.
    pub fn log_likelihood(&self, values: &[f64]) -> f64 {
        let one = |x: f64| {
            let (a, b) = (self.unsure.log_mass(x), self.sure.log_mass(x));
            a.max(b) + (-(a - b).abs()).exp().ln_1p()
        };
        values.iter().map(|x| one(*x)).sum::<f64>() / values.len().max(1) as f64
    }

    /// Fits a mixture by expectation-maximization (Dempster, Laird and Rubin 1977). It starts from the
    /// lower and the upper half of the values, and stops when the mean log-likelihood grows by less than
    /// 1e-10. `None` for fewer than ten values, or if all are equal.
    pub fn fit(values: &[f64]) -> Option<Self> {
        const ROUNDS: usize = 5_000;
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        if n < 10 || sorted[0] == sorted[n - 1] {
            return None;
        }
        // A component that shrinks to a point would have an unbounded likelihood.
        let floor = 1e-6 * moments(&sorted, |_| 1.0)?.variance;
        let half = sorted[n / 2];
        let part = |low: bool| moments(&sorted, |x| f64::from(u8::from((x < half) == low)));
        let mut now = Self { unsure: part(true)?, sure: part(false)? }.with_min_variance(floor);
        let mut likelihood = now.log_likelihood(&sorted);
        for _ in 0..ROUNDS {
            let unsure = moments(&sorted, |x| now.unsure_probability(x))?;
            let sure = moments(&sorted, |x| 1.0 - now.unsure_probability(x))?;
            now = Self { unsure, sure }.with_min_variance(floor);
            let next = now.log_likelihood(&sorted);
            if next - likelihood < 1e-10 {
                break;
            }
            likelihood = next;
        }
        let Self { unsure, sure } = now;
        Some(if unsure.mean <= sure.mean { now } else { Self { unsure: sure, sure: unsure } })
    }

    fn with_min_variance(mut self, floor: f64) -> Self {
        self.unsure.variance = self.unsure.variance.max(floor);
        self.sure.variance = self.sure.variance.max(floor);
        self
    }
}

/// Weighted moments; `None` if the weights add up to 0.
fn moments(values: &[f64], weight: impl Fn(f64) -> f64) -> Option<GaussianComponent> {
    let total: f64 = values.iter().map(|x| weight(*x)).sum();
    if total <= 0.0 {
        return None;
    }
    let mean = values.iter().map(|x| weight(*x) * x).sum::<f64>() / total;
    let variance = values.iter().map(|x| weight(*x) * (x - mean).powi(2)).sum::<f64>() / total;
    Some(GaussianComponent { weight: total / values.len() as f64, mean, variance })
}
