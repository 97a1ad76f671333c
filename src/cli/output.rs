//! Output of commands: lines, numbers, text from elsewhere.

use std::fmt::Debug;
use std::io::{self, Write};

use serde::Serialize;

use super::stdio::stdout;
use crate::episode::{FinishReason, Verdict};
use crate::safe_text::{safe_json, safe_line, safe_text};

/// Writes text to standard output, in a form that is safe for a terminal, and ends the line.
///
/// # Errors
/// If it cannot be written; [`io::ErrorKind::BrokenPipe`] if the reader went away.
pub(super) fn print_line(text: &str) -> io::Result<()> {
    writeln!(stdout(), "{}", safe_text(text))
}

/// Writes a value as a line of JSON to standard output. Escapes make it safe for a terminal and keep its value.
///
/// # Errors
/// As [`print_line`], and if it cannot be serialized.
pub(super) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    writeln!(stdout(), "{}", safe_json(&json))
}

/// A number with an SI prefix, to three digits: 80112 is `80.1k`.
pub(super) fn si(value: f64) -> String {
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

/// A number of bytes with an SI prefix.
pub(super) fn bytes(value: u64) -> String {
    format!("{}B", si(value as f64))
}

/// Text from a model, a user or a file as a part of a line: control characters, which could move the cursor or worse,
/// become spaces, and hidden characters are removed.
pub(super) fn strip_control_chars(text: &str) -> String {
    safe_line(text).into_owned()
}

/// How an episode ended. Answers keep their case: X is not x.
pub(super) fn describe_ending(
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

/// A line for a check of `doctor` or `models check`: `ok` or `error`, what was checked, the finding.
pub(super) fn check_line(what: &str, result: &Result<String, String>) -> String {
    let (mark, text) = match result {
        Ok(text) => ("ok", text),
        Err(text) => ("error", text),
    };
    format!("{mark}  {what:<12} {}", strip_control_chars(text))
}

/// The name of a verdict or a reason, in lower case.
pub(super) fn lowercase_name(name: impl Debug) -> String {
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
