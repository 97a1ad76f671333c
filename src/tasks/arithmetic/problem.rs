//! A question with its solution.

use serde::{Deserialize, Serialize};

use super::operation::{Operation, OperationKind, parse_equation};
use crate::grading::last_answer_number;

/// A question with its solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The story and its question, on one line.
    pub question: String,
    /// The operations in the order of the story; each is one line of the solution.
    pub operations: Vec<Operation>,
    /// A solution in words: one line per operation, then the line with the answer.
    pub solution: String,
    /// The answer.
    pub answer: u32,
}

impl Problem {
    /// Number of steps of the solution, including the line with the answer.
    pub fn steps(&self) -> usize {
        self.operations.len() + 1
    }

    /// The difficulty of step `index`, counted from 0; the last one is [`OperationKind::Answer`].
    pub fn kind(&self, index: usize) -> OperationKind {
        self.operations.get(index).map_or(OperationKind::Answer, Operation::kind)
    }

    /// Whether `line` is correct as step `index`, counted from 0.
    pub fn step_is_correct(&self, index: usize, line: &str) -> bool {
        match self.operations.get(index) {
            Some(operation) => operation.matches(line),
            None => index == self.operations.len() && last_answer_number(line) == Some(self.answer),
        }
    }

    /// Whether `line` does no harm as step `index`, counted from 0: it is correct, or the answer does not depend on it
    /// and it has at least the right operator, so that the following lines keep their places.
    pub fn step_is_acceptable(&self, index: usize, line: &str) -> bool {
        match self.operations.get(index) {
            Some(o) if !o.matters => parse_equation(line).is_some_and(|e| e.1 == o.operator),
            _ => self.step_is_correct(index, line),
        }
    }

    /// Whether the answer depends on step `index`, counted from 0.
    pub fn step_matters(&self, index: usize) -> bool {
        self.operations.get(index).is_none_or(|o| o.matters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_number_after_the_last_label() {
        assert_eq!(last_answer_number("Answer: 12\nAnswer: 67\n"), Some(67));
        assert_eq!(last_answer_number("Answer: 99999999999999"), None);
        assert_eq!(last_answer_number("67"), None);
    }
}
