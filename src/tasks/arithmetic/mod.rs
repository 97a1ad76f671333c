//! The built-in task set: stepwise arithmetic stories, endless, seeded and graded exactly.
//!
//! A problem is a short story ("Ava has 37 pens. She buys 4 boxes of 12 pens. …") and the
//! operations that solve it, one a line, in the order of the story; a last line gives the answer.
//! Because the operations are known, so is the right continuation at every step: that makes
//! step accuracy and the oracle router possible. In some stories a second thing is counted that the
//! question never asks about; its lines are written too, but a slip there is harmless.

mod story;
mod vocabulary;

use std::fmt;
use std::str::FromStr;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use story::OperationMix;

use crate::grading::last_answer_number;

/// One of the four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operator {
    /// The sign as the models write it.
    pub const fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '×',
            Self::Divide => '÷',
        }
    }

    fn from_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "+" => Self::Add,
            "-" | "−" => Self::Subtract,
            "×" | "*" | "x" => Self::Multiply,
            "÷" | "/" => Self::Divide,
            _ => return None,
        })
    }
}

/// How hard an operation is for someone who adds digit by digit: the rows of the accuracy tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Addition without a carry.
    Add,
    /// Addition with at least one carry.
    AddCarry,
    /// Subtraction without a borrow.
    Subtract,
    /// Subtraction with at least one borrow.
    SubtractBorrow,
    /// A product of at most [`SMALL_FACT`].
    Multiply,
    /// A larger product.
    MultiplyLarge,
    /// Division of at most [`SMALL_FACT`].
    Divide,
    /// Division of a larger number.
    DivideLarge,
    /// The last line, which only repeats a number.
    Answer,
}

/// Products and dividends up to this number count as small facts.
pub const SMALL_FACT: u32 = 24;

impl OperationKind {
    /// Every kind, in the order of the tables.
    pub const ALL: [Self; 9] = [
        Self::Add,
        Self::AddCarry,
        Self::Subtract,
        Self::SubtractBorrow,
        Self::Multiply,
        Self::MultiplyLarge,
        Self::Divide,
        Self::DivideLarge,
        Self::Answer,
    ];

    fn of(operator: Operator, left: u32, right: u32, result: u32) -> Self {
        match operator {
            Operator::Add if carries(left, right) => Self::AddCarry,
            Operator::Add => Self::Add,
            Operator::Subtract if carries(result, right) => Self::SubtractBorrow,
            Operator::Subtract => Self::Subtract,
            Operator::Multiply if result > SMALL_FACT => Self::MultiplyLarge,
            Operator::Multiply => Self::Multiply,
            Operator::Divide if left > SMALL_FACT => Self::DivideLarge,
            Operator::Divide => Self::Divide,
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Add => "add",
            Self::AddCarry => "add, carry",
            Self::Subtract => "subtract",
            Self::SubtractBorrow => "subtract, borrow",
            Self::Multiply => "multiply",
            Self::MultiplyLarge => "multiply, large",
            Self::Divide => "divide",
            Self::DivideLarge => "divide, large",
            Self::Answer => "answer",
        })
    }
}

/// Whether the addition `a + b` carries between decimal digits.
fn carries(mut a: u32, mut b: u32) -> bool {
    while a > 0 || b > 0 {
        if a % 10 + b % 10 > 9 {
            return true;
        }
        a /= 10;
        b /= 10;
    }
    false
}

/// One operation of a solution: `left operator right = result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub operator: Operator,
    pub left: u32,
    pub right: u32,
    pub result: u32,
    /// False where the answer does not depend on the result.
    pub matters: bool,
}

impl Operation {
    /// The row of the accuracy tables that this operation belongs to.
    pub fn kind(&self) -> OperationKind {
        OperationKind::of(self.operator, self.left, self.right, self.result)
    }

    /// Whether `line` states this operation with this result, in whatever words and, for sums and
    /// products, in either order.
    pub fn matches(&self, line: &str) -> bool {
        let Some((left, operator, right, result)) = parse_equation(line) else {
            return false;
        };
        let same = left == self.left && right == self.right;
        let swapped = left == self.right
            && right == self.left
            && matches!(operator, Operator::Add | Operator::Multiply);
        operator == self.operator && result == self.result && (same || swapped)
    }
}

/// Whether the first sum or difference in `text` carries or borrows between decimal digits.
pub fn carries_in(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = words.windows(3).find_map(|w| {
        Some((w[0].parse::<u32>().ok()?, Operator::from_sign(w[1])?, w[2].parse::<u32>().ok()?))
    });
    match first {
        Some((left, Operator::Add, right)) => carries(left, right),
        Some((left, Operator::Subtract, right)) => {
            left.checked_sub(right).is_some_and(|rest| carries(rest, right))
        }
        _ => false,
    }
}

