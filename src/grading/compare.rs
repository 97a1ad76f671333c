//! Whether two answers are the same.

use super::equations::{same_assignments, same_relation, states_its_right_side};
use super::equivalence::{equivalent, variable_names};
use super::expression::{EvalContext, Expr, Function, evaluate};
use super::intervals::{inequality_interval, joint_region};
use super::labels::is_label;
use super::three_valued::{all_true, same_in_order};
use super::value::{AnswerValue, Interpretation, RelationOp};
use super::variable_renaming::equal_up_to_renaming;
use super::words;

/// Whether the answer equals the gold one; `None` if that cannot be decided.
///
/// If only one side has a percent sign, both readings of it are accepted: `15 %` is 15 or 0.15. A plain number is
/// never multiplied.
pub(super) fn same_interpretation(gold: &Interpretation, answer: &Interpretation) -> Option<bool> {
    // Trailing letters count as a unit only if the gold answer is a number.
    if gold.has_unit || answer.has_unit && !is_constant(&gold.value) {
        return Some(false);
    }
    if let Some(modulus) = &gold.modulus {
        match &answer.modulus {
            Some(other) if other != modulus => return Some(false),
            None if matches!(gold.value, AnswerValue::Relation(..) | AnswerValue::List(_)) => {
                return None;
            }
            _ => {}
        }
    }
    let rounded = gold.approximate;
    let conditions = gold.condition.as_ref().zip(answer.condition.as_ref());
    // A 0 may be spelled out.
    let bare = |numbers: &[String]| numbers.iter().all(|n| n == "0");
    let apart = conditions.is_some_and(|(gold, answer)| {
        gold != answer && !(gold.is_empty() && bare(answer) || answer.is_empty() && bare(gold))
    });
    if apart {
        // `n = 2^k` for other `k`: only a human can decide.
        return same_value(&gold.value, &answer.value, rounded).filter(|same| !same);
    }
    let direct = same_value(&gold.value, &answer.value, rounded);
    // Half a percent is not one half, but the question may ask for a percentage.
    if direct == Some(true) && answer.percent && !gold.percent && is_below_one(&gold.value) {
        return None;
    }
    if direct == Some(true) || gold.percent == answer.percent {
        return direct;
    }
    let hundredth = |v: &AnswerValue| match v {
        AnswerValue::Scalar(e) => Some(e.clone().divided_by(Expr::integer(100))),
        _ => None,
    };
    if let (AnswerValue::Scalar(_), AnswerValue::List(items)) = (&gold.value, &answer.value) {
        // `2/5 or 40 %`
        return all_true(items.iter().map(|item| {
            let percent =
                |percent| Interpretation { value: item.clone(), percent, ..answer.clone() };
            let either = [
                same_interpretation(gold, &percent(false)),
                same_interpretation(gold, &percent(true)),
            ];
            if either.contains(&Some(true)) { Some(true) } else { either[0] }
        }));
    }
    let (AnswerValue::Scalar(g), AnswerValue::Scalar(a)) = (&gold.value, &answer.value) else {
        return direct;
    };
    let (g, a) = match (gold.percent, hundredth(&gold.value), hundredth(&answer.value)) {
        (true, Some(part), _) => (part, a.clone()),
        (false, _, Some(part)) => (g.clone(), part),
        _ => return direct,
    };
    equivalent(&g, &a, rounded)
}

