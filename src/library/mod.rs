//! The library: queries over the episodes of the store.
//!
//! A [`Query`] is parsed from one line. [`query_page`] runs it, newest episode first and only as far as needed, so that
//! the first page of a large library appears at once.
//!
//! ```
//! use pointsman::library::{LocalCalendar, NumericField, Query};
//!
//! let calendar = LocalCalendar::at(1_800_000_000_000);
//! let query = Query::parse("task:gsm8k correct cost<5e8 -tag:seen sort:-cost", &calendar)?;
//! assert_eq!(query.clauses.len(), 4);
//! assert!(query.clauses[3].negated);
//! assert_eq!(query.sort.map(|sort| sort.by), Some(NumericField::Cost));
//!
//! let error = Query::parse("cost<five", &calendar).unwrap_err();
//! assert_eq!(error.character, 1);
//! # Ok::<(), pointsman::library::QueryError>(())
//! ```

mod calendar;
mod fork_tree;
mod query;
mod query_error;
mod query_parser;
mod search;

pub use calendar::{Calendar, Date, LocalCalendar};
pub use fork_tree::fork_tree;
pub use query::{
    Clause, CompareOp, EpisodeOutcome, NameField, NumericField, Predicate, Query, Sort,
};
pub use query_error::{QueryError, QueryProblem};
pub(crate) use query_parser::{FILTER_HELP, parse_number};
pub use search::{PageCursor, QueryPage, query_page};
