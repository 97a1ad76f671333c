//! Thresholds for a target: the statistics of a risk with a finite-sample guarantee, and of a cost.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::bootstrap::{Bootstrap, percentile_interval};
use super::curve::{BaselineOutcome, Baselines, CurveError, Sweep, check_count, curve};

/// p-value of the hypothesis "the risk exceeds `alpha`" after `misses` in `n` independent questions:
/// P(Bin(n, α) ≤ misses) (Angelopoulos et al. 2021, arXiv 2110.01052). 1, which never rejects, if
/// `alpha` lies outside (0, 1).
pub fn p_value(misses: u64, n: u64, alpha: f64) -> f64 {
    if !(alpha > 0.0 && alpha < 1.0) {
        return 1.0;
    }
    Binomial::new(alpha, n).map_or(1.0, |binomial| binomial.cdf(misses))
}

/// Learn-then-Test with fixed-sequence testing (Angelopoulos et al. 2021, arXiv 2110.01052).
///
/// `misses` has the number of misses among `n` questions for each threshold, from always-large to
/// cheaper ones. The hypotheses "risk > `alpha`" are tested in that order, up to the first p-value above
/// `delta`. Returns the index of the last threshold that passed; `None` if the first one fails.
///
/// With probability ≥ 1 − `delta` the risk at that threshold is at most `alpha`, provided that the
/// questions are independent and that the thresholds and their order were fixed without them (so not
/// taken from their own sweeps). Without a miss, the first threshold passes once n ≥ ln δ / ln(1 − α).
///
/// ```
/// use pointsman::evaluation::learn_then_test;
///
/// // 100 questions; at most 10 % may be missed, with confidence 90 %. Up to 5 misses pass.
/// assert_eq!(learn_then_test(&[0, 2, 5, 9, 0], 100, 0.1, 0.1), Some(2));
/// // 21 questions are too few, even without a miss: ln 0.1 / ln 0.9 = 21.9.
/// assert_eq!(learn_then_test(&[0], 21, 0.1, 0.1), None);
/// ```
pub fn learn_then_test(misses: &[u64], n: u64, alpha: f64, delta: f64) -> Option<usize> {
    let passed = misses.iter().take_while(|&&k| p_value(k, n, alpha) <= delta).count();
    passed.checked_sub(1)
}

/// The misses at each of `thresholds`: questions that the large model alone answers correctly and the
/// router does not. An empty sweep counts as wrong everywhere.
///
/// # Errors
/// If `sweeps` and `large` have different lengths.
pub fn misses(
    sweeps: &[Sweep],
    large: &[BaselineOutcome],
    thresholds: &[f64],
) -> Result<Vec<u64>, CurveError> {
    check_count(large.len(), sweeps.len())?;
    let missed = |t: f64| {
        let wrong = |sweep: &Sweep| sweep.at(t).is_none_or(|segment| !segment.correct);
        sweeps.iter().zip(large).filter(|(sweep, alone)| alone.correct && wrong(sweep)).count()
    };
    Ok(thresholds.iter().map(|&t| missed(t) as u64).collect())
}

/// A threshold that keeps to a cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostThreshold {
    /// The threshold, in [0, 1].
    pub threshold: f64,
    /// Mean cost as a share of always-large's.
    pub cost_share: f64,
    /// 95 % percentile interval of the cost share, paired with always-large's costs by question.
    pub ci: Option<[f64; 2]>,
}

