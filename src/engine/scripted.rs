//! An engine that plays recorded tokens: for screens and replay, where no model is loaded.

use std::collections::VecDeque;

use super::{Engine, EngineError, EngineOutput, EngineRequest, Segment, TokenCallback};
use crate::episode::{ModelRecord, StopReason, Token, Usage};

/// Plays outputs in the order in which they were recorded, whatever is asked.
pub struct ScriptedEngine {
    record: ModelRecord,
    outputs: VecDeque<EngineOutput>,
}

impl ScriptedEngine {
    /// An engine that stands for `record` and writes `outputs`.
    pub fn new(record: ModelRecord, outputs: impl IntoIterator<Item = EngineOutput>) -> Self {
        Self { record, outputs: outputs.into_iter().collect() }
    }

    /// A draft of one token a word, each with the same log-probability (nats).
    pub fn output(text: &str, logprob: f32) -> EngineOutput {
        let p = logprob.exp();
        let words = text.split_inclusive(' ').enumerate();
        let tokens: Vec<Token> = words
            .map(|(id, word)| Token {
                id: id as u32,
                text: word.to_owned(),
                logprob,
                entropy: -p * logprob,
                top: p,
                margin: p,
                ms: 1.0,
            })
            .collect();
        let usage =
            Usage { prefilled: 1, reused: 0, prefill_ms: 1.0, decode_ms: tokens.len() as f64 };
        EngineOutput { text: text.to_owned(), tokens, usage, stop: StopReason::Delimiter }
    }
}

impl Engine for ScriptedEngine {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    fn generate(
        &mut self,
        _: &EngineRequest,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, EngineError> {
        let next = self.outputs.pop_front();
        let draft = next.ok_or_else(|| EngineError::ScriptEnd(self.record.name.clone()))?;
        for token in &draft.tokens {
            on_token(Some(token));
        }
        Ok(draft)
    }

    fn prefill(&mut self, _: Vec<Segment>) -> Result<Usage, EngineError> {
        Ok(Usage::default())
    }

    fn reset(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}
