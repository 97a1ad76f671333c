//! The outcome of grading.

use serde::{Deserialize, Serialize};

/// Whether the answer is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Correct,
    Wrong,
    /// There is no gold answer, or no grader can tell.
    Undecided,
}

/// A solution, graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    pub verdict: Verdict,
    /// The answer that was found.
    pub answer: Option<String>,
    /// The gold answer, cut out of its worked solution where it came with one.
    pub gold: Option<String>,
    /// Why there is nothing to compare, where there is not.
    pub why: Option<&'static str>,
}
