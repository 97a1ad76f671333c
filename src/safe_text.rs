//! Makes text from elsewhere safe to show: on a terminal, in a picture, in a message.
//!
//! Questions, answers, names of models and files, and what a server replies may hold characters that move the cursor,
//! reverse the order of what follows, or show nothing at all. Every text that is shown passes through this module.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// The most characters without a width that are shown on top of the one before them. Writing systems need up to six;
/// thousands make a terminal slow.
const MAX_MARKS: usize = 6;

/// Text for a single line: line breaks, tabs and control characters become spaces; characters that reorder the text or
/// have no glyph are removed, and so are combining marks beyond the sixth of a character.
pub(crate) fn safe_line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let line = safe_text(text);
    if line.contains('\n') { Cow::Owned(line.replace('\n', " ")) } else { line }
}

/// The same for text of several lines, whose line breaks stay.
pub(crate) fn safe_text(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    let mut marks = 0;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\r' && characters.peek() == Some(&'\n') {
            continue;
        }
        match kind(c) {
            Kind::Break => safe.push('\n'),
            Kind::Control => safe.push(' '),
            Kind::Hidden => continue,
            Kind::Mark if marks == MAX_MARKS => continue,
            Kind::Mark => {
                marks += 1;
                safe.push(c);
                continue;
            }
            Kind::Shown => safe.push(c),
        }
        marks = 0;
    }
    Cow::Owned(safe)
}

/// Whether [`safe_line`] would leave a short text as it is, such as a cell of the screen.
pub(crate) fn is_safe(cell: &str) -> bool {
    let mut marks = 0;
    cell.chars().all(|c| match kind(c) {
        Kind::Shown => true,
        Kind::Mark => {
            marks += 1;
            marks <= MAX_MARKS
        }
        Kind::Break | Kind::Control | Kind::Hidden => false,
    })
}

/// JSON with every character that [`safe_text`] would change as an escape: the same value, safe to show.
pub(crate) fn safe_json(json: &str) -> Cow<'_, str> {
    if json.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len());
    let mut marks = 0;
    for c in json.chars() {
        let kind = kind(c);
        match kind {
            Kind::Mark => marks += 1,
            Kind::Hidden => {}
            _ => marks = 0,
        }
        // Outside of strings JSON has no other control characters than blanks.
        if matches!(kind, Kind::Hidden) || marks > MAX_MARKS || (kind == Kind::Control && c > '~') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units).iter() {
                // Writing to a string does not fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// What a terminal does with a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It starts a new line.
    Break,
    /// It may move the cursor or start an escape sequence, or it breaks a line in some programs.
    Control,
    /// It shows nothing, or changes the order of what follows.
    Hidden,
    /// It is drawn on the character before it.
    Mark,
    /// It takes a place of its own.
    Shown,
}

fn kind(c: char) -> Kind {
    match c {
        '\n' => Kind::Break,
        ' '..='~' => Kind::Shown,
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => Kind::Control,
        c if is_hidden(c) => Kind::Hidden,
        c if c.width() == Some(0) => Kind::Mark,
        _ => Kind::Shown,
    }
}

/// Whether a character has no glyph: format characters such as zero-width spaces and marks of direction, variation
/// selectors, tags, fillers, and code points that are no characters.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FDD0}'..='\u{FDEF}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    ) || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_plain_text() {
        assert_eq!(safe_line("a\x1b[2Jb\tc\r\nd"), "a [2Jb c d");
        assert_eq!(safe_text("a\r\nb\x07\u{9b}31m\rc"), "a\nb  31m c");
        assert_eq!(safe_line("one\u{2028}two\u{2029}three\u{85}four"), "one two three four");
    }

    #[test]
    fn hidden_characters_are_removed() {
        let hidden =
            "\u{202E}\u{2066}\u{200B}\u{200D}\u{FEFF}\u{E0041}\u{FE0F}\u{AD}\u{3164}\u{FFFE}";
        assert_eq!(safe_line(&format!("abc{hidden}def")), "abcdef");
        assert_eq!(safe_text(hidden), "");
    }

    #[test]
    fn writing_systems_stay_as_they_are() {
        for text in ["café", "naïve e\u{301}", "漢字", "שָׁלוֹם", "हिन्दी", "ไม่ได้", "4 × 12 − 3", "👍"]
        {
            assert_eq!(safe_line(text), text);
        }
        assert!(matches!(safe_line("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn floods_of_marks_are_cut() {
        let flood = format!("a{}b{}", "\u{301}".repeat(3000), "\u{20DD}".repeat(3000));
        let expected = format!("a{}b{}", "\u{301}".repeat(MAX_MARKS), "\u{20DD}".repeat(MAX_MARKS));
        assert_eq!(safe_line(&flood), expected);
        // Hidden characters between marks do not start a new count.
        let mixed = format!("a{}", "\u{301}\u{200B}".repeat(100));
        assert_eq!(safe_line(&mixed), format!("a{}", "\u{301}".repeat(MAX_MARKS)));
    }

    #[test]
    fn a_cell_is_safe_if_it_would_stay() {
        let flood = format!("a{}", "\u{301}".repeat(7));
        for cell in ["a", "漢", "é", "e\u{301}", "│", "\x1b", "\n", "\u{202E}", &flood] {
            assert_eq!(is_safe(cell), safe_line(cell) == cell, "{cell:?}");
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({
            "text": format!("a\u{202E}b\u{9b}c\u{E0041}d\u{2028}é{}\x1b\n", "\u{301}".repeat(50)),
        });
        let json = value.to_string();
        let safe = safe_json(&json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        assert_eq!(safe_text(&safe), safe, "nothing is left to remove");
        assert!(matches!(safe_json("{\"a\":1}"), Cow::Borrowed(_)));
    }
}
