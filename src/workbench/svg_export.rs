//! A screen of a replay as an SVG picture, in the colours of the theme.
//!
//! Text stays text, so the picture can be searched and copied from. Borders, bars and blocks are
//! drawn as shapes: fonts leave gaps between the rows of such characters.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::keymap::Keymap;
use super::replay::Replay;
use super::state::State;
use super::view::screen::View;
use crate::safe_text::safe_line;

/// Width of a cell, in SVG user units.
const CELL_WIDTH: f32 = 8.4;
/// Height of a cell.
const CELL_HEIGHT: f32 = 18.0;
/// From the top of a cell to the baseline of its text.
const BASELINE: f32 = 13.5;
const FONT_SIZE: f32 = 14.0;
/// Space around the screen.
const MARGIN: f32 = 10.0;
const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
/// Colours of a terminal's default text and background, and its 16 colours from black to bright
/// white: a theme with colours of its own replaces the first two.
const FOREGROUND: &str = "#d7dae0";
const BACKGROUND: &str = "#16181d";
const PALETTE: [&str; 16] = [
    "#16181d", "#f2777a", "#7bc275", "#e5b567", "#6699cc", "#d08fd8", "#5fc3d6", "#d7dae0",
    "#6b7280", "#ff8f92", "#9adf94", "#f6cf8b", "#8db8e6", "#e6aeec", "#86dbe9", "#ffffff",
];
/// How strongly dim text is drawn.
const DIM_OPACITY: f32 = 0.6;

/// Renders the first episode of `replay` on a terminal of `size` (columns, rows; at least
/// [`super::MINIMUM_SIZE`]): at the boundary before step `step`, counted from 1, or at the end if
/// `step` is `None`. Returns `None` if the episode has no such step.
///
/// Reads no clock: the same replay gives the same picture.
pub fn replay_svg(
    mut replay: Replay,
    mut view: View,
    size: (u16, u16),
    step: Option<usize>,
) -> Option<String> {
    replay.player.pause();
    match step {
        None => replay.player.seek_to_end(),
        Some(step) => {
            if !replay.player.seek_step(step.checked_sub(1)?) {
                return None;
            }
        }
    }
    let title = format!("pointsman: a replay of {}", replay.source());
    let state = State::replaying(replay, Keymap::default());
    let Ok(mut terminal) = Terminal::new(TestBackend::new(size.0, size.1));
    let Ok(frame) = terminal.draw(|frame| view.render(frame, &state));
    Some(buffer_svg(frame.buffer, &title))
}

/// Draws a buffer as an SVG document; `title` describes it to screen readers.
fn buffer_svg(buffer: &Buffer, title: &str) -> String {
    let area = buffer.area;
    let width = f32::from(area.width) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f32::from(area.height) * CELL_HEIGHT + 2.0 * MARGIN;
    let background = buffer.cell((area.x, area.y)).map_or(Color::Reset, |cell| cell.bg);
    let background = css(background, BACKGROUND);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" font-family=\"{FONTS}\" \
         font-size=\"{FONT_SIZE}\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{background}\"/>\n",
        escape(title)
    );
    for row in 0..area.height {
        for run in row_runs(buffer, row) {
            run.draw(row, &background, &mut svg);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Consecutive cells of a row that are drawn alike.
#[derive(Debug)]
struct Run {
    column: u16,
    columns: u16,
    text: String,
    style: CellStyle,
}

/// What a cell is drawn with.
#[derive(Debug, Clone, PartialEq)]
struct CellStyle {
    foreground: String,
    background: String,
    modifier: Modifier,
    is_shape: bool,
}

impl CellStyle {
    fn of(cell: &Cell) -> Self {
        let (mut foreground, mut background) = (css(cell.fg, FOREGROUND), css(cell.bg, BACKGROUND));
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut foreground, &mut background);
        }
        let is_shape = cell.symbol().chars().next().is_some_and(|c| shape(c).is_some());
        Self { foreground, background, modifier: cell.modifier, is_shape }
    }
}

fn row_runs(buffer: &Buffer, row: u16) -> Vec<Run> {
    let area = buffer.area;
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    while column < area.width {
        let Some(cell) = buffer.cell((area.x + column, area.y + row)) else { break };
        let style = CellStyle::of(cell);
        // The cells behind a wide character are blank.
        let columns = u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
        match runs.last_mut().filter(|run| run.style == style) {
            Some(run) => {
                run.text.push_str(cell.symbol());
                run.columns += columns;
            }
            None => runs.push(Run { column, columns, text: cell.symbol().to_owned(), style }),
        }
        column += columns;
    }
    runs
}

