//! Accuracy-cost curves of routers: what every threshold gives, exactly.
//!
//! A step is written large where its score p reaches the threshold t (p ≥ t): t = 0 is all-large,
//! and what is asked of large falls as t rises. A cost share is a mean cost over all-large's, not a
//! share of calls.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Slack where cost shares are compared with an end of the curve: sums of floats.
const SLACK: f64 = 1e-9;

/// The episode that every threshold t with `low` < t ≤ `high` gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SweepSegment {
    /// In the last segment 0, which that segment includes (−∞ is taken, too, but JSON cannot hold it).
    pub low: f64,
    pub high: f64,
    pub correct: bool,
    /// In the unit of the prices, ≥ 0.
    pub cost: f64,
}

/// One question's segments, from the threshold 1 down to 0, without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep(pub Vec<SweepSegment>);

impl Sweep {
    /// What threshold `t` gives; beyond [0, 1] what the nearer end does. Nothing in an empty sweep.
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

/// What one model alone gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BaselineOutcome {
    pub correct: bool,
    /// In the unit of the prices, ≥ 0.
    pub cost: f64,
}

/// Either model alone on the sweeps' questions, in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    pub small: Vec<BaselineOutcome>,
    pub large: Vec<BaselineOutcome>,
}

/// Why there is no curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurveError {
    /// The question at this place has a sweep that is empty or has a gap, or a cost that is none.
    InvalidSweep(usize),
    /// Not as many questions here as elsewhere.
    CountMismatch { wanted: usize, got: usize },
}

impl fmt::Display for CurveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSweep(at) => {
                write!(f, "question {at}: its sweep has a gap, or one of its costs is no cost")
            }
            Self::CountMismatch { wanted, got } => {
                write!(f, "{got} questions where {wanted} belong")
            }
        }
    }
}

impl Error for CurveError {}

crate::exit::classify!(Failure: CurveError);

/// At most `n` thresholds (never fewer than 0 and 1): quantiles of all sweeps' breakpoints, so that
/// they lie where something changes. Rising, each once.
pub fn threshold_grid(sweeps: &[Sweep], n: usize) -> Vec<f64> {
    let mut breaks: Vec<f64> = sweeps
        .iter()
        .flat_map(|sweep| sweep.0.iter().map(|segment| segment.high))
        .filter(|&t| t > 0.0 && t < 1.0)
        .collect();
    breaks.sort_by(f64::total_cmp);
    let room = n.saturating_sub(2);
    let mut distinct = breaks.clone();
    distinct.dedup();
    let inner = if distinct.len() <= room {
        distinct
    } else {
        // Breakpoints themselves, not values between them: t = high still gives that segment.
        (0..room).map(|k| breaks[(2 * k + 1) * breaks.len() / (2 * room)]).collect()
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
    pub threshold: f64,
    /// Share answered correctly, in [0, 1].
    pub accuracy: f64,
    /// Mean cost, in the unit of the prices.
    pub cost: f64,
    /// That over all-large's; absent where all-large costs nothing.
    pub cost_share: Option<f64>,
    /// Performance gap recovered, (A − A_small) / (A_large − A_small), 1 as good as all-large (Ong
    /// et al. 2024, RouteLLM); absent where large is no better than small.
    pub pgr: Option<f64>,
}

/// Figures of a whole curve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CurveMetrics {
    /// Mean PGR over the cost shares from all-small's to 1. 0.5 is what a coin between the ends
    /// gives.
    pub apgr: Option<f64>,
    /// Lowest cost share at which PGR first reaches 0.5, 0.8 and 0.95 (call-performance threshold,
    /// here over cost).
    pub cpt50: Option<f64>,
    pub cpt80: Option<f64>,
    pub cpt95: Option<f64>,
}

/// The curve over `thresholds`, in their order; empty without questions.
///
/// # Errors
/// When sweeps and ends do not fit each other, or one is not whole.
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

/// The figures of a curve whose all-small has this cost share. Points beyond the ends' cost shares
/// are left out, both ends, (`small_share`, 0) and (1, 1), are put in.
///
/// Nothing where a point has no PGR or cost share, where there is none, or where all-small costs as
/// much as all-large.
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
    // Equal shares are passed through from all-small to all-large, as the threshold falls.
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

