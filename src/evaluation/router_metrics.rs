//! What one router achieves over a set of questions.

use serde::Serialize;

use super::{
    BaselineOutcome, Baselines, Bootstrap, CurveError, MetricValue, QuestionResult,
    RouterComparison, Sweep, SweptRouter,
};
use super::{CurvePoint, SweepSegment, compare, threshold_grid};
use crate::config::DraftLength;
use crate::episode::{Episode, Role, Verdict};
use crate::tasks::Question;

/// Points of a curve.
const GRID_POINTS: usize = 64;

/// The episodes of one router, a question after the other.
#[derive(Debug, Clone)]
pub struct RouterRun {
    pub router: String,
    pub draft_length: DraftLength,
    /// The threshold in force.
    pub threshold: f64,
    sweeps: Vec<Sweep>,
    sums: RunTotals,
    seconds: f64,
}

impl RouterRun {
    /// Nothing so far.
    pub fn new(router: impl Into<String>, draft_length: DraftLength, threshold: f64) -> Self {
        let (sweeps, sums) = (Vec::new(), RunTotals::default());
        Self { router: router.into(), draft_length, threshold, sweeps, sums, seconds: 0.0 }
    }

    /// Adds the next question's episodes.
    pub fn add(&mut self, question: &Question, result: QuestionResult) {
        self.sums.add(question, &result.operating);
        self.seconds += result.seconds;
        self.sweeps.push(result.sweep);
    }

    /// Adds an episode that stands for every threshold.
    pub fn add_fixed(&mut self, question: &Question, episode: Episode, seconds: f64) {
        let correct = episode.verdict() == Some(Verdict::Correct);
        let segment = SweepSegment { low: 0.0, high: 1.0, correct, cost: episode.ledger.cost() };
        self.add(
            question,
            QuestionResult { sweep: Sweep(vec![segment]), operating: episode, seconds },
        );
    }

    /// Its sweeps, a question each.
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    /// What a router that always chooses the same model gave.
    pub fn outcomes(&self) -> Vec<BaselineOutcome> {
        let segments = self.sweeps.iter().filter_map(|sweep| sweep.at(self.threshold));
        segments.map(|p| BaselineOutcome { correct: p.correct, cost: p.cost }).collect()
    }
}

/// What one router achieved. Intervals are of 95 %, by bootstrap over the questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouterMetrics {
    pub router: String,
    /// Questions asked.
    pub n: usize,
    pub draft_length: DraftLength,
    /// The threshold of everything up to `total_seconds`.
    pub threshold: f64,
    /// Share answered correctly, in [0, 1].
    pub accuracy: Option<f64>,
    pub accuracy_ci: Option<[f64; 2]>,
    /// Mean cost of an episode, in the unit of the prices.
    pub cost: Option<f64>,
    pub cost_ci: Option<[f64; 2]>,
    /// That as a share of always-large's.
    pub cost_share: Option<f64>,
    pub cost_share_ci: Option<[f64; 2]>,
    /// Share of the gap between the two models that is closed: (A − A_small) / (A_large − A_small).
    pub pgr: Option<f64>,
    pub pgr_ci: Option<[f64; 2]>,
    /// ΔIBC: gain in accuracy per cost over always-small, relative to that of always-large, less 1.
    pub delta_ibc: Option<f64>,
    pub delta_ibc_ci: Option<[f64; 2]>,
    pub tokens: MeanTokens,
    /// Mean number of changes of the writer in an episode.
    pub switches: f64,
    /// Share of right steps among those whose right continuation is known, up to the first slip.
    pub step_accuracy: Option<f64>,
    /// Seconds of all episodes, added up.
    pub total_seconds: f64,
    /// Of the whole curve: mean PGR between the cost shares of always-small and always-large.
    pub apgr: Option<f64>,
    pub apgr_ci: Option<[f64; 2]>,
    /// APGR of the first router of the list less this one's, paired by question.
    pub apgr_gap: Option<f64>,
    pub apgr_gap_ci: Option<[f64; 2]>,
    /// Lowest cost share at which PGR reaches 0.5, 0.8 and 0.95.
    pub cpt: [Option<f64>; 3],
    pub cpt_ci: [Option<[f64; 2]>; 3],
    #[serde(skip)]
    pub curve: Vec<CurvePoint>,
}

