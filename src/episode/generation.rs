//! What a model wrote or scored, token by token, and what it took.

use serde::{Deserialize, Serialize};

use super::Role;

/// Text that one model wrote at one boundary: a step, or a draft of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// The model that wrote it.
    pub model: Role,
    /// The tokens' texts together.
    pub text: String,
    /// The tokens in order.
    pub tokens: Vec<Token>,
    /// Tokens processed before the first new one, and times.
    #[serde(flatten)]
    pub usage: Usage,
    /// Why the model stopped.
    pub stop: StopReason,
}

/// The statistics of a draft under a model that did not write it (forced scoring).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scoring {
    /// The model that scored the draft.
    pub model: Role,
    /// The draft in this model's own tokens.
    pub tokens: Vec<Token>,
    /// Tokens processed before the draft, and times.
    #[serde(flatten)]
    pub usage: Usage,
}

/// One token as it was sampled, with the distribution that it came from.
///
/// All statistics are of the model's own distribution: temperature 1, whole vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its index in the model's vocabulary; 0 if the server does not report it.
    pub id: u32,
    /// Its text; empty while the token leaves a character incomplete.
    pub text: String,
    /// Natural logarithm of its probability, ≤ 0.
    pub logprob: f32,
    /// Entropy of the distribution in nats, ≥ 0.
    pub entropy: f32,
    /// Highest probability of the distribution, in [0, 1].
    pub top: f32,
    /// Highest minus second highest probability, in [0, 1].
    pub margin: f32,
    /// Milliseconds since the previous token; since the request for the first one.
    pub ms: f32,
}

/// The prefix tokens that one request processed, and its times, as the engine or the server counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prefix that were computed.
    pub prefilled: usize,
    /// Tokens of the prefix that came from the KV cache.
    pub reused: usize,
    /// Milliseconds until the first token.
    pub prefill_ms: f64,
    /// Milliseconds from the first token to the last.
    pub decode_ms: f64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prefilled += other.prefilled;
        self.reused += other.reused;
        self.prefill_ms += other.prefill_ms;
        self.decode_ms += other.decode_ms;
    }
}

/// Why a model stopped writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It wrote the step's delimiter.
    Delimiter,
    /// It wrote its end-of-text token.
    EndOfText,
    /// The draft reached the length that the preset or the router sets.
    #[serde(alias = "glimpse")]
    DraftLimit,
    /// The step reached the preset's token limit.
    TokenLimit,
    /// The model's context is full.
    ContextFull,
    /// The user or the program cancelled it.
    Cancelled,
}
