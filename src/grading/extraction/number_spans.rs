//! Finds the numbers of a text.

use crate::grading::words;

/// A number in a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NumberSpan {
    /// Byte range in the text.
    pub(crate) begin: usize,
    pub(crate) end: usize,
    /// Possible values: `1.5 million` is 1,500,000, or 1.5 where millions were asked for.
    pub(crate) values: Vec<f64>,
}

/// The number that a solution answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NumericAnswer {
    /// As written in the solution.
    pub(crate) text: String,
    pub(crate) values: Vec<f64>,
}

impl NumericAnswer {
    pub(crate) fn of(text: &str, spot: &NumberSpan) -> Self {
        Self { text: text[spot.begin..spot.end].to_owned(), values: spot.values.clone() }
    }
}

/// The numbers of a text, in order, without ordinals, digits in names such as `x2`, and exponents.
pub(crate) fn number_spans(text: &str) -> Vec<NumberSpan> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found: Vec<NumberSpan> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let digit = |i: usize| chars.get(i).is_some_and(|(_, c)| c.is_ascii_digit());
        let begins = digit(at) || (chars[at].1 == '.' && digit(at + 1));
        if !begins {
            at += 1;
            continue;
        }
        let glued = at > 0 && joins_names(chars[at - 1].1) || is_exponent(&chars, at);
        let mut reader = NumberReader { chars: &chars, at };
        let read = reader.number();
        let end = reader.at;
        if let Some(value) = read
            && !glued
            && !reader.is_ordinal()
            && !reader.is_base()
        {
            let (begin, sign) = sign(&chars, at);
            let (end, values) = reader.apply_multiplier(sign * value, end);
            let byte = |i: usize| chars.get(i).map_or(text.len(), |(byte, _)| *byte);
            found.push(NumberSpan { begin: byte(begin), end: byte(end), values });
            at = reader.at.max(end);
        } else {
            at = end.max(at + 1);
        }
    }
    found
}

/// Whether a digit after `c` is part of a name. Chinese and Japanese write no spaces.
fn joins_names(c: char) -> bool {
    c.is_alphabetic() && c < '\u{2e80}'
}

/// Whether the digits at `at` are an exponent: `5 ft^2`, `10^{3}`.
fn is_exponent(chars: &[(usize, char)], at: usize) -> bool {
    let mut before =
        chars[..at].iter().rev().map(|(_, c)| *c).skip_while(|c| matches!(c, '{' | ' '));
    before.next() == Some('^')
}

/// The start of the number at `at` including its sign, and the sign.
fn sign(chars: &[(usize, char)], at: usize) -> (usize, f64) {
    let mut i = at;
    while i > 0 && matches!(chars[i - 1].1, '$' | '€' | '£') {
        i -= 1;
    }
    let minus = i > 0 && matches!(chars[i - 1].1, '-' | '−' | '–');
    let free = i < 2
        || !(chars[i - 2].1.is_alphanumeric() || matches!(chars[i - 2].1, ')' | ']' | '-' | '%'));
    if minus && free { (i - 1, -1.0) } else { (at, 1.0) }
}

struct NumberReader<'a> {
    chars: &'a [(usize, char)],
    at: usize,
}

