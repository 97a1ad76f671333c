//! Parses scalars: sums, products, powers, functions.

use super::expression::{Expr, Function};
use super::labels::LABEL;
use super::parser::Parser;
use super::tokens::MathToken;
use super::{latex_vocabulary, words};

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Option<Expr> {
        self.nested(|p| {
            // Units and labels before a number.
            while let Some(MathToken::Words(w)) = p.peek()
                && !words::is_conjunction(w)
            {
                if words::changes_number_meaning(w) {
                    return None;
                }
                p.at += 1;
                if matches!(p.peek(), Some(MathToken::Sign('='))) {
                    return Some(Expr::Variable(LABEL.into()));
                }
            }
            let mut sum: Option<Expr> = None;
            loop {
                let sign = match p.peek() {
                    Some(MathToken::Sign(c @ ('+' | '-'))) => Some(*c),
                    Some(MathToken::Command(c)) if c == "pm" => Some('±'),
                    Some(MathToken::Command(c)) if c == "mp" => Some('∓'),
                    _ => None,
                };
                if sign.is_none() && sum.is_some() {
                    return sum;
                }
                p.at += usize::from(sign.is_some());
                let term = p.term()?;
                let term = match sign {
                    Some('-') => term.negated(),
                    Some('±') => Expr::PlusMinus.times(term),
                    Some('∓') => Expr::PlusMinus.times(term).negated(),
                    _ => term,
                };
                sum = Some(match sum {
                    Some(so_far) => so_far.add(term),
                    None => term,
                });
            }
        })
    }

    fn term(&mut self) -> Option<Expr> {
        let mut product = self.signed_power()?;
        loop {
            if self.sign('%') {
                self.percent = true;
            } else if self.sign('*') {
                product = product.times(self.signed_power()?);
            } else if self.sign('/') {
                product = product.divided_by(self.signed_power()?);
            } else if matches!(self.peek(), Some(MathToken::Words(w)) if !words::is_conjunction(w))
            {
                self.skip_unit();
            } else if let Some(mixed_number) = self.try_parse(|p| p.mixed_number(&product)) {
                product = mixed_number;
            } else if self.starts_factor() {
                product = product.times(self.power()?);
            } else {
                return Some(product);
            }
        }
    }

    /// A unit and its power, which are not compared.
    fn skip_unit(&mut self) {
        // `52 base 8`: the digits are compared.
        if matches!(self.peek(), Some(MathToken::Words(w)) if w.to_lowercase().ends_with("base"))
            && matches!(self.peek_at(1), Some(MathToken::Number(_)))
        {
            self.at += 1;
        }
        self.at += 1;
        if self.sign('^') {
            let braced = self.sign('{');
            self.at += usize::from(matches!(self.peek(), Some(MathToken::Number(_))));
            if braced {
                self.sign('}');
            }
        }
        // `miles/hour`
        if self.peek() == Some(&MathToken::Sign('/'))
            && matches!(self.peek_at(1), Some(MathToken::Words(_)))
        {
            self.at += 1;
        }
    }

    /// The fraction of a mixed number, after its integer part.
    fn mixed_number(&mut self, whole: &Expr) -> Option<Expr> {
        let is_whole = |e: &Expr| matches!(e, Expr::Number { decimals: 0, .. });
        if !is_whole(whole) || !matches!(self.tokens[self.at - 1].token, MathToken::Number(_)) {
            return None;
        }
        let fraction = if self.command("frac") {
            let fraction = self.fraction()?;
            let Expr::Divide(above, below) = &fraction else { return None };
            if !is_whole(above) || !is_whole(below) {
                return None;
            }
            fraction
        } else {
            let (
                Some(MathToken::Number(above)),
                Some(MathToken::Sign('/')),
                Some(MathToken::Number(below)),
            ) = (self.peek_at(0), self.peek_at(1), self.peek_at(2))
            else {
                return None;
            };
            self.at += 3;
            number(above).divided_by(number(below))
        };
        Some(whole.clone().add(fraction))
    }

    fn starts_factor(&self) -> bool {
        match self.peek() {
            Some(MathToken::Letter(_) | MathToken::Repeating(..)) => true,
            Some(MathToken::Number(_)) => {
                // Two adjacent numbers are not a product, with or without units.
                !matches!(
                    self.at.checked_sub(1).map(|at| &self.tokens[at].token),
                    Some(MathToken::Number(_) | MathToken::Words(_))
                )
            }
            Some(MathToken::Sign('(' | '{' | '[')) => true,
            Some(MathToken::Sign('|')) => self.open_bars == 0,
            Some(MathToken::Command(name)) => !matches!(
                name.as_str(),
                "pm" | "mp"
                    | "leq"
                    | "geq"
                    | "neq"
                    | "cup"
                    | "cap"
                    | "in"
                    | "rfloor"
                    | "rceil"
                    | "choose"
                    | "dots"
                    | "implies"
                    | "approx"
                    | "equiv"
                    | "setminus"
                    | "over"
            ),
            _ => false,
        }
    }

    fn signed_power(&mut self) -> Option<Expr> {
        self.nested(|p| {
            if p.sign('-') {
                return Some(p.signed_power()?.negated());
            }
            if p.sign('+') {
                return p.signed_power();
            }
            p.power()
        })
    }

    pub(super) fn power(&mut self) -> Option<Expr> {
        let mut base = self.primary()?;
        loop {
            if self.sign('!') {
                base = Expr::Call(Function::Factorial, vec![base]);
            } else if self.sign('%') {
                self.percent = true;
            } else if self.sign('\'') {
                if let Expr::Variable(name) = &mut base {
                    name.push('\'');
                }
            } else if self.command("circ") {
                base = Expr::Degrees(base.into());
            } else if self.peek() == Some(&MathToken::Sign('_')) {
                let subscript = self.try_parse(Self::subscript)?;
                let Expr::Variable(name) = &mut base else { return None };
                name.push_str(&subscript);
            } else if self.sign('^') {
                base = match self.exponent()? {
                    Some(exponent) => base.pow(exponent),
                    None => Expr::Degrees(base.into()),
                };
            } else {
                return Some(base);
            }
        }
    }

    /// A superscript: an exponent; `Some(None)` for a degree sign.
    fn exponent(&mut self) -> Option<Option<Expr>> {
        let degrees = self.try_parse(|p| {
            let braced = p.sign('{');
            (p.command("circ") && (!braced || p.sign('}'))).then_some(())
        });
        if degrees.is_some() {
            return Some(None);
        }
        let negated = self.sign('-');
        let exponent = if self.sign('{') {
            let inside = self.expr()?;
            self.sign('}').then_some(inside)?
        } else {
            self.primary()?
        };
        Some(Some(if negated { exponent.negated() } else { exponent }))
    }

    /// A subscript, as part of a variable's name.
    fn subscript(&mut self) -> Option<String> {
        self.at += 1;
        let mut name = String::from("_");
        let braced = self.sign('{');
        loop {
            match self.peek()? {
                MathToken::Sign('}') if braced => break,
                MathToken::Number(n) => name.push_str(n),
                MathToken::Letter(c) => name.push(*c),
                MathToken::Words(w) | MathToken::Command(w) => name.push_str(w),
                MathToken::Sign(c @ ('+' | '-' | ',')) => name.push(*c),
                _ => return None,
            }
            self.at += 1;
            if !braced {
                return Some(name);
            }
        }
        self.at += 1;
        Some(name)
    }

    /// An argument of a command: a group, or one token.
    fn argument(&mut self) -> Option<Expr> {
        if self.sign('{') {
            let inside = self.expr()?;
            return self.sign('}').then_some(inside);
        }
        self.nested(Self::primary)
    }

    fn primary(&mut self) -> Option<Expr> {
        let token = self.peek()?;
        self.at += 1;
        match token {
            MathToken::Number(n) => Some(number(n)),
            MathToken::Repeating(before, repeat) => Some(repeating_decimal(before, repeat)),
            MathToken::Letter('i') => Some(Expr::Imaginary),
            MathToken::Letter('e') => Some(Expr::EulerNumber),
            MathToken::Letter(c) => Some(Expr::Variable(c.to_string())),
            MathToken::Sign('(') => self.bracketed(')'),
            MathToken::Sign('[') => self.bracketed(']'),
            MathToken::Sign('{') => self.bracketed('}'),
            MathToken::Sign('|') => {
                self.open_bars += 1;
                let inside = self.expr()?;
                self.open_bars -= 1;
                self.sign('|').then(|| Expr::Call(Function::Absolute, vec![inside]))
            }
            MathToken::Command(name) => self.named_command(name),
            _ => None,
        }
    }

    fn bracketed(&mut self, close: char) -> Option<Expr> {
        let open_bars = std::mem::take(&mut self.open_bars);
        let mut inside = self.expr()?;
        if self.command("choose") {
            inside = Expr::Call(Function::Binomial, vec![inside, self.expr()?]);
        } else if self.command("over") {
            inside = inside.divided_by(self.expr()?);
        }
        self.open_bars = open_bars;
        self.sign(close).then_some(inside)
    }

    fn named_command(&mut self, name: &str) -> Option<Expr> {
        Some(match name {
            "frac" => self.fraction()?,
            "binom" => Expr::Call(Function::Binomial, vec![self.argument()?, self.argument()?]),
            "sqrt" => {
                let degree = if self.sign('[') {
                    let degree = self.expr()?;
                    self.sign(']').then_some(degree)?
                } else {
                    Expr::integer(2)
                };
                Expr::Call(Function::Root, vec![self.argument()?, degree])
            }
            "pi" => Expr::Pi,
            "infty" => Expr::Infinity,
            "lfloor" | "lceil" => {
                let inside = self.expr()?;
                let (close, function) = match name {
                    "lfloor" => ("rfloor", Function::Floor),
                    _ => ("rceil", Function::Ceiling),
                };
                self.command(close).then(|| Expr::Call(function, vec![inside]))?
            }
            "overline" => {
                // A segment or a conjugate is a name of its own.
                let inside = self.argument()?;
                Expr::Variable(format!("overline {inside:?}"))
            }
            "dots" | "choose" | "over" | "setminus" | "cap" | "cup" | "in" | "int" | "sum"
            | "prod" | "lim" | "forall" | "exists" | "not" | "emptyset" | "reals" => return None,
            _ => match function(name) {
                Some(f) => self.call(name, f)?,
                None if latex_vocabulary::is_variable_name(name) => Expr::Variable(name.to_owned()),
                None => return None,
            },
        })
    }

    /// The two arguments of a fraction; without braces, each is one digit.
    fn fraction(&mut self) -> Option<Expr> {
        if let Some(MathToken::Number(n)) = self.peek()
            && n.len() > 1
            && !n.contains('.')
        {
            self.at += 1;
            let (above, rest) = n.split_at(1);
            let (below, more) = rest.split_at(1);
            // `\frac12` and `\frac1{2}`; in `\frac123` the rest is a factor.
            let fraction = number(above).divided_by(number(below));
            return Some(if more.is_empty() { fraction } else { fraction.times(number(more)) });
        }
        let above = self.argument()?;
        if let Some(MathToken::Number(n)) = self.peek()
            && n.len() > 1
            && !n.contains('.')
        {
            self.at += 1;
            let (below, more) = n.split_at(1);
            return Some(above.divided_by(number(below)).times(number(more)));
        }
        Some(above.divided_by(self.argument()?))
    }

    /// A function after its name.
    fn call(&mut self, name: &str, function: Function) -> Option<Expr> {
        let mut function = function;
        let mut name = name.to_owned();
        let mut base = None;
        let mut exponent = None;
        loop {
            if function == Function::Log && base.is_none() && self.sign('_') {
                base = Some(self.argument()?);
            } else if exponent.is_none() && self.sign('^') {
                exponent = self.exponent()?;
            } else {
                break;
            }
        }
        let inverse = exponent.as_ref().is_some_and(|e| *e == Expr::integer(1).negated());
        if let Some(arc) = inverse.then(|| self::function(&format!("arc{name}"))).flatten() {
            function = arc;
            exponent = None;
            name = format!("arc{name}");
        }
        let mut arguments = self.arguments(function)?;
        let call = match (function, base) {
            (Function::Log, Some(base)) => {
                arguments.push(base);
                Expr::Call(Function::LogBase, arguments)
            }
            // Rarer functions are expressed by the others.
            _ => match name.as_str() {
                "lg" => {
                    arguments.push(Expr::integer(10));
                    Expr::Call(Function::LogBase, arguments)
                }
                "arccot" => {
                    let half = Expr::Pi.divided_by(Expr::integer(2));
                    half.minus(Expr::Call(Function::Arctan, arguments))
                }
                "arcsec" => {
                    let of = Expr::integer(1).divided_by(arguments.pop()?);
                    Expr::Call(Function::Arccos, vec![of])
                }
                "arccsc" => {
                    let of = Expr::integer(1).divided_by(arguments.pop()?);
                    Expr::Call(Function::Arcsin, vec![of])
                }
                _ => Expr::Call(function, arguments),
            },
        };
        Some(match exponent {
            Some(exponent) => call.pow(exponent),
            None => call,
        })
    }

    /// The arguments of a function: in brackets, or the factors that follow.
    fn arguments(&mut self, function: Function) -> Option<Vec<Expr>> {
        let several =
            matches!(function, Function::Max | Function::Min | Function::Gcd | Function::Lcm);
        for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
            if self.sign(open) {
                let mut arguments = vec![self.expr()?];
                while several && self.sign(',') {
                    arguments.push(self.expr()?);
                }
                return self.sign(close).then_some(arguments);
            }
        }
        let mut product = self.signed_power()?;
        loop {
            let goes_on = match self.peek() {
                Some(MathToken::Number(_) | MathToken::Letter(_)) => self.starts_factor(),
                Some(MathToken::Command(c)) => is_no_function(c) && self.starts_factor(),
                _ => false,
            };
            if !goes_on {
                return Some(vec![product]);
            }
            product = product.times(self.power()?);
        }
    }
}