/// The first `a op b = c` in a line.
fn parse_equation(line: &str) -> Option<(u32, Operator, u32, u32)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(5).find_map(|w| {
        let number = |s: &str| s.trim_end_matches(['.', ',']).parse::<u32>().ok();
        (w[3] == "=").then_some(())?;
        Some((number(w[0])?, Operator::from_sign(w[1])?, number(w[2])?, number(w[4])?))
    })
}

/// A question with its solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The story and its question, on one line.
    pub question: String,
    /// The operations in the order of the story; each is one line of the solution.
    pub operations: Vec<Operation>,
    /// One way to write the solution: a line an operation, then the answer's line.
    pub solution: String,
    /// The answer.
    pub answer: u32,
}

impl Problem {
    /// Steps of the solution, the answer's line included.
    pub fn steps(&self) -> usize {
        self.operations.len() + 1
    }

    /// The kind of step `index`, counted from 0; the last one is [`OperationKind::Answer`].
    pub fn kind(&self, index: usize) -> OperationKind {
        self.operations.get(index).map_or(OperationKind::Answer, Operation::kind)
    }

    /// Whether `line` is a right step `index` (counted from 0).
    pub fn step_is_correct(&self, index: usize, line: &str) -> bool {
        match self.operations.get(index) {
            Some(operation) => operation.matches(line),
            None => index == self.operations.len() && last_answer_number(line) == Some(self.answer),
        }
    }

    /// Whether `line` may stand as step `index` (counted from 0): it is right, or the answer does
    /// not depend on it and it is at least the same kind of operation, so that the lines after it
    /// keep their places.
    pub fn step_is_acceptable(&self, index: usize, line: &str) -> bool {
        match self.operations.get(index) {
            Some(o) if !o.matters => parse_equation(line).is_some_and(|e| e.1 == o.operator),
            _ => self.step_is_correct(index, line),
        }
    }

    /// Whether the answer depends on step `index` (counted from 0).
    pub fn step_matters(&self, index: usize) -> bool {
        self.operations.get(index).is_none_or(|o| o.matters)
    }
}

/// Which part of all possible questions a problem is drawn from. The parts are told apart by a
/// hash of the question's text, so they share no question whatever the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// The questions that the tiny pair was trained on: 3/4 of all.
    Train,
    /// For training and calibrating policies: 1/8.
    Develop,
    /// For evaluation only: 1/8.
    Test,
}

impl Split {
    /// The part that `question` belongs to.
    pub fn of(question: &str) -> Self {
        match blake3::hash(question.as_bytes()).as_bytes()[0] {
            0..=191 => Self::Train,
            192..=223 => Self::Develop,
            224..=255 => Self::Test,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Train => "train",
            Self::Develop => "develop",
            Self::Test => "test",
        })
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "train" => Ok(Self::Train),
            "develop" => Ok(Self::Develop),
            "test" => Ok(Self::Test),
            other => Err(format!("unknown split `{other}`: use train, develop or test")),
        }
    }
}

/// An endless, seeded source of problems.
#[derive(Debug, Clone)]
pub struct ProblemGenerator {
    rng: ChaCha8Rng,
    profile: OperationMix,
    split: Split,
}

impl ProblemGenerator {
    /// Problems of `split` as `profile` weighs them; the same arguments give the same problems.
    pub fn new(profile: OperationMix, split: Split, seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), profile, split }
    }
}

impl Iterator for ProblemGenerator {
    type Item = Problem;

