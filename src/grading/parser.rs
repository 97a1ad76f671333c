//! Parses an answer: tokens to a value.

use super::expression::Expr;
use super::tokenizer::tokenize;
use super::tokens::{MathToken, SpacedToken};
use super::value::{AnswerValue, Interpretation, RelationOp};
use super::{conditions, latex_vocabulary, units, words};

/// All interpretations of a text, the likeliest first; empty if it cannot be parsed.
pub(super) fn interpretations(text: &str) -> Vec<Interpretation> {
    let mut found: Vec<Interpretation> = Vec::new();
    let unescape_backslashes = latex_vocabulary::unescape_backslashes(text);
    let text = unescape_backslashes.as_deref().unwrap_or(text);
    for thousands in [true, false] {
        let Some(tokenize) = tokenize(text, thousands) else { continue };
        // The 000 of `20,000` is not an item of a list.
        let zeros = |s: &SpacedToken| matches!(&s.token, MathToken::Number(n) if n.len() > 1 && n.starts_with("00"));
        if !thousands && tokenize.iter().any(zeros) {
            continue;
        }
        add_interpretations(&mut found, &tokenize, false);
        if let Some(scaled) = units::apply_multiplier(&tokenize) {
            add_interpretations(&mut found, &scaled, false);
        }
        if let Some(without) = units::strip_unit(&tokenize) {
            add_interpretations(&mut found, &without, true);
        }
    }
    found
}

/// Adds the interpretations of tokens.
fn add_interpretations(found: &mut Vec<Interpretation>, tokens: &[SpacedToken], has_unit: bool) {
    let approx = |s: &SpacedToken| s.token == MathToken::Command("approx".into());
    for (i, piece) in tokens.split(approx).enumerate() {
        let Some((value, percent)) = parse(piece) else { continue };
        let modulus = piece.iter().find_map(|s| match &s.token {
            MathToken::Words(w) => w.strip_prefix("mod ").map(str::to_owned),
            _ => None,
        });
        let condition = conditions::condition_numbers(piece);
        let reading =
            Interpretation { value, percent, approximate: i > 0, modulus, condition, has_unit };
        if !found.contains(&reading) {
            found.push(reading);
        }
    }
}

/// Deeper nesting is rejected.
const MAX_DEPTH: usize = 60;

/// So is input that takes more parser steps than this.
const MAX_STEPS: usize = 50_000;

fn parse(tokens: &[SpacedToken]) -> Option<(AnswerValue, bool)> {
    let is = |s: &SpacedToken, name: &str| s.token == MathToken::Command(name.into());
    let mut rest = tokens;
    // The conclusion is the answer.
    if let Some(at) = conditions::last_outside_brackets(rest, |s| is(s, "implies")) {
        rest = &rest[at + 1..];
    }
    let unconditioned = conditions::generalize_index(rest, conditions::strip_conditions(rest)?);
    let phrased = conditions::all_reals_as_set(&unconditioned).unwrap_or(unconditioned);
    let members = conditions::strip_membership(phrased);
    let mut rest: &[SpacedToken] = &members;
    // `all integers n \ge 3`
    if let [
        SpacedToken { token: MathToken::Words(first), .. },
        SpacedToken { token: MathToken::Letter(_), .. },
        _,
        ..,
    ] = rest
        && words::means_all_integers(first)
    {
        rest = &rest[1..];
    }
    if is_statement(rest) {
        return None;
    }
    let edge =
        |s: &SpacedToken| matches!(s.token, MathToken::Sign(',' | ';' | ':') | MathToken::Row);
    while rest.last().is_some_and(edge) {
        rest = &rest[..rest.len() - 1];
    }
    let empty = |s: &SpacedToken| matches!(s.token, MathToken::Sign(':' | '='));
    while rest.first().is_some_and(empty) {
        rest = &rest[1..];
    }
    if rest.is_empty() {
        return None;
    }
    if let Some(words) = only_words(rest) {
        return Some((AnswerValue::Words(words), false));
    }
    // `5 \text{ is not possible}`
    if rest.iter().any(|s| matches!(&s.token, MathToken::Words(w) if words::has_negation(w))) {
        return None;
    }
    parse_all(rest)
        .or_else(|| parse_all(conditions::after_last_equals(rest)?).filter(|(v, _)| !is_zero(v)))
}

/// Parses all of the tokens.
fn parse_all(tokens: &[SpacedToken]) -> Option<(AnswerValue, bool)> {
    let mut parser =
        Parser { tokens, at: 0, depth: 0, steps_left: MAX_STEPS, percent: false, open_bars: 0 };
    let value = parser.list()?;
    (parser.at == tokens.len()).then_some((value, parser.percent))
}

