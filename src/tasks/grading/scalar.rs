//! Reads scalars: sums, products, powers, functions.

use super::expr::{Expr, Function};
use super::parse::Parser;
use super::token::Token;
use super::{styling, words};

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Option<Expr> {
        self.deeper(|p| {
            // Units and labels before a number.
            while let Some(Token::Words(w)) = p.peek()
                && !words::joins(w)
            {
                if words::turns(w) {
                    return None;
                }
                p.at += 1;
                if matches!(p.peek(), Some(Token::Sign('='))) {
                    return Some(Expr::Variable("label".into()));
                }
            }
            let mut sum: Option<Expr> = None;
            loop {
                let sign = match p.peek() {
                    Some(Token::Sign(c @ ('+' | '-'))) => Some(*c),
                    Some(Token::Command(c)) if c == "pm" => Some('±'),
                    Some(Token::Command(c)) if c == "mp" => Some('∓'),
                    _ => None,
                };
                if sign.is_none() && sum.is_some() {
                    return sum;
                }
                p.at += usize::from(sign.is_some());
                let term = p.term()?;
                let term = match sign {
                    Some('-') => term.negative(),
                    Some('±') => Expr::EitherSign.times(term),
                    Some('∓') => Expr::EitherSign.times(term).negative(),
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
                product = product.over(self.signed_power()?);
            } else if matches!(self.peek(), Some(Token::Words(w)) if !words::joins(w)) {
                self.unit();
            } else if let Some(mixed) = self.attempt(|p| p.mixed(&product)) {
                product = mixed;
            } else if self.starts_factor() {
                product = product.times(self.power()?);
            } else {
                return Some(product);
            }
        }
    }

    /// A unit and its power: what it stands for is not compared.
    fn unit(&mut self) {
        // `52 base 8`: the digits are compared.
        if matches!(self.peek(), Some(Token::Words(w)) if w.to_lowercase().ends_with("base"))
            && matches!(self.ahead(1), Some(Token::Number(_)))
        {
            self.at += 1;
        }
        self.at += 1;
        if self.sign('^') {
            let braced = self.sign('{');
            self.at += usize::from(matches!(self.peek(), Some(Token::Number(_))));
            if braced {
                self.sign('}');
            }
        }
        // `miles/hour`
        if self.peek() == Some(&Token::Sign('/')) && matches!(self.ahead(1), Some(Token::Words(_)))
        {
            self.at += 1;
        }
    }

    /// The fraction of a mixed number, whose whole part has just been read.
    fn mixed(&mut self, whole: &Expr) -> Option<Expr> {
        let is_whole = |e: &Expr| matches!(e, Expr::Number { decimals: 0, .. });
        if !is_whole(whole) || !matches!(self.tokens[self.at - 1].token, Token::Number(_)) {
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
            let (Some(Token::Number(above)), Some(Token::Sign('/')), Some(Token::Number(below))) =
                (self.ahead(0), self.ahead(1), self.ahead(2))
            else {
                return None;
            };
            self.at += 3;
            number(above).over(number(below))
        };
        Some(whole.clone().add(fraction))
    }

    fn starts_factor(&self) -> bool {
        match self.peek() {
            Some(Token::Letter(_) | Token::Repeating(..)) => true,
            Some(Token::Number(_)) => {
                // Two numbers side by side are no product, nor are two with their units.
                !matches!(
                    self.at.checked_sub(1).map(|at| &self.tokens[at].token),
                    Some(Token::Number(_) | Token::Words(_))
                )
            }
            Some(Token::Sign('(' | '{' | '[')) => true,
            Some(Token::Sign('|')) => self.bars == 0,
            Some(Token::Command(name)) => !matches!(
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
        self.deeper(|p| {
            if p.sign('-') {
                return Some(p.signed_power()?.negative());
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
            } else if self.peek() == Some(&Token::Sign('_')) {
                let below = self.attempt(Self::below)?;
                let Expr::Variable(name) = &mut base else { return None };
                name.push_str(&below);
            } else if self.sign('^') {
                base = match self.exponent()? {
                    Some(exponent) => base.raised(exponent),
                    None => Expr::Degrees(base.into()),
                };
            } else {
                return Some(base);
            }
        }
    }

    /// What stands above: an exponent, or none where it is the sign of degrees.
    fn exponent(&mut self) -> Option<Option<Expr>> {
        let degrees = self.attempt(|p| {
            let braced = p.sign('{');
            (p.command("circ") && (!braced || p.sign('}'))).then_some(())
        });
        if degrees.is_some() {
            return Some(None);
        }
        let negative = self.sign('-');
        let exponent = if self.sign('{') {
            let inside = self.expr()?;
            self.sign('}').then_some(inside)?
        } else {
            self.primary()?
        };
        Some(Some(if negative { exponent.negative() } else { exponent }))
    }

    /// A subscript, as part of a variable's name.
    fn below(&mut self) -> Option<String> {
        self.at += 1;
        let mut name = String::from("_");
        let braced = self.sign('{');
        loop {
            match self.peek()? {
                Token::Sign('}') if braced => break,
                Token::Number(n) => name.push_str(n),
                Token::Letter(c) => name.push(*c),
                Token::Words(w) | Token::Command(w) => name.push_str(w),
                Token::Sign(c @ ('+' | '-' | ',')) => name.push(*c),
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
        self.deeper(Self::primary)
    }

    fn primary(&mut self) -> Option<Expr> {
        let token = self.peek()?;
        self.at += 1;
        match token {
            Token::Number(n) => Some(number(n)),
            Token::Repeating(before, repeat) => repeating(before, repeat),
            Token::Letter('i') => Some(Expr::Imaginary),
            Token::Letter('e') => Some(Expr::Euler),
            Token::Letter(c) => Some(Expr::Variable(c.to_string())),
            Token::Sign('(') => self.grouped(')'),
            Token::Sign('[') => self.grouped(']'),
            Token::Sign('{') => self.grouped('}'),
            Token::Sign('|') => {
                self.bars += 1;
                let inside = self.expr()?;
                self.bars -= 1;
                self.sign('|').then(|| Expr::Call(Function::Absolute, vec![inside]))
            }
            Token::Command(name) => self.named(name),
            _ => None,
        }
    }

    fn grouped(&mut self, close: char) -> Option<Expr> {
        let bars = std::mem::take(&mut self.bars);
        let mut inside = self.expr()?;
        if self.command("choose") {
            inside = Expr::Call(Function::Binomial, vec![inside, self.expr()?]);
        } else if self.command("over") {
            inside = inside.over(self.expr()?);
        }
        self.bars = bars;
        self.sign(close).then_some(inside)
    }

    fn named(&mut self, name: &str) -> Option<Expr> {
        Some(match name {
            "frac" => self.fraction()?,
            "binom" => Expr::Call(Function::Binomial, vec![self.argument()?, self.argument()?]),
            "sqrt" => {
                let degree = if self.sign('[') {
                    let degree = self.expr()?;
                    self.sign(']').then_some(degree)?
                } else {
                    Expr::whole(2)
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
                // A segment, a conjugate: a name of its own.
                let inside = self.argument()?;
                Expr::Variable(format!("overline {inside:?}"))
            }
            "dots" | "choose" | "over" | "setminus" | "cap" | "cup" | "in" | "int" | "sum"
            | "prod" | "lim" | "forall" | "exists" | "not" | "emptyset" | "reals" => return None,
            _ => match function(name) {
                Some(f) => self.call(name, f)?,
                None if styling::is_name(name) => Expr::Variable(name.to_owned()),
                None => return None,
            },
        })
    }

    /// A fraction's two arguments; of bare digits, each takes one.
    fn fraction(&mut self) -> Option<Expr> {
        if let Some(Token::Number(n)) = self.peek()
            && n.len() > 1
            && !n.contains('.')
        {
            self.at += 1;
            let (above, rest) = n.split_at(1);
            let (below, more) = rest.split_at(1);
            // `\frac12` and `\frac1{2}`; of `\frac123` the rest is a factor.
            let fraction = number(above).over(number(below));
            return Some(if more.is_empty() { fraction } else { fraction.times(number(more)) });
        }
        let above = self.argument()?;
        if let Some(Token::Number(n)) = self.peek()
            && n.len() > 1
            && !n.contains('.')
        {
            self.at += 1;
            let (below, more) = n.split_at(1);
            return Some(above.over(number(below)).times(number(more)));
        }
        Some(above.over(self.argument()?))
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
        let inverse = exponent.as_ref().is_some_and(|e| *e == Expr::whole(1).negative());
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
            // Those of the rarer functions are made of the others.
            _ => match name.as_str() {
                "lg" => {
                    arguments.push(Expr::whole(10));
                    Expr::Call(Function::LogBase, arguments)
                }
                "arccot" => {
                    let half = Expr::Pi.over(Expr::whole(2));
                    half.minus(Expr::Call(Function::Arctan, arguments))
                }
                "arcsec" => {
                    let of = Expr::whole(1).over(arguments.pop()?);
                    Expr::Call(Function::Arccos, vec![of])
                }
                "arccsc" => {
                    let of = Expr::whole(1).over(arguments.pop()?);
                    Expr::Call(Function::Arcsin, vec![of])
                }
                _ => Expr::Call(function, arguments),
            },
        };
        Some(match exponent {
            Some(exponent) => call.raised(exponent),
            None => call,
        })
    }

    /// A function's arguments: in brackets, or the factors that follow.
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
                Some(Token::Number(_) | Token::Letter(_)) => self.starts_factor(),
                Some(Token::Command(c)) => function_is_none(c) && self.starts_factor(),
                _ => false,
            };
            if !goes_on {
                return Some(vec![product]);
            }
            product = product.times(self.power()?);
        }
    }
}

fn function_is_none(name: &str) -> bool {
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

/// A number as it is written.
fn number(text: &str) -> Expr {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    Expr::Number { digits: format!("{whole}{decimals}"), decimals: decimals.len() }
}

/// A decimal that repeats: (all digits − those before) / (99…9 00…0).
fn repeating(before: &str, repeat: &str) -> Option<Expr> {
    let (whole, decimals) = before.split_once('.').unwrap_or((before, ""));
    let start = format!("{whole}{decimals}");
    let all = Expr::Number { digits: format!("{start}{repeat}"), decimals: 0 };
    let first =
        Expr::Number { digits: if start.is_empty() { "0".into() } else { start }, decimals: 0 };
    let below = format!("{}{}", "9".repeat(repeat.len()), "0".repeat(decimals.len()));
    Some(all.minus(first).over(Expr::Number { digits: below, decimals: 0 }))
}
