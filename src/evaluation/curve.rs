//! Accuracy-cost curves of routers: the exact outcome at every threshold.
//!
//! The large model writes a step if its score p reaches the threshold t (p ≥ t). So t = 0 is
//! always-large, and the large model writes less as t rises. A cost share is a mean cost divided by
//! always-large's; it is not a share of calls.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Tolerance for comparing cost shares, which are sums of floats, with an end of the curve.
const SLACK: f64 = 1e-9;

/// The outcome of every threshold t with `low` < t ≤ `high`: they all give the same episode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SweepSegment {
    /// Exclusive lower bound. The last segment has 0, and includes it. (−∞ is valid as well, but JSON
    /// cannot represent it.)
    pub low: f64,
    /// Inclusive upper bound.
    pub high: f64,
    /// Whether the answer is correct.
    pub correct: bool,
    /// In the unit of the prices, ≥ 0.
    pub cost: f64,
}

/// One question's outcome at every threshold: segments from threshold 1 down to 0, without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep(pub Vec<SweepSegment>);

impl Sweep {
    /// The outcome at threshold `t`; outside [0, 1] that of the nearer end. `None` if the sweep is
    /// empty.
    pub fn at(&self, t: f64) -> Option<&SweepSegment> {
        let above = self.0.partition_point(|segment| segment.low >= t);
        self.0.get(above).or(self.0.last())
    }

    fn is_complete(&self) -> bool {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return false };
        first.high >= 1.0
            && last.low <= 0.0
            && self.0.iter().all(|segment| segment.low < segment.high && is_cost(segment.cost))
            && self.0.windows(2).all(|pair| pair[0].low == pair[1].high)
    }
}

/// The outcome of one model alone on one question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BaselineOutcome {
    /// Whether the answer is correct.
    pub correct: bool,
    /// In the unit of the prices, ≥ 0.
    pub cost: f64,
}

/// The outcomes of each model alone, one per question, in the order of the sweeps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// Always-small.
    pub small: Vec<BaselineOutcome>,
    /// Always-large.
    pub large: Vec<BaselineOutcome>,
}

/// Why a curve cannot be computed.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum CurveError {
    /// The sweep of the question with this index is empty or has a gap, or a cost of that question
    /// is negative or not finite.
    #[error("the sweep of question {0} is incomplete, or has an invalid cost")]
    InvalidSweep(usize),
    /// The inputs have different numbers of questions.
    #[error("expected {expected} questions, got {got}")]
    CountMismatch {
        /// Number of questions of the baselines.
        expected: usize,
        /// Number of questions of the other input.
        got: usize,
    },
}

crate::exit::classify!(Failure: CurveError);

/// At most `n` thresholds, but always 0 and 1: quantiles of the breakpoints of all sweeps, so that
/// they lie where outcomes change. Strictly increasing.
pub fn threshold_grid(sweeps: &[Sweep], n: usize) -> Vec<f64> {
    let mut breaks: Vec<f64> = sweeps
        .iter()
        .flat_map(|sweep| sweep.0.iter().map(|segment| segment.high))
        .filter(|&t| t > 0.0 && t < 1.0)
        .collect();
    breaks.sort_by(f64::total_cmp);
    let inner_count = n.saturating_sub(2);
    let mut distinct = breaks.clone();
    distinct.dedup();
    let inner = if distinct.len() <= inner_count {
        distinct
    } else {
        // Breakpoints themselves, not values between them: t = high still gives that segment.
        let at = |k: usize| (2 * k + 1) * breaks.len() / (2 * inner_count);
        (0..inner_count).map(|k| breaks[at(k)]).collect()
    };
    let mut thresholds = vec![0.0];
    thresholds.extend(inner);
    thresholds.push(1.0);
    thresholds.dedup();
    thresholds
}

