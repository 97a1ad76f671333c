//! The value of a parsed answer.

use super::expression::Expr;

/// The value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AnswerValue {
    Scalar(Expr),
    /// An answer in words.
    Words(String),
    /// Several answers in any order.
    List(Vec<AnswerValue>),
    /// A set in braces.
    Set(Vec<AnswerValue>),
    /// A tuple, a point, a vector or an interval, with its brackets.
    Tuple {
        open: char,
        items: Vec<AnswerValue>,
        close: char,
    },
    Union(Vec<AnswerValue>),
    Matrix(Vec<Vec<AnswerValue>>),
    /// Expressions with relations between them.
    Relation(Vec<Expr>, Vec<RelationOp>),
    /// A number in another base: its digits and the base.
    InBase(String, u32),
    /// `3:4`.
    Ratio(Vec<Expr>),
}

/// The operator between two sides of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RelationOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One interpretation of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Interpretation {
    pub(super) value: AnswerValue,
    /// The text had a percent sign.
    pub(super) percent: bool,
    /// The text calls the value approximate.
    pub(super) approximate: bool,
    /// The modulus, if the value is a residue.
    pub(super) modulus: Option<String>,
    /// The numbers in the removed condition, if there was one.
    pub(super) condition: Option<Vec<String>>,
    /// Trailing letters were taken for a unit.
    pub(super) has_unit: bool,
}
