//! Whether two answers are the same.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::expr::{Expr, Function, PRIME, Point, remainder, value};
use super::parse::{Order, Reading, Value};
use super::words;

/// Whether the answer is the gold one; nothing where that cannot be told.
///
/// A percent sign on one side only is allowed, with the number itself or a hundredth of it: `15 %`
/// is 15 or 0.15. A plain number is never multiplied.
pub fn same(gold: &Reading, answer: &Reading) -> Option<bool> {
    if let Some(modulus) = &gold.modulus {
        match &answer.modulus {
            Some(other) if other != modulus => return Some(false),
            None if matches!(gold.value, Value::Relation(..)) => return None,
            _ => {}
        }
    }
    let rounded = gold.approximate;
    let direct = same_value(&gold.value, &answer.value, rounded);
    if direct == Some(true) || gold.percent == answer.percent {
        return direct;
    }
    let hundredth = |v: &Value| match v {
        Value::Scalar(e) => Some(e.clone().over(Expr::whole(100))),
        _ => None,
    };
    if let (Value::Scalar(_), Value::List(items)) = (&gold.value, &answer.value) {
        // `2/5 or 40 %`
        return all(items.iter().map(|item| {
            let percent = |percent| Reading { value: item.clone(), percent, ..answer.clone() };
            let either = [same(gold, &percent(false)), same(gold, &percent(true))];
            if either.contains(&Some(true)) { Some(true) } else { either[0] }
        }));
    }
    let (Value::Scalar(g), Value::Scalar(a)) = (&gold.value, &answer.value) else {
        return direct;
    };
    let (g, a) = match (gold.percent, hundredth(&gold.value), hundredth(&answer.value)) {
        (true, Some(part), _) => (part, a.clone()),
        (false, _, Some(part)) => (g.clone(), part),
        _ => return direct,
    };
    same_expr(&g, &a, rounded)
}

