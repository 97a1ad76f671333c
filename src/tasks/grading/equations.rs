//! Equations: what their left sides name, and when two say the same.

use std::collections::BTreeSet;

use super::compare::{all, in_order, same_value};
use super::domains::interval;
use super::expr::{Expr, Function};
use super::numeric::{names_of, proportional, same_expr};
use super::parse::{Order, Value};
use super::renaming::same_renamed;

/// Whether the left side of an equation only names what the right side is: `x`, `f(x)`, `|AB|`, `AC/BC`.
pub fn is_label(expr: &Expr) -> bool {
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

/// Whether two names with what they stand for say the same.
fn same_named(gl: &Expr, g: &Expr, al: &Expr, a: &Expr, rounded: bool) -> Option<bool> {
    let constant = names_of(&[g.clone(), a.clone()]).is_empty();
    let labels = match (gl, al) {
        (Expr::Variable(gold), Expr::Variable(answer)) => {
            // `n = 2^k` and `k = 2^n`
            let crossed = gold != answer
                && (names_of(std::slice::from_ref(a)).contains(gold)
                    || names_of(std::slice::from_ref(g)).contains(answer));
            same_name(gold, answer, constant).filter(|same| !same || !crossed)
        }
        _ => Some(true),
    };
    if labels == Some(false) {
        return labels;
    }
    if same_expr(g, a, rounded) == Some(true) {
        return labels;
    }
    let argument = argument(gl).zip(argument(al));
    let defined = matches!((gl, al), (Expr::Variable(_), Expr::Variable(_)));
    match same_renamed(g, a, argument, defined, rounded) {
        Some(true) => labels,
        other => other,
    }
}

/// Whether two names of an answer may mean the same; nothing where a person would have to look.
fn same_name(gold: &str, answer: &str, constant: bool) -> Option<bool> {
    let unknown = |name: &str| matches!(name, "x" | "y" | "z");
    let bare =
        |name: &str, other: &str| other.strip_prefix(name).is_some_and(|r| r.starts_with('_'));
    if gold.eq_ignore_ascii_case(answer)
        || bare(gold, answer)
        || bare(answer, gold)
        || gold == LABEL
        || answer == LABEL
    {
        Some(true)
    } else if unknown(gold) && unknown(answer) {
        Some(false)
    } else if constant {
        None
    } else {
        Some(true)
    }
}

/// What a label in words is read as.
pub const LABEL: &str = "label";

/// The argument of a function of one variable: that of `f(x)`.
fn argument(label: &Expr) -> Option<&str> {
    let Expr::Multiply(function, of) = label else { return None };
    match (&**function, &**of) {
        (Expr::Variable(_), Expr::Variable(name)) => Some(name),
        _ => None,
    }
}

/// Whether an expression is a function with its argument, as `f(x + 1)`.
pub fn is_function_value(expr: &Expr) -> bool {
    let Expr::Multiply(function, _) = expr else { return false };
    let name = match &**function {
        Expr::Variable(name) => name,
        Expr::Power(function, _) => match &**function {
            Expr::Variable(name) => name,
            _ => return false,
        },
        _ => return false,
    };
    matches!(name.trim_end_matches('\''), "f" | "g" | "h" | "P" | "Q" | "F" | "G" | "p" | "E" | "T")
}

/// Whether it may be what a question asks for, as `AB + BC`, `f(2)` or `a^2 + b^2`.
fn is_quantity(expr: &Expr) -> bool {
    if is_label(expr) || is_function_value(expr) {
        return true;
    }
    let known = |e: &Expr| names_of(std::slice::from_ref(e)).is_empty();
    match expr {
        Expr::Add(a, b) => {
            // `n - 4`, but not `x - 4`.
            let number = |e: &Expr| {
                known(e) && !names_of(std::slice::from_ref(expr)).iter().all(|n| is_unknown(n))
            };
            (is_quantity(a) || number(a)) && (is_quantity(b) || number(b))
        }
        Expr::Multiply(a, b) | Expr::Divide(a, b) => is_quantity(a) && is_quantity(b),
        Expr::Negative(a) | Expr::Degrees(a) => is_quantity(a),
        Expr::Power(base, exponent) => is_quantity(base) && known(exponent),
        Expr::Call(_, arguments) => arguments.iter().all(|a| is_quantity(a) || known(a)),
        _ => false,
    }
}

/// Whether a name is one that equations are solved for.
fn is_unknown(name: &str) -> bool {
    matches!(name, "x" | "y" | "z")
}

/// Whether an equation that ends in the gold answer says that this is the answer. An equation in
/// unknowns does not: `x^2 - 5x + 6 = 0` is not 0.
pub fn gives_its_right_side(sides: &[Expr], rounded: bool) -> Option<bool> {
    let (left, right) = (sides.first()?, sides.last()?);
    let names = names_of(std::slice::from_ref(left));
    // `|x| = 5` may be an equation, `|z| = 5` is a value.
    let size = matches!(left, Expr::Call(Function::Absolute, inside)
        if matches!(inside.as_slice(), [Expr::Variable(n)] if matches!(n.as_str(), "x" | "y")));
    if size {
        return None;
    }
    if names.is_empty() || is_label(left) || is_function_value(left) {
        return Some(true);
    }
    if same_expr(left, right, rounded) == Some(true) {
        return Some(true);
    }
    // A calculation: `2x + 3 = 2 \cdot 4 + 3 = 11`.
    let middle = sides.get(1..sides.len() - 1).unwrap_or(&[]);
    if middle.last().is_some_and(|before| same_expr(before, right, rounded) == Some(true))
        || !middle.is_empty() && names_of(middle).is_empty()
    {
        return Some(true);
    }
    let zero = right.literal().is_some_and(|(digits, _)| digits.trim_matches('0').is_empty());
    let unknowns = names.iter().all(|n| is_unknown(n));
    let power = left.any(&|e| matches!(e, Expr::Power(..)));
    match (is_quantity(left), zero) {
        (true, false) => Some(true),
        (true, true) => None,
        (false, true) => Some(false),
        (false, false) if unknowns && !power => Some(false),
        _ => None,
    }
}

/// Unknowns with their values, in the order in which they are written.
type Assignment<'a> = Vec<(&'a str, Value)>;

