//! Options that say which questions are asked.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;

use super::error::{CommandError, CommandResult};
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

/// The same without questions that the store has episodes of: nothing may have been trained on them, and
/// whatever was asked may be learnt from. Endless sets have fresh ones for each seed.
///
/// # Errors
/// When the store cannot be read, or no question is left.
pub fn unseen_questions(
    set: &TaskSet,
    store: &Store,
    seed: u64,
    n: usize,
) -> CommandResult<Vec<Question>> {
    let Some(size) = set.size() else { return Ok(first_questions(set, seed, n)) };
    let mut seen = HashSet::new();
    for summary in store.summaries() {
        seen.insert(summary?.question);
    }
    let fresh = set.questions(seed).filter(|q| !seen.contains(&q.text));
    let questions: Vec<Question> = fresh.take(n).collect();
    if questions.is_empty() {
        return Err(CommandError::usage(format!(
            "the store has an episode of every question of {}, so a policy may have been trained on each: give other questions with --data, or another --split",
            set.name()
        )));
    }
    if questions.len() < n {
        let name = set.name();
        eprintln!(
            "pointsman: of {name}'s {size} questions, {} are in no stored episode: these are asked",
            questions.len()
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
