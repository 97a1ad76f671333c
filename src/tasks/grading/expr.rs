//! Scalar expressions and what they are worth.
//!
//! Two expressions are compared by their values. Those made of numbers, variables, sums, products
//! and whole powers are worked out exactly, as remainders by a large prime, at points drawn at
//! random: only equal ones agree, but for a chance of about 10⁻¹⁷, and no number is too large.
//! The others are worked out in complex floating point.

use num_complex::Complex64;

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Digits without a point, and how many of them stand behind it.
    Number {
        digits: String,
        decimals: usize,
    },
    Variable(String),
    /// The sign of `±`: 1 in one reading and -1 in the other.
    EitherSign,
    Pi,
    Euler,
    Imaginary,
    Infinity,
    /// An angle in degrees.
    Degrees(Box<Expr>),
    Negative(Box<Expr>),
    Add(Box<Expr>, Box<Expr>),
    Multiply(Box<Expr>, Box<Expr>),
    Divide(Box<Expr>, Box<Expr>),
    Power(Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
}

/// A function; its arguments are as many as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// The root of the first argument with the second as its degree.
    Root,
    Absolute,
    Floor,
    Ceiling,
    Factorial,
    Binomial,
    /// The natural logarithm.
    Ln,
    /// A logarithm whose base is not written: 10 or e.
    Log,
    /// The logarithm of the first argument to the base of the second.
    LogBase,
    Exp,
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Arcsin,
    Arccos,
    Arctan,
    Sinh,
    Cosh,
    Tanh,
    Max,
    Min,
    Gcd,
    Lcm,
}

impl Expr {
    /// A whole number.
    pub fn whole(n: u64) -> Self {
        Self::Number { digits: n.to_string(), decimals: 0 }
    }

    pub fn negative(self) -> Self {
        Self::Negative(Box::new(self))
    }

    pub fn add(self, other: Self) -> Self {
        Self::Add(Box::new(self), Box::new(other))
    }

    pub fn minus(self, other: Self) -> Self {
        self.add(other.negative())
    }

    pub fn times(self, other: Self) -> Self {
        Self::Multiply(Box::new(self), Box::new(other))
    }

    pub fn over(self, other: Self) -> Self {
        Self::Divide(Box::new(self), Box::new(other))
    }

    pub fn raised(self, other: Self) -> Self {
        Self::Power(Box::new(self), Box::new(other))
    }

    /// Its direct parts.
    fn parts(&self) -> Vec<&Expr> {
        match self {
            Self::Degrees(a) | Self::Negative(a) => vec![a],
            Self::Add(a, b) | Self::Multiply(a, b) | Self::Divide(a, b) | Self::Power(a, b) => {
                vec![a, b]
            }
            Self::Call(_, arguments) => arguments.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it or a part of it is so.
    pub fn any(&self, is_so: &dyn Fn(&Expr) -> bool) -> bool {
        is_so(self) || self.parts().into_iter().any(|part| part.any(is_so))
    }

    /// The same with `±` read as plus, or as minus.
    #[must_use]
    pub fn signed(&self, minus: bool) -> Self {
        let sign = Self::whole(1);
        let sign = if minus { sign.negative() } else { sign };
        self.mapped(&|leaf| (*leaf == Self::EitherSign).then(|| sign.clone()))
    }

    /// The same with something else for some of its variables.
    #[must_use]
    pub fn replaced(&self, other: &dyn Fn(&str) -> Option<Self>) -> Self {
        self.mapped(&|leaf| match leaf {
            Self::Variable(own) => other(own),
            _ => None,
        })
    }

    /// The same with something else for some of what has no parts.
    fn mapped(&self, other: &dyn Fn(&Self) -> Option<Self>) -> Self {
        let part = |a: &Expr| Box::new(a.mapped(other));
        match self {
            Self::Degrees(a) => Self::Degrees(part(a)),
            Self::Negative(a) => Self::Negative(part(a)),
            Self::Add(a, b) => Self::Add(part(a), part(b)),
            Self::Multiply(a, b) => Self::Multiply(part(a), part(b)),
            Self::Divide(a, b) => Self::Divide(part(a), part(b)),
            Self::Power(a, b) => Self::Power(part(a), part(b)),
            Self::Call(f, arguments) => {
                Self::Call(*f, arguments.iter().map(|a| a.mapped(other)).collect())
            }
            leaf => other(leaf).unwrap_or_else(|| leaf.clone()),
        }
    }

    /// The same with other names for its variables.
    #[must_use]
    pub fn map_names(&self, name: &dyn Fn(&str) -> String) -> Self {
        self.replaced(&|own| Some(Self::Variable(name(own))))
    }

    /// Whether a name is nowhere but in exponents.
    pub fn only_raises(&self, name: &str) -> bool {
        match self {
            Self::Variable(own) => own != name,
            Self::Power(base, _) => base.only_raises(name),
            _ => self.parts().into_iter().all(|part| part.only_raises(name)),
        }
    }

    /// Adds the names of its variables to `names`.
    pub fn variables(&self, names: &mut std::collections::BTreeSet<String>) {
        if let Self::Variable(name) = self {
            names.insert(name.clone());
        }
        for part in self.parts() {
            part.variables(names);
        }
    }

    /// The number that it is, where it is one that is written out, with or without a sign.
    pub fn literal(&self) -> Option<(&str, usize)> {
        match self {
            Self::Number { digits, decimals } => Some((digits, *decimals)),
            Self::Negative(a) => a.literal(),
            _ => None,
        }
    }
}

/// What variables and conventions are worth.
pub struct Point<'a> {
    /// The value of a variable.
    pub variable: &'a dyn Fn(&str) -> f64,
    /// What a degree is worth outside of functions: 1, or π/180.
    pub degree: f64,
    /// The base of `\log`.
    pub log_base: f64,
}

/// A value, and how far rounding may have put it off.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub value: Complex64,
    pub off: f64,
}

