//! Keys that move the threshold.

use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;

use super::hint;
use crate::session::Command;
use crate::workbench::job::Job;
use crate::workbench::message::Effect;
use crate::workbench::state::{Notice, Overlay, State};
use crate::workbench::threshold_estimates::{ThresholdEstimates, ThresholdEstimatesState};
use crate::workbench::threshold_text::{describe_threshold, parse_threshold, requested_threshold};

/// Percentiles that a coarse key moves; a fine one moves one.
const COARSE_PERCENTILES: usize = 5;

/// Moves the threshold by a key: on the percentiles of recorded scores, else on hundredths.
pub(super) fn move_by_key(state: &mut State, up: bool, fine: bool) -> Vec<Effect> {
    let from = requested_threshold(state);
    let to = match state.scale() {
        Some(scale) => {
            // A scale of few scores has fewer marks than percentiles.
            let moved = |t: f64| (scale.quantile_of(t) - scale.quantile_of(from)).abs();
            let mut to = scale.step_from(from, up);
            for _ in 1..COARSE_PERCENTILES {
                if fine || 100.0 * moved(to) >= COARSE_PERCENTILES as f64 - 0.5 {
                    break;
                }
                to = scale.step_from(to, up);
            }
            to
        }
        None => {
            let by = if fine { 0.01 } else { 0.05 } * if up { 1.0 } else { -1.0 };
            (((from + by) * 100.0).round() / 100.0).clamp(0.0, 1.0)
        }
    };
    if to == from {
        let most = if up { "highest" } else { "lowest" };
        return hint(state, format!("{to:.2} is the {most} threshold"));
    }
    set_threshold(state, to)
}

pub(super) fn set_threshold(state: &mut State, to: f64) -> Vec<Effect> {
    let from = requested_threshold(state);
    if state.open_episode().is_some() {
        // The one in force is not answered.
        state.pending_threshold = Some(to).filter(|to| *to != state.threshold_now());
    } else {
        // Nobody answers: the session keeps it for the next episode.
        state.threshold = to;
    }
    let mut effects = vec![Effect::SendCommand(Command::SetThreshold(to))];
    effects.extend(request_estimates(state));
    state.notice = Some(Notice::Hint(describe_threshold(state, from, to)));
    effects
}

/// Opens the line to type one.
pub(super) fn open_prompt(state: &mut State) -> Vec<Effect> {
    state.overlay = Overlay::Threshold(String::new());
    request_estimates(state).into_iter().collect()
}

/// Asks what the store says of thresholds, once.
fn request_estimates(state: &mut State) -> Option<Effect> {
    (state.threshold_estimates == ThresholdEstimatesState::NotRequested).then(|| {
        state.threshold_estimates = ThresholdEstimatesState::Loading;
        Effect::RunJob(Job::EstimateThreshold)
    })
}

/// What the store had to say has come.
pub(super) fn on_estimates(state: &mut State, estimates: Result<Arc<ThresholdEstimates>, String>) {
    state.threshold_estimates = match estimates {
        Ok(estimates) => ThresholdEstimatesState::Loaded(estimates),
        Err(why) => ThresholdEstimatesState::Unavailable(why),
    };
    let now = requested_threshold(state);
    state.notice = Some(Notice::Hint(describe_threshold(state, now, now)));
}

/// Takes a character of a threshold; others are dropped.
pub(super) fn push_char(typed: &mut String, c: char) {
    if matches!(c, '0'..='9' | '.' | ',' | '%') && typed.len() < 12 {
        typed.push(if c == ',' { '.' } else { c });
    }
}

/// A key while a threshold is typed.
pub(super) fn on_key(state: &mut State, key: KeyCode) -> Vec<Effect> {
    let Overlay::Threshold(typed) = &mut state.overlay else { return Vec::new() };
    match key {
        KeyCode::Esc => state.overlay = Overlay::None,
        // What was typed is no longer what is looked at.
        KeyCode::Up | KeyCode::Char('+') => {
            typed.clear();
            return move_by_key(state, true, false);
        }
        KeyCode::Down | KeyCode::Char('-') => {
            typed.clear();
            return move_by_key(state, false, false);
        }
        KeyCode::Backspace => drop(typed.pop()),
        KeyCode::Char(c) => push_char(typed, c),
        KeyCode::Enter => {
            let typed = typed.clone();
            match parse_threshold(state, &typed) {
                Some(to) => {
                    state.overlay = Overlay::None;
                    return set_threshold(state, to);
                }
                None => {
                    return hint(
                        state,
                        "a threshold is a number from 0 to 1, or a percentile such as 62 %",
                    );
                }
            }
        }
        _ => {}
    }
    Vec::new()
}
