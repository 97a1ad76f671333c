//! mistral.rs in this process: the only file that names it.
//!
//! Each request carries a logits processor that draws the tokens itself, so that their
//! statistics, their number and the end of a step are exact. At the end of a step it draws the
//! model's end-of-text token in place of the last one: the prefix cache's key then ends in a token
//! that the next request does not share, which is what makes the cache usable (mistral.rs 0.8.1
//! gives no hit where a prompt is wholly contained in a cached one, and a wrong one where the
//! last sampled token matches).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mistralrs::core::{Pipeline, SchedulerConfig};
use mistralrs::model_builder_trait::{
    build_gguf_pipeline, build_model_from_pipeline, build_text_pipeline,
};
use mistralrs::{
    Constraint, CustomLogitsProcessor, GgufModelBuilder, IsqBits, MemoryGpuConfig, Model,
    ModelDType, NormalRequest, PagedAttentionConfig, PagedAttentionMetaBuilder, RequestMessage,
    Response, SamplingParams, Tensor, TextModelBuilder,
};
use tokenizers::Tokenizer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use super::chat::{Chat, ChatTemplate};
use super::sampler::{Draw, draw, step_is_over};
use super::source::{Located, digest, locate};
use super::{Draft, Engine, EngineError, Flow, Request, Watch, inventory, reaper};
use crate::config::{DeviceChoice, Dtype, ModelConfig};
use crate::episode::{ModelRecord, StopReason, Token, Usage};

/// Tokens before a step that are decoded with it, so that decoders which treat a text's
/// beginning specially see that it is none.
const CONTEXT_TOKENS: usize = 4;

/// Tokens of a page of the paged cache. mistral.rs 0.8.1 goes wrong where exactly one token of a page is new: such
/// a prefix is sent without its last token, which is then put in the place of the first that is drawn.
const PAGE: usize = 32;

/// Models of fewer parameters spend more time on handing pieces of their layers to rayon's threads than
/// on computing them.
const WORTH_A_POOL: u64 = 10_000_000;

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
    /// Whether anything was written since the last [`Engine::forget`].
    used: bool,
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
            let layers = Registry::default().with(reaper());
            let _ = tracing::subscriber::set_global_default(layers);
        }
        let located = locate(&config.source, cache)?;
        // One of the hub that is not here is refused: mistral.rs would fetch it, unseen and unchecked.
        let parameters = inventory::parameters(&located)?;
        let name = config.label().to_owned();
        let mut digest = digest(&located)?;
        let failed = |reason: String| EngineError::Load { name: name.clone(), reason };
        let (own, place) = (config.clone(), located.clone());
        // On a thread of its own: in-situ quantization is a thread's setting in mistral.rs and
        // stays on, and a broken tokenizer panics.
        let loaded = std::thread::spawn(move || {
            catch_unwind(AssertUnwindSafe(|| build(&own, &place, cached)))
        })
        .join()
        .unwrap_or_else(Err);
        let parts = match loaded {
            Ok(result) => result.map_err(|e| failed(sentence(&format!("{e:#}"))))?,
            Err(panic) => return Err(failed(sentence(&panic_text(panic.as_ref())))),
        };
        let tokenizer = parts.tokenizer.ok_or_else(|| failed("it has no tokenizer".into()))?;
        if parts.end_of_text.is_empty() {
            return Err(failed("its configuration names no end-of-text token".into()));
        }
        // Another one makes another model of it, to learn about.
        let template = inventory::chat_template(config, &located)?;
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
                    parts.context.min(room.saturating_sub(PAGE))
                }
                _ => parts.context,
            },
            paged: config.paged_context.is_some(),
            requests: 0,
            used: false,
            _runtime: parts.runtime,
        })
    }

    /// Number of tokens that `text` is for this model.
    ///
    /// # Errors
    /// When its tokenizer fails.
    pub fn tokens_of(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        let encoding = self.tokenizer.encode_fast(text, false);
        encoding.map(|e| e.get_ids().to_vec()).map_err(|e| self.died(e.to_string()))
    }

    fn died(&self, reason: impl Into<String>) -> EngineError {
        let mut reason = sentence(&reason.into());
        if reason.contains("must be a cuda tensor") {
            // Of mistral.rs 0.8.1: models whose attention heads share no keys and values.
            reason.push_str(
                "; a binary that is built for CUDA runs such a model on a GPU alone: set device = \"auto\", or build another without that feature",
            );
        }
        EngineError::Died { name: self.record.name.clone(), reason }
    }

    /// The prefix's ids, the step's beginning among them, and how many of them that beginning has.
    fn ids_of(&self, request: &Request) -> Result<(Vec<u32>, usize), EngineError> {
        let mut ids = Vec::new();
        for segment in &request.prefix {
            match &segment.own {
                Some(own) => ids.extend_from_slice(own),
                None => ids.extend(self.tokens_of(&segment.text)?),
            }
        }
        let begun = request.begun.as_ref().map_or(&[][..], |b| &b.ids);
        ids.extend_from_slice(begun);
        if ids.is_empty() {
            // A model cannot continue nothing.
            ids.push(self.end_of_text[0]);
        }
        Ok((ids, begun.len()))
    }
}

