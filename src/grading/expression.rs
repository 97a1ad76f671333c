//! Scalar expressions and their values.
//!
//! Two expressions are compared by their values. Those made of numbers, variables, sums, products
//! and integer powers are evaluated exactly, as residues modulo a large prime, at random points: two that differ agree
//! with a probability of about 10⁻¹⁷, and no number is too large. All others are evaluated in complex floating point.

use num_complex::Complex64;

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// The digits without the decimal point, and how many of them follow it.
    Number {
        digits: String,
        decimals: usize,
    },
    Variable(String),
    /// The sign of `±`: 1 in one interpretation, -1 in the other.
    PlusMinus,
    Pi,
    EulerNumber,
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

/// A function with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// The root of the first argument; the second one is its degree.
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
    pub(super) fn integer(n: u64) -> Self {
        Self::Number { digits: n.to_string(), decimals: 0 }
    }

    pub(super) fn negated(self) -> Self {
        Self::Negative(Box::new(self))
    }

    pub(super) fn add(self, other: Self) -> Self {
        Self::Add(Box::new(self), Box::new(other))
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.add(other.negated())
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self::Multiply(Box::new(self), Box::new(other))
    }

    pub(super) fn divided_by(self, other: Self) -> Self {
        Self::Divide(Box::new(self), Box::new(other))
    }

    pub(super) fn pow(self, other: Self) -> Self {
        Self::Power(Box::new(self), Box::new(other))
    }

    /// The direct operands.
    fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Degrees(a) | Self::Negative(a) => vec![a],
            Self::Add(a, b) | Self::Multiply(a, b) | Self::Divide(a, b) | Self::Power(a, b) => {
                vec![a, b]
            }
            Self::Call(_, arguments) => arguments.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the expression or a part of it satisfies the predicate.
    pub(super) fn any(&self, is_so: &dyn Fn(&Expr) -> bool) -> bool {
        is_so(self) || self.children().into_iter().any(|part| part.any(is_so))
    }

    /// The expression with `±` read as plus, or as minus.
    #[must_use]
    pub(super) fn with_sign(&self, minus: bool) -> Self {
        let sign = Self::integer(1);
        let sign = if minus { sign.negated() } else { sign };
        self.map_leaves(&|leaf| (*leaf == Self::PlusMinus).then(|| sign.clone()))
    }

    /// The expression with some variables replaced.
    #[must_use]
    pub(super) fn substitute(&self, other: &dyn Fn(&str) -> Option<Self>) -> Self {
        self.map_leaves(&|leaf| match leaf {
            Self::Variable(own) => other(own),
            _ => None,
        })
    }

    /// The expression with some leaves replaced.
    fn map_leaves(&self, other: &dyn Fn(&Self) -> Option<Self>) -> Self {
        let part = |a: &Expr| Box::new(a.map_leaves(other));
        match self {
            Self::Degrees(a) => Self::Degrees(part(a)),
            Self::Negative(a) => Self::Negative(part(a)),
            Self::Add(a, b) => Self::Add(part(a), part(b)),
            Self::Multiply(a, b) => Self::Multiply(part(a), part(b)),
            Self::Divide(a, b) => Self::Divide(part(a), part(b)),
            Self::Power(a, b) => Self::Power(part(a), part(b)),
            Self::Call(f, arguments) => {
                Self::Call(*f, arguments.iter().map(|a| a.map_leaves(other)).collect())
            }
            leaf => other(leaf).unwrap_or_else(|| leaf.clone()),
        }
    }

    /// The expression with its variables renamed.
    #[must_use]
    pub(super) fn rename_variables(&self, name: &dyn Fn(&str) -> String) -> Self {
        self.substitute(&|own| Some(Self::Variable(name(own))))
    }

    /// Whether a name occurs in exponents only.
    pub(super) fn only_in_exponents(&self, name: &str) -> bool {
        match self {
            Self::Variable(own) => own != name,
            Self::Power(base, _) => base.only_in_exponents(name),
            _ => self.children().into_iter().all(|part| part.only_in_exponents(name)),
        }
    }

    /// Adds the names of its variables to `names`.
    pub(super) fn collect_variables(&self, names: &mut std::collections::BTreeSet<String>) {
        if let Self::Variable(name) = self {
            names.insert(name.clone());
        }
        for part in self.children() {
            part.collect_variables(names);
        }
    }

    /// The digits and number of decimals of a literal, with or without a sign; `None` for anything else.
    pub(super) fn literal(&self) -> Option<(&str, usize)> {
        match self {
            Self::Number { digits, decimals } => Some((digits, *decimals)),
            Self::Negative(a) => a.literal(),
            _ => None,
        }
    }
}

