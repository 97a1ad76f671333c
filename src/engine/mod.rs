//! Engines: language models that continue a text by one step.
//!
//! [`Engine`] is the trait, [`load()`] makes one from the model of a preset, and [`ENGINE_KINDS`] lists the kinds of
//! models. [`scripted::ScriptedEngine`] plays prepared outputs and needs no model:
//!
//! ```
//! use pointsman::engine::scripted::ScriptedEngine;
//! use pointsman::engine::{Engine, EngineError, EngineRequest, Flow, Segment};
//! use pointsman::episode::ModelRecord;
//!
//! # fn main() -> Result<(), EngineError> {
//! let record = ModelRecord { name: "demo".into(), digest: "0".into(), parameters: 1_000 };
//! let steps = [ScriptedEngine::output("37 + 48 = 85\n", -0.1)];
//! let mut engine = ScriptedEngine::new(record, steps);
//!
//! let request = EngineRequest {
//!     prefix: vec![Segment { text: "What is 37 + 48?\n".into(), own_ids: None }],
//!     delimiter: "\n".into(),
//!     partial: None,
//!     score_text: None,
//!     max_tokens: 64,
//!     is_draft: false,
//!     temperature: 0.0,
//!     top_p: 1.0,
//!     seed: 0,
//! };
//! let mut log_likelihood = 0.0;
//! let output = engine.generate(&request, &mut |token| {
//!     // `None` means that nothing has come for a while: a chance to cancel.
//!     log_likelihood += token.map_or(0.0, |token| token.logprob);
//!     Flow::Continue
//! })?;
//! assert_eq!(output.text, "37 + 48 = 85\n");
//! assert!((log_likelihood + 0.5).abs() < 1e-6, "five tokens at -0.1 nats");
//! # Ok(())
//! # }
//! ```
//!
//! To use a real model, load it by a preset's configuration; without a server, the rate limiter has no effect:
//!
//! ```no_run
//! # use std::path::Path;
//! # use pointsman::config::{Folders, load_preset};
//! # use pointsman::engine::{self, RateLimiter};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folders = Folders::find()?;
//! let preset = load_preset("tiny", &folders)?;
//! let engine = engine::load(&preset.small, &folders.cache, &RateLimiter::new(None))?;
//! println!("{}: {} parameters", engine.model().name, engine.model().parameters);
//! # Ok(())
//! # }
//! ```
//!
//! | file | content |
//! |---|---|
//! | `interface` | [`Engine`], [`EngineRequest`], [`EngineOutput`] |
//! | `kind` | [`ENGINE_KINDS`]: how a `source` is recognized, and what each kind can do |
//! | `load` | [`load()`] |
//! | [`mistralrs`] | models in this process; the only folder that names mistral.rs |
//! | `openai` | remote models; the only folder that names the HTTP client |
//! | `checked` | checks of what an engine reports |
//! | [`scripted`] | prepared outputs |
//! | [`hub`] | ids, local cache and downloads of the Hugging Face hub |
//! | `model_info` | what the files of a model say before it is loaded |
//! | `context_limit` | the part of a model's context that can be used |
//! | `chat` | chat templates |
//! | `sampler` | sampling and token statistics |
//! | `token_text` | the text of tokens, and the tokens of a text |

pub(crate) mod chat;
mod checked;
mod context_limit;
mod embedded;
mod error;
pub mod gpu;
pub mod hub;
mod interface;
mod kind;
mod load;
mod logger_threads;
pub mod mistralrs;
mod model_files;
mod model_info;
mod openai;
mod sampler;
pub mod scripted;
mod token_stats;
mod token_text;

pub use checked::generate_checked;
pub use context_limit::ContextLimit;
pub(crate) use embedded::BUILTIN;
pub use error::EngineError;
pub use interface::{
    ChatInput, Engine, EngineOutput, EngineRequest, Flow, PartialStep, Segment, TokenCallback,
};
pub use kind::{ENGINE_KINDS, EngineKind, PrefixReuse, Runtime, token_stats};
pub use load::load;
pub use logger_threads::end_logger_threads;
pub use model_info::{
    GGUF_ARCHITECTURES, KV_TOKENS, ModelInfo, ModelLocation, SUPPORTED_ARCHITECTURES,
    TokenizerLocation, model_info,
};
pub use openai::RateLimiter;
pub use token_stats::TokenStats;
