//! Training, calibration and promotion.
//!
//! ```text
//! ┌ training and calibration ──────────────────────────────────────┐
//! │ tiny-1, and the current policy tiny-0, on 61 recorded …        │
//! │ cost        tiny-1 accuracy       tiny-0 accuracy              │
//! │ 40 %        63 % (50-76)          61 % (48-74)                 │
//! │                                                                │
//! │ training ▇▇▇▇▇▇▇······ 24 of 48                                │
//! │ loss 0.310 · expects 88 % …                                    │
//! └────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::render_context::{RenderContext, draw_lines};
use super::text::{sanitize, wrap};
use crate::training::{AccuracyEstimate, Candidate, CostComparison};
use crate::workbench::action::Action;
use crate::workbench::key::Key;
use crate::workbench::state::State;
use crate::workbench::training_page::{TrainingAction, TrainingProgress};

/// Cells of the bar.
const BAR: usize = 20;
/// Number of results that are shown, at most.
const LOG_LINES: usize = 6;

const INTRODUCTION: &str = "A policy is trained on the graded episodes of the store, except forks and \
     episodes in which you chose. It is compared with the current policy on collected episodes.";

const TOO_FEW: &str = "These are too few to compare the policies: collect some thousand, or test on \
     fresh questions.";

const APGR: &str = "APGR: the share of large's gain in accuracy over small that a policy recovers, \
     averaged over all costs. 0 is as good as small, 1 as good as large at every cost.";

/// Draws the page.
pub(in crate::workbench) fn render(
    frame: &mut Frame<'_>,
    body: Rect,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let block = ctx.pane("training and calibration");
    let inner = block.inner(body);
    frame.render_widget(block, body);
    let width = usize::from(inner.width);
    let training_page = &state.training_page;
    let text = |text: &str| {
        let rows = wrap(text, width, ctx.glyphs);
        rows.into_iter().map(Line::from).collect::<Vec<_>>()
    };
    let muted = |text: &str| {
        let rows = wrap(text, width, ctx.glyphs);
        rows.into_iter().map(|row| Line::styled(row, ctx.theme.muted)).collect::<Vec<_>>()
    };
    let mut shown = muted(INTRODUCTION);
    shown.push(Line::default());
    // The candidate has the first place: the foot of the screen has the keys, too.
    match &training_page.candidate {
        Some(candidate) => {
            shown.extend(text(&comparison_title(candidate)));
            let judged = |row: &CostComparison| row.candidate.is_some() || row.current.is_some();
            if candidate.rows.iter().any(judged) {
                shown.extend(comparison_table(candidate, ctx));
            } else {
                shown.extend(muted(TOO_FEW));
            }
        }
        None => shown.extend(key_lines(state, ctx)),
    }
    shown.push(Line::default());
    let log = &training_page.log[training_page.log.len().saturating_sub(LOG_LINES)..];
    for result in log {
        shown.extend(text(result));
    }
    if log.iter().any(|result| result.contains("APGR")) {
        shown.extend(muted(APGR));
    }
    if let Some(running) = &training_page.running {
        shown.extend(progress_lines(running, width, ctx));
    }
    if training_page.candidate.is_some() {
        shown.push(Line::default());
        shown.extend(key_lines(state, ctx));
    }
    draw_lines(frame.buffer_mut(), inner, shown);
}

fn key_lines(state: &State, ctx: RenderContext<'_>) -> Vec<Line<'static>> {
    let rows = state.keys.rows().filter_map(|(spec, keys): (_, &[Key])| match spec.action {
        Action::Training(_) => Some((spec.help, keys.first()?.to_string())),
        _ => None,
    });
    rows.map(|(help, key)| {
        Line::from(vec![
            Span::styled(format!("{key:<5}"), ctx.theme.key),
            Span::raw(help.to_owned()),
        ])
    })
    .collect()
}

fn progress_lines(
    running: &TrainingProgress,
    width: usize,
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let what = match running.action {
        TrainingAction::Train => "training",
        TrainingAction::Collect => "collecting",
        TrainingAction::Calibrate => "calibrating",
        TrainingAction::PromotionTest => "testing",
        TrainingAction::Promote | TrainingAction::Discard | TrainingAction::RollBack => "",
    };
    let share = if running.total > 0 { running.done as f64 / running.total as f64 } else { 0.0 };
    let mut line = Line::from(Span::raw(format!("{what} ")));
    line.spans.extend(ctx.gauge(BAR, share, ctx.theme.good));
    if running.total > 0 {
        line.push_span(Span::raw(format!(" {} of {}", running.done, running.total)));
    }
    let mut rows = vec![line];
    let text = wrap(&running.text, width, ctx.glyphs);
    rows.extend(text.into_iter().map(|row| Line::styled(row, ctx.theme.muted)));
    rows
}

fn comparison_title(candidate: &Candidate) -> String {
    let name = &candidate.policy.card.name;
    let n = candidate.evaluated;
    match &candidate.current {
        Some(current) => format!(
            "{name}, and the current policy {current}, on {n} recorded episodes that {name} was not trained on:"
        ),
        None => format!("{name} on {n} recorded episodes that it was not trained on:"),
    }
}

fn comparison_table(candidate: &Candidate, ctx: RenderContext<'_>) -> Vec<Line<'static>> {
    let cell = |reached: Option<AccuracyEstimate>| match reached {
        Some(AccuracyEstimate { accuracy, ci: [low, high], share, .. }) => format!(
            "{:>3.0} % ({:.0}-{:.0}) at {:.0} %",
            100.0 * accuracy,
            100.0 * low,
            100.0 * high,
            100.0 * share
        ),
        None => "too few recordings".to_owned(),
    };
    let name = |name: &str| sanitize(&format!("{name} accuracy"), ctx.glyphs);
    let current = candidate.current.as_deref().map_or(String::new(), name);
    let head = format!("{:<12}{:<26}{current}", "cost", name(&candidate.policy.card.name));
    let mut rows = vec![Line::styled(head, ctx.theme.muted)];
    rows.extend(candidate.rows.iter().map(|row| {
        let current = candidate.current.as_ref().map_or(String::new(), |_| cell(row.current));
        let cost = format!("{:.0} %", 100.0 * row.share);
        Line::from(format!("{cost:<12}{:<26}{current}", cell(row.candidate)))
    }));
    rows
}