/// Half a unit in the last place of a number of size one.
const HALF: f64 = f64::EPSILON / 2.0;

/// Whole numbers up to this are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What is smaller has lost its digits.
const LEAST: f64 = 1e-290;

/// The value of an expression; nothing where it has none, or one too large or small to be known.
pub fn value(expr: &Expr, point: &Point<'_>) -> Option<Complex64> {
    measured(expr, point).map(|m| m.value)
}

/// The value of an expression with its possible error.
pub fn measured(expr: &Expr, point: &Point<'_>) -> Option<Measured> {
    let real = |x: f64, off: f64| Measured { value: Complex64::new(x, 0.0), off };
    let rounded = |x: f64| real(x, HALF * x.abs());
    let of = |e: &Expr| measured(e, point);
    let result = match expr {
        Expr::Number { digits, decimals } => {
            // As one literal, so that it is rounded only once.
            let x: f64 = format!("{digits}e-{decimals}").parse().ok()?;
            if *decimals == 0 && x < EXACT { real(x, 0.0) } else { rounded(x) }
        }
        Expr::Variable(name) => real((point.variable)(name), 0.0),
        Expr::EitherSign => return None,
        Expr::Pi => rounded(std::f64::consts::PI),
        Expr::Euler => rounded(std::f64::consts::E),
        Expr::Imaginary => Measured { value: Complex64::i(), off: 0.0 },
        Expr::Infinity => return Some(real(f64::INFINITY, 0.0)),
        Expr::Degrees(a) => product_of(of(a)?, rounded(point.degree))?,
        Expr::Negative(a) => {
            let a = of(a)?;
            if a.value.re.is_infinite() {
                return Some(real(-a.value.re, 0.0));
            }
            Measured { value: -a.value, off: a.off }
        }
        Expr::Add(a, b) => {
            let (a, b) = (of(a)?, of(b)?);
            let value = a.value + b.value;
            let whole = value.im == 0.0 && value.re.fract() == 0.0 && value.re.abs() < EXACT;
            let more = if whole && a.off + b.off == 0.0 { 0.0 } else { HALF * value.norm() };
            Measured { value, off: a.off + b.off + more }
        }
        Expr::Multiply(a, b) => product_of(of(a)?, of(b)?)?,
        Expr::Divide(a, b) => {
            let (a, b) = (of(a)?, of(b)?);
            let value = a.value / b.value;
            let sure = b.value.norm() - b.off;
            if sure <= 0.0 || value.norm() < LEAST && a.value.norm() != 0.0 {
                return None;
            }
            let off = (a.off + value.norm() * b.off) / sure + f64::EPSILON * value.norm();
            Measured { value, off }
        }
        Expr::Power(a, b) => raised_to(of(a)?, of(b)?)?,
        Expr::Call(function, arguments) => {
            let inside = Point { degree: std::f64::consts::PI / 180.0, ..*point };
            let arguments: Option<Vec<Measured>> =
                arguments.iter().map(|a| measured(a, &inside)).collect();
            called(*function, &arguments?, point.log_base)?
        }
    };
    (result.value.is_finite() && result.off.is_finite()).then_some(result)
}

