//! Equations: the names on their left sides, and when two are equivalent.

use std::collections::BTreeSet;

use super::equivalence::{equivalent, proportionality_factor, variable_names};
use super::expression::{Expr, Function};
use super::intervals::inequality_interval;
use super::labels::{LABEL, is_function_value, is_label};
use super::three_valued::{SameValue, all_true, same_in_order};
use super::value::{AnswerValue, RelationOp};
use super::variable_renaming::equal_up_to_renaming;

/// Whether two labelled expressions are the same.
fn same_labeled(gl: &Expr, g: &Expr, al: &Expr, a: &Expr, rounded: bool) -> Option<bool> {
    let constant = variable_names(&[g.clone(), a.clone()]).is_empty();
    let labels = match (gl, al) {
        (Expr::Variable(gold), Expr::Variable(answer)) => {
            // `n = 2^k` and `k = 2^n`
            let crossed = gold != answer
                && (variable_names(std::slice::from_ref(a)).contains(gold)
                    || variable_names(std::slice::from_ref(g)).contains(answer));
            compatible_names(gold, answer, constant).filter(|same| !same || !crossed)
        }
        _ => Some(true),
    };
    if labels == Some(false) {
        return labels;
    }
    if equivalent(g, a, rounded) == Some(true) {
        return labels;
    }
    let function_argument = function_argument(gl).zip(function_argument(al));
    let defined = matches!((gl, al), (Expr::Variable(_), Expr::Variable(_)));
    match equal_up_to_renaming(g, a, function_argument, defined, rounded) {
        Some(true) => labels,
        other => other,
    }
}

/// Whether two names of an answer may mean the same; `None` if only a human can decide.
fn compatible_names(gold: &str, answer: &str, constant: bool) -> Option<bool> {
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

/// The argument of a function of one variable: the `x` of `f(x)`.
fn function_argument(label: &Expr) -> Option<&str> {
    let Expr::Multiply(function, of) = label else { return None };
    match (&**function, &**of) {
        (Expr::Variable(_), Expr::Variable(name)) => Some(name),
        _ => None,
    }
}

/// Whether a question may ask for this expression, such as `AB + BC`, `f(2)` or `a^2 + b^2`.
fn may_be_asked_for(expr: &Expr) -> bool {
    if is_label(expr) || is_function_value(expr) {
        return true;
    }
    let known = |e: &Expr| variable_names(std::slice::from_ref(e)).is_empty();
    match expr {
        Expr::Add(a, b) => {
            // `n - 4`, but not `x - 4`.
            let number = |e: &Expr| {
                known(e)
                    && !variable_names(std::slice::from_ref(expr)).iter().all(|n| is_unknown(n))
            };
            (may_be_asked_for(a) || number(a)) && (may_be_asked_for(b) || number(b))
        }
        Expr::Multiply(a, b) | Expr::Divide(a, b) => may_be_asked_for(a) && may_be_asked_for(b),
        Expr::Negative(a) | Expr::Degrees(a) => may_be_asked_for(a),
        Expr::Power(base, exponent) => may_be_asked_for(base) && known(exponent),
        Expr::Call(_, arguments) => arguments.iter().all(|a| may_be_asked_for(a) || known(a)),
        _ => false,
    }
}

/// Whether equations are usually solved for this name.
fn is_unknown(name: &str) -> bool {
    matches!(name, "x" | "y" | "z")
}

/// Whether an equation whose right side is the gold answer states it as the answer. An equation in unknowns does not:
/// `x^2 - 5x + 6 = 0` does not answer 0.
pub(super) fn states_its_right_side(sides: &[Expr], rounded: bool) -> Option<bool> {
    let (left, right) = (sides.first()?, sides.last()?);
    let names = variable_names(std::slice::from_ref(left));
    // `|x| = 5` may be an equation, `|z| = 5` is a value.
    let size = matches!(left, Expr::Call(Function::Absolute, inside)
        if matches!(inside.as_slice(), [Expr::Variable(n)] if matches!(n.as_str(), "x" | "y")));
    if size {
        return None;
    }
    if names.is_empty() || is_label(left) || is_function_value(left) {
        return Some(true);
    }
    if equivalent(left, right, rounded) == Some(true) {
        return Some(true);
    }
    // A calculation: `2x + 3 = 2 \cdot 4 + 3 = 11`.
    let middle = sides.get(1..sides.len() - 1).unwrap_or(&[]);
    if middle.last().is_some_and(|before| equivalent(before, right, rounded) == Some(true))
        || !middle.is_empty() && variable_names(middle).is_empty()
    {
        return Some(true);
    }
    let zero = right.literal().is_some_and(|(digits, _)| digits.trim_matches('0').is_empty());
    let unknowns = names.iter().all(|n| is_unknown(n));
    let power = left.any(&|e| matches!(e, Expr::Power(..)));
    match (may_be_asked_for(left), zero) {
        (true, false) => Some(true),
        (true, true) => None,
        (false, true) => Some(false),
        (false, false) if unknowns && !power => Some(false),
        _ => None,
    }
}

/// Unknowns with their values, in written order.
type Assignments<'a> = Vec<(&'a str, AnswerValue)>;

