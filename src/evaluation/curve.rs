//! Accuracy-cost curves of routers: what every threshold gives, exactly, with paired intervals.
//!
//! A step is written large where its score p reaches the threshold t (p ≥ t): t = 0 is all-large,
//! and what is asked of large falls as t rises. A cost share is a mean cost over all-large's, not a
//! share of calls.

use std::error::Error;
use std::fmt;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Slack where cost shares are compared with an end of the curve: sums of floats.
const SLACK: f64 = 1e-9;

/// The episode that every threshold t with `low` < t ≤ `high` gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// In the last piece 0, which that piece includes (−∞ is taken, too, but JSON cannot hold it).
    pub low: f64,
    pub high: f64,
    pub correct: bool,
    /// In the unit of the prices, ≥ 0.
    pub cost: f64,
}

/// One question's pieces, from the threshold 1 down to 0, without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep(pub Vec<Piece>);

impl Sweep {
    /// What threshold `t` gives; beyond [0, 1] what the nearer end does. Nothing in an empty sweep.
    pub fn at(&self, t: f64) -> Option<&Piece> {
        let above = self.0.partition_point(|piece| piece.low >= t);
        self.0.get(above).or(self.0.last())
    }

    fn is_whole(&self) -> bool {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return false };
        first.high >= 1.0
            && last.low <= 0.0
            && self.0.iter().all(|piece| piece.low < piece.high && is_cost(piece.cost))
            && self.0.windows(2).all(|pair| pair[0].low == pair[1].high)
    }
}

/// What one model alone gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub correct: bool,
    /// In the unit of the prices, ≥ 0.
    pub cost: f64,
}

/// Either model alone on the sweeps' questions, in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ends {
    pub small: Vec<Outcome>,
    pub large: Vec<Outcome>,
}

/// Why there is no curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurveError {
    /// The question at this place has a sweep that is empty or has a gap, or a cost that is none.
    Question(usize),
    /// Not as many questions here as elsewhere.
    Questions { wanted: usize, got: usize },
}

impl fmt::Display for CurveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Question(at) => {
                write!(f, "question {at}: its sweep has a gap, or one of its costs is no cost")
            }
            Self::Questions { wanted, got } => write!(f, "{got} questions where {wanted} belong"),
        }
    }
}

impl Error for CurveError {}

