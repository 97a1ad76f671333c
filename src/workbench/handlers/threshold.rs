//! The threshold: keys that move it, the line to type it, what recordings say about it.

use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;

use super::notices::hint;
use crate::evaluation::QuantileScale;
use crate::session::Command;
use crate::workbench::job::Job;
use crate::workbench::message::Effect;
use crate::workbench::overlay::Overlay;
use crate::workbench::state::State;
use crate::workbench::threshold_estimates::{ThresholdEstimates, ThresholdEstimatesState};
use crate::workbench::threshold_text::{describe_threshold, parse_threshold, requested_threshold};

/// Percentiles of the recorded scores that a coarse key moves; a fine key moves one.
const COARSE_PERCENTILES: usize = 5;

/// Characters that a typed threshold may have.
const MAX_TYPED: usize = 12;

#[derive(Clone, Copy, PartialEq)]
enum MoveSize {
    Coarse,
    Fine,
}

/// Raises the threshold.
pub(in crate::workbench) fn up(state: &mut State) -> Vec<Effect> {
    move_by_key(state, true, MoveSize::Coarse)
}

/// Lowers the threshold.
pub(in crate::workbench) fn down(state: &mut State) -> Vec<Effect> {
    move_by_key(state, false, MoveSize::Coarse)
}

/// Raises the threshold a little.
pub(in crate::workbench) fn up_fine(state: &mut State) -> Vec<Effect> {
    move_by_key(state, true, MoveSize::Fine)
}

/// Lowers the threshold a little.
pub(in crate::workbench) fn down_fine(state: &mut State) -> Vec<Effect> {
    move_by_key(state, false, MoveSize::Fine)
}

/// Moves the threshold on the percentiles of recorded scores, or on hundredths without a scale.
fn move_by_key(state: &mut State, up: bool, size: MoveSize) -> Vec<Effect> {
    let from = requested_threshold(state);
    let to = match state.scale() {
        Some(scale) => move_on_scale(scale, from, up, size),
        None => move_by_hundredths(from, up, size),
    };
    if to == from {
        let most = if up { "highest" } else { "lowest" };
        return hint(state, format!("{to:.2} is the {most} threshold"));
    }
    set_threshold(state, to)
}

/// Moves the threshold by percentiles of the recorded scores.
fn move_on_scale(scale: &QuantileScale, from: f64, up: bool, size: MoveSize) -> f64 {
    let moved = |t: f64| 100.0 * (scale.quantile_of(t) - scale.quantile_of(from)).abs();
    let mut to = scale.step_from(from, up);
    // A scale of few scores has fewer marks than percentiles.
    for _ in 1..COARSE_PERCENTILES {
        if size == MoveSize::Fine || moved(to) >= COARSE_PERCENTILES as f64 - 0.5 {
            break;
        }
        to = scale.step_from(to, up);
    }
    to
}

fn move_by_hundredths(from: f64, up: bool, size: MoveSize) -> f64 {
    let size = if size == MoveSize::Fine { 0.01 } else { 0.05 };
    let by = if up { size } else { -size };
    (((from + by) * 100.0).round() / 100.0).clamp(0.0, 1.0)
}

/// Sets the threshold of the running episode and the next ones.
pub(super) fn set_threshold(state: &mut State, to: f64) -> Vec<Effect> {
    let from = requested_threshold(state);
    if state.open_episode().is_some() {
        // The session does not confirm a threshold that is already active.
        let pending = Some(to).filter(|to| *to != state.threshold_now());
        state.active.set_pending_threshold(pending);
    } else {
        // Without an episode the session keeps it for the next one and does not confirm it.
        state.active.set_threshold(to);
    }
    let mut effects = vec![Effect::SendCommand(Command::SetThreshold(to))];
    effects.extend(request_estimates(state));
    hint(state, describe_threshold(state, from, to));
    effects
}

/// Opens the line to type a threshold.
pub(in crate::workbench) fn open_prompt(state: &mut State) -> Vec<Effect> {
    state.overlay = Overlay::Threshold(String::new());
    request_estimates(state).into_iter().collect()
}

/// Requests the estimates, once.
fn request_estimates(state: &mut State) -> Option<Effect> {
    (state.threshold_estimates == ThresholdEstimatesState::NotRequested).then(|| {
        state.threshold_estimates = ThresholdEstimatesState::Loading;
        Effect::RunJob(Job::EstimateThreshold(Arc::clone(state.active.config())))
    })
}

/// The estimates have been made.
pub(in crate::workbench) fn on_estimates(
    state: &mut State,
    estimates: Result<Arc<ThresholdEstimates>, String>,
) {
    state.threshold_estimates = match estimates {
        Ok(estimates) => ThresholdEstimatesState::Loaded(estimates),
        Err(why) => ThresholdEstimatesState::Unavailable(why),
    };
    let now = requested_threshold(state);
    hint(state, describe_threshold(state, now, now));
}

/// Adds a character to a typed threshold, if it can be part of one.
pub(in crate::workbench) fn push_char(typed: &mut String, c: char) {
    if matches!(c, '0'..='9' | '.' | ',' | '%') && typed.len() < MAX_TYPED {
        typed.push(if c == ',' { '.' } else { c });
    }
}

/// A key while a threshold is typed.
pub(in crate::workbench) fn on_key(state: &mut State, key: KeyCode) -> Vec<Effect> {
    let Overlay::Threshold(typed) = &mut state.overlay else { return Vec::new() };
    match key {
        KeyCode::Esc => state.overlay = Overlay::None,
        // The dialog describes the moved threshold, not the typed one.
        KeyCode::Up | KeyCode::Char('+') => {
            typed.clear();
            return up(state);
        }
        KeyCode::Down | KeyCode::Char('-') => {
            typed.clear();
            return down(state);
        }
        KeyCode::Backspace => drop(typed.pop()),
        KeyCode::Char(c) => push_char(typed, c),
        KeyCode::Enter => {
            let typed = typed.clone();
            let Some(to) = parse_threshold(state, &typed) else {
                let what = "a number from 0 to 1, or the share of steps for the small model, \
                            such as 62 %";
                return hint(state, format!("a threshold is {what}"));
            };
            state.overlay = Overlay::None;
            return set_threshold(state, to);
        }
        _ => {}
    }
    Vec::new()
}
