//! What sits at a model's logits: draws the tokens, counts them, and ends the step.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use mistralrs::{CustomLogitsProcessor, Tensor};
use tokenizers::Tokenizer;

use crate::engine::sampler::{Draw, draw, step_is_over};
use crate::episode::{StopReason, Token};

/// Tokens before a step that are decoded with it, so that decoders which treat a text's
/// beginning specially see that it is none.
pub(super) const CONTEXT_TOKENS: usize = 4;

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
pub(super) struct Report {
    pub token: Token,
    pub at: Instant,
    /// Why it is the last one, if it is.
    pub over: Option<StopReason>,
}

/// The logits processor of one request.
pub(super) struct Recorder {
    pub progress: Mutex<Progress>,
    pub tokenizer: Arc<Tokenizer>,
    pub end_of_text: Arc<[u32]>,
    pub delimiter: String,
    pub limit: usize,
    pub at_limit: StopReason,
    pub how: Draw,
    /// Whether the model is too small to be worth a pool of threads.
    pub alone: bool,
    /// Index of the first token to be drawn, counted from the text's beginning.
    pub position: usize,
    /// Tokens to take in place of drawn ones; empty where it draws.
    pub dictated: Vec<u32>,
    pub prefilled: AtomicUsize,
    pub cancelled: AtomicBool,
    pub reports: Mutex<mpsc::Sender<Report>>,
}

pub(super) struct Progress {
    /// The prefix's last token, where it is yet to be put behind it.
    pub held: Option<u32>,
    /// Some tokens before the step, then the step's, those of its beginning among them.
    pub step: Vec<u32>,
    /// How many stand before the step.
    pub context: usize,
    /// Bytes of the step's text that have been reported.
    pub shown: usize,
    pub drawn: usize,
    pub over: Option<StopReason>,
    pub last: Instant,
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
