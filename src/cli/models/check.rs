//! `pointsman models check`: loads the models of a preset and runs them, alone and together.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use thiserror::Error;

use super::list::location_word;
use super::throughput::{SAMPLE_QUESTION, Throughput, measure_throughput};
use crate::cli::error::{CommandResult, CommandStatus};
use crate::cli::memory::MemoryKind;
use crate::cli::output;
use crate::cli::output::bytes;
use crate::config::{Budget, Folders, ModelConfig, Preset, Switching};
use crate::engine::{
    self, Engine, EngineError, ModelInfo, ModelLocation, RateLimiter, chat, model_info,
};
use crate::episode::{Episode, PerRole, Role};
use crate::routing::{Opinion, Router, RouterError, RouterInput};
use crate::session::{EpisodeRunner, EpisodeSpec, NullObserver};
use crate::tasks::Question;
use crate::terminal::with_stdout_discarded;

/// Why a model was not loaded or does not work.
#[derive(Debug, Error)]
enum CheckError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(
        "it needs about {} of memory, and {} are free: close other programs, choose a smaller model or set `quantize_bits`, or load it anyway with --force",
        bytes(*.needed),
        bytes(*.free)
    )]
    Memory { needed: u64, free: u64 },
}

/// A model that was loaded and has written some tokens.
struct CheckedModel {
    engine: Box<dyn Engine>,
    /// Size of its tokenizer's vocabulary; `None` without a tokenizer file.
    vocabulary: Option<usize>,
    /// Time to load, in seconds.
    loading_s: f64,
    throughput: Throughput,
}

/// Checks each model, then the pair, and prints a line for each.
///
/// # Errors
/// If standard output cannot be written.
pub(super) fn run(
    preset: &Preset,
    force: bool,
    json: bool,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let mut engines = Vec::new();
    for role in Role::BOTH {
        let config = preset.model(role);
        let (found, checked) = match model_info(config, &folders.cache) {
            Ok(found) => {
                let checked =
                    with_stdout_discarded(|| check_model(preset, role, &found, force, folders))?;
                (Some(found), checked)
            }
            Err(error) => (None, Err(error.into())),
        };
        if json {
            output::print_json(&model_json(role, config, found.as_ref(), &checked))?;
        } else {
            output::print_line(&model_line(role, config, found.as_ref(), &checked))?;
        }
        engines.extend(checked.ok().map(|checked| checked.engine));
    }
    let Ok([small, large]) = <[Box<dyn Engine>; 2]>::try_from(engines) else {
        return Ok(CommandStatus::Failure);
    };
    let result = with_stdout_discarded(|| check_pair(PerRole { small, large }, preset))?;
    let text = match &result {
        Ok(tokens) => Ok(format!(
            "one step by each model: {} and {} tokens",
            tokens[Role::Small],
            tokens[Role::Large]
        )),
        Err(reason) => Err(reason.clone()),
    };
    if json {
        let tokens = result.as_ref().ok();
        output::print_json(&json!({
            "pair": preset.name,
            "works": result.is_ok(),
            "small_tokens": tokens.map(|tokens| tokens[Role::Small]),
            "large_tokens": tokens.map(|tokens| tokens[Role::Large]),
            "error": result.as_ref().err(),
        }))?;
    } else {
        output::print_line(&output::check_line("pair", &text))?;
    }
    Ok(if result.is_ok() { CommandStatus::Success } else { CommandStatus::Failure })
}

fn check_model(
    preset: &Preset,
    role: Role,
    found: &ModelInfo,
    force: bool,
    folders: &Folders,
) -> Result<CheckedModel, CheckError> {
    let config = preset.model(role);
    let vocabulary = found.check_loadable(config)?;
    if let (Some(needed), Some(free)) =
        (found.memory, MemoryKind::of(config).and_then(MemoryKind::free))
        && needed > free
        && !force
    {
        return Err(CheckError::Memory { needed, free });
    }
    let began = Instant::now();
    let mut engine = engine::load(config, &folders.cache, &RateLimiter::new(None))?;
    let loading_s = began.elapsed().as_secs_f64();
    let mut preset = preset.clone();
    chat::apply_template(&mut preset, role, engine.as_ref())?;
    let throughput = measure_throughput(engine.as_mut(), &preset, role)?;
    Ok(CheckedModel { engine, vocabulary, loading_s, throughput })
}