fn product_of(a: Measured, b: Measured) -> Option<Measured> {
    let value = a.value * b.value;
    let (first, second) = (a.value.norm(), b.value.norm());
    if value.norm() < LEAST && first != 0.0 && second != 0.0 {
        return None;
    }
    let unit = if a.value.im == 0.0 && b.value.im == 0.0 { HALF } else { f64::EPSILON };
    let whole = a.off + b.off == 0.0 && value.re.fract() == 0.0 && value.re.abs() < EXACT;
    let more = if whole && value.im == 0.0 { 0.0 } else { unit * value.norm() };
    Some(Measured { value, off: first * b.off + second * a.off + a.off * b.off + more })
}

fn raised_to(base: Measured, exponent: Measured) -> Option<Measured> {
    // Of a negative number, the root may be meant that is real, or another.
    let negative = base.value.im == 0.0 && base.value.re < 0.0 && exponent.value.im == 0.0;
    if negative && (2.0 * exponent.value.re).fract() != 0.0 {
        return None;
    }
    let value = power(base.value, exponent.value);
    if value.norm() < LEAST && base.value.norm() != 0.0 {
        return None;
    }
    let exact = base.off + exponent.off == 0.0
        && base.value.im == 0.0
        && base.value.re.fract() == 0.0
        && exponent.value.re >= 0.0
        && exponent.value.re.fract() == 0.0
        && exponent.value.im == 0.0
        && value.re.abs() < EXACT;
    let mut off = if exact {
        0.0
    } else {
        let steps = exponent.value.norm() * (1.0 + base.value.norm().ln().abs());
        f64::EPSILON * value.norm() * (1.0 + steps.min(1e6))
    };
    if base.off > 0.0 {
        off += (power(base.value + base.off, exponent.value) - value).norm();
    }
    if exponent.off > 0.0 {
        off += (power(base.value, exponent.value + exponent.off) - value).norm();
    }
    Some(Measured { value, off })
}

/// A function's value; its error is how much it changes where its arguments are off.
fn called(function: Function, arguments: &[Measured], log_base: f64) -> Option<Measured> {
    let values: Vec<Complex64> = arguments.iter().map(|m| m.value).collect();
    let value = call(function, &values, log_base)?;
    if function == Function::Exp && value.norm() < LEAST {
        return None;
    }
    // A square root is rounded correctly.
    let unit = if function == Function::Root { HALF } else { f64::EPSILON };
    let mut off = unit * value.norm();
    for (i, argument) in arguments.iter().enumerate().filter(|(_, m)| m.off > 0.0) {
        let mut moved = values.clone();
        moved[i] = argument.value + argument.off;
        off += call(function, &moved, log_base).map_or(0.0, |other| (other - value).norm());
    }
    Some(Measured { value, off })
}

fn power(base: Complex64, exponent: Complex64) -> Complex64 {
    let whole = exponent.im == 0.0 && exponent.re.fract() == 0.0 && exponent.re.abs() < 1e6;
    if whole {
        return base.powi(exponent.re as i32);
    }
    if base.im == 0.0 && exponent.im == 0.0 && base.re >= 0.0 {
        return Complex64::new(base.re.powf(exponent.re), 0.0);
    }
    base.powc(exponent)
}

