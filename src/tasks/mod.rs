//! Task sets: sources of graded questions.

pub mod arithmetic;
mod sets;

use std::collections::HashMap;

use crate::episode::{Origin, Started, Verdict};
pub use crate::grading::{Grade, Grader};
use arithmetic::{OperationMix, Problem, ProblemGenerator, Split};
pub use sets::{
    DataRow, LevelRange, OnBadLine, QuestionFilter, RowLocation, TaskError, TaskSet,
    TaskSetRequest, field_text, read_rows,
};

/// A question, with what its task set knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub text: String,
    pub origin: Option<Origin>,
    /// The gold answer.
    pub gold: Option<String>,
    /// The solution, where every step of it is known.
    pub solution: Option<Problem>,
}

impl Question {
    /// A question that a person typed: no gold answer.
    pub fn from_user(text: impl Into<String>) -> Self {
        Self { text: text.into(), origin: None, gold: None, solution: None }
    }

    /// The question of a stored episode, with its solution where its task set knows it.
    pub fn of_started(started: &Started) -> Self {
        let origin = started.origin.clone();
        let mut solutions = Solutions::default();
        let solution = origin.as_ref().and_then(|o| solutions.find(o, &started.question)).cloned();
        Self { text: started.question.clone(), origin, gold: started.gold.clone(), solution }
    }

    /// The answer that a trace gives and whether it is right, as its task set's grader has it.
    pub fn grade(&self, trace: &str) -> (Option<String>, Verdict) {
        let task = self.origin.as_ref().map_or("arithmetic", |origin| origin.task.as_str());
        let grade = Grader::for_task_set(task).grade(self.gold.as_deref(), trace);
        let marked =
            || if self.origin.is_none() { crate::grading::marked_answer(trace) } else { None };
        (grade.answer.or_else(marked), grade.verdict)
    }
}

/// Solutions of questions that a task set drew, found again by their place in it.
#[derive(Debug, Clone, Default)]
pub struct Solutions {
    generated: HashMap<(u64, Split), (ProblemGenerator, Vec<Problem>)>,
}

impl Solutions {
    /// The solution of a stored question, where its task set knows every step of it.
    pub fn find(&mut self, origin: &Origin, question: &str) -> Option<&Problem> {
        // All questions up to that place are drawn, and a file from elsewhere may name any.
        const FARTHEST: usize = 1_000_000;
        if origin.task != "arithmetic" || origin.index > FARTHEST {
            return None;
        }
        let split = Split::of(question);
        let fresh =
            || (ProblemGenerator::new(OperationMix::full(), split, origin.seed), Vec::new());
        let (source, generated) = self.generated.entry((origin.seed, split)).or_insert_with(fresh);
        if generated.len() <= origin.index {
            generated.extend(source.take(origin.index + 1 - generated.len()));
        }
        // An older task set may have drawn other questions.
        generated.get(origin.index).filter(|problem| problem.question == question)
    }
}

/// Questions of the task set `name`, drawn with `seed`: endless, or each of a file once.
///
/// # Errors
/// When there is no such task set, or its file cannot be had.
pub fn questions(
    name: &str,
    split: Split,
    seed: u64,
) -> Result<impl Iterator<Item = Question> + use<>, TaskError> {
    let request = TaskSetRequest {
        name: name.to_owned(),
        data: None,
        split: None,
        default_split: split,
        filter: QuestionFilter::default(),
        on_bad_line: OnBadLine::Stop,
    };
    Ok(TaskSet::open(&request)?.questions(seed))
}
