//! Reads an answer: tokens to a value.

use super::expr::Expr;
use super::token::{Spaced, Token, tokens};
use super::words;

/// What an answer is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(Expr),
    /// An answer in words.
    Words(String),
    /// Several answers in any order.
    List(Vec<Value>),
    /// A set in braces.
    Set(Vec<Value>),
    /// A tuple, a point, a vector or an interval, with its brackets.
    Tuple {
        open: char,
        items: Vec<Value>,
        close: char,
    },
    Union(Vec<Value>),
    Matrix(Vec<Vec<Value>>),
    /// Expressions with relations between them.
    Relation(Vec<Expr>, Vec<Order>),
    /// A number in another base than ten: its digits and the base.
    Based(String, u32),
    /// `3:4`.
    Ratio(Vec<Expr>),
}

/// How two sides of a relation stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What a text was read as.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub value: Value,
    /// It had a percent sign.
    pub percent: bool,
    /// It was said to be approximate.
    pub approximate: bool,
    /// What it is a remainder by.
    pub modulus: Option<String>,
}

/// Everything that a text may mean, the likeliest first; nothing where it cannot be read.
pub fn readings(text: &str) -> Vec<Reading> {
    let mut found: Vec<Reading> = Vec::new();
    for thousands in [true, false] {
        let Some(tokens) = tokens(text, thousands) else { continue };
        let approx = |s: &Spaced| s.token == Token::Command("approx".into());
        let pieces: Vec<&[Spaced]> = tokens.split(approx).collect();
        for (i, piece) in pieces.iter().enumerate() {
            let Some((value, percent)) = parse(piece) else { continue };
            let modulus = piece.iter().find_map(|s| match &s.token {
                Token::Words(w) => w.strip_prefix("mod ").map(str::to_owned),
                _ => None,
            });
            let reading = Reading { value, percent, approximate: i > 0, modulus };
            if !found.contains(&reading) {
                found.push(reading);
            }
        }
    }
    found
}

/// Deeper nesting is not read.
const DEEPEST: usize = 60;

/// Nor is what takes more steps than this.
const EFFORT: usize = 50_000;

fn parse(tokens: &[Spaced]) -> Option<(Value, bool)> {
    let is = |s: &Spaced, name: &str| s.token == Token::Command(name.into());
    let mut rest = tokens;
    // What follows from it is the answer.
    if let Some(at) = rest.iter().rposition(|s| is(s, "implies")) {
        rest = &rest[at + 1..];
    }
    // `…, where …`
    let condition = |s: &Spaced| matches!(&s.token, Token::Words(w) if words::is_condition(w));
    if let Some(at) = rest.iter().position(condition).filter(|at| *at > 0) {
        rest = &rest[..at];
    }
    if is_statement(rest) {
        return None;
    }
    let mut index = None;
    if let Some(at) = rest.iter().position(|s| is(s, "in")) {
        match outer_comma(&rest[..at]) {
            // `n\pi, n \in \mathbb{Z}`: whatever the name, it stands for any whole number.
            Some(comma) => {
                index = Some(rest[comma + 1..at].to_vec());
                rest = &rest[..comma];
            }
            // `x \in …`
            None => rest = &rest[at + 1..],
        }
    }
    let renamed: Vec<Spaced>;
    if let Some([name]) = index.as_deref() {
        let any = |s: &Spaced| {
            let known = s.token != name.token;
            let token = if known { s.token.clone() } else { Token::Command(ANY.into()) };
            Spaced { token, space: s.space }
        };
        renamed = rest.iter().map(any).collect();
        rest = &renamed;
    }
    let edge = |s: &Spaced| matches!(s.token, Token::Sign(',' | ';' | ':') | Token::Row);
    while rest.last().is_some_and(edge) {
        rest = &rest[..rest.len() - 1];
    }
    let empty = |s: &Spaced| s.token == Token::Sign(':') || s.token == Token::Sign('=');
    while rest.first().is_some_and(empty) {
        rest = &rest[1..];
    }
    if rest.is_empty() {
        return None;
    }
    if let Some(words) = only_words(rest) {
        return Some((Value::Words(words), false));
    }
    let mut parser =
        Parser { tokens: rest, at: 0, depth: 0, effort: EFFORT, percent: false, bars: 0 };
    let value = parser.list()?;
    (parser.at == rest.len()).then_some((value, parser.percent))
}

/// Whether words say something about a variable, as in `n odd`, rather than name a unit.
fn is_statement(tokens: &[Spaced]) -> bool {
    let says = |s: &Spaced| matches!(&s.token, Token::Words(w) if words::says_something(w));
    let letter = |s: &Spaced| matches!(s.token, Token::Letter(_));
    tokens.iter().any(says) && tokens.iter().any(letter) && only_words(tokens).is_none()
}

/// The name of an index that runs over all whole numbers.
const ANY: &str = "index";