impl Run {
    fn draw(&self, row: u16, screen_background: &str, svg: &mut String) {
        let top = MARGIN + f32::from(row) * CELL_HEIGHT;
        if self.style.background != screen_background {
            let (x, width) = (self.x(), f32::from(self.columns) * CELL_WIDTH);
            let fill = &self.style.background;
            rect(svg, [x, top, width, CELL_HEIGHT], fill, 1.0);
        }
        if self.style.is_shape {
            self.draw_shapes(top, svg);
        } else if !self.text.trim().is_empty() {
            self.draw_text(top, svg);
        }
    }

    fn x(&self) -> f32 {
        MARGIN + f32::from(self.column) * CELL_WIDTH
    }

    fn opacity(&self) -> f32 {
        if self.style.modifier.contains(Modifier::DIM) { DIM_OPACITY } else { 1.0 }
    }

    fn draw_text(&self, top: f32, svg: &mut String) {
        let text = self.text.trim_end();
        let before = (text.len() - text.trim_start().len()) as f32;
        let text = text.trim_start();
        let x = self.x() + before * CELL_WIDTH;
        // Keeps the columns with a font of any width.
        let length = text.width() as f32 * CELL_WIDTH;
        let y = top + BASELINE;
        let fill = &self.style.foreground;
        let mut attributes = String::new();
        let modifier = self.style.modifier;
        if modifier.contains(Modifier::BOLD) {
            attributes.push_str(" font-weight=\"bold\"");
        }
        if modifier.contains(Modifier::ITALIC) {
            attributes.push_str(" font-style=\"italic\"");
        }
        let lines = [(Modifier::UNDERLINED, "underline"), (Modifier::CROSSED_OUT, "line-through")];
        let lines: Vec<&str> = lines
            .iter()
            .filter(|(flag, _)| modifier.contains(*flag))
            .map(|(_, name)| *name)
            .collect();
        if !lines.is_empty() {
            let _ = write!(attributes, " text-decoration=\"{}\"", lines.join(" "));
        }
        if modifier.contains(Modifier::DIM) {
            let _ = write!(attributes, " opacity=\"{DIM_OPACITY}\"");
        }
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" fill=\"{fill}\"\
             {attributes}>{}</text>",
            escape(text)
        );
    }

    fn draw_shapes(&self, top: f32, svg: &mut String) {
        let mut x = self.x();
        let mut parts: Vec<[f32; 4]> = Vec::new();
        for c in self.text.chars() {
            for [left, up, width, height] in shape(c).unwrap_or_default() {
                let next = [
                    x + left * CELL_WIDTH,
                    top + up * CELL_HEIGHT,
                    width * CELL_WIDTH,
                    height * CELL_HEIGHT,
                ];
                // Bars and long borders become one rectangle each.
                match parts.iter_mut().rev().take(3).find(|last| continues(**last, next)) {
                    Some(last) => last[2] += next[2],
                    None => parts.push(next),
                }
            }
            x += CELL_WIDTH;
        }
        for part in parts {
            rect(svg, part, &self.style.foreground, self.opacity());
        }
    }
}

/// Whether `next` prolongs `last` to the right.
fn continues(last: [f32; 4], next: [f32; 4]) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() < 0.01;
    near(last[0] + last[2], next[0]) && near(last[1], next[1]) && near(last[3], next[3])
}

fn rect(svg: &mut String, [x, y, width, height]: [f32; 4], fill: &str, opacity: f32) {
    let opacity = if opacity < 1.0 { format!(" opacity=\"{opacity}\"") } else { String::new() };
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
         fill=\"{fill}\"{opacity}/>"
    );
}

