//! Synthetic questions for the unit tests.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{BaselineOutcome, Baselines, Sweep, SweepSegment};

pub(super) fn segment(low: f64, high: f64, correct: bool, cost: f64) -> SweepSegment {
    SweepSegment { low, high, correct, cost }
}

pub(super) fn outcome(correct: bool, cost: f64) -> BaselineOutcome {
    BaselineOutcome { correct, cost }
}

/// Question 0 needs the large model at its step of p = 0.6, question 1 nowhere.
pub(super) fn two_questions() -> (Vec<Sweep>, Baselines) {
    let sweeps = vec![
        Sweep(vec![
            segment(0.6, 1.0, false, 1.0),
            segment(0.2, 0.6, true, 4.0),
            segment(0.0, 0.2, true, 10.0),
        ]),
        Sweep(vec![segment(0.5, 1.0, true, 1.0), segment(0.0, 0.5, true, 10.0)]),
    ];
    let baselines = Baselines {
        small: vec![outcome(false, 1.0), outcome(true, 1.0)],
        large: vec![outcome(true, 10.0), outcome(true, 10.0)],
    };
    (sweeps, baselines)
}

/// Questions whose scores predict the small model's step errors to the degree `skill`, in [0, 1].
pub(super) fn synthetic_sweeps(questions: usize, skill: f64, seed: u64) -> (Vec<Sweep>, Baselines) {
    let mut error_rng = ChaCha8Rng::seed_from_u64(7);
    let mut scores = ChaCha8Rng::seed_from_u64(seed);
    let mut sweeps = Vec::new();
    let mut baselines = Baselines::default();
    for _ in 0..questions {
        let steps: Vec<(f64, bool)> = (0..8)
            .map(|_| {
                let step_error = error_rng.random_bool(0.12);
                let signal = if step_error { 1.0 } else { 0.0 };
                (skill * signal + (1.0 - skill) * scores.random::<f64>(), step_error)
            })
            .collect();
        let result = |t: f64| {
            let small = steps.iter().filter(|&&(p, _)| p < t).count() as f64;
            let wrong = steps.iter().any(|&(p, step_error)| p < t && step_error);
            (!wrong, 2.0 * small + 10.0 * (8.0 - small))
        };
        let mut bounds: Vec<f64> =
            steps.iter().map(|s| s.0).filter(|&p| p > 0.0 && p < 1.0).collect();
        bounds.extend([0.0, 1.0]);
        bounds.sort_by(|a, b| b.total_cmp(a));
        bounds.dedup();
        let segments = bounds.windows(2).map(|w| {
            let (correct, cost) = result(w[0]);
            segment(w[1], w[0], correct, cost)
        });
        sweeps.push(Sweep(segments.collect()));
        let (correct, cost) = result(2.0);
        baselines.small.push(outcome(correct, cost));
        baselines.large.push(outcome(true, 80.0));
    }
    (sweeps, baselines)
}

pub(super) fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}
