//! What routers achieve on the same questions: metrics with intervals, paired by question.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::bootstrap::{Bootstrap, MetricValue};
use super::curve::{
    BaselineScale, Baselines, CurveError, CurveMetrics, CurvePoint, OutcomeMatrix, curve_metrics,
    threshold_grid,
};
use super::{MeanTokens, RouterRun};
use crate::config::DraftLength;

/// Points of a curve.
const GRID_POINTS: usize = 64;

/// What one router achieves. A metric is `None` if it is undefined on these questions.
///
/// In JSON each metric `m` becomes two keys, `m` and `m_ci`, and the curve is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct RouterMetrics {
    /// The router's name.
    pub router: String,
    /// Number of questions.
    pub n: usize,
    /// Length of the draft that it decided on.
    pub draft_length: DraftLength,
    /// The operating threshold, at which everything up to `total_seconds` was measured.
    pub threshold: f64,
    /// Share of questions answered correctly, in [0, 1].
    pub accuracy: Option<MetricValue>,
    /// Mean cost of an episode, in the unit of the prices.
    pub cost: Option<MetricValue>,
    /// Mean cost as a share of always-large's.
    pub cost_share: Option<MetricValue>,
    /// Performance gap recovered, (A − `A_small`) / (`A_large` − `A_small`) (Ong et al. 2024,
    /// `RouteLLM`, arXiv 2406.18665): 0 is as good as always-small, 1 as good as always-large.
    pub pgr: Option<MetricValue>,
    /// ΔIBC = (s − s₀) / s₀, where s is the gain in accuracy per cost over always-small, and s₀ that
    /// of always-large (Madaan et al. 2023, `AutoMix`, arXiv 2310.12963). Positive if the router gains
    /// more per cost than always-large.
    pub delta_ibc: Option<MetricValue>,
    /// Mean tokens of an episode.
    pub tokens: MeanTokens,
    /// Mean number of changes of the writer in an episode.
    pub switches: f64,
    /// Share of correct steps up to the first step error of each episode. `None` if no solution is
    /// known.
    pub step_accuracy: Option<f64>,
    /// Run time of all episodes, in seconds.
    pub total_seconds: f64,
    /// Average PGR over the cost shares from always-small's to always-large's (see
    /// [`curve_metrics`]).
    pub apgr: Option<MetricValue>,
    /// APGR of the first router of the list minus this one's, paired by question. `None` for the
    /// first.
    pub apgr_gap: Option<MetricValue>,
    /// Lowest cost shares at which PGR reaches 0.5, 0.8 and 0.95.
    pub cpt: [Option<MetricValue>; 3],
    /// The accuracy-cost curve. Empty if only one threshold was run.
    pub curve: Vec<CurvePoint>,
}

impl Serialize for RouterMetrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = |metric: Option<MetricValue>| metric.map(|m| m.value);
        let ci = |metric: Option<MetricValue>| metric.and_then(|m| m.ci);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("router", &self.router)?;
        map.serialize_entry("n", &self.n)?;
        map.serialize_entry("draft_length", &self.draft_length)?;
        map.serialize_entry("threshold", &self.threshold)?;
        let at_threshold = [
            ("accuracy", "accuracy_ci", self.accuracy),
            ("cost", "cost_ci", self.cost),
            ("cost_share", "cost_share_ci", self.cost_share),
            ("pgr", "pgr_ci", self.pgr),
            ("delta_ibc", "delta_ibc_ci", self.delta_ibc),
        ];
        for (key, ci_key, metric) in at_threshold {
            map.serialize_entry(key, &value(metric))?;
            map.serialize_entry(ci_key, &ci(metric))?;
        }
        map.serialize_entry("tokens", &self.tokens)?;
        map.serialize_entry("switches", &self.switches)?;
        map.serialize_entry("step_accuracy", &self.step_accuracy)?;
        map.serialize_entry("total_seconds", &self.total_seconds)?;
        let of_curve = [("apgr", "apgr_ci", self.apgr), ("apgr_gap", "apgr_gap_ci", self.apgr_gap)];
        for (key, ci_key, metric) in of_curve {
            map.serialize_entry(key, &value(metric))?;
            map.serialize_entry(ci_key, &ci(metric))?;
        }
        map.serialize_entry("cpt", &self.cpt.map(value))?;
        map.serialize_entry("cpt_ci", &self.cpt.map(ci))?;
        map.end()
    }
}

