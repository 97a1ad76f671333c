//! Requests to an engine, and what the tests compare of its output.

use pointsman::engine::{EngineOutput, EngineRequest, Segment};

/// A greedy request.
pub(crate) fn request(prefix: Vec<Segment>, delimiter: &str, max_tokens: usize) -> EngineRequest {
    EngineRequest {
        prefix,
        delimiter: delimiter.into(),
        partial: None,
        score_text: None,
        max_tokens,
        is_draft: false,
        temperature: 0.0,
        top_p: 1.0,
        seed: 1,
    }
}

/// A segment that the engine did not write itself.
pub(crate) fn foreign(text: &str) -> Segment {
    Segment { text: text.into(), own_ids: None }
}

/// The ids of the written tokens.
pub(crate) fn ids(output: &EngineOutput) -> Vec<u32> {
    output.tokens.iter().map(|token| token.id).collect()
}
