//! What one router achieves over a set of questions.

use serde::Serialize;

use super::{Bootstrap, Candidate, Comparison, CurveError, Ends, Figure, Outcome, Sweep, Swept};
use super::{Piece, Point, compare, grid};
use crate::config::Glimpse;
use crate::episode::{Episode, Role, Verdict};
use crate::tasks::Question;

/// Points of a curve.
const GRID: usize = 64;

/// The episodes of one router, a question after the other.
#[derive(Debug, Clone)]
pub struct Run {
    pub router: String,
    pub glimpse: Glimpse,
    /// The threshold in force.
    pub threshold: f64,
    sweeps: Vec<Sweep>,
    sums: Sums,
    seconds: f64,
}

impl Run {
    /// Nothing so far.
    pub fn new(router: impl Into<String>, glimpse: Glimpse, threshold: f64) -> Self {
        let (sweeps, sums) = (Vec::new(), Sums::default());
        Self { router: router.into(), glimpse, threshold, sweeps, sums, seconds: 0.0 }
    }

    /// Adds the next question's episodes.
    pub fn add(&mut self, question: &Question, swept: Swept) {
        self.sums.add(question, &swept.operating);
        self.seconds += swept.seconds;
        self.sweeps.push(swept.sweep);
    }

    /// Adds an episode that stands for every threshold.
    pub fn add_one(&mut self, question: &Question, episode: Episode, seconds: f64) {
        let correct = episode.verdict() == Some(Verdict::Correct);
        let piece = Piece { low: 0.0, high: 1.0, correct, cost: episode.ledger.cost() };
        self.add(question, Swept { sweep: Sweep(vec![piece]), operating: episode, seconds });
    }

    /// Its sweeps, a question each.
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    /// What a router that always chooses the same model gave.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let pieces = self.sweeps.iter().filter_map(|sweep| sweep.at(self.threshold));
        pieces.map(|p| Outcome { correct: p.correct, cost: p.cost }).collect()
    }
}

/// What one router achieved. Intervals are of 95 %, by bootstrap over the questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    pub router: String,
    /// Questions asked.
    pub n: usize,
    pub glimpse: Glimpse,
    /// The threshold of everything up to `wall_s`.
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
    pub ibc: Option<f64>,
    pub ibc_ci: Option<[f64; 2]>,
    pub tokens: Tokens,
    /// Mean number of changes of the writer in an episode.
    pub switches: f64,
    /// Share of right steps among those whose right continuation is known, up to the first slip.
    pub step_accuracy: Option<f64>,
    /// Seconds of all episodes, added up.
    pub wall_s: f64,
    /// Of the whole curve: mean PGR between the cost shares of always-small and always-large.
    pub apgr: Option<f64>,
    pub apgr_ci: Option<[f64; 2]>,
    /// APGR of the first router of the list less this one's, paired by question.
    pub behind: Option<f64>,
    pub behind_ci: Option<[f64; 2]>,
    /// Lowest cost share at which PGR reaches 0.5, 0.8 and 0.95.
    pub cpt: [Option<f64>; 3],
    pub cpt_ci: [Option<[f64; 2]>; 3],
    #[serde(skip)]
    pub curve: Vec<Point>,
}

/// Scores of all runs, which must be of the same questions; `resamples` for the intervals, drawn
/// with `seed`. Without `curves`, figures of the whole curve are left out.
///
/// # Errors
/// When the runs are not of the same questions.
pub fn scores(
    runs: &[Run],
    ends: &Ends,
    curves: bool,
    resamples: usize,
    seed: u64,
) -> Result<Vec<Score>, CurveError> {
    let grids: Vec<Vec<f64>> = runs.iter().map(|run| grid(&run.sweeps, GRID)).collect();
    let candidates: Vec<Candidate<'_>> = runs
        .iter()
        .zip(&grids)
        .map(|(run, thresholds)| Candidate {
            name: &run.router,
            sweeps: &run.sweeps,
            thresholds,
            operating: run.threshold,
        })
        .collect();
    let bootstrap = Bootstrap::new(ends.large.len(), resamples, seed);
    let comparison = compare(&candidates, ends, &bootstrap)?;
    Ok(runs.iter().enumerate().map(|(i, run)| score(run, &comparison, i, curves)).collect())
}

