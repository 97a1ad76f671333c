//! Standard output and standard error of the commands.
//!
//! The macros of the standard library panic if a stream cannot be written, so clippy forbids them in this crate.
//! An error of standard output is returned, and says so; a message that standard error does not take is dropped,
//! since the work of the command is not lost with it.

use std::fmt::Arguments;
use std::io::{self, StdoutLock, Write};

use crate::safe_text::safe_text;

/// Standard output.
pub(super) struct Stdout(StdoutLock<'static>);

/// Locks standard output for writing.
pub(super) fn stdout() -> Stdout {
    Stdout(io::stdout().lock())
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|error| name_stdout(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(|error| name_stdout(&error))
    }
}

/// The same error, which says that standard output has it.
pub(super) fn name_stdout(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write to standard output: {error}"))
}

/// Writes a line to standard error, in a form that is safe for a terminal; use the macro [`note!`].
pub(super) fn write_note(text: Arguments<'_>) {
    let text = text.to_string();
    // One write, so that lines of several threads do not mix.
    let _ = io::stderr().write_all(format!("{}\n", safe_text(&text)).as_bytes());
}

/// Writes a line to standard error, with the arguments of [`format!`].
macro_rules! note {
    ($($argument:tt)*) => {
        $crate::cli::stdio::write_note(format_args!($($argument)*))
    };
}
pub(super) use note;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_standard_output_and_keep_their_kind() {
        let error = name_stdout(&io::ErrorKind::StorageFull.into());
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("standard output"), "{error}");
    }
}
