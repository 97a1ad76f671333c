//! Errors of task sets.

use std::path::PathBuf;

use thiserror::Error;

use super::RowLocation;
use super::spec::task_set_names;
use crate::exit::{ClassifiedError, ErrorClass};

/// Why there are no questions. Each message is one sentence that names the file and the remedy.
#[derive(Debug, Error)]
pub enum TaskError {
    /// There is neither a task set nor a file of that name.
    #[error(
        "there is no task set `{0}`: use one of {names}, or give a JSONL, JSON or Parquet file",
        names = task_set_names()
    )]
    Unknown(String),
    /// An option for files, which is given, was used with the built-in arithmetic.
    #[error(
        "the built-in arithmetic generates its questions: leave out {0}, or name another task set"
    )]
    BuiltIn(&'static str),
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason as the system or the parser gives it.
        reason: String,
    },
    /// A row of the file holds no question.
    #[error("{path}, {location}: {reason}; correct it, or skip such lines with --on-bad-line skip")]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The row.
        location: RowLocation,
        /// What is missing.
        reason: String,
    },
    /// The file, or the part of it that was asked for, holds no question.
    #[error("no question of {path} is left: {reason}")]
    Empty {
        /// The file.
        path: PathBuf,
        /// Why, and the remedy.
        reason: String,
    },
    /// The task set has no such part.
    #[error(
        "{name} has only a test part: use --split test if the command has it, or give a file of other questions with --data"
    )]
    NoSuchSplit {
        /// The task set.
        name: String,
    },
    /// The file is not in the cache and cannot be downloaded.
    #[error(
        "cannot fetch {file} from the Hugging Face hub ({reason}): without a network, give the file of {name} with --data"
    )]
    Hub {
        /// The task set.
        name: String,
        /// Repository and path.
        file: String,
        /// The reason as the client gives it.
        reason: String,
    },
}

impl ClassifiedError for TaskError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Hub { .. } => ErrorClass::Failure,
            _ => ErrorClass::Usage,
        }
    }
}
