//! The two lines at the foot: how things are, and what can be done.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::render_context::RenderContext;
use super::replay_status;
use super::text::{StatusPart, format_duration, sanitize, truncate_to_width, wrap};
use crate::episode::{EpisodeStatus, FinishReason, OverrideScope, Verdict};
use crate::workbench::actions::Action;
use crate::workbench::availability::hints;
use crate::workbench::state::{Notice, SessionStatus, State};

pub(super) fn render(frame: &mut Frame<'_>, area: Rect, state: &State, ctx: RenderContext<'_>) {
    let keys = state.keys.primary_key(Action::Help).map_or_else(Line::default, |key| {
        Line::from(vec![Span::styled(key.to_string(), ctx.theme.key), Span::raw(" keys ")])
    });
    let room = usize::from(area.width).saturating_sub(keys.width() + 1);
    let mut parts = match state.replay() {
        Some(replay) => replay_status::status_parts(replay, state, ctx),
        None => status_parts(state, ctx),
    };
    let gap = format!(" {} ", ctx.symbols.dot);
    let width =
        |parts: &[StatusPart]| parts.iter().map(|part| part.span.width() + 3).sum::<usize>();
    while width(&parts) > room + 2 {
        let Some(least) = parts.iter().map(|part| part.weight).min() else { break };
        parts.retain(|part| part.weight > least);
    }
    let mut spans = vec![Span::raw(" ")];
    for (i, part) in parts.into_iter().enumerate() {
        if i > 0 {
            spans.push(Span::styled(gap.clone(), ctx.theme.muted));
        }
        spans.push(part.span);
    }
    let buffer = frame.buffer_mut();
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
    let at = area.right().saturating_sub(keys.width() as u16);
    buffer.set_line(at, area.y, &keys, area.width);
}

fn status_parts(state: &State, ctx: RenderContext<'_>) -> Vec<StatusPart> {
    let plain = |weight: u8, text: String| StatusPart { weight, span: Span::raw(text) };
    let (text, style) = status_text(state, ctx);
    let mut parts = vec![StatusPart { weight: 9, span: Span::styled(text, style) }];
    parts.push(plain(4, sanitize(&state.preset_shown().name, ctx.glyphs)));
    parts.push(plain(5, sanitize(&state.preset_shown().routing.router, ctx.glyphs)));
    let threshold = match state.pending_threshold {
        Some(to) => format!("t {:.2}{}{to:.2}", state.threshold_now(), ctx.symbols.to),
        None => format!("t {:.2}", state.threshold_now()),
    };
    parts.push(plain(8, threshold));
    if let Some(memory) = state.gpu {
        let [used, total] = [memory.used, memory.total].map(|bytes| bytes as f64 / 1e9);
        parts.push(plain(3, format!("gpu {used:.1} of {total:.0} GB")));
    }
    if state.background.as_ref().is_some_and(|displayed| !displayed.episode.is_over()) {
        parts.push(StatusPart {
            weight: 7,
            span: Span::styled("one runs aside", ctx.theme.warning),
        });
    }
    if let Some(displayed) = &state.displayed {
        let live = state.is_live(displayed);
        if let (Some((model, scope)), false) =
            (displayed.episode.active_override.filter(|_| live), displayed.episode.is_over())
        {
            let reach = match scope {
                OverrideScope::NextStep => "next",
                OverrideScope::FromHereOn => "on",
            };
            let text = format!("you: {model} {reach}");
            parts.push(StatusPart { weight: 7, span: Span::styled(text, ctx.theme.user) });
        }
        let (user, all) = displayed.user_decisions();
        parts.push(plain(6, format!("you {user} of {all}")));
        parts.push(plain(3, format_duration(state.elapsed_ms().unwrap_or_default() as f64)));
        if live {
            // Events reach the screen once they are in the store.
            parts.push(plain(2, "store ok".into()));
        } else {
            parts.push(StatusPart { weight: 8, span: Span::styled("stored", ctx.theme.warning) });
        }
        parts.push(plain(1, format!("episode {}", displayed.id)));
    }
    parts
}

/// How things are, in few words.
fn status_text(state: &State, ctx: RenderContext<'_>) -> (String, Style) {
    let theme = ctx.theme;
    let displayed = match (&state.session_status, &state.displayed) {
        (SessionStatus::Loading(_), _) => return ("loading".into(), theme.warning),
        (SessionStatus::Failed(_), _) => return ("session over".into(), theme.bad),
        (SessionStatus::Ready, _) if state.starting => return ("starting".into(), theme.good),
        (SessionStatus::Ready | SessionStatus::None, None) => return ("ready".into(), theme.good),
        (SessionStatus::Ready | SessionStatus::None, Some(displayed)) => displayed,
    };
    let live = state.is_live(displayed);
    match &displayed.episode.status {
        EpisodeStatus::Running | EpisodeStatus::Paused if !live => {
            ("unfinished".into(), theme.warning)
        }
        EpisodeStatus::Running => ("running".into(), theme.good),
        EpisodeStatus::Paused if displayed.is_pausing() => ("pausing".into(), theme.warning),
        EpisodeStatus::Paused => ("paused".into(), theme.warning),
        EpisodeStatus::Failed(_) => ("failed".into(), theme.bad),
        EpisodeStatus::Finished { reason: FinishReason::Cancelled, .. } => {
            ("stopped".into(), theme.warning)
        }
        EpisodeStatus::Finished { answer, verdict, .. } => {
            let (sign, style) = match verdict {
                Verdict::Correct => (ctx.symbols.right, theme.good),
                Verdict::Wrong => (ctx.symbols.wrong, theme.bad),
                Verdict::Undecided => ("", theme.text),
            };
            let answer = answer.as_deref().map(|answer| sanitize(answer, ctx.glyphs));
            let answer = truncate_to_width(
                &answer.unwrap_or_else(|| "finished".into()),
                20,
                ctx.symbols.more,
            );
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
pub(super) fn render_footer(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let width = usize::from(area.width).saturating_sub(2);
    let line = match &state.notice {
        Some(notice) => {
            let (text, style) = match notice {
                Notice::Hint(text) => (text, ctx.theme.warning),
                Notice::Error(text) => (text, ctx.theme.bad),
            };
            return notice_lines(
                frame,
                area,
                &wrap(&text.replace('\n', " "), width, ctx.glyphs),
                style,
            );
        }
        None => {
            let mut line = Line::from(" ");
            for (action, does) in hints(state) {
                let Some(key) = state.keys.primary_key(*action) else { continue };
                let (key, does) = (key.to_string(), format!(" {does}"));
                if line.width() + key.len() + does.len() + 2 > width {
                    break;
                }
                line.push_span(Span::styled(key, ctx.theme.key));
                line.push_span(Span::styled(format!("{does}  "), ctx.theme.muted));
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