impl Engine for MistralEngine {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    fn frame(&self, chat: Chat<'_>) -> Result<String, EngineError> {
        let name = || self.record.name.clone();
        let template = self.template.as_ref().ok_or_else(|| EngineError::NoTemplate(name()))?;
        template.render(chat).map_err(|reason| EngineError::Load { name: name(), reason })
    }

    fn write(&mut self, request: &Request, watch: &mut Watch<'_>) -> Result<Draft, EngineError> {
        let (mut ids, begun) = self.ids_of(request)?;
        let dictated = match &request.dictation {
            Some(text) => self.tokens_of(text)?,
            None => Vec::new(),
        };
        let max_tokens = if dictated.is_empty() { request.max_tokens } else { dictated.len() };
        let room = self.context.saturating_sub(ids.len());
        if room == 0 {
            return Err(EngineError::TooLong(ids.len(), self.record.name.clone(), self.context));
        }
        let before = ids.len() - begun;
        let length = ids.len();
        let held = if self.paged && length > 1 && length % PAGE == 1 { ids.pop() } else { None };
        let (reports, tokens) = mpsc::channel();
        let processor = Arc::new(Recorder {
            progress: Mutex::new(Progress {
                held,
                step: ids[before.saturating_sub(CONTEXT_TOKENS)..]
                    .iter()
                    .copied()
                    .chain(held)
                    .collect(),
                context: before.min(CONTEXT_TOKENS),
                shown: request.begun.as_ref().map_or(0, |b| b.text.len()),
                drawn: 0,
                over: None,
                last: Instant::now(),
            }),
            tokenizer: self.tokenizer.clone(),
            end_of_text: self.end_of_text.clone(),
            delimiter: request.delimiter.clone(),
            limit: max_tokens.min(room),
            at_limit: match (max_tokens > room, request.glimpse || !dictated.is_empty()) {
                (true, _) => StopReason::ContextFull,
                (false, true) => StopReason::Glimpse,
                (false, false) => StopReason::TokenLimit,
            },
            how: Draw {
                temperature: request.temperature,
                top_p: request.top_p,
                seed: request.seed,
            },
            alone: self.record.parameters < WORTH_A_POOL,
            position: length,
            dictated,
            prefilled: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            reports: Mutex::new(reports),
        });
        self.requests += 1;
        self.used = true;
        let (response, mut answers) = tokio::sync::mpsc::channel(4);
        let most = room + usize::from(held.is_some());
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
        let sender = self.model.inner().get_sender(None).map_err(|e| self.died(e.to_string()))?;
        let sent = Instant::now();
        sender
            .blocking_send(mistralrs::Request::Normal(Box::new(normal)))
            .map_err(|_| self.died("its engine takes no requests"))?;

        let mut written: Vec<Token> = Vec::new();
        let mut first = None;
        let mut last = sent;
        let mut stop = StopReason::EndOfText;
        let mut take = |report: Report, written: &mut Vec<Token>, watch: &mut Watch<'_>| {
            first.get_or_insert(report.at);
            last = report.at;
            if watch(Some(&report.token)) == Flow::Cancel {
                processor.cancelled.store(true, Ordering::Relaxed);
            }
            written.push(report.token);
            if let Some(reason) = report.over {
                stop = reason;
            }
            report.over.is_some()
        };
        // The tokens come while the answer is awaited; an engine that dies closes neither at once,
        // so both are looked at.
        let answer = loop {
            match tokens.recv_timeout(Duration::from_millis(50)) {
                Ok(report) => {
                    if take(report, &mut written, watch) {
                        break answers.blocking_recv();
                    }
                }
                Err(_) => match answers.try_recv() {
                    Ok(answer) => break Some(answer),
                    Err(tokio::sync::mpsc::error::TryRecvError::Empty) => {
                        // A prefill runs to its end; the token after it is then the last.
                        if watch(None) == Flow::Cancel {
                            processor.cancelled.store(true, Ordering::Relaxed);
                        }
                    }
                    Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => break None,
                },
            }
        };
        while let Ok(report) = tokens.try_recv() {
            take(report, &mut written, watch);
        }
        match answer {
            Some(Response::CompletionDone(_)) => {}
            Some(Response::CompletionModelError(reason, _) | Response::ModelError(reason, _)) => {
                return Err(self.died(reason));
            }
            Some(Response::InternalError(e) | Response::ValidationError(e)) => {
                return Err(self.died(e.to_string()));
            }
            Some(_) => return Err(self.died("it answered with something else than text")),
            None => return Err(self.died("its engine ended; the log says why")),
        }
        let prefilled = processor.prefilled.load(Ordering::Relaxed).min(length);
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        let first = first.unwrap_or(sent);
        Ok(Draft {
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

    fn forget(&mut self) -> Result<(), EngineError> {
        if !self.used {
            return Ok(());
        }
        // On a CPU the prefix cache never evicts: the engine is restarted on the loaded weights.
        let deadline = Instant::now() + Duration::from_secs(10);
        let failed = |e: &dyn std::fmt::Display| EngineError::Died {
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
        self.used = false;
        Ok(())
    }
}

/// What loading gives.
struct Parts {
    model: Model,
    tokenizer: Option<Arc<Tokenizer>>,
    end_of_text: Vec<u32>,
    context: usize,
    runtime: tokio::runtime::Runtime,
}

fn build(config: &ModelConfig, located: &Located, cached: bool) -> anyhow::Result<Parts> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("pointsman-engine")
        .enable_all()
        .build()?;
    let cpu = config.device == DeviceChoice::Cpu;
    // Each is a whole copy of keys and values, and only the newest texts are gone on with.
    let copies = if cpu || !cfg!(any(feature = "cuda", feature = "metal")) { 16 } else { 4 };
    let prefix_cache = cached.then_some(copies);
    let (model, tokenizer, end_of_text, context) = runtime.block_on(async {
        let (pipeline, scheduler, engine) = match located {
            Located::Gguf(path) => {
                let folder = path.parent().unwrap_or(Path::new("."));
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let mut builder = GgufModelBuilder::new(folder.display(), vec![file])
                    .with_throughput_logging()
                    .with_prefix_cache_n(prefix_cache);
                if let Some(tokenizer) = &config.tokenizer {
                    builder = builder.with_tok_model_id(tokenizer);
                }
                if let Some(pages) = pages(config)? {
                    builder = builder.with_paged_attn(pages);
                }
                if cpu {
                    builder = builder.with_force_cpu();
                }
                build_gguf_pipeline(builder).await?
            }
            Located::Folder(_) | Located::Hub(_) => {
                let id = match located {
                    Located::Folder(path) => path.display().to_string(),
                    Located::Hub(id) => id.clone(),
                    Located::Gguf(_) => unreachable!("taken by the arm above"),
                };
                let mut builder = TextModelBuilder::new(id)
                    .with_dtype(match config.dtype {
                        Dtype::Auto => ModelDType::Auto,
                        Dtype::F32 => ModelDType::F32,
                        Dtype::F16 => ModelDType::F16,
                        Dtype::Bf16 => ModelDType::BF16,
                    })
                    .with_throughput_logging()
                    .with_prefix_cache_n(prefix_cache);
                if let Some(pages) = pages(config)? {
                    builder = builder.with_paged_attn(pages);
                }
                if let Some(bits) = config.quantize_bits {
                    builder = builder.with_auto_isq(match bits {
                        2 => IsqBits::Two,
                        3 => IsqBits::Three,
                        4 => IsqBits::Four,
                        5 => IsqBits::Five,
                        6 => IsqBits::Six,
                        8 => IsqBits::Eight,
                        other => anyhow::bail!("cannot quantize to {other} bits"),
                    });
                }
                if cpu {
                    builder = builder.with_force_cpu();
                }
                build_text_pipeline(builder).await?
            }
        };
        let (tokenizer, end_of_text, context) = describe(&pipeline, &scheduler).await;
        let model = build_model_from_pipeline(pipeline, scheduler, engine).await;
        anyhow::Ok((model, tokenizer, end_of_text, context))
    })?;
    Ok(Parts { model, tokenizer, end_of_text, context, runtime })
}

/// The paged cache that the preset wants; without a GPU, mistral.rs leaves it.
fn pages(config: &ModelConfig) -> anyhow::Result<Option<PagedAttentionConfig>> {
    let pages = |context: usize| {
        let memory = MemoryGpuConfig::ContextSize(context.next_multiple_of(PAGE));
        PagedAttentionMetaBuilder::default().with_block_size(PAGE).with_gpu_memory(memory).build()
    };
    config.paged_context.map(pages).transpose()
}

async fn describe(
    pipeline: &Arc<tokio::sync::Mutex<dyn Pipeline>>,
    _: &SchedulerConfig,
) -> (Option<Arc<Tokenizer>>, Vec<u32>, usize) {
    let pipeline = pipeline.lock().await;
    let metadata = pipeline.get_metadata();
    (pipeline.tokenizer(), metadata.eos_tok.clone(), metadata.max_seq_len)
}

/// The reason in one line, without the backtrace that candle puts behind it where `RUST_BACKTRACE` is set.
fn sentence(reason: &str) -> String {
    let lines = reason.lines().map(str::trim).take_while(|line| !line.starts_with("0: "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "mistral.rs panicked while loading it".into())
}

/// Makes the calling thread, an engine's, a pool of its own, so that what it hands to rayon it does itself.
///
/// rayon never frees such a pool (some 25 KB), and an engine is restarted after each episode: at most
/// 20,000 are made, and later engines use the common pool.
fn work_alone() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let inside = rayon::current_thread_index().is_some();
    if !inside && MADE.fetch_add(1, Ordering::Relaxed) < 20_000 {
        // Without it, everything is only slower.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    }
}

/// A token on its way to the watcher.
struct Report {
    token: Token,
    at: Instant,
    /// Why it is the last one, if it is.
    over: Option<StopReason>,
}

/// The logits processor of one request.
struct Recorder {
    progress: Mutex<Progress>,
    tokenizer: Arc<Tokenizer>,
    end_of_text: Arc<[u32]>,
    delimiter: String,
    limit: usize,
    at_limit: StopReason,
    how: Draw,
    /// Whether the model is too small to be worth a pool of threads.
    alone: bool,
    /// Index of the first token to be drawn, counted from the text's beginning.
    position: usize,
    /// Tokens to take in place of drawn ones; empty where it draws.
    dictated: Vec<u32>,
    prefilled: AtomicUsize,
    cancelled: AtomicBool,
    reports: Mutex<mpsc::Sender<Report>>,
}

struct Progress {
    /// The prefix's last token, where it is yet to be put behind it.
    held: Option<u32>,
    /// Some tokens before the step, then the step's, those of its beginning among them.
    step: Vec<u32>,
    /// How many stand before the step.
    context: usize,
    /// Bytes of the step's text that have been reported.
    shown: usize,
    drawn: usize,
    over: Option<StopReason>,
    last: Instant,
}

impl Recorder {
    /// The step's text so far; an incomplete character at its end is left out.
    fn text(&self, progress: &Progress) -> candle_core::Result<String> {
        let decode = |ids: &[u32]| {
            self.tokenizer.decode(ids, false).map_err(|e| candle_core::Error::msg(e.to_string()))
        };
        let whole = decode(&progress.step)?;
        let before = decode(&progress.step[..progress.context])?;
        let text = whole.strip_prefix(&before).unwrap_or(&whole);
        Ok(text.trim_end_matches('\u{FFFD}').to_owned())
    }

    /// Logits that leave one token possible.
    fn only(id: u32, like: &Tensor) -> candle_core::Result<Tensor> {
        let mut forced = vec![f32::NEG_INFINITY; like.elem_count()];
        if let Some(slot) = forced.get_mut(id as usize) {
            *slot = 0.0;
        }
        Tensor::from_vec(forced, like.shape(), like.device())
    }
}

impl CustomLogitsProcessor for Recorder {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> candle_core::Result<Tensor> {
        let poisoned = || candle_core::Error::msg("the recorder's lock is poisoned");
        let mut progress = self.progress.lock().map_err(|_| poisoned())?;
        if progress.over.is_some() {
            return Self::only(self.end_of_text[0], logits);
        }
        if let Some(held) = progress.held.take() {
            self.prefilled.store(context.len() + 1, Ordering::Relaxed);
            return Self::only(held, logits);
        }
        if progress.drawn == 0 {
            // Where a token was held back, it was counted above.
            let counted = self.prefilled.load(Ordering::Relaxed);
            let prefilled = if counted == 0 { context.len() } else { counted };
            self.prefilled.store(prefilled, Ordering::Relaxed);
            if self.alone {
                work_alone();
            }
        }
        let values = logits.flatten_all()?.to_vec1::<f32>()?;
        let given = self.dictated.get(progress.drawn).copied();
        let drawn = draw(&values, self.how, self.position + progress.drawn, given);
        progress.drawn += 1;
        let ended = given.is_none() && self.end_of_text.contains(&drawn.id);
        let mut text = String::new();
        let mut over = None;
        if ended {
            over = Some(StopReason::EndOfText);
        } else {
            progress.step.push(drawn.id);
            let step = self.text(&progress)?;
            if let Some(new) = step.get(progress.shown..) {
                text.push_str(new);
                progress.shown = step.len();
            }
            if given.is_none() && step_is_over(&step, &self.delimiter) {
                over = Some(StopReason::Delimiter);
            } else if self.cancelled.load(Ordering::Relaxed) {
                over = Some(StopReason::Cancelled);
            } else if progress.drawn >= self.limit {
                over = Some(self.at_limit);
            }
        }
        let now = Instant::now();
        let ms = (now - progress.last).as_secs_f32() * 1e3;
        progress.last = now;
        progress.over = over;
        let token = Token {
            id: drawn.id,
            text,
            logprob: drawn.logprob,
            entropy: drawn.entropy,
            top: drawn.top,
            margin: drawn.margin,
            ms,
        };
        // A watcher that is gone needs no report; the text is still written to its end.
        let _ = self.reports.lock().map_err(|_| poisoned())?.send(Report { token, at: now, over });
        Self::only(if over.is_some() { self.end_of_text[0] } else { drawn.id }, logits)
    }
}