impl NumberReader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).map(|(_, c)| *c)
    }

    fn digit(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|c| c.is_ascii_digit())
    }

    fn digits(&mut self) -> String {
        let mut digits = String::new();
        while let Some(c) = self.peek(0).filter(char::is_ascii_digit) {
            digits.push(c);
            self.at += 1;
        }
        digits
    }

    fn spaces(&self, from: usize) -> usize {
        (from..self.chars.len())
            .take_while(|i| matches!(self.peek(*i), Some(' ' | '\u{2009}')))
            .count()
    }

    /// A number with its thousands, decimals, exponent, fraction or clock time.
    fn number(&mut self) -> Option<f64> {
        let mut digits = self.digits();
        if (1..=3).contains(&digits.len()) {
            let separated = |d: &Self| {
                let mark = matches!(d.peek(0), Some(',' | '\u{a0}' | '\u{202f}' | '\u{2009}'));
                let zero = d.peek(0) == Some(' ') && d.peek(1) == Some('0');
                (mark || zero) && (1..=3).all(|i| d.digit(i)) && !d.digit(4)
            };
            while separated(self) {
                self.at += 1;
                digits.push_str(&self.digits());
            }
        }
        let whole = digits.clone();
        if self.peek(0) == Some('.') && self.digit(1) {
            self.at += 1;
            digits.push('.');
            digits.push_str(&self.digits());
        }
        let value: f64 = digits.parse().ok()?;
        if digits != whole {
            return Some(value);
        }
        // 5:30
        if self.peek(0) == Some(':') && self.digit(1) && self.digit(2) && !self.digit(3) {
            self.at += 1;
            let minutes: f64 = self.digits().parse().ok()?;
            return Some(value + minutes / 60.0);
        }
        // 1 1/2, `1 and 1/2`, `1 and a half`
        if let Some(part) = self.and_a_part() {
            return Some(value + part);
        }
        let gap = self.mixed_number_gap();
        if gap > 0 && self.digit(gap) {
            let mut part = NumberReader { chars: self.chars, at: self.at + gap };
            let above: Option<f64> = part.digits().parse().ok();
            if let Some(fraction) = above.and_then(|above| part.divided(above))
                && fraction < 1.0
            {
                self.at = part.at;
                return Some(value + fraction);
            }
        }
        self.divided(value).or(Some(value))
    }

    /// The distance to the fraction of a mixed number, after a space or an `and`.
    fn mixed_number_gap(&self) -> usize {
        let gap = self.spaces(0);
        let and = gap == 1 && self.word(1) == "and" && self.spaces(4) == 1;
        if and { 5 } else { usize::from(gap == 1) }
    }

    /// The fraction that `and a half` adds to the number before it.
    fn and_a_part(&mut self) -> Option<f64> {
        const PARTS: [(&str, f64); 3] =
            [(" and a half", 0.5), (" and a quarter", 0.25), (" and three quarters", 0.75)];
        let (words, part) = PARTS.iter().find(|(words, _)| {
            words
                .chars()
                .enumerate()
                .all(|(i, c)| self.peek(i).is_some_and(|p| p.to_ascii_lowercase() == c))
        })?;
        self.at += words.len();
        Some(*part)
    }

    /// The fraction whose numerator has just been read, if it is one.
    fn divided(&mut self, above: f64) -> Option<f64> {
        if self.peek(0) != Some('/') || !self.digit(1) {
            return None;
        }
        let before = self.at;
        self.at += 1;
        let below: f64 = self.digits().parse().ok()?;
        let goes_on =
            matches!(self.peek(0), Some('/')) || (self.peek(0) == Some('.') && self.digit(1));
        if below == 0.0 || goes_on {
            self.at = before;
            return None;
        }
        Some(above / below)
    }

    fn word(&self, from: usize) -> String {
        let letters = (from..).map_while(|i| self.peek(i)).take_while(|c| c.is_alphabetic());
        letters.collect::<String>().to_lowercase()
    }

    fn is_ordinal(&self) -> bool {
        matches!(self.word(0).as_str(), "st" | "nd" | "rd" | "th")
    }

    /// Whether an exponent follows, so that the number is only a base.
    fn is_base(&self) -> bool {
        let after =
            (0..).map_while(|i| self.peek(i)).take(4).filter(|c| !matches!(c, ' ' | '{' | '}'));
        let after: String = after.collect();
        after
            .strip_prefix('^')
            .is_some_and(|exponent| exponent.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// The values of a number with the word after it (`million`), and the end of that word.
    fn apply_multiplier(&mut self, value: f64, end: usize) -> (usize, Vec<f64>) {
        let gap = self.spaces(0);
        let word = self.word(gap);
        let length = word.chars().count();
        if let Some(scale) = words::multiplier(&word) {
            self.at += gap + length;
            return (self.at, vec![value * scale, value]);
        }
        let only = match word.as_str() {
            "k" if gap == 0 => Some(1e3),
            "hundred" => Some(1e2),
            _ => None,
        };
        if let Some(scale) = only {
            self.at += gap + length;
            return (self.at, vec![value * scale]);
        }
        let values = match word.as_str() {
            "dozen" | "dozens" => vec![value * 12.0, value],
            "cent" | "cents" => vec![value, value / 100.0],
            _ if self.peek(gap) == Some('¢') => vec![value, value / 100.0],
            _ => vec![value],
        };
        (end, values)
    }
}

/// The text without LaTeX and markup around its numbers.
pub(crate) fn without_markup(text: &str) -> String {
    const AWAY: [(&str, &str); 32] = [
        ("\\!", ""),
        ("{,}", ","),
        ("\\$", "$"),
        ("\\%", "%"),
        ("\\,", "\u{2009}"),
        ("\\;", " "),
        ("\\ ", " "),
        ("\\dfrac", "\\frac"),
        ("\\tfrac", "\\frac"),
        ("\\textbf", " "),
        ("\\text", " "),
        ("\\mathrm", " "),
        ("\\left", ""),
        ("\\right", ""),
        ("**", ""),
        ("__", ""),
        ("−", "-"),
        ("½", " 1/2"),
        ("¼", " 1/4"),
        ("¾", " 3/4"),
        ("\\(", " "),
        ("\\)", " "),
        ("\\[", " "),
        ("\\]", " "),
        ("\\times", "×"),
        ("\\cdot", "×"),
        ("\\div", "÷"),
        ("\\approx", "="),
        ("≈", "="),
        ("＝", "="),
        ("\u{a0}", "\u{2009}"),
        ("\u{202f}", "\u{2009}"),
    ];
    let plain = AWAY.iter().fold(text.to_owned(), |out, (from, to)| out.replace(from, to));
    let plain = without_fractions(&plain);
    plain.chars().map(|c| if matches!(c, '{' | '}') { ' ' } else { c }).collect()
}

/// `\frac{1}{2}`, after a whole number or alone, as `1/2`.
fn without_fractions(text: &str) -> String {
    let number = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_digit());
    let mut pieces = text.split("\\frac");
    let mut out = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        let parts = piece.strip_prefix('{').and_then(|r| r.split_once("}{"));
        let parts = parts.and_then(|(above, r)| Some((above, r.split_once('}')?)));
        match parts {
            Some((above, (below, after))) if number(above) && number(below) => {
                let gap = if out.ends_with(|c: char| c.is_ascii_digit()) { " " } else { "" };
                out.extend([gap, above, "/", below, after]);
            }
            _ => {
                out.push(' ');
                out.push_str(piece);
            }
        }
    }
    out
}
