//! Failures of a remote model: retries, messages, cancellation.

use std::time::{Duration, Instant};

use pointsman::episode::{Episode, Event, EventKind, FinishReason, Role, StopReason, Token};
use pointsman::routing::Opinion;
use pointsman::session::{
    Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, EventSink, NullObserver, load_runner_pool,
};

use super::server::{Server, ServerFault};
use super::{
    FULL_CAPABILITIES, PROMPT, cache, comparable_steps, engine, load, preset_with_remote_large,
    run, write, write_error,
};
use crate::tiny::{long_questions, registry};

#[test]
fn requests_are_retried_after_the_delay_the_server_asks_for() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut engine = engine(&server, "");
    server.queue_faults([
        ServerFault::Refuse(429, "Retry-After: 1\r\n", "{\"error\":{\"message\":\"slow down\"}}"),
        ServerFault::Refuse(503, "", "overloaded"),
        ServerFault::HangUp,
    ]);
    let draft = write(engine.as_mut()).unwrap();
    assert_eq!(draft.stop, StopReason::Delimiter);
    let at: Vec<Instant> = server.received().iter().map(|r| r.at).collect();
    assert_eq!(at.len(), 4);
    assert!(at[1] - at[0] >= Duration::from_secs(1), "{:?}", at[1] - at[0]);
    assert!(at[2] - at[1] >= Duration::from_millis(400), "{:?}", at[2] - at[1]);
}

#[test]
fn errors_of_the_server_are_reported_with_a_remedy() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut engine = engine(&server, "retries = 1");
    let busy = ServerFault::Refuse(503, "", "<html>\nbusy</html>");
    let slow = ServerFault::Refuse(429, "", "{}");
    for (faults, expected) in [
        (
            vec![busy.clone(), busy],
            "it is down or overloaded (503: <html> busy</html>): try again later (tried 2 times)",
        ),
        (vec![slow.clone(), slow], "set `requests_per_minute`"),
        (vec![ServerFault::HangUp, ServerFault::HangUp], "it cannot be reached"),
        (vec![ServerFault::Refuse(429, "Retry-After: 7200\r\n", "")], "it asks to wait for 7200 s"),
        (
            vec![ServerFault::Refuse(
                429,
                "",
                "{\"error\":{\"message\":\"no money\",\"code\":\"insufficient_quota\"}}",
            )],
            "the quota is used up (429: no money)",
        ),
        (
            vec![ServerFault::Refuse(401, "", "")],
            "it needs a key (401): put one into an environment variable",
        ),
        (
            vec![ServerFault::Refuse(404, "", "{\"detail\":\"Not Found\"}")],
            "no model tiny/large (404: Not Found)",
        ),
        (
            vec![ServerFault::Refuse(307, "Location: http://elsewhere/\r\n", "")],
            "it has moved (307)",
        ),
        (
            vec![ServerFault::Refuse(400, "", "{\"error\":{\"message\":\"bad stop\"}}")],
            "it rejects the request (400: bad stop)",
        ),
        (
            vec![ServerFault::Say(&["{\"error\":{\"message\":\"out of memory\"}}"])],
            "generation failed (out of memory)",
        ),
        (vec![ServerFault::Say(&["oops"])], "generation failed (its reply is not JSON)"),
        (vec![ServerFault::Say(&["[DONE]"])], "the connection ended in the middle of a step"),
        (
            vec![ServerFault::Say(&[
                "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}",
                "[DONE]",
            ])],
            "it does not report its token usage",
        ),
        (
            vec![ServerFault::Say(&[
                "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"content_filter\"}],\"usage\":{\"prompt_tokens\":1}}",
            ])],
            "it stopped early (content_filter)",
        ),
    ] {
        server.queue_faults(faults);
        let message = write_error(engine.as_mut());
        assert!(
            message.starts_with(&format!("model tiny-large at {}: ", server.source)),
            "{message}"
        );
        assert!(message.contains(expected), "{message}");
    }
    // The next request is answered.
    assert!(write(engine.as_mut()).is_ok());
}

#[test]
fn a_leading_delimiter_does_not_end_the_step() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut engine = engine(&server, "");
    let blank = "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\",\"stop_reason\":\"\\n\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}";
    server.queue_faults([ServerFault::Say(Box::leak(Box::new([blank, "[DONE]"])))]);
    let draft = write(engine.as_mut()).unwrap();
    assert!(draft.text.starts_with('\n') && draft.text.trim().len() > 3, "{:?}", draft.text);
    assert_eq!(draft.stop, StopReason::Delimiter);
    let asked = server.received();
    assert_eq!(asked[1].body["prompt"], format!("{PROMPT}\n"));
    server.queue_faults([1, 2].map(|_| ServerFault::Say(Box::leak(Box::new([blank, "[DONE]"])))));
    assert!(write_error(engine.as_mut()).contains("it generates blank lines only"));
}

#[test]
fn a_silent_server_times_out() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut engine = engine(&server, "timeout_s = 0.3");
    for after in [0, 2] {
        server.queue_faults([ServerFault::Silence(after)]);
        let message = write_error(engine.as_mut());
        assert!(message.contains("it has sent nothing for 0.3 s"), "{message}");
    }
}

