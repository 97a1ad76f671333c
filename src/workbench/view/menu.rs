//! A list to choose from.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::overlay::open_dialog;
use super::render_context::{RenderContext, draw_lines};
use super::text::{sanitize, truncate_to_width};
use crate::workbench::menu::{Menu, MenuItem};

/// Draws the list: what was typed, then the matching items.
pub(super) fn render(frame: &mut Frame<'_>, body: Rect, menu: &Menu, ctx: RenderContext<'_>) {
    let width = (body.width - 6).min(100);
    let height = (menu.items.len() as u16 + 3).min(body.height - 2).max(5);
    let title = format!("{}: type to search, Enter chooses, Esc cancels", menu.title);
    let inner = open_dialog(frame, body, (width, height), &title, ctx);
    let mut shown = vec![Line::from(vec![
        Span::styled("> ", ctx.theme.key),
        Span::raw(sanitize(&menu.filter, ctx.glyphs)),
        Span::styled(ctx.symbols.cursor, ctx.theme.muted),
    ])];
    let matching: Vec<&MenuItem> = menu.matching().collect();
    if matching.is_empty() && !menu.is_loading() {
        shown.push(Line::styled("no item matches", ctx.theme.muted));
    }
    let room = usize::from(inner.height).saturating_sub(1);
    let first = menu.selected.saturating_sub(room / 2).min(matching.len().saturating_sub(room));
    let rows = matching.iter().enumerate().skip(first).take(room);
    shown
        .extend(rows.map(|(i, item)| row(item, i == menu.selected, usize::from(inner.width), ctx)));
    draw_lines(frame.buffer_mut(), inner, shown);
}

fn row(item: &MenuItem, here: bool, width: usize, ctx: RenderContext<'_>) -> Line<'static> {
    let label = truncate_to_width(&sanitize(&item.label, ctx.glyphs), width - 2, ctx.symbols.more);
    let room = width.saturating_sub(label.width() + 5);
    let note = truncate_to_width(&sanitize(&item.note, ctx.glyphs), room, ctx.symbols.more);
    let gap = width.saturating_sub(2 + label.width() + note.width());
    let (mark, style) =
        if here { (ctx.symbols.selected, ctx.theme.selected) } else { (" ", ctx.theme.text) };
    Line::from(vec![
        Span::styled(format!("{mark} "), ctx.theme.selected),
        Span::styled(label, style),
        Span::raw(" ".repeat(gap)),
        Span::styled(note, ctx.theme.muted),
    ])
}
