//! What an episode spent, by model and purpose.

use super::{Generation, PerRole, Role, Scoring, Usage};
use crate::config::Prices;

/// Tokens and times of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UsageTotals {
    /// Prefix tokens computed, including those for discarded drafts.
    pub prefilled: usize,
    /// Prefix tokens that came from the KV cache.
    pub reused: usize,
    /// Tokens written and kept.
    pub kept: usize,
    /// Tokens written and discarded.
    pub discarded: usize,
    /// Tokens of the other model's drafts that it scored.
    pub scored: usize,
    /// Time in prefill, milliseconds.
    pub prefill_ms: f64,
    /// Time in decode, milliseconds.
    pub decode_ms: f64,
}

impl UsageTotals {
    /// Tokens that the model computed: prefilled, written and scored.
    pub fn charged_tokens(&self) -> usize {
        self.prefilled + self.kept + self.discarded + self.scored
    }

    fn add_usage(&mut self, usage: &Usage) {
        self.prefilled += usage.prefilled;
        self.reused += usage.reused;
        self.prefill_ms += usage.prefill_ms;
        self.decode_ms += usage.decode_ms;
    }
}

/// What an episode spent: both models' tokens at their prices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// Prices per token of both models, in one unit.
    pub prices: Prices,
    /// Tokens and times of both models.
    pub totals: PerRole<UsageTotals>,
    /// Tokens that the models of a fork read again to continue from the shared steps. They are in no total,
    /// because the same episode in one run would not have read them twice.
    pub fork_prefill: PerRole<usize>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(prices: Prices) -> Self {
        Self { prices, totals: PerRole::default(), fork_prefill: PerRole::default() }
    }

    pub(super) fn add_generation(&mut self, generation: &Generation, kept: bool) {
        let totals = &mut self.totals[generation.model];
        totals.add_usage(&generation.usage);
        if kept {
            totals.kept += generation.tokens.len();
        } else {
            totals.discarded += generation.tokens.len();
        }
    }

    pub(super) fn add_scoring(&mut self, scoring: &Scoring) {
        let totals = &mut self.totals[scoring.model];
        totals.add_usage(&scoring.usage);
        totals.scored += scoring.tokens.len();
    }

    pub(super) fn add_fork_prefill(&mut self, model: Role, usage: &Usage) {
        self.fork_prefill[model] += usage.prefilled;
    }

    /// Counts a generation that had been kept as discarded.
    pub(super) fn mark_discarded(&mut self, generation: &Generation) {
        let totals = &mut self.totals[generation.model];
        totals.kept -= generation.tokens.len();
        totals.discarded += generation.tokens.len();
    }

    /// Cost of reading the shared steps again in a fork; not part of [`Ledger::cost`].
    pub fn fork_prefill_cost(&self) -> f64 {
        Role::BOTH
            .into_iter()
            .map(|role| self.prices[role].cost(self.fork_prefill[role], 0, 0))
            .sum()
    }

    /// Cost of one model, in the unit of the prices.
    pub fn cost_of(&self, role: Role) -> f64 {
        let totals = &self.totals[role];
        let read = totals.prefilled + totals.scored;
        self.prices[role].cost(read, totals.reused, totals.kept + totals.discarded)
    }

    /// Cost of both models, in the unit of the prices.
    pub fn cost(&self) -> f64 {
        Role::BOTH.into_iter().map(|role| self.cost_of(role)).sum()
    }

    /// Tokens that both models wrote and that were kept.
    pub fn kept_tokens(&self) -> usize {
        Role::BOTH.into_iter().map(|role| self.totals[role].kept).sum()
    }
}
