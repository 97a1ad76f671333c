//! The two lines at the foot: how things are, and what can be done.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::ink::Ink;
use super::progress;
use super::text::{Part, duration, fit, transcribe, wrap};
use crate::episode::{FinishReason, OverrideScope, Status, Verdict};
use crate::workbench::actions::Action;
use crate::workbench::offers::hints;
use crate::workbench::state::{Link, Notice, State};

pub(super) fn render(frame: &mut Frame<'_>, area: Rect, state: &State, ink: Ink<'_>) {
    let keys = state.keys.first(Action::Help).map_or_else(Line::default, |key| {
        Line::from(vec![Span::styled(key.to_string(), ink.theme.key), Span::raw(" keys ")])
    });
    let room = usize::from(area.width).saturating_sub(keys.width() + 1);
    let mut parts = match state.replay() {
        Some(replay) => progress::parts(replay, state, ink),
        None => parts(state, ink),
    };
    let gap = format!(" {} ", ink.signs.dot);
    let width = |parts: &[Part]| parts.iter().map(|part| part.span.width() + 3).sum::<usize>();
    while width(&parts) > room + 2 {
        let Some(least) = parts.iter().map(|part| part.weight).min() else { break };
        parts.retain(|part| part.weight > least);
    }
    let mut spans = vec![Span::raw(" ")];
    for (i, part) in parts.into_iter().enumerate() {
        if i > 0 {
            spans.push(Span::styled(gap.clone(), ink.theme.muted));
        }
        spans.push(part.span);
    }
    let buffer = frame.buffer_mut();
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
    let at = area.right().saturating_sub(keys.width() as u16);
    buffer.set_line(at, area.y, &keys, area.width);
}

fn parts(state: &State, ink: Ink<'_>) -> Vec<Part> {
    let plain = |weight: u8, text: String| Part { weight, span: Span::raw(text) };
    let (text, style) = how(state, ink);
    let mut parts = vec![Part { weight: 9, span: Span::styled(text, style) }];
    parts.push(plain(4, transcribe(&state.preset_shown().name, ink.glyphs)));
    parts.push(plain(5, transcribe(&state.preset_shown().routing.router, ink.glyphs)));
    let threshold = match state.asked_threshold {
        Some(to) => format!("t {:.2}{}{to:.2}", state.threshold_now(), ink.signs.to),
        None => format!("t {:.2}", state.threshold_now()),
    };
    parts.push(plain(8, threshold));
    if let Some(memory) = state.gpu {
        let [used, total] = [memory.used, memory.total].map(|bytes| bytes as f64 / 1e9);
        parts.push(plain(3, format!("gpu {used:.1} of {total:.0} GB")));
    }
    if state.aside.as_ref().is_some_and(|run| !run.episode.is_over()) {
        parts.push(Part { weight: 7, span: Span::styled("one runs aside", ink.theme.warning) });
    }
    if let Some(run) = &state.run {
        let live = state.is_of_session(run);
        if let (Some((model, scope)), false) =
            (run.episode.taken.filter(|_| live), run.episode.is_over())
        {
            let reach = match scope {
                OverrideScope::NextStep => "next",
                OverrideScope::FromHereOn => "on",
            };
            let text = format!("you: {model} {reach}");
            parts.push(Part { weight: 7, span: Span::styled(text, ink.theme.person) });
        }
        let (person, all) = run.score();
        parts.push(plain(6, format!("you {person} of {all}")));
        parts.push(plain(3, duration(state.elapsed_ms().unwrap_or_default() as f64)));
        if live {
            // Events reach the screen once they are in the store.
            parts.push(plain(2, "store ok".into()));
        } else {
            parts.push(Part { weight: 8, span: Span::styled("stored", ink.theme.warning) });
        }
        parts.push(plain(1, format!("episode {}", run.id)));
    }
    parts
}

/// How things are, in few words.
fn how(state: &State, ink: Ink<'_>) -> (String, Style) {
    let theme = ink.theme;
    let run = match (&state.link, &state.run) {
        (Link::Loading(_), _) => return ("loading".into(), theme.warning),
        (Link::Failed(_), _) => return ("session over".into(), theme.bad),
        (Link::Ready, _) if state.starting => return ("starting".into(), theme.good),
        (Link::Ready | Link::Absent, None) => return ("ready".into(), theme.good),
        (Link::Ready | Link::Absent, Some(run)) => run,
    };
    let live = state.is_of_session(run);
    match &run.episode.status {
        Status::Running | Status::Paused if !live => ("unfinished".into(), theme.warning),
        Status::Running => ("running".into(), theme.good),
        Status::Paused if run.is_pausing() => ("pausing".into(), theme.warning),
        Status::Paused => ("paused".into(), theme.warning),
        Status::Failed(_) => ("failed".into(), theme.bad),
        Status::Finished { reason: FinishReason::Cancelled, .. } => {
            ("stopped".into(), theme.warning)
        }
        Status::Finished { answer, verdict, .. } => {
            let (sign, style) = match verdict {
                Verdict::Correct => (ink.signs.right, theme.good),
                Verdict::Wrong => (ink.signs.wrong, theme.bad),
                Verdict::Undecided => ("", theme.text),
            };
            let answer = answer.as_deref().map(|answer| transcribe(answer, ink.glyphs));
            let answer = fit(&answer.unwrap_or_else(|| "finished".into()), 20, ink.signs.more);
            let word = match verdict {
                Verdict::Correct => " correct",
                Verdict::Wrong => " wrong",
                Verdict::Undecided => "",
            };
            (format!("{sign} {answer}{word}").trim_start().to_owned(), style)
        }
    }
}

/// The notice, else hints.
pub(super) fn render_foot(frame: &mut Frame<'_>, area: Rect, state: &State, ink: Ink<'_>) {
    let width = usize::from(area.width).saturating_sub(2);
    let line = match &state.notice {
        Some(notice) => {
            let (text, style) = match notice {
                Notice::Hint(text) => (text, ink.theme.warning),
                Notice::Trouble(text) => (text, ink.theme.bad),
            };
            return notice_lines(
                frame,
                area,
                &wrap(&text.replace('\n', " "), width, ink.glyphs),
                style,
            );
        }
        None => {
            let mut line = Line::from(" ");
            for (action, does) in hints(state) {
                let Some(key) = state.keys.first(*action) else { continue };
                let (key, does) = (key.to_string(), format!(" {does}"));
                if line.width() + key.len() + does.len() + 2 > width {
                    break;
                }
                line.push_span(Span::styled(key, ink.theme.key));
                line.push_span(Span::styled(format!("{does}  "), ink.theme.muted));
            }
            line
        }
    };
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// Draws a notice; one that is longer than the line grows upwards.
fn notice_lines(frame: &mut Frame<'_>, area: Rect, text: &[String], style: Style) {
    let height = (text.len() as u16).clamp(1, area.y + 1);
    let area = Rect { y: area.y + 1 - height, height, ..area };
    frame.render_widget(Clear, area);
    let buffer = frame.buffer_mut();
    for (text, row) in text.iter().zip(area.rows()) {
        buffer.set_line(row.x, row.y, &Line::styled(format!(" {text}"), style), row.width);
    }
}
