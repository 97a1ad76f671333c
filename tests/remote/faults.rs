//! What goes wrong, and what is done about it.

use std::time::{Duration, Instant};

use pointsman::episode::{Episode, Event, EventKind, FinishReason, Role, StopReason, Token};
use pointsman::routing::Opinion;
use pointsman::session::{Audience, Command, Conductor, Job, Journal, Nobody, load_fleet};

use crate::server::{Fault, Server};
use crate::tiny::{long_questions, roster};
use crate::{GOOD, PENS, cache, engine, large_at, load, run, sentence, write, written};

#[test]
fn it_asks_again_when_it_may_and_waits_as_it_is_told() {
    let server = Server::start(Role::Large, GOOD);
    let mut engine = engine(&server, "");
    server.misbehave([
        Fault::Refuse(429, "Retry-After: 1\r\n", "{\"error\":{\"message\":\"slow down\"}}"),
        Fault::Refuse(503, "", "overloaded"),
        Fault::HangUp,
    ]);
    let draft = write(engine.as_mut()).unwrap();
    assert_eq!(draft.stop, StopReason::Delimiter);
    let at: Vec<Instant> = server.received().iter().map(|r| r.at).collect();
    assert_eq!(at.len(), 4);
    assert!(at[1] - at[0] >= Duration::from_secs(1), "{:?}", at[1] - at[0]);
    assert!(at[2] - at[1] >= Duration::from_millis(400), "{:?}", at[2] - at[1]);
}

#[test]
fn what_a_server_refuses_is_said_with_the_remedy() {
    let server = Server::start(Role::Large, GOOD);
    let mut engine = engine(&server, "retries = 1");
    let busy = Fault::Refuse(503, "", "<html>\nbusy</html>");
    let slow = Fault::Refuse(429, "", "{}");
    for (faults, says) in [
        (
            vec![busy.clone(), busy],
            "it is down or overloaded (503: <html> busy</html>): try again later (asked 2 times)",
        ),
        (vec![slow.clone(), slow], "set `requests_per_minute`"),
        (vec![Fault::HangUp, Fault::HangUp], "it cannot be reached"),
        (vec![Fault::Refuse(429, "Retry-After: 7200\r\n", "")], "try again in 7200 s"),
        (
            vec![Fault::Refuse(
                429,
                "",
                "{\"error\":{\"message\":\"no money\",\"code\":\"insufficient_quota\"}}",
            )],
            "what may be spent there is spent (429: no money)",
        ),
        (vec![Fault::Refuse(401, "", "")], "it wants a key (401): put it into a variable"),
        (
            vec![Fault::Refuse(404, "", "{\"detail\":\"Not Found\"}")],
            "no model tiny/large (404: Not Found)",
        ),
        (vec![Fault::Refuse(307, "Location: http://elsewhere/\r\n", "")], "it has moved (307)"),
        (
            vec![Fault::Refuse(400, "", "{\"error\":{\"message\":\"bad stop\"}}")],
            "it refuses the request (400: bad stop)",
        ),
        (
            vec![Fault::Say(&["{\"error\":{\"message\":\"out of memory\"}}"])],
            "it gave up (out of memory)",
        ),
        (vec![Fault::Say(&["oops"])], "it gave up (its reply is not JSON)"),
        (vec![Fault::Say(&["[DONE]"])], "the connection ended in the middle of a step"),
        (
            vec![Fault::Say(&[
                "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}",
                "[DONE]",
            ])],
            "it does not report what it took",
        ),
        (
            vec![Fault::Say(&[
                "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"content_filter\"}],\"usage\":{\"prompt_tokens\":1}}",
            ])],
            "it broke off (content_filter)",
        ),
    ] {
        server.misbehave(faults);
        let said = sentence(engine.as_mut());
        assert!(said.starts_with(&format!("model tiny-large at {}: ", server.source)), "{said}");
        assert!(said.contains(says), "{said}");
    }
    // It has lost nothing: the next one is answered.
    assert!(write(engine.as_mut()).is_ok());
}

