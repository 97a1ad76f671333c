//! The scale on which the user moves the threshold: quantiles of recorded scores.
//!
//! Scores cluster. An equal step of the threshold may change no choice in one place and half of all
//! choices in another. On this scale each step moves about the same number of recorded steps from the
//! large model to the small one.

/// Steps from one end of the scale to the other.
const STEPS: usize = 100;

/// Recorded scores p(large), and the thresholds at their percentiles.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileScale {
    /// Increasing.
    scores: Vec<f64>,
    /// Strictly increasing, from 0 to 1.
    marks: Vec<f64>,
}

impl QuantileScale {
    /// The scale of these scores. Scores outside [0, 1] and NaN are left out. Before any episode is
    /// recorded, use the quantiles on the policy's card.
    pub fn new(scores: impl IntoIterator<Item = f64>) -> Self {
        let mut scores: Vec<f64> = scores.into_iter().filter(|p| (0.0..=1.0).contains(p)).collect();
        scores.sort_by(f64::total_cmp);
        let mut scale = Self { scores, marks: Vec::new() };
        let mut marks: Vec<f64> =
            (0..=STEPS).map(|i| scale.threshold_at(i as f64 / STEPS as f64)).collect();
        marks.dedup();
        scale.marks = marks;
        scale
    }

    /// Number of scores, that is of recorded steps.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are no scores. Quantile and threshold are then the same number.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Number of recorded steps that the small model writes at threshold `t`: those with p < t.
    pub fn small_at(&self, t: f64) -> usize {
        self.scores.partition_point(|p| *p < t)
    }

    /// Number of recorded steps whose writer differs between two thresholds.
    pub fn steps_changed(&self, from: f64, to: f64) -> usize {
        self.small_at(from).abs_diff(self.small_at(to))
    }

    /// Share of recorded steps that the small model writes at threshold `t`, in [0, 1].
    pub fn quantile_of(&self, t: f64) -> f64 {
        if self.is_empty() {
            t.clamp(0.0, 1.0)
        } else {
            self.small_at(t) as f64 / self.len() as f64
        }
    }

    /// The threshold at which the small model writes the share `q` of the recorded steps, as nearly as
    /// ties allow. It lies midway between two scores, so that no choice depends on rounding; it is 0 at
    /// the lower end of the scale and 1 at the upper.
    pub fn threshold_at(&self, q: f64) -> f64 {
        let q = q.clamp(0.0, 1.0);
        if self.is_empty() || q == 0.0 || q == 1.0 {
            return q;
        }
        let n = self.len();
        let wanted = (q * n as f64).round() as usize;
        // Equal scores stay together: the cut moves to the nearer end of their run.
        let at = |i: usize| self.scores.get(i).copied();
        let (before, after) = match (wanted.checked_sub(1).and_then(at), at(wanted)) {
            (Some(a), Some(b)) if a == b => {
                let run = (self.small_at(a), self.scores.partition_point(|p| *p <= a));
                let cut = if wanted - run.0 <= run.1 - wanted { run.0 } else { run.1 };
                (cut.checked_sub(1).and_then(at), at(cut))
            }
            around => around,
        };
        let (before, after) = (before.unwrap_or(0.0), after.unwrap_or(1.0));
        let middle = f64::midpoint(before, after);
        // No float lies between two neighbouring ones; the upper one makes the same choices.
        if middle > before { middle } else { after }
    }

    /// The next mark above or below `t`, which need not be a mark: one key press. 0 or 1 past the last.
    pub fn step_from(&self, t: f64, up: bool) -> f64 {
        if up {
            let above = self.marks.partition_point(|level| *level <= t);
            self.marks.get(above).copied().unwrap_or(1.0)
        } else {
            let below = self.marks.partition_point(|level| *level < t);
            below.checked_sub(1).map_or(0.0, |i| self.marks[i])
        }
    }

    /// The thresholds that [`QuantileScale::step_from`] stops at, increasing, from 0 to 1.
    pub fn marks(&self) -> &[f64] {
        &self.marks
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Clustered at 0, with ties.
    fn clustered(n: usize) -> QuantileScale {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut score = || {
            let p = random.random::<f64>().powi(6);
            if random.random_bool(0.2) { (p * 10.0).round() / 10.0 } else { p }
        };
        QuantileScale::new((0..n).map(|_| score()))
    }

    #[test]
    fn a_quantile_and_back() {
        let scale = QuantileScale::new([0.1, 0.2, 0.3, 0.4, 0.9]);
        assert_eq!(scale.quantile_of(0.35), 0.6);
        assert_eq!(scale.threshold_at(0.6), f64::midpoint(0.3, 0.4));
        assert_eq!(scale.quantile_of(0.9), 0.8, "large where p = t");
        assert_eq!((scale.threshold_at(0.0), scale.threshold_at(1.0)), (0.0, 1.0));
        let scale = clustered(997);
        for t in [0.0, 1e-9, 0.001, 0.05, 0.1, 0.4, 0.77, 1.0] {
            let back = scale.threshold_at(scale.quantile_of(t));
            assert_eq!(scale.steps_changed(t, back), 0, "{t} came back as {back}");
        }
    }

    #[test]
    fn equal_scores_stay_together() {
        let scale = QuantileScale::new([0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9]);
        assert_eq!(scale.small_at(scale.threshold_at(0.3)), 1);
        assert_eq!(scale.small_at(scale.threshold_at(0.7)), 9);
        let same = QuantileScale::new([0.5; 8]);
        assert_eq!(same.marks(), [0.0, 0.25, 0.75, 1.0]);
    }

    #[test]
    fn steps_up_and_down_stop_at_the_same_thresholds() {
        for scale in
            [clustered(5000), clustered(37), QuantileScale::new([0.5; 8]), QuantileScale::new([])]
        {
            let (mut t, mut up) = (0.0, vec![0.0]);
            while t < 1.0 {
                let next = scale.step_from(t, true);
                assert!(next > t, "it moves");
                t = next;
                up.push(t);
            }
            assert!(up.len() <= STEPS + 1);
            for expected in up.iter().rev().skip(1) {
                t = scale.step_from(t, false);
                assert_eq!(t, *expected);
            }
            assert_eq!((scale.step_from(0.0, false), scale.step_from(1.0, true)), (0.0, 1.0));
        }
        // Except for ties, no step moves much more than a percent.
        let scale = clustered(5000);
        let most = scale.marks().windows(2).map(|w| scale.steps_changed(w[0], w[1])).max().unwrap();
        assert!(most < 50 + 600, "{most}");
        let first = scale.step_from(0.0, true);
        assert!(
            first < 0.001 && scale.steps_changed(0.0, first) > 0,
            "fine steps where scores cluster: {first}"
        );
    }

    #[test]
    fn without_scores_quantile_and_threshold_are_the_same() {
        let scale = QuantileScale::new([f64::NAN, -1.0]);
        assert!(scale.is_empty());
        assert_eq!((scale.quantile_of(0.37), scale.threshold_at(0.37)), (0.37, 0.37));
        assert!((scale.step_from(0.5, true) - 0.51).abs() < 1e-12);
    }
}
