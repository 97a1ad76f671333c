//! Splits an answer into tokens: LaTeX as humans and models write it, or plain text.

use super::latex_vocabulary::FUNCTION_NAMES;
use super::tokens::{MathToken, SpacedToken};
use super::{normalize_tokens, words};

/// Longer texts are rejected: no answer is that long.
const MAX_LENGTH: usize = 4000;

/// The tokens of an answer; `None` if it is too long or has an unexpected character.
/// `thousands` says whether `1,000` is one number or a list of two.
pub(super) fn tokenize(text: &str, thousands: bool) -> Option<Vec<SpacedToken>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let chars = text.chars().collect();
    let mut reader = Tokenizer {
        chars,
        at: 0,
        thousands,
        out: Vec::new(),
        space_before: false,
        open_layouts: 0,
    };
    while reader.at < reader.chars.len() {
        reader.next_token()?;
    }
    Some(normalize_tokens::normalize(reader.out))
}

/// Reads an answer's characters. Its commands are read in `latex_commands`.
pub(super) struct Tokenizer {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) thousands: bool,
    pub(super) out: Vec<SpacedToken>,
    pub(super) space_before: bool,
    /// Number of open environments that only align lines.
    pub(super) open_layouts: usize,
}

impl Tokenizer {
    pub(super) fn push(&mut self, token: MathToken) {
        self.out.push(SpacedToken { token, space_before: self.space_before });
        self.space_before = false;
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    pub(super) fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    pub(super) fn digit(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|c| c.is_ascii_digit())
    }

    fn next_token(&mut self) -> Option<()> {
        let c = self.peek(0)?;
        if c.is_ascii_digit() || (c == '.' && (self.digit(1) || self.repeating_digits(1).is_some()))
        {
            self.number();
        } else if c.is_ascii_alphabetic() {
            self.letters();
        } else if c == '\\' {
            self.at += 1;
            self.command()?;
        } else if c.is_whitespace() || c == '$' || c == '~' {
            self.at += 1;
            self.space_before = true;
        } else {
            self.sign(c)?;
        }
        Some(())
    }

    fn sign(&mut self, c: char) -> Option<()> {
        if c == '&' && self.open_layouts > 0 {
            self.at += 1;
            return Some(());
        }
        let pair = |first: &str| self.starts(first);
        let (token, length) = if pair("<=") || pair("=<") {
            (MathToken::Command("leq".into()), 2)
        } else if pair(">=") {
            (MathToken::Command("geq".into()), 2)
        } else if pair("!=") && self.space_before {
            (MathToken::Command("neq".into()), 2)
        } else if pair("**") {
            (MathToken::Sign('^'), 2)
        } else if pair("==") {
            (MathToken::Sign('='), 2)
        } else if pair("->") || pair("=>") {
            (MathToken::Command("implies".into()), 2)
        } else if pair("...") {
            (MathToken::Command("dots".into()), 3)
        } else {
            match c {
                '+' | '*' | '/' | '^' | '_' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';'
                | ':' | '=' | '<' | '>' | '|' | '!' | '&' | '\'' | '%' => (MathToken::Sign(c), 1),
                '-' | '−' | '–' | '—' | '‐' | '‑' => (MathToken::Sign('-'), 1),
                // A full stop at the end of a sentence.
                '.' | '"' | '“' | '”' | '`' | '?' | '\u{200b}' | '€' | '£' | '¢' | '✓' | '■'
                | '∎' | '□' => {
                    self.at += 1;
                    return Some(());
                }
                '’' | '′' | '‘' => (MathToken::Sign('\''), 1),
                '×' | '·' | '⋅' | '∗' => (MathToken::Sign('*'), 1),
                '÷' | '⁄' => (MathToken::Sign('/'), 1),
                '⟨' | '〈' => (MathToken::Sign('⟨'), 1),
                '⟩' | '〉' => (MathToken::Sign('⟩'), 1),
                _ => return self.symbol(c),
            }
        };
        self.push(token);
        self.at += length;
        Some(())
    }

