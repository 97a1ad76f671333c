//! The events that an episode is made of, as they are stored and exported.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::{Preset, Prices};
use crate::grading::Verdict;
use crate::role::{PerRole, Role};

/// Version of the event format. A reader takes every version up to its own and refuses newer ones.
///
/// 2 brought [`EventKind::DraftScored`] and [`Started::collection`]; 3 [`EventKind::Redone`],
/// [`EventKind::ShadowsEvaluated`], [`EventKind::ForkPrefilled`] and what a preset says of shadows; 4 models behind an
/// address, and prices that tell reading from writing; 5 prompts that a chat template framed, and what a preset
/// says of thoughts and circles; 6 plainer names: `draft_scored` for `judged`, `shadows_evaluated` for `shadowed`,
/// `redone` for `taken_back`, `fork_prefilled` for `reread`, `user` for `person`, `draft_limit` for `glimpse`,
/// `repetition_loop` for `circles`, and those of the preset's keys. The former ones are read as aliases.
pub const SCHEMA: u32 = 6;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Version of the format that it was written in.
    pub schema: u32,
    /// When it happened: milliseconds since the Unix epoch.
    pub at_ms: u64,
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// An event of today's format.
    pub fn new(at_ms: u64, kind: EventKind) -> Self {
        Self { schema: SCHEMA, at_ms, kind }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// Always the first event.
    Started(Box<Started>),
    /// The points were set for step `step` (counted from 0).
    Decided {
        step: usize,
        /// Inputs of the router by name; empty where it used none.
        #[serde(default)]
        features: BTreeMap<String, f64>,
        /// p(large), where the router gave one.
        p_large: Option<f64>,
        /// The threshold in force.
        threshold: f64,
        /// Probability with which this choice would have been made: 1 for a deterministic rule,
        /// absent for a person.
        propensity: Option<f64>,
        choice: Role,
        by: Decider,
    },
    /// A model wrote step `step`; a kept glimpse is its beginning.
    Written {
        step: usize,
        #[serde(flatten)]
        generation: Generation,
    },
    /// A draft of step `step` was not kept; it is charged all the same.
    Discarded {
        step: usize,
        #[serde(flatten)]
        generation: Generation,
    },
    /// A model read the draft of step `step`, for its opinion of it; that is charged.
    #[serde(alias = "judged")]
    DraftScored {
        step: usize,
        #[serde(flatten)]
        scoring: Scoring,
    },
    /// Routers that only look on saw the boundary before step `step` and said what they think.
    #[serde(alias = "shadowed")]
    ShadowsEvaluated {
        step: usize,
        /// p(large) by the router's name, in [0, 1]; one that had nothing to say is missing. Their
        /// thresholds stand in the preset.
        #[serde(alias = "opinions")]
        p_large: BTreeMap<String, f64>,
    },
    /// A person took step `step`, the last that was written, back; the other model writes it anew.
    /// What had been begun of the step after it is void.
    #[serde(alias = "taken_back")]
    Redone {
        step: usize,
    },
    /// In a fork, a model read once more what it had read before the parent reached that point, so that it
    /// goes on as it would have there.
    #[serde(alias = "reread")]
    ForkPrefilled {
        model: Role,
        #[serde(flatten)]
        usage: Usage,
    },
    ThresholdMoved {
        from: f64,
        to: f64,
    },
    BudgetChanged {
        from: Option<f64>,
        to: Option<f64>,
    },
    /// A person took the points.
    OverrideSet {
        model: Role,
        scope: OverrideScope,
    },
    /// The points went back to the router.
    OverrideCleared,
    Paused,
    Resumed,
    /// A person marked the step.
    Bookmarked {
        step: usize,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// The last event of an episode that ended in order.
    Finished {
        /// The answer as the task's grader reads it; absent where none was found.
        answer: Option<String>,
        verdict: Verdict,
        reason: FinishReason,
    },
    /// The last event of an episode that an error ended.
    Failed {
        error: String,
    },
}

impl EventKind {
    /// Whether it ends an episode.
    pub fn ends_episode(&self) -> bool {
        matches!(self, Self::Finished { .. } | Self::Failed { .. })
    }
}

/// Everything that an episode starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    pub question: String,
    /// Where the question came from; absent where a person typed it.
    pub origin: Option<Origin>,
    /// The gold answer, where the task has one.
    pub gold: Option<String>,
    /// The preset as used, overrides from the command line included.
    pub preset: Preset,
    pub models: PerRole<ModelRecord>,
    pub prices: Prices,
    pub seed: u64,
    /// The collection that it was written for, where it was one of many to learn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// For a fork: where it left its parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

/// A question's place in a task set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the task set.
    pub task: String,
    /// Seed that the questions were drawn with.
    pub seed: u64,
    /// Which of them, counted from 0.
    pub index: usize,
}

