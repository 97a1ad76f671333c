//! Bootstrap resamples of questions, and percentile intervals from them.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::curve::{Baselines, CurveError, check_count};

/// Resamples of the questions with replacement (Efron 1979).
///
/// Everything that is compared must use the same resamples, so that differences are paired by
/// question.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    questions: usize,
    /// One row per resample: how often it contains each question.
    resamples: Vec<Vec<u32>>,
}

impl Bootstrap {
    /// Draws `resamples` resamples of `questions` questions.
    pub fn new(questions: usize, resamples: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut resample = || {
            let mut counts = vec![0; questions];
            for _ in 0..questions {
                counts[random.random_range(0..questions)] += 1;
            }
            counts
        };
        Self { questions, resamples: (0..resamples).map(|_| resample()).collect() }
    }

    /// One row per resample: how often it contains each question.
    pub fn resamples(&self) -> &[Vec<u32>] {
        &self.resamples
    }

    pub(super) fn check_count(&self, baselines: &Baselines) -> Result<(), CurveError> {
        check_count(baselines.large.len(), self.questions)
    }
}

/// A metric over all questions, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricValue {
    /// The metric itself.
    pub value: f64,
    /// 95 % percentile interval over the resamples. `None` if the metric is undefined in more than
    /// 5 % of them.
    pub ci: Option<[f64; 2]>,
}

impl MetricValue {
    pub(super) fn new(value: Option<f64>, resampled: &[Option<f64>]) -> Option<Self> {
        value.map(|value| Self { value, ci: percentile_interval(resampled) })
    }
}

/// The 95 % percentile interval. `None` if more than 5 % of the values are undefined: the interval
/// that holds 95 % of them is then unknown.
pub(super) fn percentile_interval(resampled: &[Option<f64>]) -> Option<[f64; 2]> {
    let mut values: Vec<f64> = resampled.iter().copied().flatten().collect();
    if values.is_empty() || values.len() * 20 < resampled.len() * 19 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        // Linear between order statistics (Hyndman and Fan 1996, type 7).
        let at = q * (values.len() - 1) as f64;
        let below = values[at as usize];
        let above = values[(at as usize + 1).min(values.len() - 1)];
        below + (above - below) * at.fract()
    };
    Some([quantile(0.025), quantile(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_needs_95_of_100_values() {
        let ramp = |defined: i32| {
            let values = (0..=100).map(|i| (i < defined).then(|| f64::from(i)));
            percentile_interval(&values.collect::<Vec<_>>())
        };
        assert_eq!(ramp(101), Some([2.5, 97.5]));
        assert!(ramp(96).is_some());
        assert_eq!(ramp(95), None);
        assert_eq!(percentile_interval(&[]), None);
    }
}