/// Whether the value is zero: the right side of an equation, not its solution.
fn is_zero(value: &AnswerValue) -> bool {
    matches!(value, AnswerValue::Scalar(e) if e.literal().is_some_and(|(d, _)| d.trim_matches('0').is_empty()))
}

/// Whether words say something about a variable, as in `n odd`, rather than name a unit.
fn is_statement(tokens: &[SpacedToken]) -> bool {
    let says =
        |s: &SpacedToken| matches!(&s.token, MathToken::Words(w) if words::is_descriptive(w));
    let letter = |s: &SpacedToken| matches!(s.token, MathToken::Letter(_));
    tokens.iter().any(says) && tokens.iter().any(letter) && only_words(tokens).is_none()
}

/// The words, if there is nothing else.
fn only_words(tokens: &[SpacedToken]) -> Option<String> {
    let mut all = Vec::new();
    let mut real_word = false;
    for spaced in tokens {
        match &spaced.token {
            MathToken::Words(words) => {
                // A list of words is a list.
                if words::is_conjunction(words) && tokens.len() > 1 {
                    return None;
                }
                real_word = true;
                all.push(words.clone());
            }
            MathToken::Letter(letter) => match all.last_mut() {
                Some(last) if !spaced.space_before => last.push(*letter),
                _ => all.push(letter.to_string()),
            },
            _ => return None,
        }
    }
    real_word.then(|| all.join(" "))
}

