//! The server of mistral.rs (`mistralrs serve`) with the large model of the tiny pair.
//!
//! On a CPU, version 0.8.1 writes other texts with its prefix cache on, or for two requests at once. So the cache is
//! off here, and the tests take turns.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use mistralrs::core::{AutoDeviceMapParams, ModelDType, ModelSelected};
use mistralrs_server_core::mistralrs_for_server_builder::MistralRsForServerBuilder;
use mistralrs_server_core::mistralrs_server_router_builder::MistralRsServerRouterBuilder;
use tokio::runtime::Runtime;

use pointsman::config::Preset;
use pointsman::engine::{self, Engine, RateLimiter};
use pointsman::episode::{Episode, Role, StopReason};

use super::{load, model_at, run, write_error};
use crate::shell::{objects, stdout};
use crate::tiny::{cache, long_questions, pair, preset, writers};

/// Waits until no other test uses the server.
fn exclusive() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address of the server, with the version of the API.
fn address() -> &'static str {
    static SERVER: OnceLock<(Runtime, String)> = OnceLock::new();
    let start = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let address = runtime.block_on(async {
            let server = MistralRsForServerBuilder::new().with_model(large()).with_cpu(true);
            // The template joins the messages.
            let server = server.with_jinja_explicit(template());
            let mistralrs = server.build().await.unwrap();
            let routes = MistralRsServerRouterBuilder::new().with_mistralrs(mistralrs);
            let routes = routes.build().await.unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}/v1", listener.local_addr().unwrap());
            tokio::spawn(async { axum::serve(listener, routes).await });
            address
        });
        (runtime, address)
    };
    &SERVER.get_or_init(start).1
}

fn large() -> ModelSelected {
    ModelSelected::Plain {
        model_id: concat!(env!("CARGO_MANIFEST_DIR"), "/presets/tiny/large").into(),
        tokenizer_json: None,
        arch: None,
        dtype: ModelDType::F32,
        topology: None,
        organization: None,
        write_uqff: None,
        from_uqff: None,
        imatrix: None,
        calibration_file: None,
        max_seq_len: AutoDeviceMapParams::DEFAULT_MAX_SEQ_LEN,
        max_batch_size: AutoDeviceMapParams::DEFAULT_MAX_BATCH_SIZE,
        hf_cache_path: None,
        matformer_config_path: None,
        matformer_slice_name: None,
    }
}

fn template() -> String {
    let path = cache().with_file_name("messages.jinja");
    std::fs::write(&path, "{% for message in messages %}{{ message['content'] }}{% endfor %}")
        .unwrap();
    path.display().to_string()
}

/// The preset `tiny` with the large model of this server; `more` is added to its table `remote`.
fn remote_preset(more: &str) -> Preset {
    let preset = Preset { large: model_at(address(), "default", Role::Large, more), ..preset() };
    preset.validate().unwrap();
    preset
}

fn engine(more: &str) -> Box<dyn Engine> {
    engine::load(&remote_preset(more).large, &cache(), &RateLimiter::new(None)).unwrap()
}

/// For each step: writer, text, stop reason, number of tokens before the step and of the step.
fn steps(episode: &Episode) -> Vec<(Role, String, StopReason, usize, usize)> {
    let steps = episode.steps.iter().map(|step| &step.generation);
    steps
        .map(|w| {
            let before = w.usage.prefilled + w.usage.reused;
            (w.model, w.text.clone(), w.stop, before, w.tokens.len())
        })
        .collect()
}

#[test]
fn it_writes_the_same_steps() {
    let _turn = exclusive();
    for more in
        ["stream = false\nlogprobs = 0", "api = \"chat\"\ncontinues = \"untold\"\nlogprobs = 0"]
    {
        let mut runner = load(&remote_preset(more));
        for question in long_questions(6) {
            for router in ["always-large", "confidence"] {
                let local = run(&mut pair(), router, &question);
                let remote = run(&mut runner, router, &question);
                assert_eq!(steps(&remote), steps(&local), "{more}, {router}: {}", question.text);
                assert_eq!((&remote.status, writers(&remote)), (&local.status, writers(&local)));
            }
        }
    }
}

#[test]
fn missing_fields_are_reported_with_a_remedy() {
    let _turn = exclusive();
    let message = write_error(engine("logprobs = 0").as_mut());
    assert!(message.contains("does not report its token usage"), "{message}");
    assert!(message.contains("set `stream = false` in the preset"), "{message}");
    // It sends decimal logarithms of logits.
    let message = write_error(engine("stream = false").as_mut());
    assert!(
        message.contains(
            "its log-probabilities are invalid at token 1 of the step: set `logprobs = 0`"
        ),
        "{message}"
    );
}

#[test]
fn eval_and_doctor_work_with_it() {
    let _turn = exclusive();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("remote.toml");
    std::fs::write(&path, toml::to_string(&remote_preset("stream = false\nlogprobs = 0")).unwrap())
        .unwrap();
    let path = path.to_str().unwrap();
    let eval = |preset: &str| {
        let routers = "confidence,always-large";
        let args = [
            "eval",
            "--preset",
            preset,
            "--routers",
            routers,
            "--no-curve",
            "-n",
            "12",
            "--json",
            "--jobs",
            "1",
        ];
        objects(&stdout(home.path(), &args))
    };
    let (local, remote) = (eval("tiny"), eval(path));
    assert_eq!(local.len(), 2);
    for (local, remote) in local.iter().zip(&remote) {
        assert_eq!(local["accuracy"], remote["accuracy"], "{local}\n{remote}");
        assert_eq!(local["switches"], remote["switches"], "{local}\n{remote}");
    }
    let doctor = stdout(home.path(), &["doctor", "--preset", path]);
    assert!(doctor.contains(" answered after "), "{doctor}");
}