#[test]
fn a_leading_delimiter_ends_no_step() {
    let server = Server::start(Role::Large, GOOD);
    let mut engine = engine(&server, "");
    let blank = "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\",\"stop_reason\":\"\\n\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}";
    server.misbehave([Fault::Say(Box::leak(Box::new([blank, "[DONE]"])))]);
    let draft = write(engine.as_mut()).unwrap();
    assert!(draft.text.starts_with('\n') && draft.text.trim().len() > 3, "{:?}", draft.text);
    assert_eq!(draft.stop, StopReason::Delimiter);
    let asked = server.received();
    assert_eq!(asked[1].body["prompt"], format!("{PENS}\n"));
    server.misbehave([1, 2].map(|_| Fault::Say(Box::leak(Box::new([blank, "[DONE]"])))));
    assert!(sentence(engine.as_mut()).contains("it writes blank lines only"));
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for() {
    let server = Server::start(Role::Large, GOOD);
    let mut engine = engine(&server, "timeout_s = 0.3");
    for after in [0, 2] {
        server.misbehave([Fault::Silence(after)]);
        let began = Instant::now();
        let said = sentence(engine.as_mut());
        assert!(said.contains("it has said nothing for 0.3 s"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

/// Keeps events, and stops the episode when told to.
#[derive(Default)]
struct Watcher {
    events: Vec<Event>,
    tokens: usize,
    /// Stop once there have been so many tokens.
    stop_after: Option<usize>,
}

impl Journal for Watcher {
    fn begin(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        self.events.push(event.clone());
        Ok(())
    }
}

impl Audience for Watcher {
    fn poll(&mut self) -> Option<Command> {
        let due = self.stop_after.is_some_and(|after| self.tokens >= after);
        due.then(|| self.stop_after.take()).map(|_| Command::Stop)
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn event(&mut self, _: u64, _: &Event) {}

    fn token(&mut self, _: Role, _: &Token) {
        self.tokens += 1;
    }

    fn opinion(&mut self, _: usize, _: &Opinion) {}

    fn refuse(&mut self, _: &str) {}
}

#[test]
fn a_server_that_dies_in_a_step_ends_the_episode_and_nothing_before_it_is_lost() {
    let server = Server::start(Role::Large, GOOD);
    let mut there = load(&large_at(&server, ""));
    let question = long_questions(1).remove(0);
    let whole = run(&mut there, "always-large", &question);
    for after in [0, 3] {
        let mut memory = Watcher::default();
        let mut router = roster().router("always-large").unwrap();
        let job = Job::new(&question, router.as_mut(), 1);
        let mut dying = Dying { server: &server, after, armed: false };
        let error = there.run(job, &mut memory, &mut dying).unwrap_err().to_string();
        assert!(error.contains("the connection ended in the middle of a step"), "{error}");
        let last = &memory.events.last().unwrap().kind;
        assert!(matches!(last, EventKind::Failed { error: kept } if *kept == error));
        let failed = Episode::fold(&memory.events).unwrap().unwrap();
        assert_eq!(failed.steps.len(), 1);
        assert_eq!(written(&failed)[0], written(&whole)[0]);
        assert_eq!(written(&run(&mut there, "always-large", &question)), written(&whole));
    }
}

/// Lets the server die in the second step.
struct Dying<'a> {
    server: &'a Server,
    after: usize,
    armed: bool,
}

impl Audience for Dying<'_> {
    fn poll(&mut self) -> Option<Command> {
        None
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn event(&mut self, _: u64, event: &Event) {
        if matches!(event.kind, EventKind::Written { .. }) && !self.armed {
            self.armed = true;
            self.server.misbehave([Fault::Die(self.after)]);
        }
    }

    fn token(&mut self, _: Role, _: &Token) {}

    fn opinion(&mut self, _: usize, _: &Opinion) {}

    fn refuse(&mut self, _: &str) {}
}

#[test]
fn it_is_cancelled_between_tokens_and_while_nothing_comes() {
    let server = Server::start(Role::Large, GOOD);
    let mut there = load(&large_at(&server, ""));
    let question = long_questions(1).remove(0);
    let mut cancelled = |stop_after: usize| {
        let mut watcher = Watcher { stop_after: Some(stop_after), ..Watcher::default() };
        let mut router = roster().router("always-large").unwrap();
        let job = Job::new(&question, router.as_mut(), 1);
        let began = Instant::now();
        let episode = there.run(job, &mut Nobody, &mut watcher).unwrap();
        let finish = format!("{:?}", episode.status);
        assert!(finish.contains(&format!("{:?}", FinishReason::Cancelled)), "{finish}");
        (episode, began.elapsed())
    };
    let (episode, _) = cancelled(3);
    // The text of one more may be on its way.
    assert!(
        (3..=5).contains(&episode.ledger.accounts.large.kept),
        "{}",
        episode.ledger.accounts.large.kept
    );
    assert_eq!(episode.ledger.accounts.large.prefilled, 0, "what nobody reports is not counted");
    // A token is seen with its text, which the server holds back until the next.
    server.misbehave([Fault::Silence(2)]);
    let (episode, took) = cancelled(1);
    assert!((1..=3).contains(&episode.ledger.accounts.large.kept));
    assert!(server.was_left(), "the server is told, too");
    assert!(took < Duration::from_millis(1500), "{took:?}");
    // Before a first token, and in the pause before it is asked again.
    server.misbehave([Fault::Refuse(429, "Retry-After: 60\r\n", "")]);
    let (episode, took) = cancelled(0);
    assert_eq!(episode.ledger.accounts.large.kept, 0);
    assert!(took < Duration::from_millis(1500), "{took:?}");
}

#[test]
fn it_is_asked_no_more_often_than_it_likes() {
    let server = Server::start(Role::Large, GOOD);
    let mut fleet =
        load_fleet(&large_at(&server, "requests_per_minute = 1200"), &cache(), Some(3)).unwrap();
    let questions = long_questions(3);
    let work = |conductor: &mut Conductor, n: usize| {
        let mut router = roster().router("always-large")?;
        conductor.run(Job::new(&questions[n], router.as_mut(), 1), &mut Nobody, &mut Nobody)
    };
    fleet.each(3, work, |_, _| Ok(())).unwrap();
    let at: Vec<Instant> = server.received().iter().map(|r| r.at).collect();
    let apart = at.windows(2).map(|two| two[1] - two[0]).sum::<Duration>();
    let least = Duration::from_millis(50) * (at.len() as u32 - 2);
    assert!(apart >= least, "{} requests in {apart:?}", at.len());
}
