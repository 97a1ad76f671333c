//! The logits processor of a request: samples the tokens, measures them, and ends the step.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use candle_core::{Error, Result};
use mistralrs::{CustomLogitsProcessor, Tensor};

use crate::engine::sampler::{SampledToken, SamplerParams, sample_token, step_is_over};
use crate::engine::token_text::{TextDecoder, TokenCodec};
use crate::episode::{StopReason, Token};

/// Most tokens that a step may have beyond its limit, to complete a character: it has four bytes at most.
const COMPLETING_TOKENS: usize = 3;

/// Thread pools to create at most; see [`use_own_thread_pool`].
const MAX_THREAD_POOLS: usize = 1000;

/// Makes the calling engine thread a rayon pool of its own, so that it computes alone what it hands to rayon.
///
/// rayon never frees such a pool (about 25 KB), and the workbench loads models again and again, so at most
/// [`MAX_THREAD_POOLS`] are created; later engines use the global pool.
fn use_own_thread_pool() {
    static CREATED: AtomicUsize = AtomicUsize::new(0);
    let has_pool = rayon::current_thread_index().is_some();
    if !has_pool && CREATED.fetch_add(1, Ordering::Relaxed) < MAX_THREAD_POOLS {
        // Without a pool of its own the model is only slower.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    }
}

/// A token on its way from mistral.rs's thread to the caller.
pub(super) struct TokenReport {
    pub(super) token: Token,
    pub(super) at: Instant,
    /// Set for the last token: why it is the last.
    pub(super) stop: Option<StopReason>,
}

/// What ends a step.
pub(super) struct StepEnd {
    pub(super) delimiter: String,
    /// Maximum number of tokens; up to [`COMPLETING_TOKENS`] more complete a character.
    pub(super) limit: usize,
    /// Number of tokens that fit into the context.
    pub(super) free_context: usize,
    /// The stop reason at the limit.
    pub(super) at_limit: StopReason,
}

/// The logits processor of one request.
pub(super) struct StepSampler {
    state: Mutex<SamplerState>,
    codec: TokenCodec,
    end_of_text: Arc<[u32]>,
    params: SamplerParams,
    end: StepEnd,
    /// Whether the model is too small for a thread pool to help.
    is_single_threaded: bool,
    /// Index of the first sampled token in the whole text.
    position: usize,
    /// Tokens to take instead of sampling; empty unless a text is scored.
    forced_tokens: Vec<u32>,
    /// Tokens of the prefix that mistral.rs has computed.
    pub(super) prefilled: AtomicUsize,
    /// Set to end the step after the next token.
    pub(super) cancelled: AtomicBool,
    reports: Mutex<mpsc::Sender<TokenReport>>,
}

struct SamplerState {
    /// The last token of the prefix, if it was not sent and has to be returned before the first sampled one.
    withheld: Option<u32>,
    decoder: TextDecoder,
    /// The step's text so far, including the partial step.
    text: String,
    /// Number of tokens sampled.
    sampled: usize,
    stop: Option<StopReason>,
    /// When the last token was sampled.
    last: Instant,
}

impl StepSampler {
    /// A sampler for an empty prefix, which sends its tokens to `reports`.
    pub(super) fn new(
        codec: TokenCodec,
        end_of_text: Arc<[u32]>,
        params: SamplerParams,
        end: StepEnd,
        reports: mpsc::Sender<TokenReport>,
    ) -> Self {
        let state = SamplerState {
            withheld: None,
            decoder: codec.decoder(),
            text: String::new(),
            sampled: 0,
            stop: None,
            last: Instant::now(),
        };
        Self {
            state: Mutex::new(state),
            codec,
            end_of_text,
            params,
            end,
            is_single_threaded: false,
            position: 0,
            forced_tokens: Vec::new(),
            prefilled: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            reports: Mutex::new(reports),
        }
    }

    /// Sets the length of the prefix in tokens, and the text of the partial step.
    pub(super) fn with_prefix(mut self, length: usize, partial: &str) -> Self {
        self.position = length;
        partial.clone_into(&mut self.state_mut().text);
        self
    }

    /// Sets the tokens to take instead of sampling.
    pub(super) fn with_forced_tokens(mut self, tokens: Vec<u32>) -> Self {
        self.forced_tokens = tokens;
        self
    }

    /// Sets the last token of the prefix, which mistral.rs was not sent.
    pub(super) fn with_withheld(mut self, token: u32) -> Self {
        self.state_mut().withheld = Some(token);
        self
    }

    /// Computes on one thread.
    pub(super) fn single_threaded(mut self) -> Self {
        self.is_single_threaded = true;
        self
    }

    fn state_mut(&mut self) -> &mut SamplerState {
        self.state.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Notes how many tokens of the prefix mistral.rs has computed: `context` has those of this call.
    fn before_first_token(&self, context: &[u32]) {
        // Already set if a token was withheld.
        if self.prefilled.load(Ordering::Relaxed) == 0 {
            self.prefilled.store(context.len(), Ordering::Relaxed);
        }
        if self.is_single_threaded {
            use_own_thread_pool();
        }
    }

    /// Appends a sampled token to the step. Returns its text, and why the step ends if it does.
    fn append(
        &self,
        state: &mut SamplerState,
        id: u32,
        is_forced: bool,
    ) -> Result<(String, Option<StopReason>)> {
        let is_end = !is_forced && self.end_of_text.contains(&id);
        let mut text = if is_end {
            String::new()
        } else {
            state.decoder.push(&self.codec.token_bytes(id).map_err(Error::msg)?)
        };
        state.text.push_str(&text);
        let stop = if is_end {
            Some(StopReason::EndOfText)
        } else if !is_forced && step_is_over(&state.text, &self.end.delimiter) {
            Some(StopReason::Delimiter)
        } else if self.cancelled.load(Ordering::Relaxed) {
            Some(StopReason::Cancelled)
        } else {
            self.at_limit(state)
        };
        if stop.is_some() {
            let rest = state.decoder.finish();
            state.text.push_str(&rest);
            text.push_str(&rest);
        }
        Ok((text, stop))
    }

    /// The stop reason if no further token is allowed. A step does not end inside a character, because another model
    /// could not continue it; only the context's end cuts a character.
    fn at_limit(&self, state: &SamplerState) -> Option<StopReason> {
        let StepEnd { limit, free_context, at_limit, .. } = self.end;
        let completing = if state.decoder.is_incomplete() { COMPLETING_TOKENS } else { 0 };
        if state.sampled >= (limit + completing).min(free_context) {
            Some(if state.sampled > limit && state.sampled >= free_context {
                StopReason::ContextFull
            } else {
                at_limit
            })
        } else {
            None
        }
    }

    fn report(&self, state: &mut SamplerState, sampled: SampledToken, text: String) -> Result<()> {
        let now = Instant::now();
        let ms = (now - state.last).as_secs_f32() * 1e3;
        state.last = now;
        let SampledToken { id, logprob, entropy, top, margin } = sampled;
        let token = Token { id, text, logprob, entropy, top, margin, ms };
        let report = TokenReport { token, at: now, stop: state.stop };
        // Fails if the caller is gone; the step still runs to its end.
        let _ = self.reports.lock().map_err(|_| poisoned())?.send(report);
        Ok(())
    }
}

fn poisoned() -> Error {
    Error::msg("the lock of the step's sampler is poisoned")
}

/// Logits that make one token certain.
fn one_hot_logits(id: u32, like: &Tensor) -> Result<Tensor> {
    let mut forced = vec![f32::NEG_INFINITY; like.elem_count()];
    if let Some(slot) = forced.get_mut(id as usize) {
        *slot = 0.0;
    }
    Tensor::from_vec(forced, like.shape(), like.device())
}

impl CustomLogitsProcessor for StepSampler {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> Result<Tensor> {
        let mut state = self.state.lock().map_err(|_| poisoned())?;
        if state.stop.is_some() {
            return one_hot_logits(self.end_of_text[0], logits);
        }
        if let Some(withheld) = state.withheld.take() {
            self.prefilled.store(context.len() + 1, Ordering::Relaxed);
            return one_hot_logits(withheld, logits);
        }
        if state.sampled == 0 {
            self.before_first_token(context);
        }
        let values = logits.flatten_all()?.to_vec1::<f32>()?;
        let forced = self.forced_tokens.get(state.sampled).copied();
        let sampled = sample_token(&values, self.params, self.position + state.sampled, forced);
        state.sampled += 1;
        let (text, stop) = self.append(&mut state, sampled.id, forced.is_some())?;
        state.stop = stop;
        self.report(&mut state, sampled, text)?;
        // In place of the last token, the end-of-text token keeps the prefix cache usable; see the module.
        let next = if stop.is_some() { self.end_of_text[0] } else { sampled.id };
        one_hot_logits(next, logits)
    }
}
