//! Whether two expressions have the same value.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::expression::{
    EvalContext, Expr, Function, PRIME, ValueWithError, evaluate, evaluate_mod_prime,
    evaluate_with_error,
};

/// The names of the variables in some expressions.
pub(super) fn variable_names(sides: &[Expr]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for side in sides {
        side.collect_variables(&mut names);
    }
    names
}

/// Number of points at which two expressions with variables are compared.
const SAMPLE_POINTS: usize = 8;

/// Random points for the variables of two expressions: half of them positive, half of either sign; integers if a
/// factorial or the like accepts nothing else.
fn sample_points(a: &Expr, b: &Expr) -> Vec<Vec<(String, f64)>> {
    let names = variable_names(&[a.clone(), b.clone()]);
    let counts = |e: &Expr| {
        matches!(
            e,
            Expr::Call(
                Function::Factorial
                    | Function::Binomial
                    | Function::Floor
                    | Function::Ceiling
                    | Function::Gcd
                    | Function::Lcm,
                _
            )
        )
    };
    // `(-1)^n`
    let alternates = |e: &Expr| match e {
        Expr::Power(base, exponent) => {
            matches!(**base, Expr::Negative(_))
                && !variable_names(std::slice::from_ref(exponent)).is_empty()
        }
        _ => false,
    };
    let whole = [a, b].iter().any(|e| e.any(&counts) || e.any(&alternates));
    let mut rng = ChaCha8Rng::seed_from_u64(0x0A11_5A4E);
    let mut draw = |i: usize| {
        if whole {
            return f64::from(rng.random_range(1..=12_u8));
        }
        let size: f64 = rng.random_range(0.2..2.5);
        if i >= SAMPLE_POINTS / 2 && rng.random() { -size } else { size }
    };
    (0..SAMPLE_POINTS).map(|i| names.iter().map(|n| (n.clone(), draw(i))).collect()).collect()
}

/// The variable's value at a point.
fn value_at(point: &[(String, f64)], name: &str) -> f64 {
    point.iter().find(|(n, _)| n == name).map_or(0.0, |(_, x)| *x)
}

/// The constant factor between two expressions: `Some(None)` if there is no such factor, `None` if that cannot be
/// decided.
pub(super) fn proportionality_factor(a: &Expr, b: &Expr) -> Option<Option<f64>> {
    let mut factor: Option<f64> = None;
    let mut seen = 0;
    for point in sample_points(a, b) {
        let variable = |name: &str| value_at(&point, name);
        let point = EvalContext { variable: &variable, degree: 1.0, log_base: 10.0 };
        let (Some(x), Some(y)) = (evaluate_with_error(a, &point), evaluate_with_error(b, &point))
        else {
            continue;
        };
        let sure = |m: ValueWithError| m.value.im == 0.0 && m.value.re.abs() > 1e3 * m.error;
        if !sure(x) || !sure(y) {
            continue;
        }
        let ratio = x.value.re / y.value.re;
        if factor.is_some_and(|f| !nearly_equal(f, ratio)) {
            return Some(None);
        }
        factor = Some(ratio);
        seen += 1;
    }
    (seen >= 2).then_some(factor)
}

fn nearly_equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Whether two values are equal within their rounding errors; `None` if they differ by only little more.
fn agree_within_error(a: ValueWithError, b: ValueWithError, tolerance: f64) -> Option<bool> {
    let apart = (a.value - b.value).norm();
    let error = a.error + b.error + tolerance * a.value.norm().max(b.value.norm());
    if apart <= error {
        return Some(true);
    }
    (apart > 64.0 * error).then_some(false)
}

/// Whether two scalars are equal; `None` if neither can be evaluated.
///
/// Decimals are exact: 0.333 is not 1/3. There are two exceptions: a decimal of at least six places and six digits
/// equals what rounds or truncates to it, and a gold answer that calls itself approximate (`rounded`) does so too.
pub(super) fn equivalent(gold: &Expr, answer: &Expr, rounded: bool) -> Option<bool> {
    if gold == answer {
        return Some(true);
    }
    let logs = |e: &Expr| matches!(e, Expr::Call(Function::Log, _));
    let bases: &[f64] =
        if gold.any(&logs) || answer.any(&logs) { &[10.0, std::f64::consts::E] } else { &[10.0] };
    let outside = |e: &Expr| matches!(e, Expr::Degrees(_));
    let one_in_degrees = gold.any(&outside) != answer.any(&outside);
    // The degree sign may be left out, or the angle may be in radians.
    let degrees: &[f64] =
        if one_in_degrees { &[1.0, std::f64::consts::PI / 180.0] } else { &[1.0] };
    let mut result = None;
    for &log_base in bases {
        for &degree in degrees {
            match equal_at_sample_points(gold, answer, degree, log_base, rounded) {
                Some(true) => return Some(true),
                Some(false) => result = Some(false),
                None => {}
            }
        }
    }
    result
}