/// A router at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The threshold, in [0, 1].
    pub threshold: f64,
    /// Share of questions answered correctly, in [0, 1].
    pub accuracy: f64,
    /// Mean cost of an episode, in the unit of the prices.
    pub cost: f64,
    /// Mean cost as a share of always-large's. `None` if always-large costs nothing.
    pub cost_share: Option<f64>,
    /// Performance gap recovered, (A − `A_small`) / (`A_large` − `A_small`) (Ong et al. 2024,
    /// `RouteLLM`, arXiv 2406.18665). `None` if the large model is not better than the small one.
    pub pgr: Option<f64>,
}

/// Metrics of a whole curve, after `RouteLLM` (Ong et al. 2024, arXiv 2406.18665), but over the cost
/// share rather than the share of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CurveMetrics {
    /// Average PGR over the cost shares from always-small's to 1. Choosing a model for each question
    /// by a coin gives 0.5.
    pub apgr: Option<f64>,
    /// Call-performance threshold: the lowest cost share at which PGR reaches 0.5.
    pub cpt50: Option<f64>,
    /// The lowest cost share at which PGR reaches 0.8.
    pub cpt80: Option<f64>,
    /// The lowest cost share at which PGR reaches 0.95.
    pub cpt95: Option<f64>,
}

/// The curve over `thresholds`, in their order. Empty if there are no questions.
///
/// ```
/// use pointsman::evaluation::{BaselineOutcome, Baselines, Sweep, SweepSegment, curve};
///
/// // The small model alone is wrong. A threshold up to 0.6 has the large model write the step that
/// // matters, one up to 0.2 every step.
/// let segment = |low, high, correct, cost| SweepSegment { low, high, correct, cost };
/// let sweep = Sweep(vec![
///     segment(0.6, 1.0, false, 1.0),
///     segment(0.2, 0.6, true, 4.0),
///     segment(0.0, 0.2, true, 10.0),
/// ]);
/// let baselines = Baselines {
///     small: vec![BaselineOutcome { correct: false, cost: 1.0 }],
///     large: vec![BaselineOutcome { correct: true, cost: 10.0 }],
/// };
/// let points = curve(&[sweep], &baselines, &[0.0, 0.5, 1.0])?;
/// assert_eq!(points[1].pgr, Some(1.0));
/// assert_eq!(points[1].cost_share, Some(0.4));
/// # Ok::<(), pointsman::evaluation::CurveError>(())
/// ```
///
/// # Errors
/// If sweeps and baselines have different numbers of questions, or a sweep is incomplete.
pub fn curve(
    sweeps: &[Sweep],
    baselines: &Baselines,
    thresholds: &[f64],
) -> Result<Vec<CurvePoint>, CurveError> {
    let rows = OutcomeMatrix::new(sweeps, baselines, thresholds)?;
    let once = vec![1; sweeps.len()];
    let Some(scale) = BaselineScale::new(baselines, &once) else { return Ok(Vec::new()) };
    let means = rows.means(&once, scale.questions);
    Ok(scale.points(thresholds, &means).collect())
}

/// The metrics of a curve. `small_share` is the cost share of always-small.
///
/// Both ends, (`small_share`, 0) and (1, 1), are added to the curve; points outside them are
/// dropped. Between points the curve is linear (trapezoidal rule). All metrics are `None` if there are
/// no points, if a point has no PGR or cost share, or if always-small costs as much as always-large.
pub fn curve_metrics(points: &[CurvePoint], small_share: Option<f64>) -> CurveMetrics {
    let start = small_share.filter(|&share| share < 1.0 - SLACK && !points.is_empty());
    let Some(start) = start else { return CurveMetrics::default() };
    let mut line = vec![(start, 0.0)];
    for point in points {
        let (Some(share), Some(pgr)) = (point.cost_share, point.pgr) else {
            return CurveMetrics::default();
        };
        if (start - SLACK..=1.0 + SLACK).contains(&share) {
            line.push((share.clamp(start, 1.0), pgr));
        }
    }
    // The sort is stable: points of equal share stay in the order of a falling threshold.
    if points.first().zip(points.last()).is_some_and(|(a, b)| a.threshold < b.threshold) {
        line[1..].reverse();
    }
    line.push((1.0, 1.0));
    line.sort_by(|a, b| a.0.total_cmp(&b.0));
    let area: f64 =
        line.windows(2).map(|w| (w[1].0 - w[0].0) * f64::midpoint(w[0].1, w[1].1)).sum();
    CurveMetrics {
        apgr: Some(area / (1.0 - start)),
        cpt50: first_crossing(&line, 0.5),
        cpt80: first_crossing(&line, 0.8),
        cpt95: first_crossing(&line, 0.95),
    }
}

