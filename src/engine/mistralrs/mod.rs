//! mistral.rs in this process: the only room that names it. `loading` makes a model ready, `step_sampler` sits at its
//! logits, and here it is asked.
//!
//! Each request carries a logits processor that draws the tokens itself, so that their
//! statistics, their number and the end of a step are exact. At the end of a step it draws the
//! model's end-of-text token in place of the last one: the prefix cache's key then ends in a token
//! that the next request does not share, which is what makes the cache usable (mistral.rs 0.8.1
//! gives no hit where a prompt is wholly contained in a cached one, and a wrong one where the
//! last sampled token matches).

mod loading;
mod step_sampler;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mistralrs::{
    Constraint, CustomLogitsProcessor, Model, NormalRequest, RequestMessage, Response,
    SamplingParams,
};
use tokenizers::Tokenizer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use super::chat::{ChatInput, ChatTemplate};
use super::sampler::SamplerParams;
use super::source::{LocatedModel, digest, locate};
use super::{
    Engine, EngineError, EngineOutput, EngineRequest, Flow, TokenCallback, end_logger_threads,
    model_info,
};
use crate::config::ModelConfig;
use crate::episode::{ModelRecord, StopReason, Token, Usage};
use loading::{ModelSource, PAGE_TOKENS, load_model, one_line, panic_text};
use step_sampler::{CONTEXT_TOKENS, SamplerState, StepSampler, TokenReport};

/// Models of fewer parameters spend more time on handing pieces of their layers to rayon's threads than
/// on computing them.
const MIN_PARAMETERS_FOR_POOL: u64 = 10_000_000;

/// A model that mistral.rs runs in this process.
pub struct MistralEngine {
    record: ModelRecord,
    model: Model,
    tokenizer: Arc<Tokenizer>,
    end_of_text: Arc<[u32]>,
    template: Option<ChatTemplate>,
    context: usize,
    /// Whether its cache is kept in pages.
    paged: bool,
    requests: usize,
    /// Whether anything was written since the last [`Engine::reset`].
    needs_reset: bool,
    // Dropped last: the model's channels belong to it.
    _runtime: tokio::runtime::Runtime,
}

impl MistralEngine {
    /// Loads a model; embedded ones are unpacked below `cache`.
    ///
    /// # Errors
    /// When its files are missing, broken or of an unknown architecture.
    pub fn load(config: &ModelConfig, cache: &Path) -> Result<Self, EngineError> {
        Self::load_with(config, cache, true)
    }