fn same_value(gold: &Value, answer: &Value, rounded: bool) -> Option<bool> {
    use Value::{Based, List, Matrix, Ratio, Relation, Scalar, Set, Tuple, Union, Words};
    match (gold, answer) {
        (Scalar(g), Scalar(a)) => same_expr(g, a, rounded),
        (Words(g), Words(a)) => Some(words::same(g, a)),
        (Scalar(g), Words(a)) | (Words(a), Scalar(g)) => {
            // `six`, or a number among words.
            let number = words::counted(a).map(|n| n.to_string()).or_else(|| only_number(a));
            match number.and_then(|n| n.parse::<u64>().ok()) {
                Some(n) => same_expr(g, &Expr::whole(n), rounded),
                None => Some(false),
            }
        }
        (Relation(gs, go), Relation(xs, xo)) => same_relation(gs, go, xs, xo, rounded),
        (Relation(sides, orders), other) => {
            if orders.iter().all(|o| *o == Order::Equal) {
                // Only a name may be left out: an equation is more than its right side.
                let named = sides.len() == 2 && is_label(&sides[0]);
                let right = Scalar(sides.last()?.clone());
                return if named { same_value(&right, other, rounded) } else { Some(false) };
            }
            // What is no interval is not of the gold answer's kind.
            interval(sides, orders).map_or(Some(false), |i| same_value(&i, other, rounded))
        }
        (other, Relation(sides, orders)) => {
            if orders.iter().all(|o| *o == Order::Equal) {
                let right = same_value(other, &Scalar(sides.last()?.clone()), rounded);
                if right != Some(true) && is_label(sides.last()?) {
                    return same_value(other, &Scalar(sides.first()?.clone()), rounded);
                }
                return right;
            }
            interval(sides, orders).map_or(Some(false), |i| same_value(other, &i, rounded))
        }
        (List(g), List(a)) => {
            if let (Some(g), Some(a)) = (joined(g), joined(a)) {
                return same_value(&g, &a, rounded);
            }
            matched(g, a, rounded)
        }
        (Set(g), Set(a)) => matched(&distinct(g), &distinct(a), rounded),
        (List(g), Set(a)) | (Set(g), List(a)) => matched(&distinct(g), &distinct(a), rounded),
        (List(items), other @ (Tuple { .. } | Union(_))) if joined(items).is_some() => {
            same_value(&joined(items)?, other, rounded)
        }
        (other @ (Tuple { .. } | Union(_)), List(items)) if joined(items).is_some() => {
            same_value(other, &joined(items)?, rounded)
        }
        // A list with brackets around it, or a point without: in its order.
        (List(g), Tuple { items: a, .. }) | (Tuple { items: g, .. }, List(a)) => {
            in_order(g, a, rounded)
        }
        (
            Tuple { open, items: g, close },
            Tuple { open: other_open, items: a, close: other_close },
        ) => {
            let kind = |c: &char| matches!(c, '[' | ']');
            let brackets = kind(open) == kind(other_open) && kind(close) == kind(other_close);
            // Two numbers may be an interval: then the brackets say what belongs to it.
            if g.len() == 2 && a.len() == 2 && !brackets {
                return Some(false);
            }
            in_order(g, a, rounded)
        }
        // The same answer in several ways: `1/2 or 0.5`.
        (Scalar(_), List(items)) if items.len() > 1 => {
            all(items.iter().map(|item| same_value(gold, item, rounded)))
        }
        (Union(g), Union(a)) => matched(g, a, rounded),
        (Matrix(g), Matrix(a)) => {
            let shape = |m: &[Vec<Value>]| m.iter().map(Vec::len).collect::<Vec<_>>();
            if shape(g) != shape(a) {
                return Some(false);
            }
            in_order(&g.concat(), &a.concat(), rounded)
        }
        (Matrix(m), Tuple { items, .. }) | (Tuple { items, .. }, Matrix(m)) => {
            // A column or a row is a vector.
            let vector = m.len() == 1 || m.iter().all(|row| row.len() == 1);
            if vector { in_order(&m.concat(), items, rounded) } else { Some(false) }
        }
        (Set(items) | List(items), other) if items.len() == 1 => {
            same_value(&items[0], other, rounded)
        }
        (other, Set(items) | List(items)) if items.len() == 1 => {
            same_value(other, &items[0], rounded)
        }
        // A number in a base may come without it: the question names it.
        (Based(g, b), Based(a, c)) => Some(g == a && b == c),
        (Based(digits, _), Scalar(a)) => {
            Some(a.literal().is_some_and(|(d, n)| d == digits && n == 0))
        }
        (Scalar(g), Based(digits, _)) => {
            Some(g.literal().is_some_and(|(d, n)| d == digits && n == 0))
        }
        (Ratio(g), Ratio(a)) => {
            if g.len() != a.len() {
                return Some(false);
            }
            all(g.iter().zip(a).map(|(g, a)| same_expr(g, a, rounded)))
        }
        (Ratio(r), Scalar(s)) if r.len() == 2 => {
            same_expr(&r[0].clone().over(r[1].clone()), s, rounded)
        }
        (Scalar(s), Ratio(r)) if r.len() == 2 => {
            same_expr(s, &r[0].clone().over(r[1].clone()), rounded)
        }
        (Words(g), Set(items)) if items.is_empty() => Some(words::same(g, "none")),
        (Set(items), Words(a)) if items.is_empty() => Some(words::same("none", a)),
        (Words(g), Tuple { items, .. }) if is_line(items) => Some(words::same(g, "all reals")),
        (Tuple { items, .. }, Words(a)) if is_line(items) => Some(words::same("all reals", a)),
        _ => Some(false),
    }
}

/// The number in a text that has one only.
fn only_number(text: &str) -> Option<String> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|s| !s.is_empty());
    let first = numbers.next()?;
    let pointed = text.contains(&format!("{first}.")) && !text.ends_with('.');
    (numbers.next().is_none() && !pointed).then(|| first.to_owned())
}

/// Whether an interval is the whole line.
fn is_line(items: &[Value]) -> bool {
    let (low, high) = (Expr::Infinity.negative(), Expr::Infinity);
    items == [Value::Scalar(low), Value::Scalar(high)]
}

/// All true, or one false, or neither.
fn all(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for result in results {
        match result {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = false,
        }
    }
    known.then_some(true)
}

fn in_order(gold: &[Value], answer: &[Value], rounded: bool) -> Option<bool> {
    if gold.len() != answer.len() {
        return Some(false);
    }
    all(gold.iter().zip(answer).map(|(g, a)| same_value(g, a, rounded)))
}