/// The lowest share at which the running maximum of `line`, which is sorted by share, reaches
/// `level`; linear between neighbours.
fn first_crossing(line: &[(f64, f64)], level: f64) -> Option<f64> {
    let (mut share, mut best) = *line.first()?;
    if best >= level {
        return Some(share);
    }
    for &(next, pgr) in &line[1..] {
        if pgr >= level {
            return Some(share + (next - share) * (level - best) / (pgr - best));
        }
        (share, best) = (next, best.max(pgr));
    }
    None
}

#[derive(Clone, Copy)]
pub(super) struct MeanOutcome {
    pub(super) accuracy: f64,
    pub(super) cost: f64,
}

/// The means of both baselines, by which shares and gaps are measured.
pub(super) struct BaselineScale {
    pub(super) questions: f64,
    pub(super) small: MeanOutcome,
    large: MeanOutcome,
}

impl BaselineScale {
    /// `None` if there are no questions.
    pub(super) fn new(baselines: &Baselines, weights: &[u32]) -> Option<Self> {
        let questions: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let mean = |outcomes: &[BaselineOutcome]| {
            let (mut correct, mut cost) = (0.0, 0.0);
            for (outcome, &weight) in outcomes.iter().zip(weights) {
                correct += f64::from(weight) * f64::from(u8::from(outcome.correct));
                cost += f64::from(weight) * outcome.cost;
            }
            MeanOutcome { accuracy: correct / questions, cost: cost / questions }
        };
        (questions > 0.0).then(|| Self {
            questions,
            small: mean(&baselines.small),
            large: mean(&baselines.large),
        })
    }

    pub(super) fn share(&self, cost: f64) -> Option<f64> {
        (self.large.cost > 0.0).then(|| cost / self.large.cost)
    }

    pub(super) fn point(&self, threshold: f64, mean: MeanOutcome) -> CurvePoint {
        let gap = self.large.accuracy - self.small.accuracy;
        CurvePoint {
            threshold,
            accuracy: mean.accuracy,
            cost: mean.cost,
            cost_share: self.share(mean.cost),
            // "Recovered" has no meaning unless the large model is better.
            pgr: (gap > 0.0).then(|| (mean.accuracy - self.small.accuracy) / gap),
        }
    }

    pub(super) fn points<'a>(
        &'a self,
        thresholds: &'a [f64],
        means: &'a [MeanOutcome],
    ) -> impl Iterator<Item = CurvePoint> + 'a {
        thresholds.iter().zip(means).map(|(&t, &mean)| self.point(t, mean))
    }

    /// `None` if a cost does not exceed always-small's, or if the large model is not better than the
    /// small one.
    pub(super) fn delta_ibc(&self, point: &CurvePoint) -> Option<f64> {
        let (spent, whole) = (point.cost - self.small.cost, self.large.cost - self.small.cost);
        // PGR is the ratio of the gains.
        let slope = point.pgr? * whole / spent;
        (spent > SLACK * self.large.cost && whole > SLACK * self.large.cost).then_some(slope - 1.0)
    }
}

/// A router's outcomes, one row per question: correctness (0 or 1) at each threshold, then the cost at
/// each.
pub(super) struct OutcomeMatrix {
    thresholds: usize,
    values: Vec<f64>,
}

