//! A step of the trace.

use super::{Decision, Generation, Role, Scoring};
use crate::config::Prices;

/// A step of the trace, with everything that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The choice of its model; `None` if none was recorded.
    pub decision: Option<Decision>,
    /// Discarded drafts of this step, oldest first, including versions that the user took back.
    pub discarded: Vec<Generation>,
    /// Scorings of its drafts, oldest first.
    pub scorings: Vec<Scoring>,
    /// The text that is part of the trace.
    pub generation: Generation,
}

impl Step {
    /// Whether `role` read the trace up to this step: to write, draft or score it.
    pub fn read_by(&self, role: Role) -> bool {
        let writers = self.generations().map(|generation| generation.model);
        let scorers = self.scorings.iter().map(|scoring| scoring.model);
        writers.chain(scorers).any(|model| model == role)
    }

    /// Whether the same model wrote the same text.
    pub fn same_output(&self, other: &Self) -> bool {
        (self.generation.model, &self.generation.text)
            == (other.generation.model, &other.generation.text)
    }

    /// Cost of the step in the unit of `prices`: everything written, discarded and scored for it.
    pub fn cost(&self, prices: Prices) -> f64 {
        let written = self
            .generations()
            .map(|w| prices[w.model].cost(w.usage.prefilled, w.usage.reused, w.tokens.len()));
        let scored = self.scorings.iter().map(|scoring| {
            let read = scoring.usage.prefilled + scoring.tokens.len();
            prices[scoring.model].cost(read, scoring.usage.reused, 0)
        });
        written.chain(scored).sum()
    }

    /// Discarded drafts and what was kept, in the order of their writing.
    fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.discarded.iter().chain([&self.generation])
    }
}
