//! Reads what has brackets and is no scalar: tuples, sets, intervals, matrices; and numbers in a base.

use super::domains;
use super::expr::{Expr, Function, whole};
use super::parse::{Parser, Value};
use super::token::Token;
use super::words;

impl Parser<'_> {
    /// Digits with a base below or behind them.
    pub(super) fn based(&mut self) -> Option<Value> {
        let wrapped = self.sign('(');
        let mut digits = String::new();
        loop {
            match self.peek() {
                Some(Token::Number(n)) if !n.contains('.') => digits.push_str(n),
                Some(Token::Letter(c)) if !digits.is_empty() && c.is_ascii_uppercase() => {
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
            None | Some(Token::Sign(',' | ';' | ')' | '⦄' | '}') | Token::Words(_))
        );
        ends.then_some(Value::Based(digits, base))
    }

    /// `_8`, `_{(8)}`, `_{\text{eight}}`, `\text{ base } 8`, `\text{ (base 8)}`.
    fn base(&mut self) -> Option<u32> {
        let below = self.sign('_');
        let braced = below && self.sign('{');
        let wrapped = braced && self.sign('(');
        let mut said = false;
        if let Some(Token::Words(w)) = self.peek() {
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
                let base = name.parse().ok().or_else(|| words::number(name).map(|n| n as u32))?;
                return (!wrapped || self.sign(')'))
                    .then_some(base)
                    .filter(|_| !braced || self.sign('}'));
            }
            self.at += 1;
        }
        if !below && !said {
            return None;
        }
        let Some(Token::Number(n)) = self.peek() else { return None };
        self.at += 1;
        let closed = (!wrapped || self.sign(')')) && (!braced || self.sign('}'));
        n.parse().ok().filter(|_| closed)
    }

    /// Skips what only names a point: `A(2,3)`.
    pub(super) fn labels(&mut self) {
        while matches!(self.peek(), Some(Token::Words(w)) if !words::joins(w)) {
            self.at += 1;
        }
        let named = matches!(self.peek(), Some(Token::Letter(c)) if c.is_ascii_uppercase());
        if named && self.ahead(1) == Some(&Token::Sign('(')) {
            self.at += 1;
        }
    }

    /// `C(4, 2)`: a point of this name, or a number of combinations.
    pub(super) fn combinations(&mut self) -> Option<Value> {
        if self.peek() != Some(&Token::Letter('C')) {
            return None;
        }
        self.at += 1;
        if !self.sign('(') {
            return None;
        }
        let above = self.expr()?;
        let below = self.sign(',').then(|| self.expr())??;
        let fewer = match (whole(&above), whole(&below)) {
            (Some(n), Some(k)) => k <= n,
            _ => true,
        };
        let ends = self.sign(')') && self.peek().is_none() && fewer;
        ends.then(|| Value::Scalar(Expr::Call(Function::Binomial, vec![above, below])))
    }

    /// Something with brackets, less a part of it: `\mathbb{R} \setminus \{0\}`.
    pub(super) fn region(&mut self) -> Option<Value> {
        let base = self.compound()?;
        let minus = self.peek() == Some(&Token::Sign('-'))
            && matches!(self.ahead(1), Some(Token::Sign('⦃' | '{')));
        if self.command("setminus") || minus && self.sign('-') {
            let removed = self.compound()?;
            return domains::without(&base, &removed);
        }
        if self.attempt(Self::transposed).is_some() {
            return Some(match base {
                Value::Matrix(rows) => Value::Matrix(turned(&rows)?),
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
        let sign = matches!(self.peek()?, Token::Letter('T') | Token::Words(_))
            || matches!(self.peek()?, Token::Command(c) if c == "top" || c == "intercal");
        self.at += 1;
        (sign && (!braced || self.sign('}'))).then_some(())
    }

    /// Whatever has brackets and is no scalar.
    pub(super) fn compound(&mut self) -> Option<Value> {
        self.deeper(|p| {
            if p.command("emptyset") {
                return Some(Value::Set(Vec::new()));
            }
            if p.command("reals") {
                let (low, high) = (Expr::Infinity.negative(), Expr::Infinity);
                let items = vec![Value::Scalar(low), Value::Scalar(high)];
                return Some(Value::Tuple { open: '(', items, close: ')' });
            }
            if p.sign('⦃') {
                return p.set();
            }
            // A set whose backslashes are missing.
            if p.sign('{') {
                let mut items = p.items()?;
                if !p.sign('}') {
                    return None;
                }
                if let [Value::Scalar(_) | Value::Relation(..)] = items.as_slice() {
                    return None;
                }
                return if items.len() == 1 { items.pop() } else { Some(Value::Set(items)) };
            }
            if let Some(Token::Begin(_)) = p.peek() {
                return p.matrix();
            }
            let Some(Token::Sign(open @ ('(' | '[' | '⟨' | ']'))) = p.peek() else {
                return None;
            };
            p.at += 1;
            let mut items = p.items()?;
            let Some(Token::Sign(close @ (')' | ']' | '⟩' | '['))) = p.peek() else {
                return None;
            };
            p.at += 1;
            if let [Value::Matrix(_) | Value::Tuple { .. } | Value::Union(_)] = items.as_slice() {
                return items.pop();
            }
            // `]a, b[` is an open interval.
            let open = if *open == ']' { '(' } else { *open };
            let close = if *close == '[' { ')' } else { *close };
            (items.len() > 1).then_some(Value::Tuple { open, items, close })
        })
    }

    /// A set after its opening brace.
    fn set(&mut self) -> Option<Value> {
        if self.sign('⦄') {
            return Some(Value::Set(Vec::new()));
        }
        // `x \in A \mid …`
        let member = matches!(self.peek(), Some(Token::Letter(_)))
            && matches!(self.ahead(1), Some(Token::Command(c)) if c == "in");
        if member {
            let rest = &self.tokens[self.at..];
            let bar = rest.iter().position(|s| matches!(s.token, Token::Sign('|' | ':')))?;
            self.at += bar + 1;
            let condition = self.list()?;
            return self.sign('⦄').then_some(condition);
        }
        // `x \mid …` and `x : …`
        if let (Some(Token::Letter(_)), Some(Token::Sign('|' | ':'))) = (self.peek(), self.ahead(1))
        {
            self.at += 2;
            let condition = self.list()?;
            return self.sign('⦄').then_some(condition);
        }
        let items = self.items()?;
        self.sign('⦄').then_some(Value::Set(items))
    }

    fn matrix(&mut self) -> Option<Value> {
        let Some(Token::Begin(kind)) = self.peek() else { return None };
        if !kind.ends_with("matrix") && kind != "array" || kind.to_lowercase() == "vmatrix" {
            return None;
        }
        self.at += 1;
        let mut rows = vec![Vec::new()];
        loop {
            match self.peek()? {
                Token::End(_) => break,
                Token::Row => {
                    self.at += 1;
                    rows.push(Vec::new());
                }
                Token::Sign('&') => self.at += 1,
                _ => {
                    let item = self.item()?;
                    rows.last_mut()?.push(item);
                }
            }
        }
        self.at += 1;
        rows.retain(|row| !row.is_empty());
        // A system of equations.
        if rows.iter().all(|row| matches!(row.as_slice(), [Value::Relation(..)])) {
            return Some(Value::List(rows.concat()));
        }
        (!rows.is_empty()).then_some(Value::Matrix(rows))
    }

    /// A matrix with a factor before it.
    pub(super) fn scaled(&mut self) -> Option<Value> {
        let minus = self.sign('-');
        let factor = self.attempt(Self::power).unwrap_or(Expr::whole(1));
        let factor = if minus { factor.negative() } else { factor };
        let Value::Matrix(mut rows) = self.matrix()? else { return None };
        if self.attempt(Self::transposed).is_some() {
            rows = turned(&rows)?;
        }
        for cell in rows.iter_mut().flatten() {
            let Value::Scalar(expr) = cell else { return None };
            *expr = factor.clone().times(expr.clone());
        }
        Some(Value::Matrix(rows))
    }

    pub(super) fn compound_to_the_end(&mut self) -> Option<Value> {
        let mut parts = vec![self.region()?];
        while self.command("cup") {
            parts.push(self.region()?);
        }
        let ends = self.peek().is_none() || matches!(self.peek(), Some(Token::Sign(',')));
        if !ends {
            return None;
        }
        if parts.len() == 1 { parts.pop() } else { Some(Value::Union(parts)) }
    }
}

/// A matrix with its rows as columns.
fn turned(rows: &[Vec<Value>]) -> Option<Vec<Vec<Value>>> {
    let width = rows.first()?.len();
    let column = |i: usize| rows.iter().map(|row| row.get(i).cloned()).collect();
    (0..width).map(column).collect()
}
