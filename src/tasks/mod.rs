//! Task sets: where questions and their gold answers come from.
//!
//! The built-in arithmetic generates its questions. The other task sets, and a user's file, consist of rows: JSON objects
//! (one per line, or in an array) or Parquet. [`TASK_SETS`] is the table of the known ones.
//!
//! | file | contents |
//! |---|---|
//! | `spec` | [`TASK_SETS`]: name, source, fields and grader of each |
//! | `task_set` | [`TaskSet`]: opens a task set and draws questions |
//! | `question` | [`Question`], and the solutions of stored ones |
//! | `split` | [`Split`]: train, develop, test |
//! | `filter` | [`QuestionFilter`]: levels and subjects |
//! | `data_row`, `read_rows` | the rows of a file |
//! | `record` | the question in a row |
//! | `hub` | downloads from the Hugging Face hub |
//! | [`arithmetic`] | the built-in task set |
//!
//! ```
//! use pointsman::episode::Verdict;
//! use pointsman::tasks::{Split, questions};
//!
//! let question = questions("arithmetic", Split::Test, 7)?.next().expect("they have no end");
//! let solution = &question.solution.as_ref().expect("generated with its solution").solution;
//! assert!(solution.ends_with(&format!("Answer: {}\n", question.gold.as_deref().unwrap())));
//! assert_eq!(question.grade(solution).1, Verdict::Correct);
//! assert_eq!(question.grade("Answer: 1000000\n").1, Verdict::Wrong);
//! # Ok::<(), pointsman::tasks::TaskError>(())
//! ```

pub mod arithmetic;
mod data_row;
mod error;
mod filter;
mod hub;
mod question;
mod read_rows;
mod record;
mod spec;
mod split;
mod task_set;

#[cfg(test)]
mod tests;

pub use data_row::{DataRow, RowLocation};
pub use error::TaskError;
pub use filter::{LevelRange, OnBadLine, QuestionFilter};
pub use question::{Question, Solutions};
pub use read_rows::read_rows;
pub use record::field_text;
pub use spec::{
    FILE_FIELDS, FieldNames, HubFile, QuestionSource, TASK_SETS, TaskSetSpec, grader_of,
    reference_table, task_set_names,
};
pub use split::Split;
pub use task_set::{TaskSet, TaskSetRequest, questions};
