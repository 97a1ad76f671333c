//! Off-policy estimates: the outcome of any threshold, estimated from episodes whose choices were
//! drawn at random.
//!
//! An episode is consistent with threshold t iff t would have made each of its choices (large where
//! p ≥ t). That is iff lo < t ≤ hi, where lo is the highest p of a step written by the small model and
//! hi the lowest p of a step written by the large one. A consistent episode is weighted by the inverse
//! of its probability when it was logged (importance sampling; Precup, Sutton and Singh 2000).

use serde::{Deserialize, Serialize};

use crate::episode::{Decider, Role, Verdict};

/// An estimate from a smaller effective sample is reported as not supported.
pub const MIN_EFFECTIVE_SAMPLE: f64 = 30.0;

/// The 0.975 quantile of the standard normal distribution, for 95 % intervals.
const Z_95: f64 = 1.959_964;

/// The outcome of an episode, with the choices that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedEpisode {
    /// Identifies the question. Intervals are clustered by it: episodes of one question are not
    /// independent.
    pub question: u64,
    /// The choices, in their order.
    pub boundaries: Vec<LoggedChoice>,
    /// Whether the answer is correct.
    pub correct: bool,
    /// In the unit of the prices, ≥ 0.
    pub cost: f64,
}

/// The choice at one boundary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoggedChoice {
    /// Score of the policy that is to be estimated, in [0, 1].
    pub p_large: f64,
    /// Whether the large model was chosen.
    pub large: bool,
    /// Probability of that choice when it was logged, given the choices before it; in (0, 1].
    pub propensity: f64,
}

impl LoggedEpisode {
    /// An episode with the scores of its own router, for estimates of that router. `None` if the
    /// choices were not drawn at random, the user made or changed one, the answer was not graded, the
    /// router scored no boundary, or a number is outside its range.
    pub fn from_episode(episode: &crate::episode::Episode) -> Option<Self> {
        episode.check_ranges().ok()?;
        let routing = &episode.started.preset.routing;
        let correct = match episode.verdict()? {
            Verdict::Correct => true,
            Verdict::Wrong => false,
            Verdict::Undecided => return None,
        };
        let mut boundaries = Vec::new();
        for decision in episode.steps.iter().filter_map(|step| step.decision.as_ref()) {
            let propensity = decision.propensity?;
            if decision.by == Decider::User || decision.threshold != routing.threshold {
                return None;
            }
            let large = decision.choice == Role::Large;
            let choice =
                decision.p_large.map(|p_large| LoggedChoice { p_large, large, propensity });
            boundaries.extend(choice);
        }
        let drawn = routing.exploration.is_some() && !boundaries.is_empty();
        let question = Self::question_hash(&episode.started.question);
        drawn.then(|| Self { question, boundaries, correct, cost: episode.ledger.cost() })
    }

    /// The value of [`LoggedEpisode::question`] for a question's text.
    pub fn question_hash(text: &str) -> u64 {
        blake3::hash(text.as_bytes()).as_bytes()[..8].try_into().map_or(0, u64::from_le_bytes)
    }
}

/// The estimated outcome of a threshold. The four optional fields are `None` if no episode is
/// consistent with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OffPolicyEstimate {
    /// The threshold, in [0, 1].
    pub threshold: f64,
    /// Σ W R / Σ W, in [0, 1], where W is an episode's weight and R is 1 if it is correct.
    pub accuracy: Option<f64>,
    /// 95 % interval of the accuracy.
    pub accuracy_ci: Option<[f64; 2]>,
    /// Mean cost of an episode by the same weights, in the unit of the prices.
    pub cost: Option<f64>,
    /// 95 % interval of the cost. Also `None` if all consistent episodes are of one question.
    pub cost_ci: Option<[f64; 2]>,
    /// Effective sample size (Σ W)² / Σ W² (Kish 1965), in episodes.
    pub effective: f64,
    /// Whether `effective` is at least [`MIN_EFFECTIVE_SAMPLE`].
    pub supported: bool,
}

