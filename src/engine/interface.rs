//! The [`Engine`] trait and the values that its methods exchange.

use std::sync::Arc;

use super::error::EngineError;
use super::token_stats::TokenStats;
use crate::episode::{ModelRecord, StopReason, Token, Usage};

/// A piece of the prefix: the prompt, or an earlier step.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The text, which is the same for every engine.
    pub text: Arc<str>,
    /// The engine's own token ids for `text`, if the engine itself generated it; `None` for the prompt and for the
    /// other model's steps. Ids are appended as they are: tokenizing the text again could give other ids, and then
    /// neither the KV cache nor the probabilities would match.
    pub own_ids: Option<Arc<[u32]>>,
}

/// The beginning of a step, generated earlier by the engine that now continues it.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialStep {
    /// The text of `ids`.
    pub text: String,
    /// The engine's own token ids.
    pub ids: Vec<u32>,
}

/// What an engine is asked to generate, or to score.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineRequest {
    /// The text before the step, the prompt first. An empty prefix is allowed.
    pub prefix: Vec<Segment>,
    /// Ends the step when it appears after the step's first non-blank character. The output includes it.
    pub delimiter: String,
    /// The step's beginning if this engine has generated it already (a kept draft); the output does not repeat it.
    pub partial: Option<PartialStep>,
    /// A text to score instead of generating one: the engine reads it token by token as if it had sampled these
    /// tokens, and reports their statistics. `max_tokens`, `delimiter` and sampling are ignored. Only engines that
    /// [can score text](Engine::can_score_text) accept it.
    pub score_text: Option<Arc<str>>,
    /// Maximum number of tokens to generate, at least 1.
    pub max_tokens: usize,
    /// Whether the output is a draft: reaching `max_tokens` is then [`StopReason::DraftLimit`] rather than
    /// [`StopReason::TokenLimit`].
    pub is_draft: bool,
    /// Sampling temperature; 0 always selects the most probable token.
    pub temperature: f64,
    /// Nucleus sampling: the probability mass to sample from, in (0, 1].
    pub top_p: f64,
    /// Seed of the sampling. The same model, prefix, settings and seed give the same tokens.
    pub seed: u64,
}

/// The tokens that an engine generated or scored.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineOutput {
    /// The concatenated text of `tokens`, including the delimiter. An end-of-text token has no text.
    pub text: String,
    /// The tokens in order, with their statistics (see [`TokenStats`] for which of them are known).
    pub tokens: Vec<Token>,
    /// Tokens prefilled and reused, and milliseconds of prefill and decode.
    pub usage: Usage,
    /// Why the output ends.
    pub stop: StopReason,
}

/// Whether an engine continues after a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Generate the next token.
    Continue,
    /// Stop; the output holds the tokens so far.
    Cancel,
}

/// So that a callback that only observes may return nothing.
impl From<()> for Flow {
    fn from((): ()) -> Self {
        Self::Continue
    }
}

/// Called with each token as soon as it is sampled, and with `None` about twenty times per second while there is no new
/// token, so that a caller can also cancel during a long prefill.
pub type TokenCallback<'a> = dyn FnMut(Option<&Token>) -> Flow + 'a;

/// A language model that continues a text step by step.
///
/// Methods block; call them from a thread that may wait, never from an async runtime's worker. A step is a pure
/// function of the request: an engine keeps no state that changes its output, only caches that make it faster.
pub trait Engine: Send {
    /// The model as it was loaded: its name, a digest of its files, its number of parameters.
    fn model(&self) -> &ModelRecord;

    /// Which statistics of its tokens the engine reports. The others are 0 in its output.
    fn token_stats(&self) -> TokenStats {
        TokenStats::Distribution
    }

    /// Renders the model's chat template: the prompt up to the first token of the answer.
    ///
    /// # Errors
    /// [`EngineError::NoTemplate`] if the model has no template, [`EngineError::Load`] if rendering fails.
    fn apply_template(&self, _: ChatInput<'_>) -> Result<String, EngineError> {
        Err(EngineError::NoTemplate(self.model().name.clone()))
    }

    /// Whether [`EngineRequest::score_text`] is supported.
    fn can_score_text(&self) -> bool {
        true
    }

    /// Generates until the step, the draft or the text ends, or scores the given text.
    ///
    /// `on_token` may cancel: the engine then stops after the token that it is computing, and returns what it has,
    /// with [`StopReason::Cancelled`]; the output may be empty. `usage.prefilled` and `usage.reused` count the tokens
    /// of the prefix (and of `partial`) that were computed and that came from the KV cache, as measured by the engine
    /// or reported by the server, never estimated.
    ///
    /// # Errors
    /// [`EngineError::PromptTooLong`] if the prefix fills the context, [`EngineError::CannotScoreText`] if scoring is
    /// not supported, and others if the engine fails. Tokens that were generated before a failure are lost.
    fn generate(
        &mut self,
        request: &EngineRequest,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, EngineError>;

    /// Reads `prefix` into the KV cache, so that a later request that starts with it needs no prefill.
    ///
    /// # Errors
    /// As [`Engine::generate`].
    fn prefill(&mut self, prefix: Vec<Segment>) -> Result<Usage, EngineError> {
        // An engine has read a text when it can sample the token after it; that token is dropped.
        let request = EngineRequest {
            prefix,
            delimiter: "\n".into(),
            partial: None,
            score_text: None,
            max_tokens: 1,
            is_draft: true,
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
        };
        Ok(self.generate(&request, &mut |_| Flow::Continue)?.usage)
    }

    /// Drops all caches, so that memory does not grow from episode to episode. Called between episodes.
    ///
    /// # Errors
    /// [`EngineError::Crashed`] if the engine cannot be restarted.
    fn reset(&mut self) -> Result<(), EngineError>;
}

/// The messages that a chat template is rendered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatInput<'a> {
    /// The system message, if any.
    pub system: Option<&'a str>,
    /// The user's message.
    pub user: &'a str,
    /// The value of the template variable `enable_thinking`; undefined if `None`.
    pub thinking: Option<bool>,
}