    /// Superscript or subscript digits, after the first.
    fn superscript_or_subscript(&mut self, first: char) -> Option<()> {
        const ABOVE: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻";
        const BELOW: &str = "₀₁₂₃₄₅₆₇₈₉";
        let (sign, set) =
            [('^', ABOVE), ('_', BELOW)].into_iter().find(|(_, s)| s.contains(first))?;
        let place = |c: char| set.chars().position(|known| known == c);
        let mut run = vec![place(first)?];
        while let Some(digit) = self.peek(0).and_then(place) {
            run.push(digit);
            self.at += 1;
        }
        self.push(MathToken::Sign(sign));
        self.push(MathToken::Sign('{'));
        let minus = run.first() == Some(&10);
        if minus {
            self.push(MathToken::Sign('-'));
        }
        let digits = run.iter().skip(usize::from(minus)).map(usize::to_string).collect();
        self.push(MathToken::Number(digits));
        self.push(MathToken::Sign('}'));
        Some(())
    }

    /// A character that stands for a command, a power or a fraction.
    fn symbol(&mut self, c: char) -> Option<()> {
        let name = match c {
            '≤' | '⩽' => "leq",
            '≥' | '⩾' => "geq",
            '≠' => "neq",
            '≈' | '≅' => "approx",
            '±' => "pm",
            '∓' => "mp",
            '∞' => "infty",
            '√' => "sqrt",
            '°' => "circ",
            '∪' => "cup",
            '∩' => "cap",
            '∈' => "in",
            '∅' => "emptyset",
            'ℝ' => "reals",
            'π' => "pi",
            '→' | '⇒' | '⟹' => "implies",
            '…' | '⋯' => "dots",
            '⌊' => "lfloor",
            '⌋' => "rfloor",
            '⌈' => "lceil",
            '⌉' => "rceil",
            'α' => "alpha",
            'β' => "beta",
            'γ' => "gamma",
            'δ' => "delta",
            'ε' => "epsilon",
            'θ' => "theta",
            'λ' => "lambda",
            'μ' => "mu",
            'φ' | 'ϕ' => "phi",
            'ρ' => "rho",
            'σ' => "sigma",
            'τ' => "tau",
            'ω' => "omega",
            _ => {
                self.at += 1;
                if let Some(sign) = self.superscript_or_subscript(c) {
                    return Some(sign);
                }
                let (above, below) = match c {
                    '½' => (1, 2),
                    '⅓' => (1, 3),
                    '⅔' => (2, 3),
                    '¼' => (1, 4),
                    '¾' => (3, 4),
                    '⅕' => (1, 5),
                    '⅛' => (1, 8),
                    _ => return self.non_latin_word(c),
                };
                self.push(MathToken::Command("frac".into()));
                for part in [above, below] {
                    self.push(MathToken::Sign('{'));
                    self.push(MathToken::Number(part.to_string()));
                    self.push(MathToken::Sign('}'));
                }
                return Some(());
            }
        };
        self.push(MathToken::Command(name.into()));
        self.at += 1;
        Some(())
    }

    /// A word in another alphabet.
    fn non_latin_word(&mut self, first: char) -> Option<()> {
        if !first.is_alphabetic() {
            return None;
        }
        let mut word = String::from(first);
        while let Some(c) = self.peek(0).filter(|c| c.is_alphabetic()) {
            word.push(c);
            self.at += 1;
        }
        self.push(MathToken::Words(word));
        Some(())
    }

    /// The length of the thousands separator at `ahead`, if exactly three digits follow it.
    fn thousands_separator(&self, ahead: usize) -> Option<usize> {
        let rest: String = (ahead..ahead + 8).map_while(|i| self.peek(i)).collect();
        let sure =
            ["{,}\\!", ",\\! ", ",\\!", "{,}", "\\,", "\\!", "\u{202f}", "\u{2009}", "\u{a0}"];
        let plain: &[&str] = if self.thousands { &[",", " "] } else { &[] };
        let found = sure.iter().chain(plain).find(|s| rest.starts_with(**s))?;
        let length = found.chars().count();
        let three = (0..3).all(|i| self.digit(ahead + length + i));
        (three && !self.digit(ahead + length + 3)).then_some(length)
    }

