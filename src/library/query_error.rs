//! Errors of queries.

use std::ops::Range;

use thiserror::Error;

use crate::store::TagError;

/// A query that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the query is wrong at character {character}: {problem}")]
pub struct QueryError {
    /// The bytes of the query that are wrong.
    pub span: Range<usize>,
    /// Where they begin, in characters counted from 1.
    pub character: usize,
    /// What is wrong with them.
    pub problem: QueryProblem,
}

crate::exit::classify!(Usage: QueryError);

/// What is wrong with a query. Each message names the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryProblem {
    /// An unknown key before a colon.
    #[error(
        "there is no filter `{0}:`; use task:, router:, policy:, preset:, collection:, tag:, note:, after:, before:, parent:, in: or sort:, or put \"quotes\" around words of the question"
    )]
    UnknownFilter(String),
    /// An unknown field before a comparison.
    #[error(
        "`{0}` cannot be compared; use cost, share, steps, large, switches or tokens, or put \"quotes\" around words of the question"
    )]
    UnknownQuantity(String),
    /// A numeric field before a colon.
    #[error("`{0}` is followed by <, <=, =, >= or > and a number")]
    MissingComparison(String),
    /// A name before a comparison.
    #[error("`{0}` is followed by a colon and what to look for")]
    MissingColon(String),
    /// A comparison of dates.
    #[error("days are compared with after: and before:, as in `after:2026-11-25`")]
    DateComparison,
    /// Not a number after a comparison.
    #[error("`{0}` is not a number; write one such as 4, 0.5, 5e8 or 500M")]
    InvalidNumber(String),
    /// Not a day after `after:` or `before:`.
    #[error("`{0}` is not a day; write one such as 2026-11-25")]
    InvalidDate(String),
    /// Not a number after `parent:`.
    #[error("`{0}` is not an episode; write its number, as in `parent:12`")]
    InvalidEpisode(String),
    /// Not a tag after `tag:`.
    #[error(transparent)]
    InvalidTag(#[from] TagError),
    /// A filter without a value.
    #[error("nothing follows `{0}`; write what to look for, in \"quotes\" if it has spaces")]
    MissingValue(String),
    /// A word that begins with `--`.
    #[error(
        "`{0}` is neither a filter nor an option of this command; a single `-` negates a filter"
    )]
    DoubleNegation(String),
    /// A quote that is not closed.
    #[error("this quote is not closed; end it with \"")]
    UnclosedQuote,
    /// An unknown field after `sort:`.
    #[error(
        "episodes cannot be sorted by `{0}`; use date, cost, share, steps, large, switches or tokens, with a `-` before it for the largest first"
    )]
    UnknownSort(String),
    /// A second `sort:`.
    #[error("there is a second order; one `sort:` is enough")]
    DuplicateSort,
    /// A `-` before `sort:`.
    #[error("an order cannot be negated; write `sort:-cost` for the largest first")]
    NegatedSort,
}

impl QueryError {
    pub(super) fn new(line: &str, span: Range<usize>, problem: QueryProblem) -> Self {
        let character = line[..span.start].chars().count() + 1;
        Self { span, character, problem }
    }
}