/// Metrics of all runs, which must be of the same questions. Intervals come from `resamples`
/// bootstrap resamples, drawn with `seed`. Without `curves`, the metrics of the whole curve are
/// `None`.
///
/// # Errors
/// If the runs or the baselines have different numbers of questions, or a sweep is incomplete.
pub fn router_metrics(
    runs: &[RouterRun],
    baselines: &Baselines,
    curves: bool,
    resamples: usize,
    seed: u64,
) -> Result<Vec<RouterMetrics>, CurveError> {
    let bootstrap = Bootstrap::new(baselines.large.len(), resamples, seed);
    let mut all = compare(runs, baselines, &bootstrap, GRID_POINTS)?;
    if !curves {
        for metrics in &mut all {
            (metrics.apgr, metrics.apgr_gap, metrics.cpt) = (None, None, [None; 3]);
            metrics.curve.clear();
        }
    }
    Ok(all)
}

/// The metrics of `runs`, all by the same resamples, with curves of `grid_points` thresholds.
fn compare(
    runs: &[RouterRun],
    baselines: &Baselines,
    bootstrap: &Bootstrap,
    grid_points: usize,
) -> Result<Vec<RouterMetrics>, CurveError> {
    bootstrap.check_count(baselines)?;
    let once = vec![1; baselines.large.len()];
    let scale = BaselineScale::new(baselines, &once);
    let scales: Vec<_> =
        bootstrap.resamples().iter().map(|w| BaselineScale::new(baselines, w)).collect();
    let mut all = Vec::with_capacity(runs.len());
    let mut first_apgr: Option<ResampledMetric> = None;
    for run in runs {
        let grid = threshold_grid(run.sweeps(), grid_points);
        // The operating threshold is one more column: it need not lie on the grid.
        let thresholds: Vec<f64> = grid.iter().copied().chain([run.threshold]).collect();
        let outcomes = OutcomeMatrix::new(run.sweeps(), baselines, &thresholds)?;
        let value = WeightedMetrics::new(&outcomes, &thresholds, scale.as_ref(), &once);
        let weighted = bootstrap.resamples().iter().zip(&scales);
        let resampled: Vec<WeightedMetrics> = weighted
            .map(|(weights, scale)| {
                WeightedMetrics::new(&outcomes, &thresholds, scale.as_ref(), weights)
            })
            .collect();
        let metric = |of: fn(&WeightedMetrics) -> Option<f64>| ResampledMetric {
            value: of(&value),
            resampled: resampled.iter().map(of).collect(),
        };
        let apgr = metric(|v| v.curve_metrics.apgr);
        let mut metrics = RouterMetrics {
            router: run.router.clone(),
            n: run.sweeps().len(),
            draft_length: run.draft_length,
            threshold: run.threshold,
            accuracy: metric(|v| v.point.map(|p| p.accuracy)).with_interval(),
            cost: metric(|v| v.point.map(|p| p.cost)).with_interval(),
            cost_share: metric(|v| v.point?.cost_share).with_interval(),
            pgr: metric(|v| v.point?.pgr).with_interval(),
            delta_ibc: metric(|v| v.delta_ibc).with_interval(),
            tokens: run.mean_tokens(),
            switches: run.mean_switches(),
            step_accuracy: run.step_accuracy(),
            total_seconds: run.seconds(),
            apgr: apgr.with_interval(),
            apgr_gap: first_apgr.as_ref().and_then(|first| first.minus(&apgr).with_interval()),
            cpt: [
                metric(|v| v.curve_metrics.cpt50).with_interval(),
                metric(|v| v.curve_metrics.cpt80).with_interval(),
                metric(|v| v.curve_metrics.cpt95).with_interval(),
            ],
            curve: Vec::new(),
        };
        metrics.curve = value.curve;
        all.push(metrics);
        first_apgr.get_or_insert(apgr);
    }
    Ok(all)
}

/// A metric on all questions and on each resample.
struct ResampledMetric {
    value: Option<f64>,
    resampled: Vec<Option<f64>>,
}

impl ResampledMetric {
    fn with_interval(&self) -> Option<MetricValue> {
        MetricValue::new(self.value, &self.resampled)
    }

    /// The difference, resample by resample.
    fn minus(&self, other: &Self) -> Self {
        let minus = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a - b);
        let pairs = self.resampled.iter().zip(&other.resampled);
        Self {
            value: minus(self.value, other.value),
            resampled: pairs.map(|(&a, &b)| minus(a, b)).collect(),
        }
    }
}

