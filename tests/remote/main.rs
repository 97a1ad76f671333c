//! Models behind an address, through real HTTP: they write what the same models write in this process, and what
//! goes wrong is said.

mod faults;
mod key;
mod mistral_server;
mod server;
#[path = "../shell/mod.rs"]
mod shell;
#[path = "../tiny/mod.rs"]
mod tiny;
mod truth;

use std::path::PathBuf;

use pointsman::config::{ModelConfig, Preset};
use pointsman::engine::{self, Draft, Engine, EngineError, Flow, Gate, Request, Segment};
use pointsman::episode::{Episode, Role, Step, StopReason};
use pointsman::session::{Conductor, Job, Nobody, load_pair};
use pointsman::tasks::Question;

use server::{Manners, Server};
use tiny::{pair, preset, roster};

const GOOD: Manners = Manners { tells_stop: true, logprobs: true, continues: true };

fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// The configuration of a model there; `more` goes into its table `remote`.
fn behind(server: &Server, role: Role, more: &str) -> ModelConfig {
    at(&server.source, &format!("tiny/{role}"), role, more)
}

/// The same at any address, where it is called `model`.
fn at(source: &str, model: &str, role: Role, more: &str) -> ModelConfig {
    let parameters = pair().model(role).parameters;
    toml::from_str(&format!(
        "source = \"{source}\"\nname = \"tiny-{role}\"\nparameters = {parameters}\nprompt = \"{{question}}\\n\"\n[remote]\nmodel = \"{model}\"\n{more}"
    ))
    .unwrap()
}

/// The tiny preset with the large model there.
fn large_at(server: &Server, more: &str) -> Preset {
    let preset = Preset { large: behind(server, Role::Large, more), ..preset() };
    preset.validate().unwrap();
    preset
}

fn load(preset: &Preset) -> Conductor {
    load_pair(preset, &cache()).unwrap()
}

fn engine(server: &Server, more: &str) -> Box<dyn Engine> {
    engine::load(&behind(server, Role::Large, more), &cache(), &Gate::new(None)).unwrap()
}

fn request(text: &str) -> Request {
    Request {
        prefix: vec![Segment { text: text.into(), own: None }],
        delimiter: "\n".into(),
        begun: None,
        dictation: None,
        max_tokens: 48,
        glimpse: false,
        temperature: 0.0,
        top_p: 1.0,
        seed: 1,
    }
}

const PENS: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens. How many pens does Ava have?\n";

fn write(engine: &mut dyn Engine) -> Result<Draft, EngineError> {
    engine.write(&request(PENS), &mut |_| Flow::Continue)
}

fn sentence(engine: &mut dyn Engine) -> String {
    let sentence = write(engine).unwrap_err().to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    sentence
}

fn run(conductor: &mut Conductor, router: &str, question: &Question) -> Episode {
    let mut router = roster().router(router).unwrap();
    conductor.run(Job::new(question, router.as_mut(), 1), &mut Nobody, &mut Nobody).unwrap()
}

/// A step: who wrote it, why it ended, the tokens before it, its own, with log-probabilities in thousandths.
type Line = (Role, StopReason, usize, Vec<(String, i32)>);

/// The steps of an episode, to compare.
fn written(episode: &Episode) -> Vec<Line> {
    let tokens = |step: &Step| {
        let tokens = step.writing.tokens.iter();
        tokens.map(|t| (t.text.clone(), (t.logprob * 1e3).round() as i32)).collect()
    };
    let steps = episode.steps.iter();
    steps
        .map(|s| {
            let usage = s.writing.usage;
            (s.writing.model, s.writing.stop, usage.prefilled + usage.reused, tokens(s))
        })
        .collect()
}
