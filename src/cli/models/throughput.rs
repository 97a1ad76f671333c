//! The speed of a loaded model on a short prompt.

use crate::config::Preset;
use crate::engine::{Engine, EngineError, EngineRequest, Flow, Segment};
use crate::episode::Role;

/// The question in the prompt.
pub(super) const SAMPLE_QUESTION: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens. She gives away \
                                   18 pens. How many pens does Ava have?";

/// Most tokens to write.
const MAX_TOKENS: usize = 64;

/// Speed in tokens per second.
pub(super) struct Throughput {
    /// Reading the prompt; `None` if a server had all of it in its cache or reports no count.
    pub(super) prefill: Option<f64>,
    /// Writing; `None` if the model wrote only one token.
    pub(super) decode: Option<f64>,
    /// Number of tokens written.
    pub(super) tokens_written: usize,
}

/// Measures a model while it writes one step.
///
/// # Errors
/// If the model fails.
pub(super) fn measure_throughput(
    engine: &mut dyn Engine,
    preset: &Preset,
    role: Role,
) -> Result<Throughput, EngineError> {
    let segment = |text: String| vec![Segment { text: text.into(), own_ids: None }];
    // The first request creates threads and buffers that later requests reuse.
    engine.prefill(segment("1".into()))?;
    engine.reset()?;
    let request = EngineRequest {
        prefix: segment(preset.prompt_for(role, SAMPLE_QUESTION)),
        delimiter: preset.steps.delimiter.clone(),
        partial: None,
        score_text: None,
        max_tokens: preset.steps.max_tokens.min(MAX_TOKENS),
        is_draft: false,
        temperature: 0.0,
        top_p: 1.0,
        seed: 0,
    };
    let generated = engine.generate(&request, &mut |_| Flow::Continue)?;
    engine.reset()?;
    let rate = |tokens: usize, ms: f64| (tokens > 0 && ms > 0.0).then(|| tokens as f64 / ms * 1e3);
    let tokens_written = generated.tokens.len();
    Ok(Throughput {
        prefill: rate(generated.usage.prefilled, generated.usage.prefill_ms),
        // The prefill yields the first token.
        decode: rate(tokens_written.saturating_sub(1), generated.usage.decode_ms),
        tokens_written,
    })
}
