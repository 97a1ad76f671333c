//! Two episodes side by side, step by step.
//!
//! ```text
//! ┌ episode 12 ───────────────┬ episode 14, fork of 12 ───┐
//! │  1 S Pens: 4 × 12 = 48    │  =                        │
//! │  … 1 step the same                                    │
//! │≠ 3 L In all: 37 + 48 = 85 │  3 S* In all: 37 + 48 = 75│
//! ├ 67 correct · 201M ────────┼ 57 wrong · 98M ───────────┤
//! ```

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Spacing};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::ink::{Ink, lines};
use super::text::{fit, si, transcribe, wrap};
use crate::episode::{Decider, Episode, Status, Step, Verdict};
use crate::workbench::compare::Compare;

/// Columns before the text of a step: mark, number, writer.
const MARGIN: usize = 7;

/// Draws the comparison over `body`.
pub(super) fn render(
    frame: &mut Frame<'_>,
    body: Rect,
    compare: &Compare,
    run: (u64, &Episode),
    ink: Ink<'_>,
) {
    frame.render_widget(Clear, body);
    frame.buffer_mut().set_style(body, ink.theme.text);
    let halves = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)])
        .spacing(Spacing::Overlap(1))
        .areas::<2>(body);
    let sides = [(compare.id, compare.episode.as_ref()), run];
    let inner = halves.map(|half| ink.pane("").inner(half));
    for ((half, (id, episode)), other) in halves.into_iter().zip(sides).zip([run.0, compare.id]) {
        let mut title = format!("episode {id}");
        if let Some(parent) = episode.started.parent.as_ref().filter(|p| p.episode == other) {
            title.push_str(&format!(", fork of {} at step {}", parent.episode, parent.step + 1));
        }
        let foot = Line::from(vec![Span::raw(" "), end(episode, ink), Span::raw(" ")]);
        frame.render_widget(ink.pane(title).title_bottom(foot), half);
    }
    let widths = inner.map(|area| usize::from(area.width).saturating_sub(MARGIN).max(8));
    let rows = rows(sides.map(|side| side.1), widths, compare.only_differences, ink);
    let height = usize::from(inner[0].height);
    let top = compare.top.min(rows.len().saturating_sub(height));
    let (left, right): (Vec<Line<'_>>, Vec<Line<'_>>) = rows.into_iter().skip(top).unzip();
    for (area, side) in inner.into_iter().zip([left, right]) {
        lines(frame.buffer_mut(), area, side);
    }
}

/// All lines of both sides.
fn rows(
    sides: [&Episode; 2],
    widths: [usize; 2],
    only_differences: bool,
    ink: Ink<'_>,
) -> Vec<(Line<'static>, Line<'static>)> {
    let all = sides.map(|episode| episode.steps.len());
    let mut rows = Vec::new();
    let mut left_out = 0;
    for at in 0..all[0].max(all[1]) {
        let [a, b] = sides.map(|episode| episode.steps.get(at));
        let equal = a.zip(b).is_some_and(|(a, b)| a.is_alike(b));
        if equal && only_differences {
            left_out += 1;
            continue;
        }
        tell_of(&mut left_out, &mut rows, ink);
        let mark = if equal { " " } else { ink.signs.differs };
        let left = step(at, a, mark, widths[0], ink);
        let right = if equal {
            vec![Line::styled("   =", ink.theme.muted)]
        } else {
            step(at, b, " ", widths[1], ink)
        };
        let height = left.len().max(right.len());
        let fill = |side: Vec<Line<'static>>| {
            side.into_iter().chain(std::iter::repeat(Line::default())).take(height)
        };
        rows.extend(fill(left).zip(fill(right)));
    }
    tell_of(&mut left_out, &mut rows, ink);
    if rows.is_empty() {
        rows.push((Line::styled("no steps yet", ink.theme.muted), Line::default()));
    }
    rows
}

/// A line for the equal steps that were left out, and forgets them.
fn tell_of(left_out: &mut usize, rows: &mut Vec<(Line<'static>, Line<'static>)>, ink: Ink<'_>) {
    let what = match std::mem::take(left_out) {
        0 => return,
        1 => "1 step the same".to_owned(),
        n => format!("{n} steps the same"),
    };
    let text = format!("   {} {what}", ink.signs.more);
    rows.push((Line::styled(text, ink.theme.muted), Line::default()));
}

fn step(
    at: usize,
    step: Option<&Step>,
    mark: &'static str,
    width: usize,
    ink: Ink<'_>,
) -> Vec<Line<'static>> {
    let Some(step) = step else {
        return vec![Line::styled(format!("   {}", ink.signs.dash), ink.theme.muted)];
    };
    let role = step.writing.model;
    let person = step.decision.as_ref().is_some_and(|d| d.by == Decider::Person);
    let mut head = vec![
        Span::styled(mark, ink.theme.warning),
        Span::styled(format!("{:>2} ", at + 1), ink.theme.muted),
        Span::styled(role.mark().to_string(), ink.role(role)),
        Span::styled(if person { "*" } else { " " }, ink.theme.person),
        Span::raw(" "),
    ];
    let mut text = wrap(&step.writing.text, width, ink.glyphs).into_iter();
    head.push(Span::raw(text.next().unwrap_or_default()));
    let rest = text.map(|line| Line::from(format!("{}{line}", " ".repeat(MARGIN - 1))));
    std::iter::once(Line::from(head)).chain(rest).collect()
}

/// How an episode ended, and what it cost.
fn end(episode: &Episode, ink: Ink<'_>) -> Span<'static> {
    let (text, style) = match &episode.status {
        Status::Running => ("running".to_owned(), ink.theme.good),
        Status::Paused => ("paused".to_owned(), ink.theme.warning),
        Status::Failed(_) => ("failed".to_owned(), ink.theme.bad),
        Status::Finished { answer, verdict, .. } => {
            let answer = transcribe(answer.as_deref().unwrap_or("no answer"), ink.glyphs);
            let answer = fit(&answer, 12, ink.signs.more);
            let (word, style): (&str, Style) = match verdict {
                Verdict::Correct => (" correct", ink.theme.good),
                Verdict::Wrong => (" wrong", ink.theme.bad),
                Verdict::Undecided => ("", ink.theme.text),
            };
            (format!("{answer}{word}"), style)
        }
    };
    Span::styled(format!("{text} {} cost {}", ink.signs.dot, si(episode.ledger.cost())), style)
}
