//! Why an episode could not be run.

use thiserror::Error;

use super::ForkError;
use crate::engine::EngineError;
use crate::episode::FoldError;
use crate::exit::{ClassifiedError, ErrorClass};
use crate::routing::RouterError;
use crate::safe_text::safe_line;
use crate::tasks::Question;

/// Why an episode could not be run.
#[derive(Debug, Error)]
pub enum SessionError {
    /// An engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An engine failed at one question of many.
    #[error("question {place}: {error}")]
    Question {
        /// Number and beginning of the question.
        place: String,
        /// What the engine reports.
        error: EngineError,
    },
    /// The router cannot be made or cannot decide.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The parent cannot be forked there.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// The outcome of a question changes at thousands of thresholds.
    #[error(
        "the choices of router {0} change at thousands of thresholds, so a model does not reproduce its scores: compare routers at their own thresholds only, or use another model"
    )]
    EndlessSweep(String),
    /// The sink failed, with a sentence of its own.
    #[error("{0}")]
    Sink(String),
    /// The caller cancelled the run.
    #[error("it was cancelled, and nothing of it was kept")]
    Cancelled,
    /// The runner emitted an event that does not fit the episode, which is a bug.
    #[error("the episode's events do not fit: {0}")]
    Fold(#[from] FoldError),
}

impl ClassifiedError for SessionError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Engine(error) | Self::Question { error, .. } => error.class(),
            Self::Router(error) => error.class(),
            Self::Fork(error) => error.class(),
            Self::EndlessSweep(_) | Self::Sink(_) | Self::Cancelled | Self::Fold(_) => {
                ErrorClass::Failure
            }
        }
    }
}

/// Number of characters of a question that a message repeats.
const QUESTION_EXCERPT_CHARS: usize = 48;

impl SessionError {
    /// Adds the question to an engine's error, for a run of many questions.
    #[must_use]
    pub fn at(self, question: &Question) -> Self {
        let Self::Engine(error) = self else { return self };
        let text = question.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = safe_line(&text);
        let mut excerpt: String = text.chars().take(QUESTION_EXCERPT_CHARS).collect();
        if text.chars().nth(QUESTION_EXCERPT_CHARS).is_some() {
            excerpt.push('…');
        }
        let place = match &question.origin {
            Some(origin) => format!("{} of {} (“{excerpt}”)", origin.index + 1, origin.task),
            None => format!("“{excerpt}”"),
        };
        Self::Question { place, error }
    }

    /// Whether the question does not fit into a model's context: another attempt would fail as well.
    pub fn is_prompt_too_long(&self) -> bool {
        matches!(self, Self::Engine(error) | Self::Question { error, .. }
            if matches!(error, EngineError::PromptTooLong { .. }))
    }
}
