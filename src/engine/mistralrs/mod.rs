//! Models that mistral.rs runs in this process. Only this folder names mistral.rs.
//!
//! | file | content |
//! |---|---|
//! | `loading` | loads a model with mistral.rs |
//! | `gguf_pipeline` | loads a GGUF file for a CPU |
//! | `model_folder` | the files that mistral.rs loads |
//! | `generation` | sends a request and collects its tokens |
//! | `step_sampler` | the logits processor of a request: samples, measures, ends the step |
//!
//! Each request carries its own logits processor, which samples the tokens itself, so that statistics, token counts
//! and step ends are exact. At the end of a step the processor returns the end-of-text token in place of the last one.
//! The key of the prefix cache then ends in a token that the next request does not share, which is what makes the cache
//! usable: mistral.rs 0.8.1 finds no entry for a prompt that a cached one contains completely, and a wrong one if the
//! last sampled token matches.

mod generation;
mod gguf_pipeline;
mod loading;
mod model_folder;
mod step_sampler;

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mistralrs::Model;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use super::chat::ChatTemplate;
use super::context_limit::ContextLimit;
use super::error::{EngineError, one_line};
use super::interface::{ChatInput, Engine, EngineOutput, EngineRequest, TokenCallback};
use super::kind::{LocatedModel, locate};
use super::logger_threads::end_logger_threads;
use super::model_info;
use super::token_text::TokenCodec;
use crate::config::ModelConfig;
use crate::episode::ModelRecord;
use loading::{LoadedModel, ModelSource, PAGE_TOKENS, load_model, panic_text};

/// Models with fewer parameters spend more time on distributing their layers over rayon's threads than on computing.
const MIN_PARAMETERS_FOR_POOL: u64 = 10_000_000;

/// How long an engine may take to restart.
const RESTART_TIMEOUT: Duration = Duration::from_secs(10);

/// A model that mistral.rs runs in this process.
pub struct MistralEngine {
    record: ModelRecord,
    model: Model,
    codec: TokenCodec,
    end_of_text: Arc<[u32]>,
    template: Option<ChatTemplate>,
    /// Tokens of context that can be used.
    context: usize,
    /// Why these are fewer than the model's configuration says.
    context_limit: Option<ContextLimit>,
    /// Whether the KV cache is paged.
    is_paged: bool,
    /// Whether it computes on the CPU.
    is_on_cpu: bool,
    /// Number of requests so far: the id of the last one.
    requests: usize,
    /// Whether a request was sent since the last [`Engine::reset`].
    needs_reset: bool,
    // Last, so that it is dropped after the model, whose channels it serves.
    _runtime: tokio::runtime::Runtime,
}

impl MistralEngine {
    /// Loads the model of a preset. Models of the binary are unpacked below `cache`.
    ///
    /// # Errors
    /// If files are missing or broken, or mistral.rs does not compute this model as its authors intend.
    pub fn load(config: &ModelConfig, cache: &Path) -> Result<Self, EngineError> {
        Self::load_with(config, cache, true)
    }

