//! Inequalities as intervals.

use super::expression::{EvalContext, Expr, Function, evaluate};
use super::labels::{is_function_value, is_label};
use super::value::{AnswerValue, RelationOp};

/// The interval described by an inequality in one variable.
pub(super) fn inequality_interval(sides: &[Expr], orders: &[RelationOp]) -> Option<AnswerValue> {
    let turned = |order: RelationOp| match order {
        RelationOp::Less => RelationOp::Greater,
        RelationOp::LessOrEqual => RelationOp::GreaterOrEqual,
        RelationOp::Greater => RelationOp::Less,
        RelationOp::GreaterOrEqual => RelationOp::LessOrEqual,
        same => same,
    };
    let is_name = |e: &Expr| matches!(e, Expr::Variable(_)) || is_function_value(e);
    let scalar = |e: &Expr| AnswerValue::Scalar(e.clone());
    let least = || AnswerValue::Scalar(Expr::Infinity.negated());
    let most = || AnswerValue::Scalar(Expr::Infinity);
    let between =
        |open, low, high, close| Some(AnswerValue::Tuple { open, items: vec![low, high], close });
    match (sides, orders) {
        // |x| < a
        ([Expr::Call(Function::Absolute, inside), bound], [order])
            if inside.len() == 1 && is_name(&inside[0]) =>
        {
            let below = || bound.clone().negated();
            let name = || inside[0].clone();
            match order {
                RelationOp::Less | RelationOp::LessOrEqual => {
                    inequality_interval(&[below(), name(), bound.clone()], &[*order, *order])
                }
                RelationOp::Greater | RelationOp::GreaterOrEqual => Some(AnswerValue::Union(vec![
                    inequality_interval(&[name(), below()], &[turned(*order)])?,
                    inequality_interval(&[name(), bound.clone()], &[*order])?,
                ])),
                _ => None,
            }
        }
        // 0 < |x| < a
        ([low, Expr::Call(Function::Absolute, inside), high], [first, second])
            if inside.len() == 1 && is_name(&inside[0]) =>
        {
            let name = inside[0].clone();
            let right = inequality_interval(
                &[low.clone(), name.clone(), high.clone()],
                &[*first, *second],
            )?;
            let (low, high) = (low.clone().negated(), high.clone().negated());
            let left = inequality_interval(&[low, name, high], &[turned(*first), turned(*second)])?;
            Some(AnswerValue::Union(vec![left, right]))
        }
        ([name, bound], [order]) if is_name(name) => match order {
            RelationOp::Less => between('(', least(), scalar(bound), ')'),
            RelationOp::LessOrEqual => between('(', least(), scalar(bound), ']'),
            RelationOp::Greater => between('(', scalar(bound), most(), ')'),
            RelationOp::GreaterOrEqual => between('[', scalar(bound), most(), ')'),
            RelationOp::NotEqual => Some(AnswerValue::Union(vec![
                between('(', least(), scalar(bound), ')')?,
                between('(', scalar(bound), most(), ')')?,
            ])),
            RelationOp::Equal => None,
        },
        ([bound, name], [order]) if is_name(name) => {
            inequality_interval(&[name.clone(), bound.clone()], &[turned(*order)])
        }
        ([low, name, high], [first, second]) if is_label(name) => match (first, second) {
            (
                RelationOp::Less | RelationOp::LessOrEqual,
                RelationOp::Less | RelationOp::LessOrEqual,
            ) => between(
                if *first == RelationOp::Less { '(' } else { '[' },
                scalar(low),
                scalar(high),
                if *second == RelationOp::Less { ')' } else { ']' },
            ),
            (
                RelationOp::Greater | RelationOp::GreaterOrEqual,
                RelationOp::Greater | RelationOp::GreaterOrEqual,
            ) => inequality_interval(
                &[high.clone(), name.clone(), low.clone()],
                &[turned(*second), turned(*first)],
            ),
            _ => None,
        },
        _ => None,
    }
}

/// The region described by a list of inequalities: `x < 1 or x > 3`, `x > 1 and x < 3`, `x < 3, x \ne 1`.
pub(super) fn joint_region(items: &[AnswerValue]) -> Option<AnswerValue> {
    let mut parts = Vec::new();
    let mut points = Vec::new();
    let mut inequalities = 0;
    for item in items {
        let AnswerValue::Relation(sides, orders) = item else { return None };
        match (sides.as_slice(), orders.as_slice()) {
            ([Expr::Variable(_), point], [RelationOp::NotEqual]) => points.push(point.clone()),
            ([Expr::Variable(_), point], [RelationOp::Equal]) => {
                parts.push(AnswerValue::Set(vec![AnswerValue::Scalar(point.clone())]));
                continue;
            }
            _ => parts.push(inequality_interval(sides, orders)?),
        }
        inequalities += 1;
    }
    if inequalities == 0 {
        return None;
    }
    let region = match parts.as_slice() {
        [] => real_line(),
        [one] => one.clone(),
        [a, b] => intersection_of_rays(a, b).unwrap_or(AnswerValue::Union(parts)),
        _ => AnswerValue::Union(parts),
    };
    if points.is_empty() {
        return Some(region);
    }
    set_difference(
        &region,
        &AnswerValue::Set(points.into_iter().map(AnswerValue::Scalar).collect()),
    )
}

