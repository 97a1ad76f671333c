//! The tokens of an answer: LaTeX as people and models write it, or plain text.

use super::words;

/// The smallest thing that an answer is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// Digits, with a point where it has decimals. Thousands separators are gone.
    Number(String),
    /// A decimal with repeating digits: those before, and those that repeat.
    Repeating(String, String),
    /// A variable.
    Letter(char),
    /// A LaTeX command, or a function's name without its backslash. Synonyms have one name.
    Command(String),
    /// Text between the mathematics: units, labels, an answer in words.
    Words(String),
    /// An operator, bracket or other sign; `⦃` and `⦄` are a set's braces.
    Sign(char),
    /// The end of a matrix's row.
    Row,
    Begin(String),
    End(String),
}

/// A token, and whether there is a space before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spaced {
    pub token: Token,
    pub space: bool,
}

/// Longer answers are not read: no answer is.
const LONGEST: usize = 4000;

/// The tokens of an answer; nothing where it is too long or has a character that no answer has.
/// `thousands` says whether `1,000` is one number or a list of two.
pub fn tokens(text: &str, thousands: bool) -> Option<Vec<Spaced>> {
    if text.len() > LONGEST {
        return None;
    }
    let chars = text.chars().collect();
    let mut reader = Reader { chars, at: 0, thousands, out: Vec::new(), space: false, layouts: 0 };
    while reader.at < reader.chars.len() {
        reader.next()?;
    }
    Some(reader.out)
}

/// Functions whose names need no backslash.
pub const FUNCTIONS: [&str; 23] = [
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "arccot", "arcsec",
    "arccsc", "sinh", "cosh", "tanh", "log", "ln", "lg", "exp", "max", "min", "gcd", "lcm",
];

struct Reader {
    chars: Vec<char>,
    at: usize,
    thousands: bool,
    out: Vec<Spaced>,
    space: bool,
    /// Open environments that only lay lines out.
    layouts: usize,
}

/// Whether an environment only lays lines out.
fn is_layout(kind: &str) -> bool {
    matches!(kind.trim_end_matches('*'), "aligned" | "align" | "gathered" | "gather" | "split")
}

impl Reader {
    fn push(&mut self, token: Token) {
        self.out.push(Spaced { token, space: self.space });
        self.space = false;
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    fn digit(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|c| c.is_ascii_digit())
    }

    fn next(&mut self) -> Option<()> {
        let c = self.peek(0)?;
        if c.is_ascii_digit() || (c == '.' && (self.digit(1) || self.repeats(1).is_some())) {
            self.number();
        } else if c.is_ascii_alphabetic() {
            self.letters();
        } else if c == '\\' {
            self.at += 1;
            self.command()?;
        } else if c.is_whitespace() || c == '$' || c == '~' {
            self.at += 1;
            self.space = true;
        } else {
            self.sign(c)?;
        }
        Some(())
    }