    /// Loads the model without a prefix cache, so that each request computes its whole prefix: the reference for
    /// stepwise runs.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_uncached(config: &ModelConfig, cache: &Path) -> Result<Self, EngineError> {
        Self::load_with(config, cache, false)
    }

    fn load_with(
        config: &ModelConfig,
        cache: &Path,
        has_prefix_cache: bool,
    ) -> Result<Self, EngineError> {
        if !tracing::dispatcher::has_been_set() {
            // Fails if another thread has just set the same subscriber.
            let layers = Registry::default().with(end_logger_threads());
            let _ = tracing::subscriber::set_global_default(layers);
        }
        let found = model_info::model_info(config, cache)?;
        found.check_loadable(config)?;
        let located = locate(config, cache)?;
        let name = config.label().to_owned();
        let mut digest = model_info::digest(config, &located)?;
        let failed = |reason: String| EngineError::Load { name: name.clone(), reason };
        let parts = load_on_own_thread(config, &located, has_prefix_cache)?;
        let tokenizer = parts.tokenizer.ok_or_else(|| failed("it has no tokenizer".into()))?;
        if parts.end_of_text.is_empty() {
            return Err(failed("its configuration names no end-of-text token".into()));
        }
        // A policy is trained for a model with its template, so the digest covers both.
        let template = model_info::chat_template(config, &located)?;
        if let Some(template) = &template {
            digest.push('+');
            digest.push_str(&template.fingerprint());
        }
        // The number that mistral.rs reports may have been rounded up for it.
        let usable = found.context.and_then(|tokens| usize::try_from(tokens).ok());
        let context = usable.map_or(parts.context, |usable| usable.min(parts.context));
        let mut engine = Self {
            record: ModelRecord { name, digest, parameters: found.parameters.unwrap_or(0) },
            template,
            model: parts.model,
            codec: TokenCodec::new(tokenizer),
            end_of_text: parts.end_of_text.into(),
            context: match config.paged_context {
                // mistral.rs silently drops what exceeds the pages.
                Some(pages) if cfg!(any(feature = "cuda", feature = "metal")) => {
                    context.min(pages.saturating_sub(PAGE_TOKENS))
                }
                _ => context,
            },
            context_limit: found.context_limit,
            is_paged: config.paged_context.is_some(),
            is_on_cpu: parts.is_on_cpu,
            requests: 0,
            needs_reset: true,
            _runtime: parts.runtime,
        };
        // The thread that mistral.rs leaves behind (see `logger_threads`) ends only if the engine has computed something.
        engine.prefill(Vec::new())?;
        // Nor may the first episode find what mistral.rs reads while it loads a model.
        engine.reset()?;
        Ok(engine)
    }

    /// The token ids of `text`, without special tokens added.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn tokenize(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        self.codec.encode(text).map_err(|e| self.crashed(&e))
    }

    /// The token ids of a `text` that continues another one: a tokenizer that marks the beginning of a text adds no
    /// space.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn tokenize_inside(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        self.codec.encode_inside(text).map_err(|e| self.crashed(&e))
    }

    /// Restarts mistral.rs's engine on the loaded weights.
    fn restart(&self) -> Result<(), EngineError> {
        let deadline = Instant::now() + RESTART_TIMEOUT;
        let failed = |e: &dyn Display| EngineError::Crashed {
            name: self.record.name.clone(),
            reason: format!("its engine could not be restarted ({})", one_line(e)),
        };
        let old = self.model.inner().get_sender(None).map_err(|e| failed(&e))?;
        old.blocking_send(mistralrs::Request::Terminate).map_err(|e| failed(&e))?;
        loop {
            let new = self.model.inner().get_sender(None).map_err(|e| failed(&e))?;
            if old.is_closed() && !new.is_closed() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(failed(&"it did not end"));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn crashed(&self, reason: &dyn Display) -> EngineError {
        let mut reason = one_line(reason);
        if reason.contains("must be a cuda tensor") {
            // A limit of mistral.rs 0.8.1 for models whose attention heads do not share keys and values.
            reason.push_str(
                "; a binary built for CUDA runs this model on a GPU only: set device = \"auto\", or build without the feature `cuda`",
            );
        }
        EngineError::Crashed { name: self.record.name.clone(), reason }
    }
}

/// Loads a model on a new thread: in-situ quantization is a thread-local setting of mistral.rs that stays on, and a
/// broken tokenizer panics.
fn load_on_own_thread(
    config: &ModelConfig,
    located: &LocatedModel,
    has_prefix_cache: bool,
) -> Result<LoadedModel, EngineError> {
    let source = match located {
        LocatedModel::Gguf(path) => ModelSource::Gguf {
            path: path.clone(),
            tokenizer: model_info::tokenizer_folder(config)?,
        },
        LocatedModel::Embedded(folder)
        | LocatedModel::Folder(folder)
        | LocatedModel::HubSnapshot(folder) => ModelSource::Folder(folder.clone()),
    };
    let owned_config = config.clone();
    let result = std::thread::spawn(move || {
        catch_unwind(AssertUnwindSafe(|| load_model(&owned_config, &source, has_prefix_cache)))
    })
    .join()
    .unwrap_or_else(Err);
    let reason = match result {
        Ok(Ok(parts)) => return Ok(parts),
        Ok(Err(error)) => one_line(&format!("{error:#}")),
        Err(panic) => one_line(&panic_text(panic.as_ref())),
    };
    Err(EngineError::Load { name: config.label().to_owned(), reason })
}

impl Engine for MistralEngine {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    fn apply_template(&self, chat: ChatInput<'_>) -> Result<String, EngineError> {
        let name = || self.record.name.clone();
        let template = self.template.as_ref().ok_or_else(|| EngineError::NoTemplate(name()))?;
        template.render(chat).map_err(|reason| EngineError::Load { name: name(), reason })
    }

    fn generate(
        &mut self,
        request: &EngineRequest,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, EngineError> {
        let prepared = self.prepare(request)?;
        let running = self.send(prepared)?;
        let collected = running.collect(on_token);
        collected.map_err(|reason| self.crashed(&reason))
    }

    /// Drops the prefix cache, which on a CPU never evicts anything.
    ///
    /// A restart of mistral.rs's engine would leave a thread and a thread pool behind each time (see
    /// `engine::logger_threads`), so on a CPU the engine stays and a request that fails empties the cache.
    fn reset(&mut self) -> Result<(), EngineError> {
        if self.needs_reset {
            if !(self.is_on_cpu && self.drop_caches()?) {
                self.restart()?;
            }
            self.needs_reset = false;
        }
        Ok(())
    }
}