/// At most `n` thresholds (never fewer than 0 and 1): quantiles of all sweeps' breakpoints, so that
/// they lie where something changes. Rising, each once.
pub fn grid(sweeps: &[Sweep], n: usize) -> Vec<f64> {
    let mut breaks: Vec<f64> = sweeps
        .iter()
        .flat_map(|sweep| sweep.0.iter().map(|piece| piece.high))
        .filter(|&t| t > 0.0 && t < 1.0)
        .collect();
    breaks.sort_by(f64::total_cmp);
    let room = n.saturating_sub(2);
    let mut distinct = breaks.clone();
    distinct.dedup();
    let inner = if distinct.len() <= room {
        distinct
    } else {
        // Breakpoints themselves, not values between them: t = high still gives that piece.
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
pub struct Point {
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
pub struct Metrics {
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
pub fn curve(sweeps: &[Sweep], ends: &Ends, thresholds: &[f64]) -> Result<Vec<Point>, CurveError> {
    let rows = Rows::new(sweeps, ends, thresholds)?;
    let once = vec![1; sweeps.len()];
    let Some(scale) = Scale::new(ends, &once) else { return Ok(Vec::new()) };
    let means = rows.means(&once, scale.questions);
    Ok(scale.points(thresholds, &means).collect())
}

/// The figures of a curve whose all-small has this cost share. Points beyond the ends' cost shares
/// are left out, both ends, (`small_share`, 0) and (1, 1), are put in.
///
/// Nothing where a point has no PGR or cost share, where there is none, or where all-small costs as
/// much as all-large.
pub fn metrics(points: &[Point], small_share: Option<f64>) -> Metrics {
    let start = small_share.filter(|&share| share < 1.0 - SLACK && !points.is_empty());
    let Some(start) = start else { return Metrics::default() };
    let mut line = vec![(start, 0.0)];
    for point in points {
        let (Some(share), Some(pgr)) = (point.cost_share, point.pgr) else {
            return Metrics::default();
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
    Metrics {
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

/// Resamples of the questions with replacement, for percentile intervals (Efron 1979). Whatever is
/// compared uses the same ones, so that differences are paired.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    questions: usize,
    /// How often each resample has each question.
    resamples: Vec<Vec<u32>>,
}

impl Bootstrap {
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

    /// How often each resample has each question.
    pub fn resamples(&self) -> &[Vec<u32>] {
        &self.resamples
    }

    pub(super) fn fits(&self, ends: &Ends) -> Result<(), CurveError> {
        same(ends.large.len(), self.questions)
    }
}

/// A router to compare: its sweeps, the thresholds of its curve and the one that it would run at.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub name: &'a str,
    pub sweeps: &'a [Sweep],
    pub thresholds: &'a [f64],
    pub operating: f64,
}

/// A figure of all questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    pub value: f64,
    /// 95 % percentile interval over the resamples; absent where over 5 % of them leave the figure
    /// undefined.
    pub ci: Option<[f64; 2]>,
}

/// What one router achieves. A figure is absent where its formula has no value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub router: String,
    pub curve: Vec<Point>,
    /// The threshold of the figures up to `ibc_lift`.
    pub operating: f64,
    pub accuracy: Option<Figure>,
    pub cost: Option<Figure>,
    pub cost_share: Option<Figure>,
    pub pgr: Option<Figure>,
    /// ΔIBC = (s − s₀) / s₀, s the gain in accuracy per cost over all-small, s₀ that of all-large
    /// (Madaan et al. 2023, AutoMix): above 0 where the router spends better than all-large.
    pub ibc_lift: Option<Figure>,
    pub apgr: Option<Figure>,
    pub cpt50: Option<Figure>,
    pub cpt80: Option<Figure>,
    pub cpt95: Option<Figure>,
}

/// APGR of `router` minus that of `other`, paired by question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub router: String,
    pub other: String,
    pub apgr: Option<Figure>,
}

/// Routers on the same questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// In the order given.
    pub routers: Vec<Standing>,
    /// Every router minus each of those after it.
    pub differences: Vec<Difference>,
}

/// Compares `routers`, all by the same resamples.
///
/// # Errors
/// When sweeps, ends and resamples do not fit each other, or a sweep is not whole.
pub fn compare(
    routers: &[Candidate<'_>],
    ends: &Ends,
    bootstrap: &Bootstrap,
) -> Result<Comparison, CurveError> {
    bootstrap.fits(ends)?;
    let once = vec![1; ends.large.len()];
    let whole = Scale::new(ends, &once);
    let scales: Vec<_> = bootstrap.resamples.iter().map(|w| Scale::new(ends, w)).collect();
    let mut standings = Vec::with_capacity(routers.len());
    let mut apgrs = Vec::with_capacity(routers.len());
    for router in routers {
        // The operating threshold is one more column: it need not lie on the grid.
        let mut thresholds = router.thresholds.to_vec();
        thresholds.push(router.operating);
        let rows = Rows::new(router.sweeps, ends, &thresholds)?;
        let value = Values::new(&rows, router, whole.as_ref(), &once);
        let resampled: Vec<Values> = bootstrap
            .resamples
            .iter()
            .zip(&scales)
            .map(|(weights, scale)| Values::new(&rows, router, scale.as_ref(), weights))
            .collect();
        let figure = |of: fn(&Values) -> Option<f64>| {
            Figure::new(of(&value), resampled.iter().map(of).collect())
        };
        standings.push(Standing {
            router: router.name.to_owned(),
            operating: router.operating,
            accuracy: figure(|v| v.point.map(|p| p.accuracy)),
            cost: figure(|v| v.point.map(|p| p.cost)),
            cost_share: figure(|v| v.point?.cost_share),
            pgr: figure(|v| v.point?.pgr),
            ibc_lift: figure(|v| v.ibc_lift),
            apgr: figure(|v| v.metrics.apgr),
            cpt50: figure(|v| v.metrics.cpt50),
            cpt80: figure(|v| v.metrics.cpt80),
            cpt95: figure(|v| v.metrics.cpt95),
            curve: value.curve,
        });
        let apgr: Vec<_> = resampled.iter().map(|v| v.metrics.apgr).collect();
        apgrs.push((value.metrics.apgr, apgr));
    }
    let minus = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a - b);
    let mut differences = Vec::new();
    for (i, (value, resampled)) in apgrs.iter().enumerate() {
        for (j, (other, others)) in apgrs.iter().enumerate().skip(i + 1) {
            let paired = resampled.iter().zip(others).map(|(&a, &b)| minus(a, b)).collect();
            differences.push(Difference {
                router: routers[i].name.to_owned(),
                other: routers[j].name.to_owned(),
                apgr: Figure::new(minus(*value, *other), paired),
            });
        }
    }
    Ok(Comparison { routers: standings, differences })
}

impl Figure {
    fn new(value: Option<f64>, resampled: Vec<Option<f64>>) -> Option<Self> {
        value.map(|value| Self { value, ci: interval(&resampled) })
    }
}

/// A router's figures on one weighting of the questions.
struct Values {
    curve: Vec<Point>,
    /// At the operating threshold.
    point: Option<Point>,
    ibc_lift: Option<f64>,
    metrics: Metrics,
}

impl Values {
    /// `rows` has the operating threshold as its last column.
    fn new(rows: &Rows, router: &Candidate<'_>, scale: Option<&Scale>, weights: &[u32]) -> Self {
        let Some(scale) = scale else {
            let metrics = Metrics::default();
            return Self { curve: Vec::new(), point: None, ibc_lift: None, metrics };
        };
        let means = rows.means(weights, scale.questions);
        let curve: Vec<Point> = scale.points(router.thresholds, &means).collect();
        let at = means.last().map(|&mean| scale.point(router.operating, mean));
        Self {
            metrics: metrics(&curve, scale.share(scale.small.cost)),
            ibc_lift: at.and_then(|point| scale.ibc_lift(&point)),
            point: at,
            curve,
        }
    }
}

#[derive(Clone, Copy)]
struct Mean {
    accuracy: f64,
    cost: f64,
}

/// What shares and gaps are measured by: the ends' means.
struct Scale {
    questions: f64,
    small: Mean,
    large: Mean,
}

impl Scale {
    /// Nothing without questions.
    fn new(ends: &Ends, weights: &[u32]) -> Option<Self> {
        let questions: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let mean = |outcomes: &[Outcome]| {
            let (mut correct, mut cost) = (0.0, 0.0);
            for (outcome, &weight) in outcomes.iter().zip(weights) {
                correct += f64::from(weight) * f64::from(u8::from(outcome.correct));
                cost += f64::from(weight) * outcome.cost;
            }
            Mean { accuracy: correct / questions, cost: cost / questions }
        };
        (questions > 0.0).then(|| Self {
            questions,
            small: mean(&ends.small),
            large: mean(&ends.large),
        })
    }

    fn share(&self, cost: f64) -> Option<f64> {
        (self.large.cost > 0.0).then(|| cost / self.large.cost)
    }

    fn point(&self, threshold: f64, mean: Mean) -> Point {
        let gap = self.large.accuracy - self.small.accuracy;
        Point {
            threshold,
            accuracy: mean.accuracy,
            cost: mean.cost,
            cost_share: self.share(mean.cost),
            // Without a gap, or with one that small wins, "recovered" has no meaning.
            pgr: (gap > 0.0).then(|| (mean.accuracy - self.small.accuracy) / gap),
        }
    }

    fn points<'a>(
        &'a self,
        thresholds: &'a [f64],
        means: &'a [Mean],
    ) -> impl Iterator<Item = Point> + 'a {
        thresholds.iter().zip(means).map(|(&t, &mean)| self.point(t, mean))
    }

    /// Nothing where a cost does not exceed all-small's, or where large is no better than small.
    fn ibc_lift(&self, point: &Point) -> Option<f64> {
        let (spent, whole) = (point.cost - self.small.cost, self.large.cost - self.small.cost);
        // PGR is the ratio of the gains.
        let slope = point.pgr? * whole / spent;
        (spent > SLACK * self.large.cost && whole > SLACK * self.large.cost).then_some(slope - 1.0)
    }
}

