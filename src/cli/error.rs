//! The result of a command: its status, or an error with a sentence for the user and an exit code.

use std::fmt::{self, Display};
use std::io;

use crate::exit::{ClassifiedError, ErrorClass, classify};

// Errors of other crates are failures, not usage errors.
classify!(
    Failure: io::Error,
    std::string::FromUtf8Error,
    serde_json::Error,
    toml::ser::Error,
    indicatif::style::TemplateError,
    candle_core::Error,
);

/// The result of a command that ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandStatus {
    Success,
    /// It reported a problem and ended.
    Failure,
}

/// What a command returns.
pub(super) type CommandResult<T> = Result<T, CommandError>;

/// Why a command failed, with the exit code.
///
/// `?` converts any [`ClassifiedError`] and keeps its class. [`CommandError::usage`] and [`CommandError::failure`]
/// make one from a sentence. The type does not implement [`std::error::Error`], which would rule out the
/// conversion.
#[derive(Debug)]
pub(super) struct CommandError {
    class: ErrorClass,
    error: anyhow::Error,
}

impl CommandError {
    /// The command line or the configuration is wrong.
    pub(super) fn usage(message: impl Display) -> Self {
        Self { class: ErrorClass::Usage, error: anyhow::Error::msg(message.to_string()) }
    }

    /// Something failed that no other command line would have prevented.
    pub(super) fn failure(message: impl Display) -> Self {
        Self { class: ErrorClass::Failure, error: anyhow::Error::msg(message.to_string()) }
    }

    pub(super) fn class(&self) -> ErrorClass {
        self.class
    }

    /// The same error, with what was attempted before its message.
    pub(super) fn context(self, context: impl Display) -> Self {
        Self { error: self.error.context(context.to_string()), ..self }
    }

    /// Whether the reader of standard output closed it, as `| head` does.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The whole message: contexts first, then the cause.
impl Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl<E: ClassifiedError + Send + Sync + 'static> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self { class: error.class(), error: error.into() }
    }
}

/// For callers that only show the message, such as background jobs of the workbench.
impl From<CommandError> for anyhow::Error {
    fn from(error: CommandError) -> Self {
        error.error
    }
}

/// Adds what was attempted to an error, as [`anyhow::Context`] does; the class stays.
pub(super) trait Context<T> {
    fn context(self, context: impl Display) -> CommandResult<T>;

    fn with_context<C: Display>(self, context: impl FnOnce() -> C) -> CommandResult<T>;
}

impl<T, E: Into<CommandError>> Context<T> for Result<T, E> {
    fn context(self, context: impl Display) -> CommandResult<T> {
        self.with_context(|| context)
    }

    fn with_context<C: Display>(self, context: impl FnOnce() -> C) -> CommandResult<T> {
        self.map_err(|error| error.into().context(context()))
    }
}

/// A missing value is a failure.
impl<T> Context<T> for Option<T> {
    fn context(self, context: impl Display) -> CommandResult<T> {
        self.with_context(|| context)
    }

    fn with_context<C: Display>(self, context: impl FnOnce() -> C) -> CommandResult<T> {
        self.ok_or_else(|| CommandError::failure(context()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigError;

    #[test]
    fn the_class_survives_context() {
        let result: Result<(), _> = Err(ConfigError::NoHome);
        let error = result.context("router policy").unwrap_err();
        assert_eq!(error.class(), ErrorClass::Usage);
        let message = error.to_string();
        assert!(message.starts_with("router policy: no home folder is known"), "{message}");
        assert_eq!(None::<()>.context("nothing").unwrap_err().class(), ErrorClass::Failure);
    }

    #[test]
    fn a_closed_pipe_is_recognized_below_context() {
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(CommandError::from(closed()).context("printing").is_broken_pipe());
        assert!(!CommandError::from(io::Error::from(io::ErrorKind::NotFound)).is_broken_pipe());
    }
}