/// The lowest share at which the running maximum of `line`, sorted by share, reaches `level`;
/// linear between neighbours.
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

/// What shares and gaps are measured by: the ends' means.
pub(super) struct BaselineScale {
    pub(super) questions: f64,
    pub(super) small: MeanOutcome,
    large: MeanOutcome,
}

impl BaselineScale {
    /// Nothing without questions.
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
            // Without a gap, or with one that small wins, "recovered" has no meaning.
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

    /// Nothing where a cost does not exceed all-small's, or where large is no better than small.
    pub(super) fn delta_ibc(&self, point: &CurvePoint) -> Option<f64> {
        let (spent, whole) = (point.cost - self.small.cost, self.large.cost - self.small.cost);
        // PGR is the ratio of the gains.
        let slope = point.pgr? * whole / spent;
        (spent > SLACK * self.large.cost && whole > SLACK * self.large.cost).then_some(slope - 1.0)
    }
}

/// A router's outcomes, a row a question: whether correct at each threshold, then the costs.
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

    /// The means at each threshold, question i counted `weights[i]` times of `questions` in all.
    pub(super) fn means(&self, weights: &[u32], questions: f64) -> Vec<MeanOutcome> {
        let width = 2 * self.thresholds;
        let mut sums = vec![0.0; width];
        for (i, &weight) in weights.iter().enumerate().filter(|&(_, &weight)| weight > 0) {
            let weight = f64::from(weight);
            // One question after another, as the ends are summed: equal costs then have equal sums.
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

pub(super) fn check_count(wanted: usize, got: usize) -> Result<(), CurveError> {
    if wanted == got { Ok(()) } else { Err(CurveError::CountMismatch { wanted, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::test_data::{near, segment, synthetic_sweeps, two_questions};

    #[test]
    fn a_piece_holds_its_high_but_not_its_low() {
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
    fn figures_of_a_small_curve() {
        let (sweeps, baselines) = two_questions();
        let points = curve(&sweeps, &baselines, &threshold_grid(&sweeps, 64)).unwrap();
        let figures = curve_metrics(&points, Some(0.1));
        // A triangle up to 0.25, then 1: (0.15 / 2 + 0.75) / 0.9.
        assert!(near(figures.apgr.unwrap(), 0.825 / 0.9));
        assert!(near(figures.cpt50.unwrap(), 0.175));
        assert!(near(figures.cpt80.unwrap(), 0.22));
        assert!(near(figures.cpt95.unwrap(), 0.2425));
        let mut falling = points.clone();
        falling.reverse();
        assert_eq!(curve_metrics(&falling, Some(0.1)), figures);
    }

    fn at(cost_share: f64, pgr: f64) -> CurvePoint {
        let (cost_share, pgr) = (Some(cost_share), Some(pgr));
        CurvePoint { threshold: 0.5, accuracy: 0.0, cost: 0.0, cost_share, pgr }
    }

    #[test]
    fn the_ends_alone_make_a_half() {
        let figures = curve_metrics(&[at(0.2, 0.0)], Some(0.2));
        assert!(near(figures.apgr.unwrap(), 0.5));
        assert!(near(figures.cpt50.unwrap(), 0.6));
    }

    #[test]
    fn points_beyond_the_ends_are_left_out() {
        let inside = [at(0.6, 0.9)];
        let all = [at(0.6, 0.9), at(0.1, 1.0), at(1.3, 0.2)];
        assert_eq!(curve_metrics(&all, Some(0.2)), curve_metrics(&inside, Some(0.2)));
    }

    #[test]
    fn a_dip_does_not_hide_what_was_reached() {
        let figures = curve_metrics(&[at(0.4, 0.6), at(0.6, 0.1), at(0.8, 0.9)], Some(0.0));
        assert!(near(figures.cpt50.unwrap(), 0.4 * 0.5 / 0.6));
        // From the running maximum of 0.6 at 0.6, not from the dip.
        assert!(near(figures.cpt80.unwrap(), 0.6 + 0.2 * 0.2 / 0.3));
        assert!(near(figures.cpt95.unwrap(), 0.9));
    }
}