/// Logged episodes with their weights: what estimates are computed from.
///
/// ```
/// use pointsman::evaluation::{LoggedChoice, LoggedEpisode, OffPolicyLog};
///
/// // One boundary with score 0.4, chosen by a fair coin. The large model was right, the small one
/// // wrong.
/// let episode = |question, large| LoggedEpisode {
///     question,
///     boundaries: vec![LoggedChoice { p_large: 0.4, large, propensity: 0.5 }],
///     correct: large,
///     cost: if large { 10.0 } else { 1.0 },
/// };
/// let logged: Vec<_> = (0..100).map(|i| episode(i, i % 2 == 0)).collect();
/// let log = OffPolicyLog::new(&logged);
/// let (low, high) = (log.estimate(0.3), log.estimate(0.5));
/// assert_eq!((low.accuracy, low.cost), (Some(1.0), Some(10.0)));
/// assert_eq!((high.accuracy, high.cost), (Some(0.0), Some(1.0)));
/// assert!(low.supported && low.effective == 50.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OffPolicyLog {
    /// Sorted by question.
    episodes: Vec<WeightedEpisode>,
    left_out: usize,
}

/// An episode that is consistent with every threshold t with `low` < t ≤ `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WeightedEpisode {
    pub(super) question: u64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// 1 / Π propensity.
    pub(super) weight: f64,
    /// 0 or 1.
    pub(super) correct: f64,
    pub(super) cost: f64,
}

impl OffPolicyEstimate {
    /// The point on the accuracy-cost curve: the cost divided by `unit` (usually always-large's mean
    /// cost), and the accuracy. `None` if no episode is consistent with the threshold.
    pub fn curve_point(&self, unit: f64) -> Option<(f64, f64)> {
        Some((self.cost? / unit, self.accuracy?))
    }
}

impl OffPolicyLog {
    /// Weights the episodes. An episode is left out if a propensity lies outside (0, 1], a score is
    /// NaN, or its weight or cost is not finite.
    pub fn new(logged: &[LoggedEpisode]) -> Self {
        let mut episodes: Vec<WeightedEpisode> =
            logged.iter().filter_map(WeightedEpisode::new).collect();
        episodes.sort_by_key(|episode| episode.question);
        Self { left_out: logged.len() - episodes.len(), episodes }
    }

    /// Number of episodes that were left out.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Self-normalized estimates at each of `thresholds`.
    pub fn curve(&self, thresholds: &[f64]) -> Vec<OffPolicyEstimate> {
        thresholds.iter().map(|&t| self.estimate(t)).collect()
    }

    /// Self-normalized estimates at `threshold`.
    ///
    /// Intervals use the linearized standard error `√Σ_q (Σ_{i∈q} W (R − Â))² / Σ W` over questions q.
    /// For a ratio of means it agrees with the bootstrap, and it is fast enough to follow a slider.
    /// The interval of the accuracy is Wilson's, for the sample size that this error corresponds to
    /// (at most the effective one): the plain interval has no width if all episodes agree.
    pub fn estimate(&self, threshold: f64) -> OffPolicyEstimate {
        let mut questions = Vec::new();
        let mut all = QuestionSums::default();
        let mut squared_weights = 0.0;
        for episodes in self.episodes.chunk_by(|a, b| a.question == b.question) {
            let mut sums = QuestionSums::default();
            for episode in episodes {
                let weight = episode.weight_at(threshold);
                sums.weight += weight;
                sums.correct += weight * episode.correct;
                sums.cost += weight * episode.cost;
                squared_weights += weight * weight;
            }
            if sums.weight > 0.0 {
                all.weight += sums.weight;
                all.correct += sums.correct;
                all.cost += sums.cost;
                questions.push(sums);
            }
        }
        let (accuracy, cost) = (all.correct / all.weight, all.cost / all.weight);
        let over_questions =
            |f: &dyn Fn(&QuestionSums) -> f64| questions.iter().map(|q| f(q).powi(2)).sum::<f64>();
        let moments = Moments {
            weight: all.weight,
            correct: all.correct,
            cost: all.cost,
            squared_weights,
            question_squares: over_questions(&|q| q.weight),
            accuracy_spread: over_questions(&|q| q.correct - accuracy * q.weight),
            cost_spread: over_questions(&|q| q.cost - cost * q.weight),
            questions: questions.len(),
        };
        moments.estimate(threshold)
    }

    /// Sorted by question.
    pub(super) fn episodes(&self) -> &[WeightedEpisode] {
        &self.episodes
    }
}

