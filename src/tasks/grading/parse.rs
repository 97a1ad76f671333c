//! Reads an answer: tokens to a value.

use super::expr::Expr;
use super::token::{Spaced, Token, tokens};
use super::{conditions, styling, units, words};

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
    /// The numbers in the condition that was cut off, where one was.
    pub condition: Option<Vec<String>>,
    /// Letters at its end were taken for a unit.
    pub unit: bool,
}

/// Everything that a text may mean, the likeliest first; nothing where it cannot be read.
pub fn readings(text: &str) -> Vec<Reading> {
    let mut found: Vec<Reading> = Vec::new();
    let unescaped = styling::unescaped(text);
    let text = unescaped.as_deref().unwrap_or(text);
    for thousands in [true, false] {
        let Some(tokens) = tokens(text, thousands) else { continue };
        // The 000 of `20,000` is no item of a list.
        let zeros =
            |s: &Spaced| matches!(&s.token, Token::Number(n) if n.len() > 1 && n.starts_with("00"));
        if !thousands && tokens.iter().any(zeros) {
            continue;
        }
        read_into(&mut found, &tokens, false);
        if let Some(scaled) = units::scaled(&tokens) {
            read_into(&mut found, &scaled, false);
        }
        if let Some(without) = units::without(&tokens) {
            read_into(&mut found, &without, true);
        }
    }
    found
}

/// Adds what tokens may mean.
fn read_into(found: &mut Vec<Reading>, tokens: &[Spaced], unit: bool) {
    let approx = |s: &Spaced| s.token == Token::Command("approx".into());
    for (i, piece) in tokens.split(approx).enumerate() {
        let Some((value, percent)) = parse(piece) else { continue };
        let modulus = piece.iter().find_map(|s| match &s.token {
            Token::Words(w) => w.strip_prefix("mod ").map(str::to_owned),
            _ => None,
        });
        let condition = conditions::numbers(piece);
        let reading = Reading { value, percent, approximate: i > 0, modulus, condition, unit };
        if !found.contains(&reading) {
            found.push(reading);
        }
    }
}

/// Deeper nesting is not read.
const DEEPEST: usize = 60;

/// Nor is what takes more steps than this.
const EFFORT: usize = 50_000;

fn parse(tokens: &[Spaced]) -> Option<(Value, bool)> {
    let is = |s: &Spaced, name: &str| s.token == Token::Command(name.into());
    let mut rest = tokens;
    // What follows from it is the answer.
    if let Some(at) = conditions::outer(rest, |s| is(s, "implies")) {
        rest = &rest[at + 1..];
    }
    let unconditioned = conditions::indexed(rest, conditions::removed(rest)?);
    let phrased = conditions::real_numbers(&unconditioned).unwrap_or(unconditioned);
    let members = conditions::members(phrased);
    let mut rest: &[Spaced] = &members;
    // `all integers n \ge 3`
    if let [
        Spaced { token: Token::Words(first), .. },
        Spaced { token: Token::Letter(_), .. },
        _,
        ..,
    ] = rest
        && words::is_whole_numbers(first)
    {
        rest = &rest[1..];
    }
    if is_statement(rest) {
        return None;
    }
    let edge = |s: &Spaced| matches!(s.token, Token::Sign(',' | ';' | ':') | Token::Row);
    while rest.last().is_some_and(edge) {
        rest = &rest[..rest.len() - 1];
    }
    let empty = |s: &Spaced| matches!(s.token, Token::Sign(':' | '='));
    while rest.first().is_some_and(empty) {
        rest = &rest[1..];
    }
    if rest.is_empty() {
        return None;
    }
    if let Some(words) = only_words(rest) {
        return Some((Value::Words(words), false));
    }
    // `5 \text{ is not possible}`
    if rest.iter().any(|s| matches!(&s.token, Token::Words(w) if words::denies(w))) {
        return None;
    }
    whole(rest).or_else(|| whole(conditions::after_last_equals(rest)?).filter(|(v, _)| !is_zero(v)))
}

/// Reads all of the tokens.
fn whole(tokens: &[Spaced]) -> Option<(Value, bool)> {
    let mut parser = Parser { tokens, at: 0, depth: 0, effort: EFFORT, percent: false, bars: 0 };
    let value = parser.list()?;
    (parser.at == tokens.len()).then_some((value, parser.percent))
}

/// Whether nothing but a zero is there: the right side of an equation, not what it comes to.
fn is_zero(value: &Value) -> bool {
    matches!(value, Value::Scalar(e) if e.literal().is_some_and(|(d, _)| d.trim_matches('0').is_empty()))
}

/// Whether words say something about a variable, as in `n odd`, rather than name a unit.
fn is_statement(tokens: &[Spaced]) -> bool {
    let says = |s: &Spaced| matches!(&s.token, Token::Words(w) if words::says_something(w));
    let letter = |s: &Spaced| matches!(s.token, Token::Letter(_));
    tokens.iter().any(says) && tokens.iter().any(letter) && only_words(tokens).is_none()
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

    fn row(&mut self) -> bool {
        let is = self.peek() == Some(&Token::Row);
        self.at += usize::from(is);
        is
    }

    fn separator(&mut self) -> bool {
        let before = self.at;
        while self.sign(',') || self.sign(';') || self.sign('&') || self.row() {}
        if let Some(Token::Words(words)) = self.peek()
            && words::joins(words)
        {
            self.at += 1;
        }
        self.at > before
    }

    /// One item, or several with separators between them.
    pub(super) fn list(&mut self) -> Option<Value> {
        let mut items = self.items()?;
        if items.len() == 1 { items.pop() } else { Some(Value::List(items)) }
    }

    pub(super) fn items(&mut self) -> Option<Vec<Value>> {
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

    pub(super) fn item(&mut self) -> Option<Value> {
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
            if let Some(combinations) = p.attempt(Self::combinations) {
                return Some(combinations);
            }
            p.labels();
            let mut value = p.region()?;
            // `(x, y) = …`
            while p.sign('=') {
                value = p.region()?;
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
            parts.push(self.region()?);
        }
        // Units of a point, say.
        while matches!(self.peek(), Some(Token::Words(w)) if !words::joins(w)) {
            self.at += 1;
        }
        if parts.len() == 1 { parts.pop() } else { Some(Value::Union(parts)) }
    }

    /// Scalars with relations between them; a ratio; a scalar.
    fn relation(&mut self) -> Option<Value> {
        if let Some(words) = self.attempt(Self::words) {
            return Some(words);
        }
        let mut sides = vec![self.expr()?];
        // `1 \over 2`
        if self.command("over") {
            sides = vec![sides.remove(0).over(self.expr()?)];
        }
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
