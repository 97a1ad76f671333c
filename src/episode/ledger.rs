//! What an episode spent, on what.

use super::{Generation, PerRole, Role, Scoring, Usage};
use crate::config::Prices;

/// Tokens of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UsageTotals {
    /// Prefix tokens computed, for drafts that were discarded too.
    pub prefilled: usize,
    /// Prefix tokens taken from the KV cache.
    pub reused: usize,
    /// Tokens written and kept.
    pub kept: usize,
    /// Tokens written and discarded.
    pub discarded: usize,
    /// Tokens of the other model's drafts, read for an opinion of them.
    pub scored: usize,
    /// Time in prefill and in decode, milliseconds.
    pub prefill_ms: f64,
    pub decode_ms: f64,
}

impl UsageTotals {
    /// Tokens that were computed: prefilled, decoded and judged, discarded drafts included.
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

/// Both models' totals and prices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    pub prices: Prices,
    pub totals: PerRole<UsageTotals>,
    /// Tokens that a fork's models read again to go on where the parent was, in no account: an episode
    /// that had run through would not have.
    pub fork_prefill: PerRole<usize>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(prices: Prices) -> Self {
        Self { prices, totals: PerRole::default(), fork_prefill: PerRole::default() }
    }

    pub(super) fn add_generation(&mut self, generation: &Generation, kept: bool) {
        let account = &mut self.totals[generation.model];
        account.add_usage(&generation.usage);
        if kept {
            account.kept += generation.tokens.len();
        } else {
            account.discarded += generation.tokens.len();
        }
    }

    pub(super) fn add_scoring(&mut self, scoring: &Scoring) {
        let account = &mut self.totals[scoring.model];
        account.add_usage(&scoring.usage);
        account.scored += scoring.tokens.len();
    }

    pub(super) fn add_fork_prefill(&mut self, model: Role, usage: &Usage) {
        self.fork_prefill[model] += usage.prefilled;
    }

    /// A writing that had been kept is not kept after all.
    pub(super) fn mark_discarded(&mut self, generation: &Generation) {
        let account = &mut self.totals[generation.model];
        account.kept -= generation.tokens.len();
        account.discarded += generation.tokens.len();
    }

    /// What reading again cost a fork, beside [`Ledger::cost`].
    pub fn fork_prefill_cost(&self) -> f64 {
        Role::BOTH
            .into_iter()
            .map(|role| self.prices[role].cost(self.fork_prefill[role], 0, 0))
            .sum()
    }

    /// Cost of one model: each kind of token at its price.
    pub fn cost_of(&self, role: Role) -> f64 {
        let account = &self.totals[role];
        let read = account.prefilled + account.scored;
        self.prices[role].cost(read, account.reused, account.kept + account.discarded)
    }

    /// Cost of both.
    pub fn cost(&self) -> f64 {
        Role::BOTH.into_iter().map(|role| self.cost_of(role)).sum()
    }

    /// Tokens written and kept by both.
    pub fn kept_tokens(&self) -> usize {
        Role::BOTH.into_iter().map(|role| self.totals[role].kept).sum()
    }
}
