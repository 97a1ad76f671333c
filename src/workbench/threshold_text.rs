//! Thresholds in words: where they are on the scale, and what the recordings say of them.

use super::displayed_episode::DisplayedEpisode;
use super::state::State;
use super::threshold_estimates::{ThresholdEstimates, ThresholdEstimatesState};
use crate::evaluation::{QuantileScale, writer_changes};

impl State {
    /// The scale that the threshold moves on: of the recordings, else of the policy's training; absent for a
    /// router of which nothing is known.
    pub fn scale(&self) -> Option<&QuantileScale> {
        match &self.threshold_estimates {
            ThresholdEstimatesState::Loaded(estimates) if !estimates.index.scale.is_empty() => {
                Some(&estimates.index.scale)
            }
            _ => self.training_scale.as_ref(),
        }
    }

    /// The share of recorded steps that the small model writes at `threshold`, in per cent.
    pub fn percentile(&self, threshold: f64) -> Option<f64> {
        self.scale().map(|scale| 100.0 * scale.quantile_of(threshold))
    }
}

/// The threshold that was asked for last.
pub(super) fn requested_threshold(state: &State) -> f64 {
    state.pending_threshold.unwrap_or_else(|| state.threshold_now())
}

/// What a threshold would give, in one line: estimates with their 95 % intervals, and how many steps of the episode
/// on the screen would change hands against `from`.
pub(super) fn describe_threshold(state: &State, from: f64, to: f64) -> String {
    let percentile = state.percentile(to).map_or(String::new(), |q| format!(" (q {q:.0} %)"));
    let estimate = match &state.threshold_estimates {
        ThresholdEstimatesState::NotRequested => String::new(),
        ThresholdEstimatesState::Loading => "; reading the recordings".into(),
        ThresholdEstimatesState::Unavailable(why) => format!("; {why}"),
        ThresholdEstimatesState::Loaded(estimates) => describe_estimate(estimates, to),
    };
    let displayed = state.displayed.as_ref();
    let flipped = displayed.map_or(0, |displayed: &DisplayedEpisode| {
        writer_changes(&displayed.episode, from, to).len()
    });
    let flipped = match flipped {
        0 => String::new(),
        1 => "; 1 step flips".into(),
        n => format!("; {n} steps flip"),
    };
    format!("t {to:.2}{percentile}{estimate}{flipped}")
}

fn describe_estimate(estimates: &ThresholdEstimates, to: f64) -> String {
    let estimate = estimates.index.estimate(to);
    let n = estimate.effective;
    let range = |ci: Option<[f64; 2]>, scale: f64| {
        ci.map_or(String::new(), |[a, b]| format!(" ({:.0}-{:.0})", a * scale, b * scale))
    };
    match (estimate.supported, estimate.curve_point(estimates.unit)) {
        (true, Some((share, accuracy))) => format!(
            ": {:.0} %{} right at {:.0} %{} of all-large, n {n:.0}",
            100.0 * accuracy,
            range(estimate.accuracy_ci, 100.0),
            100.0 * share,
            range(estimate.cost_ci, 100.0 / estimates.unit)
        ),
        _ => format!(": not supported by the recordings, n {n:.0}"),
    }
}

/// The threshold that was typed: a number in [0, 1], or a percentile where there is a scale.
pub(super) fn parse_threshold(state: &State, typed: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    match typed.trim().strip_suffix('%') {
        Some(percent) => {
            let share = number(percent)? / 100.0;
            let scale = state.scale()?;
            (0.0..=1.0).contains(&share).then(|| scale.threshold_at(share))
        }
        None => number(typed).filter(|t| (0.0..=1.0).contains(t)),
    }
}

/// What the recordings say of the threshold that is being typed.
pub(super) fn describe_typed(state: &State, typed: &str) -> Option<String> {
    let to = parse_threshold(state, typed)?;
    Some(describe_threshold(state, requested_threshold(state), to))
}
