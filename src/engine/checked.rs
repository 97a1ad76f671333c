//! Checks what an engine reports, so that no number that cannot be right reaches an episode.

use super::error::EngineError;
use super::interface::{Engine, EngineOutput, EngineRequest, TokenCallback};

/// Has an engine generate or score, and checks the numbers of its output. Every caller uses this in place of
/// [`Engine::generate`], because an event with NaN or an infinite number could not be read again.
///
/// # Errors
/// As [`Engine::generate`], and [`EngineError::ImpossibleNumber`] with the first token whose statistics cannot be right.
pub fn generate_checked(
    engine: &mut dyn Engine,
    request: &EngineRequest,
    on_token: &mut TokenCallback<'_>,
) -> Result<EngineOutput, EngineError> {
    let output = engine.generate(request, on_token)?;
    let name = || engine.model().name.clone();
    let before = output.usage.prefilled.saturating_add(output.usage.reused);
    output
        .usage
        .check_ranges()
        .map_err(|reason| EngineError::ImpossibleUsage { name: name(), reason })?;
    for (index, token) in output.tokens.iter().enumerate() {
        token.check_ranges().map_err(|reason| EngineError::ImpossibleNumber {
            name: name(),
            position: before + index + 1,
            reason,
        })?;
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Flow;
    use crate::engine::scripted::ScriptedEngine;
    use crate::episode::ModelRecord;

    type Change = fn(&mut EngineOutput);

    fn result(change: impl FnOnce(&mut EngineOutput)) -> Result<EngineOutput, EngineError> {
        let record = ModelRecord { name: "m".into(), digest: "d".into(), parameters: 1 };
        let mut output = ScriptedEngine::output("two words", -0.5);
        change(&mut output);
        let mut engine = ScriptedEngine::new(record, [output]);
        let request = EngineRequest {
            prefix: Vec::new(),
            delimiter: "\n".into(),
            partial: None,
            score_text: None,
            max_tokens: 9,
            is_draft: false,
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
        };
        generate_checked(&mut engine, &request, &mut |_| Flow::Continue)
    }

    #[test]
    fn numbers_that_cannot_be_right_name_the_model_and_the_token() {
        assert_eq!(result(|_| ()).unwrap().tokens.len(), 2);
        let changes: [(&str, Change); 5] = [
            ("logprob is NaN", |output| output.tokens[1].logprob = f32::NAN),
            ("logprob is -inf", |output| output.tokens[1].logprob = f32::NEG_INFINITY),
            ("entropy is inf", |output| output.tokens[1].entropy = f32::INFINITY),
            ("top is NaN", |output| output.tokens[1].top = f32::NAN),
            ("margin is 3", |output| output.tokens[1].margin = 3.0),
        ];
        for (what, change) in changes {
            let message = result(change).unwrap_err().to_string();
            // One token of prefix, then two of output.
            assert!(message.starts_with("model m reports") && message.contains(what), "{message}");
            assert!(message.contains("token 3 of the text"), "{message}");
        }
        let message = result(|output| output.usage.prefill_ms = f64::NAN).unwrap_err().to_string();
        assert!(message.contains("prefill_ms is NaN"), "{message}");
    }
}