impl OutcomeMatrix {
    pub(super) fn new(
        sweeps: &[Sweep],
        baselines: &Baselines,
        thresholds: &[f64],
    ) -> Result<Self, CurveError> {
        check_count(baselines.large.len(), baselines.small.len())?;
        check_count(baselines.large.len(), sweeps.len())?;
        let mut values = Vec::with_capacity(2 * thresholds.len() * sweeps.len());
        for (i, sweep) in sweeps.iter().enumerate() {
            let whole = sweep.is_complete()
                && is_cost(baselines.small[i].cost)
                && is_cost(baselines.large[i].cost);
            let segments: Option<Vec<&SweepSegment>> =
                thresholds.iter().map(|&t| sweep.at(t)).collect();
            let segments = segments.filter(|_| whole).ok_or(CurveError::InvalidSweep(i))?;
            values.extend(segments.iter().map(|segment| f64::from(u8::from(segment.correct))));
            values.extend(segments.iter().map(|segment| segment.cost));
        }
        Ok(Self { thresholds: thresholds.len(), values })
    }

    /// The means at each threshold. Question i counts `weights[i]` times; `questions` is the sum of the
    /// weights.
    pub(super) fn means(&self, weights: &[u32], questions: f64) -> Vec<MeanOutcome> {
        let width = 2 * self.thresholds;
        let mut sums = vec![0.0; width];
        for (i, &weight) in weights.iter().enumerate().filter(|&(_, &weight)| weight > 0) {
            let weight = f64::from(weight);
            // In the order in which the baselines are summed, so that equal costs have equal sums.
            for (sum, value) in sums.iter_mut().zip(&self.values[i * width..(i + 1) * width]) {
                *sum += weight * value;
            }
        }
        let (correct, cost) = sums.split_at(self.thresholds);
        let mean =
            |(c, s): (&f64, &f64)| MeanOutcome { accuracy: c / questions, cost: s / questions };
        correct.iter().zip(cost).map(mean).collect()
    }
}

fn is_cost(cost: f64) -> bool {
    cost.is_finite() && cost >= 0.0
}