/// The rectangles (left, top, width, height, as shares of a cell) that make up a character of a
/// border, a bar or a block; `None` for a character that a font draws.
fn shape(c: char) -> Option<Vec<[f32; 4]>> {
    /// Half the width of a line, as a share of the cell's width and of its height.
    const THIN: [f32; 2] = [0.06, 0.028];
    let line = |arms: [bool; 4]| {
        let [up, down, left, right] = arms;
        let mut parts = Vec::new();
        if left || right {
            let from = if left { 0.0 } else { 0.5 - THIN[0] };
            let to = if right { 1.0 } else { 0.5 + THIN[0] };
            parts.push([from, 0.5 - THIN[1], to - from, 2.0 * THIN[1]]);
        }
        if up || down {
            let from = if up { 0.0 } else { 0.5 };
            let to = if down { 1.0 } else { 0.5 };
            parts.push([0.5 - THIN[0], from, 2.0 * THIN[0], to - from]);
        }
        parts
    };
    Some(match c {
        '─' => line([false, false, true, true]),
        '│' => line([true, true, false, false]),
        '┌' => line([false, true, false, true]),
        '┐' => line([false, true, true, false]),
        '└' => line([true, false, false, true]),
        '┘' => line([true, false, true, false]),
        '├' => line([true, true, false, true]),
        '┤' => line([true, true, true, false]),
        '┬' => line([false, true, true, true]),
        '┴' => line([true, false, true, true]),
        '┼' => line([true, true, true, true]),
        '┃' => vec![[0.36, 0.0, 0.28, 1.0]],
        '╎' => vec![[0.43, 0.08, 0.14, 0.34], [0.43, 0.58, 0.14, 0.34]],
        '▇' => vec![[0.0, 0.2, 1.0, 0.6]],
        '▌' => vec![[0.0, 0.08, 0.5, 0.84]],
        _ => return None,
    })
}

/// A colour as CSS has it; `default` for the terminal's own.
fn css(color: Color, default: &str) -> String {
    let named = |index: usize| PALETTE[index].to_owned();
    match color {
        Color::Reset => default.to_owned(),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Indexed(index) => indexed_css(index),
    }
}

/// One of xterm's 256 colours.
fn indexed_css(index: u8) -> String {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..=15 => PALETTE[usize::from(index)].to_owned(),
        16..=231 => {
            let cube = index - 16;
            let [red, green, blue] = [cube / 36, cube / 6 % 6, cube % 6].map(level);
            format!("#{red:02x}{green:02x}{blue:02x}")
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

/// Text as the content of an XML element, without the control characters that XML forbids.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in safe_line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::recording::{ReplaySpeed, find_recording};
    use crate::theme::{Glyphs, Theme};

    fn rescue(step: Option<usize>) -> Option<String> {
        let nowhere = Path::new("/nonexistent");
        let recorded = find_recording("rescue", nowhere).unwrap();
        let replay = Replay::new("rescue", recorded, ReplaySpeed::Times(1.0)).unwrap();
        let view = View::new(Theme::load("dusk", nowhere).unwrap(), Glyphs::Unicode);
        replay_svg(replay, view, (100, 28), step)
    }

    #[test]
    fn text_is_escaped_and_styles_are_kept() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "a<b & \"c\"\u{7}", Style::new().fg(Color::Cyan));
        let bold = Style::new().fg(Color::Rgb(1, 2, 255)).add_modifier(Modifier::BOLD);
        buffer.set_string(0, 1, "x", bold);
        buffer.set_string(1, 1, "y", bold.add_modifier(Modifier::REVERSED));
        let svg = buffer_svg(&buffer, "1 < 2");
        assert!(svg.contains("<title>1 &lt; 2</title>"), "{svg}");
        assert!(svg.contains(&format!("fill=\"{}\">a&lt;b &amp; &quot;c&quot;", PALETTE[6])));
        assert!(svg.contains("fill=\"#0102ff\" font-weight=\"bold\">x</text>"), "{svg}");
        assert!(svg.contains(&format!("fill=\"{BACKGROUND}\" font-weight=\"bold\">y</text>")));
    }

    #[test]
    fn the_text_of_the_screen_is_in_the_picture() {
        let svg = rescue(Some(4)).unwrap();
        for text in ["Finn has 25 apples.", "Apples so far: 25 + 3 = 28", "replay paused", "budget"]
        {
            assert!(svg.contains(text), "{text} is missing from {svg}");
        }
        assert!(svg.ends_with("</svg>\n"));
        assert_eq!(rescue(Some(4)).unwrap(), svg, "the same replay gives the same picture");
        assert!(rescue(None).unwrap().contains("answer 66, correct"));
        assert_eq!(rescue(Some(0)), None);
        assert_eq!(rescue(Some(9)), None);
    }

    #[test]
    fn borders_and_bars_are_joined() {
        let buffer = Buffer::with_lines(["┌──┐", "▇▇··"]);
        let svg = buffer_svg(&buffer, "");
        assert_eq!(svg.matches("<rect").count(), 1 + 3 + 1, "{svg}");
    }

    #[test]
    fn colours_of_xterm() {
        assert_eq!(indexed_css(16), "#000000");
        assert_eq!(indexed_css(231), "#ffffff");
        assert_eq!(indexed_css(255), "#eeeeee");
    }
}