/// Values of variables and of conventions.
pub(super) struct EvalContext<'a> {
    /// The value of a variable.
    pub(super) variable: &'a dyn Fn(&str) -> f64,
    /// The value of a degree outside functions: 1 or π/180.
    pub(super) degree: f64,
    /// The base of `\log`.
    pub(super) log_base: f64,
}

/// A value and a bound on its rounding error.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueWithError {
    pub(super) value: Complex64,
    pub(super) error: f64,
}

/// Half a unit in the last place of 1.0.
const HALF_ULP: f64 = f64::EPSILON / 2.0;

/// Integers up to this are exact.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Smaller values have lost their digits.
const MIN_MAGNITUDE: f64 = 1e-290;

/// The value of an expression; `None` if it is undefined, or too large or too small to be known.
pub(super) fn evaluate(expr: &Expr, point: &EvalContext<'_>) -> Option<Complex64> {
    evaluate_with_error(expr, point).map(|m| m.value)
}

/// The value of an expression with a bound on its error.
pub(super) fn evaluate_with_error(expr: &Expr, point: &EvalContext<'_>) -> Option<ValueWithError> {
    let real = |x: f64, error: f64| ValueWithError { value: Complex64::new(x, 0.0), error };
    let rounded = |x: f64| real(x, HALF_ULP * x.abs());
    let of = |e: &Expr| evaluate_with_error(e, point);
    let result = match expr {
        Expr::Number { digits, decimals } => {
            // Parsed as one literal, so that it is rounded only once.
            let x: f64 = format!("{digits}e-{decimals}").parse().ok()?;
            if *decimals == 0 && x < MAX_EXACT_INTEGER { real(x, 0.0) } else { rounded(x) }
        }
        Expr::Variable(name) => real((point.variable)(name), 0.0),
        Expr::PlusMinus => return None,
        Expr::Pi => rounded(std::f64::consts::PI),
        Expr::EulerNumber => rounded(std::f64::consts::E),
        Expr::Imaginary => ValueWithError { value: Complex64::i(), error: 0.0 },
        Expr::Infinity => return Some(real(f64::INFINITY, 0.0)),
        Expr::Degrees(a) => multiply_with_error(of(a)?, rounded(point.degree))?,
        Expr::Negative(a) => {
            let a = of(a)?;
            if a.value.re.is_infinite() {
                return Some(real(-a.value.re, 0.0));
            }
            ValueWithError { value: -a.value, error: a.error }
        }
        Expr::Add(a, b) => {
            let (a, b) = (of(a)?, of(b)?);
            let value = a.value + b.value;
            let whole =
                value.im == 0.0 && value.re.fract() == 0.0 && value.re.abs() < MAX_EXACT_INTEGER;
            let more =
                if whole && a.error + b.error == 0.0 { 0.0 } else { HALF_ULP * value.norm() };
            ValueWithError { value, error: a.error + b.error + more }
        }
        Expr::Multiply(a, b) => multiply_with_error(of(a)?, of(b)?)?,
        Expr::Divide(a, b) => {
            let (a, b) = (of(a)?, of(b)?);
            let value = a.value / b.value;
            let sure = b.value.norm() - b.error;
            if sure <= 0.0 || value.norm() < MIN_MAGNITUDE && a.value.norm() != 0.0 {
                return None;
            }
            let error = (a.error + value.norm() * b.error) / sure + f64::EPSILON * value.norm();
            ValueWithError { value, error }
        }
        Expr::Power(a, b) => power_with_error(of(a)?, of(b)?)?,
        Expr::Call(function, arguments) => {
            let inside = EvalContext { degree: std::f64::consts::PI / 180.0, ..*point };
            let arguments: Option<Vec<ValueWithError>> =
                arguments.iter().map(|a| evaluate_with_error(a, &inside)).collect();
            call_with_error(*function, &arguments?, point.log_base)?
        }
    };
    (result.value.is_finite() && result.error.is_finite()).then_some(result)
}

fn multiply_with_error(a: ValueWithError, b: ValueWithError) -> Option<ValueWithError> {
    let value = a.value * b.value;
    let (first, second) = (a.value.norm(), b.value.norm());
    if value.norm() < MIN_MAGNITUDE && first != 0.0 && second != 0.0 {
        return None;
    }
    let unit = if a.value.im == 0.0 && b.value.im == 0.0 { HALF_ULP } else { f64::EPSILON };
    let whole =
        a.error + b.error == 0.0 && value.re.fract() == 0.0 && value.re.abs() < MAX_EXACT_INTEGER;
    let more = if whole && value.im == 0.0 { 0.0 } else { unit * value.norm() };
    Some(ValueWithError {
        value,
        error: first * b.error + second * a.error + a.error * b.error + more,
    })
}

