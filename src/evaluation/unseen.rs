//! Questions that no policy was trained on, for calibrations and promotion tests.

use std::collections::HashSet;

use thiserror::Error;

use crate::exit::{ClassifiedError, ErrorClass};
use crate::store::{Store, StoreError};
use crate::tasks::{Question, TaskSet};

/// Why there are no unseen questions.
#[derive(Debug, Error)]
pub enum UnseenError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Policies may have been trained on every question of the task set.
    #[error(
        "the store has episodes of every question of {0}, so a policy may have been trained on them: give other questions with --data, or another --split"
    )]
    NoneLeft(String),
}

impl ClassifiedError for UnseenError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Store(error) => error.class(),
            Self::NoneLeft(_) => ErrorClass::Usage,
        }
    }
}

/// A seed for questions that nothing was trained on. Training and collection use the user's seed and
/// those that follow it, so this one is far away. `salt` separates several purposes.
pub fn unseen_seed(seed: u64, salt: u64) -> u64 {
    seed ^ (0xF2E5_0000_0000_0000 | salt << 32)
}

/// The seed for the questions of a calibration.
pub fn calibration_seed(seed: u64) -> u64 {
    unseen_seed(seed, 1)
}

/// Up to `n` questions of a task set, in the order of `seed`, without those that the store has episodes
/// of: any stored episode may have been used for training. An endless task set is not compared with the
/// store, since it has different questions for each seed (see [`unseen_seed`]).
///
/// # Errors
/// If the store cannot be read, or no question is left.
pub fn unseen_questions(
    set: &TaskSet,
    store: &Store,
    seed: u64,
    n: usize,
) -> Result<Vec<Question>, UnseenError> {
    if set.size().is_none() {
        return Ok(set.questions(seed).take(n).collect());
    }
    let seen = store
        .summaries()
        .map(|summary| summary.map(|summary| summary.question))
        .collect::<Result<HashSet<String>, _>>()?;
    let unseen = set.questions(seed).filter(|q| !seen.contains(&q.text));
    let questions: Vec<Question> = unseen.take(n).collect();
    if questions.is_empty() {
        Err(UnseenError::NoneLeft(set.name().to_owned()))
    } else {
        Ok(questions)
    }
}
