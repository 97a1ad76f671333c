//! What is written there is what is written here.

use pointsman::engine::{Begun, Flow, Request};
use pointsman::episode::{Episode, Role, StopReason};
use pointsman::routing::RouterError;
use pointsman::session::{Job, Nobody, SessionError, load_fleet};

use crate::server::{Manners, Server};
use crate::shell::{failure, objects, stdout};
use crate::tiny::{long_questions, pair, preset, roster, writers};
use crate::{
    GOOD, PENS, behind, cache, engine, large_at, load, request, run, sentence, write, written,
};

#[test]
fn a_large_model_there_writes_what_it_writes_here() {
    let server = Server::start(Role::Large, GOOD);
    for more in ["", "api = \"chat\""] {
        let mut there = load(&large_at(&server, more));
        for question in long_questions(8) {
            for router in ["always-large", "confidence"] {
                let here = run(&mut pair(), router, &question);
                let remote = run(&mut there, router, &question);
                assert_eq!(written(&remote), written(&here), "{router}: {}", question.text);
                assert_eq!((&remote.status, writers(&remote)), (&here.status, writers(&here)));
                let spent = |e: &Episode| {
                    let large = e.ledger.accounts.large;
                    (large.kept, large.discarded, e.ledger.accounts.small.kept)
                };
                assert_eq!(spent(&remote), spent(&here));
            }
        }
    }
    let asked = server.received();
    assert!(asked.iter().any(|r| r.path == "/v1/completions"));
    assert!(asked.iter().any(|r| r.path == "/v1/chat/completions"));
}

#[test]
fn both_may_be_there_and_many_episodes_in_flight() {
    let (small, large) = (Server::start(Role::Small, GOOD), Server::start(Role::Large, GOOD));
    let mut both = large_at(&large, "");
    both.small = behind(&small, Role::Small, "");
    let questions = long_questions(12);
    let mut fleet = load_fleet(&both, &cache(), None).unwrap();
    let mut there = vec![None; questions.len()];
    fleet
        .each(
            questions.len(),
            |conductor, n| {
                let mut router = roster().router("confidence")?;
                let job = Job::new(&questions[n], router.as_mut(), 1);
                conductor.run(job, &mut Nobody, &mut Nobody)
            },
            |n, episode| {
                there[n] = Some(episode);
                Ok(())
            },
        )
        .unwrap();
    for (question, there) in questions.iter().zip(there) {
        let here = run(&mut pair(), "confidence", question);
        assert_eq!(written(&there.unwrap()), written(&here), "{}", question.text);
    }
    assert!(small.most() > 4, "{} at once", small.most());
}

#[test]
fn a_glimpse_is_gone_on_with() {
    let server = Server::start(Role::Large, GOOD);
    let mut engine = engine(&server, "");
    let whole = write(engine.as_mut()).unwrap();
    let short = Request { max_tokens: 3, glimpse: true, ..request(PENS) };
    let glimpse = engine.write(&short, &mut |_| Flow::Continue).unwrap();
    assert_eq!((glimpse.stop, glimpse.tokens.len()), (StopReason::Glimpse, 3));
    let begun = Some(Begun { text: glimpse.text.clone(), ids: vec![0; 3] });
    let rest = Request { begun, ..request(PENS) };
    let rest = engine.write(&rest, &mut |_| Flow::Continue).unwrap();
    assert_eq!(glimpse.text + &rest.text, whole.text);
    assert!(whole.text.ends_with('\n'));
}

#[test]
fn a_server_that_tells_less_is_understood() {
    let mute = Manners { tells_stop: false, logprobs: false, continues: true };
    let server = Server::start(Role::Large, mute);
    let said = sentence(engine(&server, "").as_mut());
    assert!(said.contains("gives no log-probabilities: set `logprobs = 0`"), "{said}");
    let mut there = load(&large_at(&server, "logprobs = 0"));
    for question in long_questions(4) {
        let here = run(&mut pair(), "always-large", &question);
        let remote = run(&mut there, "always-large", &question);
        assert_eq!(remote.text().trim_end(), here.text().trim_end());
        assert_eq!(remote.status, here.status);
        assert_eq!(remote.ledger.accounts.large.kept, here.ledger.accounts.large.kept);
    }
    let mut small = preset();
    small.small = behind(&server, Role::Small, "logprobs = 0");
    let mut router = roster().router("confidence").unwrap();
    let question = long_questions(1).remove(0);
    let job = Job::new(&question, router.as_mut(), 1);
    let error = load(&small).run(job, &mut Nobody, &mut Nobody).unwrap_err();
    assert!(matches!(&error, SessionError::Router(RouterError::NeedsEvidence { .. })), "{error}");
}

#[test]
fn a_server_that_cannot_go_on_with_a_message_begins_anew() {
    let server = Server::start(Role::Large, Manners { continues: false, ..GOOD });
    let mut there = load(&large_at(&server, "api = \"chat\""));
    let episode = run(&mut there, "always-large", &long_questions(1)[0]);
    let texts: Vec<&str> = episode.steps.iter().map(|s| s.writing.text.as_str()).collect();
    assert_eq!(texts[0], texts[1], "as the documentation of `continues` says");
}

#[test]
fn a_judge_needs_a_model_that_reads() {
    let server = Server::start(Role::Large, GOOD);
    let question = long_questions(1).remove(0);
    let mut router = roster().router("judge").unwrap();
    let job = Job::new(&question, router.as_mut(), 1);
    let error = load(&large_at(&server, "")).run(job, &mut Nobody, &mut Nobody).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains("router judge needs a large model that reads drafts"), "{sentence}");
    assert!(server.received().is_empty());
}

#[test]
fn a_policy_for_a_small_model_there_goes_without_entropies() {
    let server = Server::start(Role::Small, GOOD);
    let home = tempfile::tempdir().unwrap();
    let mut preset = preset();
    preset.small = behind(&server, Role::Small, "");
    let path = home.path().join("there.toml");
    std::fs::write(&path, toml::to_string(&preset).unwrap()).unwrap();
    let path = path.to_str().unwrap();
    let (code, said) = failure(home.path(), &["run", "--preset", path, "--policy", "builtin:tiny"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("router policy needs the whole distributions"), "{said}");
    let train = ["train", "--preset", path, "--rounds", "1", "-n", "60", "--steps", "20"];
    let trained = stdout(home.path(), &train);
    assert!(trained.contains("from the log-probabilities"), "{trained}");
    let run = ["run", "--preset", path, "--policy", "tiny-1", "--json"];
    assert!(objects(&stdout(home.path(), &run)).len() > 2);
}
