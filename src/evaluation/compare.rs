//! Routers on the same questions: figures with intervals, and paired differences.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::curve::{CurveError, Ends, Metrics, Point, Rows, Scale, Sweep, metrics, same};

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
    use crate::evaluation::samples::{made, near, two};
    use crate::evaluation::{curve, grid};

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