/// The lowest of `thresholds`, hence the one with the most steps by the large model, whose cost share is
/// at most `target`. `None` if there is none.
///
/// # Errors
/// If sweeps, baselines and resamples have different numbers of questions, or a sweep is incomplete.
pub fn cost_threshold(
    sweeps: &[Sweep],
    baselines: &Baselines,
    thresholds: &[f64],
    target: f64,
    bootstrap: &Bootstrap,
) -> Result<Option<CostThreshold>, CurveError> {
    bootstrap.check_count(baselines)?;
    let points = curve(sweeps, baselines, thresholds)?;
    let fitting = points.iter().filter_map(|point| {
        let cost_share = point.cost_share.filter(|&share| share <= target)?;
        Some((point.threshold, cost_share))
    });
    let Some((threshold, cost_share)) = fitting.min_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Ok(None);
    };
    let costs: Vec<(f64, f64)> = sweeps
        .iter()
        .zip(&baselines.large)
        .filter_map(|(sweep, large)| Some((sweep.at(threshold)?.cost, large.cost)))
        .collect();
    let share = |weights: &Vec<u32>| {
        let (mut routed, mut whole) = (0.0, 0.0);
        for (&weight, &(cost, large)) in weights.iter().zip(&costs) {
            routed += f64::from(weight) * cost;
            whole += f64::from(weight) * large;
        }
        (whole > 0.0).then(|| routed / whole)
    };
    let shares: Vec<_> = bootstrap.resamples().iter().map(share).collect();
    Ok(Some(CostThreshold { threshold, cost_share, ci: percentile_interval(&shares) }))
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::evaluation::curve::SweepSegment;

    #[test]
    fn p_values_are_binomial() {
        // 0.95^45, and scipy.stats.binom.cdf(3, 100, 0.1).
        assert!((p_value(0, 45, 0.05) - 0.95_f64.powi(45)).abs() < 1e-12);
        assert!((p_value(3, 100, 0.1) - 0.007_836_487_121_184).abs() < 1e-12);
        assert_eq!(p_value(100, 100, 0.1), 1.0);
        assert_eq!(p_value(0, 0, 0.1), 1.0);
        assert_eq!([0.0, 1.0, f64::NAN].map(|alpha| p_value(0, 10, alpha)), [1.0; 3]);
    }

    #[test]
    fn the_sequence_stops_at_the_first_failure() {
        // At α = 0.1 of 100, δ = 0.1 lets up to 5 misses pass.
        let last = |misses: &[u64]| learn_then_test(misses, 100, 0.1, 0.1);
        assert_eq!(last(&[0, 2, 5, 9, 0]), Some(2));
        assert_eq!(last(&[0, 2, 5]), Some(2));
        assert_eq!(last(&[6, 0]), None);
        assert_eq!(last(&[]), None);
        // ln 0.1 / ln 0.9 = 21.9: 21 questions are too few.
        assert_eq!(learn_then_test(&[0], 21, 0.1, 0.1), None);
        assert_eq!(learn_then_test(&[0], 22, 0.1, 0.1), Some(0));
    }

    #[test]
    fn the_guarantee_holds() {
        // Risks that exceed α from the fifth on, but not monotonically.
        let risks = [0.0, 0.02, 0.01, 0.05, 0.07, 0.12, 0.06];
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut broken = 0;
        for _ in 0..2000 {
            let mut draw = |risk: f64| (0..200).filter(|_| random.random_bool(risk)).count() as u64;
            let misses: Vec<u64> = risks.iter().map(|&risk| draw(risk)).collect();
            let place = learn_then_test(&misses, 200, 0.055, 0.1);
            broken += usize::from(place.is_some_and(|i| risks[i] > 0.055));
        }
        assert!(broken <= 240, "{broken} of 2000, δ = 0.1");
    }

    fn question(break_at: f64, small: bool) -> Sweep {
        Sweep(vec![
            SweepSegment { low: break_at, high: 1.0, correct: small, cost: 2.0 },
            SweepSegment { low: 0.0, high: break_at, correct: true, cost: 10.0 },
        ])
    }

    #[test]
    fn only_questions_that_large_can_answer_are_missed() {
        let sweeps = [question(0.3, false), question(0.6, true), question(0.6, false)];
        let large = [true, true, false].map(|correct| BaselineOutcome { correct, cost: 10.0 });
        assert_eq!(misses(&sweeps, &large, &[0.0, 0.3, 0.4, 1.0]), Ok(vec![0, 0, 1, 1]));
        assert!(misses(&sweeps, &large[..2], &[0.5]).is_err());
    }

    #[test]
    fn a_cost_target_gets_the_lowest_threshold() {
        let sweeps: Vec<Sweep> =
            (1..100).map(|i| question(f64::from(i) / 100.0, i % 3 > 0)).collect();
        let outcome = |cost| BaselineOutcome { correct: true, cost };
        let baselines = Baselines { small: vec![outcome(2.0); 99], large: vec![outcome(10.0); 99] };
        let thresholds = [0.0, 0.25, 0.5, 0.75, 1.0];
        let bootstrap = Bootstrap::new(99, 1000, 4);
        let at =
            |share| cost_threshold(&sweeps, &baselines, &thresholds, share, &bootstrap).unwrap();
        let found = at(0.7).unwrap();
        assert_eq!(found.threshold, 0.5);
        // 50 of 99 breaks lie at or above 0.5.
        assert!((found.cost_share - (50.0 * 10.0 + 49.0 * 2.0) / 990.0).abs() < 1e-12);
        let [low, high] = found.ci.unwrap();
        // 1.96 · 0.8 · √(0.25 / 99) = 0.079.
        assert!((found.cost_share - low - 0.079).abs() < 0.02, "{low} {high}");
        assert!((high - found.cost_share - 0.079).abs() < 0.02, "{low} {high}");
        assert_eq!(at(1.0).unwrap().threshold, 0.0);
        assert_eq!(at(0.1), None);
    }

    #[test]
    fn without_costs_no_threshold_is_found() {
        let free = BaselineOutcome { correct: true, cost: 0.0 };
        let baselines = Baselines { small: vec![free], large: vec![free] };
        let sweeps = [Sweep(vec![SweepSegment { low: 0.0, high: 1.0, correct: true, cost: 0.0 }])];
        let bootstrap = Bootstrap::new(1, 10, 4);
        assert_eq!(cost_threshold(&sweeps, &baselines, &[0.0, 1.0], 0.5, &bootstrap), Ok(None));
        let none = Bootstrap::new(0, 10, 4);
        assert_eq!(cost_threshold(&[], &Baselines::default(), &[0.0, 1.0], 0.5, &none), Ok(None));
    }
}
