//! Inequalities as the intervals that they mean.

use super::equations::{is_function_value, is_label};
use super::expr::{Expr, Function, Point, value};
use super::parse::{Order, Value};

/// The interval that an inequality about one variable means.
pub fn interval(sides: &[Expr], orders: &[Order]) -> Option<Value> {
    let turned = |order: Order| match order {
        Order::Less => Order::More,
        Order::AtMost => Order::AtLeast,
        Order::More => Order::Less,
        Order::AtLeast => Order::AtMost,
        same => same,
    };
    let is_name = |e: &Expr| matches!(e, Expr::Variable(_)) || is_function_value(e);
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
        // 0 < |x| < a
        ([low, Expr::Call(Function::Absolute, inside), high], [first, second])
            if inside.len() == 1 && is_name(&inside[0]) =>
        {
            let name = inside[0].clone();
            let right = interval(&[low.clone(), name.clone(), high.clone()], &[*first, *second])?;
            let (low, high) = (low.clone().negative(), high.clone().negative());
            let left = interval(&[low, name, high], &[turned(*first), turned(*second)])?;
            Some(Value::Union(vec![left, right]))
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

/// What inequalities in a list mean together: `x < 1 or x > 3`, `x > 1 and x < 3`, `x < 3, x \ne 1`.
pub fn joined(items: &[Value]) -> Option<Value> {
    let mut parts = Vec::new();
    let mut points = Vec::new();
    let mut inequalities = 0;
    for item in items {
        let Value::Relation(sides, orders) = item else { return None };
        match (sides.as_slice(), orders.as_slice()) {
            ([Expr::Variable(_), point], [Order::Unequal]) => points.push(point.clone()),
            ([Expr::Variable(_), point], [Order::Equal]) => {
                parts.push(Value::Set(vec![Value::Scalar(point.clone())]));
                continue;
            }
            _ => parts.push(interval(sides, orders)?),
        }
        inequalities += 1;
    }
    if inequalities == 0 {
        return None;
    }
    let region = match parts.as_slice() {
        [] => line(),
        [one] => one.clone(),
        [a, b] => overlap(a, b).unwrap_or(Value::Union(parts)),
        _ => Value::Union(parts),
    };
    if points.is_empty() {
        return Some(region);
    }
    without(&region, &Value::Set(points.into_iter().map(Value::Scalar).collect()))
}

fn line() -> Value {
    let items = vec![Value::Scalar(Expr::Infinity.negative()), Value::Scalar(Expr::Infinity)];
    Value::Tuple { open: '(', items, close: ')' }
}

/// An interval's ends, as they are written and as numbers.
struct Ends<'a> {
    open: char,
    low: &'a Value,
    high: &'a Value,
    close: char,
    least: f64,
    most: f64,
}

fn ends(value: &Value) -> Option<Ends<'_>> {
    let Value::Tuple { open, items, close } = value else { return None };
    let [low, high] = items.as_slice() else { return None };
    let (least, most) = (number(low)?, number(high)?);
    Some(Ends { open: *open, low, high, close: *close, least, most })
}

/// The number that a value without variables is.
fn number(value_of: &Value) -> Option<f64> {
    let Value::Scalar(expr) = value_of else { return None };
    if expr.any(&|e| matches!(e, Expr::Variable(_))) {
        return None;
    }
    let point = Point { variable: &|_| 0.0, degree: 1.0, log_base: 10.0 };
    value(expr, &point).filter(|z| z.im == 0.0).map(|z| z.re)
}

/// What `x > a` and `x < b` have in common, where all numbers are the one or the other.
fn overlap(a: &Value, b: &Value) -> Option<Value> {
    let (a, b) = (ends(a)?, ends(b)?);
    let (low, high) = if a.most.is_infinite() { (a, b) } else { (b, a) };
    let meet = high.least.is_infinite() && low.most.is_infinite() && low.least < high.most;
    meet.then(|| Value::Tuple {
        open: low.open,
        items: vec![low.low.clone(), high.high.clone()],
        close: high.close,
    })
}

/// A set of numbers less some points, or the line less an interval.
pub fn without(base: &Value, removed: &Value) -> Option<Value> {
    let pieces: Vec<Value> = match base {
        Value::Union(parts) => parts.clone(),
        one => vec![one.clone()],
    };
    match removed {
        Value::Set(points) => {
            let mut sorted: Vec<(f64, &Value)> =
                points.iter().map(|p| Some((number(p)?, p))).collect::<Option<_>>()?;
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut out = Vec::new();
            for piece in &pieces {
                split(piece, &sorted, &mut out)?;
            }
            if out.len() == 1 { out.pop() } else { Some(Value::Union(out)) }
        }
        Value::Tuple { open, items, close } if *base == line() => {
            let [low, high] = items.as_slice() else { return None };
            number(low)
                .zip(number(high))
                .filter(|(l, h)| l < h && l.is_finite() && h.is_finite())?;
            let (least, most) =
                (Value::Scalar(Expr::Infinity.negative()), Value::Scalar(Expr::Infinity));
            let below = if *open == '[' { ')' } else { ']' };
            let above = if *close == ']' { '(' } else { '[' };
            Some(Value::Union(vec![
                Value::Tuple { open: '(', items: vec![least, low.clone()], close: below },
                Value::Tuple { open: above, items: vec![high.clone(), most], close: ')' },
            ]))
        }
        _ => None,
    }
}

/// Adds an interval's parts between the points in it.
fn split(piece: &Value, points: &[(f64, &Value)], out: &mut Vec<Value>) -> Option<()> {
    let whole = ends(piece)?;
    let (mut open, mut low) = (whole.open, whole.low.clone());
    let mut close = whole.close;
    for (at, point) in points {
        if *at == whole.least {
            open = '(';
        } else if *at == whole.most {
            close = ')';
        } else if whole.least < *at && *at < whole.most {
            let items = vec![low, (*point).clone()];
            out.push(Value::Tuple { open, items, close: ')' });
            (open, low) = ('(', (*point).clone());
        }
    }
    out.push(Value::Tuple { open, items: vec![low, whole.high.clone()], close });
    Some(())
}
