//! Prints an episode while it runs.

use std::io::{self, Write};

use super::stdio::{note, stdout};
use super::{output, reader_watch};
use crate::episode::{Episode, Event, EventKind, Role, Token};
use crate::recording::write_event;
use crate::routing::Opinion;
use crate::session::{Command, EpisodeObserver, SessionError};

use super::error::CommandResult;

/// What is printed of an episode while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Printed {
    /// The question, each step and the answer.
    Text,
    /// Each event, as a line of JSON.
    Json,
    /// Nothing.
    Nothing,
}

/// Prints an episode, and stops it if standard output cannot be written or its reader has gone.
pub(super) struct EpisodePrinter {
    printed: Printed,
    /// Number of the episode, once it has begun.
    id: u64,
    /// The first error of standard output.
    error: Option<io::Error>,
}

impl EpisodePrinter {
    /// A printer that has printed nothing.
    pub(super) fn new(printed: Printed) -> Self {
        Self { printed, id: 0, error: None }
    }

    /// Number of the episode.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The result of the run, or the error of standard output that ended it.
    ///
    /// # Errors
    /// If standard output could not be written, or the run failed.
    pub(super) fn finish(&mut self, run: Result<Episode, SessionError>) -> CommandResult<Episode> {
        match self.error.take() {
            Some(error) => Err(error.into()),
            None => Ok(run?),
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.error.is_none() {
            let mut out = stdout();
            self.error = write(&mut out).and_then(|()| out.flush()).err();
        }
    }

    fn line(&mut self, text: &str) {
        self.write(|out| writeln!(out, "{text}"));
    }

    fn show(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Started(started) => {
                let question = output::strip_control_chars(&started.question);
                self.line(&format!("{question}\n"));
            }
            EventKind::Written { step, generation } => {
                let text = output::strip_control_chars(generation.text.trim_end());
                self.line(&format!("{:>3} {}  {text}", step + 1, generation.model.letter()));
            }
            EventKind::Finished { answer, verdict, reason } => {
                let ended = output::describe_ending(answer.as_deref(), None, *verdict, *reason);
                self.line(&format!("\n{ended}"));
            }
            _ => {}
        }
    }
}

impl EpisodeObserver for EpisodePrinter {
    fn poll(&mut self) -> Option<Command> {
        (self.error.is_some() || reader_watch::is_gone()).then_some(Command::Stop)
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn on_event(&mut self, id: u64, event: Event) {
        self.id = id;
        match self.printed {
            Printed::Text => self.show(&event),
            Printed::Json => self.write(|mut out| write_event(&mut out, id, &event)),
            Printed::Nothing => {}
        }
    }

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}

    fn on_notice(&mut self, text: &str) {
        note!("pointsman: {text}");
    }
}