/// What `x = 1, y = 2` and `x = y = 1` say.
fn assignment(value: &Value) -> Option<Assignment<'_>> {
    let named = |side: &Expr| matches!(side, Expr::Variable(name) if name != LABEL);
    let equal = |orders: &[Order]| orders.iter().all(|o| *o == Order::Equal);
    let found: Assignment<'_> = match value {
        Value::List(items) | Value::Set(items) if items.len() > 1 => {
            items.iter().map(assigned).collect::<Option<_>>()?
        }
        Value::Relation(sides, orders) if sides.len() > 2 && equal(orders) => {
            let (last, names) = sides.split_last()?;
            if !names.iter().all(named) || named(last) {
                return None;
            }
            let name = |e: &'_ Expr| match e {
                Expr::Variable(_) => Value::Scalar(last.clone()),
                other => Value::Scalar(other.clone()),
            };
            names.iter().filter_map(|e| Some((name_of(e)?, name(e)))).collect()
        }
        _ => return None,
    };
    let distinct: BTreeSet<String> = found.iter().map(|(n, _)| n.to_lowercase()).collect();
    (distinct.len() == found.len()).then_some(found)
}

fn name_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Variable(name) if name != LABEL => Some(name),
        _ => None,
    }
}

/// The name and the value of `x = 1`.
fn assigned(item: &Value) -> Option<(&str, Value)> {
    match item {
        Value::Relation(sides, orders) if orders.as_slice() == [Order::Equal] => {
            Some((name_of(&sides[0])?, Value::Scalar(sides[1].clone())))
        }
        _ => None,
    }
}

/// Compares where one side at least gives its unknowns by name; nothing where neither does.
pub fn same_assigned(gold: &Value, answer: &Value, rounded: bool) -> Option<Option<bool>> {
    if let Some(grouped) = grouped(gold) {
        return same_solutions(&grouped, answer, rounded).map(Some);
    }
    if let Some(grouped) = grouped(answer) {
        return same_solutions(&grouped, gold, rounded).map(Some);
    }
    match (assignment(gold), assignment(answer)) {
        (Some(g), Some(a)) => Some(same_by_name(&g, &a, rounded)),
        (Some(g), None) => Some(same_as_tuple(&g, &parts(answer)?, answer, rounded)),
        (None, Some(a)) if matches!(gold, Value::Tuple { .. } | Value::Matrix(_)) => {
            Some(same_as_tuple(&a, &parts(gold)?, gold, rounded))
        }
        _ => None,
    }
}

