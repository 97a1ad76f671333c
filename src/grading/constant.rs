//! The number that a text without variables is worth.

use super::expression::{EvalContext, evaluate};
use super::parser::interpretations;
use super::value::AnswerValue;

/// The number that a text without variables is worth.
pub(super) fn constant_value(text: &str) -> Option<f64> {
    let point = EvalContext { variable: &|_| f64::NAN, degree: 1.0, log_base: 10.0 };
    interpretations(text).iter().find_map(|reading| match &reading.value {
        AnswerValue::Scalar(e) => evaluate(e, &point).filter(|z| z.im == 0.0).map(|z| z.re),
        AnswerValue::Relation(sides, _) => {
            evaluate(sides.last()?, &point).filter(|z| z.im == 0.0).map(|z| z.re)
        }
        _ => None,
    })
}
