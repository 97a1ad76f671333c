//! What sits at a model's logits: draws the tokens, counts them, and ends the step.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use mistralrs::{CustomLogitsProcessor, Tensor};
use tokenizers::Tokenizer;

use crate::engine::sampler::{SamplerParams, sample_token, step_is_over};
use crate::episode::{StopReason, Token};

/// Tokens before a step that are decoded with it, so that decoders which treat a text's
/// beginning specially see that it is none.
pub(super) const CONTEXT_TOKENS: usize = 4;

/// Makes the calling thread, an engine's, a pool of its own, so that what it hands to rayon it does itself.
///
/// rayon never frees such a pool (some 25 KB), and an engine is restarted after each episode: at most
/// 20,000 are made, and later engines use the common pool.
fn use_own_thread_pool() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let inside = rayon::current_thread_index().is_some();
    if !inside && MADE.fetch_add(1, Ordering::Relaxed) < 20_000 {
        // Without it, everything is only slower.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    }
}

/// A token on its way to the watcher.
pub(super) struct TokenReport {
    pub token: Token,
    pub at: Instant,
    /// Why it is the last one, if it is.
    pub stop: Option<StopReason>,
}

/// The logits processor of one request.
pub(super) struct StepSampler {
    pub state: Mutex<SamplerState>,
    pub tokenizer: Arc<Tokenizer>,
    pub end_of_text: Arc<[u32]>,
    pub delimiter: String,
    pub limit: usize,
    pub at_limit: StopReason,
    pub params: SamplerParams,
    /// Whether the model is too small to be worth a pool of threads.
    pub single_threaded: bool,
    /// Index of the first token to be drawn, counted from the text's beginning.
    pub position: usize,
    /// Tokens to take in place of drawn ones; empty where it draws.
    pub forced_tokens: Vec<u32>,
    pub prefilled: AtomicUsize,
    pub cancelled: AtomicBool,
    pub reports: Mutex<mpsc::Sender<TokenReport>>,
}

pub(super) struct SamplerState {
    /// The prefix's last token, where it is yet to be put behind it.
    pub withheld: Option<u32>,
    /// Some tokens before the step, then the step's, those of its beginning among them.
    pub step: Vec<u32>,
    /// How many stand before the step.
    pub context: usize,
    /// Bytes of the step's text that have been reported.
    pub reported_bytes: usize,
    pub drawn: usize,
    pub stop: Option<StopReason>,
    pub last: Instant,
}

impl StepSampler {
    /// The step's text so far; an incomplete character at its end is left out.
    fn text(&self, state: &SamplerState) -> candle_core::Result<String> {
        let decode = |ids: &[u32]| {
            self.tokenizer.decode(ids, false).map_err(|e| candle_core::Error::msg(e.to_string()))
        };
        let whole = decode(&state.step)?;
        let before = decode(&state.step[..state.context])?;
        let text = whole.strip_prefix(&before).unwrap_or(&whole);
        Ok(text.trim_end_matches('\u{FFFD}').to_owned())
    }

    /// Logits that leave one token possible.
    fn one_hot_logits(id: u32, like: &Tensor) -> candle_core::Result<Tensor> {
        let mut forced = vec![f32::NEG_INFINITY; like.elem_count()];
        if let Some(slot) = forced.get_mut(id as usize) {
            *slot = 0.0;
        }
        Tensor::from_vec(forced, like.shape(), like.device())
    }
}

impl CustomLogitsProcessor for StepSampler {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> candle_core::Result<Tensor> {
        let poisoned = || candle_core::Error::msg("the step_sampler's lock is poisoned");
        let mut state = self.state.lock().map_err(|_| poisoned())?;
        if state.stop.is_some() {
            return Self::one_hot_logits(self.end_of_text[0], logits);
        }
        if let Some(withheld) = state.withheld.take() {
            self.prefilled.store(context.len() + 1, Ordering::Relaxed);
            return Self::one_hot_logits(withheld, logits);
        }
        if state.drawn == 0 {
            // Where a token was held back, it was counted above.
            let counted = self.prefilled.load(Ordering::Relaxed);
            let prefilled = if counted == 0 { context.len() } else { counted };
            self.prefilled.store(prefilled, Ordering::Relaxed);
            if self.single_threaded {
                use_own_thread_pool();
            }
        }
        let values = logits.flatten_all()?.to_vec1::<f32>()?;
        let forced = self.forced_tokens.get(state.drawn).copied();
        let drawn = sample_token(&values, self.params, self.position + state.drawn, forced);
        state.drawn += 1;
        let ended = forced.is_none() && self.end_of_text.contains(&drawn.id);
        let mut text = String::new();
        let mut stop = None;
        if ended {
            stop = Some(StopReason::EndOfText);
        } else {
            state.step.push(drawn.id);
            let step = self.text(&state)?;
            if let Some(new) = step.get(state.reported_bytes..) {
                text.push_str(new);
                state.reported_bytes = step.len();
            }
            if forced.is_none() && step_is_over(&step, &self.delimiter) {
                stop = Some(StopReason::Delimiter);
            } else if self.cancelled.load(Ordering::Relaxed) {
                stop = Some(StopReason::Cancelled);
            } else if state.drawn >= self.limit {
                stop = Some(self.at_limit);
            }
        }
        let now = Instant::now();
        let ms = (now - state.last).as_secs_f32() * 1e3;
        state.last = now;
        state.stop = stop;
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
        let _ =
            self.reports.lock().map_err(|_| poisoned())?.send(TokenReport { token, at: now, stop });
        Self::one_hot_logits(if stop.is_some() { self.end_of_text[0] } else { drawn.id }, logits)
    }
}
