//! The question.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, lines};
use super::text::wrap;
use crate::workbench::state::State;

/// The question that the episode on the screen is about, else the one to be asked.
fn text(state: &State) -> &str {
    match (&state.run, &state.question) {
        (Some(run), _) => &run.episode.started.question,
        (None, Some(question)) => &question.text,
        (None, None) => "",
    }
}

/// Lines that the question takes at `width`.
pub(super) fn height(state: &State, width: u16, ink: Ink<'_>) -> u16 {
    u16::try_from(wrap(text(state), width.into(), ink.glyphs).len()).unwrap_or(u16::MAX)
}

pub(super) fn render(frame: &mut Frame<'_>, area: Rect, state: &State, ink: Ink<'_>) {
    let mut title = vec![Span::raw("question")];
    if let Some(run) = &state.run {
        let origin = match &run.episode.started.origin {
            Some(origin) => format!(" {} {} {}", ink.signs.dot, origin.task, origin.index + 1),
            None => format!(" {} typed", ink.signs.dot),
        };
        title.push(Span::styled(origin, ink.theme.muted));
    }
    let block = ink.pane(Line::from(title));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut wrapped = wrap(text(state), inner.width.into(), ink.glyphs);
    let room = usize::from(inner.height);
    if wrapped.len() > room && room > 0 {
        wrapped.truncate(room);
        if let Some(last) = wrapped.last_mut() {
            let width = usize::from(inner.width).saturating_sub(3);
            *last = format!("{} {}", super::text::fit(last, width, ""), ink.signs.more);
        }
    }
    let shown = match wrapped.is_empty() {
        true => vec![Line::styled("none yet", ink.theme.muted)],
        false => wrapped.into_iter().map(Line::from).collect(),
    };
    lines(frame.buffer_mut(), inner, shown);
}
