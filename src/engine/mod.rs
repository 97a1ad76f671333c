//! Engines: what writes text. One trait, behind it mistral.rs in this process, OpenAI-compatible
//! servers and, for screens and replay, recorded tokens.

pub mod chat;
pub mod gpu;
pub mod hub;
mod logger_threads;
pub mod mistralrs;
mod model_files;
mod model_info;
pub mod openai;
mod sampler;
pub mod scripted;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use self::chat::ChatInput;
use self::mistralrs::MistralEngine;
use self::openai::RemoteEngine;
use crate::config::{ModelConfig, Remote};
use crate::episode::{ModelRecord, StopReason, Token, Usage};
use crate::exit::{ClassifiedError, ErrorClass};

pub use hub::{is_hub_id, is_on_hub};
pub use logger_threads::end_logger_threads;
pub use model_info::{KV_TOKENS, ModelInfo, ModelLocation, TokenizerLocation, model_info};
pub use openai::RateLimiter;
pub use source::{BUILTIN, LocatedModel, locate};

/// A piece of the text before the next token.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub text: Arc<str>,
    /// This engine's own tokens of that text, where it wrote it itself; they are taken as they are.
    pub own_ids: Option<Arc<[u32]>>,
}

/// The beginning of a step, by the engine that is to continue it.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialStep {
    pub text: String,
    pub ids: Vec<u32>,
}

/// What an engine can tell of its tokens, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenStats {
    None,
    /// Log-probabilities of the drawn token and of the most probable ones.
    Logprobs,
    /// Those and the entropy of the whole distribution.
    Distribution,
}

impl TokenStats {
    /// What the model of this configuration tells.
    pub fn of(config: &ModelConfig) -> Self {
        config.remote.as_ref().map_or(Self::Distribution, Self::of_remote)
    }

    /// What a server that is asked like this tells.
    pub fn of_remote(remote: &Remote) -> Self {
        if remote.logprobs > 0 { Self::Logprobs } else { Self::None }
    }
}

impl std::fmt::Display for TokenStats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Logprobs => "the log-probabilities",
            Self::Distribution => "the whole distributions",
        })
    }
}

/// What to write.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineRequest {
    /// The text before the step, prompt first.
    pub prefix: Vec<Segment>,
    /// Ends a step when it appears after the step's first non-blank character.
    pub delimiter: String,
    /// The step's beginning, where this engine has already written one (a kept draft).
    pub partial: Option<PartialStep>,
    /// A text that the engine is to read token by token, as if it had written it, rather than to
    /// write one: the draft says what it thinks of each token, and ends where the text does.
    pub score_text: Option<Arc<str>>,
    /// Tokens to write at most.
    pub max_tokens: usize,
    /// Whether reaching `max_tokens` means that a draft had its length.
    pub is_draft: bool,
    /// 0 takes the most probable token.
    pub temperature: f64,
    /// Nucleus, in (0, 1].
    pub top_p: f64,
    /// Seed of this request's draws.
    pub seed: u64,
}

/// What an engine wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineOutput {
    /// The text of `tokens`, delimiter included; the end-of-text token has none.
    pub text: String,
    pub tokens: Vec<Token>,
    pub usage: Usage,
    pub stop: StopReason,
}

/// What a watcher wants after a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Stop after this token.
    Cancel,
}

/// Who only looks on lets it go on.
impl From<()> for Flow {
    fn from((): ()) -> Self {
        Self::Continue
    }
}

/// What looks on while an engine writes. It is shown each token as it is drawn, and, now and then while none
/// comes, nothing, so that it can cancel then, too.
pub type TokenCallback<'a> = dyn FnMut(Option<&Token>) -> Flow + 'a;

/// A language model that continues a text step by step.
///
/// Calls block; they are made from a thread that may wait. Tokens counted as prefilled are those
/// that the engine computed, or that its server reports, not an estimate.
pub trait Engine: Send {
    /// The model as it was loaded.
    fn model(&self) -> &ModelRecord;

    /// What it tells of its tokens; the numbers that it cannot tell are 0.
    fn token_stats(&self) -> TokenStats {
        TokenStats::Distribution
    }

    /// What the model's chat template makes of a message, up to the answer's first token.
    ///
    /// # Errors
    /// When there is no template, or it fails.
    fn apply_template(&self, _: ChatInput<'_>) -> Result<String, EngineError> {
        Err(EngineError::NoTemplate(self.model().name.clone()))
    }

    /// Whether it can read a [`EngineRequest::score_text`].
    fn can_score_text(&self) -> bool {
        true
    }