    fn number(&mut self) {
        let mut digits = String::new();
        while let Some(c) = self.peek(0).filter(char::is_ascii_digit) {
            digits.push(c);
            self.at += 1;
        }
        if (1..=3).contains(&digits.len()) && digits != "0" {
            while let Some(length) = self.thousands_separator(0) {
                self.at += length;
                for _ in 0..3 {
                    digits.extend(self.peek(0));
                    self.at += 1;
                }
            }
        }
        if self.peek(0) == Some('.') && (self.digit(1) || self.repeating_digits(1).is_some()) {
            self.at += 1;
            digits.push('.');
            while let Some(c) = self.peek(0).filter(char::is_ascii_digit) {
                digits.push(c);
                self.at += 1;
            }
            if let Some((repeat, length)) = self.repeating_digits(0) {
                self.at += length;
                self.push(MathToken::Repeating(digits, repeat));
                return;
            }
        }
        let power = self.power_of_ten(&digits);
        self.push(MathToken::Number(digits));
        if let Some(power) = power {
            for sign in ['*', '('] {
                self.push(MathToken::Sign(sign));
            }
            self.push(MathToken::Number("10".into()));
            for sign in ['^', '{'] {
                self.push(MathToken::Sign(sign));
            }
            if power.starts_with('-') {
                self.push(MathToken::Sign('-'));
            }
            self.push(MathToken::Number(power.trim_matches(['+', '-']).into()));
            for sign in ['}', ')'] {
                self.push(MathToken::Sign(sign));
            }
        }
    }

    /// The exponent of scientific notation, `2.5e-4`. `3e-2` may mean 3e minus two.
    fn power_of_ten(&mut self, digits: &str) -> Option<String> {
        let sure = self.peek(0) == Some('E') || digits.contains('.') || digits == "1";
        if !sure || !matches!(self.peek(0), Some('e' | 'E')) {
            return None;
        }
        let signed = matches!(self.peek(1), Some('+' | '-'));
        let mut power = String::new();
        power.extend(self.peek(1).filter(|_| signed));
        let start = 1 + usize::from(signed);
        power.extend((start..start + 4).map_while(|i| self.peek(i).filter(char::is_ascii_digit)));
        let length = power.chars().count() + 1;
        let ends = !self.peek(length).is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
        if power.is_empty() || length == start || !ends {
            return None;
        }
        self.at += length;
        Some(power)
    }

    /// The digits of an `\overline{…}` at `ahead`, and its length.
    fn repeating_digits(&self, ahead: usize) -> Option<(String, usize)> {
        let rest: String = self.chars[(self.at + ahead).min(self.chars.len())..].iter().collect();
        let commands = ["\\overline{", "\\bar{", "\\dot{"];
        let command = commands.iter().find(|c| rest.starts_with(**c))?;
        let (digits, _) = rest[command.len()..].split_once('}')?;
        let whole = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        whole.then(|| (digits.to_owned(), command.len() + digits.len() + 1))
    }

    /// A run of letters: a function, a word, or a product of variables.
    fn letters(&mut self) {
        let mut run = String::new();
        while let Some(c) = self.peek(0).filter(char::is_ascii_alphabetic) {
            run.push(c);
            self.at += 1;
        }
        let lower = run.to_ascii_lowercase();
        let after_number = matches!(
            self.out.last().map(|s| &s.token),
            Some(MathToken::Number(_) | MathToken::Sign('}' | ')' | '/') | MathToken::Words(_))
        );
        let minutes = lower == "min"
            && matches!(self.out.last().map(|s| &s.token), Some(MathToken::Number(_)))
            && !matches!(self.peek(0), Some('(' | '{' | '_' | '\\'));
        const NAMES: [&str; 6] = ["pi", "sqrt", "theta", "alpha", "infty", "frac"];
        if minutes {
            self.push(MathToken::Words(run));
        } else if FUNCTION_NAMES.contains(&lower.as_str()) || NAMES.contains(&lower.as_str()) {
            self.push(MathToken::Command(lower));
        } else if matches!(lower.as_str(), "infinity" | "inf") {
            self.push(MathToken::Command("infty".into()));
        } else if matches!(lower.as_str(), "degrees" | "degree") {
            self.push(MathToken::Command("circ".into()));
        } else if lower == "to" && after_number {
            self.push(MathToken::Sign(':'));
        } else if matches!(lower.as_str(), "percent" | "percentage" | "pct") {
            self.push(MathToken::Sign('%'));
        } else if run.len() == 2
            && run != lower
            && self.out.last().is_some_and(|s| s.token == MathToken::Sign('{'))
        {
            // The segment of `\frac{NO}{BO}`.
            for letter in run.chars() {
                self.push(MathToken::Letter(letter));
            }
        } else if run.len() >= 4
            || words::is_short_word(&lower)
            || (after_number && words::is_short_unit(&run))
        {
            self.push(MathToken::Words(run));
        } else {
            for letter in run.chars() {
                self.push(MathToken::Letter(letter));
            }
        }
    }
}