fn call(function: Function, arguments: &[Complex64], log_base: f64) -> Option<Complex64> {
    let first = *arguments.first()?;
    let real = |z: Complex64| (z.im.abs() < 1e-12).then_some(z.re);
    let whole = |z: Complex64| real(z).filter(|x| x.fract() == 0.0);
    let of = |x: f64| Some(Complex64::new(x, 0.0));
    match function {
        Function::Root => {
            let degree = whole(*arguments.get(1)?)?;
            // An odd root of a negative number is the real one.
            if first.im == 0.0 && first.re < 0.0 && degree % 2.0 != 0.0 {
                return of(-(-first.re).powf(1.0 / degree));
            }
            if degree == 2.0 {
                // A negative zero would turn the root of a negative number round.
                return Some(Complex64::new(first.re, first.im + 0.0).sqrt());
            }
            Some(power(first, Complex64::new(1.0 / degree, 0.0)))
        }
        Function::Absolute => of(first.norm()),
        Function::Floor => of((real(first)? + 1e-9).floor()),
        Function::Ceiling => of((real(first)? - 1e-9).ceil()),
        Function::Factorial => {
            let n = whole(first).filter(|n| (0.0..=170.0).contains(n))?;
            of((1..=n as u32).map(f64::from).product())
        }
        Function::Binomial => {
            let (n, k) = (whole(first)?, whole(*arguments.get(1)?)?);
            if k < 0.0 || k > n || n > 5000.0 {
                return if k > n && n >= 0.0 { of(0.0) } else { None };
            }
            let k = k.min(n - k);
            of((1..=k as u32).map(|i| (n - k + f64::from(i)) / f64::from(i)).product())
        }
        Function::Ln => Some(first.ln()),
        Function::Log => Some(first.ln() / log_base.ln()),
        Function::LogBase => Some(first.ln() / arguments.get(1)?.ln()),
        Function::Exp => Some(first.exp()),
        Function::Sin => Some(first.sin()),
        Function::Cos => Some(first.cos()),
        Function::Tan => Some(first.tan()),
        Function::Cot => Some(first.cos() / first.sin()),
        Function::Sec => Some(first.cos().inv()),
        Function::Csc => Some(first.sin().inv()),
        Function::Arcsin => Some(first.asin()),
        Function::Arccos => Some(first.acos()),
        Function::Arctan => Some(first.atan()),
        Function::Sinh => Some(first.sinh()),
        Function::Cosh => Some(first.cosh()),
        Function::Tanh => Some(first.tanh()),
        Function::Max | Function::Min => {
            let all: Option<Vec<f64>> = arguments.iter().map(|z| real(*z)).collect();
            let pick = if function == Function::Max { f64::max } else { f64::min };
            of(all?.into_iter().reduce(pick)?)
        }
        Function::Gcd | Function::Lcm => {
            let all: Option<Vec<f64>> = arguments.iter().map(|z| whole(*z)).collect();
            let gcd = |a: f64, b: f64| {
                let (mut a, mut b) = (a.abs(), b.abs());
                while b > 0.0 {
                    (a, b) = (b, a % b);
                }
                a
            };
            let lcm = |a: f64, b: f64| if a == 0.0 { 0.0 } else { (a * b).abs() / gcd(a, b) };
            let join: &dyn Fn(f64, f64) -> f64 =
                if function == Function::Gcd { &gcd } else { &lcm };
            of(all?.into_iter().reduce(join)?)
        }
    }
}

/// The prime 2⁶¹ − 1.
pub const PRIME: u64 = (1 << 61) - 1;

fn product(a: u64, b: u64) -> u64 {
    // Both are below 2⁶¹.
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn raised(mut base: u64, mut exponent: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = product(result, base);
        }
        base = product(base, base);
        exponent >>= 1;
    }
    result
}

fn inverse(a: u64) -> Option<u64> {
    (a != 0).then(|| raised(a, PRIME - 2))
}

