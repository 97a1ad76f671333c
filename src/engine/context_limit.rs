//! The part of a model's context that mistral.rs computes as its authors intend.

use std::fmt;

/// The tokens that a model is used with; `None` if its configuration names no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsableContext {
    /// Number of tokens.
    pub(super) tokens: Option<u64>,
    /// Set if that is less than the configuration says.
    pub(super) limit: Option<ContextLimit>,
}

impl UsableContext {
    /// The smallest of the limits, or `declared` tokens.
    pub(super) fn new(declared: u64, limits: &[(Option<u64>, LimitCause)]) -> Self {
        let smaller = limits.iter().filter_map(|(tokens, cause)| Some(((*tokens)?, *cause)));
        let smallest = smaller.filter(|(tokens, _)| *tokens < declared).min_by_key(|(n, _)| *n);
        Self {
            tokens: Some(smallest.map_or(declared, |(tokens, _)| tokens)),
            limit: smallest.map(|(tokens, cause)| ContextLimit { tokens, declared, cause }),
        }
    }
}

/// Why a model is used with fewer tokens of context than its configuration says. As text: a sentence without its
/// subject, with the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextLimit {
    /// Tokens that can be used.
    pub tokens: u64,
    /// Tokens that the configuration says.
    pub declared: u64,
    pub(super) cause: LimitCause,
}

/// What mistral.rs 0.8.1 computes differently beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitCause {
    SlidingWindow,
    LongRope,
    CacheBlocks,
}

impl ContextLimit {
    /// The reason and the remedy.
    pub fn reason(&self) -> String {
        let why = match self.cause {
            LimitCause::SlidingWindow => {
                "mistral.rs computes the model's sliding window wrong beyond them"
            }
            LimitCause::LongRope => {
                "mistral.rs does not compute the first part of a text again when longrope changes its factors"
            }
            LimitCause::CacheBlocks => "mistral.rs needs whole blocks of 512 tokens",
        };
        format!(
            "{why}: for longer texts choose another model, or run this one on a server (table `remote`)"
        )
    }
}

impl fmt::Display for ContextLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tokens, declared, .. } = self;
        let reason = self.reason();
        write!(f, "only {tokens} of its {declared} tokens of context can be used, because {reason}")
    }
}
