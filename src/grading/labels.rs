//! Names that an equation gives to what is on its right side.

use super::expression::{Expr, Function};

/// What a label in words is read as.
pub(super) const LABEL: &str = "label";

/// Whether the left side of an equation only names what the right side is: `x`, `f(x)`, `|AB|`, `AC/BC`.
pub(super) fn is_label(expr: &Expr) -> bool {
    match expr {
        Expr::Variable(_) | Expr::EulerNumber | Expr::Imaginary => true,
        // A function's name and its arguments.
        Expr::Multiply(a, b) => is_label(a) && (is_label(b) || b.literal().is_some()),
        Expr::Degrees(a) => is_label(a),
        Expr::Divide(a, b) => is_label(a) && is_label(b),
        Expr::Call(Function::Absolute, inside) => inside.iter().all(is_label),
        _ => false,
    }
}

/// Whether an expression is a function with its argument, as `f(x + 1)`.
pub(super) fn is_function_value(expr: &Expr) -> bool {
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
