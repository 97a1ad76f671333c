//! Options that say which questions are asked.

use std::path::PathBuf;

use clap::Args;

use crate::evaluation::{self, UnseenError};
use crate::store::Store;
use crate::tasks::arithmetic::Split;
use crate::tasks::{
    LevelRange, OnBadLine, Question, QuestionFilter, TaskError, TaskSet, TaskSetRequest,
};

/// Which task set, which file and which of its questions.
#[derive(Debug, Clone, Args)]
pub struct TaskArgs {
    /// Task set: arithmetic, gsm8k, math500, omni-math, or a file of questions
    #[arg(long, default_value = "arithmetic", value_name = "SET|FILE")]
    pub tasks: String,

    /// The task set's file: JSONL, JSON or Parquet [default: from the Hugging Face hub]
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,

    /// Only questions of this level: a number, or a range such as 3-5
    #[arg(long, value_name = "LEVELS")]
    pub level: Option<LevelRange>,

    /// Only questions of this subject; may be given several times
    #[arg(long, value_name = "NAME")]
    pub subject: Vec<String>,

    /// What to do about a line of the file that cannot be read: stop, or skip
    #[arg(long, default_value = "stop", value_name = "stop|skip")]
    pub on_bad_line: OnBadLine,
}

impl TaskArgs {
    /// The task set. `split` is the part that was asked for, if any, and `usual` what the command
    /// takes where none was. Lines that are skipped are told on standard error.
    ///
    /// # Errors
    /// When there is no such set, its file cannot be had, or no question is left.
    pub fn open(&self, split: Option<Split>, default_split: Split) -> Result<TaskSet, TaskError> {
        let set = TaskSet::open(&TaskSetRequest {
            name: self.tasks.clone(),
            data: self.data.clone(),
            split,
            default_split,
            filter: QuestionFilter { levels: self.level, subjects: self.subject.clone() },
            on_bad_line: self.on_bad_line,
        })?;
        report_skipped(set.skipped());
        Ok(set)
    }
}

/// The first `n` questions of a set in the order of `seed`; says so where it has fewer.
pub fn first_questions(set: &TaskSet, seed: u64, n: usize) -> Vec<Question> {
    let questions: Vec<Question> = set.questions(seed).take(n).collect();
    if questions.len() < n {
        eprintln!("pointsman: {} has {} questions: all are questions", set.name(), questions.len());
    }
    questions
}

/// Up to `n` questions without stored episodes (see [`evaluation::unseen_questions`]). Reports if there are
/// fewer.
///
/// # Errors
/// If the store cannot be read, or no question is left.
pub fn unseen_questions(
    set: &TaskSet,
    store: &Store,
    seed: u64,
    n: usize,
) -> Result<Vec<Question>, UnseenError> {
    let questions = evaluation::unseen_questions(set, store, seed, n)?;
    if let Some(size) = set.size().filter(|_| questions.len() < n) {
        eprintln!(
            "pointsman: only {} of the {size} questions of {} have no stored episode: these are used",
            questions.len(),
            set.name()
        );
    }
    Ok(questions)
}

/// Those that are named one by one before the rest are only counted.
const MAX_LISTED: usize = 5;

/// Tells of what was skipped.
pub fn report_skipped(skipped: &[String]) {
    for line in skipped.iter().take(MAX_LISTED) {
        eprintln!("pointsman: skipped {line}");
    }
    if skipped.len() > MAX_LISTED {
        eprintln!("pointsman: {} were skipped in all", skipped.len());
    }
}