fn power_with_error(base: ValueWithError, exponent: ValueWithError) -> Option<ValueWithError> {
    // The real root of a negative number may be meant, or a complex one.
    let negative = base.value.im == 0.0 && base.value.re < 0.0 && exponent.value.im == 0.0;
    if negative && (2.0 * exponent.value.re).fract() != 0.0 {
        return None;
    }
    let value = complex_power(base.value, exponent.value);
    if value.norm() < MIN_MAGNITUDE && base.value.norm() != 0.0 {
        return None;
    }
    let exact = base.error + exponent.error == 0.0
        && base.value.im == 0.0
        && base.value.re.fract() == 0.0
        && exponent.value.re >= 0.0
        && exponent.value.re.fract() == 0.0
        && exponent.value.im == 0.0
        && value.re.abs() < MAX_EXACT_INTEGER;
    let mut error = if exact {
        0.0
    } else {
        let steps = exponent.value.norm() * (1.0 + base.value.norm().ln().abs());
        f64::EPSILON * value.norm() * (1.0 + steps.min(1e6))
    };
    if base.error > 0.0 {
        error += (complex_power(base.value + base.error, exponent.value) - value).norm();
    }
    if exponent.error > 0.0 {
        error += (complex_power(base.value, exponent.value + exponent.error) - value).norm();
    }
    Some(ValueWithError { value, error })
}

/// The value of a function; its error is its change over the errors of its arguments.
fn call_with_error(
    function: Function,
    arguments: &[ValueWithError],
    log_base: f64,
) -> Option<ValueWithError> {
    let values: Vec<Complex64> = arguments.iter().map(|m| m.value).collect();
    let value = apply_function(function, &values, log_base)?;
    if function == Function::Exp && value.norm() < MIN_MAGNITUDE {
        return None;
    }
    // A square root is rounded correctly.
    let unit = if function == Function::Root { HALF_ULP } else { f64::EPSILON };
    let mut error = unit * value.norm();
    for (i, argument) in arguments.iter().enumerate().filter(|(_, m)| m.error > 0.0) {
        let mut moved = values.clone();
        moved[i] = argument.value + argument.error;
        error +=
            apply_function(function, &moved, log_base).map_or(0.0, |other| (other - value).norm());
    }
    Some(ValueWithError { value, error })
}

fn complex_power(base: Complex64, exponent: Complex64) -> Complex64 {
    let whole = exponent.im == 0.0 && exponent.re.fract() == 0.0 && exponent.re.abs() < 1e6;
    if whole {
        return base.powi(exponent.re as i32);
    }
    if base.im == 0.0 && exponent.im == 0.0 && base.re >= 0.0 {
        return Complex64::new(base.re.powf(exponent.re), 0.0);
    }
    base.powc(exponent)
}

