//! A list to choose from.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::ink::{Ink, lines};
use super::overlay::open;
use super::text::{fit, transcribe};
use crate::workbench::menu::{Item, Menu};

/// Draws the list: what was typed, then the items that are left.
pub(super) fn render(frame: &mut Frame<'_>, body: Rect, menu: &Menu, ink: Ink<'_>) {
    let width = (body.width - 6).min(100);
    let height = (menu.items.len() as u16 + 3).min(body.height - 2).max(5);
    let title = format!("{}: type to search, Enter chooses, Esc leaves", menu.title);
    let inner = open(frame, body, (width, height), &title, ink);
    let mut shown = vec![Line::from(vec![
        Span::styled("> ", ink.theme.key),
        Span::raw(transcribe(&menu.typed, ink.glyphs)),
        Span::styled(ink.signs.cursor, ink.theme.muted),
    ])];
    let left: Vec<&Item> = menu.left().collect();
    if left.is_empty() && !menu.waits {
        shown.push(Line::styled("nothing has all of this in it", ink.theme.muted));
    }
    let room = usize::from(inner.height).saturating_sub(1);
    let first = menu.at.saturating_sub(room / 2).min(left.len().saturating_sub(room));
    let rows = left.iter().enumerate().skip(first).take(room);
    shown.extend(rows.map(|(i, item)| row(item, i == menu.at, usize::from(inner.width), ink)));
    lines(frame.buffer_mut(), inner, shown);
}

fn row(item: &Item, here: bool, width: usize, ink: Ink<'_>) -> Line<'static> {
    let label = fit(&transcribe(&item.label, ink.glyphs), width - 2, ink.signs.more);
    let room = width.saturating_sub(label.width() + 5);
    let note = fit(&transcribe(&item.note, ink.glyphs), room, ink.signs.more);
    let gap = width.saturating_sub(2 + label.width() + note.width());
    let (mark, style) =
        if here { (ink.signs.selected, ink.theme.selected) } else { (" ", ink.theme.text) };
    Line::from(vec![
        Span::styled(format!("{mark} "), ink.theme.selected),
        Span::styled(label, style),
        Span::raw(" ".repeat(gap)),
        Span::styled(note, ink.theme.muted),
    ])
}
