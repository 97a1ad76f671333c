//! Keys that move the threshold.

use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;

use super::hint;
use crate::session::Command;
use crate::workbench::errand::Errand;
use crate::workbench::estimates::{read, sentence, wanted};
use crate::workbench::message::Effect;
use crate::workbench::outlook::{Outlook, Outlooks};
use crate::workbench::state::{Notice, Overlay, State};

/// Percentiles that a coarse key moves; a fine one moves one.
const COARSE: usize = 5;

/// Moves the threshold by a key: on the percentiles of recorded scores, else on hundredths.
pub(super) fn shift(state: &mut State, up: bool, fine: bool) -> Vec<Effect> {
    let from = wanted(state);
    let to = match state.scale() {
        Some(scale) => {
            // A scale of few scores has fewer marks than percentiles.
            let moved = |t: f64| (scale.quantile_of(t) - scale.quantile_of(from)).abs();
            let mut to = scale.next(from, up);
            for _ in 1..COARSE {
                if fine || 100.0 * moved(to) >= COARSE as f64 - 0.5 {
                    break;
                }
                to = scale.next(to, up);
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
    set(state, to)
}

pub(super) fn set(state: &mut State, to: f64) -> Vec<Effect> {
    let from = wanted(state);
    if state.open().is_some() {
        // The one in force is not answered.
        state.asked_threshold = Some(to).filter(|to| *to != state.threshold_now());
    } else {
        // Nobody answers: the session keeps it for the next episode.
        state.threshold = to;
    }
    let mut effects = vec![Effect::Send(Command::Threshold(to))];
    effects.extend(look_ahead(state));
    state.notice = Some(Notice::Hint(sentence(state, from, to)));
    effects
}

/// Opens the line to type one.
pub(super) fn ask(state: &mut State) -> Vec<Effect> {
    state.overlay = Overlay::Threshold(String::new());
    look_ahead(state).into_iter().collect()
}

/// Asks what the store says of thresholds, once.
fn look_ahead(state: &mut State) -> Option<Effect> {
    (state.outlook == Outlooks::Unasked).then(|| {
        state.outlook = Outlooks::Asked;
        Effect::Do(Errand::LookAhead)
    })
}

/// What the store had to say has come.
pub(super) fn told(state: &mut State, outlook: Result<Arc<Outlook>, String>) {
    state.outlook = match outlook {
        Ok(outlook) => Outlooks::Known(outlook),
        Err(why) => Outlooks::Nothing(why),
    };
    let now = wanted(state);
    state.notice = Some(Notice::Hint(sentence(state, now, now)));
}

/// Takes a character of a threshold; others are dropped.
pub(super) fn type_in(typed: &mut String, c: char) {
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
            return shift(state, true, false);
        }
        KeyCode::Down | KeyCode::Char('-') => {
            typed.clear();
            return shift(state, false, false);
        }
        KeyCode::Backspace => drop(typed.pop()),
        KeyCode::Char(c) => type_in(typed, c),
        KeyCode::Enter => {
            let typed = typed.clone();
            match read(state, &typed) {
                Some(to) => {
                    state.overlay = Overlay::None;
                    return set(state, to);
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
