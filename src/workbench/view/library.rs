//! The list of stored episodes.
//!
//! ```text
//! ┌ episodes · right cost<2G ────────────────────────────────── 1,204 so far ┐
//! │     id  began            end        router      steps    cost  question  │
//! │▸•*  14  11-25 07:21      ✓ 67       policy      6 (2L)  98.0M  Ava has … │
//! │     12  11-25 07:20      ✗ 57       └ fork      6 (1L)  61.2M  Ava has … │
//! ├──────────────────────────────────────────────────────────────────────────┤
//! │ the whole question, tags, note                                           │
//! └──────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Spacing};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::render_context::{RenderContext, draw_lines};
use super::text::{format_si, sanitize, truncate_to_width, wrap};
use crate::episode::Verdict;
use crate::store::{EpisodeEnd, EpisodeSummary};
use crate::workbench::library::{Library, LibraryQuery, ListedEpisode};
use crate::workbench::state::State;

/// Rows of the pane of the selected episode, borders included.
const DETAIL_ROWS: u16 = 6;
/// Columns of a row before the question; those of the router, which a narrow list leaves out; and
/// the width from which it has them.
const COLUMNS_BEFORE_QUESTION: usize = 68;
const ROUTER_COLUMNS: usize = 14;
const ROUTER_COLUMN_MIN_WIDTH: usize = 96;

/// Draws the list.
pub(in crate::workbench) fn render(
    frame: &mut Frame<'_>,
    body: Rect,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let [list, detail] = Layout::vertical([Constraint::Fill(1), Constraint::Length(DETAIL_ROWS)])
        .spacing(Spacing::Overlap(1))
        .areas(body);
    let library = &state.library;
    let block = ctx.pane(title(library, ctx)).title_top(Line::from(count(library)).right_aligned());
    let inner = block.inner(list);
    frame.render_widget(block, list);
    let name = library.selected_row().map(|row| format!("episode {}", row.entry.summary.id));
    let block = ctx.pane(name.unwrap_or_else(|| "no episode".into()));
    let below = block.inner(detail);
    frame.render_widget(block, detail);

    let width = usize::from(inner.width);
    let routers =
        width >= ROUTER_COLUMN_MIN_WIDTH || matches!(library.query, LibraryQuery::Forks { .. });
    let mut shown = vec![Line::styled(header(routers), ctx.theme.muted)];
    if let Some(problem) = &library.problem {
        let problem = wrap(problem, width, ctx.glyphs);
        shown.extend(problem.into_iter().map(|line| Line::styled(line, ctx.theme.bad)));
    } else if library.rows.is_empty() {
        let text = if library.loading { "loading" } else { "no such episode" };
        shown.push(Line::styled(text, ctx.theme.muted));
    }
    let height = usize::from(inner.height).saturating_sub(1);
    let last = library.rows.len().saturating_sub(height);
    let first = library.selected.saturating_sub(height / 2).min(last);
    let rows = library.rows.iter().enumerate().skip(first).take(height);
    shown.extend(
        rows.map(|(i, row)| row_line(row, i == library.selected, (library, routers), width, ctx)),
    );
    draw_lines(frame.buffer_mut(), inner, shown);
    if let Some(row) = library.selected_row() {
        draw_lines(frame.buffer_mut(), below, detail_lines(row, usize::from(below.width), ctx));
    }
}