    /// Writes until the step, the draft or the text ends; `on_token` sees each token as it is drawn.
    /// One that cancels before the first gets a draft without tokens.
    ///
    /// # Errors
    /// When the engine failed; nothing is written then.
    fn generate(
        &mut self,
        request: &EngineRequest,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, EngineError>;

    /// Reads a text and writes nothing, so that what goes on from there finds it in the KV cache.
    ///
    /// # Errors
    /// As [`Engine::write`].
    fn prefill(&mut self, text: Vec<Segment>) -> Result<Usage, EngineError> {
        // What is drawn is dropped: a text is read when it can be gone on with.
        let request = EngineRequest {
            prefix: text,
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

    /// Forgets everything that it has seen, so that memory does not grow from episode to episode.
    ///
    /// # Errors
    /// When the engine could not be restarted.
    fn reset(&mut self) -> Result<(), EngineError>;
}

/// Loads a model into this process, its files unpacked below `cache` where it is an embedded one, or makes
/// ready to ask the server that has it whenever `rate_limiter` lets it.
///
/// # Errors
/// When it cannot be loaded, or the server's key is missing.
pub fn load(
    config: &ModelConfig,
    cache: &Path,
    rate_limiter: &Arc<RateLimiter>,
) -> Result<Box<dyn Engine>, EngineError> {
    Ok(match &config.remote {
        Some(remote) => Box::new(RemoteEngine::new(config, remote.clone(), rate_limiter.clone())?),
        None => Box::new(MistralEngine::load(config, cache)?),
    })
}

/// Why a model could not be loaded or could not go on.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error(
        "model `{0}`: no such folder or file, and not a Hugging Face id: check `source` in the preset"
    )]
    NotFound(String),
    #[error(
        "model folder {0} has no {1}: a model needs config.json, tokenizer.json and safetensors"
    )]
    Incomplete(PathBuf, &'static str),
    #[error(
        "model {0} is not in the hub's cache here: `pointsman models fetch {0}` gets it; if a folder or a file is meant, there is none at {path}",
        path = absolute(.0)
    )]
    NotFetched(String),
    #[error(
        "model {name} is of the architecture {found}, which cannot be run here: take a model of one of these: {known}"
    )]
    Architecture { name: String, found: String, known: String },
    #[error(
        "model {0} has no tokenizer: name a folder or a Hugging Face id with tokenizer.json as `tokenizer` in the preset"
    )]
    NoTokenizer(String),
    #[error(
        "the tokenizer {tokenizer} of model {model} is not in the hub's cache here: `pointsman models fetch` with the preset's name gets it; if a folder is meant, there is none at {path}",
        path = absolute(.tokenizer)
    )]
    TokenizerNotFetched { model: String, tokenizer: String },
    #[error(
        "the tokenizer `{tokenizer}` of model {model}: no such folder, and not a Hugging Face id: check `tokenizer` in the preset"
    )]
    TokenizerNotFound { model: String, tokenizer: String },
    #[error("the folder {0} has no tokenizer.json: check `tokenizer` in the preset")]
    NoTokenizerFile(PathBuf),
    #[error(
        "model {0} has no chat template: write its prompt, special tokens included, as `prompt` of that model, or leave out prompt.chat"
    )]
    NoTemplate(String),
    #[error(
        "cannot unpack a model of the binary to {path}: {reason}; make room or free it to be written, or set XDG_CACHE_HOME or POINTSMAN_HOME to a folder elsewhere"
    )]
    Unpack { path: PathBuf, reason: String },
    #[error("{path}: {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("cannot load model {name}: {reason}")]
    Load { name: String, reason: String },
    #[error(
        "model {name} has no parameter count and no price: set `parameters` or `price` in the preset"
    )]
    NoPrice { name: String },
    #[error("model {name} stopped working: {reason}")]
    Crashed { name: String, reason: String },
    #[error(
        "the prompt has {0} tokens, the context of model {1} only {2}: shorten the question or take another model"
    )]
    PromptTooLong(usize, String, usize),
    #[error(
        "model {name} needs a key, and {variable} {reason}: set that variable, or name another as `key_env` in the preset"
    )]
    ApiKey { name: String, variable: String, reason: &'static str },
    #[error("model {name} at {address}: {reason}")]
    Remote { name: String, address: String, reason: String },
    #[error(
        "model {0} is behind an address and cannot be made to read a draft: take a model in this process, or another router"
    )]
    CannotScoreText(String),
    #[error("the script of model {0} has no further step")]
    ScriptEnd(String),
}

impl ClassifiedError for EngineError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NotFound(_)
            | Self::TokenizerNotFound { .. }
            | Self::NoTokenizerFile(_)
            | Self::NoPrice { .. }
            | Self::ApiKey { .. } => ErrorClass::Usage,
            _ => ErrorClass::Failure,
        }
    }
}

/// Where a relative path leads from here.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}