/// Sums over the episodes that are consistent with a threshold, from which its estimate is computed.
pub(super) struct Moments {
    /// Σ W.
    pub(super) weight: f64,
    /// Σ W R.
    pub(super) correct: f64,
    /// Σ W C.
    pub(super) cost: f64,
    /// Σ W².
    pub(super) squared_weights: f64,
    /// `Σ_q (Σ_{i∈q} W)²`.
    pub(super) question_squares: f64,
    /// `Σ_q (Σ_{i∈q} W (R − Â))²`.
    pub(super) accuracy_spread: f64,
    /// `Σ_q (Σ_{i∈q} W (C − Ĉ))²`.
    pub(super) cost_spread: f64,
    /// Number of questions with a consistent episode.
    pub(super) questions: usize,
}

impl Moments {
    pub(super) fn estimate(self, threshold: f64) -> OffPolicyEstimate {
        let mut estimate = OffPolicyEstimate {
            threshold,
            accuracy: None,
            accuracy_ci: None,
            cost: None,
            cost_ci: None,
            effective: 0.0,
            supported: false,
        };
        if self.weight <= 0.0 {
            return estimate;
        }
        let (accuracy, cost) = (self.correct / self.weight, self.cost / self.weight);
        let whole = self.weight * self.weight;
        let effective = whole / self.squared_weights;
        // A smaller spread is rounding.
        let n = if self.accuracy_spread > 1e-12 * self.question_squares {
            (accuracy * (1.0 - accuracy) * whole / self.accuracy_spread).min(effective)
        } else {
            // All agree, or all are of one question. The correlation within a question cannot be
            // estimated then, so each question counts once.
            whole / self.question_squares
        };
        let half = Z_95 * (self.cost_spread / whole).sqrt();
        estimate.accuracy = Some(accuracy);
        estimate.accuracy_ci = Some(wilson(accuracy, n));
        estimate.cost = Some(cost);
        estimate.cost_ci = (self.questions > 1).then(|| [(cost - half).max(0.0), cost + half]);
        estimate.effective = effective;
        estimate.supported = effective >= MIN_EFFECTIVE_SAMPLE;
        estimate
    }
}

impl WeightedEpisode {
    fn new(logged: &LoggedEpisode) -> Option<Self> {
        let (mut low, mut high, mut weight) = (f64::NEG_INFINITY, f64::INFINITY, 1.0);
        for choice in &logged.boundaries {
            if choice.p_large.is_nan() || !(choice.propensity > 0.0 && choice.propensity <= 1.0) {
                return None;
            }
            weight /= choice.propensity;
            if choice.large {
                high = choice.p_large.min(high);
            } else {
                low = choice.p_large.max(low);
            }
        }
        // The product of the propensities may underflow, which makes the weight infinite.
        (weight.is_finite() && logged.cost.is_finite()).then(|| Self {
            question: logged.question,
            low,
            high,
            weight,
            correct: f64::from(u8::from(logged.correct)),
            cost: logged.cost,
        })
    }

    fn weight_at(&self, threshold: f64) -> f64 {
        if self.low < threshold && threshold <= self.high { self.weight } else { 0.0 }
    }
}

#[derive(Default)]
struct QuestionSums {
    weight: f64,
    correct: f64,
    cost: f64,
}

