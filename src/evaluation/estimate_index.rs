//! Off-policy estimates for every threshold, precomputed, so that they follow a threshold that the
//! user moves.
//!
//! An episode is consistent with an interval of thresholds. The estimate changes only at the bounds of
//! these intervals, so one sweep from the lowest threshold to the highest computes all of them.

use super::offpolicy::Moments;
use super::{LoggedEpisode, OffPolicyEstimate, OffPolicyLog, QuantileScale};
use crate::episode::{Decider, Decision, Episode, Role, apply_threshold};

/// Estimates for every threshold, from recorded episodes.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimateIndex {
    /// Scores of all recorded steps, including those of episodes that were left out.
    pub scale: QuantileScale,
    /// Where the estimate changes; strictly increasing.
    bounds: Vec<f64>,
    /// The estimates for t ≤ the first bound, above that up to the second, …, above the last.
    estimates: Vec<OffPolicyEstimate>,
    left_out: usize,
}

impl EstimateIndex {
    /// Indexes n episodes, all scored by one router: by a policy
    /// ([`logged_episodes`](crate::training::logged_episodes)) or by a rule
    /// ([`LoggedEpisode::from_episode`]). Takes O(n log n) time and stores up to 2n + 1 estimates.
    pub fn new(logged: &[LoggedEpisode]) -> Self {
        let log = OffPolicyLog::new(logged);
        let scores = logged.iter().flat_map(|l| l.boundaries.iter().map(|b| b.p_large));
        let (bounds, estimates) = all_estimates(&log);
        Self { scale: QuantileScale::new(scores), bounds, estimates, left_out: log.left_out() }
    }

    /// Number of episodes that were left out; see [`OffPolicyLog::new`].
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Equals [`OffPolicyLog::estimate`] up to rounding, in O(log n) time.
    pub fn estimate(&self, threshold: f64) -> OffPolicyEstimate {
        let at = self.bounds.partition_point(|bound| *bound < threshold);
        OffPolicyEstimate { threshold, ..self.estimates[at] }
    }

    /// The accuracy-cost curve: estimates at the marks of the scale, from always-large to always-small.
    pub fn curve(&self) -> Vec<OffPolicyEstimate> {
        self.scale.marks().iter().map(|t| self.estimate(*t)).collect()
    }
}

/// A recorded step that another threshold gives to the other model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterChange {
    /// The step, counted from 0.
    pub step: usize,
    /// The model that writes it at the new threshold.
    pub to: Role,
}

/// The steps of an episode whose writer changes as the threshold moves `from` one value `to` another.
/// The step in progress is included; steps decided by the user or by a spent budget are not.
///
/// Each step is compared on its own, as it was recorded. In a new run, everything after the first
/// change could differ.
pub fn writer_changes(episode: &Episode, from: f64, to: f64) -> Vec<WriterChange> {
    let steps = episode.steps.iter().map(|step| step.decision.as_ref());
    let decisions = steps.chain([episode.decision.as_ref()]).enumerate();
    let change = |(step, decision): (usize, Option<&Decision>)| {
        let decision = decision?;
        let p = decision.p_large?;
        let by_router = !matches!(decision.by, Decider::User | Decider::Budget);
        (by_router && apply_threshold(p, from) != apply_threshold(p, to))
            .then(|| WriterChange { step, to: apply_threshold(p, to) })
    };
    decisions.filter_map(change).collect()
}

