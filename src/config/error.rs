//! [`ConfigError`]: why the configuration cannot be used.

use std::path::PathBuf;

use thiserror::Error;

use super::invalid_preset::InvalidPreset;
use super::named_file::FileError;

/// Why the configuration cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// Neither `HOME` nor `POINTSMAN_HOME` is set.
    #[error("no home folder is known: set HOME, or set POINTSMAN_HOME to a folder of your choice")]
    NoHome,
    /// A file cannot be found, read or parsed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A value in a preset file is invalid.
    #[error("{path}: {reason}")]
    Invalid {
        /// The preset file.
        path: PathBuf,
        /// The key and what is wrong with its value.
        reason: InvalidPreset,
    },
    /// A value given on the command line is invalid.
    #[error("the command line's {0}")]
    CommandLine(InvalidPreset),
}

crate::exit::classify!(Usage: ConfigError);