/// Whether each of one side's values is one of the other's, in any order.
fn matched(gold: &[Value], answer: &[Value], rounded: bool) -> Option<bool> {
    if gold.len() != answer.len() {
        return Some(false);
    }
    let mut left: Vec<&Value> = answer.iter().collect();
    let mut known = true;
    for g in gold {
        let results: Vec<_> = left.iter().map(|a| same_value(g, a, rounded)).collect();
        match results.iter().position(|r| *r == Some(true)) {
            Some(at) => {
                left.remove(at);
            }
            None if results.contains(&None) => known = false,
            None => return Some(false),
        }
    }
    known.then_some(true)
}

/// Without what occurs again.
fn distinct(items: &[Value]) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !kept.iter().any(|k| same_value(k, item, false) == Some(true)) {
            kept.push(item.clone());
        }
    }
    kept
}

/// The union of inequalities in a list: `x < 1 or x > 3`.
fn joined(items: &[Value]) -> Option<Value> {
    let part = |item: &Value| match item {
        Value::Relation(sides, orders) if orders.iter().any(|o| *o != Order::Equal) => {
            interval(sides, orders)
        }
        _ => None,
    };
    let parts: Option<Vec<Value>> = items.iter().map(part).collect();
    Some(Value::Union(parts?))
}

/// Whether the left side of an equation only names what the right side is: `x`, `f(x)`, `|AB|`, `AC/BC`.
fn is_label(expr: &Expr) -> bool {
    match expr {
        Expr::Variable(_) | Expr::Euler | Expr::Imaginary => true,
        // A function's name and its arguments.
        Expr::Multiply(a, b) => is_label(a) && (is_label(b) || b.literal().is_some()),
        Expr::Degrees(a) => is_label(a),
        Expr::Divide(a, b) => is_label(a) && is_label(b),
        Expr::Call(Function::Absolute, inside) => inside.iter().all(is_label),
        _ => false,
    }
}

/// The interval that an inequality about one variable means.
fn interval(sides: &[Expr], orders: &[Order]) -> Option<Value> {
    let turned = |order: Order| match order {
        Order::Less => Order::More,
        Order::AtMost => Order::AtLeast,
        Order::More => Order::Less,
        Order::AtLeast => Order::AtMost,
        same => same,
    };
    let is_name = |e: &Expr| matches!(e, Expr::Variable(_));
    let scalar = |e: &Expr| Value::Scalar(e.clone());
    let least = || Value::Scalar(Expr::Infinity.negative());
    let most = || Value::Scalar(Expr::Infinity);
    let between =
        |open, low, high, close| Some(Value::Tuple { open, items: vec![low, high], close });
    match (sides, orders) {
        // |x| < a
        ([Expr::Call(Function::Absolute, inside), bound], [order])
            if inside.len() == 1 && is_name(&inside[0]) =>
        {
            let below = || bound.clone().negative();
            let name = || inside[0].clone();
            match order {
                Order::Less | Order::AtMost => {
                    interval(&[below(), name(), bound.clone()], &[*order, *order])
                }
                Order::More | Order::AtLeast => Some(Value::Union(vec![
                    interval(&[name(), below()], &[turned(*order)])?,
                    interval(&[name(), bound.clone()], &[*order])?,
                ])),
                _ => None,
            }
        }
        ([name, bound], [order]) if is_name(name) => match order {
            Order::Less => between('(', least(), scalar(bound), ')'),
            Order::AtMost => between('(', least(), scalar(bound), ']'),
            Order::More => between('(', scalar(bound), most(), ')'),
            Order::AtLeast => between('[', scalar(bound), most(), ')'),
            Order::Unequal => Some(Value::Union(vec![
                between('(', least(), scalar(bound), ')')?,
                between('(', scalar(bound), most(), ')')?,
            ])),
            Order::Equal => None,
        },
        ([bound, name], [order]) if is_name(name) => {
            interval(&[name.clone(), bound.clone()], &[turned(*order)])
        }
        ([low, name, high], [first, second]) if is_label(name) => match (first, second) {
            (Order::Less | Order::AtMost, Order::Less | Order::AtMost) => between(
                if *first == Order::Less { '(' } else { '[' },
                scalar(low),
                scalar(high),
                if *second == Order::Less { ')' } else { ']' },
            ),
            (Order::More | Order::AtLeast, Order::More | Order::AtLeast) => interval(
                &[high.clone(), name.clone(), low.clone()],
                &[turned(*second), turned(*first)],
            ),
            _ => None,
        },
        _ => None,
    }
}

