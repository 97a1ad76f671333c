//! The threshold: on which scale it moves, and what the recordings say it would give.

use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;

use super::state::{Notice, Overlay, Run, State};
use super::update::{Effect, hint};
use crate::evaluation::{Scale, WhatIf, flips};
use crate::session::Command;

/// Percentiles that a coarse key moves; a fine one moves one.
const COARSE: usize = 5;

/// What is known from recorded episodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    pub what_if: WhatIf,
    /// Mean cost of an episode of the large model alone, in the unit of the prices.
    pub unit: f64,
    /// Episodes that it is made of.
    pub episodes: usize,
}

/// How far that is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Outlooks {
    /// Nobody has moved the threshold yet.
    #[default]
    Unasked,
    /// The store is being read.
    Asked,
    /// There is none; why, and what to do.
    Nothing(String),
    Known(Arc<Outlook>),
}

impl State {
    /// The scale that the threshold moves on: of the recordings, else of the policy's training; absent for a
    /// router of which nothing is known.
    pub fn scale(&self) -> Option<&Scale> {
        match &self.outlook {
            Outlooks::Known(outlook) if !outlook.what_if.scale.is_empty() => {
                Some(&outlook.what_if.scale)
            }
            _ => self.trained_scale.as_ref(),
        }
    }

    /// The share of recorded steps that the small model writes at `threshold`, in per cent.
    pub fn percentile(&self, threshold: f64) -> Option<f64> {
        self.scale().map(|scale| 100.0 * scale.quantile_of(threshold))
    }
}

/// Moves the threshold by a key: on the percentiles of recorded scores, else on hundredths.
pub(super) fn shift(state: &mut State, up: bool, fine: bool) -> Vec<Effect> {
    let from = wanted(state);
    let to = match state.scale() {
        Some(scale) => {
            let times = if fine { 1 } else { COARSE };
            (0..times).fold(from, |t, _| scale.next(t, up))
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

/// The threshold that was asked for last.
fn wanted(state: &State) -> f64 {
    state.asked_threshold.unwrap_or_else(|| state.threshold_now())
}

fn set(state: &mut State, to: f64) -> Vec<Effect> {
    let from = wanted(state);
    if state.open().is_some() {
        state.asked_threshold = Some(to);
    } else {
        // Nobody answers: the session keeps it for the next episode.
        state.threshold = to;
    }
    let mut effects = vec![Effect::Send(Command::Threshold(to))];
    if state.outlook == Outlooks::Unasked {
        state.outlook = Outlooks::Asked;
        effects.push(Effect::LookAhead);
    }
    state.notice = Some(Notice::Hint(sentence(state, from, to)));
    effects
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

/// What a threshold would give, in one line: estimates with their 95 % intervals, and how many steps of the episode
/// on the screen would change hands against `from`.
pub(super) fn sentence(state: &State, from: f64, to: f64) -> String {
    let percentile = state.percentile(to).map_or(String::new(), |q| format!(" (q {q:.0} %)"));
    let estimate = match &state.outlook {
        Outlooks::Unasked => String::new(),
        Outlooks::Asked => "; reading the recordings".into(),
        Outlooks::Nothing(why) => format!("; {why}"),
        Outlooks::Known(outlook) => estimate(outlook, to),
    };
    let run = state.run.as_ref();
    let flipped = run.map_or(0, |run: &Run| flips(&run.episode, from, to).len());
    let flipped = match flipped {
        0 => String::new(),
        1 => "; 1 step flips".into(),
        n => format!("; {n} steps flip"),
    };
    format!("t {to:.2}{percentile}{estimate}{flipped}")
}

fn estimate(outlook: &Outlook, to: f64) -> String {
    let estimate = outlook.what_if.estimate(to);
    let n = estimate.effective;
    let range = |ci: Option<[f64; 2]>, scale: f64| {
        ci.map_or(String::new(), |[a, b]| format!(" ({:.0}-{:.0})", a * scale, b * scale))
    };
    match (estimate.supported, estimate.point(outlook.unit)) {
        (true, Some((share, accuracy))) => format!(
            ": {:.0} %{} right at {:.0} %{} of all-large, n {n:.0}",
            100.0 * accuracy,
            range(estimate.accuracy_ci, 100.0),
            100.0 * share,
            range(estimate.cost_ci, 100.0 / outlook.unit)
        ),
        _ => format!(": not supported by the recordings, n {n:.0}"),
    }
}

/// A key while a threshold is typed.
pub(super) fn on_key(state: &mut State, key: KeyCode) -> Vec<Effect> {
    let Overlay::Threshold(typed) = &mut state.overlay else { return Vec::new() };
    match key {
        KeyCode::Esc => state.overlay = Overlay::None,
        KeyCode::Backspace => drop(typed.pop()),
        KeyCode::Char(c @ ('0'..='9' | '.' | ',' | '%')) if typed.len() < 12 => {
            typed.push(if c == ',' { '.' } else { c });
        }
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

/// The threshold that was typed: a number in [0, 1], or a percentile where there is a scale.
pub fn read(state: &State, typed: &str) -> Option<f64> {
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
pub fn preview(state: &State, typed: &str) -> Option<String> {
    let to = read(state, typed)?;
    Some(sentence(state, wanted(state), to))
}
