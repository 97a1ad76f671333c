//! Thresholds in words: their place on the scale, and what the recordings say about them.

use super::state::State;
use super::threshold_estimates::{ThresholdEstimates, ThresholdEstimatesState};
use crate::evaluation::writer_changes;

/// The threshold that was requested last.
pub(super) fn requested_threshold(state: &State) -> f64 {
    state.active.pending_threshold().unwrap_or_else(|| state.threshold_now())
}

/// A threshold in one line: the share of steps that the small model writes, the estimates with
/// their 95 % intervals, and how many steps of the displayed episode would have another writer than
/// at `from`.
pub(super) fn describe_threshold(state: &State, from: f64, to: f64) -> String {
    let share = state
        .percentile(to)
        .map_or(String::new(), |share| format!(" (small writes {share:.0} % of the steps)"));
    let estimate = match &state.threshold_estimates {
        ThresholdEstimatesState::NotRequested => String::new(),
        ThresholdEstimatesState::Loading => "; reading the recordings".into(),
        ThresholdEstimatesState::Unavailable(why) => format!("; {why}"),
        ThresholdEstimatesState::Loaded(estimates) => describe_estimate(estimates, to),
    };
    let changes = state
        .displayed
        .as_ref()
        .map_or(0, |displayed| writer_changes(&displayed.episode, from, to).len());
    let changes = match changes {
        0 => String::new(),
        1 => "; another model for 1 step here".into(),
        n => format!("; another model for {n} steps here"),
    };
    format!("t {to:.2}{share}{estimate}{changes}")
}

fn describe_estimate(estimates: &ThresholdEstimates, to: f64) -> String {
    let estimate = estimates.index.estimate(to);
    let n = estimate.effective;
    let interval = |ci: Option<[f64; 2]>, scale: f64| {
        ci.map_or(String::new(), |[a, b]| format!(" ({:.0}-{:.0})", a * scale, b * scale))
    };
    match (estimate.supported, estimate.curve_point(estimates.unit)) {
        (true, Some((share, accuracy))) => format!(
            ": {:.0} %{} correct at {:.0} %{} of the cost of large alone, from {n:.0} episodes",
            100.0 * accuracy,
            interval(estimate.accuracy_ci, 100.0),
            100.0 * share,
            interval(estimate.cost_ci, 100.0 / estimates.unit)
        ),
        _ => format!(": too few recordings near it to estimate ({n:.0} episodes)"),
    }
}

/// The threshold that was typed: a number in [0, 1], or a share of the steps in per cent if there
/// is a scale.
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

/// The description of the threshold that is being typed; `None` if it is not a threshold yet.
pub(super) fn describe_typed(state: &State, typed: &str) -> Option<String> {
    let to = parse_threshold(state, typed)?;
    Some(describe_threshold(state, requested_threshold(state), to))
}