/// The remainder of an expression by [`PRIME`]; nothing where it has none, as roots have.
pub fn remainder(expr: &Expr, variable: &dyn Fn(&str) -> u64) -> Option<u64> {
    let of = |e: &Expr| remainder(e, variable);
    Some(match expr {
        Expr::Number { digits, decimals } => {
            let digit = |c: char| c.to_digit(10).map(u64::from);
            let mut whole = 0;
            for c in digits.chars() {
                whole = (product(whole, 10) + digit(c)?) % PRIME;
            }
            product(whole, inverse(raised(10, *decimals as u64))?)
        }
        Expr::Variable(name) => variable(name) % PRIME,
        Expr::Negative(a) => (PRIME - of(a)?) % PRIME,
        Expr::Add(a, b) => (of(a)? + of(b)?) % PRIME,
        Expr::Multiply(a, b) => product(of(a)?, of(b)?),
        Expr::Divide(a, b) => product(of(a)?, inverse(of(b)?)?),
        Expr::Power(a, b) => {
            let (base, exponent) = (of(a)?, whole(b)?);
            let by = raised(base, exponent.unsigned_abs() as u64 % (PRIME - 1));
            if exponent == 0 {
                1
            } else if base == 0 && exponent > 0 {
                0
            } else if exponent < 0 {
                inverse(by)?
            } else {
                by
            }
        }
        Expr::Call(Function::Factorial, arguments) => {
            let n = whole(arguments.first()?).filter(|n| (0..=100_000).contains(n))?;
            (1..=n as u64).fold(1, product)
        }
        Expr::Call(Function::Binomial, arguments) => {
            let n = whole(arguments.first()?).filter(|n| (0..=100_000).contains(n))?;
            let k = whole(arguments.get(1)?).filter(|k| (0..=n).contains(k))?;
            let up_to = |m: i128| (1..=m as u64).fold(1, product);
            product(up_to(n), inverse(product(up_to(k), up_to(n - k)))?)
        }
        _ => return None,
    })
}

/// The whole number that an expression without variables comes to.
pub fn whole(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Number { digits, decimals: 0 } => digits.parse().ok(),
        Expr::Negative(a) => whole(a)?.checked_neg(),
        Expr::Add(a, b) => whole(a)?.checked_add(whole(b)?),
        Expr::Multiply(a, b) => whole(a)?.checked_mul(whole(b)?),
        Expr::Divide(a, b) => {
            let (a, b) = (whole(a)?, whole(b)?);
            (b != 0 && a.checked_rem(b)? == 0).then(|| a / b)
        }
        Expr::Power(a, b) => {
            let exponent = u32::try_from(whole(b)?).ok()?;
            whole(a)?.checked_pow(exponent)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(expr: &Expr) -> Option<f64> {
        let point = Point { variable: &|_| 0.0, degree: 1.0, log_base: 10.0 };
        value(expr, &point).map(|z| z.re)
    }

    #[test]
    fn values_are_what_they_should_be() {
        let n = Expr::whole;
        let cases = [
            (n(1).over(n(8)), 0.125),
            (n(2).raised(n(10)), 1024.0),
            (Expr::Call(Function::Root, vec![n(27).negative(), n(3)]), -3.0),
            (Expr::Call(Function::Binomial, vec![n(10), n(3)]), 120.0),
            (Expr::Call(Function::Factorial, vec![n(5)]), 120.0),
            (Expr::Call(Function::Sin, vec![Expr::Degrees(n(30).into())]), 0.5),
            (Expr::Call(Function::LogBase, vec![n(8), n(2)]), 3.0),
            (Expr::Call(Function::Gcd, vec![n(12), n(18)]), 6.0),
            (Expr::Call(Function::Lcm, vec![n(4), n(6)]), 12.0),
        ];
        for (expr, expected) in cases {
            let found = constant(&expr).unwrap();
            assert!((found - expected).abs() < 1e-12, "{expr:?}: {found}");
        }
        assert_eq!(constant(&n(1).over(n(0))), None);
        assert_eq!(constant(&n(10).raised(n(400))), None, "too large to be known");
    }

    #[test]
    fn remainders_know_numbers_of_any_size() {
        let none = |_: &str| 0;
        let large = Expr::whole(2).raised(Expr::whole(2004));
        let more = large.clone().add(Expr::whole(1));
        assert_ne!(remainder(&large, &none), remainder(&more, &none));
        let halves = Expr::whole(4).raised(Expr::whole(1002));
        assert_eq!(remainder(&large, &none), remainder(&halves, &none));
        let third = Expr::whole(1).over(Expr::whole(3));
        let decimal = Expr::Number { digits: "333333".into(), decimals: 6 };
        assert_ne!(remainder(&third, &none), remainder(&decimal, &none));
        assert_eq!(remainder(&Expr::Pi, &none), None);
    }
}
