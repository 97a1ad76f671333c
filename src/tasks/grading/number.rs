//! The grader of GSM8K: one number.
//!
//! Where a solution's answer is looked for, first to last: the last `#### N`; the last `\boxed{…}`;
//! after the last `answer is` and the like; the last number. Of a sentence that goes on calculating,
//! what follows its last `=` counts; of one that repeats the result of the last calculation, that.

use super::scan::{after_name, after_thought};
use super::words;

/// A number in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// Bytes of the text.
    pub begin: usize,
    pub end: usize,
    /// What it may be worth: `1.5 million` is 1,500,000, or 1.5 where millions were asked for.
    pub values: Vec<f64>,
}

/// The numbers of a text, in its order. Ordinals are none, nor are digits in a name such as `x2`.
pub fn spots(text: &str) -> Vec<Spot> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found: Vec<Spot> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let digit = |i: usize| chars.get(i).is_some_and(|(_, c)| c.is_ascii_digit());
        let begins = digit(at) || (chars[at].1 == '.' && digit(at + 1));
        if !begins {
            at += 1;
            continue;
        }
        let glued = at > 0 && chars[at - 1].1.is_alphabetic();
        let mut reader = Digits { chars: &chars, at };
        let read = reader.number();
        let end = reader.at;
        if let Some(value) = read
            && !glued
            && !reader.is_ordinal()
        {
            let (begin, sign) = sign(&chars, at);
            let (end, values) = reader.scaled(sign * value, end);
            let byte = |i: usize| chars.get(i).map_or(text.len(), |(byte, _)| *byte);
            found.push(Spot { begin: byte(begin), end: byte(end), values });
            at = reader.at.max(end);
        } else {
            at = end.max(at + 1);
        }
    }
    found
}

/// Where the number at `at` begins with its sign, and the sign.
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

struct Digits<'a> {
    chars: &'a [(usize, char)],
    at: usize,
}