/// Scores of all runs, which must be of the same questions; `resamples` for the intervals, drawn
/// with `seed`. Without `curves`, figures of the whole curve are left out.
///
/// # Errors
/// When the runs are not of the same questions.
pub fn router_metrics(
    runs: &[RouterRun],
    baselines: &Baselines,
    curves: bool,
    resamples: usize,
    seed: u64,
) -> Result<Vec<RouterMetrics>, CurveError> {
    let grids: Vec<Vec<f64>> =
        runs.iter().map(|run| threshold_grid(&run.sweeps, GRID_POINTS)).collect();
    let swept_routers: Vec<SweptRouter<'_>> = runs
        .iter()
        .zip(&grids)
        .map(|(run, thresholds)| SweptRouter {
            name: &run.router,
            sweeps: &run.sweeps,
            thresholds,
            operating: run.threshold,
        })
        .collect();
    let bootstrap = Bootstrap::new(baselines.large.len(), resamples, seed);
    let comparison = compare(&swept_routers, baselines, &bootstrap)?;
    Ok(runs.iter().enumerate().map(|(i, run)| metrics_of(run, &comparison, i, curves)).collect())
}

fn metrics_of(
    run: &RouterRun,
    comparison: &RouterComparison,
    index: usize,
    curves: bool,
) -> RouterMetrics {
    let compared = &comparison.routers[index];
    let value = |metric: Option<MetricValue>| metric.map(|f| f.value);
    let ci = |metric: Option<MetricValue>| metric.and_then(|f| f.ci);
    let whole = |metric: Option<MetricValue>| metric.filter(|_| curves);
    // The pairs of the first router come first, in the order of the others.
    let apgr_gap = index.checked_sub(1).and_then(|other| comparison.differences.get(other)?.apgr);
    let apgr = whole(compared.apgr);
    let apgr_gap = whole(apgr_gap);
    let cpt = [compared.cpt50, compared.cpt80, compared.cpt95].map(whole);
    let n = run.sweeps.len();
    RouterMetrics {
        router: run.router.clone(),
        n,
        draft_length: run.draft_length,
        threshold: run.threshold,
        accuracy: value(compared.accuracy),
        accuracy_ci: ci(compared.accuracy),
        cost: value(compared.cost),
        cost_ci: ci(compared.cost),
        cost_share: value(compared.cost_share),
        cost_share_ci: ci(compared.cost_share),
        pgr: value(compared.pgr),
        pgr_ci: ci(compared.pgr),
        delta_ibc: value(compared.delta_ibc),
        delta_ibc_ci: ci(compared.delta_ibc),
        tokens: run.sums.tokens(n),
        switches: run.sums.switches as f64 / n.max(1) as f64,
        step_accuracy: run.sums.step_accuracy(),
        total_seconds: run.seconds,
        apgr: value(apgr),
        apgr_ci: ci(apgr),
        apgr_gap: value(apgr_gap),
        apgr_gap_ci: ci(apgr_gap),
        cpt: cpt.map(value),
        cpt_ci: cpt.map(ci),
        curve: if curves { compared.curve.clone() } else { Vec::new() },
    }
}

/// Mean tokens of an episode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct MeanTokens {
    /// Written and kept.
    pub small: f64,
    pub large: f64,
    /// Written by either and discarded.
    pub discarded: f64,
    /// Read by the large model for its opinion.
    pub scored: f64,
    /// Prefilled by either.
    pub prefilled: f64,
    /// Taken from the KV cache instead.
    pub reused: f64,
}

#[derive(Debug, Clone, Default)]
struct RunTotals {
    tokens: MeanTokens,
    switches: usize,
    steps_correct: usize,
    steps_checked: usize,
}

impl RunTotals {
    fn add(&mut self, question: &Question, episode: &Episode) {
        self.switches += episode.switches();
        let totals = &episode.ledger.totals;
        self.tokens.small += totals.small.kept as f64;
        self.tokens.large += totals.large.kept as f64;
        for role in Role::BOTH {
            self.tokens.discarded += totals[role].discarded as f64;
            self.tokens.scored += totals[role].scored as f64;
            self.tokens.prefilled += totals[role].prefilled as f64;
            self.tokens.reused += totals[role].reused as f64;
        }
        let Some(solution) = &question.solution else { return };
        for (i, step) in episode.steps.iter().enumerate() {
            let right = solution.step_is_correct(i, &step.generation.text);
            self.steps_checked += 1;
            self.steps_correct += usize::from(right);
            // What is right after a slip depends on the slip.
            if !right && solution.step_matters(i) {
                break;
            }
        }
    }

    fn tokens(&self, n: usize) -> MeanTokens {
        let mean = |sum: f64| sum / n.max(1) as f64;
        let MeanTokens { small, large, discarded, scored, prefilled, reused } = self.tokens;
        MeanTokens {
            small: mean(small),
            large: mean(large),
            discarded: mean(discarded),
            scored: mean(scored),
            prefilled: mean(prefilled),
            reused: mean(reused),
        }
    }

    fn step_accuracy(&self) -> Option<f64> {
        (self.steps_checked > 0).then(|| self.steps_correct as f64 / self.steps_checked as f64)
    }
}
