//! An engine of your own: a "large model" that reads from the answer key, paired with the tiny small model.
//!
//!     cargo run --release --example custom_engine

#![allow(clippy::print_stdout, reason = "an example prints what it finds")]

use anyhow::Context;
use pointsman::config::{Folders, load_preset};
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{
    Engine, EngineError, EngineOutput, EngineRequest, TokenCallback, TokenStats,
};
use pointsman::episode::{ModelRecord, PerRole, StopReason, Token, Usage};
use pointsman::routing::RouterRegistry;
use pointsman::session::{EpisodeRunner, EpisodeSpec, NullObserver};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::questions;

/// Continues a text with the next line of a known solution.
struct AnswerKey {
    record: ModelRecord,
    lines: Vec<String>,
}

impl Engine for AnswerKey {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    /// A small model needs statistics for most routers; a large one does not.
    fn token_stats(&self) -> TokenStats {
        TokenStats::None
    }

    fn can_score_text(&self) -> bool {
        false
    }

    fn generate(
        &mut self,
        request: &EngineRequest,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, EngineError> {
        // The first segment is the prompt, each of the others a step, whoever wrote it.
        let step = request.prefix.len() - 1;
        let text = self.lines.get(step).map_or_else(String::new, |line| line.clone() + "\n");
        let stop = if text.is_empty() { StopReason::EndOfText } else { StopReason::Delimiter };
        // One token of probability 1.
        let (logprob, entropy, top, margin, ms) = (0.0, 0.0, 1.0, 1.0, 0.1);
        let token = Token { id: 0, text: text.clone(), logprob, entropy, top, margin, ms };
        on_token(Some(&token));
        Ok(EngineOutput { text, tokens: vec![token], usage: Usage::default(), stop })
    }

    /// Called between episodes; an engine with a KV cache empties it here.
    fn reset(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let question = questions("arithmetic", Split::Test, 5)?.next().context("no question")?;
    let solution = &question.solution.as_ref().context("no solution")?.solution;
    let record = ModelRecord { name: "answer-key".into(), digest: "1".into(), parameters: 1 };
    let large = AnswerKey { record, lines: solution.lines().map(str::to_owned).collect() };
    let small = MistralEngine::load(&preset.small, &folders.cache)?;
    let engines = PerRole { small: Box::new(small) as Box<dyn Engine>, large: Box::new(large) };

    let mut runner = EpisodeRunner::new(engines, preset);
    let mut router = RouterRegistry::new("tiny", None).router("entropy")?;
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let episode = runner.run(spec, &mut NullObserver, &mut NullObserver)?;
    print!("{}\n\n{}", question.text, episode.text());
    println!("\n{:?}", episode.verdict());
    Ok(())
}