/// A model as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRecord {
    pub name: String,
    /// Fingerprint of its files, the chat template among them; for a model behind an address, the address and its
    /// name there.
    pub digest: String,
    /// 0 where it is not known, which is where it has a price.
    pub parameters: u64,
}

/// The episode and step that a fork started from.
///
/// After [`EventKind::Started`] a fork's list repeats what stands of its parent's steps before that: the
/// choices, what was written, discarded and read, with what it took then, but with the time of the copy.
/// So a fork can be read without its parent, its steps and its ledger are those of a whole trace, and
/// the two compare like with like. Who decided is kept as well: a person's choice stays a person's.
/// Overrides, pauses, bookmarks and moves of the threshold are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    pub episode: u64,
    /// The first step that the child does not share, counted from 0.
    pub step: usize,
}

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// A trained policy, by its id.
    Policy(String),
    /// A handcrafted router, by its name.
    Rule(String),
    #[serde(alias = "person")]
    User,
    /// The budget was spent.
    Budget,
    /// The choice was drawn to learn from it.
    Exploration,
}

/// How far an override reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideScope {
    NextStep,
    FromHereOn,
}

/// A stretch of text that one model wrote, with what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    pub model: Role,
    pub text: String,
    pub tokens: Vec<Token>,
    #[serde(flatten)]
    pub usage: Usage,
    pub stop: StopReason,
}

/// What a model thinks of a text that it has not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scoring {
    pub model: Role,
    /// The text in this model's own tokens.
    pub tokens: Vec<Token>,
    #[serde(flatten)]
    pub usage: Usage,
}

/// One token as drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its number in the model's vocabulary; 0 where a server does not tell.
    pub id: u32,
    /// Its text; empty while it leaves a character incomplete.
    pub text: String,
    /// Natural logarithm of its probability under the model (temperature 1, whole vocabulary).
    pub logprob: f32,
    /// Entropy of that distribution in nats.
    pub entropy: f32,
    /// Highest probability of that distribution.
    pub top: f32,
    /// Highest less second highest probability.
    pub margin: f32,
    /// Milliseconds since the token before it (since the request, for the first).
    pub ms: f32,
}

/// What a stretch of writing took; counted by the engine, or by the server that it asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prefix that had to be computed.
    pub prefilled: usize,
    /// Tokens of the prefix that were taken from the KV cache.
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

/// Why a stretch of writing stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The step's delimiter.
    Delimiter,
    /// The model's end-of-text token.
    EndOfText,
    /// The glimpse had its length.
    #[serde(alias = "glimpse")]
    DraftLimit,
    /// The step's token limit.
    TokenLimit,
    /// The model's context is full.
    ContextFull,
    Cancelled,
}

/// Why an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// A step gave the answer.
    Answered,
    /// A model ended the text without one.
    EndOfText,
    StepLimit,
    /// The steps went round in circles.
    #[serde(alias = "circles")]
    RepetitionLoop,
    ContextFull,
    BudgetSpent,
    /// A person stopped it.
    Cancelled,
}
