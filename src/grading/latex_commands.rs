//! Reads the LaTeX commands of an answer, and the content of `\text{…}`.

use super::latex_vocabulary::FUNCTION_NAMES;
use super::tokenizer::{Tokenizer, tokenize};
use super::tokens::MathToken;
use super::{latex_vocabulary, units, words};

/// Whether an environment only aligns lines.
fn is_layout(kind: &str) -> bool {
    matches!(kind.trim_end_matches('*'), "aligned" | "align" | "gathered" | "gather" | "split")
}

/// Whether a text opens a bracket that is closed elsewhere: `\text{(since } x > 0)`.
fn opens_bracket_only(text: &str, lower: &str) -> bool {
    !text.contains(')') && !lower.starts_with("(mod")
}

impl Tokenizer {
    /// The content of the braces that follow, if any.
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

    /// The text up to a closing bracket or a comma, including the bracket.
    fn rest_of_brackets(&mut self) -> String {
        let mut rest = String::new();
        while let Some(c) = self.peek(0).filter(|c| !",;$=".contains(*c)) {
            self.at += 1;
            if matches!(c, ')' | '}') {
                break;
            }
            rest.push(c);
        }
        rest
    }

    /// Reads a command after its backslash.
    pub(super) fn command(&mut self) -> Option<()> {
        let Some(first) = self.peek(0) else { return Some(()) };
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            match first {
                '\\' => self.row(),
                // The brace before a system of equations.
                '{' if ["\\begin{array}", "\\begin{cases}", "\\begin{aligned}"]
                    .iter()
                    .any(|system| self.starts(system)) => {}
                '{' => self.push(MathToken::Sign('⦃')),
                '}' => self.push(MathToken::Sign('⦄')),
                '|' => self.push(MathToken::Sign('|')),
                '&' if self.space_before => self.push(MathToken::Words("and".into())),
                '%' => self.push(MathToken::Sign('%')),
                // The delimiters of mathematics are not brackets.
                '(' | ')' | '[' | ']' => self.space_before = true,
                _ => self.space_before = true,
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
        self.named_command(&name)
    }

    /// Reads the end of a row, with its optional spacing: `\\\\[4pt]`.
    fn row(&mut self) {
        if self.peek(0) == Some('*') {
            self.at += 1;
        }
        let rest: String = self.chars[self.at..].iter().take(24).collect();
        if let Some((space, _)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            let unit = space.trim_start_matches(|c: char| c.is_ascii_digit() || "-. ".contains(c));
            let known =
                matches!(unit.trim(), "pt" | "em" | "ex" | "mm" | "cm" | "in" | "px" | "mu");
            if known || unit.starts_with('\\') {
                self.at += space.chars().count() + 2;
            }
        }
        self.push(if self.open_layouts > 0 { MathToken::Sign(',') } else { MathToken::Row });
    }

    /// Whether the `cases` just opened are a system of equations.
    fn is_plain_cases(&self) -> bool {
        let rest: String = self.chars[self.at..].iter().collect();
        rest.split("\\end{cases}").next().is_some_and(|inside| !inside.contains('&'))
    }

    /// Reads `{i}` after `\mathbf` and the like as a unit vector.
    fn unit_vector(&mut self) -> bool {
        let inside = ["{i}", "{j}", "{k}", "{\\imath}", "{\\jmath}"];
        let Some(found) = inside.iter().find(|i| self.starts(i)) else { return false };
        let name = found.trim_matches(['{', '}', '\\']).chars().next().unwrap_or('i');
        self.at += found.chars().count();
        self.push(MathToken::Command(format!("unit {name}")));
        true
    }

    /// Whether a membership sign precedes.
    fn follows_membership_sign(&self) -> bool {
        self.out.last().is_some_and(|s| s.token == MathToken::Command("in".into()))
    }

    /// Skips `[…]`.
    fn skip_option(&mut self) {
        let rest: String = self.chars[self.at..].iter().collect();
        if let Some((option, _)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            self.at += option.chars().count() + 2;
        }
    }

    /// Whether a group with a number follows.
    fn group_is_number(&self) -> bool {
        self.peek(0) == Some('{') && self.digit(1)
    }

    /// The letters that follow.
    fn letter_run(&mut self) -> String {
        while self.peek(0).is_some_and(|c| c.is_whitespace() || c == '~') {
            self.at += 1;
        }
        let mut run = String::new();
        while let Some(c) = self.peek(0).filter(char::is_ascii_alphabetic) {
            run.push(c);
            self.at += 1;
        }
        run
    }

    fn named_command(&mut self, name: &str) -> Option<()> {
        match name {
            "left" | "right" => {
                // An invisible bracket.
                if self.peek(0) == Some('.') {
                    self.at += 1;
                }
            }
            _ if latex_vocabulary::is_invisible(name) => {
                self.group();
                self.space_before = true;
            }
            "mathbf" | "bf" | "Bbb" if self.follows_membership_sign() && self.starts("{R}") => {
                self.at += 3;
                self.push(MathToken::Command("reals".into()));
            }
            "boxed" | "fbox" | "boldsymbol" | "bm" if self.peek(0) == Some('{') => {
                for token in tokenize(&self.group()?, self.thousands)? {
                    self.space_before |= token.space_before;
                    self.push(token.token);
                }
            }
            "mathbf" | "hat" | "vec" | "boldsymbol" | "bm" if self.unit_vector() => {}
            "rm" => {
                let inside = self.group().unwrap_or_else(|| self.letter_run());
                self.text_group(&inside, true)?;
            }
            "mathbb" if self.group_is_number() => {}
            "bbox" => self.skip_option(),
            // `\quadx`
            _ if name.len() == 5 && name.starts_with("quad") => {
                self.space_before = true;
                self.push(MathToken::Letter(name.chars().last()?));
            }
            "cr" | "tabularnewline" | "newline" => self.row(),
            _ if latex_vocabulary::is_formatting(name) => self.space_before = true,
            "pmod" | "bmod" | "mod" => {
                let modulus = self.group().unwrap_or_else(|| self.rest_of_brackets());
                self.push(MathToken::Words(format!("mod {}", modulus.trim())));
            }
            "begin" => {
                let kind = self.group()?;
                if is_layout(&kind) || kind == "cases" && self.is_plain_cases() {
                    self.open_layouts += 1;
                    return Some(());
                }
                if kind == "array" {
                    self.group();
                }
                self.push(MathToken::Begin(kind));
            }
            "end" => {
                let kind = self.group()?;
                if is_layout(&kind) || kind == "cases" && self.open_layouts > 0 {
                    self.open_layouts = self.open_layouts.saturating_sub(1);
                    return Some(());
                }
                self.push(MathToken::End(kind));
            }
            "text" | "textrm" | "textbf" | "textit" | "texttt" | "textsf" | "textnormal"
            | "emph" | "mbox" | "hbox" | "mathrm" | "mathsf" | "mathtt" | "operatorname" => {
                let Some(inside) = self.group() else { return Some(()) };
                self.text_group(&inside, matches!(name, "mathrm" | "mathsf" | "operatorname"))?;
            }
            "mathbb" => match self.group().as_deref() {
                Some("R") => self.push(MathToken::Command("reals".into())),
                Some(other) => self.push(MathToken::Command(format!("mathbb{other}"))),
                None => {}
            },
            "cdot" | "times" | "ast" => self.push(MathToken::Sign('*')),
            "div" => self.push(MathToken::Sign('/')),
            "lt" => self.push(MathToken::Sign('<')),
            "gt" => self.push(MathToken::Sign('>')),
            "colon" | "ratio" => self.push(MathToken::Sign(':')),
            "mid" | "vert" | "lvert" | "rvert" | "lVert" | "rVert" | "Vert" => {
                self.push(MathToken::Sign('|'));
            }
            "lbrace" => self.push(MathToken::Sign('⦃')),
            "rbrace" => self.push(MathToken::Sign('⦄')),
            "lbrack" => self.push(MathToken::Sign('[')),
            "rbrack" => self.push(MathToken::Sign(']')),
            "lparen" => self.push(MathToken::Sign('(')),
            "rparen" => self.push(MathToken::Sign(')')),
            "langle" => self.push(MathToken::Sign('⟨')),
            "rangle" => self.push(MathToken::Sign('⟩')),
            "prime" => self.push(MathToken::Sign('\'')),
            "land" | "lor" | "vee" => self.push(MathToken::Words("and".into())),
            _ => {
                let name = latex_vocabulary::canonical_command(name);
                self.push(MathToken::Command(name.into()));
            }
        }
        Some(())
    }

    /// Reads text of one letter: a unit, the imaginary unit, or a degree sign.
    fn one_letter_text(&mut self, trimmed: &str, upright: bool) -> bool {
        let last = self.out.last().map(|s| &s.token);
        let counted = match last {
            Some(MathToken::Number(_) | MathToken::Words(_) | MathToken::Sign('}' | ')')) => true,
            Some(MathToken::Command(c)) => c == "pi" || c == "circ",
            Some(MathToken::Sign('/' | '*')) => {
                matches!(self.out.iter().rev().nth(1).map(|s| &s.token), Some(MathToken::Words(_)))
            }
            _ => false,
        };
        let above = matches!(last, Some(MathToken::Sign('^' | '{')));
        let token = match trimmed {
            "o" | "°" if above => MathToken::Command("circ".into()),
            "i" if !upright && last.is_some() => MathToken::Letter('i'),
            _ if upright && counted && units::is_unit_letter(trimmed) => {
                MathToken::Words(trimmed.into())
            }
            _ => return false,
        };
        self.push(token);
        true
    }

    /// Reads the content of `\text{…}`: mathematics if it has no word, words otherwise.
    fn text_group(&mut self, inside: &str, upright: bool) -> Option<()> {
        let trimmed = inside.trim_matches(|c: char| c.is_whitespace() || c == '~');
        if self.one_letter_text(trimmed, upright) {
            return Some(());
        }
        let lower = trimmed.to_ascii_lowercase();
        let letters = trimmed.chars().filter(|c| c.is_alphabetic()).count();
        // `2 and 3`
        let joined: usize =
            trimmed.split_whitespace().filter(|w| words::is_conjunction(w)).map(str::len).sum();
        let list =
            joined > 0 && joined == letters && trimmed.contains(|c: char| c.is_ascii_digit());
        let mathematics = letters == 0 || list || inside.contains('\\') || inside.contains('$');
        if mathematics || FUNCTION_NAMES.contains(&lower.as_str()) || (upright && letters == 1) {
            for token in tokenize(inside, self.thousands)? {
                self.space_before |= token.space_before;
                self.push(token.token);
            }
        } else if let Some(more) =
            trimmed.strip_prefix('(').filter(|_| opens_bracket_only(trimmed, &lower))
        {
            self.push(MathToken::Sign('('));
            self.text_group(more, upright)?;
        } else if lower.starts_with("(mod") {
            let modulus = format!("{} {}", &trimmed[4..], self.rest_of_brackets());
            self.push(MathToken::Words(format!("mod {}", modulus.trim())));
        } else if lower == "to" {
            // `3 to 4`
            self.push(MathToken::Sign(':'));
        } else {
            self.push(MathToken::Words(trimmed.to_owned()));
        }
        Some(())
    }
}
