//! `pointsman models check`: loads the models of a preset and has them work.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use thiserror::Error;

use super::key;
use super::speed::{QUESTION, Speed, measure};
use crate::cli::memory::Memory;
use crate::cli::style::bytes;
use crate::cli::{Outcome, style};
use crate::config::{Budget, Folders, Glimpse, ModelConfig, Preset, Switching};
use crate::engine::{self, Engine, EngineError, Gate, Inventory, Place, chat, inventory};
use crate::episode::{Episode, PerRole, Role};
use crate::routing::{Boundary, Opinion, Router, RouterError};
use crate::session::{Conductor, Job, Nobody};
use crate::tasks::Question;
use crate::terminal::quiet;

/// Why a model is not loaded, or a pair does not work.
#[derive(Debug, Error)]
enum Fault {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(
        "it takes about {} of memory, and {} are free: end other programs, take a smaller model or `quantize_bits`, or load it with --anyway",
        bytes(*.needed),
        bytes(*.free)
    )]
    Memory { needed: u64, free: u64 },
}

/// A model that was loaded and has written something.
struct Checked {
    engine: Box<dyn Engine>,
    /// Tokens that its tokenizer knows, where that has a file.
    vocabulary: Option<usize>,
    /// Seconds.
    loading: f64,
    speed: Speed,
}

/// Checks the models one by one, then the pair, with a line for each.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn run(
    preset: &Preset,
    anyway: bool,
    json: bool,
    folders: &Folders,
) -> anyhow::Result<Outcome> {
    let mut engines = Vec::new();
    for role in Role::BOTH {
        let config = preset.model(role);
        let (found, checked) = match inventory(config, &folders.cache) {
            Ok(found) => {
                let checked = quiet(|| check(preset, role, &found, anyway, folders))?;
                (Some(found), checked)
            }
            Err(error) => (None, Err(error.into())),
        };
        style::line(&if json {
            model_object(role, config, found.as_ref(), &checked).to_string()
        } else {
            model_line(role, config, found.as_ref(), &checked)
        })?;
        engines.extend(checked.ok().map(|checked| checked.engine));
    }
    let Ok([small, large]) = <[Box<dyn Engine>; 2]>::try_from(engines) else {
        return Ok(Outcome::Unwell);
    };
    let result = quiet(|| together(PerRole { small, large }, preset))?;
    let told = match &result {
        Ok(tokens) => Ok(format!(
            "they work together: a step each, {} and {} tokens",
            tokens[Role::Small],
            tokens[Role::Large]
        )),
        Err(reason) => Err(reason.clone()),
    };
    style::line(&if json {
        let tokens = result.as_ref().ok();
        json!({
            "pair": preset.name,
            "works": result.is_ok(),
            "small_tokens": tokens.map(|tokens| tokens[Role::Small]),
            "large_tokens": tokens.map(|tokens| tokens[Role::Large]),
            "error": result.as_ref().err(),
        })
        .to_string()
    } else {
        line("pair", &told)
    })?;
    Ok(if result.is_ok() { Outcome::Done } else { Outcome::Unwell })
}

fn check(
    preset: &Preset,
    role: Role,
    found: &Inventory,
    anyway: bool,
    folders: &Folders,
) -> Result<Checked, Fault> {
    let config = preset.model(role);
    let vocabulary = found.examine(config)?;
    if let (Some(needed), Some(free)) = (found.memory, Memory::of(config).and_then(Memory::free))
        && needed > free
        && !anyway
    {
        return Err(Fault::Memory { needed, free });
    }
    let began = Instant::now();
    let mut engine = engine::load(config, &folders.cache, &Gate::new(None))?;
    let loading = began.elapsed().as_secs_f64();
    let mut preset = preset.clone();
    chat::frame(&mut preset, role, engine.as_ref())?;
    let speed = measure(engine.as_mut(), &preset, role)?;
    Ok(Checked { engine, vocabulary, loading, speed })
}

