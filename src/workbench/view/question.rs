//! The question.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::render_context::{RenderContext, draw_lines};
use super::text::wrap;
use crate::workbench::state::State;

/// The question of the displayed episode, or the one to be asked.
fn text(state: &State) -> &str {
    match (&state.displayed, &state.question) {
        (Some(displayed), _) => &displayed.episode.started.question,
        (None, Some(question)) => &question.text,
        (None, None) => "",
    }
}

/// Number of lines that the question needs at `width`.
pub(super) fn height(state: &State, width: u16, ctx: RenderContext<'_>) -> u16 {
    u16::try_from(wrap(text(state), width.into(), ctx.glyphs).len()).unwrap_or(u16::MAX)
}

pub(super) fn render(frame: &mut Frame<'_>, area: Rect, state: &State, ctx: RenderContext<'_>) {
    let mut title = vec![Span::raw("question")];
    if let Some(displayed) = &state.displayed {
        let origin = match &displayed.episode.started.origin {
            Some(origin) => format!(" {} {} {}", ctx.symbols.dot, origin.task, origin.index + 1),
            None => format!(" {} typed", ctx.symbols.dot),
        };
        title.push(Span::styled(origin, ctx.theme.muted));
    }
    let block = ctx.pane(Line::from(title));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut wrapped = wrap(text(state), inner.width.into(), ctx.glyphs);
    let room = usize::from(inner.height);
    if wrapped.len() > room && room > 0 {
        wrapped.truncate(room);
        if let Some(last) = wrapped.last_mut() {
            let width = usize::from(inner.width).saturating_sub(3);
            *last =
                format!("{} {}", super::text::truncate_to_width(last, width, ""), ctx.symbols.more);
        }
    }
    let shown = if wrapped.is_empty() {
        vec![Line::styled("none yet", ctx.theme.muted)]
    } else {
        wrapped.into_iter().map(Line::from).collect()
    };
    draw_lines(frame.buffer_mut(), inner, shown);
}
