//! Remote models over HTTP: they write the same tokens as in this process, and failures are reported.

mod equivalence;
mod faults;
mod key;
mod mistral_server;
mod server;

use pointsman::config::{ModelConfig, Preset};
use pointsman::engine::{
    self, Engine, EngineError, EngineOutput, EngineRequest, Flow, RateLimiter, Segment,
};
use pointsman::episode::{Episode, Role, Step, StopReason};
use pointsman::session::{EpisodeRunner, EpisodeSpec, NullObserver, load_pair};
use pointsman::tasks::Question;

use self::server::{Server, ServerCapabilities};
use crate::tiny::{cache, pair, preset, registry};

const FULL_CAPABILITIES: ServerCapabilities =
    ServerCapabilities { reports_stop: true, logprobs: true, continues_messages: true };

/// The configuration of the remote model; `more` is added to its table `remote`.
fn remote_model(server: &Server, role: Role, more: &str) -> ModelConfig {
    model_at(&server.source, &format!("tiny/{role}"), role, more)
}

/// The same at any address, under the name `model`.
fn model_at(source: &str, model: &str, role: Role, more: &str) -> ModelConfig {
    let parameters = pair().model(role).parameters;
    toml::from_str(&format!(
        "source = \"{source}\"\nname = \"tiny-{role}\"\nparameters = {parameters}\nprompt = \"{{question}}\\n\"\n[remote]\nmodel = \"{model}\"\n{more}"
    ))
    .unwrap()
}

/// The preset `tiny` with a remote large model.
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
        score_text: None,
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

/// Writer, stop reason, number of tokens before the step, and its tokens with log-probabilities in thousandths.
type ComparableStep = (Role, StopReason, usize, Vec<(String, i32)>);

/// The steps of an episode in a form to compare.
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
