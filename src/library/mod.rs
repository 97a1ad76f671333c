//! The library: which of the store's episodes, in which order.
//!
//! A [`Query`] is parsed from one line; [`page`] looks for what it asks, newest first and only as far
//! as it must, so that the first page of a large library is there at once.

mod calendar;
mod family;
mod parse;
mod query;
mod search;

pub use calendar::{Calendar, Date, LocalTime};
pub use family::family;
pub use parse::{FILTERS, Problem, QueryError, number};
pub use query::{Clause, Comparison, Name, Outcome, Quantity, Query, Sort, Test};
pub use search::{Cursor, Page, page};
