//! What an answer is, once it is read.

use super::expression::Expr;

/// What an answer is.
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
    /// A number in another base than ten: its digits and the base.
    InBase(String, u32),
    /// `3:4`.
    Ratio(Vec<Expr>),
}

/// How two sides of a relation stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RelationOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a text was read as.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Interpretation {
    pub(super) value: AnswerValue,
    /// It had a percent sign.
    pub(super) percent: bool,
    /// It was said to be approximate.
    pub(super) approximate: bool,
    /// What it is a remainder by.
    pub(super) modulus: Option<String>,
    /// The numbers in the condition that was cut off, where one was.
    pub(super) condition: Option<Vec<String>>,
    /// Letters at its end were taken for a unit.
    pub(super) has_unit: bool,
}