/// A router's outcomes, a row a question: whether correct at each threshold, then the costs.
struct Rows {
    thresholds: usize,
    values: Vec<f64>,
}

impl Rows {
    fn new(sweeps: &[Sweep], ends: &Ends, thresholds: &[f64]) -> Result<Self, CurveError> {
        same(ends.large.len(), ends.small.len())?;
        same(ends.large.len(), sweeps.len())?;
        let mut values = Vec::with_capacity(2 * thresholds.len() * sweeps.len());
        for (i, sweep) in sweeps.iter().enumerate() {
            let whole =
                sweep.is_whole() && is_cost(ends.small[i].cost) && is_cost(ends.large[i].cost);
            let pieces: Option<Vec<&Piece>> = thresholds.iter().map(|&t| sweep.at(t)).collect();
            let pieces = pieces.filter(|_| whole).ok_or(CurveError::Question(i))?;
            values.extend(pieces.iter().map(|piece| f64::from(u8::from(piece.correct))));
            values.extend(pieces.iter().map(|piece| piece.cost));
        }
        Ok(Self { thresholds: thresholds.len(), values })
    }

    /// The means at each threshold, question i counted `weights[i]` times of `questions` in all.
    fn means(&self, weights: &[u32], questions: f64) -> Vec<Mean> {
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
        let mean = |(c, s): (&f64, &f64)| Mean { accuracy: c / questions, cost: s / questions };
        correct.iter().zip(cost).map(mean).collect()
    }
}