    fn sign(&mut self, c: char) -> Option<()> {
        if c == '&' && self.layouts > 0 {
            self.at += 1;
            return Some(());
        }
        let pair = |first: &str| self.starts(first);
        let (token, length) = if pair("<=") || pair("=<") {
            (Token::Command("leq".into()), 2)
        } else if pair(">=") {
            (Token::Command("geq".into()), 2)
        } else if pair("!=") && self.space {
            (Token::Command("neq".into()), 2)
        } else if pair("**") {
            (Token::Sign('^'), 2)
        } else if pair("==") {
            (Token::Sign('='), 2)
        } else if pair("->") || pair("=>") {
            (Token::Command("implies".into()), 2)
        } else if pair("...") {
            (Token::Command("dots".into()), 3)
        } else {
            match c {
                '+' | '*' | '/' | '^' | '_' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';'
                | ':' | '=' | '<' | '>' | '|' | '!' | '&' | '\'' | '%' => (Token::Sign(c), 1),
                '-' | '−' | '–' | '—' | '‐' | '‑' => (Token::Sign('-'), 1),
                // A full stop at the end of a sentence.
                '.' | '"' | '“' | '”' | '`' | '?' | '\u{200b}' | '€' | '£' => {
                    self.at += 1;
                    return Some(());
                }
                '’' | '′' | '‘' => (Token::Sign('\''), 1),
                '×' | '·' | '⋅' | '∗' => (Token::Sign('*'), 1),
                '÷' => (Token::Sign('/'), 1),
                '⟨' | '〈' => (Token::Sign('⟨'), 1),
                '⟩' | '〉' => (Token::Sign('⟩'), 1),
                _ => return self.symbol(c),
            }
        };
        self.push(token);
        self.at += length;
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
                const RAISED: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";
                if let Some(digit) = RAISED.chars().position(|raised| raised == c) {
                    self.push(Token::Sign('^'));
                    self.push(Token::Number(digit.to_string()));
                    return Some(());
                }
                let (above, below) = match c {
                    '½' => (1, 2),
                    '⅓' => (1, 3),
                    '⅔' => (2, 3),
                    '¼' => (1, 4),
                    '¾' => (3, 4),
                    '⅕' => (1, 5),
                    '⅛' => (1, 8),
                    _ => return self.foreign(c),
                };
                self.push(Token::Command("frac".into()));
                for part in [above, below] {
                    self.push(Token::Sign('{'));
                    self.push(Token::Number(part.to_string()));
                    self.push(Token::Sign('}'));
                }
                return Some(());
            }
        };
        self.push(Token::Command(name.into()));
        self.at += 1;
        Some(())
    }

    /// A word of another alphabet.
    fn foreign(&mut self, first: char) -> Option<()> {
        if !first.is_alphabetic() {
            return None;
        }
        let mut word = String::from(first);
        while let Some(c) = self.peek(0).filter(|c| c.is_alphabetic()) {
            word.push(c);
            self.at += 1;
        }
        self.push(Token::Words(word));
        Some(())
    }

    /// The separator of thousands that stands `ahead`, as its length, where exactly three digits
    /// follow it.
    fn separator(&self, ahead: usize) -> Option<usize> {
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
            while let Some(length) = self.separator(0) {
                self.at += length;
                for _ in 0..3 {
                    digits.extend(self.peek(0));
                    self.at += 1;
                }
            }
        }
        if self.peek(0) == Some('.') && (self.digit(1) || self.repeats(1).is_some()) {
            self.at += 1;
            digits.push('.');
            while let Some(c) = self.peek(0).filter(char::is_ascii_digit) {
                digits.push(c);
                self.at += 1;
            }
            if let Some((repeat, length)) = self.repeats(0) {
                self.at += length;
                self.push(Token::Repeating(digits, repeat));
                return;
            }
        }
        self.push(Token::Number(digits));
    }

    /// The digits of an `\overline{…}` that stands `ahead`, and its length.
    fn repeats(&self, ahead: usize) -> Option<(String, usize)> {
        let rest: String = self.chars[(self.at + ahead).min(self.chars.len())..].iter().collect();
        let commands = ["\\overline{", "\\bar{", "\\dot{"];
        let command = commands.iter().find(|c| rest.starts_with(**c))?;
        let (digits, _) = rest[command.len()..].split_once('}')?;
        let whole = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        whole.then(|| (digits.to_owned(), command.len() + digits.len() + 1))
    }

    /// A run of letters: a function, a word, or variables side by side.
    fn letters(&mut self) {
        let mut run = String::new();
        while let Some(c) = self.peek(0).filter(char::is_ascii_alphabetic) {
            run.push(c);
            self.at += 1;
        }
        let lower = run.to_ascii_lowercase();
        let after_number = matches!(
            self.out.last().map(|s| &s.token),
            Some(Token::Number(_) | Token::Sign('}' | ')' | '/') | Token::Words(_))
        );
        const NAMES: [&str; 6] = ["pi", "sqrt", "theta", "alpha", "infty", "frac"];
        if FUNCTIONS.contains(&lower.as_str()) || NAMES.contains(&lower.as_str()) {
            self.push(Token::Command(lower));
        } else if matches!(lower.as_str(), "infinity" | "inf") {
            self.push(Token::Command("infty".into()));
        } else if matches!(lower.as_str(), "degrees" | "degree") {
            self.push(Token::Command("circ".into()));
        } else if lower == "to" && after_number {
            self.push(Token::Sign(':'));
        } else if matches!(lower.as_str(), "percent" | "percentage" | "pct") {
            self.push(Token::Sign('%'));
        } else if run.len() >= 4
            || words::is_short_word(&lower)
            || (after_number && words::is_short_unit(&run))
        {
            self.push(Token::Words(run));
        } else {
            for letter in run.chars() {
                self.push(Token::Letter(letter));
            }
        }
    }

    /// What is between the braces that follow, if any do.
    fn group(&mut self) -> Option<String> {
        let mut at = self.at;
        while self.chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        if self.chars.get(at) != Some(&'{') {
            return None;
        }
        let mut depth = 0_usize;
        for end in at..self.chars.len() {
            match self.chars[end] {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inside = self.chars[at + 1..end].iter().collect();
                self.at = end + 1;
                return Some(inside);
            }
        }
        None
    }

    /// What follows up to a closing bracket or a comma, and the bracket.
    fn rest_of_brackets(&mut self) -> String {
        let mut rest = String::new();
        while let Some(c) = self.peek(0).filter(|c| !",;$".contains(*c)) {
            self.at += 1;
            if matches!(c, ')' | '}') {
                break;
            }
            rest.push(c);
        }
        rest
    }

    /// What follows a backslash.
    fn command(&mut self) -> Option<()> {
        let Some(first) = self.peek(0) else { return Some(()) };
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            match first {
                '\\' if self.layouts > 0 => self.push(Token::Sign(',')),
                '\\' => self.push(Token::Row),
                '{' => self.push(Token::Sign('⦃')),
                '}' => self.push(Token::Sign('⦄')),
                '|' => self.push(Token::Sign('|')),
                '%' => self.push(Token::Sign('%')),
                // The delimiters of mathematics are no brackets of it.
                '(' | ')' | '[' | ']' => self.space = true,
                _ => self.space = true,
            }
            return Some(());
        }
        let mut name = String::new();
        while let Some(c) = self.peek(0).filter(char::is_ascii_alphabetic) {
            name.push(c);
            self.at += 1;
        }
        if self.peek(0) == Some('*') && name == "operatorname" {
            self.at += 1;
        }
        self.named(&name)
    }

    fn named(&mut self, name: &str) -> Option<()> {
        match name {
            "left" | "right" => {
                // An invisible bracket.
                if self.peek(0) == Some('.') {
                    self.at += 1;
                }
            }
            "big" | "Big" | "bigg" | "Bigg" | "bigl" | "bigr" | "Bigl" | "Bigr" | "biggl"
            | "biggr" | "Biggl" | "Biggr" | "middle" | "displaystyle" | "textstyle"
            | "scriptstyle" | "limits" | "nolimits" | "quad" | "qquad" | "enspace"
            | "thinspace" | "boxed" | "fbox" | "ensuremath" | "mathbf" | "mathit" | "mathcal"
            | "boldsymbol" | "bm" | "vec" | "hat" | "overrightarrow" | "bf" | "rm" | "it"
            | "therefore" | "angle" | "measuredangle" | "triangle" | "hline" | "relax"
            | "phantom" | "square" | "Box" | "checkmark" => self.space = true,
            "hspace" | "vspace" | "hphantom" | "vphantom" | "label" | "tag" | "color"
            | "textcolor" => {
                self.group();
                self.space = true;
            }
            "pmod" | "bmod" | "mod" => {
                let modulus = self.group().unwrap_or_else(|| self.rest_of_brackets());
                self.push(Token::Words(format!("mod {}", modulus.trim())));
            }
            "begin" => {
                let kind = self.group()?;
                if is_layout(&kind) {
                    self.layouts += 1;
                    return Some(());
                }
                if kind == "array" {
                    self.group();
                }
                self.push(Token::Begin(kind));
            }
            "end" => {
                let kind = self.group()?;
                if is_layout(&kind) {
                    self.layouts = self.layouts.saturating_sub(1);
                    return Some(());
                }
                self.push(Token::End(kind));
            }
            "text" | "textrm" | "textbf" | "textit" | "texttt" | "textsf" | "textnormal"
            | "emph" | "mbox" | "hbox" | "mathrm" | "mathsf" | "mathtt" | "operatorname" => {
                let Some(inside) = self.group() else { return Some(()) };
                self.text(&inside, matches!(name, "mathrm" | "mathsf" | "operatorname"))?;
            }
            "mathbb" => match self.group().as_deref() {
                Some("R") => self.push(Token::Command("reals".into())),
                Some(other) => self.push(Token::Command(format!("mathbb{other}"))),
                None => {}
            },
            "cdot" | "times" | "ast" => self.push(Token::Sign('*')),
            "div" => self.push(Token::Sign('/')),
            "lt" => self.push(Token::Sign('<')),
            "gt" => self.push(Token::Sign('>')),
            "colon" | "ratio" => self.push(Token::Sign(':')),
            "mid" | "vert" | "lvert" | "rvert" | "lVert" | "rVert" | "Vert" => {
                self.push(Token::Sign('|'));
            }
            "lbrace" => self.push(Token::Sign('⦃')),
            "rbrace" => self.push(Token::Sign('⦄')),
            "lbrack" => self.push(Token::Sign('[')),
            "rbrack" => self.push(Token::Sign(']')),
            "lparen" => self.push(Token::Sign('(')),
            "rparen" => self.push(Token::Sign(')')),
            "langle" => self.push(Token::Sign('⟨')),
            "rangle" => self.push(Token::Sign('⟩')),
            "prime" => self.push(Token::Sign('\'')),
            "land" | "lor" | "vee" => self.push(Token::Words("and".into())),
            _ => {
                let name = match name {
                    "dfrac" | "tfrac" | "cfrac" | "sfrac" => "frac",
                    "dbinom" | "tbinom" => "binom",
                    "le" | "leqslant" | "leqq" => "leq",
                    "ge" | "geqslant" | "geqq" => "geq",
                    "ne" => "neq",
                    "degree" | "textdegree" | "deg" => "circ",
                    "ldots" | "cdots" | "dotsc" | "dotsb" | "vdots" | "ddots" => "dots",
                    "varnothing" => "emptyset",
                    "to" | "rightarrow" | "Rightarrow" | "longrightarrow" | "Longrightarrow"
                    | "implies" | "iff" | "Leftrightarrow" => "implies",
                    "simeq" | "doteq" | "cong" => "approx",
                    "varphi" => "phi",
                    "varepsilon" => "epsilon",
                    "R" => "reals",
                    "bar" => "overline",
                    other => other,
                };
                self.push(Token::Command(name.into()));
            }
        }
        Some(())
    }

    /// What `\text{…}` has inside: mathematics where it has no word, and words otherwise.
    fn text(&mut self, inside: &str, upright: bool) -> Option<()> {
        let trimmed = inside.trim();
        let lower = trimmed.to_ascii_lowercase();
        let letters = trimmed.chars().filter(|c| c.is_alphabetic()).count();
        // `2 and 3`
        let joined: usize =
            trimmed.split_whitespace().filter(|w| words::joins(w)).map(str::len).sum();
        let list =
            joined > 0 && joined == letters && trimmed.contains(|c: char| c.is_ascii_digit());
        let mathematics = letters == 0 || list || inside.contains('\\') || inside.contains('$');
        if mathematics || FUNCTIONS.contains(&lower.as_str()) || (upright && letters == 1) {
            for token in tokens(inside, self.thousands)? {
                self.space |= token.space;
                self.push(token.token);
            }
        } else if lower.starts_with("(mod") {
            let modulus = format!("{} {}", &trimmed[4..], self.rest_of_brackets());
            self.push(Token::Words(format!("mod {}", modulus.trim())));
        } else if lower == "to" {
            // `3 to 4`
            self.push(Token::Sign(':'));
        } else {
            self.push(Token::Words(trimmed.to_owned()));
        }
        Some(())
    }
}