/// The last comma that is in no bracket.
fn outer_comma(tokens: &[Spaced]) -> Option<usize> {
    let mut depth = 0_i32;
    tokens.iter().enumerate().rev().find_map(|(at, spaced)| {
        match &spaced.token {
            Token::Sign(')' | ']' | '}' | '⦄') => depth += 1,
            Token::Sign('(' | '[' | '{' | '⦃') => depth -= 1,
            Token::Sign(',') if depth == 0 => return Some(at),
            _ => {}
        }
        None
    })
}

/// The words, where there is nothing else.
fn only_words(tokens: &[Spaced]) -> Option<String> {
    let mut all = Vec::new();
    let mut real_word = false;
    for spaced in tokens {
        match &spaced.token {
            Token::Words(words) => {
                // A list of words is a list.
                if words::joins(words) && tokens.len() > 1 {
                    return None;
                }
                real_word = true;
                all.push(words.clone());
            }
            Token::Letter(letter) => match all.last_mut() {
                Some(last) if !spaced.space => last.push(*letter),
                _ => all.push(letter.to_string()),
            },
            _ => return None,
        }
    }
    real_word.then(|| all.join(" "))
}

/// Reads tokens one after the other. Its scalars are in the file `scalar`.
pub(super) struct Parser<'a> {
    pub(super) tokens: &'a [Spaced],
    pub(super) at: usize,
    depth: usize,
    /// Steps that are left: whoever nests and nests shall not keep the grader busy.
    effort: usize,
    pub(super) percent: bool,
    /// Open bars of absolute values.
    pub(super) bars: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, n: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + n).map(|s| &s.token)
    }

    pub(super) fn sign(&mut self, sign: char) -> bool {
        let is = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is);
        is
    }

    pub(super) fn command(&mut self, name: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Command(c)) if c == name);
        self.at += usize::from(is);
        is
    }

    /// Runs `read`; where it fails, nothing has been taken.
    pub(super) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let (at, percent, bars) = (self.at, self.percent, self.bars);
        let found = read(self);
        if found.is_none() {
            (self.at, self.percent, self.bars) = (at, percent, bars);
        }
        found
    }

    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEEPEST || self.effort == 0 {
            return None;
        }
        self.effort -= 1;
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn separator(&mut self) -> bool {
        let before = self.at;
        while self.sign(',') || self.sign(';') {}
        if let Some(Token::Words(words)) = self.peek()
            && words::joins(words)
        {
            self.at += 1;
        }
        self.at > before
    }

    /// One item, or several with separators between them.
    fn list(&mut self) -> Option<Value> {
        let mut items = self.items()?;
        if items.len() == 1 { items.pop() } else { Some(Value::List(items)) }
    }

    fn items(&mut self) -> Option<Vec<Value>> {
        self.deeper(|p| {
            let mut items = Vec::new();
            loop {
                match p.item()? {
                    Value::List(several) => items.extend(several),
                    one => items.push(one),
                }
                if !p.separator() {
                    return Some(items);
                }
            }
        })
    }

    fn item(&mut self) -> Option<Value> {
        if let Some(based) = self.attempt(Self::based) {
            return Some(based);
        }
        let rest = &self.tokens[self.at..];
        if rest.iter().any(|s| matches!(s.token, Token::Begin(_)))
            && let Some(scaled) = self.attempt(Self::scaled)
        {
            return Some(scaled);
        }
        let compound = self.attempt(|p| {
            let mut value = p.compound()?;
            // `(x, y) = …`
            if matches!(value, Value::Tuple { .. }) && p.sign('=') {
                value = p.compound()?;
            }
            let ends = match p.peek() {
                None | Some(Token::Words(_) | Token::Row) => true,
                Some(Token::Sign(c)) => matches!(c, ',' | ';' | ')' | ']' | '⦄' | '⟩' | '}' | '&'),
                Some(Token::Command(c)) => c == "cup",
                Some(Token::End(_)) => true,
                _ => false,
            };
            ends.then_some(value)
        });
        let Some(first) = compound else {
            return self.relation();
        };
        let mut parts = vec![first];
        while self.command("cup") {
            parts.push(self.compound()?);
        }
        // Units of a point, say.
        while matches!(self.peek(), Some(Token::Words(w)) if !words::joins(w)) {
            self.at += 1;
        }
        if parts.len() == 1 { parts.pop() } else { Some(Value::Union(parts)) }
    }

    /// Digits with a base below them.
    fn based(&mut self) -> Option<Value> {
        let wrapped = self.sign('(');
        let mut digits = String::new();
        loop {
            match self.peek()? {
                Token::Number(n) if !n.contains('.') => digits.push_str(n),
                Token::Letter(c) if !digits.is_empty() && c.is_ascii_uppercase() => digits.push(*c),
                _ => break,
            }
            self.at += 1;
        }
        if wrapped && !self.sign(')') {
            return None;
        }
        if digits.is_empty() || !self.sign('_') {
            return None;
        }
        let braced = self.sign('{');
        let base = match self.peek()? {
            Token::Number(n) => n.parse().ok()?,
            Token::Words(w) => words::number(w)? as u32,
            _ => return None,
        };
        self.at += 1;
        if braced && !self.sign('}') {
            return None;
        }
        let ends = matches!(
            self.peek(),
            None | Some(Token::Sign(',' | ';' | ')' | '⦄' | '}') | Token::Words(_))
        );
        ends.then_some(Value::Based(digits, base))
    }

    /// Whatever has brackets and is no scalar.
    fn compound(&mut self) -> Option<Value> {
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
                let items = p.items()?;
                return (items.len() > 1 && p.sign('}')).then_some(Value::Set(items));
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
        if !kind.ends_with("matrix") && kind != "array" {
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
        (!rows.is_empty()).then_some(Value::Matrix(rows))
    }

    /// A matrix with a factor before it.
    fn scaled(&mut self) -> Option<Value> {
        let minus = self.sign('-');
        let factor = self.attempt(Self::power).unwrap_or(Expr::whole(1));
        let factor = if minus { factor.negative() } else { factor };
        let Value::Matrix(mut rows) = self.matrix()? else { return None };
        for cell in rows.iter_mut().flatten() {
            let Value::Scalar(expr) = cell else { return None };
            *expr = factor.clone().times(expr.clone());
        }
        Some(Value::Matrix(rows))
    }

    /// Scalars with relations between them; a ratio; a scalar.
    fn relation(&mut self) -> Option<Value> {
        if let Some(words) = self.attempt(Self::words) {
            return Some(words);
        }
        let mut sides = vec![self.expr()?];
        if self.peek() == Some(&Token::Sign(':')) {
            while self.sign(':') {
                sides.push(self.expr()?);
            }
            return Some(Value::Ratio(sides));
        }
        let mut orders = Vec::new();
        while let Some(order) = self.order() {
            // `x = (1, 2)`: the label says nothing.
            let compound = order == Order::Equal;
            if compound && let Some(value) = self.attempt(Self::compound_to_the_end) {
                return Some(value);
            }
            orders.push(order);
            sides.push(self.expr()?);
        }
        if orders.is_empty() {
            return expanded(&sides[0]).map(|mut both| match both.len() {
                1 => Value::Scalar(both.remove(0)),
                _ => Value::List(both.into_iter().map(Value::Scalar).collect()),
            });
        }
        let either = |minus| {
            Value::Relation(sides.iter().map(|s| s.signed(minus)).collect(), orders.clone())
        };
        if sides.iter().any(|s| s.any(&|e| *e == Expr::EitherSign)) {
            return Some(Value::List(vec![either(false), either(true)]));
        }
        Some(Value::Relation(sides, orders))
    }

    fn compound_to_the_end(&mut self) -> Option<Value> {
        let mut parts = vec![self.compound()?];
        while self.command("cup") {
            parts.push(self.compound()?);
        }
        let ends = self.peek().is_none() || matches!(self.peek(), Some(Token::Sign(',')));
        if !ends {
            return None;
        }
        if parts.len() == 1 { parts.pop() } else { Some(Value::Union(parts)) }
    }

    /// An item of a list that has words only.
    fn words(&mut self) -> Option<Value> {
        let mut all = Vec::new();
        while let Some(Token::Words(words)) = self.peek() {
            if words::joins(words) {
                break;
            }
            self.at += 1;
            all.push(words.as_str());
        }
        let ends = match self.peek() {
            None | Some(Token::Words(_)) => true,
            Some(Token::Sign(c)) => matches!(c, ',' | ';' | ')' | ']' | '⦄' | '&'),
            Some(Token::End(_) | Token::Row) => true,
            _ => false,
        };
        (ends && !all.is_empty()).then(|| Value::Words(all.join(" ")))
    }

    fn order(&mut self) -> Option<Order> {
        let order = match self.peek()? {
            Token::Sign('=') => Order::Equal,
            Token::Sign('<') => Order::Less,
            Token::Sign('>') => Order::More,
            Token::Command(c) => match c.as_str() {
                "leq" => Order::AtMost,
                "geq" => Order::AtLeast,
                "neq" => Order::Unequal,
                "equiv" => Order::Equal,
                _ => return None,
            },
            _ => return None,
        };
        self.at += 1;
        Some(order)
    }
}

/// Both readings of an expression with `±`; itself where it has none.
fn expanded(expr: &Expr) -> Option<Vec<Expr>> {
    if expr.any(&|e| *e == Expr::EitherSign) {
        return Some(vec![expr.signed(false), expr.signed(true)]);
    }
    Some(vec![expr.clone()])
}
