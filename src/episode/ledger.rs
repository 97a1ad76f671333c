//! What an episode spent, on what.

use super::{PerRole, Reading, Role, Usage, Writing};
use crate::config::Prices;

/// Tokens of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Account {
    /// Prefix tokens computed, for drafts that were discarded too.
    pub prefilled: usize,
    /// Prefix tokens taken from the KV cache.
    pub reused: usize,
    /// Tokens written and kept.
    pub kept: usize,
    /// Tokens written and discarded.
    pub discarded: usize,
    /// Tokens of the other model's drafts, read for an opinion of them.
    pub judged: usize,
    /// Time in prefill and in decode, milliseconds.
    pub prefill_ms: f64,
    pub decode_ms: f64,
}

impl Account {
    /// Tokens that were computed: prefilled, decoded and judged, discarded drafts included.
    pub fn charged(&self) -> usize {
        self.prefilled + self.kept + self.discarded + self.judged
    }

    fn use_up(&mut self, usage: &Usage) {
        self.prefilled += usage.prefilled;
        self.reused += usage.reused;
        self.prefill_ms += usage.prefill_ms;
        self.decode_ms += usage.decode_ms;
    }
}

/// Both models' accounts and prices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    pub prices: Prices,
    pub accounts: PerRole<Account>,
    /// Tokens that a fork's models read again to go on where the parent was, in no account: an episode
    /// that had run through would not have.
    pub reread: PerRole<usize>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(prices: Prices) -> Self {
        Self { prices, accounts: PerRole::default(), reread: PerRole::default() }
    }

    pub(super) fn enter(&mut self, writing: &Writing, kept: bool) {
        let account = &mut self.accounts[writing.model];
        account.use_up(&writing.usage);
        if kept {
            account.kept += writing.tokens.len();
        } else {
            account.discarded += writing.tokens.len();
        }
    }

    pub(super) fn enter_reading(&mut self, reading: &Reading) {
        let account = &mut self.accounts[reading.model];
        account.use_up(&reading.usage);
        account.judged += reading.tokens.len();
    }

    pub(super) fn enter_reread(&mut self, model: Role, usage: &Usage) {
        self.reread[model] += usage.prefilled;
    }

    /// A writing that had been kept is not kept after all.
    pub(super) fn drop_kept(&mut self, writing: &Writing) {
        let account = &mut self.accounts[writing.model];
        account.kept -= writing.tokens.len();
        account.discarded += writing.tokens.len();
    }

    /// What reading again cost a fork, beside [`Ledger::cost`].
    pub fn cost_of_rereading(&self) -> f64 {
        Role::BOTH.into_iter().map(|role| self.prices[role].of(self.reread[role], 0, 0)).sum()
    }

    /// Cost of one model: each kind of token at its price.
    pub fn cost_of(&self, role: Role) -> f64 {
        let account = &self.accounts[role];
        let read = account.prefilled + account.judged;
        self.prices[role].of(read, account.reused, account.kept + account.discarded)
    }

    /// Cost of both.
    pub fn cost(&self) -> f64 {
        Role::BOTH.into_iter().map(|role| self.cost_of(role)).sum()
    }

    /// Tokens written and kept by both.
    pub fn kept(&self) -> usize {
        Role::BOTH.into_iter().map(|role| self.accounts[role].kept).sum()
    }
}