fn title(library: &Library, ctx: RenderContext<'_>) -> Line<'static> {
    let query = match &library.query {
        LibraryQuery::Search(query) if query.is_empty() => "all, newest first".to_owned(),
        LibraryQuery::Search(query) => sanitize(query, ctx.glyphs),
        LibraryQuery::Forks { of, .. } => format!("forks of episode {of}"),
    };
    Line::from(vec![
        Span::raw("episodes"),
        Span::styled(format!(" {} {query}", ctx.symbols.dot), ctx.theme.muted),
    ])
}

fn count(library: &Library) -> String {
    let more = if library.next.is_some() { ", more below" } else { "" };
    let marked = match library.marked.len() {
        0 => String::new(),
        n => format!(", {n} marked"),
    };
    let unreadable = match library.unreadable {
        0 => String::new(),
        n => format!(", {n} cannot be read"),
    };
    let loading = if library.loading { ", loading" } else { "" };
    format!(" {}{more}{marked}{unreadable}{loading} ", library.rows.len())
}

fn header(routers: bool) -> String {
    let router = if routers { "router        " } else { "" };
    format!(
        "   {:>6}  {:<11}  {:<13}{router}{:<8} {:>6}  {}",
        "id", "began", "end", "steps", "cost", "question"
    )
}

fn row_line(
    row: &ListedEpisode,
    here: bool,
    (library, routers): (&Library, bool),
    width: usize,
    ctx: RenderContext<'_>,
) -> Line<'static> {
    let summary = &row.entry.summary;
    let fixed = |text: &str, width: usize| {
        let text = truncate_to_width(&sanitize(text, ctx.glyphs), width, ctx.symbols.more);
        let gap = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text.as_str()));
        format!("{text}{}", " ".repeat(gap))
    };
    let (sign, end, style) = outcome(summary, ctx);
    let router = match row.depth {
        _ if !routers => String::new(),
        0 => fixed(&summary.router, 13),
        depth => {
            let step = summary.parent.as_ref().map_or(0, |parent| parent.step + 1);
            fixed(&format!("{}fork at {step}", "  ".repeat(depth.min(3))), 13)
        }
    };
    let mark = |on: bool, sign: &'static str| if on { sign } else { " " };
    let marked = library.marked.contains(&summary.id);
    let number = if here { ctx.theme.selected } else { Style::new() };
    let steps = format!("{} ({}L)", summary.steps, summary.large_steps);
    Line::from(vec![
        Span::styled(mark(here, ctx.symbols.selected), ctx.theme.selected),
        Span::styled(mark(marked, ctx.symbols.dot), ctx.theme.warning),
        Span::styled(mark(row.entry.annotations.starred, "*"), ctx.theme.user),
        Span::styled(format!("{:>6}", summary.id), number),
        Span::styled(format!("  {:<11}  ", row.began), ctx.theme.muted),
        Span::styled(format!("{sign:<2}"), style),
        Span::raw(fixed(&end, 10)),
        Span::styled(if routers { format!(" {router} ") } else { " ".into() }, ctx.theme.muted),
        Span::raw(format!("{steps:<8} {:>6}  ", format_si(summary.cost))),
        Span::raw(truncate_to_width(
            &sanitize(&summary.question, ctx.glyphs).replace('\n', " "),
            width.saturating_sub(if routers {
                COLUMNS_BEFORE_QUESTION
            } else {
                COLUMNS_BEFORE_QUESTION - ROUTER_COLUMNS
            }),
            ctx.symbols.more,
        )),
    ])
}

/// How the episode ended: sign, word, style.
fn outcome(summary: &EpisodeSummary, ctx: RenderContext<'_>) -> (&'static str, String, Style) {
    let theme = ctx.theme;
    match &summary.end {
        EpisodeEnd::Unfinished => ("", "unfinished".into(), theme.warning),
        EpisodeEnd::Failed { .. } => ("", "failed".into(), theme.bad),
        EpisodeEnd::Finished { answer, verdict, .. } => {
            let (sign, style) = match verdict {
                Verdict::Correct => (ctx.symbols.right, theme.good),
                Verdict::Wrong => (ctx.symbols.wrong, theme.bad),
                Verdict::Undecided => ("", theme.text),
            };
            (sign, answer.clone().unwrap_or_else(|| "no answer".into()), style)
        }
    }
}

/// The selected episode.
fn detail_lines(row: &ListedEpisode, width: usize, ctx: RenderContext<'_>) -> Vec<Line<'static>> {
    let (summary, annotations) = (&row.entry.summary, &row.entry.annotations);
    let mut lines: Vec<Line<'static>> =
        wrap(&summary.question, width, ctx.glyphs).into_iter().take(2).map(Line::from).collect();
    let mut parts = vec![summary.preset.clone()];
    parts.extend(summary.task.clone());
    parts.push(format!("by {}", summary.router));
    parts.extend(summary.policies.first().cloned());
    parts.push(match summary.switches {
        1 => "1 switch".into(),
        n => format!("{n} switches"),
    });
    parts.push(format!("large {:.0} % of the cost", 100.0 * summary.large_cost_share()));
    if summary.user_steps > 0 {
        parts.push(format!("you chose {}", summary.user_steps));
    }
    if let Some(parent) = &summary.parent {
        parts.push(format!("fork of {} at step {}", parent.episode, parent.step + 1));
    }
    let text = parts.join(&format!(" {} ", ctx.symbols.dot));
    lines.push(Line::styled(
        truncate_to_width(&sanitize(&text, ctx.glyphs), width, ctx.symbols.more),
        ctx.theme.muted,
    ));
    let tags: Vec<String> = annotations.tags.iter().map(|tag| format!("#{tag}")).collect();
    let mut said = tags.join(" ");
    if !annotations.note.is_empty() {
        said = format!("{said} {}", annotations.note);
    }
    let said = sanitize(said.trim(), ctx.glyphs).replace('\n', " ");
    lines.push(Line::styled(truncate_to_width(&said, width, ctx.symbols.more), ctx.theme.user));
    lines
}
