//! An engine that plays prepared outputs, for tests and screens that need no model.

use std::collections::VecDeque;

use super::error::EngineError;
use super::interface::{Engine, EngineOutput, EngineRequest, Segment, TokenCallback};
use crate::episode::{ModelRecord, StopReason, Token, Usage};

/// Plays outputs in order. It ignores the requests, and a callback that cancels.
pub struct ScriptedEngine {
    record: ModelRecord,
    outputs: VecDeque<EngineOutput>,
}

impl ScriptedEngine {
    /// An engine that claims to be the model `record` and returns `outputs` one by one.
    pub fn new(record: ModelRecord, outputs: impl IntoIterator<Item = EngineOutput>) -> Self {
        Self { record, outputs: outputs.into_iter().collect() }
    }

    /// A finished step with one token for each word of `text`, each with the same log-probability (in nats) and the
    /// entropy that follows if the rest of the distribution is ignored.
    pub fn output(text: &str, logprob: f32) -> EngineOutput {
        let p = logprob.exp();
        let tokens: Vec<Token> = (0..)
            .zip(text.split_inclusive(' '))
            .map(|(id, word)| Token {
                id,
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
        let output = next.ok_or_else(|| EngineError::ScriptEnd(self.record.name.clone()))?;
        for token in &output.tokens {
            on_token(Some(token));
        }
        Ok(output)
    }

    fn prefill(&mut self, _: Vec<Segment>) -> Result<Usage, EngineError> {
        Ok(Usage::default())
    }

    fn reset(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}
