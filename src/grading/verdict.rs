//! The outcome of grading.

use serde::{Deserialize, Serialize};

/// Whether the answer is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It equals the gold answer.
    Correct,
    /// It differs from the gold answer, or the solution gives none.
    Wrong,
    /// There is no gold answer, or the two cannot be compared.
    Undecided,
}

/// The grade of one solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// Whether the answer is right.
    pub verdict: Verdict,
    /// The answer found in the solution.
    pub answer: Option<String>,
    /// The gold answer, extracted from its worked solution if it came with one.
    pub gold: Option<String>,
    /// Why the verdict is not the result of a comparison; `None` if it is.
    pub why: Option<&'static str>,
}