    fn next(&mut self) -> Option<Problem> {
        loop {
            if let Some(problem) = story::generate(&mut self.rng, &self.profile)
                && Split::of(&problem.question) == self.split
            {
                return Some(problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn some(n: usize, split: Split) -> Vec<Problem> {
        ProblemGenerator::new(OperationMix::full(), split, 7).take(n).collect()
    }

    /// The answer, worked out from the operations that matter.
    fn worked_out(problem: &Problem) -> u32 {
        problem.operations.iter().rfind(|o| o.matters).map_or(0, |o| o.result)
    }

    #[test]
    fn every_line_of_a_solution_is_right_and_adds_up() {
        for problem in some(3000, Split::Train) {
            let lines: Vec<&str> = problem.solution.lines().collect();
            assert_eq!(lines.len(), problem.steps());
            for (i, line) in lines.iter().enumerate() {
                assert!(problem.step_is_correct(i, line), "{line} in {problem:?}");
                assert!(!problem.step_is_correct(i, &format!("{line}0")), "another number");
            }
            for o in &problem.operations {
                let result = match o.operator {
                    Operator::Add => o.left + o.right,
                    Operator::Subtract => o.left - o.right,
                    Operator::Multiply => o.left * o.right,
                    Operator::Divide => o.left / o.right,
                };
                assert_eq!(result, o.result);
                assert!(o.operator != Operator::Divide || o.left % o.right == 0);
            }
            assert_eq!(problem.answer, worked_out(&problem));
            assert!((2..=6).contains(&problem.operations.len()));
        }
    }

    #[test]
    fn the_stories_are_varied_and_every_kind_occurs() {
        let all = some(3000, Split::Train);
        let questions: HashSet<&str> = all.iter().map(|p| p.question.as_str()).collect();
        assert!(questions.len() > 2950, "hardly any question occurs twice");
        let kinds: HashSet<OperationKind> =
            all.iter().flat_map(|p| (0..p.steps()).map(|i| p.kind(i))).collect();
        assert_eq!(kinds.len(), OperationKind::ALL.len());
        let harmless = all.iter().filter(|p| p.operations.iter().any(|o| !o.matters)).count();
        assert!(harmless > 300, "{harmless} questions have lines whose slip does no harm");
    }

    #[test]
    fn splits_share_no_question_and_seeds_draw_again() {
        for split in [Split::Train, Split::Develop, Split::Test] {
            assert!(some(200, split).iter().all(|p| Split::of(&p.question) == split));
        }
        assert_eq!(some(50, Split::Test), some(50, Split::Test));
        let other: Vec<Problem> =
            ProblemGenerator::new(OperationMix::full(), Split::Test, 8).take(50).collect();
        assert_ne!(some(50, Split::Test), other);
    }

    #[test]
    fn a_slip_will_do_where_it_is_harmless_and_in_its_place() {
        let all = some(500, Split::Train);
        let harmless = |p: &&Problem| !p.step_matters(0);
        let problem = all.iter().find(harmless).expect("some begin with the other count");
        let sign = problem.operations[0].operator.sign();
        assert!(problem.step_is_acceptable(0, &format!("1 {sign} 1 = 99")));
        assert!(!problem.step_is_correct(0, &format!("1 {sign} 1 = 99")));
        assert!(!problem.step_is_acceptable(0, "Answer: 99"));
        let last = problem.steps() - 1;
        assert!(!problem.step_is_acceptable(last, "Answer: 12345"));
    }

    #[test]
    fn kinds_tell_carries_and_borrows() {
        let kind = |operator, left, right, result| {
            Operation { operator, left, right, result, matters: true }.kind()
        };
        assert_eq!(kind(Operator::Add, 37, 48, 85), OperationKind::AddCarry);
        assert_eq!(kind(Operator::Add, 31, 48, 79), OperationKind::Add);
        assert_eq!(kind(Operator::Add, 99, 1, 100), OperationKind::AddCarry);
        assert_eq!(kind(Operator::Subtract, 85, 18, 67), OperationKind::SubtractBorrow);
        assert_eq!(kind(Operator::Subtract, 85, 13, 72), OperationKind::Subtract);
        assert_eq!(kind(Operator::Multiply, 4, 12, 48), OperationKind::MultiplyLarge);
        assert_eq!(kind(Operator::Divide, 24, 4, 6), OperationKind::Divide);
    }

    #[test]
    fn steps_are_read_in_any_wording_and_order_that_means_the_same() {
        let sum =
            Operation { operator: Operator::Add, left: 37, right: 48, result: 85, matters: true };
        assert!(sum.matches("Pens now: 37 + 48 = 85\n"));
        assert!(sum.matches("so 48 + 37 = 85."));
        for wrong in ["37 + 48 = 84", "37 - 48 = 85", "37 + 48", "", "= = = = =", "37 × 48 = 85"] {
            assert!(!sum.matches(wrong), "{wrong}");
        }
        assert_eq!(last_answer_number("Answer: 12\nAnswer: 67\n"), Some(67));
        assert_eq!(last_answer_number("Answer: 99999999999999"), None);
        assert_eq!(last_answer_number("67"), None);
        assert!(carries_in("Pens now: 37 + 48 = 8") && carries_in("85 - 18"));
        for easy in ["Pens now: 31 + 48", "85 - 13", "4 × 12", "18 - 85", "", "37 +"] {
            assert!(!carries_in(easy), "{easy}");
        }
    }
}
