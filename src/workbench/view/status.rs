//! The two lines at the foot: the status, and a notice or hints.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::render_context::RenderContext;
use super::text::{StatusPart, wrap};
use crate::workbench::action::Action;
use crate::workbench::pages;
use crate::workbench::state::{Notice, State};

/// Draws the status line: the parts that fit, and the key for help.
pub(super) fn render(
    frame: &mut Frame<'_>,
    area: Rect,
    mut parts: Vec<StatusPart>,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let keys = state.keys.primary_key(Action::Help).map_or_else(Line::default, |key| {
        Line::from(vec![Span::styled(key.to_string(), ctx.theme.key), Span::raw(" keys ")])
    });
    let room = usize::from(area.width).saturating_sub(keys.width() + 1);
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

/// Draws the notice, or hints.
pub(super) fn render_footer(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let width = usize::from(area.width).saturating_sub(2);
    if let Some(notice) = &state.notice {
        let (text, style) = match notice {
            Notice::Hint(text) => (text, ctx.theme.warning),
            Notice::Error(text) => (text, ctx.theme.bad),
        };
        let lines = wrap(&text.replace('\n', " "), width, ctx.glyphs);
        return notice_lines(frame, area, &lines, style);
    }
    let mut line = Line::from(" ");
    for (action, does) in pages::current(state).hints(state) {
        let Some(key) = state.keys.primary_key(*action) else { continue };
        let (key, does) = (key.to_string(), format!(" {does}"));
        if line.width() + key.len() + does.len() + 2 > width {
            break;
        }
        line.push_span(Span::styled(key, ctx.theme.key));
        line.push_span(Span::styled(format!("{does}  "), ctx.theme.muted));
    }
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// Draws a notice; if it does not fit one line, it grows upwards.
fn notice_lines(frame: &mut Frame<'_>, area: Rect, text: &[String], style: Style) {
    let height = (text.len() as u16).clamp(1, area.y + 1);
    let area = Rect { y: area.y + 1 - height, height, ..area };
    frame.render_widget(Clear, area);
    let buffer = frame.buffer_mut();
    for (text, row) in text.iter().zip(area.rows()) {
        buffer.set_line(row.x, row.y, &Line::styled(format!(" {text}"), style), row.width);
    }
}