fn score(run: &Run, comparison: &Comparison, index: usize, curves: bool) -> Score {
    let standing = &comparison.routers[index];
    let value = |figure: Option<Figure>| figure.map(|f| f.value);
    let ci = |figure: Option<Figure>| figure.and_then(|f| f.ci);
    let whole = |figure: Option<Figure>| figure.filter(|_| curves);
    // The pairs of the first router come first, in the order of the others.
    let behind = index.checked_sub(1).and_then(|other| comparison.differences.get(other)?.apgr);
    let apgr = whole(standing.apgr);
    let behind = whole(behind);
    let cpt = [standing.cpt50, standing.cpt80, standing.cpt95].map(whole);
    let n = run.sweeps.len();
    Score {
        router: run.router.clone(),
        n,
        glimpse: run.glimpse,
        threshold: run.threshold,
        accuracy: value(standing.accuracy),
        accuracy_ci: ci(standing.accuracy),
        cost: value(standing.cost),
        cost_ci: ci(standing.cost),
        cost_share: value(standing.cost_share),
        cost_share_ci: ci(standing.cost_share),
        pgr: value(standing.pgr),
        pgr_ci: ci(standing.pgr),
        ibc: value(standing.ibc_lift),
        ibc_ci: ci(standing.ibc_lift),
        tokens: run.sums.tokens(n),
        switches: run.sums.switches as f64 / n.max(1) as f64,
        step_accuracy: run.sums.step_accuracy(),
        wall_s: run.seconds,
        apgr: value(apgr),
        apgr_ci: ci(apgr),
        behind: value(behind),
        behind_ci: ci(behind),
        cpt: cpt.map(value),
        cpt_ci: cpt.map(ci),
        curve: if curves { standing.curve.clone() } else { Vec::new() },
    }
}

/// Mean tokens of an episode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tokens {
    /// Written and kept.
    pub small: f64,
    pub large: f64,
    /// Written by either and discarded.
    pub discarded: f64,
    /// Read by the large model for its opinion.
    pub judged: f64,
    /// Prefilled by either.
    pub prefilled: f64,
    /// Taken from the KV cache instead.
    pub reused: f64,
}

#[derive(Debug, Clone, Default)]
struct Sums {
    tokens: Tokens,
    switches: usize,
    steps_right: usize,
    steps_known: usize,
}

impl Sums {
    fn add(&mut self, question: &Question, episode: &Episode) {
        self.switches += episode.switches();
        let accounts = &episode.ledger.accounts;
        self.tokens.small += accounts.small.kept as f64;
        self.tokens.large += accounts.large.kept as f64;
        for role in Role::BOTH {
            self.tokens.discarded += accounts[role].discarded as f64;
            self.tokens.judged += accounts[role].judged as f64;
            self.tokens.prefilled += accounts[role].prefilled as f64;
            self.tokens.reused += accounts[role].reused as f64;
        }
        let Some(solution) = &question.solution else { return };
        for (i, step) in episode.steps.iter().enumerate() {
            let right = solution.step_is_right(i, &step.writing.text);
            self.steps_known += 1;
            self.steps_right += usize::from(right);
            // What is right after a slip depends on the slip.
            if !right && solution.step_matters(i) {
                break;
            }
        }
    }

    fn tokens(&self, n: usize) -> Tokens {
        let mean = |sum: f64| sum / n.max(1) as f64;
        let Tokens { small, large, discarded, judged, prefilled, reused } = self.tokens;
        Tokens {
            small: mean(small),
            large: mean(large),
            discarded: mean(discarded),
            judged: mean(judged),
            prefilled: mean(prefilled),
            reused: mean(reused),
        }
    }

    fn step_accuracy(&self) -> Option<f64> {
        (self.steps_known > 0).then(|| self.steps_right as f64 / self.steps_known as f64)
    }
}