fn is_no_function(name: &str) -> bool {
    function(name).is_none()
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "sin" => Function::Sin,
        "cos" => Function::Cos,
        "tan" => Function::Tan,
        "cot" => Function::Cot,
        "sec" => Function::Sec,
        "csc" => Function::Csc,
        "arcsin" => Function::Arcsin,
        "arccos" => Function::Arccos,
        "arctan" | "arccot" => Function::Arctan,
        "arcsec" => Function::Arccos,
        "arccsc" => Function::Arcsin,
        "sinh" => Function::Sinh,
        "cosh" => Function::Cosh,
        "tanh" => Function::Tanh,
        "ln" => Function::Ln,
        "log" | "lg" => Function::Log,
        "exp" => Function::Exp,
        "max" => Function::Max,
        "min" => Function::Min,
        "gcd" => Function::Gcd,
        "lcm" => Function::Lcm,
        _ => return None,
    })
}

/// A number as written.
fn number(text: &str) -> Expr {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    Expr::Number { digits: format!("{whole}{decimals}"), decimals: decimals.len() }
}

/// A decimal that repeats: (all digits − those before) / (99…9 00…0).
fn repeating_decimal(before: &str, repeat: &str) -> Expr {
    let (whole, decimals) = before.split_once('.').unwrap_or((before, ""));
    let start = format!("{whole}{decimals}");
    let all = Expr::Number { digits: format!("{start}{repeat}"), decimals: 0 };
    let first =
        Expr::Number { digits: if start.is_empty() { "0".into() } else { start }, decimals: 0 };
    let below = format!("{}{}", "9".repeat(repeat.len()), "0".repeat(decimals.len()));
    all.minus(first).divided_by(Expr::Number { digits: below, decimals: 0 })
}