pub(super) fn check_count(expected: usize, got: usize) -> Result<(), CurveError> {
    if expected == got { Ok(()) } else { Err(CurveError::CountMismatch { expected, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::test_data::{near, segment, synthetic_sweeps, two_questions};

    #[test]
    fn a_segment_includes_its_high_but_not_its_low() {
        let (sweeps, _) = two_questions();
        let cost = |t| sweeps[0].at(t).map(|segment| segment.cost);
        assert_eq!(cost(1.0), Some(1.0));
        assert_eq!(cost(0.6), Some(4.0));
        assert_eq!(cost(0.600_000_1), Some(1.0));
        assert_eq!(cost(0.2), Some(10.0));
        assert_eq!(cost(0.0), Some(10.0));
        assert_eq!((cost(-1.0), cost(2.0)), (Some(10.0), Some(1.0)));
        assert_eq!(
            Sweep(vec![segment(f64::NEG_INFINITY, 1.0, true, 3.0)]).at(0.0).unwrap().cost,
            3.0
        );
        assert_eq!(Sweep(Vec::new()).at(0.5), None);
    }

    #[test]
    fn sweeps_survive_json() {
        let (sweeps, baselines) = synthetic_sweeps(20, 0.5, 1);
        let text = serde_json::to_string(&sweeps).unwrap();
        let back: Vec<Sweep> = serde_json::from_str(&text).unwrap();
        assert_eq!(
            curve(&back, &baselines, &[0.0, 0.4, 1.0]),
            curve(&sweeps, &baselines, &[0.0, 0.4, 1.0])
        );
    }

    #[test]
    fn the_grid_lies_on_breakpoints() {
        let (sweeps, _) = two_questions();
        assert_eq!(threshold_grid(&sweeps, 64), [0.0, 0.2, 0.5, 0.6, 1.0]);
        assert_eq!(threshold_grid(&sweeps, 3), [0.0, 0.5, 1.0]);
        assert_eq!(threshold_grid(&sweeps, 0), [0.0, 1.0]);
        assert_eq!(threshold_grid(&[], 9), [0.0, 1.0]);
        let (sweeps, _) = synthetic_sweeps(100, 0.3, 1);
        let thresholds = threshold_grid(&sweeps, 64);
        assert!(thresholds.len() <= 64 && thresholds.len() > 50, "{}", thresholds.len());
        assert!(thresholds.windows(2).all(|w| w[0] < w[1]));
        let is_break =
            |t: &f64| sweeps.iter().any(|s| s.0.iter().any(|segment| segment.high == *t));
        assert!(thresholds[1..].iter().all(is_break));
    }

    #[test]
    fn a_curve_has_the_means() {
        let (sweeps, baselines) = two_questions();
        let points = curve(&sweeps, &baselines, &[0.0, 0.5, 0.6, 1.0]).unwrap();
        let of = |f: fn(&CurvePoint) -> f64| points.iter().map(f).collect::<Vec<_>>();
        assert_eq!(of(|p| p.accuracy), [1.0, 1.0, 1.0, 0.5]);
        assert_eq!(of(|p| p.cost), [10.0, 7.0, 2.5, 1.0]);
        assert_eq!(of(|p| p.cost_share.unwrap()), [1.0, 0.7, 0.25, 0.1]);
        assert_eq!(of(|p| p.pgr.unwrap()), [1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn metrics_of_a_small_curve() {
        let (sweeps, baselines) = two_questions();
        let points = curve(&sweeps, &baselines, &threshold_grid(&sweeps, 64)).unwrap();
        let metrics = curve_metrics(&points, Some(0.1));
        // A triangle up to 0.25, then 1: (0.15 / 2 + 0.75) / 0.9.
        assert!(near(metrics.apgr.unwrap(), 0.825 / 0.9));
        assert!(near(metrics.cpt50.unwrap(), 0.175));
        assert!(near(metrics.cpt80.unwrap(), 0.22));
        assert!(near(metrics.cpt95.unwrap(), 0.2425));
        let mut falling = points.clone();
        falling.reverse();
        assert_eq!(curve_metrics(&falling, Some(0.1)), metrics);
    }

    fn at(cost_share: f64, pgr: f64) -> CurvePoint {
        let (cost_share, pgr) = (Some(cost_share), Some(pgr));
        CurvePoint { threshold: 0.5, accuracy: 0.0, cost: 0.0, cost_share, pgr }
    }

    #[test]
    fn the_ends_alone_make_a_half() {
        let metrics = curve_metrics(&[at(0.2, 0.0)], Some(0.2));
        assert!(near(metrics.apgr.unwrap(), 0.5));
        assert!(near(metrics.cpt50.unwrap(), 0.6));
    }

    #[test]
    fn points_beyond_the_ends_are_left_out() {
        let inside = [at(0.6, 0.9)];
        let all = [at(0.6, 0.9), at(0.1, 1.0), at(1.3, 0.2)];
        assert_eq!(curve_metrics(&all, Some(0.2)), curve_metrics(&inside, Some(0.2)));
    }

    #[test]
    fn a_dip_does_not_hide_what_was_reached() {
        let metrics = curve_metrics(&[at(0.4, 0.6), at(0.6, 0.1), at(0.8, 0.9)], Some(0.0));
        assert!(near(metrics.cpt50.unwrap(), 0.4 * 0.5 / 0.6));
        // From the running maximum of 0.6 at 0.6, not from the dip.
        assert!(near(metrics.cpt80.unwrap(), 0.6 + 0.2 * 0.2 / 0.3));
        assert!(near(metrics.cpt95.unwrap(), 0.9));
    }
}