/// Whether two values are the same; `None` if that cannot be decided.
pub(super) fn same_value(gold: &AnswerValue, answer: &AnswerValue, rounded: bool) -> Option<bool> {
    use AnswerValue::{InBase, List, Matrix, Ratio, Relation, Scalar, Set, Tuple, Union, Words};
    if let Some(result) = same_assignments(gold, answer, rounded, same_value) {
        return result;
    }
    // The order of the arms matters: the first kind that fits decides.
    match (gold, answer) {
        (Scalar(g), Scalar(a)) => same_scalar(g, a, rounded),
        (Words(g), Words(a)) => Some(words::same_words(g, a)),
        (Scalar(g), Words(a)) => number_against_words(g, a, rounded),
        (Words(g), Scalar(a)) => words_against_number(g, a, rounded),
        (Relation(gs, go), Relation(xs, xo)) => same_relation(gs, go, xs, xo, rounded, same_value),
        (Relation(sides, orders), other) => gold_relation(gold, sides, orders, other, rounded),
        (other, Relation(sides, orders)) => answer_relation(other, sides, orders, rounded),
        (List(g), List(a)) => same_lists(g, a, rounded),
        (Set(g), Set(a) | List(a)) | (List(g), Set(a)) => {
            same_in_any_order(&without_duplicates(g), &without_duplicates(a), rounded)
        }
        (List(items), other @ (Tuple { .. } | Union(_))) if joint_region(items).is_some() => {
            same_value(&joint_region(items)?, other, rounded)
        }
        (other @ (Tuple { .. } | Union(_)), List(items)) if joint_region(items).is_some() => {
            same_value(other, &joint_region(items)?, rounded)
        }
        (Union(g), List(a)) | (List(g), Union(a)) => same_in_any_order(g, a, rounded),
        (List(g), Tuple { open, items: a, close }) | (Tuple { open, items: g, close }, List(a)) => {
            list_against_tuple(g, a, (*open, *close), rounded)
        }
        (Tuple { open, items: g, close }, Tuple { open: other, items: a, close: end }) => {
            same_tuples(g, (*open, *close), a, (*other, *end), rounded)
        }
        // Braces round a point.
        (Tuple { items: g, open: '(', close: ')' }, Set(a)) if a.len() == g.len() => {
            same_in_order(g, a, rounded, same_value).filter(|same| !same)
        }
        (Scalar(_), List(items)) if items.len() > 1 => alternatives(gold, items, rounded),
        (Union(g), Union(a)) => same_in_any_order(g, a, rounded),
        (Matrix(g), Matrix(a)) => same_matrices(g, a, rounded),
        (Matrix(m), Tuple { items, .. }) | (Tuple { items, .. }, Matrix(m)) => {
            matrix_against_tuple(m, items, rounded)
        }
        (List(items), Scalar(_)) if only_unconditional(items).is_some() => {
            same_value(only_unconditional(items)?, answer, rounded)
        }
        (Tuple { items, .. }, Scalar(e)) | (Scalar(e), Tuple { items, .. }) => {
            same_as_unit_vectors(items, e, rounded)
        }
        (Matrix(rows), Scalar(e)) | (Scalar(e), Matrix(rows)) => {
            same_as_unit_vectors(&rows.concat(), e, rounded)
        }
        (Set(items) | List(items), other) if items.len() == 1 => {
            same_value(&items[0], other, rounded)
        }
        (other, Set(items) | List(items)) if items.len() == 1 => {
            same_value(other, &items[0], rounded)
        }
        (InBase(g, b), InBase(a, c)) => Some(g == a && b == c),
        // The base may be left out: the question names it.
        (InBase(digits, _), Scalar(e)) | (Scalar(e), InBase(digits, _)) => {
            Some(matches!(e, Expr::Number { digits: d, decimals: 0 } if d == digits))
        }
        (Ratio(g), Ratio(a)) => same_ratios(g, a, rounded),
        (Ratio(r), Scalar(s)) if r.len() == 2 => {
            equivalent(&r[0].clone().divided_by(r[1].clone()), s, rounded)
        }
        (Scalar(s), Ratio(r)) if r.len() == 2 => number_against_ratio(s, r, rounded),
        (Words(g), Set(items)) if items.is_empty() => Some(words::same_words(g, "none")),
        (Set(items), Words(a)) if items.is_empty() => Some(words::same_words("none", a)),
        (Words(g), Tuple { items, .. }) if is_real_line(items) => {
            Some(words::same_words(g, "all reals"))
        }
        (Tuple { items, .. }, Words(a)) if is_real_line(items) => {
            Some(words::same_words("all reals", a))
        }
        _ => Some(false),
    }
}

/// Compares a gold number with an answer in words: `six`, `none`, `infinity`, or a number among words.
fn number_against_words(gold: &Expr, answer: &str, rounded: bool) -> Option<bool> {
    if words::same_words(answer, "none") && is_zero_or_infinite(gold) {
        return None;
    }
    if *gold != Expr::Infinity && words::has_negation(answer) && only_number(answer).is_some() {
        return None;
    }
    words_against_number(answer, gold, rounded)
}

/// Compares words with a number, whichever of them is gold.
fn words_against_number(words: &str, number: &Expr, rounded: bool) -> Option<bool> {
    if *number == Expr::Infinity {
        return Some(words::same_words(words, "infinity"));
    }
    let spelled = words::leading_number(words).map(|n| n.to_string());
    match spelled.or_else(|| only_number(words)).and_then(|n| n.parse::<u64>().ok()) {
        Some(n) => equivalent(number, &Expr::integer(n), rounded),
        None => Some(false),
    }
}