/// Runs an episode of two steps, one of each model, and gives the tokens that each wrote.
fn together(engines: PerRole<Box<dyn Engine>>, preset: &Preset) -> Result<PerRole<usize>, String> {
    let mut preset = preset.clone();
    preset.steps.max_steps = 2;
    preset.budget = Budget::default();
    preset.routing.switching = Switching::Reversible;
    preset.routing.exploration = None;
    preset.routing.glimpse = None;
    preset.routing.threshold = 0.5;
    let mut conductor = Conductor::new(engines, preset);
    let question = Question::typed(QUESTION);
    // A model whose first step is the answer leaves none to the other: the other then begins.
    for first in Role::BOTH {
        let mut router = Alternate { first };
        let job = Job::new(&question, &mut router, 0);
        let episode = conductor.run(job, &mut Nobody, &mut Nobody).map_err(|e| e.to_string())?;
        let tokens = PerRole::from_fn(|role| written(&episode, role));
        if Role::BOTH.iter().all(|role| tokens[*role] > 0) {
            return Ok(tokens);
        }
    }
    Err("whichever model begins ends the text with its first step, so the other has no turn: look \
         at `steps.delimiter` and the prompt in the preset"
        .into())
}

/// Tokens that a model wrote into an episode.
fn written(episode: &Episode, role: Role) -> usize {
    let steps = episode.steps.iter().map(|step| &step.writing);
    steps.filter(|writing| writing.model == role).map(|writing| writing.tokens.len()).sum()
}

/// The two models by turns.
struct Alternate {
    first: Role,
}

impl Router for Alternate {
    fn name(&self) -> &'static str {
        "by turns"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Tokens(0)
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let even = boundary.episode.steps.len().is_multiple_of(2);
        let large = even == (self.first == Role::Large);
        Ok(Opinion { p_large: f64::from(u8::from(large)), features: BTreeMap::new() })
    }
}

fn line(what: &str, result: &Result<String, String>) -> String {
    let (mark, text) = match result {
        Ok(text) => ("ok", text),
        Err(text) => ("!!", text),
    };
    format!("{mark}  {what:<12} {}", style::plain(text))
}

fn model_line(
    role: Role,
    config: &ModelConfig,
    found: Option<&Inventory>,
    checked: &Result<Checked, Fault>,
) -> String {
    let told = match checked {
        Err(fault) => Err(format!("{}: {fault}", config.label())),
        Ok(checked) => {
            let record = checked.engine.model();
            let mut parts = vec![format!("{}, {}", record.name, config.source)];
            let mut add = |part: Option<String>| parts.extend(part);
            let number = |n: u64| style::si(n as f64);
            let rate = |n: f64| format!("{n:.0}/s");
            if let Some(found) = found {
                add(Some(found.place.to_string()));
                add(found.bytes.map(bytes));
                add(Some(format!("{} parameters", number(record.parameters))));
                add(found.memory.map(|n| format!("about {} in memory", bytes(n))));
                add(found.context.map(|n| format!("context {n}")));
                add(checked.vocabulary.map(|n| format!("tokenizer of {n} tokens")));
                if found.place != Place::Remote {
                    let template = found.template.as_deref();
                    add(Some(match template {
                        Some(place) => format!("chat template in {place}"),
                        None => "no chat template".into(),
                    }));
                    add(Some(format!("loaded in {:.1} s", checked.loading)));
                }
            }
            add(checked.speed.prefill.map(|n| format!("reads {}", rate(n))));
            add(checked.speed.decode.map(|n| format!("writes {}", rate(n))));
            add(Some(format!("tells {} of its tokens", checked.engine.evidence())));
            Ok(parts.join(", "))
        }
    };
    line(&format!("{role} model"), &told)
}

fn model_object(
    role: Role,
    config: &ModelConfig,
    found: Option<&Inventory>,
    checked: &Result<Checked, Fault>,
) -> Value {
    let ok = checked.as_ref().ok();
    json!({
        "role": role,
        "name": config.label(),
        "source": config.source,
        "loads": ok.is_some(),
        "error": checked.as_ref().err().map(ToString::to_string),
        "place": found.map(|f| key(&f.place)),
        "bytes": found.and_then(|f| f.bytes),
        "parameters": found.and_then(|f| f.parameters),
        "memory": found.and_then(|f| f.memory),
        "context": found.and_then(|f| f.context),
        "architecture": found.and_then(|f| f.architecture.as_ref()),
        "vocabulary": ok.and_then(|c| c.vocabulary),
        "template": found.and_then(|f| f.template.as_ref()),
        "load_s": ok.map(|c| c.loading),
        "prefill_tokens_per_s": ok.and_then(|c| c.speed.prefill),
        "decode_tokens_per_s": ok.and_then(|c| c.speed.decode),
        "tokens_written": ok.map(|c| c.speed.written),
        "evidence": ok.map(|c| c.engine.evidence().to_string()),
    })
}
