//! The built-in task set: stepwise arithmetic stories, endless, seeded and graded exactly.
//!
//! A problem is a short story ("Ava has 37 pens. She buys 4 boxes of 12 pens. …") and the
//! operations that solve it, one a line, in the order of the story; a last line gives the answer.
//! Because the operations are known, so is the right continuation at every step: that makes
//! step accuracy and the oracle router possible. In some stories a second thing is counted that the
//! question never asks about; its lines are written too, but a slip there is harmless.

mod story;
mod words;

use std::fmt;
use std::str::FromStr;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use story::Profile;

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
pub enum Kind {
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

impl Kind {
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

impl fmt::Display for Kind {
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
    pub fn kind(&self) -> Kind {
        Kind::of(self.operator, self.left, self.right, self.result)
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

    /// The kind of step `index`, counted from 0; the last one is [`Kind::Answer`].
    pub fn kind(&self, index: usize) -> Kind {
        self.operations.get(index).map_or(Kind::Answer, Operation::kind)
    }

    /// Whether `line` is a right step `index` (counted from 0).
    pub fn step_is_right(&self, index: usize, line: &str) -> bool {
        match self.operations.get(index) {
            Some(operation) => operation.matches(line),
            None => index == self.operations.len() && final_answer(line) == Some(self.answer),
        }
    }

    /// Whether the answer depends on step `index` (counted from 0).
    pub fn step_matters(&self, index: usize) -> bool {
        self.operations.get(index).is_none_or(|o| o.matters)
    }
}

/// The number after the last `Answer:` of a text.
pub fn final_answer(text: &str) -> Option<u32> {
    let (_, tail) = text.rsplit_once("Answer:")?;
    let digits: String = tail.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Which part of all possible questions a problem is drawn from. The parts are told apart by a
/// hash of the question's text, so they share no question whatever the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Problems {
    rng: ChaCha8Rng,
    profile: Profile,
    split: Split,
}

impl Problems {
    /// Problems of `split` as `profile` weighs them; the same arguments give the same problems.
    pub fn new(profile: Profile, split: Split, seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), profile, split }
    }
}

impl Iterator for Problems {
    type Item = Problem;

    fn next(&mut self) -> Option<Problem> {
        loop {
            if let Some(problem) = story::draw(&mut self.rng, &self.profile)
                && Split::of(&problem.question) == self.split
            {
                return Some(problem);
            }
        }
    }
}