/// Compares a gold relation with an answer of another kind.
fn gold_relation(
    gold: &AnswerValue,
    sides: &[Expr],
    orders: &[RelationOp],
    answer: &AnswerValue,
    rounded: bool,
) -> Option<bool> {
    if orders.iter().all(|o| *o == RelationOp::Equal) {
        if let AnswerValue::List(items) = answer
            && items.iter().all(|item| matches!(item, AnswerValue::Relation(..)))
        {
            // The same equation in several ways.
            return all_true(items.iter().map(|item| same_value(gold, item, rounded)));
        }
        // Only a label may be left out: an equation says more than its right side.
        let named = sides.len() == 2 && is_label(&sides[0]);
        let right = AnswerValue::Scalar(sides.last()?.clone());
        return if named { same_value(&right, answer, rounded) } else { Some(false) };
    }
    // The answer may give the bound of the inequality only.
    if is_bound_of(sides, orders, answer, rounded) {
        return None;
    }
    inequality_interval(sides, orders).map_or(Some(false), |i| same_value(&i, answer, rounded))
}

/// Compares a gold value that is not a relation with an answer that is.
fn answer_relation(
    gold: &AnswerValue,
    sides: &[Expr],
    orders: &[RelationOp],
    rounded: bool,
) -> Option<bool> {
    if orders.iter().all(|o| *o == RelationOp::Equal) {
        let right = same_value(gold, &AnswerValue::Scalar(sides.last()?.clone()), rounded);
        if right == Some(true) {
            return states_its_right_side(sides, rounded);
        }
        if let Some(both) = solutions_of_absolute(sides) {
            return same_value(gold, &both, rounded);
        }
        if rounds_at_the_end(gold, sides) {
            return Some(true);
        }
        if is_label(sides.last()?) {
            return same_value(gold, &AnswerValue::Scalar(sides.first()?.clone()), rounded);
        }
        return right;
    }
    if is_bound_of(sides, orders, gold, rounded) {
        return None;
    }
    if matches!(gold, AnswerValue::List(_)) && as_joint_region(gold).is_none() {
        return Some(false);
    }
    inequality_interval(sides, orders).map_or(Some(false), |i| same_value(gold, &i, rounded))
}

fn same_lists(gold: &[AnswerValue], answer: &[AnswerValue], rounded: bool) -> Option<bool> {
    if let (Some(g), Some(a)) = (joint_region(gold), joint_region(answer)) {
        return same_value(&g, &a, rounded);
    }
    if let (Some(g), Some(a)) = (only_unconditional(gold), only_unconditional(answer)) {
        // With other conditions, only a human can decide.
        return same_value(g, a, rounded)
            .filter(|same| !same || same_in_any_order(gold, answer, rounded) == Some(true));
    }
    match same_in_any_order(gold, answer, rounded) {
        Some(false) if gold.len() != answer.len() => same_without_duplicates(gold, answer, rounded),
        other => other,
    }
}

/// Whether a bracket is square: the closed end of an interval.
fn is_square(bracket: char) -> bool {
    matches!(bracket, '[' | ']')
}

/// Compares a list with a tuple, whose brackets are `(open, close)`: item by item, in order.
fn list_against_tuple(
    gold: &[AnswerValue],
    answer: &[AnswerValue],
    (open, close): (char, char),
    rounded: bool,
) -> Option<bool> {
    // Two numbers in brackets may be an interval.
    if is_square(open) != is_square(close) || is_square(open) && answer.len() == 2 {
        return Some(false);
    }
    same_in_order(gold, answer, rounded, same_value)
}

/// Compares two tuples with their brackets `(open, close)`.
fn same_tuples(
    gold: &[AnswerValue],
    gold_brackets: (char, char),
    answer: &[AnswerValue],
    answer_brackets: (char, char),
    rounded: bool,
) -> Option<bool> {
    let kinds = |(open, close): (char, char)| (is_square(open), is_square(close));
    let (g, a) = (kinds(gold_brackets), kinds(answer_brackets));
    // Two numbers may be an interval: then the brackets say what belongs to it.
    if g != a && (gold.len() == 2 && answer.len() == 2 || a.0 != a.1) {
        return Some(false);
    }
    same_in_order(gold, answer, rounded, same_value)
}

/// Compares a gold number with a list that may give it in several ways: `1/2 or 0.5`.
fn alternatives(gold: &AnswerValue, items: &[AnswerValue], rounded: bool) -> Option<bool> {
    if let Some(item) = only_unconditional(items) {
        return same_value(gold, item, rounded);
    }
    all_true(items.iter().map(|item| same_value(gold, item, rounded)))
}