/// The bounds, and the estimates up to each of them and above the last.
fn all_estimates(log: &OffPolicyLog) -> (Vec<f64>, Vec<OffPolicyEstimate>) {
    let episodes = log.episodes();
    let mut bounds: Vec<f64> = episodes.iter().flat_map(|e| [e.low, e.high]).collect();
    bounds.retain(|bound| bound.is_finite());
    bounds.sort_by(f64::total_cmp);
    // Compares as numbers: −0 and 0 are one bound.
    bounds.dedup();

    // Before which estimate each episode becomes consistent (true), or stops being so (false).
    let mut changes: Vec<(usize, usize, bool)> = Vec::new();
    for (i, episode) in episodes.iter().enumerate().filter(|(_, e)| e.low < e.high) {
        let after = |bound: f64| bounds.partition_point(|b| *b <= bound);
        changes.push((after(episode.low), i, true));
        if episode.high.is_finite() {
            changes.push((after(episode.high), i, false));
        }
    }
    changes.sort_unstable();

    // Sum trees rather than running sums: subtracting from a running sum leaves rounding errors, and
    // weights may differ by a factor of a million.
    let mut questions: Vec<SumTree<4>> = Vec::new();
    let mut places = Vec::with_capacity(episodes.len());
    for group in episodes.chunk_by(|a, b| a.question == b.question) {
        places.extend((0..group.len()).map(|place| (questions.len(), place)));
        questions.push(SumTree::new(group.len()));
    }
    let mut all = SumTree::<10>::new(questions.len());
    let mut changes = changes.into_iter().peekable();
    let estimates = (0..=bounds.len()).map(|at| {
        while let Some((_, i, consistent)) = changes.next_if(|change| change.0 == at) {
            let (question, place) = places[i];
            let e = &episodes[i];
            let own = [e.weight, e.weight * e.correct, e.weight * e.cost, e.weight * e.weight];
            questions[question].set(place, if consistent { own } else { [0.0; 4] });
            let [w, r, c, squares] = questions[question].sum();
            let present = f64::from(u8::from(w > 0.0));
            all.set(question, [w, r, c, squares, w * w, r * r, r * w, c * c, c * w, present]);
        }
        moments(all.sum()).estimate(bounds.get(at).copied().unwrap_or(f64::INFINITY))
    });
    let estimates = estimates.collect();
    (bounds, estimates)
}

/// `Σ_q (R_q − Â W_q)²` is expanded, so that it can be summed before Â is known.
fn moments([weight, correct, cost, squares, ww, rr, rw, cc, cw, questions]: [f64; 10]) -> Moments {
    let spread =
        |mean: f64, own: f64, mixed: f64| (own - 2.0 * mean * mixed + mean * mean * ww).max(0.0);
    Moments {
        weight,
        correct,
        cost,
        squared_weights: squares,
        question_squares: ww,
        accuracy_spread: spread(correct / weight, rr, rw),
        cost_spread: spread(cost / weight, cc, cw),
        questions: questions as usize,
    }
}

/// The sum of rows of numbers; changing a row takes O(log n) time.
struct SumTree<const N: usize> {
    /// A binary heap: the children of node i are nodes 2i and 2i + 1, the root is node 1.
    nodes: Vec<[f64; N]>,
}

impl<const N: usize> SumTree<N> {
    /// `rows` rows of zeros.
    fn new(rows: usize) -> Self {
        Self { nodes: vec![[0.0; N]; 2 * rows.next_power_of_two()] }
    }

    fn set(&mut self, row: usize, values: [f64; N]) {
        let mut at = self.nodes.len() / 2 + row;
        self.nodes[at] = values;
        while at > 1 {
            at /= 2;
            let (left, right) = (self.nodes[2 * at], self.nodes[2 * at + 1]);
            self.nodes[at] = std::array::from_fn(|i| left[i] + right[i]);
        }
    }

