//! Routers on the same questions: figures with intervals, and paired differences.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::curve::{
    BaselineScale, Baselines, CurveError, CurveMetrics, CurvePoint, OutcomeMatrix, Sweep,
    check_count, curve_metrics,
};

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

    pub(super) fn check_count(&self, baselines: &Baselines) -> Result<(), CurveError> {
        check_count(baselines.large.len(), self.questions)
    }
}

/// A router to compare: its sweeps, the thresholds of its curve and the one that it would run at.
#[derive(Debug, Clone, Copy)]
pub struct SweptRouter<'a> {
    pub name: &'a str,
    pub sweeps: &'a [Sweep],
    pub thresholds: &'a [f64],
    pub operating: f64,
}

/// A metric of all questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MetricValue {
    pub value: f64,
    /// 95 % percentile interval over the resamples; absent where over 5 % of them leave the metric
    /// undefined.
    pub ci: Option<[f64; 2]>,
}

/// What one router achieves. A metric is absent where its formula has no value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedMetrics {
    pub router: String,
    pub curve: Vec<CurvePoint>,
    /// The threshold of the figures up to `delta_ibc`.
    pub operating: f64,
    pub accuracy: Option<MetricValue>,
    pub cost: Option<MetricValue>,
    pub cost_share: Option<MetricValue>,
    pub pgr: Option<MetricValue>,
    /// ΔIBC = (s − s₀) / s₀, s the gain in accuracy per cost over all-small, s₀ that of all-large
    /// (Madaan et al. 2023, AutoMix): above 0 where the router spends better than all-large.
    pub delta_ibc: Option<MetricValue>,
    pub apgr: Option<MetricValue>,
    pub cpt50: Option<MetricValue>,
    pub cpt80: Option<MetricValue>,
    pub cpt95: Option<MetricValue>,
}

/// APGR of `router` minus that of `other`, paired by question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApgrDifference {
    pub router: String,
    pub other: String,
    pub apgr: Option<MetricValue>,
}

/// Routers on the same questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouterComparison {
    /// In the order given.
    pub routers: Vec<ComparedMetrics>,
    /// Every router minus each of those after it.
    pub differences: Vec<ApgrDifference>,
}