impl Digits<'_> {
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
        (from..).take_while(|i| self.peek(*i) == Some(' ')).count()
    }

    /// A number with its thousands, decimals, exponent, fraction or clock time.
    fn number(&mut self) -> Option<f64> {
        let mut digits = self.digits();
        if (1..=3).contains(&digits.len()) {
            let separated = |d: &Self| {
                let mark = matches!(d.peek(0), Some(',' | '\u{a0}' | '\u{202f}' | '\u{2009}'));
                mark && (1..=3).all(|i| d.digit(i)) && !d.digit(4)
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
        // 1 1/2
        let gap = self.spaces(0);
        if gap == 1 && self.digit(1) {
            let mut part = Digits { chars: self.chars, at: self.at + 1 };
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

    /// The fraction whose upper part has just been read, where it is one.
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

    /// What the word after a number makes of it, and where that ends.
    fn scaled(&mut self, value: f64, end: usize) -> (usize, Vec<f64>) {
        let gap = self.spaces(0);
        let word = self.word(gap);
        if let Some(scale) = words::scale(&word) {
            self.at += gap + word.chars().count();
            return (self.at, vec![value * scale, value]);
        }
        let cents = matches!(word.as_str(), "cent" | "cents") || self.peek(gap) == Some('¢');
        if cents { (end, vec![value, value / 100.0]) } else { (end, vec![value]) }
    }
}

/// LaTeX and decoration that stand between a text and its numbers, taken away.
fn cleaned(text: &str) -> String {
    let mut out = text.to_owned();
    for (from, to) in [
        ("\\!", ""),
        ("{,}", ","),
        ("\\$", "$"),
        ("\\%", "%"),
        ("\\,", " "),
        ("\\;", " "),
        ("\\dfrac", "\\frac"),
        ("\\tfrac", "\\frac"),
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
        ("\\approx", "="),
        ("≈", "="),
    ] {
        out = out.replace(from, to);
    }
    // \frac{1}{2}, after a whole number or alone
    while let Some(at) = out.find("\\frac") {
        let rest = &out[at + 5..];
        let parts = rest.strip_prefix('{').and_then(|r| r.split_once("}{"));
        let parts = parts.and_then(|(above, r)| Some((above, r.split_once('}')?)));
        let number = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_digit());
        out = match parts {
            Some((above, (below, after))) if number(above) && number(below) => {
                let gap = if out[..at].ends_with(|c: char| c.is_ascii_digit()) { " " } else { "" };
                format!("{}{gap}{above}/{below}{after}", &out[..at])
            }
            _ => format!("{} {rest}", &out[..at]),
        };
    }
    out.chars().map(|c| if matches!(c, '{' | '}') { ' ' } else { c }).collect()
}

/// What a solution comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    /// As the solution has it.
    pub text: String,
    pub values: Vec<f64>,
}

impl Amount {
    fn of(text: &str, spot: &Spot) -> Self {
        Self { text: text[spot.begin..spot.end].to_owned(), values: spot.values.clone() }
    }
}

/// The number that a gold answer gives: what follows its `####`, or the number that it is.
pub fn gold(answer: &str) -> Option<Amount> {
    let marked = answer.rsplit_once("####").map(|(_, tail)| tail);
    let text = cleaned(marked.unwrap_or(answer));
    let spots = spots(&text);
    let spot = if marked.is_some() { spots.first() } else { spots.last() };
    spot.map(|spot| Amount::of(&text, spot))
}

/// The number that a solution ends with.
pub fn answer(solution: &str) -> Option<Amount> {
    let text = before_next_question(after_thought(solution));
    let hashes = text.rfind("####").and_then(|_| after_hashes(text));
    let boxed = last_box(text);
    let later = match (&hashes, &boxed) {
        (Some((h, _)), Some((b, _))) if b > h => boxed,
        (Some(_), _) => hashes,
        (None, _) => boxed,
    };
    if let Some((_, amount)) = later {
        return Some(amount);
    }
    if let Some(named) = after_name(text) {
        let segment = cleaned(first_sentence(named));
        let before = cleaned(&text[..text.len() - named.len()]);
        if let Some(amount) = in_sentence(&segment, true, &before).or_else(|| in_words(&segment)) {
            return Some(amount);
        }
    }
    let clean = cleaned(text);
    last_sentence(&clean).or_else(|| in_words(&clean))
}

/// The number of the last sentence that has one.
fn last_sentence(text: &str) -> Option<Amount> {
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    let mut begins: Vec<usize> =
        ends.chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    begins.push(0);
    begins.sort_unstable();
    let mut end = text.len();
    for begin in begins.into_iter().rev() {
        let sentence = without_reasons(&text[begin..end]);
        end = begin;
        if !spots(sentence).is_empty() {
            return in_sentence(sentence, false, &text[..begin]);
        }
    }
    None
}

/// The last of these numbers that the last calculation in `before` came to.
fn repeated<'a>(spots: &'a [Spot], before: &str) -> Option<&'a Spot> {
    let result = self::spots(&before[before.rfind('=')?..]).into_iter().next()?;
    spots.iter().rev().find(|spot| spot.values == result.values)
}

/// The text before a model goes on to questions that nobody asked.
fn before_next_question(text: &str) -> &str {
    let end = ["\nQuestion:", "\nQ:", "\nProblem:", "\n\nQuestion "]
        .iter()
        .filter_map(|mark| text.find(mark))
        .filter(|at| {
            let before = text[..*at].to_lowercase();
            before.contains("####") || before.contains("answer") || before.contains("\\boxed")
        })
        .min();
    &text[..end.unwrap_or(text.len())]
}

/// The number of the last `####` that is an answer and no heading, and where it stands.
fn after_hashes(text: &str) -> Option<(usize, Amount)> {
    text.rmatch_indices("####").find_map(|(at, mark)| {
        let rest = text[at + mark.len()..].trim_start_matches(['#', ' ', '\t', ':', '*', '\n']);
        let line = rest.lines().next().unwrap_or("");
        let (number, words) = line.split_once(['.', ')']).unwrap_or((line, ""));
        let listed = !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
            && words.starts_with(' ')
            && words.trim().starts_with(|c: char| c.is_alphabetic());
        let heading = listed || line.trim_start().starts_with(|c: char| c.is_alphabetic());
        let clean = cleaned(line);
        (!heading).then(|| in_sentence(&clean, true, "")).flatten().map(|amount| (at, amount))
    })
}