/// The assignments in `x = 1, y = 2` or `x = y = 1`.
fn as_assignments(value: &AnswerValue) -> Option<Assignments<'_>> {
    let named = |side: &Expr| matches!(side, Expr::Variable(name) if name != LABEL);
    let equal = |orders: &[RelationOp]| orders.iter().all(|o| *o == RelationOp::Equal);
    let found: Assignments<'_> = match value {
        AnswerValue::List(items) | AnswerValue::Set(items) if items.len() > 1 => {
            items.iter().map(as_assignment).collect::<Option<_>>()?
        }
        AnswerValue::Relation(sides, orders) if sides.len() > 2 && equal(orders) => {
            let (last, names) = sides.split_last()?;
            if !names.iter().all(named) || named(last) {
                return None;
            }
            let name = |e: &'_ Expr| match e {
                Expr::Variable(_) => AnswerValue::Scalar(last.clone()),
                other => AnswerValue::Scalar(other.clone()),
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
fn as_assignment(item: &AnswerValue) -> Option<(&str, AnswerValue)> {
    match item {
        AnswerValue::Relation(sides, orders) if orders.as_slice() == [RelationOp::Equal] => {
            Some((name_of(&sides[0])?, AnswerValue::Scalar(sides[1].clone())))
        }
        _ => None,
    }
}

/// Compares two values if at least one assigns values to named unknowns; `None` if neither does.
pub(super) fn same_assignments(
    gold: &AnswerValue,
    answer: &AnswerValue,
    rounded: bool,
    same: SameValue,
) -> Option<Option<bool>> {
    if let Some(solutions) = grouped_solutions(gold) {
        return same_solutions(&solutions, answer, rounded, same).map(Some);
    }
    if let Some(solutions) = grouped_solutions(answer) {
        return same_solutions(&solutions, gold, rounded, same).map(Some);
    }
    match (as_assignments(gold), as_assignments(answer)) {
        (Some(g), Some(a)) => Some(same_by_name(&g, &a, rounded, same)),
        (Some(g), None) => {
            Some(assignments_match_tuple(&g, &components(answer)?, answer, rounded, same))
        }
        (None, Some(a)) if matches!(gold, AnswerValue::Tuple { .. } | AnswerValue::Matrix(_)) => {
            Some(assignments_match_tuple(&a, &components(gold)?, gold, rounded, same))
        }
        _ => None,
    }
}

/// The items of a point, a vector or a list.
fn components(value: &AnswerValue) -> Option<Vec<AnswerValue>> {
    match value {
        AnswerValue::Tuple { items, .. } | AnswerValue::List(items) | AnswerValue::Set(items) => {
            Some(items.clone())
        }
        AnswerValue::Matrix(rows) if rows.iter().all(|row| row.len() == 1) => Some(rows.concat()),
        _ => None,
    }
}

fn same_by_name(
    gold: &Assignments<'_>,
    answer: &Assignments<'_>,
    rounded: bool,
    same: SameValue,
) -> Option<bool> {
    if gold.len() != answer.len() {
        return Some(false);
    }
    let by_name = |name: &str| answer.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    let found: Option<Vec<(&AnswerValue, &AnswerValue)>> =
        gold.iter().map(|(name, g)| Some((g, &by_name(name)?.1))).collect();
    if let Some(pairs) = found {
        return all_true(pairs.into_iter().map(|(g, a)| same(g, a, rounded)));
    }
    // With other names, only a human can decide which is which.
    let (g, a) = (assigned_values(gold), assigned_values(answer));
    same_in_order(&g, &a, rounded, same).filter(|same| !same)
}

fn assigned_values(named: &Assignments<'_>) -> Vec<AnswerValue> {
    named.iter().map(|(_, v)| v.clone()).collect()
}

/// Compares named values with a tuple, which has no names.
fn assignments_match_tuple(
    named: &Assignments<'_>,
    items: &[AnswerValue],
    whole: &AnswerValue,
    rounded: bool,
    same: SameValue,
) -> Option<bool> {
    let mut sorted = named.clone();
    sorted.sort_by(|a, b| a.0.cmp(b.0));
    let (written, sorted) = (assigned_values(named), assigned_values(&sorted));
    let one_of = |letters: &str| named.iter().all(|(n, _)| n.len() == 1 && letters.contains(n));
    let known_order = one_of("xyz") || one_of("abcdefgh");
    let by_name = same_in_order(&sorted, items, rounded, same);
    let as_written = same_in_order(&written, items, rounded, same);
    if matches!(whole, AnswerValue::Set(_)) {
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
fn grouped_solutions(value: &AnswerValue) -> Option<Vec<AnswerValue>> {
    let AnswerValue::List(items) = value else { return None };
    let named: Assignments<'_> = items.iter().map(as_assignment).collect::<Option<_>>()?;
    let first = named.first()?.0;
    let size = named.iter().skip(1).position(|(n, _)| *n == first)? + 1;
    if size < 2 || !named.len().is_multiple_of(size) {
        return None;
    }
    let point = |group: &[(&str, AnswerValue)]| {
        let items: Option<Vec<AnswerValue>> = named[..size]
            .iter()
            .map(|(n, _)| Some(group.iter().find(|(other, _)| other == n)?.1.clone()))
            .collect();
        Some(AnswerValue::Tuple { open: '(', items: items?, close: ')' })
    };
    named.chunks(size).map(point).collect()
}

fn same_solutions(
    points: &[AnswerValue],
    other: &AnswerValue,
    rounded: bool,
    same: SameValue,
) -> Option<bool> {
    let others = match grouped_solutions(other) {
        Some(others) => others,
        None => components(other)?,
    };
    let points = AnswerValue::List(points.to_vec());
    same(&points, &AnswerValue::List(others), rounded)
}

/// Whether two relations are equivalent.
pub(super) fn same_relation(
    gold: &[Expr],
    gold_orders: &[RelationOp],
    answer: &[Expr],
    answer_orders: &[RelationOp],
    rounded: bool,
    same: SameValue,
) -> Option<bool> {
    let equations = |orders: &[RelationOp]| orders.iter().all(|o| *o == RelationOp::Equal);
    if equations(gold_orders) != equations(answer_orders) {
        return Some(false);
    }
    if equations(gold_orders) {
        let (g, a) = (gold.last()?, answer.last()?);
        if is_label(&gold[0]) && is_label(&answer[0]) {
            let named = same_labeled(&gold[0], g, &answer[0], a, rounded);
            if named != Some(false) {
                return named;
            }
        }
        if let ([gl, gr], [al, ar]) = (gold, answer) {
            let (g, a) = (gl.clone().minus(gr.clone()), al.clone().minus(ar.clone()));
            // `x = 5` says nothing about `y`.
            if variable_names(gold) != variable_names(answer) {
                return Some(false);
            }
            return proportionality_factor(&g, &a).map(|factor| factor.is_some());
        }
        return all_true(gold.iter().zip(answer).map(|(g, a)| equivalent(g, a, rounded)))
            .map(|same| same && gold.len() == answer.len());
    }
    if let (Some(g), Some(a)) =
        (inequality_interval(gold, gold_orders), inequality_interval(answer, answer_orders))
        && same(&g, &a, rounded) == Some(true)
    {
        return Some(
            variable_names(gold) == variable_names(answer) || variable_names(gold).len() == 1,
        );
    }
    let ([gl, gr], [go], [al, ar], [ao]) = (gold, gold_orders, answer, answer_orders) else {
        let same = gold_orders == answer_orders && gold.len() == answer.len();
        return if same {
            all_true(gold.iter().zip(answer).map(|(g, a)| equivalent(g, a, rounded)))
        } else {
            Some(false)
        };
    };
    // Both as `… < 0`.
    let downward = |l: &Expr, r: &Expr, order: RelationOp| match order {
        RelationOp::Greater => (r.clone().minus(l.clone()), RelationOp::Less),
        RelationOp::GreaterOrEqual => (r.clone().minus(l.clone()), RelationOp::LessOrEqual),
        other => (l.clone().minus(r.clone()), other),
    };
    let ((g, go), (a, ao)) = (downward(gl, gr, *go), downward(al, ar, *ao));
    if go != ao {
        return Some(false);
    }
    let factor = proportionality_factor(&g, &a)?;
    Some(factor.is_some_and(|f| f > 0.0 || go == RelationOp::NotEqual))
}
