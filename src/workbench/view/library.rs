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

use super::ink::{Ink, lines};
use super::text::{fit, si, transcribe, wrap};
use crate::episode::Verdict;
use crate::store::{End, Summary};
use crate::workbench::library::{Library, Listed, Sought};
use crate::workbench::state::State;

/// Rows of the box with the episode that one is at, borders included.
const DETAIL: u16 = 6;
/// Columns of a row before the question, and those of the router, which a narrow list goes without.
const BEFORE: usize = 68;
const ROUTER: usize = 14;
const ROOMY: usize = 96;

pub(super) fn render(frame: &mut Frame<'_>, body: Rect, state: &State, ink: Ink<'_>) {
    let [list, detail] = Layout::vertical([Constraint::Fill(1), Constraint::Length(DETAIL)])
        .spacing(Spacing::Overlap(1))
        .areas(body);
    let library = &state.library;
    let block = ink.pane(title(library, ink)).title_top(Line::from(count(library)).right_aligned());
    let inner = block.inner(list);
    frame.render_widget(block, list);
    let name = library.here().map(|row| format!("episode {}", row.entry.summary.id));
    let block = ink.pane(name.unwrap_or_else(|| "no episode".into()));
    let below = block.inner(detail);
    frame.render_widget(block, detail);

    let width = usize::from(inner.width);
    let routers = width >= ROOMY || matches!(library.sought, Sought::Family { .. });
    let mut shown = vec![Line::styled(heads(routers), ink.theme.muted)];
    if let Some(problem) = &library.problem {
        let problem = wrap(problem, width, ink.glyphs);
        shown.extend(problem.into_iter().map(|line| Line::styled(line, ink.theme.bad)));
    } else if library.rows.is_empty() {
        let text = if library.waits { "looking" } else { "no such episode" };
        shown.push(Line::styled(text, ink.theme.muted));
    }
    let height = usize::from(inner.height).saturating_sub(1);
    let last = library.rows.len().saturating_sub(height);
    let first = library.at.saturating_sub(height / 2).min(last);
    let rows = library.rows.iter().enumerate().skip(first).take(height);
    shown.extend(rows.map(|(i, row)| line(row, i == library.at, (library, routers), width, ink)));
    lines(frame.buffer_mut(), inner, shown);
    if let Some(row) = library.here() {
        lines(frame.buffer_mut(), below, about(row, usize::from(below.width), ink));
    }
}

fn title(library: &Library, ink: Ink<'_>) -> Line<'static> {
    let sought = match &library.sought {
        Sought::Query(query) if query.is_empty() => "all, newest first".to_owned(),
        Sought::Query(query) => transcribe(query, ink.glyphs),
        Sought::Family { of, .. } => format!("family of episode {of}"),
    };
    Line::from(vec![
        Span::raw("episodes"),
        Span::styled(format!(" {} {sought}", ink.signs.dot), ink.theme.muted),
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
    let waits = if library.waits { ", looking" } else { "" };
    format!(" {}{more}{marked}{unreadable}{waits} ", library.rows.len())
}

fn heads(routers: bool) -> String {
    let router = if routers { "router        " } else { "" };
    format!(
        "   {:>6}  {:<11}  {:<13}{router}{:<8} {:>6}  {}",
        "id", "began", "end", "steps", "cost", "question"
    )
}

fn line(
    row: &Listed,
    here: bool,
    (library, routers): (&Library, bool),
    width: usize,
    ink: Ink<'_>,
) -> Line<'static> {
    let summary = &row.entry.summary;
    let fixed = |text: &str, width: usize| {
        let text = fit(&transcribe(text, ink.glyphs), width, ink.signs.more);
        let gap = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text.as_str()));
        format!("{text}{}", " ".repeat(gap))
    };
    let (sign, end, style) = end(summary, ink);
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
    let number = if here { ink.theme.selected } else { Style::new() };
    let steps = format!("{} ({}L)", summary.steps, summary.large_steps);
    Line::from(vec![
        Span::styled(mark(here, ink.signs.selected), ink.theme.selected),
        Span::styled(mark(marked, ink.signs.dot), ink.theme.warning),
        Span::styled(mark(row.entry.annotations.starred, "*"), ink.theme.person),
        Span::styled(format!("{:>6}", summary.id), number),
        Span::styled(format!("  {:<11}  ", row.began), ink.theme.muted),
        Span::styled(format!("{sign:<2}"), style),
        Span::raw(fixed(&end, 10)),
        Span::styled(if routers { format!(" {router} ") } else { " ".into() }, ink.theme.muted),
        Span::raw(format!("{steps:<8} {:>6}  ", si(summary.cost))),
        Span::raw(fit(
            &transcribe(&summary.question, ink.glyphs).replace('\n', " "),
            width.saturating_sub(if routers { BEFORE } else { BEFORE - ROUTER }),
            ink.signs.more,
        )),
    ])
}

/// How it ended: sign, word, style.
fn end(summary: &Summary, ink: Ink<'_>) -> (&'static str, String, Style) {
    let theme = ink.theme;
    match &summary.end {
        End::Unfinished => ("", "unfinished".into(), theme.warning),
        End::Failed { .. } => ("", "failed".into(), theme.bad),
        End::Finished { answer, verdict, .. } => {
            let (sign, style) = match verdict {
                Verdict::Correct => (ink.signs.right, theme.good),
                Verdict::Wrong => (ink.signs.wrong, theme.bad),
                Verdict::Undecided => ("", theme.text),
            };
            (sign, answer.clone().unwrap_or_else(|| "no answer".into()), style)
        }
    }
}

/// The episode that one is at.
fn about(row: &Listed, width: usize, ink: Ink<'_>) -> Vec<Line<'static>> {
    let (summary, annotations) = (&row.entry.summary, &row.entry.annotations);
    let mut told: Vec<Line<'static>> =
        wrap(&summary.question, width, ink.glyphs).into_iter().take(2).map(Line::from).collect();
    let mut parts = vec![summary.preset.clone()];
    parts.extend(summary.task.clone());
    parts.push(format!("by {}", summary.router));
    parts.extend(summary.policies.first().cloned());
    parts.push(match summary.switches {
        1 => "1 switch".into(),
        n => format!("{n} switches"),
    });
    parts.push(format!("large {:.0} % of the cost", 100.0 * summary.large_cost_share()));
    if summary.person_steps > 0 {
        parts.push(format!("you chose {}", summary.person_steps));
    }
    if let Some(parent) = &summary.parent {
        parts.push(format!("fork of {} at step {}", parent.episode, parent.step + 1));
    }
    let text = parts.join(&format!(" {} ", ink.signs.dot));
    told.push(Line::styled(
        fit(&transcribe(&text, ink.glyphs), width, ink.signs.more),
        ink.theme.muted,
    ));
    let tags: Vec<String> = annotations.tags.iter().map(|tag| format!("#{tag}")).collect();
    let mut said = tags.join(" ");
    if !annotations.note.is_empty() {
        said = format!("{said} {}", annotations.note);
    }
    let said = transcribe(said.trim(), ink.glyphs).replace('\n', " ");
    told.push(Line::styled(fit(&said, width, ink.signs.more), ink.theme.person));
    told
}