/// The items of a point, a vector or a list.
fn parts(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Tuple { items, .. } | Value::List(items) | Value::Set(items) => Some(items.clone()),
        Value::Matrix(rows) if rows.iter().all(|row| row.len() == 1) => Some(rows.concat()),
        _ => None,
    }
}

fn same_by_name(gold: &Assignment<'_>, answer: &Assignment<'_>, rounded: bool) -> Option<bool> {
    if gold.len() != answer.len() {
        return Some(false);
    }
    let by_name = |name: &str| answer.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    let found: Option<Vec<(&Value, &Value)>> =
        gold.iter().map(|(name, g)| Some((g, &by_name(name)?.1))).collect();
    if let Some(pairs) = found {
        return all(pairs.into_iter().map(|(g, a)| same_value(g, a, rounded)));
    }
    // In other names: a person must tell which is which.
    let (g, a) = (values(gold), values(answer));
    in_order(&g, &a, rounded).filter(|same| !same)
}

fn values(named: &Assignment<'_>) -> Vec<Value> {
    named.iter().map(|(_, v)| v.clone()).collect()
}

/// Compares named values with a point, of which the names are not known.
fn same_as_tuple(
    named: &Assignment<'_>,
    items: &[Value],
    whole: &Value,
    rounded: bool,
) -> Option<bool> {
    let mut sorted = named.clone();
    sorted.sort_by(|a, b| a.0.cmp(b.0));
    let (written, sorted) = (values(named), values(&sorted));
    let one_of = |letters: &str| named.iter().all(|(n, _)| n.len() == 1 && letters.contains(n));
    let known_order = one_of("xyz") || one_of("abcdefgh");
    let by_name = in_order(&sorted, items, rounded);
    let as_written = in_order(&written, items, rounded);
    if matches!(whole, Value::Set(_)) {
        return if by_name == Some(false) { Some(false) } else { None };
    }
    match (by_name, as_written) {
        _ if known_order => by_name,
        (_, Some(true)) => Some(true),
        (Some(true), _) => None,
        (_, other) => other,
    }
}

/// The solutions of `x = 1, y = 2 or x = 2, y = 1`, as points.
fn grouped(value: &Value) -> Option<Vec<Value>> {
    let Value::List(items) = value else { return None };
    let named: Assignment<'_> = items.iter().map(assigned).collect::<Option<_>>()?;
    let first = named.first()?.0;
    let size = named.iter().skip(1).position(|(n, _)| *n == first)? + 1;
    if size < 2 || !named.len().is_multiple_of(size) {
        return None;
    }
    let point = |group: &[(&str, Value)]| {
        let items: Option<Vec<Value>> = named[..size]
            .iter()
            .map(|(n, _)| Some(group.iter().find(|(other, _)| other == n)?.1.clone()))
            .collect();
        Some(Value::Tuple { open: '(', items: items?, close: ')' })
    };
    named.chunks(size).map(point).collect()
}

fn same_solutions(points: &[Value], other: &Value, rounded: bool) -> Option<bool> {
    let others = match grouped(other) {
        Some(others) => others,
        None => parts(other)?,
    };
    let points = Value::List(points.to_vec());
    same_value(&points, &Value::List(others), rounded)
}

/// Whether two relations say the same.
pub fn same_relation(
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
        if is_label(&gold[0]) && is_label(&answer[0]) {
            let named = same_named(&gold[0], g, &answer[0], a, rounded);
            if named != Some(false) {
                return named;
            }
        }
        if let ([gl, gr], [al, ar]) = (gold, answer) {
            let (g, a) = (gl.clone().minus(gr.clone()), al.clone().minus(ar.clone()));
            // `x = 5` and `y = 5`: in other unknowns nothing is said of these.
            if names_of(gold) != names_of(answer) {
                return Some(false);
            }
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
