//! Names that an equation gives to its right side.

use super::expression::{Expr, Function};

/// The variable that stands for a label in words.
pub(super) const LABEL: &str = "label";

/// Whether the left side of an equation is only a name for the right side: `x`, `f(x)`, `|AB|`, `AC/BC`.
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