fn real_line() -> AnswerValue {
    let items =
        vec![AnswerValue::Scalar(Expr::Infinity.negated()), AnswerValue::Scalar(Expr::Infinity)];
    AnswerValue::Tuple { open: '(', items, close: ')' }
}

/// The ends of an interval, as written and as numbers.
struct IntervalEnds<'a> {
    open: char,
    low: &'a AnswerValue,
    high: &'a AnswerValue,
    close: char,
    least: f64,
    most: f64,
}

fn interval_ends(value: &AnswerValue) -> Option<IntervalEnds<'_>> {
    let AnswerValue::Tuple { open, items, close } = value else { return None };
    let [low, high] = items.as_slice() else { return None };
    let (least, most) = (constant_value(low)?, constant_value(high)?);
    Some(IntervalEnds { open: *open, low, high, close: *close, least, most })
}

/// The numeric value of a scalar without variables.
fn constant_value(value_of: &AnswerValue) -> Option<f64> {
    let AnswerValue::Scalar(expr) = value_of else { return None };
    if expr.any(&|e| matches!(e, Expr::Variable(_))) {
        return None;
    }
    let point = EvalContext { variable: &|_| 0.0, degree: 1.0, log_base: 10.0 };
    evaluate(expr, &point).filter(|z| z.im == 0.0).map(|z| z.re)
}

/// The intersection of `x > a` and `x < b`, if the two cover the line.
fn intersection_of_rays(a: &AnswerValue, b: &AnswerValue) -> Option<AnswerValue> {
    let (a, b) = (interval_ends(a)?, interval_ends(b)?);
    let (low, high) = if a.most.is_infinite() { (a, b) } else { (b, a) };
    let meet = high.least.is_infinite() && low.most.is_infinite() && low.least < high.most;
    meet.then(|| AnswerValue::Tuple {
        open: low.open,
        items: vec![low.low.clone(), high.high.clone()],
        close: high.close,
    })
}

/// A set of numbers without some points, or the real line without an interval.
pub(super) fn set_difference(base: &AnswerValue, removed: &AnswerValue) -> Option<AnswerValue> {
    let pieces: Vec<AnswerValue> = match base {
        AnswerValue::Union(parts) => parts.clone(),
        one => vec![one.clone()],
    };
    match removed {
        AnswerValue::Set(points) => {
            let mut sorted: Vec<(f64, &AnswerValue)> =
                points.iter().map(|p| Some((constant_value(p)?, p))).collect::<Option<_>>()?;
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut out = Vec::new();
            for piece in &pieces {
                split_at_points(piece, &sorted, &mut out)?;
            }
            if out.len() == 1 { out.pop() } else { Some(AnswerValue::Union(out)) }
        }
        AnswerValue::Tuple { open, items, close } if *base == real_line() => {
            let [low, high] = items.as_slice() else { return None };
            constant_value(low)
                .zip(constant_value(high))
                .filter(|(l, h)| l < h && l.is_finite() && h.is_finite())?;
            let (least, most) = (
                AnswerValue::Scalar(Expr::Infinity.negated()),
                AnswerValue::Scalar(Expr::Infinity),
            );
            let below = if *open == '[' { ')' } else { ']' };
            let above = if *close == ']' { '(' } else { '[' };
            Some(AnswerValue::Union(vec![
                AnswerValue::Tuple { open: '(', items: vec![least, low.clone()], close: below },
                AnswerValue::Tuple { open: above, items: vec![high.clone(), most], close: ')' },
            ]))
        }
        _ => None,
    }
}

/// Adds the parts of an interval between the points inside it.
fn split_at_points(
    piece: &AnswerValue,
    points: &[(f64, &AnswerValue)],
    out: &mut Vec<AnswerValue>,
) -> Option<()> {
    let whole = interval_ends(piece)?;
    let (mut open, mut low) = (whole.open, whole.low.clone());
    let mut close = whole.close;
    for (at, point) in points {
        if *at == whole.least {
            open = '(';
        } else if *at == whole.most {
            close = ')';
        } else if whole.least < *at && *at < whole.most {
            let items = vec![low, (*point).clone()];
            out.push(AnswerValue::Tuple { open, items, close: ')' });
            (open, low) = ('(', (*point).clone());
        }
    }
    out.push(AnswerValue::Tuple { open, items: vec![low, whole.high.clone()], close });
    Some(())
}
