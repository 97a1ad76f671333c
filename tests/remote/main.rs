//! Models behind an address, through real HTTP: they write what the same models write in this process, and what
//! goes wrong is said.

mod equivalence;
mod faults;
mod key;
mod mistral_server;
mod server;
#[path = "../shell/mod.rs"]
mod shell;
#[path = "../tiny/mod.rs"]
mod tiny;

use std::path::PathBuf;

use pointsman::config::{ModelConfig, Preset};
use pointsman::engine::{
    self, Engine, EngineError, EngineOutput, EngineRequest, Flow, RateLimiter, Segment,
};
use pointsman::episode::{Episode, Role, Step, StopReason};
use pointsman::session::{EpisodeRunner, EpisodeSpec, NullObserver, load_pair};
use pointsman::tasks::Question;

use server::{Server, ServerCapabilities};
use tiny::{pair, preset, registry};

const FULL_CAPABILITIES: ServerCapabilities =
    ServerCapabilities { reports_stop: true, logprobs: true, continues_messages: true };

fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// The configuration of a model there; `more` goes into its table `remote`.
fn remote_model(server: &Server, role: Role, more: &str) -> ModelConfig {
    model_at(&server.source, &format!("tiny/{role}"), role, more)
}

/// The same at any address, where it is called `model`.
fn model_at(source: &str, model: &str, role: Role, more: &str) -> ModelConfig {
    let parameters = pair().model(role).parameters;
    toml::from_str(&format!(
        "source = \"{source}\"\nname = \"tiny-{role}\"\nparameters = {parameters}\nprompt = \"{{question}}\\n\"\n[remote]\nmodel = \"{model}\"\n{more}"
    ))
    .unwrap()
}

/// The tiny preset with the large model there.
fn preset_with_remote_large(server: &Server, more: &str) -> Preset {
    let preset = Preset { large: remote_model(server, Role::Large, more), ..preset() };
    preset.validate().unwrap();
    preset
}

fn load(preset: &Preset) -> EpisodeRunner {
    load_pair(preset, &cache()).unwrap()
}

fn engine(server: &Server, more: &str) -> Box<dyn Engine> {
    engine::load(&remote_model(server, Role::Large, more), &cache(), &RateLimiter::new(None))
        .unwrap()
}

fn request(text: &str) -> EngineRequest {
    EngineRequest {
        prefix: vec![Segment { text: text.into(), own_ids: None }],
        delimiter: "\n".into(),
        partial: None,
        forced_text: None,
        max_tokens: 48,
        is_draft: false,
        temperature: 0.0,
        top_p: 1.0,
        seed: 1,
    }
}

const PROMPT: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens. How many pens does Ava have?\n";

fn write(engine: &mut dyn Engine) -> Result<EngineOutput, EngineError> {
    engine.generate(&request(PROMPT), &mut |_| Flow::Continue)
}

fn write_error(engine: &mut dyn Engine) -> String {
    let sentence = write(engine).unwrap_err().to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    sentence
}

fn run(runner: &mut EpisodeRunner, router: &str, question: &Question) -> Episode {
    let mut router = registry().router(router).unwrap();
    runner
        .run(EpisodeSpec::new(question, router.as_mut(), 1), &mut NullObserver, &mut NullObserver)
        .unwrap()
}

/// A step: who wrote it, why it ended, the tokens before it, its own, with log-probabilities in thousandths.
type ComparableStep = (Role, StopReason, usize, Vec<(String, i32)>);

/// The steps of an episode, to compare.
fn comparable_steps(episode: &Episode) -> Vec<ComparableStep> {
    let tokens = |step: &Step| {
        let tokens = step.generation.tokens.iter();
        tokens.map(|t| (t.text.clone(), (t.logprob * 1e3).round() as i32)).collect()
    };
    let steps = episode.steps.iter();
    steps
        .map(|s| {
            let usage = s.generation.usage;
            (s.generation.model, s.generation.stop, usage.prefilled + usage.reused, tokens(s))
        })
        .collect()
}
