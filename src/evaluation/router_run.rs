//! The episodes of one router over a set of questions, summed up.

use serde::Serialize;

use super::sweep::QuestionResult;
use super::{BaselineOutcome, Sweep, SweepSegment};
use crate::config::DraftLength;
use crate::episode::{Episode, Role, Verdict};
use crate::tasks::Question;

/// The episodes of one router, question by question.
#[derive(Debug, Clone)]
pub struct RouterRun {
    /// The router's name.
    pub router: String,
    /// Length of the draft that it decided on.
    pub draft_length: DraftLength,
    /// The operating threshold: the one that the preset sets.
    pub threshold: f64,
    sweeps: Vec<Sweep>,
    totals: RunTotals,
    seconds: f64,
}

impl RouterRun {
    /// A run without episodes.
    pub(super) fn new(
        router: impl Into<String>,
        draft_length: DraftLength,
        threshold: f64,
    ) -> Self {
        Self {
            router: router.into(),
            draft_length,
            threshold,
            sweeps: Vec::new(),
            totals: RunTotals::default(),
            seconds: 0.0,
        }
    }

    /// Adds the next question's episodes.
    pub(super) fn add(&mut self, question: &Question, result: QuestionResult) {
        self.totals.add(question, &result.operating);
        self.seconds += result.seconds;
        self.sweeps.push(result.sweep);
    }

    /// Adds an episode whose outcome does not depend on the threshold. `seconds` is its run time.
    pub(super) fn add_fixed(&mut self, question: &Question, episode: Episode, seconds: f64) {
        let correct = episode.verdict() == Some(Verdict::Correct);
        let segment = SweepSegment { low: 0.0, high: 1.0, correct, cost: episode.ledger.cost() };
        let sweep = Sweep(vec![segment]);
        self.add(question, QuestionResult { sweep, operating: episode, seconds });
    }

    /// One sweep per question.
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    /// The outcome of each question at the operating threshold.
    pub fn outcomes(&self) -> Vec<BaselineOutcome> {
        let segments = self.sweeps.iter().filter_map(|sweep| sweep.at(self.threshold));
        segments.map(|p| BaselineOutcome { correct: p.correct, cost: p.cost }).collect()
    }

    /// Run time of all episodes, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Mean tokens of an episode.
    pub(super) fn mean_tokens(&self) -> MeanTokens {
        self.totals.tokens.divided_by(self.sweeps.len())
    }

    /// Mean number of changes of the writer in an episode.
    pub(super) fn mean_switches(&self) -> f64 {
        self.totals.switches as f64 / self.sweeps.len().max(1) as f64
    }

    /// Share of correct steps up to the first step error of each episode. `None` if no solution is
    /// known.
    pub(super) fn step_accuracy(&self) -> Option<f64> {
        let RunTotals { steps_correct, steps_checked, .. } = self.totals;
        (steps_checked > 0).then(|| steps_correct as f64 / steps_checked as f64)
    }

    #[cfg(test)]
    pub(super) fn from_sweeps(router: &str, threshold: f64, sweeps: &[Sweep]) -> Self {
        let mut run = Self::new(router, DraftLength::Step, threshold);
        run.sweeps = sweeps.to_vec();
        run
    }
}

/// Mean tokens of an episode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct MeanTokens {
    /// Written by the small model and kept.
    pub small: f64,
    /// Written by the large model and kept.
    pub large: f64,
    /// Written by either model and discarded.
    pub discarded: f64,
    /// Draft tokens that the large model scored.
    pub scored: f64,
    /// Prefilled by either model.
    pub prefilled: f64,
    /// Found in the KV cache, hence not prefilled.
    pub reused: f64,
}

impl MeanTokens {
    fn divided_by(self, n: usize) -> Self {
        let n = n.max(1) as f64;
        Self {
            small: self.small / n,
            large: self.large / n,
            discarded: self.discarded / n,
            scored: self.scored / n,
            prefilled: self.prefilled / n,
            reused: self.reused / n,
        }
    }
}

/// Sums over the episodes at the operating threshold.
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
            let correct = solution.step_is_correct(i, &step.generation.text);
            self.steps_checked += 1;
            self.steps_correct += usize::from(correct);
            // The solution says nothing about the steps that follow a step error.
            if !correct && solution.step_matters(i) {
                break;
            }
        }
    }
}