fn same_matrices(
    gold: &[Vec<AnswerValue>],
    answer: &[Vec<AnswerValue>],
    rounded: bool,
) -> Option<bool> {
    let shape = |m: &[Vec<AnswerValue>]| m.iter().map(Vec::len).collect::<Vec<_>>();
    if shape(gold) != shape(answer) {
        return Some(false);
    }
    same_in_order(&gold.concat(), &answer.concat(), rounded, same_value)
}

/// Compares a matrix with a tuple: one of rows, as `[[1, 2], [3, 4]]`, or a vector.
fn matrix_against_tuple(
    matrix: &[Vec<AnswerValue>],
    items: &[AnswerValue],
    rounded: bool,
) -> Option<bool> {
    let row = |item: &AnswerValue| match item {
        AnswerValue::Tuple { items, .. } => Some(items.clone()),
        _ => None,
    };
    if let Some(rows) = items.iter().map(row).collect::<Option<Vec<_>>>() {
        return same_matrices(matrix, &rows, rounded);
    }
    let is_vector = matrix.len() == 1 || matrix.iter().all(|row| row.len() == 1);
    if is_vector {
        same_in_order(&matrix.concat(), items, rounded, same_value)
    } else {
        Some(false)
    }
}

fn same_ratios(gold: &[Expr], answer: &[Expr], rounded: bool) -> Option<bool> {
    if gold.len() != answer.len() {
        return Some(false);
    }
    let zero = |e: &Expr| e.literal().is_some_and(|(d, _)| d.trim_matches('0').is_empty());
    if gold.iter().chain(answer).any(zero) {
        return all_true(gold.iter().zip(answer).map(|(g, a)| equivalent(g, a, rounded)));
    }
    let cross = |(g, a): (&Expr, &Expr)| {
        equivalent(&g.clone().times(answer[0].clone()), &a.clone().times(gold[0].clone()), rounded)
    };
    all_true(gold.iter().zip(answer).skip(1).map(cross))
}

/// Compares a gold number with a ratio of two: a question for 6 may accept `6:1`.
fn number_against_ratio(gold: &Expr, ratio: &[Expr], rounded: bool) -> Option<bool> {
    let of_one = ratio[1] == Expr::integer(1);
    equivalent(gold, &ratio[0].clone().divided_by(ratio[1].clone()), rounded)
        .filter(|same| !same || !of_one)
}

/// The number in a text that contains exactly one.
fn only_number(text: &str) -> Option<String> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|s| !s.is_empty());
    let first = numbers.next()?;
    let pointed = text.contains(&format!("{first}.")) && !text.ends_with('.');
    (numbers.next().is_none() && !pointed).then(|| first.to_owned())
}

/// Whether an interval is the whole real line.
fn is_real_line(items: &[AnswerValue]) -> bool {
    let (low, high) = (Expr::Infinity.negated(), Expr::Infinity);
    items == [AnswerValue::Scalar(low), AnswerValue::Scalar(high)]
}

/// Longer lists are compared in order only.
const LONGEST_LIST: usize = 60;

