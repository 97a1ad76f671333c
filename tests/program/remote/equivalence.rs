//! A remote model writes the same tokens as the same model in this process.

use pointsman::engine::{EngineRequest, Flow, PartialStep};
use pointsman::episode::{Episode, Role, StopReason};
use pointsman::routing::RouterError;
use pointsman::session::{EpisodeSpec, NullObserver, SessionError, load_runner_pool};

use super::server::{Server, ServerCapabilities};
use super::{
    FULL_CAPABILITIES, PROMPT, cache, comparable_steps, engine, load, preset_with_remote_large,
    remote_model, request, run, write, write_error,
};
use crate::shell::{failure, objects, stdout};
use crate::tiny::{long_questions, pair, preset, registry, writers};

#[test]
fn a_remote_large_model_writes_the_same_steps() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    for more in ["", "api = \"chat\""] {
        let mut remote_runner = load(&preset_with_remote_large(&server, more));
        for question in long_questions(8) {
            for router in ["always-large", "confidence"] {
                let local = run(&mut pair(), router, &question);
                let remote = run(&mut remote_runner, router, &question);
                assert_eq!(
                    comparable_steps(&remote),
                    comparable_steps(&local),
                    "{router}: {}",
                    question.text
                );
                assert_eq!((&remote.status, writers(&remote)), (&local.status, writers(&local)));
                let spent = |e: &Episode| {
                    let large = e.ledger.totals.large;
                    (large.kept, large.discarded, e.ledger.totals.small.kept)
                };
                assert_eq!(spent(&remote), spent(&local));
            }
        }
    }
    let asked = server.received();
    assert!(asked.iter().any(|r| r.path == "/v1/completions"));
    assert!(asked.iter().any(|r| r.path == "/v1/chat/completions"));
}

#[test]
fn two_remote_models_run_many_episodes_at_once() {
    let (small, large) = (
        Server::start(Role::Small, FULL_CAPABILITIES),
        Server::start(Role::Large, FULL_CAPABILITIES),
    );
    let mut both = preset_with_remote_large(&large, "");
    both.small = remote_model(&small, Role::Small, "");
    let questions = long_questions(12);
    let mut pool = load_runner_pool(&both, &cache(), None).unwrap();
    let mut remote = vec![None; questions.len()];
    pool.for_each_index(
        questions.len(),
        |runner, n| {
            let mut router = registry().router("confidence")?;
            let spec = EpisodeSpec::new(&questions[n], router.as_mut(), 1);
            runner.run(spec, &mut NullObserver, &mut NullObserver)
        },
        |n, episode| {
            remote[n] = Some(episode);
            Ok(())
        },
    )
    .unwrap();
    for (question, remote) in questions.iter().zip(remote) {
        let local = run(&mut pair(), "confidence", question);
        assert_eq!(
            comparable_steps(&remote.unwrap()),
            comparable_steps(&local),
            "{}",
            question.text
        );
    }
    assert!(small.max_in_flight() > 4, "{} at once", small.max_in_flight());
}

#[test]
fn a_remote_draft_is_continued() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut engine = engine(&server, "");
    let whole = write(engine.as_mut()).unwrap();
    let short = EngineRequest { max_tokens: 3, is_draft: true, ..request(PROMPT) };
    let draft = engine.generate(&short, &mut |_| Flow::Continue).unwrap();
    assert_eq!((draft.stop, draft.tokens.len()), (StopReason::DraftLimit, 3));
    let partial = Some(PartialStep { text: draft.text.clone(), ids: vec![0; 3] });
    let rest = EngineRequest { partial, ..request(PROMPT) };
    let rest = engine.generate(&rest, &mut |_| Flow::Continue).unwrap();
    assert_eq!(draft.text + &rest.text, whole.text);
    assert!(whole.text.ends_with('\n'));
}

#[test]
fn servers_without_log_probabilities_work() {
    let without_logprobs =
        ServerCapabilities { reports_stop: false, logprobs: false, continues_messages: true };
    let server = Server::start(Role::Large, without_logprobs);
    let message = write_error(engine(&server, "").as_mut());
    assert!(message.contains("sends no log-probabilities: set `logprobs = 0`"), "{message}");
    let mut remote_runner = load(&preset_with_remote_large(&server, "logprobs = 0"));
    for question in long_questions(4) {
        let local = run(&mut pair(), "always-large", &question);
        let remote = run(&mut remote_runner, "always-large", &question);
        assert_eq!(remote.text().trim_end(), local.text().trim_end());
        assert_eq!(remote.status, local.status);
        assert_eq!(remote.ledger.totals.large.kept, local.ledger.totals.large.kept);
    }
    let mut small = preset();
    small.small = remote_model(&server, Role::Small, "logprobs = 0");
    let mut router = registry().router("confidence").unwrap();
    let question = long_questions(1).remove(0);
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let error = load(&small).run(spec, &mut NullObserver, &mut NullObserver).unwrap_err();
    assert!(matches!(&error, SessionError::Router(RouterError::NeedsTokenStats { .. })), "{error}");
}

#[test]
fn servers_that_cannot_continue_a_message_repeat_the_first_step() {
    let server = Server::start(
        Role::Large,
        ServerCapabilities { continues_messages: false, ..FULL_CAPABILITIES },
    );
    let mut remote_runner = load(&preset_with_remote_large(&server, "api = \"chat\""));
    let episode = run(&mut remote_runner, "always-large", &long_questions(1)[0]);
    let texts: Vec<&str> = episode.steps.iter().map(|s| s.generation.text.as_str()).collect();
    assert_eq!(texts[0], texts[1], "as documented for `continues`");
}

#[test]
fn the_judge_needs_a_local_large_model() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let question = long_questions(1).remove(0);
    let mut router = registry().router("judge").unwrap();
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let error = load(&preset_with_remote_large(&server, ""))
        .run(spec, &mut NullObserver, &mut NullObserver)
        .unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains("router judge needs the large model to score drafts"), "{sentence}");
    assert!(server.received().is_empty());
}

#[test]
fn a_policy_for_a_remote_small_model_uses_no_entropies() {
    let server = Server::start(Role::Small, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let mut preset = preset();
    preset.small = remote_model(&server, Role::Small, "");
    let path = home.path().join("tlocal.toml");
    std::fs::write(&path, toml::to_string(&preset).unwrap()).unwrap();
    let path = path.to_str().unwrap();
    let (code, message) =
        failure(home.path(), &["run", "--preset", path, "--policy", "builtin:tiny"]);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("router policy needs the whole distributions"), "{message}");
    let train = ["train", "--preset", path, "--rounds", "1", "-n", "60", "--iterations", "20"];
    let trained = stdout(home.path(), &train);
    assert!(trained.contains("from the log-probabilities"), "{trained}");
    let run = ["run", "--preset", path, "--policy", "tiny-1", "--json"];
    assert!(objects(&stdout(home.path(), &run)).len() > 2);
}