    /// The same without a prefix cache, so that every request computes its whole prefix: the
    /// reference that a stepwise run is compared with.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_uncached(config: &ModelConfig, cache: &Path) -> Result<Self, EngineError> {
        Self::load_with(config, cache, false)
    }

    fn load_with(config: &ModelConfig, cache: &Path, cached: bool) -> Result<Self, EngineError> {
        if !tracing::dispatcher::has_been_set() {
            // Another thread may be quicker, and then it has set the same.
            let layers = Registry::default().with(end_logger_threads());
            let _ = tracing::subscriber::set_global_default(layers);
        }
        let located = locate(&config.source, cache)?;
        let parameters = model_info::count_parameters(&located)?;
        let name = config.label().to_owned();
        let mut digest = digest(&located)?;
        let failed = |reason: String| EngineError::Load { name: name.clone(), reason };
        let files = match &located {
            LocatedModel::Gguf(path) => ModelSource::Gguf {
                path: path.clone(),
                tokenizer: model_info::tokenizer_folder(config)?,
            },
            LocatedModel::Folder(folder) | LocatedModel::Hub { snapshot: folder, .. } => {
                ModelSource::Folder(folder.clone())
            }
        };
        let own = config.clone();
        // On a thread of its own: in-situ quantization is a thread's setting in mistral.rs and
        // stays on, and a broken tokenizer panics.
        let loaded = std::thread::spawn(move || {
            catch_unwind(AssertUnwindSafe(|| load_model(&own, &files, cached)))
        })
        .join()
        .unwrap_or_else(Err);
        let parts = match loaded {
            Ok(result) => result.map_err(|e| failed(one_line(&format!("{e:#}"))))?,
            Err(panic) => return Err(failed(one_line(&panic_text(panic.as_ref())))),
        };
        let tokenizer = parts.tokenizer.ok_or_else(|| failed("it has no tokenizer".into()))?;
        if parts.end_of_text.is_empty() {
            return Err(failed("its configuration names no end-of-text token".into()));
        }
        // Another one makes another model of it, to learn about.
        let template = model_info::chat_template(config, &located)?;
        if let Some(template) = &template {
            digest.push_str(&format!("+{}", template.fingerprint()));
        }
        Ok(Self {
            record: ModelRecord { name, digest, parameters },
            template,
            model: parts.model,
            tokenizer,
            end_of_text: parts.end_of_text.into(),
            context: match config.paged_context {
                // What does not fit into the pages would be dropped without a word.
                Some(room) if cfg!(any(feature = "cuda", feature = "metal")) => {
                    parts.context.min(room.saturating_sub(PAGE_TOKENS))
                }
                _ => parts.context,
            },
            paged: config.paged_context.is_some(),
            requests: 0,
            needs_reset: false,
            _runtime: parts.runtime,
        })
    }

    /// Number of tokens that `text` is for this model.
    ///
    /// # Errors
    /// When its tokenizer fails.
    pub fn tokenize(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        let encoding = self.tokenizer.encode_fast(text, false);
        encoding.map(|e| e.get_ids().to_vec()).map_err(|e| self.crashed(e.to_string()))
    }

    fn crashed(&self, reason: impl Into<String>) -> EngineError {
        let mut reason = one_line(&reason.into());
        if reason.contains("must be a cuda tensor") {
            // Of mistral.rs 0.8.1: models whose attention heads share no keys and values.
            reason.push_str(
                "; a binary that is built for CUDA runs such a model on a GPU alone: set device = \"auto\", or build another without that feature",
            );
        }
        EngineError::Crashed { name: self.record.name.clone(), reason }
    }

    /// The prefix's ids, the step's beginning among them, and how many of them that beginning has.
    fn prefix_ids(&self, request: &EngineRequest) -> Result<(Vec<u32>, usize), EngineError> {
        let mut ids = Vec::new();
        for segment in &request.prefix {
            match &segment.own_ids {
                Some(own_ids) => ids.extend_from_slice(own_ids),
                None => ids.extend(self.tokenize(&segment.text)?),
            }
        }
        let partial = request.partial.as_ref().map_or(&[][..], |b| &b.ids);
        ids.extend_from_slice(partial);
        if ids.is_empty() {
            // A model cannot continue nothing.
            ids.push(self.end_of_text[0]);
        }
        Ok((ids, partial.len()))
    }
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
        let (mut ids, partial) = self.prefix_ids(request)?;
        let forced_tokens = match &request.score_text {
            Some(text) => self.tokenize(text)?,
            None => Vec::new(),
        };
        let max_tokens =
            if forced_tokens.is_empty() { request.max_tokens } else { forced_tokens.len() };
        let free_context = self.context.saturating_sub(ids.len());
        if free_context == 0 {
            return Err(EngineError::PromptTooLong(
                ids.len(),
                self.record.name.clone(),
                self.context,
            ));
        }
        let before = ids.len() - partial;
        let length = ids.len();
        let withheld =
            if self.paged && length > 1 && length % PAGE_TOKENS == 1 { ids.pop() } else { None };
        let (reports, tokens) = mpsc::channel();
        let processor = Arc::new(StepSampler {
            state: Mutex::new(SamplerState {
                withheld,
                step: ids[before.saturating_sub(CONTEXT_TOKENS)..]
                    .iter()
                    .copied()
                    .chain(withheld)
                    .collect(),
                context: before.min(CONTEXT_TOKENS),
                reported_bytes: request.partial.as_ref().map_or(0, |b| b.text.len()),
                drawn: 0,
                stop: None,
                last: Instant::now(),
            }),
            tokenizer: self.tokenizer.clone(),
            end_of_text: self.end_of_text.clone(),
            delimiter: request.delimiter.clone(),
            limit: max_tokens.min(free_context),
            at_limit: match (
                max_tokens > free_context,
                request.is_draft || !forced_tokens.is_empty(),
            ) {
                (true, _) => StopReason::ContextFull,
                (false, true) => StopReason::DraftLimit,
                (false, false) => StopReason::TokenLimit,
            },
            params: SamplerParams {
                temperature: request.temperature,
                top_p: request.top_p,
                seed: request.seed,
            },
            single_threaded: self.record.parameters < MIN_PARAMETERS_FOR_POOL,
            position: length,
            forced_tokens,
            prefilled: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            reports: Mutex::new(reports),
        });
        self.requests += 1;
        self.needs_reset = true;
        let (response, mut answers) = tokio::sync::mpsc::channel(4);
        let most = free_context + usize::from(withheld.is_some());
        let normal = NormalRequest {
            messages: RequestMessage::CompletionTokens(ids),
            sampling_params: SamplingParams { max_len: Some(most), ..SamplingParams::neutral() },
            response,
            return_logprobs: false,
            is_streaming: false,
            id: self.requests,
            constraint: Constraint::None,
            suffix: None,
            tools: None,
            tool_choice: None,
            logits_processors: Some(vec![processor.clone() as Arc<dyn CustomLogitsProcessor>]),
            return_raw_logits: false,
            web_search_options: None,
            model_id: None,
            truncate_sequence: false,
        };
        let sender =
            self.model.inner().get_sender(None).map_err(|e| self.crashed(e.to_string()))?;
        let sent = Instant::now();
        sender
            .blocking_send(mistralrs::Request::Normal(Box::new(normal)))
            .map_err(|_| self.crashed("its engine takes no requests"))?;

        let mut written: Vec<Token> = Vec::new();
        let mut first = None;
        let mut last = sent;
        let mut stop = StopReason::EndOfText;
        let mut take =
            |report: TokenReport, written: &mut Vec<Token>, on_token: &mut TokenCallback<'_>| {
                first.get_or_insert(report.at);
                last = report.at;
                if on_token(Some(&report.token)) == Flow::Cancel {
                    processor.cancelled.store(true, Ordering::Relaxed);
                }
                written.push(report.token);
                if let Some(reason) = report.stop {
                    stop = reason;
                }
                report.stop.is_some()
            };
        // The tokens come while the answer is awaited; an engine that dies closes neither at once,
        // so both are looked at.
        let answer = loop {
            match tokens.recv_timeout(Duration::from_millis(50)) {
                Ok(report) => {
                    if take(report, &mut written, on_token) {
                        break answers.blocking_recv();
                    }
                }
                Err(_) => match answers.try_recv() {
                    Ok(answer) => break Some(answer),
                    Err(tokio::sync::mpsc::error::TryRecvError::Empty) => {
                        // A prefill runs to its end; the token after it is then the last.
                        if on_token(None) == Flow::Cancel {
                            processor.cancelled.store(true, Ordering::Relaxed);
                        }
                    }
                    Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => break None,
                },
            }
        };
        while let Ok(report) = tokens.try_recv() {
            take(report, &mut written, on_token);
        }
        match answer {
            Some(Response::CompletionDone(_)) => {}
            Some(Response::CompletionModelError(reason, _) | Response::ModelError(reason, _)) => {
                return Err(self.crashed(reason));
            }
            Some(Response::InternalError(e) | Response::ValidationError(e)) => {
                return Err(self.crashed(e.to_string()));
            }
            Some(_) => return Err(self.crashed("it answered with something else than text")),
            None => return Err(self.crashed("its engine ended; the log says why")),
        }
        let prefilled = processor.prefilled.load(Ordering::Relaxed).min(length);
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        let first = first.unwrap_or(sent);
        Ok(EngineOutput {
            text: written.iter().map(|t| t.text.as_str()).collect(),
            tokens: written,
            usage: Usage {
                prefilled,
                reused: length - prefilled,
                prefill_ms: ms(sent, first),
                decode_ms: ms(first, last),
            },
            stop,
        })
    }

    fn reset(&mut self) -> Result<(), EngineError> {
        if !self.needs_reset {
            return Ok(());
        }
        // On a CPU the prefix cache never evicts: the engine is restarted on the loaded weights.
        let deadline = Instant::now() + Duration::from_secs(10);
        let failed = |e: &dyn std::fmt::Display| EngineError::Crashed {
            name: self.record.name.clone(),
            reason: format!("its engine could not be restarted ({e})"),
        };
        let old = self.model.inner().get_sender(None).map_err(|e| failed(&e))?;
        old.blocking_send(mistralrs::Request::Terminate).map_err(|e| failed(&e))?;
        loop {
            let new = self.model.inner().get_sender(None).map_err(|e| failed(&e))?;
            if old.is_closed() && !new.is_closed() {
                break;
            }
            if Instant::now() > deadline {
                return Err(failed(&"it did not end"));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        self.needs_reset = false;
        Ok(())
    }
}