fn same_relation(
    gold: &[Expr],
    gold_orders: &[Order],
    answer: &[Expr],
    answer_orders: &[Order],
    rounded: bool,
) -> Option<bool> {
    let equations = |orders: &[Order]| orders.iter().all(|o| *o == Order::Equal);
    if equations(gold_orders) != equations(answer_orders) {
        return Some(false);
    }
    if equations(gold_orders) {
        let (g, a) = (gold.last()?, answer.last()?);
        let named = |sides: &[Expr]| is_label(&sides[0]);
        if named(gold) && named(answer) && same_expr(g, a, rounded) == Some(true) {
            return Some(true);
        }
        if let ([gl, gr], [al, ar]) = (gold, answer) {
            let (g, a) = (gl.clone().minus(gr.clone()), al.clone().minus(ar.clone()));
            return proportional(&g, &a).map(|factor| factor.is_some());
        }
        return all(gold.iter().zip(answer).map(|(g, a)| same_expr(g, a, rounded)))
            .map(|same| same && gold.len() == answer.len());
    }
    if let (Some(g), Some(a)) = (interval(gold, gold_orders), interval(answer, answer_orders))
        && same_value(&g, &a, rounded) == Some(true)
    {
        return Some(names_of(gold) == names_of(answer) || names_of(gold).len() == 1);
    }
    let ([gl, gr], [go], [al, ar], [ao]) = (gold, gold_orders, answer, answer_orders) else {
        let same = gold_orders == answer_orders && gold.len() == answer.len();
        return if same {
            all(gold.iter().zip(answer).map(|(g, a)| same_expr(g, a, rounded)))
        } else {
            Some(false)
        };
    };
    // Both as `… < 0`.
    let downward = |l: &Expr, r: &Expr, order: Order| match order {
        Order::More => (r.clone().minus(l.clone()), Order::Less),
        Order::AtLeast => (r.clone().minus(l.clone()), Order::AtMost),
        other => (l.clone().minus(r.clone()), other),
    };
    let ((g, go), (a, ao)) = (downward(gl, gr, *go), downward(al, ar, *ao));
    if go != ao {
        return Some(false);
    }
    let factor = proportional(&g, &a)?;
    Some(factor.is_some_and(|f| f > 0.0 || go == Order::Unequal))
}

fn names_of(sides: &[Expr]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    sides.iter().for_each(|side| side.variables(&mut names));
    names
}

/// How many points two expressions with variables are compared at.
const POINTS: usize = 8;

/// Points for the variables of two expressions: half of them positive, half of either sign; whole
/// numbers where a factorial or the like takes no others.
fn points(a: &Expr, b: &Expr) -> Vec<Vec<(String, f64)>> {
    let names = names_of(&[a.clone(), b.clone()]);
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
    let whole = a.any(&counts) || b.any(&counts);
    let mut rng = ChaCha8Rng::seed_from_u64(0x0A11_5A4E);
    let mut draw = |i: usize| {
        if whole {
            return f64::from(rng.random_range(1..=12_u8));
        }
        let size: f64 = rng.random_range(0.2..2.5);
        if i >= POINTS / 2 && rng.random() { -size } else { size }
    };
    (0..POINTS).map(|i| names.iter().map(|n| (n.clone(), draw(i))).collect()).collect()
}

/// The variable's value at a point.
fn at(point: &[(String, f64)], name: &str) -> f64 {
    point.iter().find(|(n, _)| n == name).map_or(0.0, |(_, x)| *x)
}

/// The factor between two expressions that are zero together: `Some(None)` where there is none,
/// nothing where that cannot be told.
fn proportional(a: &Expr, b: &Expr) -> Option<Option<f64>> {
    let mut factor: Option<f64> = None;
    let mut seen = 0;
    for point in points(a, b) {
        let variable = |name: &str| at(&point, name);
        let point = Point { variable: &variable, degree: 1.0, log_base: 10.0 };
        let (Some(x), Some(y)) = (value(a, &point), value(b, &point)) else { continue };
        if x.im.abs() > 1e-9 || y.im.abs() > 1e-9 || x.re.abs() < 1e-9 || y.re.abs() < 1e-9 {
            continue;
        }
        let ratio = x.re / y.re;
        if factor.is_some_and(|f| !close(f, ratio)) {
            return Some(None);
        }
        factor = Some(ratio);
        seen += 1;
    }
    (seen >= 2).then_some(factor)
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3)
}

