//! The library: which of the store's episodes, in which order.
//!
//! A [`Query`] is parsed from one line; [`page`] looks for what it asks, newest first and only as far
//! as it must, so that the first page of a large library is there at once.

mod calendar;
mod fork_tree;
mod query;
mod query_parser;
mod search;

pub use calendar::{Calendar, Date, LocalCalendar};
pub use fork_tree::fork_tree;
pub use query::{
    Clause, CompareOp, EpisodeOutcome, NameField, NumericField, Predicate, Query, Sort,
};
pub use query_parser::{FILTER_HELP, QueryError, QueryProblem, parse_number};
pub use search::{PageCursor, QueryPage, query_page};