/// A recursive-descent parser. Scalars are in `parse_scalar`, other values in `parse_compound`.
pub(super) struct Parser<'a> {
    pub(super) tokens: &'a [SpacedToken],
    pub(super) at: usize,
    depth: usize,
    /// Steps left, so that nested input cannot keep the grader busy.
    steps_left: usize,
    pub(super) percent: bool,
    /// Open bars of absolute values.
    pub(super) open_bars: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<&'a MathToken> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, n: usize) -> Option<&'a MathToken> {
        self.tokens.get(self.at + n).map(|s| &s.token)
    }

    pub(super) fn sign(&mut self, sign: char) -> bool {
        let is = self.peek() == Some(&MathToken::Sign(sign));
        self.at += usize::from(is);
        is
    }

    pub(super) fn command(&mut self, name: &str) -> bool {
        let is = matches!(self.peek(), Some(MathToken::Command(c)) if c == name);
        self.at += usize::from(is);
        is
    }

    /// Runs `read`; consumes nothing if it fails.
    pub(super) fn try_parse<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let (at, percent, open_bars) = (self.at, self.percent, self.open_bars);
        let found = read(self);
        if found.is_none() {
            (self.at, self.percent, self.open_bars) = (at, percent, open_bars);
        }
        found
    }

    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= MAX_DEPTH || self.steps_left == 0 {
            return None;
        }
        self.steps_left -= 1;
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn row(&mut self) -> bool {
        let is = self.peek() == Some(&MathToken::Row);
        self.at += usize::from(is);
        is
    }

    fn separator(&mut self) -> bool {
        let before = self.at;
        while self.sign(',') || self.sign(';') || self.sign('&') || self.row() {}
        if let Some(MathToken::Words(words)) = self.peek()
            && words::is_conjunction(words)
        {
            self.at += 1;
        }
        self.at > before
    }

    /// One item, or several with separators between them.
    pub(super) fn list(&mut self) -> Option<AnswerValue> {
        let mut items = self.items()?;
        if items.len() == 1 { items.pop() } else { Some(AnswerValue::List(items)) }
    }

    pub(super) fn items(&mut self) -> Option<Vec<AnswerValue>> {
        self.nested(|p| {
            let mut items = Vec::new();
            loop {
                match p.item()? {
                    AnswerValue::List(several) => items.extend(several),
                    one => items.push(one),
                }
                if !p.separator() {
                    return Some(items);
                }
            }
        })
    }

    pub(super) fn item(&mut self) -> Option<AnswerValue> {
        if let Some(number_in_base) = self.try_parse(Self::number_in_base) {
            return Some(number_in_base);
        }
        let rest = &self.tokens[self.at..];
        if rest.iter().any(|s| matches!(s.token, MathToken::Begin(_)))
            && let Some(scaled_matrix) = self.try_parse(Self::scaled_matrix)
        {
            return Some(scaled_matrix);
        }
        let compound = self.try_parse(|p| {
            if let Some(combinations) = p.try_parse(Self::combinations) {
                return Some(combinations);
            }
            p.skip_point_label();
            let mut value = p.set_expression()?;
            // `(x, y) = …`
            while p.sign('=') {
                value = p.set_expression()?;
            }
            let ends = match p.peek() {
                None | Some(MathToken::Words(_) | MathToken::Row) => true,
                Some(MathToken::Sign(c)) => {
                    matches!(c, ',' | ';' | ')' | ']' | '⦄' | '⟩' | '}' | '&')
                }
                Some(MathToken::Command(c)) => c == "cup",
                Some(MathToken::End(_)) => true,
                _ => false,
            };
            ends.then_some(value)
        });
        let Some(first) = compound else {
            return self.relation();
        };
        let mut parts = vec![first];
        while self.command("cup") {
            parts.push(self.set_expression()?);
        }
        // For example the units of a point.
        while matches!(self.peek(), Some(MathToken::Words(w)) if !words::is_conjunction(w)) {
            self.at += 1;
        }
        if parts.len() == 1 { parts.pop() } else { Some(AnswerValue::Union(parts)) }
    }

    /// Scalars with relations between them; a ratio; a scalar.
    fn relation(&mut self) -> Option<AnswerValue> {
        if let Some(words) = self.try_parse(Self::words) {
            return Some(words);
        }
        let mut sides = vec![self.expr()?];
        // `1 \over 2`
        if self.command("over") {
            sides = vec![sides.remove(0).divided_by(self.expr()?)];
        }
        if self.peek() == Some(&MathToken::Sign(':')) {
            while self.sign(':') {
                sides.push(self.expr()?);
            }
            return Some(AnswerValue::Ratio(sides));
        }
        let mut orders = Vec::new();
        while let Some(relation_op) = self.relation_op() {
            // `x = (1, 2)`: the label does not matter.
            let compound = relation_op == RelationOp::Equal;
            if compound && let Some(value) = self.try_parse(Self::set_expressions_to_end) {
                return Some(value);
            }
            orders.push(relation_op);
            sides.push(self.expr()?);
        }
        if orders.is_empty() {
            let mut both = expand_plus_minus(&sides[0]);
            return Some(match both.len() {
                1 => AnswerValue::Scalar(both.remove(0)),
                _ => AnswerValue::List(both.into_iter().map(AnswerValue::Scalar).collect()),
            });
        }
        let either = |minus| {
            AnswerValue::Relation(
                sides.iter().map(|s| s.with_sign(minus)).collect(),
                orders.clone(),
            )
        };
        if sides.iter().any(|s| s.any(&|e| *e == Expr::PlusMinus)) {
            return Some(AnswerValue::List(vec![either(false), either(true)]));
        }
        Some(AnswerValue::Relation(sides, orders))
    }

    /// An item of a list in words.
    fn words(&mut self) -> Option<AnswerValue> {
        let mut all = Vec::new();
        while let Some(MathToken::Words(words)) = self.peek() {
            if words::is_conjunction(words) {
                break;
            }
            self.at += 1;
            all.push(words.as_str());
        }
        let ends = match self.peek() {
            None | Some(MathToken::Words(_)) => true,
            Some(MathToken::Sign(c)) => matches!(c, ',' | ';' | ')' | ']' | '⦄' | '&'),
            Some(MathToken::End(_) | MathToken::Row) => true,
            _ => false,
        };
        (ends && !all.is_empty()).then(|| AnswerValue::Words(all.join(" ")))
    }

    fn relation_op(&mut self) -> Option<RelationOp> {
        let relation_op = match self.peek()? {
            MathToken::Sign('=') => RelationOp::Equal,
            MathToken::Sign('<') => RelationOp::Less,
            MathToken::Sign('>') => RelationOp::Greater,
            MathToken::Command(c) => match c.as_str() {
                "leq" => RelationOp::LessOrEqual,
                "geq" => RelationOp::GreaterOrEqual,
                "neq" => RelationOp::NotEqual,
                "equiv" => RelationOp::Equal,
                _ => return None,
            },
            _ => return None,
        };
        self.at += 1;
        Some(relation_op)
    }
}

/// Both interpretations of an expression with `±`; the expression itself without one.
fn expand_plus_minus(expr: &Expr) -> Vec<Expr> {
    if expr.any(&|e| *e == Expr::PlusMinus) {
        return vec![expr.with_sign(false), expr.with_sign(true)];
    }
    vec![expr.clone()]
}