fn apply_function(function: Function, arguments: &[Complex64], log_base: f64) -> Option<Complex64> {
    let first = *arguments.first()?;
    let real = |z: Complex64| (z.im.abs() < 1e-12).then_some(z.re);
    let whole = |z: Complex64| real(z).filter(|x| x.fract() == 0.0);
    let of = |x: f64| Some(Complex64::new(x, 0.0));
    match function {
        Function::Root => {
            let degree = whole(*arguments.get(1)?)?;
            // An odd root of a negative number is real.
            if first.im == 0.0 && first.re < 0.0 && degree % 2.0 != 0.0 {
                return of(-(-first.re).powf(1.0 / degree));
            }
            if degree == 2.0 {
                // A negative zero would flip the branch of a root.
                return Some(Complex64::new(first.re, first.im + 0.0).sqrt());
            }
            Some(complex_power(first, Complex64::new(1.0 / degree, 0.0)))
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
pub(super) const PRIME: u64 = (1 << 61) - 1;

fn mul_mod(a: u64, b: u64) -> u64 {
    // Both are below 2⁶¹.
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn pow_mod(mut base: u64, mut exponent: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul_mod(result, base);
        }
        base = mul_mod(base, base);
        exponent >>= 1;
    }
    result
}

fn inverse_mod(a: u64) -> Option<u64> {
    (a != 0).then(|| pow_mod(a, PRIME - 2))
}

/// The residue of an expression modulo [`PRIME`]; `None` if it has none, as roots do.
pub(super) fn evaluate_mod_prime(expr: &Expr, variable: &dyn Fn(&str) -> u64) -> Option<u64> {
    let of = |e: &Expr| evaluate_mod_prime(e, variable);
    Some(match expr {
        Expr::Number { digits, decimals } => {
            let digit = |c: char| c.to_digit(10).map(u64::from);
            let mut whole = 0;
            for c in digits.chars() {
                whole = (mul_mod(whole, 10) + digit(c)?) % PRIME;
            }
            mul_mod(whole, inverse_mod(pow_mod(10, *decimals as u64))?)
        }
        Expr::Variable(name) => variable(name) % PRIME,
        Expr::Negative(a) => (PRIME - of(a)?) % PRIME,
        Expr::Add(a, b) => (of(a)? + of(b)?) % PRIME,
        Expr::Multiply(a, b) => mul_mod(of(a)?, of(b)?),
        Expr::Divide(a, b) => mul_mod(of(a)?, inverse_mod(of(b)?)?),
        Expr::Power(a, b) => {
            let (base, exponent) = (of(a)?, as_integer(b)?);
            let by = pow_mod(base, exponent.unsigned_abs() as u64 % (PRIME - 1));
            if exponent == 0 {
                1
            } else if base == 0 && exponent > 0 {
                0
            } else if exponent < 0 {
                inverse_mod(by)?
            } else {
                by
            }
        }
        Expr::Call(Function::Factorial, arguments) => {
            let n = as_integer(arguments.first()?).filter(|n| (0..=100_000).contains(n))?;
            (1..=n as u64).fold(1, mul_mod)
        }
        Expr::Call(Function::Binomial, arguments) => {
            let n = as_integer(arguments.first()?).filter(|n| (0..=100_000).contains(n))?;
            let k = as_integer(arguments.get(1)?).filter(|k| (0..=n).contains(k))?;
            let up_to = |m: i128| (1..=m as u64).fold(1, mul_mod);
            mul_mod(up_to(n), inverse_mod(mul_mod(up_to(k), up_to(n - k)))?)
        }
        _ => return None,
    })
}

/// The integer value of an expression without variables.
pub(super) fn as_integer(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Number { digits, decimals: 0 } => digits.parse().ok(),
        Expr::Negative(a) => as_integer(a)?.checked_neg(),
        Expr::Add(a, b) => as_integer(a)?.checked_add(as_integer(b)?),
        Expr::Multiply(a, b) => as_integer(a)?.checked_mul(as_integer(b)?),
        Expr::Divide(a, b) => {
            let (a, b) = (as_integer(a)?, as_integer(b)?);
            (b != 0 && a.checked_rem(b)? == 0).then(|| a / b)
        }
        Expr::Power(a, b) => {
            let exponent = u32::try_from(as_integer(b)?).ok()?;
            as_integer(a)?.checked_pow(exponent)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(expr: &Expr) -> Option<f64> {
        let point = EvalContext { variable: &|_| 0.0, degree: 1.0, log_base: 10.0 };
        evaluate(expr, &point).map(|z| z.re)
    }

    #[test]
    fn functions_have_their_values() {
        let n = Expr::integer;
        let cases = [
            (n(1).divided_by(n(8)), 0.125),
            (n(2).pow(n(10)), 1024.0),
            (Expr::Call(Function::Root, vec![n(27).negated(), n(3)]), -3.0),
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
        assert_eq!(constant(&n(1).divided_by(n(0))), None);
        assert_eq!(constant(&n(10).pow(n(400))), None, "too large to be known");
    }

    #[test]
    fn modular_evaluation_handles_any_size() {
        let none = |_: &str| 0;
        let large = Expr::integer(2).pow(Expr::integer(2004));
        let more = large.clone().add(Expr::integer(1));
        assert_ne!(evaluate_mod_prime(&large, &none), evaluate_mod_prime(&more, &none));
        let halves = Expr::integer(4).pow(Expr::integer(1002));
        assert_eq!(evaluate_mod_prime(&large, &none), evaluate_mod_prime(&halves, &none));
        let third = Expr::integer(1).divided_by(Expr::integer(3));
        let decimal = Expr::Number { digits: "333333".into(), decimals: 6 };
        assert_ne!(evaluate_mod_prime(&third, &none), evaluate_mod_prime(&decimal, &none));
        assert_eq!(evaluate_mod_prime(&Expr::Pi, &none), None);
    }
}