/// What the last box with a number has, and where it stands.
fn last_box(text: &str) -> Option<(usize, Amount)> {
    ["\\boxed", "\\fbox"].iter().filter_map(|mark| text.rfind(mark)).max().and_then(|at| {
        let found = super::scan::final_answer(&text[at..])?;
        let inside = found.texts.last()?;
        let worked_out = super::constant(inside);
        let clean = cleaned(inside);
        let amount = match worked_out {
            Some(value) => Amount { text: inside.clone(), values: vec![value] },
            None => in_sentence(&clean, false, "")?,
        };
        Some((at, amount))
    })
}

/// The first sentence of a text; below a heading, its first line.
fn first_sentence(text: &str) -> &str {
    let text = text.trim_start();
    let line = text.lines().next().unwrap_or("");
    let end = line
        .match_indices(['.', '?', '!'])
        .map(|(i, _)| i)
        .find(|i| line[i + 1..].is_empty() || line[i + 1..].starts_with(char::is_whitespace));
    &line[..end.unwrap_or(line.len())]
}

/// The number that a sentence comes to; `direct` says that it follows words that name an answer. Of
/// several numbers, that which the last calculation `before` it came to: in `he earned 10 dollars for
/// 50 minutes` after `50 × 0.2 = 10`, that is 10.
fn in_sentence(text: &str, direct: bool, before: &str) -> Option<Amount> {
    let text = without_reasons(text);
    let spots = spots(text);
    let (first, last) = (spots.first()?, spots.last()?);
    let equals = text.rfind('=');
    if direct {
        let before = &text[..first.begin];
        let about = ["about", "approximately", "a total of", "exactly", "equal to", "just", "only"];
        let bare = about.iter().fold(before.to_lowercase(), |b, word| b.replace(word, ""));
        let at_once = bare.chars().all(|c| !c.is_alphanumeric() && c != '=');
        let calculates = equals.filter(|e| *e > first.end).is_some_and(|e| {
            let between = &text[first.end..e];
            between.trim().is_empty() || between.contains(['+', '-', '*', '/', '×', '÷', 'x'])
        });
        if at_once && !calculates {
            return Some(Amount::of(text, first));
        }
    }
    let Some(equals) = equals else {
        return Some(Amount::of(text, repeated(&spots, before).unwrap_or(last)));
    };
    let Some(result) = spots.iter().find(|s| s.begin > equals) else {
        return Some(Amount::of(text, last));
    };
    let after = &text[result.end..last.end.max(result.end)];
    let goes_on = [",", ";", ". ", " so ", " thus ", " therefore ", " which ", "+", "×"];
    let ends = !goes_on.iter().any(|mark| after.contains(mark));
    Some(Amount::of(text, if ends { result } else { last }))
}

/// A sentence up to its `because`, where it has a number before and calculates nothing after.
fn without_reasons(text: &str) -> &str {
    let reason = [" because ", " since ", " as there are "].iter().filter_map(|r| text.find(r));
    match reason.min() {
        Some(at) if !text[at..].contains('=') && !spots(&text[..at]).is_empty() => &text[..at],
        _ => text,
    }
}

/// A number in words, where a text has no digits.
fn in_words(text: &str) -> Option<Amount> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
    (0..words.len()).rev().find_map(|end| {
        let begin = (end.saturating_sub(8)..=end)
            .find(|begin| words::number(&words[*begin..=end].join(" ")).is_some())?;
        let text = words[begin..=end].join(" ");
        Some(Amount { values: vec![words::number(&text)?], text })
    })
}

/// Whether a solution's number is the gold one. A number with more decimals than a gold one with at
/// least two may round to it.
pub fn same(gold: &Amount, answer: &Amount) -> bool {
    let Some(target) = gold.values.first() else { return false };
    let places = gold.text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let rounds = |v: f64| {
        let scale = 10_f64.powi(places.min(12) as i32);
        places >= 2 && (v * scale).round() == (target * scale).round()
    };
    let equal = |v: f64| (v - target).abs() <= 1e-9 * target.abs().max(1.0);
    answer.values.iter().any(|v| equal(*v) || (rounds(*v) && answer.text.len() > gold.text.len()))
}
