//! An engine that plays recorded tokens: for screens and replay, where no model is loaded.

use std::collections::VecDeque;

use super::{Draft, Engine, EngineError, Request, Segment, Watch};
use crate::episode::{ModelRecord, StopReason, Token, Usage};

/// Plays drafts in the order in which they were recorded, whatever is asked.
pub struct ScriptedEngine {
    record: ModelRecord,
    drafts: VecDeque<Draft>,
}

impl ScriptedEngine {
    /// An engine that stands for `record` and writes `drafts`.
    pub fn new(record: ModelRecord, drafts: impl IntoIterator<Item = Draft>) -> Self {
        Self { record, drafts: drafts.into_iter().collect() }
    }

    /// A draft of one token a word, each with the same log-probability (nats).
    pub fn draft(text: &str, logprob: f32) -> Draft {
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
        Draft { text: text.to_owned(), tokens, usage, stop: StopReason::Delimiter }
    }
}

impl Engine for ScriptedEngine {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    fn write(&mut self, _: &Request, watch: &mut Watch<'_>) -> Result<Draft, EngineError> {
        let next = self.drafts.pop_front();
        let draft = next.ok_or_else(|| EngineError::ScriptEnd(self.record.name.clone()))?;
        for token in &draft.tokens {
            watch(Some(token));
        }
        Ok(draft)
    }

    fn read(&mut self, _: Vec<Segment>) -> Result<Usage, EngineError> {
        Ok(Usage::default())
    }

    fn forget(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}
