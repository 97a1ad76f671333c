//! What lies over the panes: help, the editor, the end of the session.

use ratatui::Frame;
use ratatui::layout::{Layout, Rect};
use ratatui::layout::{Constraint, Flex};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use ratatui_textarea::TextArea;

use super::ink::{Ink, lines};
use super::text::wrap;
use crate::workbench::actions::ACTIONS;

/// Clears a box of that size in the middle and draws its frame; returns what is inside.
fn open(frame: &mut Frame<'_>, body: Rect, size: (u16, u16), title: &str, ink: Ink<'_>) -> Rect {
    let [area] = Layout::horizontal([Constraint::Length(size.0)]).flex(Flex::Center).areas(body);
    let [area] = Layout::vertical([Constraint::Length(size.1)]).flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    frame.buffer_mut().set_style(area, ink.theme.text);
    let block = ink.pane(title.to_owned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Every action with its keys, in two columns where one is too long.
pub(super) fn help(frame: &mut Frame<'_>, body: Rect, ink: Ink<'_>) {
    let rows: Vec<(String, &str)> = ACTIONS
        .iter()
        .map(|row| {
            let keys = row.keys.iter().map(ToString::to_string).collect::<Vec<_>>();
            (keys.join(" "), row.help)
        })
        .collect();
    let room = usize::from(body.height.saturating_sub(2)).max(1);
    let keys = rows.iter().map(|(keys, _)| keys.len()).max().unwrap_or(0) + 2;
    let helps = rows.iter().map(|(_, help)| help.len()).max().unwrap_or(0);
    let height = rows.len().min(room) as u16 + 2;
    let width = (keys + helps + 4) as u16;
    let inner = open(frame, body, (width.min(body.width), height), "keys", ink);
    let shown = rows.into_iter().map(|(names, help)| {
        Line::from(vec![Span::styled(format!("{names:<keys$}"), ink.theme.key), Span::raw(help)])
    });
    lines(frame.buffer_mut(), inner, shown);
}

/// The editor for a question.
pub(super) fn editor(frame: &mut Frame<'_>, body: Rect, area: &TextArea<'static>, ink: Ink<'_>) {
    let width = (body.width - 8).min(100);
    let title = "your question: Enter asks, Alt-Enter new line, Esc cancels";
    let inner = open(frame, body, (width, 8), title, ink);
    let mut area = area.clone();
    area.set_style(ink.theme.text);
    area.set_cursor_line_style(ink.theme.text);
    area.set_cursor_style(ink.theme.cursor);
    frame.render_widget(&area, inner);
}

/// The session is over.
pub(super) fn failure(frame: &mut Frame<'_>, body: Rect, reason: &str, ink: Ink<'_>) {
    let width = (body.width - 8).min(90);
    let mut text: Vec<Line<'_>> = wrap(reason, usize::from(width - 4), ink.glyphs)
        .into_iter()
        .map(|line| Line::styled(line, ink.theme.bad))
        .collect();
    let remedy = "`pointsman doctor` checks models, store and terminal. Press q to quit.";
    text.push(Line::default());
    text.extend(wrap(remedy, usize::from(width - 4), ink.glyphs).into_iter().map(Line::from));
    let height = (text.len() as u16 + 2).min(body.height);
    let inner = open(frame, body, (width, height), "the session is over", ink);
    lines(frame.buffer_mut(), inner, text);
}