    fn sum(&self) -> [f64; N] {
        self.nodes[1]
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::evaluation::LoggedChoice;

    /// Difficult input: scores on a coarse grid (so with ties, and empty intervals), propensities down to
    /// 1/1000, few or many questions.
    fn difficult_log(n: usize, questions: u64, random: &mut ChaCha8Rng) -> Vec<LoggedEpisode> {
        let sure = random.random_range(0.0..1.0);
        let grid = f64::from(random.random_range(2..200));
        let one = |_| {
            let steps = random.random_range(1..7);
            let choices = (0..steps).map(|_| LoggedChoice {
                p_large: (random.random::<f64>() * grid).floor() / grid,
                large: random.random(),
                propensity: if random.random_bool(0.1) {
                    1e-3
                } else {
                    random.random_range(0.1..=1.0)
                },
            });
            LoggedEpisode {
                boundaries: choices.collect(),
                question: random.random_range(0..questions),
                correct: random.random_bool(sure),
                cost: random.random_range(1e5..1e8),
            }
        };
        (0..n).map(one).collect()
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-7 * a.abs().max(b.abs()).max(1.0)
    }

    fn assert_same(a: &OffPolicyEstimate, b: &OffPolicyEstimate) {
        let one = |x: Option<f64>, y: Option<f64>| match (x, y) {
            (Some(x), Some(y)) => near(x, y),
            (None, None) => true,
            _ => false,
        };
        let two = |x: Option<[f64; 2]>, y: Option<[f64; 2]>| {
            (0..2).all(|i| one(x.map(|x| x[i]), y.map(|y| y[i])))
        };
        let same = a.threshold == b.threshold
            && one(a.accuracy, b.accuracy)
            && two(a.accuracy_ci, b.accuracy_ci)
            && one(a.cost, b.cost)
            && two(a.cost_ci, b.cost_ci)
            && near(a.effective, b.effective)
            && (a.supported == b.supported
                || near(a.effective, super::super::MIN_EFFECTIVE_SAMPLE));
        assert!(same, "{a:?}\n{b:?}");
    }

    #[test]
    fn lookups_equal_direct_estimates() {
        let mut random = ChaCha8Rng::seed_from_u64(21);
        let mut seen = 0;
        for round in 0..200 {
            let n = [0, 1, 2, 7, 60, 400][round % 6];
            let questions = [1, 3, 1000][round % 3];
            let logged = difficult_log(n, questions, &mut random);
            let (log, index) = (OffPolicyLog::new(&logged), EstimateIndex::new(&logged));
            let mut thresholds = vec![0.0, 1.0, -0.5, 1.5];
            thresholds.extend(index.bounds.iter().step_by(1 + index.bounds.len() / 20));
            thresholds.extend((0..20).map(|_| random.random::<f64>()));
            for t in thresholds {
                let (plain, fast) = (log.estimate(t), index.estimate(t));
                assert_same(&plain, &fast);
                seen += usize::from(plain.accuracy.is_some());
            }
        }
        assert!(seen > 2000, "{seen}");
    }

    #[test]
    fn lookups_handle_agreement_and_single_questions() {
        let choice = LoggedChoice { p_large: 0.2, large: false, propensity: 0.3 };
        let mut random = ChaCha8Rng::seed_from_u64(22);
        for (questions, mixed) in [(40, false), (1, true), (20, true)] {
            let one = |i: u64| LoggedEpisode {
                question: i % questions,
                boundaries: vec![LoggedChoice {
                    propensity: random.random_range(0.1..1.0),
                    ..choice
                }],
                correct: !mixed || i.is_multiple_of(3),
                cost: 3e7,
            };
            let logged: Vec<LoggedEpisode> = (0..40).map(one).collect();
            assert_same(
                &OffPolicyLog::new(&logged).estimate(0.5),
                &EstimateIndex::new(&logged).estimate(0.5),
            );
        }
    }

    #[test]
    fn the_curve_goes_from_all_large_to_all_small() {
        let mut random = ChaCha8Rng::seed_from_u64(23);
        let logged = difficult_log(300, 1000, &mut random);
        let index = EstimateIndex::new(&logged);
        let curve = index.curve();
        assert_eq!((curve[0].threshold, curve.last().unwrap().threshold), (0.0, 1.0));
        let steps: usize = logged.iter().map(|l| l.boundaries.len()).sum();
        assert_eq!(index.scale.len(), steps);
        assert_eq!(index.scale.steps_changed(0.0, 2.0), steps);
        let (share, accuracy) = index.estimate(0.5).curve_point(1e8).unwrap();
        assert!((0.0..=1.0).contains(&share) && (0.0..=1.0).contains(&accuracy));
    }
}
