//! Options that select the questions.

use std::path::PathBuf;

use clap::Args;

use super::stdio::note;
use crate::evaluation::{self, UnseenError};
use crate::store::Store;
use crate::tasks::{
    LevelRange, OnBadLine, Question, QuestionFilter, Split, TASK_SETS, TaskError, TaskSet,
    TaskSetRequest, task_set_names,
};

/// The task set, its file and a filter.
#[derive(Debug, Clone, Args)]
pub(super) struct TaskArgs {
    #[arg(
        long,
        default_value = TASK_SETS[0].name,
        value_name = "SET|FILE",
        help = format!("Task set: {}, or a file of questions", task_set_names())
    )]
    pub(super) tasks: String,

    /// The task set's file: JSONL, JSON or Parquet [default: from the Hugging Face hub]
    #[arg(long, value_name = "FILE")]
    pub(super) data: Option<PathBuf>,

    /// Only questions of this level: a number, or a range such as 3-5
    #[arg(long, value_name = "LEVELS")]
    pub(super) level: Option<LevelRange>,

    /// Only questions of this subject; can be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) subject: Vec<String>,

    /// On a line of the file that cannot be read: `stop`, or `skip` it
    #[arg(long, default_value = "stop", value_name = "stop|skip")]
    pub(super) on_bad_line: OnBadLine,
}

impl TaskArgs {
    /// Opens the task set. `split` is the part that the user chose; the command uses `default_split` otherwise.
    /// Skipped lines are reported on standard error.
    ///
    /// # Errors
    /// If the set is unknown, its file cannot be read or fetched, or no question passes the filter.
    pub(super) fn open(
        &self,
        split: Option<Split>,
        default_split: Split,
    ) -> Result<TaskSet, TaskError> {
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

/// The first `n` questions of a set in the order of `seed`. If it has fewer, a warning says so.
pub(super) fn first_questions(set: &TaskSet, seed: u64, n: usize) -> Vec<Question> {
    let questions: Vec<Question> = set.questions(seed).take(n).collect();
    if questions.len() < n {
        note!(
            "pointsman: {} has only {} questions: all of them are used",
            set.name(),
            questions.len()
        );
    }
    questions
}

/// Up to `n` questions without stored episodes (see [`evaluation::unseen_questions`]). If there are fewer, a warning
/// says so.
///
/// # Errors
/// A failure if the store cannot be read; a usage error if no question is left.
pub(super) fn unseen_questions(
    set: &TaskSet,
    store: &Store,
    seed: u64,
    n: usize,
) -> Result<Vec<Question>, UnseenError> {
    let questions = evaluation::unseen_questions(set, store, seed, n)?;
    if let Some(size) = set.size().filter(|_| questions.len() < n) {
        note!(
            "pointsman: only {} of the {size} questions of {} have no stored episode: these are used",
            questions.len(),
            set.name()
        );
    }
    Ok(questions)
}

/// Skipped lines that are reported one by one; the others are counted.
const MAX_LISTED: usize = 5;

/// Reports skipped lines on standard error.
pub(super) fn report_skipped(skipped: &[String]) {
    for line in skipped.iter().take(MAX_LISTED) {
        note!("pointsman: skipped {line}");
    }
    if skipped.len() > MAX_LISTED {
        note!("pointsman: skipped {} lines in total", skipped.len());
    }
}
