//! What routers achieve: accuracy against cost, over the same questions and seeds.

mod table;

use std::time::Instant;

use serde::Serialize;

use crate::episode::{Episode, Role, Verdict};
use crate::routing::by_name;
use crate::session::{Conductor, Job, Nobody, SessionError};
use crate::tasks::Question;

pub use table::table;

/// What one router achieved over a set of questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    pub router: String,
    /// Questions asked.
    pub n: usize,
    /// Share answered correctly, in [0, 1].
    pub accuracy: f64,
    /// 95 % interval of the accuracy (Wilson).
    pub accuracy_ci: [f64; 2],
    /// Mean cost of an episode, in the unit of the prices.
    pub cost: f64,
    /// That as a share of always-large's; absent where always-large was not run.
    pub cost_share: Option<f64>,
    pub tokens: Tokens,
    /// Mean number of changes of the writer in an episode.
    pub switches: f64,
    /// Share of right steps among those whose right continuation is known, up to the first slip.
    pub step_accuracy: Option<f64>,
    /// Seconds for all questions.
    pub wall_s: f64,
}

/// Mean tokens of an episode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tokens {
    /// Written and kept.
    pub small: f64,
    pub large: f64,
    /// Written by either and discarded.
    pub discarded: f64,
    /// Prefilled by either.
    pub prefilled: f64,
    /// Taken from the KV cache instead.
    pub reused: f64,
}

/// Runs `router` over `questions`; episode i has seed `seed` + i. `progress` is told after each.
///
/// # Errors
/// When an episode cannot be run.
pub fn score(
    conductor: &mut Conductor,
    router: &str,
    questions: &[Question],
    seed: u64,
    mut progress: impl FnMut(&Episode),
) -> Result<Score, SessionError> {
    let began = Instant::now();
    let mut sums = Sums::default();
    let mut rule = by_name(router)?;
    for (i, question) in questions.iter().enumerate() {
        let job = Job {
            question,
            router: rule.as_mut(),
            seed: seed.wrapping_add(i as u64),
            paused: false,
        };
        let episode = conductor.run(job, &mut Nobody, &mut Nobody)?;
        sums.add(question, &episode);
        progress(&episode);
    }
    Ok(sums.score(router, questions.len(), began.elapsed().as_secs_f64()))
}

#[derive(Default)]
struct Sums {
    correct: usize,
    cost: f64,
    tokens: Tokens,
    switches: usize,
    steps_right: usize,
    steps_known: usize,
}

impl Sums {
    fn add(&mut self, question: &Question, episode: &Episode) {
        self.correct += usize::from(episode.verdict() == Some(Verdict::Correct));
        self.cost += episode.ledger.cost();
        self.switches += episode.switches();
        let accounts = &episode.ledger.accounts;
        self.tokens.small += accounts.small.kept as f64;
        self.tokens.large += accounts.large.kept as f64;
        for role in Role::BOTH {
            self.tokens.discarded += accounts[role].discarded as f64;
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

    fn score(&self, router: &str, n: usize, wall_s: f64) -> Score {
        let mean = |sum: f64| sum / n.max(1) as f64;
        Score {
            router: router.to_owned(),
            n,
            accuracy: mean(self.correct as f64),
            accuracy_ci: wilson(self.correct, n),
            cost: mean(self.cost),
            cost_share: None,
            tokens: Tokens {
                small: mean(self.tokens.small),
                large: mean(self.tokens.large),
                discarded: mean(self.tokens.discarded),
                prefilled: mean(self.tokens.prefilled),
                reused: mean(self.tokens.reused),
            },
            switches: mean(self.switches as f64),
            step_accuracy: (self.steps_known > 0)
                .then(|| self.steps_right as f64 / self.steps_known as f64),
            wall_s,
        }
    }
}

/// Fills in each score's share of always-large's cost, where that was run.
pub fn relate(scores: &mut [Score]) {
    let whole = scores.iter().find(|s| s.router == "always-large").map(|s| s.cost);
    for score in scores {
        score.cost_share = whole.filter(|&w| w > 0.0).map(|w| score.cost / w);
    }
}

/// Wilson's 95 % interval of a share (Wilson 1927); all of [0, 1] for an empty sample.
pub fn wilson(hits: usize, n: usize) -> [f64; 2] {
    if n == 0 {
        return [0.0, 1.0];
    }
    let (n, z) = (n as f64, 1.959_964);
    let p = hits as f64 / n;
    let middle = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z * z / n;
    [((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0)]
}

/// Area under the receiver operating characteristic of `scores`, high for those that are `positive`
/// (Mann and Whitney 1947, ties count half); nothing where one class is empty.
pub fn auroc(scores: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|s| s.1).count();
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut rank_sum, mut i) = (0.0, 0);
    while i < sorted.len() {
        let tied = sorted[i..].iter().take_while(|s| s.0 == sorted[i].0).count();
        let rank = i as f64 + (tied as f64 + 1.0) / 2.0;
        let hits = sorted[i..i + tied].iter().filter(|s| s.1).count();
        rank_sum += rank * hits as f64;
        i += tied;
    }
    let (p, n) = (positives as f64, negatives as f64);
    Some((rank_sum - p * (p + 1.0) / 2.0) / (p * n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_holds_known_values() {
        // 8 of 10: 0.4902 to 0.9433 (R, binom::binom.wilson).
        let [low, high] = wilson(8, 10);
        assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4, "{low} {high}");
    }

    #[test]
    fn auroc_counts_ties_half() {
        assert_eq!(auroc(&[(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(auroc(&[(0.5, false), (0.5, true)]), Some(0.5));
        assert_eq!(auroc(&[(0.2, true), (0.2, false), (0.1, false), (0.0, true)]), Some(0.375));
        assert_eq!(auroc(&[(0.2, true)]), None);
    }
}