fn equal_at_sample_points(
    gold: &Expr,
    answer: &Expr,
    degree: f64,
    log_base: f64,
    rounded: bool,
) -> Option<bool> {
    let exact = equal_mod_prime(gold, answer);
    if exact == Some(true) || exact.is_some() && !has_decimals(gold) && !has_decimals(answer) {
        return exact;
    }
    let tolerance = if has_long_decimals(gold) || has_long_decimals(answer) { 1e-11 } else { 0.0 };
    let constant = variable_names(&[gold.clone(), answer.clone()]).is_empty();
    let mut seen = 0;
    // Only one of the two is defined.
    let mut one_sided = false;
    for point in sample_points(gold, answer) {
        let variable = |name: &str| value_at(&point, name);
        let point = EvalContext { variable: &variable, degree, log_base };
        let (g, a) = (evaluate_with_error(gold, &point), evaluate_with_error(answer, &point));
        let (Some(g), Some(a)) = (g, a) else {
            one_sided |= g.is_some() != a.is_some();
            continue;
        };
        if g.value.re.is_infinite() || a.value.re.is_infinite() {
            return Some(g.value.re == a.value.re);
        }
        if !constant && outside_log_domain(gold, answer, g, a) {
            continue;
        }
        let equal = agree_within_error(g, a, tolerance);
        if constant {
            let real = g.value.im == 0.0 && a.value.im == 0.0;
            let written = real
                && (rounds_to(gold, a.value.re, rounded) || rounds_to(answer, g.value.re, false));
            let equal = if exact.is_some() && tolerance == 0.0 { Some(false) } else { equal };
            return if written { Some(true) } else { equal };
        }
        match equal {
            Some(true) => seen += 1,
            Some(false) => return Some(false),
            None => {}
        }
    }
    if seen == 0 && one_sided {
        return Some(false);
    }
    (seen >= 2).then_some(true)
}

/// Whether a point is outside the domain of a real logarithm. Points outside are ignored: `2 \ln x` is `\ln x^2`.
fn outside_log_domain(gold: &Expr, answer: &Expr, g: ValueWithError, a: ValueWithError) -> bool {
    let logs =
        |e: &Expr| matches!(e, Expr::Call(Function::Ln | Function::Log | Function::LogBase, _));
    let complex = |e: &Expr| *e == Expr::Imaginary;
    let real = !gold.any(&complex) && !answer.any(&complex);
    real && (g.value.im != 0.0 || a.value.im != 0.0) && gold.any(&logs) && answer.any(&logs)
}

/// Compares residues modulo a prime, at two points.
fn equal_mod_prime(a: &Expr, b: &Expr) -> Option<bool> {
    let names = variable_names(&[a.clone(), b.clone()]);
    let mut rng = ChaCha8Rng::seed_from_u64(0x0A11_5A4F);
    for _ in 0..2 {
        let values: Vec<(String, u64)> =
            names.iter().map(|n| (n.clone(), rng.random_range(2..PRIME))).collect();
        let variable = |name: &str| values.iter().find(|(n, _)| n == name).map_or(0, |(_, x)| *x);
        if evaluate_mod_prime(a, &variable)? != evaluate_mod_prime(b, &variable)? {
            return Some(false);
        }
    }
    Some(true)
}

fn has_decimals(expr: &Expr) -> bool {
    expr.any(&|e| matches!(e, Expr::Number { decimals: 1.., .. }))
}

/// Whether an expression contains a decimal of six or more places.
fn has_long_decimals(expr: &Expr) -> bool {
    expr.any(&|e| match e {
        Expr::Number { digits, decimals: 6.. } => digits.trim_start_matches('0').len() >= 12,
        _ => false,
    })
}

/// Whether `exact` rounds or truncates to a written decimal that has enough places (or any number, with `any`).
fn rounds_to(written: &Expr, exact: f64, any: bool) -> bool {
    let Some((digits, decimals)) = written.literal() else { return false };
    let significant = digits.trim_start_matches('0').len();
    if !any && (decimals < 6 || significant < 6) {
        return false;
    }
    let point = EvalContext { variable: &|_| 0.0, degree: 1.0, log_base: 10.0 };
    let unit = 10_f64.powi(-(decimals as i32));
    let within = if any { 0.5 } else { 1.0 };
    evaluate(written, &point).is_some_and(|w| (w.re - exact).abs() <= unit * within * (1.0 + 1e-6))
}