/// Runs an episode of two steps, one by each model, and returns the number of tokens that each wrote.
fn check_pair(
    engines: PerRole<Box<dyn Engine>>,
    preset: &Preset,
) -> Result<PerRole<usize>, String> {
    let mut preset = preset.clone();
    preset.steps.max_steps = 2;
    preset.budget = Budget::default();
    preset.routing.switching = Switching::Reversible;
    preset.routing.exploration = None;
    preset.routing.draft_length = None;
    preset.routing.threshold = 0.5;
    let mut runner = EpisodeRunner::new(engines, preset);
    let question = Question::from_user(SAMPLE_QUESTION);
    // If the first step is already the answer, the other model has no turn; then the other one begins.
    for first in Role::BOTH {
        let mut router = AlternatingRouter { first };
        let spec = EpisodeSpec::new(&question, &mut router, 0);
        let episode =
            runner.run(spec, &mut NullObserver, &mut NullObserver).map_err(|e| e.to_string())?;
        let tokens = PerRole::from_fn(|role| tokens_written(&episode, role));
        if Role::BOTH.iter().all(|role| tokens[*role] > 0) {
            return Ok(tokens);
        }
    }
    Err("each model ends the text with its first step, so the other one has no turn: check \
         `steps.delimiter` and the prompt in the preset"
        .into())
}

/// Number of tokens that a model wrote in an episode.
fn tokens_written(episode: &Episode, role: Role) -> usize {
    let steps = episode.steps.iter().map(|step| &step.generation);
    steps
        .filter(|generation| generation.model == role)
        .map(|generation| generation.tokens.len())
        .sum()
}

/// Alternates between the models.
struct AlternatingRouter {
    first: Role,
}

impl Router for AlternatingRouter {
    fn name(&self) -> &'static str {
        "alternating"
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let even = boundary.episode.steps.len().is_multiple_of(2);
        let large = even == (self.first == Role::Large);
        Ok(Opinion { p_large: f64::from(u8::from(large)), features: BTreeMap::new() })
    }
}

fn model_line(
    role: Role,
    config: &ModelConfig,
    found: Option<&ModelInfo>,
    checked: &Result<CheckedModel, CheckError>,
) -> String {
    let text = match checked {
        Err(error) => Err(format!("{}: {error}", config.label())),
        Ok(checked) => {
            let record = checked.engine.model();
            let mut parts = vec![format!("{}, {}", record.name, config.source)];
            let mut add = |part: Option<String>| parts.extend(part);
            let number = |n: u64| output::si(n as f64);
            let rate = |n: f64| format!("{n:.0} tokens/s");
            if let Some(found) = found {
                add(Some(found.location.to_string()));
                add(found.bytes.map(bytes));
                add(Some(format!("{} parameters", number(record.parameters))));
                add(found.memory.map(|n| format!("about {} of memory", bytes(n))));
                add(found.context.map(|n| format!("context {n}")));
                add(checked.vocabulary.map(|n| format!("vocabulary of {n} tokens")));
                if found.location != ModelLocation::Remote {
                    let template = found.template.as_deref();
                    add(Some(match template {
                        Some(place) => format!("chat template in {place}"),
                        None => "no chat template".into(),
                    }));
                    add(Some(format!("loaded in {:.1} s", checked.loading_s)));
                }
                found.remarks(config).into_iter().for_each(|remark| add(Some(remark)));
            }
            add(checked.throughput.prefill.map(|n| format!("reads {}", rate(n))));
            add(checked.throughput.decode.map(|n| format!("writes {}", rate(n))));
            add(Some(format!("reports {} of its tokens", checked.engine.token_stats())));
            Ok(parts.join(", "))
        }
    };
    output::check_line(&format!("{role} model"), &text)
}

fn model_json(
    role: Role,
    config: &ModelConfig,
    found: Option<&ModelInfo>,
    checked: &Result<CheckedModel, CheckError>,
) -> Value {
    let ok = checked.as_ref().ok();
    json!({
        "role": role,
        "name": config.label(),
        "source": config.source,
        "loads": ok.is_some(),
        "error": checked.as_ref().err().map(ToString::to_string),
        "location": found.map(|f| location_word(&f.location)),
        "bytes": found.and_then(|f| f.bytes),
        "parameters": found.and_then(|f| f.parameters),
        "memory": found.and_then(|f| f.memory),
        "context": found.and_then(|f| f.context),
        "remarks": found.map(|f| f.remarks(config)),
        "architecture": found.and_then(|f| f.architecture.as_ref()),
        "vocabulary": ok.and_then(|c| c.vocabulary),
        "template": found.and_then(|f| f.template.as_ref()),
        "load_s": ok.map(|c| c.loading_s),
        "prefill_tokens_per_s": ok.and_then(|c| c.throughput.prefill),
        "decode_tokens_per_s": ok.and_then(|c| c.throughput.decode),
        "tokens_written": ok.map(|c| c.throughput.tokens_written),
        "token_stats": ok.map(|c| c.engine.token_stats().to_string()),
    })
}
