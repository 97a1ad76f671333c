//! Retraining and calibration.
//!
//! ```text
//! ┌ retraining and calibration ────────────────────────────────────┐
//! │ training ▇▇▇▇▇▇▇······ 24 of 48 · loss 0.310 · expects 88 % …  │
//! │                                                                │
//! │ tiny-1 beside tiny-0, which is in force, on 61 recorded …      │
//! │ cost        tiny-1 right          tiny-0 right                 │
//! │ 40 %        63 % (50-76)          61 % (48-74)                 │
//! └────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, lines};
use super::text::{transcribe, wrap};
use crate::workbench::actions::Action;
use crate::workbench::key::Key;
use crate::workbench::school::{Beside, Doing, Lesson, Newcomer, Reached};
use crate::workbench::state::State;

/// Cells of the bar.
const BAR: usize = 20;
/// Things that happened, at most.
const TOLD: usize = 6;

pub(super) fn render(frame: &mut Frame<'_>, body: Rect, state: &State, ink: Ink<'_>) {
    let block = ink.pane("retraining and calibration");
    let inner = block.inner(body);
    frame.render_widget(block, body);
    let width = usize::from(inner.width);
    let school = &state.school;
    let text = |text: &str| {
        let rows = wrap(text, width, ink.glyphs);
        rows.into_iter().map(Line::from).collect::<Vec<_>>()
    };
    let muted = |text: &str| {
        let rows = wrap(text, width, ink.glyphs);
        rows.into_iter().map(|row| Line::styled(row, ink.theme.muted)).collect::<Vec<_>>()
    };
    let mut shown = muted(
        "A policy learns from the graded episodes of the store, not from forks and those in which \
         you chose; it is judged by those that are collected.",
    );
    shown.push(Line::default());
    // What a training came to has the first place; the foot of the screen has the keys, too.
    match &school.newcomer {
        Some(newcomer) => {
            shown.extend(text(&beside(newcomer)));
            let judged = |row: &Beside| row.newcomer.is_some() || row.champion.is_some();
            if newcomer.rows.iter().any(judged) {
                shown.extend(table(newcomer, ink));
            } else {
                shown.extend(muted("These are too few to judge by: collect some thousand, or hold a contest on fresh questions."));
            }
        }
        None => shown.extend(keys(state, ink)),
    }
    shown.push(Line::default());
    for told in school.told.iter().rev().take(TOLD).rev() {
        shown.extend(text(told));
    }
    if let Some(doing) = &school.doing {
        shown.extend(progress(doing, width, ink));
    }
    if school.newcomer.is_some() {
        shown.push(Line::default());
        shown.extend(keys(state, ink));
    }
    lines(frame.buffer_mut(), inner, shown);
}

fn keys(state: &State, ink: Ink<'_>) -> Vec<Line<'static>> {
    let rows = state.keys.rows().filter_map(|(row, keys): (_, &[Key])| match row.action {
        Action::AtSchool(_) => Some((row.help, keys.first()?.to_string())),
        _ => None,
    });
    rows.map(|(help, key)| {
        Line::from(vec![
            Span::styled(format!("{key:<5}"), ink.theme.key),
            Span::raw(help.to_owned()),
        ])
    })
    .collect()
}

fn progress(doing: &Doing, width: usize, ink: Ink<'_>) -> Vec<Line<'static>> {
    let what = match doing.what {
        Lesson::Train => "training",
        Lesson::Collect => "collecting",
        Lesson::Calibrate => "calibrating",
        Lesson::Contest => "contest",
        Lesson::Promote | Lesson::Discard | Lesson::RollBack => "",
    };
    let share = if doing.of > 0 { doing.done as f64 / doing.of as f64 } else { 0.0 };
    let mut line = Line::from(Span::raw(format!("{what} ")));
    line.spans.extend(ink.gauge(BAR, share, ink.theme.good));
    if doing.of > 0 {
        line.push_span(Span::raw(format!(" {} of {}", doing.done, doing.of)));
    }
    let mut rows = vec![line];
    let text = wrap(&doing.text, width, ink.glyphs);
    rows.extend(text.into_iter().map(|row| Line::styled(row, ink.theme.muted)));
    rows
}

fn beside(newcomer: &Newcomer) -> String {
    let name = &newcomer.policy.card.name;
    let n = newcomer.judged;
    match &newcomer.champion {
        Some(champion) => format!(
            "{name} beside {champion}, which is in force, on {n} recorded episodes that {name} did not learn from:"
        ),
        None => format!("{name} on {n} recorded episodes that it did not learn from:"),
    }
}

fn table(newcomer: &Newcomer, ink: Ink<'_>) -> Vec<Line<'static>> {
    let cell = |reached: Option<Reached>| match reached {
        Some(Reached { accuracy, ci: [low, high], share, .. }) => format!(
            "{:>3.0} % ({:.0}-{:.0}) at {:.0} %",
            100.0 * accuracy,
            100.0 * low,
            100.0 * high,
            100.0 * share
        ),
        None => "not supported".to_owned(),
    };
    let name = |name: &str| transcribe(&format!("{name} right"), ink.glyphs);
    let champion = newcomer.champion.as_deref().map_or(String::new(), name);
    let heads = format!("{:<12}{:<26}{champion}", "cost", name(&newcomer.policy.card.name));
    let mut rows = vec![Line::styled(heads, ink.theme.muted)];
    rows.extend(newcomer.rows.iter().map(|row| {
        let champion = newcomer.champion.as_ref().map_or(String::new(), |_| cell(row.champion));
        let cost = format!("{:.0} %", 100.0 * row.share);
        Line::from(format!("{cost:<12}{:<26}{champion}", cell(row.newcomer)))
    }));
    rows
}
