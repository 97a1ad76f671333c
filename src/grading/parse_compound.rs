//! Parses tuples, sets, intervals and matrices, and numbers in a base.

use super::expression::{Expr, Function, as_integer};
use super::intervals;
use super::parser::Parser;
use super::tokens::MathToken;
use super::value::AnswerValue;
use super::words;

impl Parser<'_> {
    /// Digits with a base as subscript or suffix.
    pub(super) fn number_in_base(&mut self) -> Option<AnswerValue> {
        let wrapped = self.sign('(');
        let mut digits = String::new();
        loop {
            match self.peek() {
                Some(MathToken::Number(n)) if !n.contains('.') => digits.push_str(n),
                Some(MathToken::Letter(c)) if !digits.is_empty() && c.is_ascii_uppercase() => {
                    digits.push(*c);
                }
                _ => break,
            }
            self.at += 1;
        }
        if wrapped && !self.sign(')') || digits.is_empty() {
            return None;
        }
        let base = self.base()?;
        let ends = matches!(
            self.peek(),
            None | Some(MathToken::Sign(',' | ';' | ')' | '⦄' | '}') | MathToken::Words(_))
        );
        ends.then_some(AnswerValue::InBase(digits, base))
    }

    /// `_8`, `_{(8)}`, `_{\text{eight}}`, `\text{ base } 8`, `\text{ (base 8)}`.
    fn base(&mut self) -> Option<u32> {
        let below = self.sign('_');
        let braced = below && self.sign('{');
        let wrapped = braced && self.sign('(');
        let mut said = false;
        if let Some(MathToken::Words(w)) = self.peek() {
            let lower = w.to_lowercase();
            let plain = lower.trim_matches(['(', ')', ' ']).trim_start_matches("in ");
            let rest = plain.strip_prefix("base").map(str::trim);
            if rest.is_none() && !below {
                return None;
            }
            said = true;
            let name = rest.unwrap_or(plain);
            if !name.is_empty() {
                self.at += 1;
                let base = name
                    .parse()
                    .ok()
                    .or_else(|| words::number_from_words(name).map(|n| n as u32))?;
                return (!wrapped || self.sign(')'))
                    .then_some(base)
                    .filter(|_| !braced || self.sign('}'));
            }
            self.at += 1;
        }
        if !below && !said {
            return None;
        }
        let Some(MathToken::Number(n)) = self.peek() else { return None };
        self.at += 1;
        let closed = (!wrapped || self.sign(')')) && (!braced || self.sign('}'));
        n.parse().ok().filter(|_| closed)
    }

    /// Skips the name of a point: `A(2,3)`.
    pub(super) fn skip_point_label(&mut self) {
        while matches!(self.peek(), Some(MathToken::Words(w)) if !words::is_conjunction(w)) {
            self.at += 1;
        }
        let named = matches!(self.peek(), Some(MathToken::Letter(c)) if c.is_ascii_uppercase());
        if named && self.peek_at(1) == Some(&MathToken::Sign('(')) {
            self.at += 1;
        }
    }

    /// `C(4, 2)`: a point of this name, or a number of combinations.
    pub(super) fn combinations(&mut self) -> Option<AnswerValue> {
        if self.peek() != Some(&MathToken::Letter('C')) {
            return None;
        }
        self.at += 1;
        if !self.sign('(') {
            return None;
        }
        let above = self.expr()?;
        let below = self.sign(',').then(|| self.expr())??;
        let fewer = match (as_integer(&above), as_integer(&below)) {
            (Some(n), Some(k)) => k <= n,
            _ => true,
        };
        let ends = self.sign(')') && self.peek().is_none() && fewer;
        ends.then(|| AnswerValue::Scalar(Expr::Call(Function::Binomial, vec![above, below])))
    }

    /// A value in brackets, with a set difference: `\mathbb{R} \setminus \{0\}`.
    pub(super) fn set_expression(&mut self) -> Option<AnswerValue> {
        let base = self.compound()?;
        let minus = self.peek() == Some(&MathToken::Sign('-'))
            && matches!(self.peek_at(1), Some(MathToken::Sign('⦃' | '{')));
        if self.command("setminus") || minus && self.sign('-') {
            let removed = self.compound()?;
            return intervals::set_difference(&base, &removed);
        }
        if self.try_parse(Self::transposed).is_some() {
            return Some(match base {
                AnswerValue::Matrix(rows) => AnswerValue::Matrix(transpose(&rows)?),
                other => other,
            });
        }
        Some(base)
    }

    /// `^T`
    fn transposed(&mut self) -> Option<()> {
        if !self.sign('^') {
            return None;
        }
        let braced = self.sign('{');
        let sign = matches!(self.peek()?, MathToken::Letter('T') | MathToken::Words(_))
            || matches!(self.peek()?, MathToken::Command(c) if c == "top" || c == "intercal");
        self.at += 1;
        (sign && (!braced || self.sign('}'))).then_some(())
    }

    /// A value in brackets that is not a scalar.
    pub(super) fn compound(&mut self) -> Option<AnswerValue> {
        self.nested(|p| {
            if p.command("emptyset") {
                return Some(AnswerValue::Set(Vec::new()));
            }
            if p.command("reals") {
                let (low, high) = (Expr::Infinity.negated(), Expr::Infinity);
                let items = vec![AnswerValue::Scalar(low), AnswerValue::Scalar(high)];
                return Some(AnswerValue::Tuple { open: '(', items, close: ')' });
            }
            if p.sign('⦃') {
                return p.set();
            }
            // A set without its backslashes.
            if p.sign('{') {
                let mut items = p.items()?;
                if !p.sign('}') {
                    return None;
                }
                if let [AnswerValue::Scalar(_) | AnswerValue::Relation(..)] = items.as_slice() {
                    return None;
                }
                return if items.len() == 1 { items.pop() } else { Some(AnswerValue::Set(items)) };
            }
            if let Some(MathToken::Begin(_)) = p.peek() {
                return p.matrix();
            }
            let Some(MathToken::Sign(open @ ('(' | '[' | '⟨' | ']'))) = p.peek() else {
                return None;
            };
            p.at += 1;
            let mut items = p.items()?;
            let Some(MathToken::Sign(close @ (')' | ']' | '⟩' | '['))) = p.peek() else {
                return None;
            };
            p.at += 1;
            if let [AnswerValue::Matrix(_) | AnswerValue::Tuple { .. } | AnswerValue::Union(_)] =
                items.as_slice()
            {
                return items.pop();
            }
            // `]a, b[` is an open interval.
            let open = if *open == ']' { '(' } else { *open };
            let close = if *close == '[' { ')' } else { *close };
            (items.len() > 1).then_some(AnswerValue::Tuple { open, items, close })
        })
    }

    /// A set after its opening brace.
    fn set(&mut self) -> Option<AnswerValue> {
        if self.sign('⦄') {
            return Some(AnswerValue::Set(Vec::new()));
        }
        // `x \in A \mid …`
        let member = matches!(self.peek(), Some(MathToken::Letter(_)))
            && matches!(self.peek_at(1), Some(MathToken::Command(c)) if c == "in");
        if member {
            let rest = &self.tokens[self.at..];
            let bar = rest.iter().position(|s| matches!(s.token, MathToken::Sign('|' | ':')))?;
            self.at += bar + 1;
            let condition = self.list()?;
            return self.sign('⦄').then_some(condition);
        }
        // `x \mid …` and `x : …`
        if let (Some(MathToken::Letter(_)), Some(MathToken::Sign('|' | ':'))) =
            (self.peek(), self.peek_at(1))
        {
            self.at += 2;
            let condition = self.list()?;
            return self.sign('⦄').then_some(condition);
        }
        let items = self.items()?;
        self.sign('⦄').then_some(AnswerValue::Set(items))
    }

    fn matrix(&mut self) -> Option<AnswerValue> {
        let Some(MathToken::Begin(kind)) = self.peek() else { return None };
        if !kind.ends_with("matrix") && kind != "array" || kind.to_lowercase() == "vmatrix" {
            return None;
        }
        self.at += 1;
        let mut rows = vec![Vec::new()];
        loop {
            match self.peek()? {
                MathToken::End(_) => break,
                MathToken::Row => {
                    self.at += 1;
                    rows.push(Vec::new());
                }
                MathToken::Sign('&') => self.at += 1,
                _ => {
                    let item = self.item()?;
                    rows.last_mut()?.push(item);
                }
            }
        }
        self.at += 1;
        rows.retain(|row| !row.is_empty());
        // A system of equations.
        if rows.iter().all(|row| matches!(row.as_slice(), [AnswerValue::Relation(..)])) {
            return Some(AnswerValue::List(rows.concat()));
        }
        (!rows.is_empty()).then_some(AnswerValue::Matrix(rows))
    }

    /// A matrix with a scalar factor.
    pub(super) fn scaled_matrix(&mut self) -> Option<AnswerValue> {
        let minus = self.sign('-');
        let factor = self.try_parse(Self::power).unwrap_or(Expr::integer(1));
        let factor = if minus { factor.negated() } else { factor };
        let AnswerValue::Matrix(mut rows) = self.matrix()? else { return None };
        if self.try_parse(Self::transposed).is_some() {
            rows = transpose(&rows)?;
        }
        for cell in rows.iter_mut().flatten() {
            let AnswerValue::Scalar(expr) = cell else { return None };
            *expr = factor.clone().times(expr.clone());
        }
        Some(AnswerValue::Matrix(rows))
    }

    pub(super) fn set_expressions_to_end(&mut self) -> Option<AnswerValue> {
        let mut parts = vec![self.set_expression()?];
        while self.command("cup") {
            parts.push(self.set_expression()?);
        }
        let ends = self.peek().is_none() || matches!(self.peek(), Some(MathToken::Sign(',')));
        if !ends {
            return None;
        }
        if parts.len() == 1 { parts.pop() } else { Some(AnswerValue::Union(parts)) }
    }
}

/// The transpose of a matrix.
fn transpose(rows: &[Vec<AnswerValue>]) -> Option<Vec<Vec<AnswerValue>>> {
    let width = rows.first()?.len();
    let column = |i: usize| rows.iter().map(|row| row.get(i).cloned()).collect();
    (0..width).map(column).collect()
}
