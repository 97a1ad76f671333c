//! Questions, and the known solutions of generated ones.

use std::collections::HashMap;

use super::Split;
use super::arithmetic::{OperationMix, Problem, ProblemGenerator};
use super::spec::{QuestionSource, TaskSetSpec, grader_of};
use crate::episode::{Origin, Started};
use crate::grading::{Verdict, marked_answer};

/// A question and the facts that its task set has about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question's text.
    pub text: String,
    /// Where it came from; `None` if the user typed it.
    pub origin: Option<Origin>,
    /// The gold answer, if there is one.
    pub gold: Option<String>,
    /// The solution, if every step of it is known.
    pub solution: Option<Problem>,
}

impl Question {
    /// A question that the user typed, which has no gold answer.
    pub fn from_user(text: impl Into<String>) -> Self {
        Self { text: text.into(), origin: None, gold: None, solution: None }
    }

    /// The question of a stored episode, with its solution if its task set knows it.
    pub fn of_started(started: &Started) -> Self {
        let origin = started.origin.clone();
        let mut solutions = Solutions::default();
        let solution = origin.as_ref().and_then(|o| solutions.find(o, &started.question)).cloned();
        Self { text: started.question.clone(), origin, gold: started.gold.clone(), solution }
    }

    /// The answer that a trace gives, and whether it is correct, according to the task set's grader. A question that
    /// the user typed is graded as one of the default task set.
    pub fn grade(&self, trace: &str) -> (Option<String>, Verdict) {
        let grader = match &self.origin {
            Some(origin) => grader_of(&origin.task),
            None => TaskSetSpec::default_set().grader,
        };
        let grade = grader.grade(self.gold.as_deref(), trace);
        let marked = || if self.origin.is_none() { marked_answer(trace) } else { None };
        (grade.answer.or_else(marked), grade.verdict)
    }
}

/// Finds the solutions of generated questions by their place in the task set.
#[derive(Debug, Clone, Default)]
pub struct Solutions {
    generated: HashMap<(u64, Split), (ProblemGenerator, Vec<Problem>)>,
}

impl Solutions {
    /// The solution of a stored question; `None` if its task set does not know every step of it.
    pub fn find(&mut self, origin: &Origin, question: &str) -> Option<&Problem> {
        // All questions up to the index are generated again, and imported episodes may have any index and seed.
        const MAX_GENERATED: usize = 1_000_000;
        let spec = TaskSetSpec::find(&origin.task)?;
        if spec.source != QuestionSource::Generated || origin.index >= MAX_GENERATED {
            return None;
        }
        let all: usize = self.generated.values().map(|(_, problems)| problems.len()).sum();
        let split = Split::of(question);
        let fresh =
            || (ProblemGenerator::new(OperationMix::full(), split, origin.seed), Vec::new());
        let (source, generated) = self.generated.entry((origin.seed, split)).or_insert_with(fresh);
        let missing = (origin.index + 1).saturating_sub(generated.len());
        if all + missing > MAX_GENERATED {
            return None;
        }
        generated.extend(source.take(missing));
        // Another version of the program may have generated other questions.
        generated.get(origin.index).filter(|problem| problem.question == question)
    }
}
