//! Text for panes: wrapped, without control characters; numbers with few digits.

use std::borrow::Cow;

use ratatui::text::Span;
use textwrap::{Options, WrapAlgorithm};
use unicode_width::UnicodeWidthStr;

use crate::safe_text::safe_text;
use crate::theme::Glyphs;

/// A part of the status line; if they do not all fit, those with the lowest weight are left out.
pub(in crate::workbench) struct StatusPart {
    pub(super) weight: u8,
    pub(super) span: Span<'static>,
}

/// Wraps `text` to lines of at most `width` columns, without blank lines at both ends and without
/// control characters.
pub(super) fn wrap(text: &str, width: usize, glyphs: Glyphs) -> Vec<String> {
    let clean = sanitize(text.trim_matches(['\n', '\r']), glyphs);
    if clean.is_empty() {
        return Vec::new();
    }
    // The optimal algorithm would move the ends of earlier lines as more text arrives.
    let options = Options::new(width.max(1)).wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(&clean, options).into_iter().map(Cow::into_owned).collect()
}

/// Text that is safe to show, with a substitute for the characters that the terminal cannot draw.
pub(super) fn sanitize(text: &str, glyphs: Glyphs) -> String {
    let safe = safe_text(text);
    if glyphs == Glyphs::Unicode || safe.is_ascii() {
        return safe.into_owned();
    }
    let mut clean = String::with_capacity(safe.len());
    for c in safe.chars() {
        match c {
            c if c.is_ascii() => clean.push(c),
            '×' | '·' | '⋅' => clean.push('*'),
            '÷' => clean.push('/'),
            '−' | '–' | '—' => clean.push('-'),
            '‘' | '’' => clean.push('\''),
            '“' | '”' => clean.push('"'),
            '…' => clean.push_str("..."),
            _ => clean.push('?'),
        }
    }
    clean
}

/// The beginning of `text` that fits `width` columns; ends with `more` if it was cut.
pub(super) fn truncate_to_width(text: &str, width: usize, more: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(more.width());
    let mut used = 0;
    let kept = text.chars().take_while(|c| {
        used += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
        used <= room
    });
    kept.chain(more.chars()).collect()
}

/// A number with about three digits: `0.25`, `31`, `1.23k`, `45.6M`.
pub(super) fn format_si(value: f64) -> String {
    const UNITS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut scaled = value;
    let mut unit = 0;
    // From 999.5 on, three digits do not suffice.
    while scaled.abs() >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let digits = match scaled.abs() {
        v if unit == 0 && v.fract() == 0.0 => 0,
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{scaled:.digits$}{}", UNITS[unit])
}

/// Milliseconds as `84 ms`, `1.2 s` or `2 min 05 s`.
pub(super) fn format_duration(ms: f64) -> String {
    match ms {
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_950.0 => format!("{:.1} s", ms / 1000.0),
        ms => {
            let seconds = (ms / 1000.0).round() as u64;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_its_width_and_has_no_control_characters() {
        let wrapped = wrap("\nA \u{1b}[31mred\u{1b}[0m\tpen, 4 × 12\n", 12, Glyphs::Unicode);
        assert_eq!(wrapped, ["A  [31mred", "[0m pen, 4 ×", "12"]);
        assert_eq!(wrap("4 × 12 = 48…", 20, Glyphs::Ascii), ["4 * 12 = 48..."]);
        assert_eq!(wrap("abcdefgh", 3, Glyphs::Unicode), ["abc", "def", "gh"]);
        assert_eq!(truncate_to_width("漢字漢字", 5, "…"), "漢字…");
    }

    #[test]
    fn numbers_have_few_digits() {
        let values = [0.0, 31.0, 0.254, 999.0, 1234.0, 999_999.0, 45.6e6, 2.1e12];
        let shown = values.map(format_si);
        assert_eq!(shown, ["0", "31", "0.25", "999", "1.23k", "1.00M", "45.6M", "2.10T"]);
        assert_eq!(
            [84.0, 1234.0, 125_000.0].map(format_duration),
            ["84 ms", "1.2 s", "2 min 05 s"]
        );
    }
}
