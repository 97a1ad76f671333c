//! The tokens that an answer is made of.

/// The smallest thing that an answer is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum MathToken {
    /// Digits, with a point where it has decimals. Thousands separators are gone.
    Number(String),
    /// A decimal with repeating digits: those before, and those that repeat.
    Repeating(String, String),
    /// A variable.
    Letter(char),
    /// A LaTeX command, or a function's name without its backslash. Synonyms have one name.
    Command(String),
    /// Text between the mathematics: units, labels, an answer in words.
    Words(String),
    /// An operator, bracket or other sign; `⦃` and `⦄` are a set's braces.
    Sign(char),
    /// The end of a matrix's row.
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