/// Compares `routers`, all by the same resamples.
///
/// # Errors
/// When sweeps, baselines and resamples do not fit each other, or a sweep is not whole.
pub fn compare(
    routers: &[SweptRouter<'_>],
    baselines: &Baselines,
    bootstrap: &Bootstrap,
) -> Result<RouterComparison, CurveError> {
    bootstrap.check_count(baselines)?;
    let once = vec![1; baselines.large.len()];
    let whole = BaselineScale::new(baselines, &once);
    let scales: Vec<_> =
        bootstrap.resamples.iter().map(|w| BaselineScale::new(baselines, w)).collect();
    let mut compared_all = Vec::with_capacity(routers.len());
    let mut apgrs = Vec::with_capacity(routers.len());
    for router in routers {
        // The operating threshold is one more column: it need not lie on the grid.
        let mut thresholds = router.thresholds.to_vec();
        thresholds.push(router.operating);
        let rows = OutcomeMatrix::new(router.sweeps, baselines, &thresholds)?;
        let value = WeightedMetrics::new(&rows, router, whole.as_ref(), &once);
        let resampled: Vec<WeightedMetrics> = bootstrap
            .resamples
            .iter()
            .zip(&scales)
            .map(|(weights, scale)| WeightedMetrics::new(&rows, router, scale.as_ref(), weights))
            .collect();
        let metric = |of: fn(&WeightedMetrics) -> Option<f64>| {
            MetricValue::new(of(&value), resampled.iter().map(of).collect())
        };
        compared_all.push(ComparedMetrics {
            router: router.name.to_owned(),
            operating: router.operating,
            accuracy: metric(|v| v.point.map(|p| p.accuracy)),
            cost: metric(|v| v.point.map(|p| p.cost)),
            cost_share: metric(|v| v.point?.cost_share),
            pgr: metric(|v| v.point?.pgr),
            delta_ibc: metric(|v| v.delta_ibc),
            apgr: metric(|v| v.metrics.apgr),
            cpt50: metric(|v| v.metrics.cpt50),
            cpt80: metric(|v| v.metrics.cpt80),
            cpt95: metric(|v| v.metrics.cpt95),
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
            differences.push(ApgrDifference {
                router: routers[i].name.to_owned(),
                other: routers[j].name.to_owned(),
                apgr: MetricValue::new(minus(*value, *other), paired),
            });
        }
    }
    Ok(RouterComparison { routers: compared_all, differences })
}

impl MetricValue {
    fn new(value: Option<f64>, resampled: Vec<Option<f64>>) -> Option<Self> {
        value.map(|value| Self { value, ci: percentile_interval(&resampled) })
    }
}

/// A router's figures on one weighting of the questions.
struct WeightedMetrics {
    curve: Vec<CurvePoint>,
    /// At the operating threshold.
    point: Option<CurvePoint>,
    delta_ibc: Option<f64>,
    metrics: CurveMetrics,
}

impl WeightedMetrics {
    /// `rows` has the operating threshold as its last column.
    fn new(
        rows: &OutcomeMatrix,
        router: &SweptRouter<'_>,
        scale: Option<&BaselineScale>,
        weights: &[u32],
    ) -> Self {
        let Some(scale) = scale else {
            let metrics = CurveMetrics::default();
            return Self { curve: Vec::new(), point: None, delta_ibc: None, metrics };
        };
        let means = rows.means(weights, scale.questions);
        let curve: Vec<CurvePoint> = scale.points(router.thresholds, &means).collect();
        let at = means.last().map(|&mean| scale.point(router.operating, mean));
        Self {
            metrics: curve_metrics(&curve, scale.share(scale.small.cost)),
            delta_ibc: at.and_then(|point| scale.delta_ibc(&point)),
            point: at,
            curve,
        }
    }
}

/// The 95 % percentile interval; nothing where over 5 % of the values are undefined, as where 95 %
/// lie is not known then.
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
    use crate::evaluation::test_data::{near, synthetic_sweeps, two_questions};
    use crate::evaluation::{curve, threshold_grid};

    #[test]
    fn the_lift_compares_slopes() {
        let (sweeps, baselines) = two_questions();
        let bootstrap = Bootstrap::new(2, 10, 1);
        let lift = |operating: f64| {
            let router =
                SweptRouter { name: "r", sweeps: &sweeps, thresholds: &[0.0, 1.0], operating };
            compare(&[router], &baselines, &bootstrap).unwrap().routers[0]
                .delta_ibc
                .map(|f| f.value)
        };
        // 0.5 for 1.5 more, against 0.5 for 9 more.
        assert!(near(lift(0.6).unwrap(), 5.0));
        assert!(near(lift(0.0).unwrap(), 0.0));
        assert_eq!(lift(1.0), None);
    }

    #[test]
    fn intervals_are_those_of_repeated_questions() {
        let (sweeps, baselines) = synthetic_sweeps(40, 0.4, 1);
        let thresholds = threshold_grid(&sweeps, 12);
        let operating = 0.37;
        let bootstrap = Bootstrap::new(40, 200, 5);
        let router = SweptRouter { name: "r", sweeps: &sweeps, thresholds: &thresholds, operating };
        let compared = compare(&[router], &baselines, &bootstrap).unwrap().routers.remove(0);
        let (mut apgr, mut cpt80, mut share, mut pgr) = (vec![], vec![], vec![], vec![]);
        for counts in bootstrap.resamples() {
            assert_eq!(counts.iter().sum::<u32>(), 40);
            let places = || (0..40).flat_map(|i| (0..counts[i]).map(move |_| i));
            let again: Vec<Sweep> = places().map(|i| sweeps[i].clone()).collect();
            let baselines = Baselines {
                small: places().map(|i| baselines.small[i]).collect(),
                large: places().map(|i| baselines.large[i]).collect(),
            };
            let point = curve(&again, &baselines, &[operating]).unwrap()[0];
            let small: f64 = baselines.small.iter().map(|o| o.cost).sum();
            let large: f64 = baselines.large.iter().map(|o| o.cost).sum();
            let points = curve(&again, &baselines, &thresholds).unwrap();
            let figures = curve_metrics(&points, Some(small / large));
            apgr.push(figures.apgr);
            cpt80.push(figures.cpt80);
            share.push(point.cost_share);
            pgr.push(point.pgr);
        }
        let pairs = [
            (compared.apgr, apgr),
            (compared.cpt80, cpt80),
            (compared.cost_share, share),
            (compared.pgr, pgr),
        ];
        for (ours, naive) in pairs {
            let (ours, naive) = (ours.unwrap().ci.unwrap(), percentile_interval(&naive).unwrap());
            assert!((ours[0] - naive[0]).abs() < 1e-9 && (ours[1] - naive[1]).abs() < 1e-9);
        }
    }

    #[test]
    fn differences_are_paired() {
        let (good, baselines) = synthetic_sweeps(300, 0.5, 1);
        let (chance, _) = synthetic_sweeps(300, 0.0, 2);
        let thresholds = [threshold_grid(&good, 64), threshold_grid(&chance, 64)];
        let of =
            |name, sweeps, thresholds| SweptRouter { name, sweeps, thresholds, operating: 0.5 };
        let routers = [
            of("good", &good, &thresholds[0]),
            of("chance", &chance, &thresholds[1]),
            of("same", &good, &thresholds[0]),
        ];
        let all = compare(&routers, &baselines, &Bootstrap::new(300, 400, 3)).unwrap();
        let names: Vec<_> =
            all.differences.iter().map(|d| (d.router.as_str(), d.other.as_str())).collect();
        assert_eq!(names, [("good", "chance"), ("good", "same"), ("chance", "same")]);
        let [low, high] = all.differences[0].apgr.unwrap().ci.unwrap();
        assert!(low > 0.0 && high < 1.0, "{low} {high}");
        assert_eq!(all.differences[1].apgr, Some(MetricValue { value: 0.0, ci: Some([0.0, 0.0]) }));
        let apgr = |i: usize| all.routers[i].apgr.unwrap();
        let width = |ci: Option<[f64; 2]>| ci.map(|[low, high]| high - low).unwrap();
        assert!(near(all.differences[0].apgr.unwrap().value, apgr(0).value - apgr(1).value));
        assert!(width(apgr(0).ci) > 0.0);
        let again = compare(&routers, &baselines, &Bootstrap::new(300, 400, 3)).unwrap();
        assert_eq!(again, all);
    }

    #[test]
    fn an_accuracy_interval_is_near_the_normal_one() {
        let (sweeps, baselines) = synthetic_sweeps(500, 0.3, 1);
        let thresholds = threshold_grid(&sweeps, 16);
        let router =
            SweptRouter { name: "r", sweeps: &sweeps, thresholds: &thresholds, operating: 0.5 };
        let compared =
            &compare(&[router], &baselines, &Bootstrap::new(500, 2000, 9)).unwrap().routers[0];
        let MetricValue { value: p, ci } = compared.accuracy.unwrap();
        let half = 1.96 * (p * (1.0 - p) / 500.0).sqrt();
        let [low, high] = ci.unwrap();
        assert!((low - (p - half)).abs() < 0.006 && (high - (p + half)).abs() < 0.006);
    }

    #[test]
    fn what_is_undefined_is_absent() {
        let figures = |sweeps: &[Sweep], baselines: &Baselines| {
            let thresholds = threshold_grid(sweeps, 8);
            let router = SweptRouter { name: "r", sweeps, thresholds: &thresholds, operating: 0.5 };
            let bootstrap = Bootstrap::new(sweeps.len(), 50, 1);
            let all = compare(&[router, router], baselines, &bootstrap).unwrap();
            assert!(all.differences[0].apgr.is_none());
            all.routers.into_iter().next().unwrap()
        };
        let none = figures(&[], &Baselines::default());
        assert!(none.curve.is_empty() && none.accuracy.is_none() && none.cost.is_none());

        let (sweeps, mut baselines) = two_questions();
        baselines.small[0].correct = true;
        let equal = figures(&sweeps, &baselines);
        assert!(equal.accuracy.is_some() && equal.cost_share.is_some());
        assert!(equal.pgr.is_none() && equal.apgr.is_none() && equal.cpt95.is_none());
        assert!(equal.delta_ibc.is_none());

        let (mut sweeps, mut baselines) = two_questions();
        sweeps.iter_mut().flat_map(|sweep| &mut sweep.0).for_each(|segment| segment.cost = 0.0);
        baselines
            .small
            .iter_mut()
            .chain(&mut baselines.large)
            .for_each(|outcome| outcome.cost = 0.0);
        let free = figures(&sweeps, &baselines);
        assert!(free.cost_share.is_none() && free.apgr.is_none() && free.delta_ibc.is_none());
        assert_eq!(free.cost, Some(MetricValue { value: 0.0, ci: Some([0.0, 0.0]) }));
    }

    #[test]
    fn an_interval_needs_95_of_100() {
        let ramp = |defined: i32| {
            let values = (0..=100).map(|i| (i < defined).then(|| f64::from(i)));
            percentile_interval(&values.collect::<Vec<_>>())
        };
        assert_eq!(ramp(101), Some([2.5, 97.5]));
        assert!(ramp(96).is_some());
        assert_eq!(ramp(95), None);
        assert_eq!(percentile_interval(&[]), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (sweeps, baselines) = two_questions();
        let refused =
            |sweeps: &[Sweep], baselines: &Baselines| curve(sweeps, baselines, &[0.5]).unwrap_err();
        let questions = CurveError::CountMismatch { wanted: 2, got: 1 };
        assert_eq!(refused(&sweeps[..1], &baselines), questions);
        let router =
            SweptRouter { name: "r", sweeps: &sweeps, thresholds: &[0.0, 1.0], operating: 0.5 };
        let short = Bootstrap::new(3, 2, 1);
        let error = compare(&[router], &baselines, &short).unwrap_err();
        assert_eq!(error, CurveError::CountMismatch { wanted: 2, got: 3 });

        let mut gap = sweeps.clone();
        gap[1].0[0].low = 0.7;
        assert_eq!(refused(&gap, &baselines), CurveError::InvalidSweep(1));
        let mut part = sweeps.clone();
        part[0].0.pop();
        assert_eq!(refused(&part, &baselines), CurveError::InvalidSweep(0));
        let mut cost = baselines.clone();
        cost.large[1].cost = f64::NAN;
        assert_eq!(refused(&sweeps, &cost), CurveError::InvalidSweep(1));
        assert_eq!(
            refused(&[sweeps[0].clone(), Sweep(vec![])], &baselines),
            CurveError::InvalidSweep(1)
        );
    }
}