/// A router's metrics on one weighting of the questions.
struct WeightedMetrics {
    curve: Vec<CurvePoint>,
    /// At the operating threshold.
    point: Option<CurvePoint>,
    delta_ibc: Option<f64>,
    curve_metrics: CurveMetrics,
}

impl WeightedMetrics {
    /// The last of `thresholds` is the operating one, the others are those of the curve. `outcomes`
    /// has a column for each.
    fn new(
        outcomes: &OutcomeMatrix,
        thresholds: &[f64],
        scale: Option<&BaselineScale>,
        weights: &[u32],
    ) -> Self {
        let (Some(scale), Some((&operating, grid))) = (scale, thresholds.split_last()) else {
            let curve_metrics = CurveMetrics::default();
            return Self { curve: Vec::new(), point: None, delta_ibc: None, curve_metrics };
        };
        let means = outcomes.means(weights, scale.questions);
        let curve: Vec<CurvePoint> = scale.points(grid, &means).collect();
        let point = means.last().map(|&mean| scale.point(operating, mean));
        Self {
            curve_metrics: curve_metrics(&curve, scale.share(scale.small.cost)),
            delta_ibc: point.and_then(|point| scale.delta_ibc(&point)),
            point,
            curve,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::bootstrap::percentile_interval;
    use crate::evaluation::curve::Sweep;
    use crate::evaluation::test_data::{near, synthetic_sweeps, two_questions};
    use crate::evaluation::{RouterRun, curve};

    fn metrics(
        sweeps: &[Sweep],
        baselines: &Baselines,
        operating: f64,
        bootstrap: &Bootstrap,
        grid_points: usize,
    ) -> RouterMetrics {
        let run = RouterRun::from_sweeps("r", operating, sweeps);
        compare(&[run], baselines, bootstrap, grid_points).unwrap().remove(0)
    }

    #[test]
    fn delta_ibc_compares_slopes() {
        let (sweeps, baselines) = two_questions();
        let bootstrap = Bootstrap::new(2, 10, 1);
        let delta_ibc = |operating: f64| {
            metrics(&sweeps, &baselines, operating, &bootstrap, 2).delta_ibc.map(|m| m.value)
        };
        // 0.5 for 1.5 more, against 0.5 for 9 more.
        assert!(near(delta_ibc(0.6).unwrap(), 5.0));
        assert!(near(delta_ibc(0.0).unwrap(), 0.0));
        assert_eq!(delta_ibc(1.0), None);
    }

    #[test]
    fn intervals_are_those_of_repeated_questions() {
        let (sweeps, baselines) = synthetic_sweeps(40, 0.4, 1);
        let thresholds = threshold_grid(&sweeps, 12);
        let operating = 0.37;
        let bootstrap = Bootstrap::new(40, 200, 5);
        let ours = metrics(&sweeps, &baselines, operating, &bootstrap, 12);
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
            let naive = curve_metrics(&points, Some(small / large));
            apgr.push(naive.apgr);
            cpt80.push(naive.cpt80);
            share.push(point.cost_share);
            pgr.push(point.pgr);
        }
        let pairs =
            [(ours.apgr, apgr), (ours.cpt[1], cpt80), (ours.cost_share, share), (ours.pgr, pgr)];
        for (ours, naive) in pairs {
            let (ours, naive) = (ours.unwrap().ci.unwrap(), percentile_interval(&naive).unwrap());
            assert!((ours[0] - naive[0]).abs() < 1e-9 && (ours[1] - naive[1]).abs() < 1e-9);
        }
    }

    #[test]
    fn gaps_are_paired() {
        let (good, baselines) = synthetic_sweeps(300, 0.5, 1);
        let (chance, _) = synthetic_sweeps(300, 0.0, 2);
        let runs = [("good", &good), ("chance", &chance), ("same", &good)]
            .map(|(name, sweeps)| RouterRun::from_sweeps(name, 0.5, sweeps));
        let all = router_metrics(&runs, &baselines, true, 400, 3).unwrap();
        let names: Vec<_> = all.iter().map(|m| m.router.as_str()).collect();
        assert_eq!(names, ["good", "chance", "same"]);
        assert_eq!(all[0].apgr_gap, None);
        let gap = all[1].apgr_gap.unwrap();
        let [low, high] = gap.ci.unwrap();
        assert!(low > 0.0 && high < 1.0, "{low} {high}");
        let apgr = |i: usize| all[i].apgr.unwrap();
        assert!(near(gap.value, apgr(0).value - apgr(1).value));
        assert_eq!(all[2].apgr_gap, Some(MetricValue { value: 0.0, ci: Some([0.0, 0.0]) }));
        let [low, high] = apgr(0).ci.unwrap();
        assert!(low < high);
        assert_eq!(router_metrics(&runs, &baselines, true, 400, 3).unwrap(), all);
    }

    #[test]
    fn without_curves_their_metrics_are_absent() {
        let (sweeps, baselines) = two_questions();
        let run = RouterRun::from_sweeps("r", 0.5, &sweeps);
        let all = router_metrics(&[run.clone(), run], &baselines, false, 10, 1).unwrap();
        let json = serde_json::to_value(&all[1]).unwrap();
        assert_eq!(json["accuracy"], 1.0);
        assert!(json["accuracy_ci"].is_array() && json["draft_length"] == "step");
        for key in ["apgr", "apgr_ci", "apgr_gap", "apgr_gap_ci"] {
            assert!(json.get(key).is_some_and(serde_json::Value::is_null), "{key}");
        }
        assert_eq!(json["cpt"], serde_json::json!([null, null, null]));
        assert_eq!(json["cpt_ci"], serde_json::json!([null, null, null]));
        assert!(json.get("curve").is_none() && all[1].curve.is_empty());
    }

    #[test]
    fn an_accuracy_interval_is_near_the_normal_one() {
        let (sweeps, baselines) = synthetic_sweeps(500, 0.3, 1);
        let ours = metrics(&sweeps, &baselines, 0.5, &Bootstrap::new(500, 2000, 9), 16);
        let MetricValue { value: p, ci } = ours.accuracy.unwrap();
        let half = 1.96 * (p * (1.0 - p) / 500.0).sqrt();
        let [low, high] = ci.unwrap();
        assert!((low - (p - half)).abs() < 0.006 && (high - (p + half)).abs() < 0.006);
    }

    #[test]
    fn undefined_metrics_are_absent() {
        let of = |sweeps: &[Sweep], baselines: &Baselines| {
            let run = RouterRun::from_sweeps("r", 0.5, sweeps);
            let bootstrap = Bootstrap::new(sweeps.len(), 50, 1);
            let mut all = compare(&[run.clone(), run], baselines, &bootstrap, 8).unwrap();
            assert!(all[1].apgr_gap.is_none());
            all.remove(0)
        };
        let none = of(&[], &Baselines::default());
        assert!(none.curve.is_empty() && none.accuracy.is_none() && none.cost.is_none());

        let (sweeps, mut baselines) = two_questions();
        baselines.small[0].correct = true;
        let equal = of(&sweeps, &baselines);
        assert!(equal.accuracy.is_some() && equal.cost_share.is_some());
        assert!(equal.pgr.is_none() && equal.apgr.is_none() && equal.cpt[2].is_none());
        assert!(equal.delta_ibc.is_none());

        let (mut sweeps, mut baselines) = two_questions();
        sweeps.iter_mut().flat_map(|sweep| &mut sweep.0).for_each(|segment| segment.cost = 0.0);
        baselines
            .small
            .iter_mut()
            .chain(&mut baselines.large)
            .for_each(|outcome| outcome.cost = 0.0);
        let free = of(&sweeps, &baselines);
        assert!(free.cost_share.is_none() && free.apgr.is_none() && free.delta_ibc.is_none());
        assert_eq!(free.cost, Some(MetricValue { value: 0.0, ci: Some([0.0, 0.0]) }));
    }

    #[test]
    fn mismatched_input_is_refused() {
        let (sweeps, baselines) = two_questions();
        let refused =
            |sweeps: &[Sweep], baselines: &Baselines| curve(sweeps, baselines, &[0.5]).unwrap_err();
        let questions = CurveError::CountMismatch { expected: 2, got: 1 };
        assert_eq!(refused(&sweeps[..1], &baselines), questions);
        let run = RouterRun::from_sweeps("r", 0.5, &sweeps);
        let error = compare(&[run], &baselines, &Bootstrap::new(3, 2, 1), 2).unwrap_err();
        assert_eq!(error, CurveError::CountMismatch { expected: 2, got: 3 });

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