fn is_cost(cost: f64) -> bool {
    cost.is_finite() && cost >= 0.0
}

pub(super) fn same(wanted: usize, got: usize) -> Result<(), CurveError> {
    if wanted == got { Ok(()) } else { Err(CurveError::Questions { wanted, got }) }
}

/// The 95 % percentile interval; nothing where over 5 % of the values are undefined, as where 95 %
/// lie is not known then.
pub(super) fn interval(resampled: &[Option<f64>]) -> Option<[f64; 2]> {
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

    fn piece(low: f64, high: f64, correct: bool, cost: f64) -> Piece {
        Piece { low, high, correct, cost }
    }

    fn outcome(correct: bool, cost: f64) -> Outcome {
        Outcome { correct, cost }
    }

    /// Question 0 needs large at its step of p = 0.6, question 1 nowhere.
    fn two() -> (Vec<Sweep>, Ends) {
        let sweeps = vec![
            Sweep(vec![
                piece(0.6, 1.0, false, 1.0),
                piece(0.2, 0.6, true, 4.0),
                piece(0.0, 0.2, true, 10.0),
            ]),
            Sweep(vec![piece(0.5, 1.0, true, 1.0), piece(0.0, 0.5, true, 10.0)]),
        ];
        let ends = Ends {
            small: vec![outcome(false, 1.0), outcome(true, 1.0)],
            large: vec![outcome(true, 10.0), outcome(true, 10.0)],
        };
        (sweeps, ends)
    }

    /// Questions whose steps' scores tell, to the degree `skill`, where small slips.
    fn made(questions: usize, skill: f64, seed: u64) -> (Vec<Sweep>, Ends) {
        let mut slips = ChaCha8Rng::seed_from_u64(7);
        let mut scores = ChaCha8Rng::seed_from_u64(seed);
        let mut sweeps = Vec::new();
        let mut ends = Ends::default();
        for _ in 0..questions {
            let steps: Vec<(f64, bool)> = (0..8)
                .map(|_| {
                    let slip = slips.random_bool(0.12);
                    let told = if slip { 1.0 } else { 0.0 };
                    (skill * told + (1.0 - skill) * scores.random::<f64>(), slip)
                })
                .collect();
            let result = |t: f64| {
                let small = steps.iter().filter(|&&(p, _)| p < t).count() as f64;
                let slipped = steps.iter().any(|&(p, slip)| p < t && slip);
                (!slipped, 2.0 * small + 10.0 * (8.0 - small))
            };
            let mut bounds: Vec<f64> =
                steps.iter().map(|s| s.0).filter(|&p| p > 0.0 && p < 1.0).collect();
            bounds.extend([0.0, 1.0]);
            bounds.sort_by(|a, b| b.total_cmp(a));
            bounds.dedup();
            let pieces = bounds.windows(2).map(|w| {
                let (correct, cost) = result(w[0]);
                piece(w[1], w[0], correct, cost)
            });
            sweeps.push(Sweep(pieces.collect()));
            let (correct, cost) = result(2.0);
            ends.small.push(outcome(correct, cost));
            ends.large.push(outcome(true, 80.0));
        }
        (sweeps, ends)
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn a_piece_holds_its_high_but_not_its_low() {
        let (sweeps, _) = two();
        let cost = |t| sweeps[0].at(t).map(|piece| piece.cost);
        assert_eq!(cost(1.0), Some(1.0));
        assert_eq!(cost(0.6), Some(4.0));
        assert_eq!(cost(0.600_000_1), Some(1.0));
        assert_eq!(cost(0.2), Some(10.0));
        assert_eq!(cost(0.0), Some(10.0));
        assert_eq!((cost(-1.0), cost(2.0)), (Some(10.0), Some(1.0)));
        assert_eq!(
            Sweep(vec![piece(f64::NEG_INFINITY, 1.0, true, 3.0)]).at(0.0).unwrap().cost,
            3.0
        );
        assert_eq!(Sweep(Vec::new()).at(0.5), None);
    }

    #[test]
    fn sweeps_survive_json() {
        let (sweeps, ends) = made(20, 0.5, 1);
        let text = serde_json::to_string(&sweeps).unwrap();
        let back: Vec<Sweep> = serde_json::from_str(&text).unwrap();
        assert_eq!(curve(&back, &ends, &[0.0, 0.4, 1.0]), curve(&sweeps, &ends, &[0.0, 0.4, 1.0]));
    }

    #[test]
    fn the_grid_lies_on_breakpoints() {
        let (sweeps, _) = two();
        assert_eq!(grid(&sweeps, 64), [0.0, 0.2, 0.5, 0.6, 1.0]);
        assert_eq!(grid(&sweeps, 3), [0.0, 0.5, 1.0]);
        assert_eq!(grid(&sweeps, 0), [0.0, 1.0]);
        assert_eq!(grid(&[], 9), [0.0, 1.0]);
        let (sweeps, _) = made(100, 0.3, 1);
        let thresholds = grid(&sweeps, 64);
        assert!(thresholds.len() <= 64 && thresholds.len() > 50, "{}", thresholds.len());
        assert!(thresholds.windows(2).all(|w| w[0] < w[1]));
        let is_break = |t: &f64| sweeps.iter().any(|s| s.0.iter().any(|piece| piece.high == *t));
        assert!(thresholds[1..].iter().all(is_break));
    }

    #[test]
    fn a_curve_has_the_means() {
        let (sweeps, ends) = two();
        let points = curve(&sweeps, &ends, &[0.0, 0.5, 0.6, 1.0]).unwrap();
        let of = |f: fn(&Point) -> f64| points.iter().map(f).collect::<Vec<_>>();
        assert_eq!(of(|p| p.accuracy), [1.0, 1.0, 1.0, 0.5]);
        assert_eq!(of(|p| p.cost), [10.0, 7.0, 2.5, 1.0]);
        assert_eq!(of(|p| p.cost_share.unwrap()), [1.0, 0.7, 0.25, 0.1]);
        assert_eq!(of(|p| p.pgr.unwrap()), [1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn figures_of_a_small_curve() {
        let (sweeps, ends) = two();
        let points = curve(&sweeps, &ends, &grid(&sweeps, 64)).unwrap();
        let figures = metrics(&points, Some(0.1));
        // A triangle up to 0.25, then 1: (0.15 / 2 + 0.75) / 0.9.
        assert!(near(figures.apgr.unwrap(), 0.825 / 0.9));
        assert!(near(figures.cpt50.unwrap(), 0.175));
        assert!(near(figures.cpt80.unwrap(), 0.22));
        assert!(near(figures.cpt95.unwrap(), 0.2425));
        let mut falling = points.clone();
        falling.reverse();
        assert_eq!(metrics(&falling, Some(0.1)), figures);
    }

    fn at(cost_share: f64, pgr: f64) -> Point {
        let (cost_share, pgr) = (Some(cost_share), Some(pgr));
        Point { threshold: 0.5, accuracy: 0.0, cost: 0.0, cost_share, pgr }
    }

    #[test]
    fn the_ends_alone_make_a_half() {
        let figures = metrics(&[at(0.2, 0.0)], Some(0.2));
        assert!(near(figures.apgr.unwrap(), 0.5));
        assert!(near(figures.cpt50.unwrap(), 0.6));
    }

    #[test]
    fn points_beyond_the_ends_are_left_out() {
        let inside = [at(0.6, 0.9)];
        let all = [at(0.6, 0.9), at(0.1, 1.0), at(1.3, 0.2)];
        assert_eq!(metrics(&all, Some(0.2)), metrics(&inside, Some(0.2)));
    }

    #[test]
    fn a_dip_does_not_hide_what_was_reached() {
        let figures = metrics(&[at(0.4, 0.6), at(0.6, 0.1), at(0.8, 0.9)], Some(0.0));
        assert!(near(figures.cpt50.unwrap(), 0.4 * 0.5 / 0.6));
        // From the running maximum of 0.6 at 0.6, not from the dip.
        assert!(near(figures.cpt80.unwrap(), 0.6 + 0.2 * 0.2 / 0.3));
        assert!(near(figures.cpt95.unwrap(), 0.9));
    }

    #[test]
    fn the_lift_compares_slopes() {
        let (sweeps, ends) = two();
        let bootstrap = Bootstrap::new(2, 10, 1);
        let lift = |operating: f64| {
            let router =
                Candidate { name: "r", sweeps: &sweeps, thresholds: &[0.0, 1.0], operating };
            compare(&[router], &ends, &bootstrap).unwrap().routers[0].ibc_lift.map(|f| f.value)
        };
        // 0.5 for 1.5 more, against 0.5 for 9 more.
        assert!(near(lift(0.6).unwrap(), 5.0));
        assert!(near(lift(0.0).unwrap(), 0.0));
        assert_eq!(lift(1.0), None);
    }

    #[test]
    fn intervals_are_those_of_repeated_questions() {
        let (sweeps, ends) = made(40, 0.4, 1);
        let thresholds = grid(&sweeps, 12);
        let operating = 0.37;
        let bootstrap = Bootstrap::new(40, 200, 5);
        let router = Candidate { name: "r", sweeps: &sweeps, thresholds: &thresholds, operating };
        let standing = compare(&[router], &ends, &bootstrap).unwrap().routers.remove(0);
        let (mut apgr, mut cpt80, mut share, mut pgr) = (vec![], vec![], vec![], vec![]);
        for counts in bootstrap.resamples() {
            assert_eq!(counts.iter().sum::<u32>(), 40);
            let places = || (0..40).flat_map(|i| (0..counts[i]).map(move |_| i));
            let again: Vec<Sweep> = places().map(|i| sweeps[i].clone()).collect();
            let ends = Ends {
                small: places().map(|i| ends.small[i]).collect(),
                large: places().map(|i| ends.large[i]).collect(),
            };
            let point = curve(&again, &ends, &[operating]).unwrap()[0];
            let small: f64 = ends.small.iter().map(|o| o.cost).sum();
            let large: f64 = ends.large.iter().map(|o| o.cost).sum();
            let points = curve(&again, &ends, &thresholds).unwrap();
            let figures = metrics(&points, Some(small / large));
            apgr.push(figures.apgr);
            cpt80.push(figures.cpt80);
            share.push(point.cost_share);
            pgr.push(point.pgr);
        }
        let pairs = [
            (standing.apgr, apgr),
            (standing.cpt80, cpt80),
            (standing.cost_share, share),
            (standing.pgr, pgr),
        ];
        for (ours, naive) in pairs {
            let (ours, naive) = (ours.unwrap().ci.unwrap(), interval(&naive).unwrap());
            assert!((ours[0] - naive[0]).abs() < 1e-9 && (ours[1] - naive[1]).abs() < 1e-9);
        }
    }

    #[test]
    fn differences_are_paired() {
        let (good, ends) = made(300, 0.5, 1);
        let (chance, _) = made(300, 0.0, 2);
        let thresholds = [grid(&good, 64), grid(&chance, 64)];
        let of = |name, sweeps, thresholds| Candidate { name, sweeps, thresholds, operating: 0.5 };
        let routers = [
            of("good", &good, &thresholds[0]),
            of("chance", &chance, &thresholds[1]),
            of("same", &good, &thresholds[0]),
        ];
        let all = compare(&routers, &ends, &Bootstrap::new(300, 400, 3)).unwrap();
        let names: Vec<_> =
            all.differences.iter().map(|d| (d.router.as_str(), d.other.as_str())).collect();
        assert_eq!(names, [("good", "chance"), ("good", "same"), ("chance", "same")]);
        let [low, high] = all.differences[0].apgr.unwrap().ci.unwrap();
        assert!(low > 0.0 && high < 1.0, "{low} {high}");
        assert_eq!(all.differences[1].apgr, Some(Figure { value: 0.0, ci: Some([0.0, 0.0]) }));
        let apgr = |i: usize| all.routers[i].apgr.unwrap();
        let width = |ci: Option<[f64; 2]>| ci.map(|[low, high]| high - low).unwrap();
        assert!(near(all.differences[0].apgr.unwrap().value, apgr(0).value - apgr(1).value));
        assert!(width(apgr(0).ci) > 0.0);
        let again = compare(&routers, &ends, &Bootstrap::new(300, 400, 3)).unwrap();
        assert_eq!(again, all);
    }

    #[test]
    fn an_accuracy_interval_is_near_the_normal_one() {
        let (sweeps, ends) = made(500, 0.3, 1);
        let thresholds = grid(&sweeps, 16);
        let router =
            Candidate { name: "r", sweeps: &sweeps, thresholds: &thresholds, operating: 0.5 };
        let standing =
            &compare(&[router], &ends, &Bootstrap::new(500, 2000, 9)).unwrap().routers[0];
        let Figure { value: p, ci } = standing.accuracy.unwrap();
        let half = 1.96 * (p * (1.0 - p) / 500.0).sqrt();
        let [low, high] = ci.unwrap();
        assert!((low - (p - half)).abs() < 0.006 && (high - (p + half)).abs() < 0.006);
    }

    #[test]
    fn what_is_undefined_is_absent() {
        let figures = |sweeps: &[Sweep], ends: &Ends| {
            let thresholds = grid(sweeps, 8);
            let router = Candidate { name: "r", sweeps, thresholds: &thresholds, operating: 0.5 };
            let bootstrap = Bootstrap::new(sweeps.len(), 50, 1);
            let all = compare(&[router, router], ends, &bootstrap).unwrap();
            assert!(all.differences[0].apgr.is_none());
            all.routers.into_iter().next().unwrap()
        };
        let none = figures(&[], &Ends::default());
        assert!(none.curve.is_empty() && none.accuracy.is_none() && none.cost.is_none());

        let (sweeps, mut ends) = two();
        ends.small[0].correct = true;
        let equal = figures(&sweeps, &ends);
        assert!(equal.accuracy.is_some() && equal.cost_share.is_some());
        assert!(equal.pgr.is_none() && equal.apgr.is_none() && equal.cpt95.is_none());
        assert!(equal.ibc_lift.is_none());

        let (mut sweeps, mut ends) = two();
        sweeps.iter_mut().flat_map(|sweep| &mut sweep.0).for_each(|piece| piece.cost = 0.0);
        ends.small.iter_mut().chain(&mut ends.large).for_each(|outcome| outcome.cost = 0.0);
        let free = figures(&sweeps, &ends);
        assert!(free.cost_share.is_none() && free.apgr.is_none() && free.ibc_lift.is_none());
        assert_eq!(free.cost, Some(Figure { value: 0.0, ci: Some([0.0, 0.0]) }));
    }

    #[test]
    fn an_interval_needs_95_of_100() {
        let ramp = |defined: i32| {
            let values = (0..=100).map(|i| (i < defined).then(|| f64::from(i)));
            interval(&values.collect::<Vec<_>>())
        };
        assert_eq!(ramp(101), Some([2.5, 97.5]));
        assert!(ramp(96).is_some());
        assert_eq!(ramp(95), None);
        assert_eq!(interval(&[]), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (sweeps, ends) = two();
        let refused = |sweeps: &[Sweep], ends: &Ends| curve(sweeps, ends, &[0.5]).unwrap_err();
        let questions = CurveError::Questions { wanted: 2, got: 1 };
        assert_eq!(refused(&sweeps[..1], &ends), questions);
        let router =
            Candidate { name: "r", sweeps: &sweeps, thresholds: &[0.0, 1.0], operating: 0.5 };
        let short = Bootstrap::new(3, 2, 1);
        let error = compare(&[router], &ends, &short).unwrap_err();
        assert_eq!(error, CurveError::Questions { wanted: 2, got: 3 });

        let mut gap = sweeps.clone();
        gap[1].0[0].low = 0.7;
        assert_eq!(refused(&gap, &ends), CurveError::Question(1));
        let mut part = sweeps.clone();
        part[0].0.pop();
        assert_eq!(refused(&part, &ends), CurveError::Question(0));
        let mut cost = ends.clone();
        cost.large[1].cost = f64::NAN;
        assert_eq!(refused(&sweeps, &cost), CurveError::Question(1));
        assert_eq!(refused(&[sweeps[0].clone(), Sweep(vec![])], &ends), CurveError::Question(1));
    }
}
