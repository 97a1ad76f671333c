//! The speed of a loaded model on a short prompt.

use crate::config::Preset;
use crate::engine::{
    Engine, EngineError, EngineOutput, EngineRequest, Flow, Segment, generate_checked,
};
use crate::episode::Role;

/// The question in the prompt.
pub(super) const SAMPLE_QUESTION: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens. She gives away \
                                   18 pens. How many pens does Ava have?";

/// Maximum number of tokens to write.
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
    // The first request creates threads and buffers that later requests reuse.
    engine.prefill(segment("1".into()))?;
    engine.reset()?;
    let output = write_sample(engine, preset, role)?;
    engine.reset()?;
    Ok(Throughput {
        prefill: rate(output.usage.prefilled, output.usage.prefill_ms),
        decode: decode_rate(&output),
        tokens_written: output.tokens.len(),
    })
}

/// Has a model write the first step of an answer to the sample question, at temperature 0.
///
/// # Errors
/// If the model fails.
pub(in crate::cli) fn write_sample(
    engine: &mut dyn Engine,
    preset: &Preset,
    role: Role,
) -> Result<EngineOutput, EngineError> {
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
    generate_checked(engine, &request, &mut |_| Flow::Continue)
}

/// Tokens written per second; `None` for a single token, since the prefill yields the first one.
pub(in crate::cli) fn decode_rate(output: &EngineOutput) -> Option<f64> {
    rate(output.tokens.len().saturating_sub(1), output.usage.decode_ms)
}

/// Tokens per second.
fn rate(tokens: usize, ms: f64) -> Option<f64> {
    (tokens > 0 && ms > 0.0).then(|| tokens as f64 / ms * 1e3)
}

fn segment(text: String) -> Vec<Segment> {
    vec![Segment { text: text.into(), own_ids: None }]
}
