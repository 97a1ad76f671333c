//! Exit codes: each error type says itself whether the user can correct it.
//!
//! A command ends with 2 if its command line or configuration is wrong and with 1 if something else failed. The
//! class is declared beside each error type, so the command line does not compile with an error type that has no
//! class.

use std::error::Error;

/// What kind of problem an error reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The command line, the configuration or an input file named there is wrong: exit code 2.
    Usage,
    /// The input is fine, and something failed: exit code 1.
    Failure,
}

impl ErrorClass {
    /// The exit code of a command that ends with such an error.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Failure => 1,
        }
    }
}

/// An error that knows its [`ErrorClass`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not state whether it is a usage error or a failure",
    note = "implement `pointsman::exit::ClassifiedError` beside the error type"
)]
pub trait ClassifiedError: Error {
    /// Whether another command line or configuration would help.
    fn class(&self) -> ErrorClass;
}

/// Implements [`ClassifiedError`] for types whose errors are all of one class.
macro_rules! classify {
    ($class:ident: $($error:ty),+ $(,)?) => {
        $(impl $crate::exit::ClassifiedError for $error {
            fn class(&self) -> $crate::exit::ErrorClass {
                $crate::exit::ErrorClass::$class
            }
        })+
    };
}
pub(crate) use classify;
