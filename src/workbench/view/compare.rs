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

use super::render_context::{RenderContext, draw_lines};
use super::text::{format_si, sanitize, truncate_to_width, wrap};
use crate::episode::{Decider, Episode, EpisodeStatus, Step, Verdict};
use crate::workbench::compare::Comparison;
use crate::workbench::displayed_episode::DisplayedEpisode;

/// Columns before the text of a step: mark, number, writer.
const GUTTER: usize = 7;

/// Draws the comparison over `body`.
pub(super) fn render(
    frame: &mut Frame<'_>,
    body: Rect,
    comparison: &Comparison,
    displayed: &DisplayedEpisode,
    ctx: RenderContext<'_>,
) {
    frame.render_widget(Clear, body);
    frame.buffer_mut().set_style(body, ctx.theme.text);
    let halves = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)])
        .spacing(Spacing::Overlap(1))
        .areas::<2>(body);
    let other = comparison.episode.as_ref();
    let sides = [
        (comparison.id, other, &other.status),
        (displayed.id, displayed.episode.as_ref(), displayed.status()),
    ];
    let inner = halves.map(|half| ctx.pane("").inner(half));
    for ((half, (id, episode, status)), other) in
        halves.into_iter().zip(sides).zip([displayed.id, comparison.id])
    {
        let parent = episode.started.parent.as_ref().filter(|parent| parent.episode == other);
        let title = parent.map_or_else(
            || format!("episode {id}"),
            |p| format!("episode {id}, fork of {} at step {}", p.episode, p.step + 1),
        );
        let foot = Line::from(vec![Span::raw(" "), outcome(episode, status, ctx), Span::raw(" ")]);
        frame.render_widget(ctx.pane(title).title_bottom(foot), half);
    }
    let widths = inner.map(|area| usize::from(area.width).saturating_sub(GUTTER).max(8));
    let rows = rows(sides.map(|side| side.1), widths, comparison.only_differences, ctx);
    let height = usize::from(inner[0].height);
    let top = comparison.top.min(rows.len().saturating_sub(height));
    let (left, right): (Vec<Line<'_>>, Vec<Line<'_>>) = rows.into_iter().skip(top).unzip();
    for (area, side) in inner.into_iter().zip([left, right]) {
        draw_lines(frame.buffer_mut(), area, side);
    }
}

/// All lines of both sides.
fn rows(
    sides: [&Episode; 2],
    widths: [usize; 2],
    only_differences: bool,
    ctx: RenderContext<'_>,
) -> Vec<(Line<'static>, Line<'static>)> {
    let all = sides.map(|episode| episode.steps.len());
    let mut rows = Vec::new();
    let mut left_out = 0;
    for at in 0..all[0].max(all[1]) {
        let [a, b] = sides.map(|episode| episode.steps.get(at));
        let equal = a.zip(b).is_some_and(|(a, b)| a.same_output(b));
        if equal && only_differences {
            left_out += 1;
            continue;
        }
        push_omitted_line(&mut left_out, &mut rows, ctx);
        let mark = if equal { " " } else { ctx.symbols.differs };
        let left = step(at, a, mark, widths[0], ctx);
        let right = if equal {
            vec![Line::styled("   =", ctx.theme.muted)]
        } else {
            step(at, b, " ", widths[1], ctx)
        };
        let height = left.len().max(right.len());
        let fill = |side: Vec<Line<'static>>| {
            side.into_iter().chain(std::iter::repeat(Line::default())).take(height)
        };
        rows.extend(fill(left).zip(fill(right)));
    }
    push_omitted_line(&mut left_out, &mut rows, ctx);
    if rows.is_empty() {
        rows.push((Line::styled("no steps yet", ctx.theme.muted), Line::default()));
    }
    rows
}

/// Adds a line for the equal steps that were left out, and resets their number.
fn push_omitted_line(
    left_out: &mut usize,
    rows: &mut Vec<(Line<'static>, Line<'static>)>,
    ctx: RenderContext<'_>,
) {
    let what = match std::mem::take(left_out) {
        0 => return,
        1 => "1 step the same".to_owned(),
        n => format!("{n} steps the same"),
    };
    let text = format!("   {} {what}", ctx.symbols.more);
    rows.push((Line::styled(text, ctx.theme.muted), Line::default()));
}

fn step(
    at: usize,
    step: Option<&Step>,
    mark: &'static str,
    width: usize,
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let Some(step) = step else {
        return vec![Line::styled(format!("   {}", ctx.symbols.dash), ctx.theme.muted)];
    };
    let role = step.generation.model;
    let by_user = step.decision.as_ref().is_some_and(|d| d.by == Decider::User);
    let mut head = vec![
        Span::styled(mark, ctx.theme.warning),
        Span::styled(format!("{:>2} ", at + 1), ctx.theme.muted),
        Span::styled(role.letter().to_string(), ctx.role(role)),
        Span::styled(if by_user { "*" } else { " " }, ctx.theme.user),
        Span::raw(" "),
    ];
    let mut text = wrap(&step.generation.text, width, ctx.glyphs).into_iter();
    head.push(Span::raw(text.next().unwrap_or_default()));
    let rest = text.map(|line| Line::from(format!("{}{line}", " ".repeat(GUTTER - 1))));
    std::iter::once(Line::from(head)).chain(rest).collect()
}

/// How the episode ended, and what it cost.
fn outcome(episode: &Episode, status: &EpisodeStatus, ctx: RenderContext<'_>) -> Span<'static> {
    let (text, style) = match status {
        EpisodeStatus::Running => ("running".to_owned(), ctx.theme.good),
        EpisodeStatus::Paused => ("paused".to_owned(), ctx.theme.warning),
        EpisodeStatus::Failed(_) => ("failed".to_owned(), ctx.theme.bad),
        EpisodeStatus::Finished { answer, verdict, .. } => {
            let answer = sanitize(answer.as_deref().unwrap_or("no answer"), ctx.glyphs);
            let answer = truncate_to_width(&answer, 12, ctx.symbols.more);
            let (word, style): (&str, Style) = match verdict {
                Verdict::Correct => (" correct", ctx.theme.good),
                Verdict::Wrong => (" wrong", ctx.theme.bad),
                Verdict::Undecided => ("", ctx.theme.text),
            };
            (format!("{answer}{word}"), style)
        }
    };
    Span::styled(
        format!("{text} {} cost {}", ctx.symbols.dot, format_si(episode.ledger.cost())),
        style,
    )
}
