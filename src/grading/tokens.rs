//! The tokens of an answer.

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum MathToken {
    /// Digits with an optional decimal point, without thousands separators.
    Number(String),
    /// A repeating decimal: the digits before the repeating part, and that part.
    Repeating(String, String),
    /// A variable.
    Letter(char),
    /// A LaTeX command, or a function's name without its backslash. Synonyms share one name.
    Command(String),
    /// Text between the mathematics: units, labels, an answer in words.
    Words(String),
    /// An operator, bracket or other sign; `⦃` and `⦄` are a set's braces.
    Sign(char),
    /// The end of a matrix row.
    Row,
    Begin(String),
    End(String),
}

/// A token, and whether there is a space before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SpacedToken {
    pub(super) token: MathToken,
    pub(super) space_before: bool,
}
