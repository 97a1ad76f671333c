//! How headless commands write.

use std::fmt::Debug;
use std::io::{self, Write};

use crate::episode::{FinishReason, Verdict};

/// Writes a line to standard output.
///
/// # Errors
/// When it cannot be written; a reader that went away is [`io::ErrorKind::BrokenPipe`].
pub fn print_line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// A number with a prefix of the SI, to three digits: 80112 is `80.1k`.
pub fn si(value: f64) -> String {
    let (scale, unit) = match value.abs() {
        n if n >= 1e12 => (1e12, "T"),
        n if n >= 1e9 => (1e9, "G"),
        n if n >= 1e6 => (1e6, "M"),
        n if n >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let scaled = value / scale;
    let decimals = match scaled.abs() {
        n if n >= 100.0 || n.fract() == 0.0 => 0,
        n if n >= 10.0 => 1,
        _ => 2,
    };
    format!("{scaled:.decimals$}{unit}")
}

/// Bytes as a person reads them.
pub fn bytes(value: u64) -> String {
    format!("{}B", si(value as f64))
}

/// Text from a model, a person or a file as it may be shown on a terminal: control characters,
/// which could move the cursor or worse, become spaces.
pub fn strip_control_chars(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// How an episode ended. The answers keep their letters: X is not x.
pub fn describe_ending(
    answer: Option<&str>,
    gold: Option<&str>,
    verdict: Verdict,
    reason: FinishReason,
) -> String {
    let gold = gold.map_or(String::new(), |gold| format!(" (gold {gold})"));
    let answer = answer.unwrap_or("none");
    strip_control_chars(&format!(
        "answer {answer}{gold} · {} · {}",
        lowercase_name(verdict),
        lowercase_name(reason)
    ))
}

/// The name of a verdict or a reason, in small letters.
pub fn lowercase_name(name: impl Debug) -> String {
    format!("{name:?}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(si(80_112.0), "80.1k");
        assert_eq!(si(951_552.0), "952k");
        assert_eq!(si(7_615_616_512.0), "7.62G");
        assert_eq!(si(12.0), "12");
    }

    #[test]
    fn answers_keep_their_letters() {
        let ended = describe_ending(
            Some("X\u{1b}"),
            Some("\\Delta"),
            Verdict::Wrong,
            FinishReason::Answered,
        );
        assert_eq!(ended, "answer X  (gold \\Delta) · wrong · answered");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(strip_control_chars("a\x1b[2Jb\tc"), "a [2Jb c");
    }
}