/// Wilson's 95 % interval (1927) of a share `p` of `n` > 0 trials; `n` need not be an integer.
fn wilson(p: f64, n: f64) -> [f64; 2] {
    let middle = p + Z_95 * Z_95 / (2.0 * n);
    let half = Z_95 * (p * (1.0 - p) / n + Z_95 * Z_95 / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z_95 * Z_95 / n;
    [((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0)]
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn choice(p_large: f64, large: bool, propensity: f64) -> LoggedChoice {
        LoggedChoice { p_large, large, propensity }
    }

    fn logged(
        question: u64,
        boundaries: Vec<LoggedChoice>,
        correct: bool,
        cost: f64,
    ) -> LoggedEpisode {
        LoggedEpisode { question, boundaries, correct, cost }
    }

    /// Outcome of threshold `t` on a question's steps: a score each, and whether the small model makes a
    /// step error there.
    fn play(steps: &[(f64, bool)], t: f64) -> (bool, f64) {
        let small = steps.iter().filter(|s| s.0 < t).count() as f64;
        let wrong = steps.iter().any(|&(p, step_error)| p < t && step_error);
        (!wrong, 2.0 * small + 10.0 * (steps.len() as f64 - small))
    }

    /// Questions of eight steps. The higher the score, the likelier a step error.
    fn questions(n: usize, random: &mut ChaCha8Rng) -> Vec<Vec<(f64, bool)>> {
        let mut step = || {
            let p: f64 = random.random();
            (p, random.random_bool(0.3 * p))
        };
        (0..n).map(|_| (0..8).map(|_| step()).collect()).collect()
    }

    /// Episodes under one threshold each, T ~ U(0, 1). The propensity of a choice is its probability
    /// given the interval of T that the choices before it leave.
    fn log(
        questions: &[Vec<(f64, bool)>],
        each: usize,
        random: &mut ChaCha8Rng,
    ) -> Vec<LoggedEpisode> {
        let mut episodes = Vec::new();
        for (i, steps) in questions.iter().enumerate() {
            for _ in 0..each {
                let t: f64 = random.random();
                let (mut low, mut high) = (0.0, 1.0);
                let boundaries = steps.iter().map(|&(p, _)| {
                    let inside = p.clamp(low, high);
                    let span = high - low;
                    if p >= t {
                        high = inside;
                        choice(p, true, (inside - low) / span)
                    } else {
                        low = inside;
                        choice(p, false, (high - inside) / span)
                    }
                });
                let boundaries = boundaries.collect();
                let (correct, cost) = play(steps, t);
                episodes.push(logged(i as u64, boundaries, correct, cost));
            }
        }
        episodes
    }

    #[test]
    fn an_interval_includes_its_high_but_not_its_low() {
        let boundaries = vec![choice(0.3, false, 0.5), choice(0.7, true, 0.5)];
        let log = OffPolicyLog::new(&[logged(1, boundaries, true, 5.0)]);
        let has = |t: f64| log.estimate(t).accuracy.is_some();
        assert_eq!(
            [0.0, 0.3, 0.31, 0.7, 0.71, 1.0].map(has),
            [false, false, true, true, false, false]
        );
        // All large is consistent with 0, all small with a threshold above every p.
        let large = OffPolicyLog::new(&[logged(1, vec![choice(0.0, true, 1.0)], true, 5.0)]);
        assert_eq!(large.estimate(0.0).accuracy, Some(1.0));
        let small = OffPolicyLog::new(&[logged(1, vec![choice(0.9, false, 1.0)], true, 5.0)]);
        assert_eq!(small.estimate(1.0).accuracy, Some(1.0));
        assert_eq!(small.estimate(0.9).accuracy, None);
    }

    #[test]
    fn weights_are_inverse_propensities() {
        let log = OffPolicyLog::new(&[
            logged(1, vec![choice(0.2, false, 0.5), choice(0.9, true, 0.5)], true, 8.0),
            logged(2, vec![choice(0.4, false, 0.5)], false, 2.0),
            logged(3, vec![choice(0.6, false, 0.1)], false, 2.0),
        ]);
        let estimate = log.estimate(0.5);
        assert_eq!(estimate.accuracy, Some(4.0 / 6.0));
        assert_eq!(estimate.cost, Some(36.0 / 6.0));
        assert_eq!(estimate.effective, 36.0 / 20.0);
        assert!(!estimate.supported);
    }

    #[test]
    fn estimates_agree_with_the_truth() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let asked = questions(1000, &mut random);
        let episodes = log(&asked, 3, &mut random);
        let log = OffPolicyLog::new(&episodes);
        assert_eq!(log.left_out(), 0);
        let thresholds: Vec<f64> = (1..20).map(|i| f64::from(i) / 20.0).collect();
        for estimate in log.curve(&thresholds) {
            let truth: Vec<_> = asked.iter().map(|steps| play(steps, estimate.threshold)).collect();
            let accuracy = truth.iter().filter(|t| t.0).count() as f64 / truth.len() as f64;
            let cost = truth.iter().map(|t| t.1).sum::<f64>() / truth.len() as f64;
            assert!(estimate.supported);
            assert!(
                (estimate.accuracy.unwrap() - accuracy).abs() < 0.06,
                "{estimate:?} {accuracy}"
            );
            assert!((estimate.cost.unwrap() - cost).abs() < 2.0, "{estimate:?} {cost}");
        }
    }

    #[test]
    fn intervals_cover() {
        let mut random = ChaCha8Rng::seed_from_u64(12);
        let truth = questions(100_000, &mut random);
        let [mut accurate, mut costly] = [0, 0];
        let results: Vec<_> = truth.iter().map(|steps| play(steps, 0.5)).collect();
        let accuracy = results.iter().filter(|r| r.0).count() as f64 / results.len() as f64;
        let cost = results.iter().map(|r| r.1).sum::<f64>() / results.len() as f64;
        for _ in 0..400 {
            let asked = questions(200, &mut random);
            let estimate = OffPolicyLog::new(&log(&asked, 4, &mut random)).estimate(0.5);
            let covers = |ci: Option<[f64; 2]>, x: f64| ci.is_some_and(|[a, b]| a <= x && x <= b);
            accurate += usize::from(covers(estimate.accuracy_ci, accuracy));
            costly += usize::from(covers(estimate.cost_ci, cost));
        }
        // 380 of 400 expected, less three standard errors.
        assert!(accurate >= 366 && costly >= 366, "{accurate} {costly}");
    }

    #[test]
    fn repeating_a_question_adds_no_evidence() {
        let mut random = ChaCha8Rng::seed_from_u64(13);
        let asked = questions(100, &mut random);
        let once = log(&asked, 1, &mut random);
        let twice: Vec<LoggedEpisode> = once.iter().chain(&once).cloned().collect();
        let (once, twice) =
            (OffPolicyLog::new(&once).estimate(0.4), OffPolicyLog::new(&twice).estimate(0.4));
        let near = |a: Option<[f64; 2]>, b: Option<[f64; 2]>| {
            a.unwrap().iter().zip(b.unwrap()).all(|(a, b)| (a - b).abs() < 1e-9)
        };
        assert!(near(once.cost_ci, twice.cost_ci));
        assert!((twice.effective - 2.0 * once.effective).abs() < 1e-9);
        let width = |e: OffPolicyEstimate| e.accuracy_ci.map(|[a, b]| b - a).unwrap();
        assert!(width(twice) > 0.95 * width(once));
    }

    #[test]
    fn agreement_is_not_certainty() {
        let episode = |question| logged(question, vec![choice(0.2, false, 0.5)], true, 3.0);
        let many: Vec<LoggedEpisode> = (0..40).map(episode).collect();
        let estimate = OffPolicyLog::new(&many).estimate(0.5);
        assert!(estimate.supported);
        // n / (n + z²) of 40 = 0.9124.
        let [low, high] = estimate.accuracy_ci.unwrap();
        assert!((low - 0.9124).abs() < 1e-4 && high == 1.0);
        let same: Vec<LoggedEpisode> = (0..40).map(|_| episode(1)).collect();
        let estimate = OffPolicyLog::new(&same).estimate(0.5);
        assert!(estimate.accuracy_ci.unwrap()[0] < 0.21);
        assert_eq!(estimate.cost_ci, None);
    }

    #[test]
    fn episodes_without_a_weight_are_left_out() {
        let with = |p: f64, propensity: f64, cost: f64| {
            logged(1, vec![choice(0.1, false, 1.0), choice(p, true, propensity)], true, cost)
        };
        let log = OffPolicyLog::new(&[
            with(0.6, 0.5, 2.0),
            with(0.6, 0.0, 2.0),
            with(0.6, f64::NAN, 2.0),
            with(0.6, 1.5, 2.0),
            with(f64::NAN, 0.5, 2.0),
            with(0.6, 0.5, f64::INFINITY),
            logged(1, vec![choice(0.6, true, 1e-200); 2], true, 2.0),
        ]);
        assert_eq!(log.left_out(), 6);
        assert_eq!(log.estimate(0.5).effective, 1.0);
    }

    #[test]
    fn an_empty_log_gives_no_estimate() {
        let estimate = OffPolicyLog::new(&[]).estimate(0.5);
        assert_eq!((estimate.accuracy, estimate.accuracy_ci), (None, None));
        assert_eq!((estimate.cost, estimate.cost_ci), (None, None));
        assert!(estimate.effective == 0.0 && !estimate.supported);
    }
}
