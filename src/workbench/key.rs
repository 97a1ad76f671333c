//! Keys by name.

use std::fmt;
use std::str::FromStr;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, Control and Alt. Shift is part of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub KeyCode, pub KeyModifiers);

impl Key {
    /// A character.
    pub(super) const fn plain(c: char) -> Self {
        Self(KeyCode::Char(c), KeyModifiers::NONE)
    }

    /// A character, given in lower case, with Control.
    pub(super) const fn control(c: char) -> Self {
        Self(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    /// A key without modifiers.
    pub(super) const fn code(code: KeyCode) -> Self {
        Self(code, KeyModifiers::NONE)
    }

    /// The key of an event.
    pub(super) fn from_event(event: &KeyEvent) -> Self {
        Self(event.code, event.modifiers.difference(KeyModifiers::SHIFT))
    }
}

/// Names of the keys without a visible character.
const NAMES: [(&str, KeyCode); 16] = [
    ("space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Backspace", KeyCode::Backspace),
    ("Del", KeyCode::Delete),
    ("Ins", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
];

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let control = self.1.contains(KeyModifiers::CONTROL);
        if control {
            f.write_str("Ctrl-")?;
        }
        if self.1.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        match (NAMES.iter().find(|(_, code)| *code == self.0), self.0) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) if control => write!(f, "{}", c.to_ascii_uppercase()),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, code) => write!(f, "{code}"),
        }
    }
}

/// Reads what [`Key`] displays; the names, `Ctrl-` and `Alt-` in any case. The error is the reason
/// and the remedy.
impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "`{text}` is not a key: write a character, a name such as Enter, PgUp or F5, or Ctrl- or Alt- before one of these"
            )
        };
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        for (prefix, modifier) in [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT)] {
            if let Some((head, tail)) = rest.split_at_checked(prefix.len())
                && head.eq_ignore_ascii_case(prefix)
                && !tail.is_empty()
            {
                modifiers |= modifier;
                rest = tail;
            }
        }
        let mut characters = rest.chars();
        let code = match (characters.next(), characters.next()) {
            (Some(c), None) if !c.is_control() && !c.is_whitespace() => KeyCode::Char(c),
            _ => key_code(rest).ok_or_else(unknown)?,
        };
        if !modifiers.contains(KeyModifiers::CONTROL) {
            return Ok(Self(code, modifiers));
        }
        let KeyCode::Char(c) = code else { return Ok(Self(code, modifiers)) };
        // A terminal sends the same for these as for another key.
        let same = match c.to_ascii_lowercase() {
            'i' => "Tab",
            'm' => "Enter",
            '[' => "Esc",
            c @ ('a'..='z' | ' ') => return Ok(Self(KeyCode::Char(c), modifiers)),
            _ => {
                return Err(format!("`{text}` cannot be typed: Ctrl- needs a letter or a name"));
            }
        };
        Err(format!("`{text}` and {same} are the same key to a terminal: write {same}"))
    }
}

fn key_code(name: &str) -> Option<KeyCode> {
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let function = || name.strip_prefix(['F', 'f'])?.parse().ok().filter(|n| (1..=24).contains(n));
    known.map(|(_, code)| *code).or_else(|| function().map(KeyCode::F))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_usual_names() {
        let alt = Key(KeyCode::Char('X'), KeyModifiers::ALT);
        let names =
            [Key::plain('S'), Key::control('z'), Key::plain(' '), Key::code(KeyCode::F(5)), alt];
        assert_eq!(names.map(|key| key.to_string()), ["S", "Ctrl-Z", "space", "F5", "Alt-X"]);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        let codes = NAMES.iter().map(|(_, code)| *code).chain((1..=12).map(KeyCode::F));
        let characters = ('!'..='~').chain("éß漢".chars()).map(KeyCode::Char);
        let both = KeyModifiers::CONTROL | KeyModifiers::ALT;
        let mut seen = 0;
        for code in codes.chain(characters) {
            for modifiers in [KeyModifiers::NONE, KeyModifiers::ALT, KeyModifiers::CONTROL, both] {
                let key = Key(code, modifiers);
                // With Control, case makes no difference, and some characters cannot be typed.
                let control = modifiers.contains(KeyModifiers::CONTROL);
                if control && matches!(code, KeyCode::Char(c) if !matches!(c, 'a'..='z' | ' ')) {
                    continue;
                }
                if control && matches!(code, KeyCode::Char('i' | 'm')) {
                    continue;
                }
                assert_eq!(key.to_string().parse(), Ok(key), "{key}");
                seen += 1;
            }
        }
        assert!(seen > 300, "{seen}");
        assert_eq!("ctrl-R".parse(), Ok(Key::control('r')));
        assert_eq!("pgup".parse(), Ok(Key::code(KeyCode::PageUp)));
        assert_eq!("-".parse(), Ok(Key::plain('-')));
        for wrong in
            ["", " ", "\t", "Ctl-x", "Ctrl-", "Ctrl-Alt-", "F0", "F99", "kk", "Ctrl-1", "Ctrl-ä"]
        {
            assert!(wrong.parse::<Key>().is_err(), "{wrong:?}");
        }
        let tab = "Ctrl-I".parse::<Key>().unwrap_err();
        assert_eq!(tab, "`Ctrl-I` and Tab are the same key to a terminal: write Tab");
    }
}
