//! How fast a loaded model is, on a short prompt.

use crate::config::Preset;
use crate::engine::{Engine, EngineError, Flow, Request, Segment};
use crate::episode::Role;

/// What the prompt is about.
pub(super) const QUESTION: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens. She gives away \
                                   18 pens. How many pens does Ava have?";

/// Tokens that are written at most.
const TOKENS: usize = 64;

/// Tokens a second.
pub(super) struct Speed {
    /// Tokens of the prompt; nothing where a server has it all in its cache or reports none.
    pub prefill: Option<f64>,
    /// Written tokens; nothing where the model wrote one only.
    pub decode: Option<f64>,
    /// Tokens that were written.
    pub written: usize,
}

/// Writes some steps with a model and measures it.
///
/// # Errors
/// When the model fails.
pub(super) fn measure(
    engine: &mut dyn Engine,
    preset: &Preset,
    role: Role,
) -> Result<Speed, EngineError> {
    let segment = |text: String| vec![Segment { text: text.into(), own: None }];
    // The first request pays for threads and buffers that later ones find.
    engine.read(segment("1".into()))?;
    engine.forget()?;
    let request = Request {
        prefix: segment(preset.prompt_for(role, QUESTION)),
        delimiter: preset.steps.delimiter.clone(),
        begun: None,
        dictation: None,
        max_tokens: preset.steps.max_tokens.min(TOKENS),
        glimpse: false,
        temperature: 0.0,
        top_p: 1.0,
        seed: 0,
    };
    let draft = engine.write(&request, &mut |_| Flow::Continue)?;
    engine.forget()?;
    let rate = |tokens: usize, ms: f64| (tokens > 0 && ms > 0.0).then(|| tokens as f64 / ms * 1e3);
    let written = draft.tokens.len();
    Ok(Speed {
        prefill: rate(draft.usage.prefilled, draft.usage.prefill_ms),
        // The first token comes out of the prefill.
        decode: rate(written.saturating_sub(1), draft.usage.decode_ms),
        written,
    })
}
