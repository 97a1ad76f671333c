//! What panes draw with: a theme, and the characters that the terminal can show.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Padding};

use crate::episode::{Decider, Role};
use crate::theme::{Glyphs, Theme};

/// Theme and characters, passed by value.
#[derive(Clone, Copy)]
pub(in crate::workbench) struct RenderContext<'a> {
    pub(super) theme: &'a Theme,
    pub(super) glyphs: Glyphs,
    pub(super) symbols: &'static Symbols,
}

/// The characters of a glyph set.
pub(super) struct Symbols {
    pub fill: &'static str,
    pub empty: &'static str,
    pub threshold: &'static str,
    pub cursor: &'static str,
    pub selected: &'static str,
    /// Beside the text of a step of the small model.
    pub small: &'static str,
    /// Beside the text of a step of the large model.
    pub large: &'static str,
    pub discarded: &'static str,
    pub dot: &'static str,
    pub dash: &'static str,
    pub at_least: &'static str,
    pub about: &'static str,
    pub right: &'static str,
    pub wrong: &'static str,
    pub more: &'static str,
    pub to: &'static str,
    /// Before what differs.
    pub differs: &'static str,
}

const UNICODE: Symbols = Symbols {
    fill: "▇",
    empty: "·",
    threshold: "│",
    cursor: "▌",
    selected: "▸",
    small: "╎",
    large: "┃",
    discarded: "✗",
    dot: "·",
    dash: "–",
    at_least: "≥",
    about: "≈",
    right: "✓",
    wrong: "✗",
    more: "…",
    to: "→",
    differs: "≠",
};

const ASCII: Symbols = Symbols {
    fill: "#",
    empty: ".",
    threshold: "|",
    cursor: "_",
    selected: ">",
    small: ":",
    large: "|",
    discarded: "x",
    dot: "-",
    dash: "-",
    at_least: ">=",
    about: "~",
    right: "+",
    wrong: "x",
    more: "..",
    to: "->",
    differs: "!",
};

const ASCII_BORDER: border::Set<'_> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl<'a> RenderContext<'a> {
    pub(super) fn new(theme: &'a Theme, glyphs: Glyphs) -> Self {
        let symbols = match glyphs {
            Glyphs::Unicode => &UNICODE,
            Glyphs::Ascii => &ASCII,
        };
        Self { theme, glyphs, symbols }
    }

    /// A pane's frame; its borders join those of its neighbours.
    pub(super) fn pane(self, title: impl Into<Line<'a>>) -> Block<'a> {
        let block = Block::bordered()
            .border_style(self.theme.border)
            .title(self.title(title))
            .padding(Padding::horizontal(1));
        match self.glyphs {
            Glyphs::Unicode => block.merge_borders(MergeStrategy::Exact),
            Glyphs::Ascii => block.border_set(ASCII_BORDER),
        }
    }

    fn title(self, title: impl Into<Line<'a>>) -> Line<'a> {
        let mut title: Line<'a> = title.into();
        title.spans.insert(0, Span::raw(" "));
        title.spans.push(Span::raw(" "));
        // The border's own style lies below and may be dim.
        title.style(Style::reset().patch(self.theme.text).patch(self.theme.title))
    }

    /// The style of a model.
    pub(super) fn role(self, role: Role) -> Style {
        match role {
            Role::Small => self.theme.small,
            Role::Large => self.theme.large,
        }
    }

    /// The bar beside a model's text.
    pub(super) fn bar(self, role: Role) -> &'static str {
        match role {
            Role::Small => self.symbols.small,
            Role::Large => self.symbols.large,
        }
    }

    /// Who decided, in one word of at most six letters, with its style.
    pub(super) fn decider(self, by: &Decider) -> (&'static str, Style) {
        match by {
            Decider::Policy(_) => ("policy", self.theme.muted),
            Decider::Rule(_) => ("rule", self.theme.muted),
            Decider::User => ("you", self.theme.user),
            Decider::Budget => ("budget", self.theme.warning),
            Decider::Exploration => ("random", self.theme.warning),
        }
    }

    /// A bar of `width` cells, `share` of them filled; a share outside [0, 1] is clamped, and NaN
    /// counts as 0.
    pub(super) fn gauge(self, width: usize, share: f64, style: Style) -> [Span<'static>; 2] {
        let filled = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
        [
            Span::styled(self.symbols.fill.repeat(filled), style),
            Span::styled(self.symbols.empty.repeat(width - filled), self.theme.muted),
        ]
    }
}

/// Draws lines one below the other, as many as fit.
pub(super) fn draw_lines<'a>(
    buffer: &mut Buffer,
    area: Rect,
    lines: impl IntoIterator<Item = Line<'a>>,
) {
    for (line, row) in lines.into_iter().zip(area.rows()) {
        buffer.set_line(row.x, row.y, &line, row.width);
    }
}