/// Keeps events, and stops the episode after so many tokens.
#[derive(Default)]
struct StoppingObserver {
    events: Vec<Event>,
    tokens: usize,
    /// Number of tokens to stop at.
    stop_after: Option<usize>,
}

impl EventSink for StoppingObserver {
    fn begin_episode(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        self.events.push(event.clone());
        Ok(())
    }
}

impl EpisodeObserver for StoppingObserver {
    fn poll(&mut self) -> Option<Command> {
        let due = self.stop_after.is_some_and(|after| self.tokens >= after);
        due.then(|| self.stop_after.take()).map(|_| Command::Stop)
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn on_event(&mut self, _: u64, _: Event) {}

    fn on_token(&mut self, _: Role, _: &Token) {
        self.tokens += 1;
    }

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}

#[test]
fn a_server_that_dies_in_a_step_keeps_the_steps_before_it() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut runner = load(&preset_with_remote_large(&server, ""));
    let question = long_questions(1).remove(0);
    let whole = run(&mut runner, "always-large", &question);
    for after in [0, 3] {
        let mut memory = StoppingObserver::default();
        let mut router = registry().router("always-large").unwrap();
        let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
        let mut dying = KillsServerAtSecondStep { server: &server, after, armed: false };
        let error = runner.run(spec, &mut memory, &mut dying).unwrap_err().to_string();
        assert!(error.contains("the connection ended in the middle of a step"), "{error}");
        let last = &memory.events.last().unwrap().kind;
        assert!(matches!(last, EventKind::Failed { error: kept } if *kept == error));
        let failed = Episode::fold(&memory.events).unwrap().unwrap();
        assert_eq!(failed.steps.len(), 1);
        assert_eq!(comparable_steps(&failed)[0], comparable_steps(&whole)[0]);
        assert_eq!(
            comparable_steps(&run(&mut runner, "always-large", &question)),
            comparable_steps(&whole)
        );
    }
}

/// Kills the server in the second step, after so many tokens.
struct KillsServerAtSecondStep<'a> {
    server: &'a Server,
    after: usize,
    armed: bool,
}

impl EpisodeObserver for KillsServerAtSecondStep<'_> {
    fn poll(&mut self) -> Option<Command> {
        None
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn on_event(&mut self, _: u64, event: Event) {
        if matches!(event.kind, EventKind::Written { .. }) && !self.armed {
            self.armed = true;
            self.server.queue_faults([ServerFault::Die(self.after)]);
        }
    }

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}

#[test]
fn episodes_are_cancelled_between_tokens_and_during_silence() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut runner = load(&preset_with_remote_large(&server, ""));
    let question = long_questions(1).remove(0);
    let mut cancelled = |stop_after: usize| {
        let mut observer =
            StoppingObserver { stop_after: Some(stop_after), ..StoppingObserver::default() };
        let mut router = registry().router("always-large").unwrap();
        let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
        let episode = runner.run(spec, &mut NullObserver, &mut observer).unwrap();
        let finish = format!("{:?}", episode.status);
        assert!(finish.contains(&format!("{:?}", FinishReason::Cancelled)), "{finish}");
        episode
    };
    let episode = cancelled(3);
    // The engine may receive a few more.
    assert!(
        (3..=5).contains(&episode.ledger.totals.large.kept),
        "{}",
        episode.ledger.totals.large.kept
    );
    assert_eq!(episode.ledger.totals.large.prefilled, 0, "unreported tokens are not counted");
    // The server holds the text of a token back until the next one.
    server.queue_faults([ServerFault::Silence(2)]);
    let episode = cancelled(1);
    assert!((1..=3).contains(&episode.ledger.totals.large.kept));
    assert!(server.client_disconnected(), "the connection is closed");
    // Before the first token, and while waiting to retry.
    server.queue_faults([ServerFault::Refuse(429, "Retry-After: 60\r\n", "")]);
    let waiting = Instant::now();
    let episode = cancelled(0);
    assert_eq!(episode.ledger.totals.large.kept, 0);
    assert!(waiting.elapsed() < Duration::from_secs(60), "it does not wait for the retry");
}

#[test]
fn requests_stay_below_the_rate_limit() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let mut pool = load_runner_pool(
        &preset_with_remote_large(&server, "requests_per_minute = 1200"),
        &cache(),
        Some(3),
    )
    .unwrap();
    let questions = long_questions(3);
    let work = |runner: &mut EpisodeRunner, n: usize| {
        let mut router = registry().router("always-large")?;
        runner.run(
            EpisodeSpec::new(&questions[n], router.as_mut(), 1),
            &mut NullObserver,
            &mut NullObserver,
        )
    };
    let start = Instant::now();
    pool.for_each_index(3, work, |_, _| Ok(())).unwrap();
    let received = server.received();
    // From before the first request: a busy machine may note its arrival late.
    let taken = received.last().unwrap().at - start;
    let least = Duration::from_millis(50) * (received.len() as u32 - 1);
    assert!(taken >= least, "{} requests in {taken:?}", received.len());
}