/// Whether the lists have the same values, in any order.
fn same_in_any_order(gold: &[AnswerValue], answer: &[AnswerValue], rounded: bool) -> Option<bool> {
    if gold.len() != answer.len() {
        return Some(false);
    }
    if gold.len() > LONGEST_LIST {
        return same_in_order(gold, answer, rounded, same_value).filter(|same| *same);
    }
    let mut left: Vec<&AnswerValue> = answer.iter().collect();
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

/// The values without duplicates.
fn without_duplicates(items: &[AnswerValue]) -> Vec<AnswerValue> {
    let mut kept: Vec<AnswerValue> = Vec::new();
    if items.len() > LONGEST_LIST {
        return items.to_vec();
    }
    for item in items {
        if !kept.iter().any(|k| same_value(k, item, false) == Some(true)) {
            kept.push(item.clone());
        }
    }
    kept
}

/// Whether an interpretation is a number.
pub(super) fn is_constant_interpretation(reading: &Interpretation) -> bool {
    is_constant(&reading.value)
}

/// Whether a value is a number without unknowns.
fn is_constant(value: &AnswerValue) -> bool {
    match value {
        AnswerValue::Scalar(e) => variable_names(std::slice::from_ref(e)).is_empty(),
        AnswerValue::Relation(sides, _) => {
            sides.last().is_some_and(|e| variable_names(std::slice::from_ref(e)).is_empty())
        }
        _ => false,
    }
}

/// Compares scalars. Variables may have other names if each side chose its own.
fn same_scalar(gold: &Expr, answer: &Expr, rounded: bool) -> Option<bool> {
    let same = equivalent(gold, answer, rounded);
    if same == Some(true) || variable_names(&[gold.clone(), answer.clone()]).is_empty() {
        return same;
    }
    match equal_up_to_renaming(gold, answer, None, false, rounded) {
        Some(false) => same,
        other => other,
    }
}

/// Whether a number is a bound of an inequality.
fn is_bound_of(sides: &[Expr], orders: &[RelationOp], number: &AnswerValue, rounded: bool) -> bool {
    let AnswerValue::Scalar(number) = number else { return false };
    // An extreme value that is attained, of a quantity that is not an unknown.
    let reached =
        orders.iter().all(|o| matches!(o, RelationOp::LessOrEqual | RelationOp::GreaterOrEqual));
    if !reached || variable_names(sides).iter().any(|n| matches!(n.as_str(), "x" | "y" | "z" | "n"))
    {
        return false;
    }
    is_constant(&AnswerValue::Scalar(number.clone()))
        && sides.iter().any(|side| equivalent(number, side, rounded) == Some(true))
}

/// The two solutions of `|x| = 2`.
fn solutions_of_absolute(sides: &[Expr]) -> Option<AnswerValue> {
    let [Expr::Call(Function::Absolute, inside), right] = sides else { return None };
    let name = matches!(inside.as_slice(), [Expr::Variable(_)]);
    let both =
        vec![AnswerValue::Scalar(right.clone().negated()), AnswerValue::Scalar(right.clone())];
    (name && right.literal().is_some()).then_some(AnswerValue::List(both))
}

/// Whether an equation begins with the number and ends in its decimals: `8\pi = 25.13`.
fn rounds_at_the_end(gold: &AnswerValue, sides: &[Expr]) -> bool {
    let (AnswerValue::Scalar(gold), [first, .., last]) = (gold, sides) else { return false };
    matches!(last, Expr::Number { decimals: 1.., .. })
        && equivalent(gold, first, false) == Some(true)
        && equivalent(last, first, true) == Some(true)
}

/// Whether a value is a number between -1 and 1, but not 0.
fn is_below_one(value_of: &AnswerValue) -> bool {
    let point = EvalContext { variable: &|_| f64::NAN, degree: 1.0, log_base: 10.0 };
    let AnswerValue::Scalar(expr) = value_of else { return false };
    evaluate(expr, &point).is_some_and(|z| z.norm() > 0.0 && z.norm() < 1.0)
}

fn is_zero_or_infinite(expr: &Expr) -> bool {
    *expr == Expr::Infinity || *expr == Expr::integer(0)
}

/// Compares lists of different lengths: a double root may be listed twice.
fn same_without_duplicates(
    gold: &[AnswerValue],
    answer: &[AnswerValue],
    rounded: bool,
) -> Option<bool> {
    let (g, a) = (without_duplicates(gold), without_duplicates(answer));
    match same_in_any_order(&g, &a, rounded) {
        Some(true) => Some(g.len() == gold.len()),
        other => other,
    }
}

/// The set of numbers described by a list of inequalities.
fn as_joint_region(value: &AnswerValue) -> Option<AnswerValue> {
    match value {
        AnswerValue::List(items) => joint_region(items),
        _ => None,
    }
}

/// The one item of a list that is not a condition such as `x \ne 3`.
fn only_unconditional(items: &[AnswerValue]) -> Option<&AnswerValue> {
    let condition = |v: &&AnswerValue| match v {
        AnswerValue::Relation(_, orders) => orders.iter().all(|o| *o != RelationOp::Equal),
        _ => false,
    };
    let mut others = items.iter().filter(|v| !condition(v));
    let one = others.next()?;
    (others.next().is_none() && items.len() > 1).then_some(one)
}

/// Whether a sum of unit vectors has these components: `2\mathbf{i} + 3\mathbf{j}`.
fn same_as_unit_vectors(items: &[AnswerValue], sum: &Expr, rounded: bool) -> Option<bool> {
    const UNITS: [&str; 3] = ["unit i", "unit j", "unit k"];
    if !sum.any(&|e| matches!(e, Expr::Variable(name) if UNITS.contains(&name.as_str()))) {
        return Some(false);
    }
    if !(2..=3).contains(&items.len()) {
        return Some(false);
    }
    all_true(UNITS.iter().enumerate().map(|(i, unit)| {
        let part = sum.substitute(&|name| {
            let one = u64::from(name == *unit);
            UNITS.contains(&name).then(|| Expr::integer(one))
        });
        let zero = AnswerValue::Scalar(Expr::integer(0));
        same_value(items.get(i).unwrap_or(&zero), &AnswerValue::Scalar(part), rounded)
    }))
}