/// Whether two scalars are equal; nothing where neither can be worked out.
///
/// Decimals are exact: 0.333 is not 1/3. Only where one side is a decimal of at least six places
/// and six digits, and the other side rounds or is cut off to it, they count as equal, since nobody
/// could have written more; and where the gold answer itself says that it is approximate (`rounded`).
pub fn same_expr(gold: &Expr, answer: &Expr, rounded: bool) -> Option<bool> {
    if gold == answer {
        return Some(true);
    }
    let logs = |e: &Expr| matches!(e, Expr::Call(Function::Log, _));
    let bases: &[f64] =
        if gold.any(&logs) || answer.any(&logs) { &[10.0, std::f64::consts::E] } else { &[10.0] };
    let outside = |e: &Expr| matches!(e, Expr::Degrees(_));
    let one_in_degrees = gold.any(&outside) != answer.any(&outside);
    // A sign of degrees may be left out, or the angle be given in radians.
    let degrees: &[f64] =
        if one_in_degrees { &[1.0, std::f64::consts::PI / 180.0] } else { &[1.0] };
    let mut told = None;
    for &log_base in bases {
        for &degree in degrees {
            match at_points(gold, answer, degree, log_base, rounded) {
                Some(true) => return Some(true),
                Some(false) => told = Some(false),
                None => {}
            }
        }
    }
    told
}

fn at_points(
    gold: &Expr,
    answer: &Expr,
    degree: f64,
    log_base: f64,
    rounded: bool,
) -> Option<bool> {
    if let Some(equal) = exactly(gold, answer)
        && (equal || !has_decimals(gold) && !has_decimals(answer))
    {
        return Some(equal);
    }
    let constant = names_of(&[gold.clone(), answer.clone()]).is_empty();
    let mut seen = 0;
    // Where one of them has a value and the other none.
    let mut one_sided = false;
    for point in points(gold, answer) {
        let variable = |name: &str| at(&point, name);
        let point = Point { variable: &variable, degree, log_base };
        let (g, a) = (value(gold, &point), value(answer, &point));
        let (Some(g), Some(a)) = (g, a) else {
            one_sided |= g.is_some() != a.is_some();
            continue;
        };
        if g.re.is_infinite() || a.re.is_infinite() {
            return Some(g.re == a.re);
        }
        let equal = close(g.re, a.re) && (g.im - a.im).abs() <= 1e-9 * g.norm().max(1e-3);
        if constant {
            return Some(
                equal
                    || (g.im == 0.0
                        && a.im == 0.0
                        && (rounds_to(gold, a.re, rounded) || rounds_to(answer, g.re, false))),
            );
        }
        if !equal {
            return Some(false);
        }
        seen += 1;
    }
    if seen == 0 && one_sided {
        return Some(false);
    }
    (seen >= 2).then_some(true)
}

/// Compares as remainders by a prime, at two points.
fn exactly(a: &Expr, b: &Expr) -> Option<bool> {
    let names = names_of(&[a.clone(), b.clone()]);
    let mut rng = ChaCha8Rng::seed_from_u64(0x0A11_5A4F);
    for _ in 0..2 {
        let values: Vec<(String, u64)> =
            names.iter().map(|n| (n.clone(), rng.random_range(2..PRIME))).collect();
        let variable = |name: &str| values.iter().find(|(n, _)| n == name).map_or(0, |(_, x)| *x);
        if remainder(a, &variable)? != remainder(b, &variable)? {
            return Some(false);
        }
    }
    Some(true)
}

fn has_decimals(expr: &Expr) -> bool {
    expr.any(&|e| matches!(e, Expr::Number { decimals: 1.., .. }))
}

/// Whether `exact` is rounded or cut off to a written decimal, where that has places enough, or
/// `any` will do.
fn rounds_to(written: &Expr, exact: f64, any: bool) -> bool {
    let Some((digits, decimals)) = written.literal() else { return false };
    let significant = digits.trim_start_matches('0').len();
    if !any && (decimals < 6 || significant < 6) {
        return false;
    }
    let point = Point { variable: &|_| 0.0, degree: 1.0, log_base: 10.0 };
    let unit = 10_f64.powi(-(decimals as i32));
    let within = if any { 0.5 } else { 1.0 };
    value(written, &point).is_some_and(|w| (w.re - exact).abs() <= unit * within * (1.0 + 1e-6))
}
