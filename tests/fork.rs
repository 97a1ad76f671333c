//! Steps that are taken back, forks, and routers that only look on, with the real tiny pair.

mod shell;
mod tiny;

use std::collections::VecDeque;
use std::sync::Arc;

use pointsman::config::{Exploration, Glimpse, Preset};
use pointsman::episode::{
    Account, Decider, Episode, Event, EventKind, FinishReason, OverrideScope, PerRole, Role,
    Status, Token, disagreements,
};
use pointsman::routing::{Intake, Opinion, Pair};
use pointsman::session::{
    Audience, Command, Conductor, Fork, ForkOrder, Job, Journal, SessionError, Update, spawn,
};
use pointsman::tasks::Question;
use pointsman::training::Dataset;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use tiny::*;

/// Gives commands when a step is about to be decided, when a token of one is drawn, or in a pause.
#[derive(Default)]
struct Watcher {
    at_step: Vec<(usize, Command)>,
    /// Step, tokens of it that have been drawn, command.
    at_token: Option<(usize, usize, Command)>,
    waiting: VecDeque<Command>,
    due: VecDeque<Command>,
    step: usize,
    tokens: usize,
    refusals: Vec<String>,
    remarks: Vec<String>,
}

impl Watcher {
    fn reached(&mut self, step: usize) {
        (self.step, self.tokens) = (step, 0);
        while self.at_step.first().is_some_and(|(at, _)| *at == step) {
            self.due.push_back(self.at_step.remove(0).1);
        }
    }
}

impl Audience for Watcher {
    fn poll(&mut self) -> Option<Command> {
        self.due.pop_front()
    }

    fn wait(&mut self) -> Option<Command> {
        self.due.pop_front().or_else(|| self.waiting.pop_front())
    }

    fn event(&mut self, _: u64, event: &Event) {
        match &event.kind {
            EventKind::Started(_) => self.reached(0),
            EventKind::Written { step, .. } => self.reached(step + 1),
            _ => {}
        }
    }

    fn token(&mut self, _: Role, _: &Token) {
        self.tokens += 1;
        let now = (self.step, self.tokens);
        if let Some((_, _, command)) = self.at_token.take_if(|(s, n, _)| (*s, *n) == now) {
            self.due.push_back(command);
        }
    }

    fn opinion(&mut self, _: usize, _: &Opinion) {}

    fn refuse(&mut self, reason: &str) {
        self.refusals.push(reason.to_owned());
    }

    fn remark(&mut self, text: &str) {
        self.remarks.push(text.to_owned());
    }
}

/// Gives a dozen commands at random, whenever it is asked.
struct Restless {
    rng: ChaCha8Rng,
    left: usize,
}

impl Restless {
    fn command(&mut self) -> Command {
        self.left -= 1;
        let model = if self.rng.random() { Role::Small } else { Role::Large };
        match self.rng.random_range(0..10) {
            0..=2 => Command::Redo,
            3 => Command::Pause,
            4 => Command::Resume,
            5 => Command::Step,
            6 => Command::Override { model, scope: OverrideScope::NextStep },
            7 => Command::Override { model, scope: OverrideScope::FromHereOn },
            8 => Command::ClearOverride,
            _ => Command::Threshold(self.rng.random()),
        }
    }
}

impl Audience for Restless {
    fn poll(&mut self) -> Option<Command> {
        (self.left > 0 && self.rng.random_bool(0.1)).then(|| self.command())
    }

    fn wait(&mut self) -> Option<Command> {
        Some(if self.left > 0 { self.command() } else { Command::Resume })
    }

    fn event(&mut self, _: u64, _: &Event) {}

    fn token(&mut self, _: Role, _: &Token) {}

    fn opinion(&mut self, _: usize, _: &Opinion) {}

    fn refuse(&mut self, _: &str) {}
}

#[derive(Default)]
struct Memory(Vec<Event>);

impl Journal for Memory {
    fn begin(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        self.0.push(event.clone());
        Ok(())
    }
}

struct Run<A = Watcher> {
    episode: Episode,
    events: Vec<Event>,
    watcher: A,
}

fn ask(conductor: &mut Conductor, router: &str, watcher: Watcher) -> Run {
    let question = &long_questions(1)[0];
    conductor.preset_mut().routing.router = router.into();
    run(conductor, router, watcher, |router| Job::new(question, router, 1)).unwrap()
}

fn run<'a, A: Audience>(
    conductor: &mut Conductor,
    router: &str,
    mut watcher: A,
    job: impl FnOnce(&'a mut dyn pointsman::routing::Router) -> Job<'a>,
) -> Result<Run<A>, SessionError> {
    let mut memory = Memory::default();
    let router = Box::leak(roster().router(router).unwrap());
    let shadows = roster().shadows(&conductor.preset().routing.shadows).unwrap();
    let episode = conductor.run(Job { shadows, ..job(router) }, &mut memory, &mut watcher)?;
    // One truth: what the journal holds folds to what the run returned.
    assert_eq!(Episode::fold(&memory.0).unwrap().as_ref(), Some(&episode));
    let steps: f64 = episode.steps.iter().map(|s| s.cost(episode.started.prices)).sum();
    let rest = episode.discarded.iter().map(|w| {
        episode.started.prices[w.model].written * (w.usage.prefilled + w.tokens.len()) as f64
    });
    assert_eq!(steps + rest.sum::<f64>(), episode.ledger.cost(), "every token has its step");
    Ok(Run { episode, events: memory.0, watcher })
}

fn forked(conductor: &mut Conductor, fork: Fork, router: &str) -> Result<Run, SessionError> {
    let question = Question::of(&fork.episode.started);
    run(conductor, router, Watcher::default(), |router| {
        Job::fork(Box::leak(Box::new(question)), router, fork)
    })
}

fn intake(episode: &Episode) -> Intake {
    let started = &episode.started;
    let models = PerRole::from_fn(|role| &started.models[role]);
    let pair = Pair::of(&started.preset, started.prices, models);
    let mut dataset = Dataset::default();
    let policy = roster().policy().unwrap().clone();
    dataset.add(episode, &pair, &policy.card.set);
    dataset.intake
}

/// Counts without clock times.
fn counts(account: &Account) -> [usize; 5] {
    [account.prefilled, account.reused, account.kept, account.discarded, account.judged]
}

/// Whether both were written alike and for the same reasons, at the same expense; clock times aside.
fn assert_alike(a: &Episode, b: &Episode, context: &str) {
    assert_eq!(a.steps.len(), b.steps.len(), "{context}");
    assert_eq!(a.first_difference(b), None, "{context}");
    for (x, y) in a.steps.iter().zip(&b.steps) {
        let usage = [x, y].map(|s| (s.writing.usage.prefilled, s.writing.usage.reused));
        assert_eq!(usage[0], usage[1], "{context}");
        let (x, y) = (x.decision.as_ref().unwrap(), y.decision.as_ref().unwrap());
        assert_eq!((x.choice, &x.by), (y.choice, &y.by), "{context}");
        // The KV cache is filled in other portions: the last bits of a probability may differ.
        for (p, q) in [(x.p_large, y.p_large), (x.propensity, y.propensity)] {
            let near = p.zip(q).is_none_or(|(p, q)| (p - q).abs() < 1e-3);
            assert!(p.is_some() == q.is_some() && near, "{context}: {p:?} {q:?}");
        }
    }
}

#[test]
fn a_step_taken_back_is_written_by_the_other_model() {
    let mut conductor = pair();
    let plain = ask(&mut conductor, "confidence", Watcher::default());
    assert_eq!(intake(&plain.episode).used, 1);
    let watcher = Watcher { at_step: vec![(2, Command::Redo)], ..Watcher::default() };
    let redone = ask(&mut conductor, "confidence", watcher);
    let (old, new) = (&plain.episode.steps[1], &redone.episode.steps[1]);
    assert_eq!(new.writing.model, old.writing.model.other());
    assert_eq!(new.discarded.last().unwrap().text, old.writing.text);
    let decision = new.decision.as_ref().unwrap();
    assert_eq!((&decision.by, decision.propensity), (&Decider::Person, None));
    assert_eq!(decision.p_large, old.decision.as_ref().unwrap().p_large);
    assert_eq!(decision.advice(), Some(old.writing.model), "the router had chosen otherwise");
    assert_eq!(redone.episode.taken_back, 1);
    assert!(redone.episode.is_over());
    let next = redone.episode.steps[2].decision.as_ref().unwrap();
    assert_eq!(next.by, Decider::Rule("confidence".into()), "the points go back");
    let kinds = redone.events.iter().map(|e| &e.kind);
    let back = kinds.filter(|k| matches!(k, EventKind::TakenBack { step: 1 })).count();
    assert_eq!(back, 1);
    let left = intake(&redone.episode);
    assert_eq!((left.used, left.person), (0, 1));
}

#[test]
fn what_is_written_after_a_step_that_is_taken_back_is_dropped() {
    let mut conductor = pair();
    for router in ["always-small", "confidence"] {
        let watcher = Watcher { at_token: Some((2, 3, Command::Redo)), ..Watcher::default() };
        let run = ask(&mut conductor, router, watcher);
        assert!(run.watcher.at_token.is_none());
        assert!(run.episode.is_over());
        let redone = &run.episode.steps[1];
        assert_eq!(redone.decision.as_ref().unwrap().by, Decider::Person);
        // It was cancelled at the token after the one at which the command came.
        let begun = redone.discarded.last().unwrap();
        assert!((3..=4).contains(&begun.tokens.len()), "{router}: {begun:?}");
        let old = &redone.discarded[redone.discarded.len() - 2];
        assert_eq!(old.model, redone.writing.model.other());
    }
}

#[test]
fn a_step_is_taken_back_in_a_pause_and_the_pause_lasts() {
    let next = OverrideScope::NextStep;
    let watcher = Watcher {
        at_step: vec![(0, Command::Redo), (0, Command::Pause)],
        waiting: [
            Command::Step,
            Command::Override { model: Role::Large, scope: next },
            Command::Redo,
            Command::Redo,
            Command::Step,
            Command::Resume,
        ]
        .into(),
        ..Watcher::default()
    };
    let run = ask(&mut pair(), "always-small", watcher);
    assert_eq!(run.watcher.refusals.len(), 1, "{:?}", run.watcher.refusals);
    let kinds: Vec<&EventKind> = run.events.iter().map(|e| &e.kind).collect();
    let places = |is: fn(&EventKind) -> bool| -> Vec<usize> {
        kinds.iter().enumerate().filter(|(_, k)| is(k)).map(|(i, _)| i).collect()
    };
    let back = places(|k| matches!(k, EventKind::TakenBack { step: 0 }));
    let resumed = places(|k| matches!(k, EventKind::Resumed));
    assert_eq!(back.len(), 2, "there and back");
    assert!(resumed[0] < back[0] && back[1] < resumed[1], "{back:?} {resumed:?}");
    // The first step was written by small, large, small; what was said of the second still holds.
    let first = &run.episode.steps[0];
    let models: Vec<char> = first.discarded.iter().map(|w| w.model.mark()).collect();
    assert_eq!(models, ['S', 'L']);
    assert_eq!(first.discarded[0].text, first.writing.text);
    assert!(writers(&run.episode).starts_with("SLS"), "{}", writers(&run.episode));
}

#[test]
fn whatever_a_person_does_the_list_of_events_holds() {
    let mut conductor = pair();
    conductor.preset_mut().routing.shadows = vec!["random".parse().unwrap()];
    let (mut taken_back, mut forks) = (0, 0);
    for seed in 0..40 {
        let router = ["confidence", "judge", "always-small"][seed % 3];
        conductor.preset_mut().routing.router = router.into();
        let restless = || Restless { rng: ChaCha8Rng::seed_from_u64(seed as u64), left: 12 };
        let parent = run(&mut conductor, router, restless(), |router| {
            Job::new(Box::leak(Box::new(long_questions(1).remove(0))), router, 1)
        });
        let parent = parent.unwrap().episode;
        assert_eq!(parent.status, conclusion(&parent), "seed {seed}");
        taken_back += parent.taken_back;
        let step = seed % parent.steps.len();
        let fork = Fork::new(1, parent.clone(), step);
        let child = run(&mut conductor, router, restless(), |router| {
            let question = Question::of(&parent.started);
            Job::fork(Box::leak(Box::new(question)), router, fork)
        });
        let child = child.unwrap().episode;
        assert_eq!(child.status, conclusion(&child), "seed {seed}");
        let shared = child.inherited;
        assert!(shared <= step);
        assert_eq!(child.steps[..shared], parent.steps[..shared]);
        forks += usize::from(shared > 0);
    }
    assert!(taken_back > 20 && forks > 10, "{taken_back} steps, {forks} forks");
}

/// How an episode that nobody stopped must have ended, by its text.
fn conclusion(episode: &Episode) -> Status {
    let (answer, verdict) = Question::of(&episode.started).grade(&episode.text());
    let answered = episode.text().contains(&episode.started.preset.steps.answer);
    let reason = if answered { FinishReason::Answered } else { FinishReason::StepLimit };
    Status::Finished { answer, verdict, reason }
}

#[test]
fn a_fork_with_nothing_changed_goes_on_as_its_parent_did() {
    let mut conductor = pair();
    let mut rereads = 0;
    for (router, temperature) in [
        ("policy", 0.0),
        ("confidence", 0.0),
        ("judge", 0.0),
        ("entropy", 0.8),
        ("always-large", 0.0),
    ] {
        *conductor.preset_mut() = preset();
        conductor.preset_mut().sampling.temperature = temperature;
        conductor.preset_mut().routing.router = router.into();
        for (i, question) in long_questions(3).into_iter().enumerate() {
            let seed = 7 + i as u64;
            let parent = run(&mut conductor, router, Watcher::default(), |router| {
                Job::new(Box::leak(Box::new(question)), router, seed)
            });
            let parent = Arc::new(parent.unwrap().episode);
            for step in 0..parent.steps.len() {
                let fork = Fork::new(9, parent.clone(), step);
                let child = forked(&mut conductor, fork, router).unwrap().episode;
                assert_alike(&child, &parent, &format!("{router} from step {step}"));
                assert_eq!(child.status, parent.status);
                for role in Role::BOTH {
                    let both = [&child, &parent].map(|e| counts(&e.ledger.accounts[role]));
                    assert_eq!(both[0], both[1], "{router} from step {step}: {role}");
                }
                assert_eq!(child.ledger.cost(), parent.ledger.cost());
                let place = child.started.parent.as_ref().unwrap();
                assert_eq!((place.episode, place.step, child.inherited), (9, step, step));
                let reread = child.ledger.reread;
                assert_eq!(reread.small + reread.large == 0, step == 0);
                rereads += usize::from(reread.small > 0 && reread.large > 0);
                assert_eq!(intake(&child).forks, 1);
            }
        }
    }
    assert!(rereads > 10, "{rereads} times both models had something to read again");
    assert_eq!(conductor.preset().routing.router, "always-large", "the conductor's is untouched");
}

#[test]
fn a_fork_of_drawn_choices_draws_the_same() {
    let mut conductor = pair();
    conductor.preset_mut().routing.router = "confidence".into();
    conductor.preset_mut().routing.exploration =
        Some(Exploration { coin: 0.5, ..Exploration::default() });
    for seed in 0..6 {
        let question = &long_questions(1)[0];
        let parent = run(&mut conductor, "confidence", Watcher::default(), |router| {
            Job::new(Box::leak(Box::new(question.clone())), router, seed)
        });
        let parent = Arc::new(parent.unwrap().episode);
        for step in [1, 3] {
            let fork = Fork::new(1, parent.clone(), step);
            let child = forked(&mut conductor, fork.clone(), "confidence").unwrap().episode;
            assert_alike(&child, &parent, &format!("seed {seed}, step {step}"));
            let pinned = Fork { threshold: Some(1.0), ..fork };
            let child = forked(&mut conductor, pinned, "confidence").unwrap().episode;
            assert_eq!(child.started.preset.routing.exploration, None);
            assert!(!writers(&child)[step..].contains('L'), "{}", writers(&child));
        }
    }
}

#[test]
fn a_fork_changes_what_it_is_told_and_can_be_forked() {
    let mut conductor = pair();
    let parent = Arc::new(ask(&mut conductor, "always-small", Watcher::default()).episode);
    let other = Fork { model: Some(Role::Large), ..Fork::new(5, parent.clone(), 2) };
    let child = forked(&mut conductor, other, "always-small").unwrap();
    assert!(writers(&child.episode).starts_with("SSLS"), "{}", writers(&child.episode));
    assert_eq!(child.episode.steps[2].decision.as_ref().unwrap().by, Decider::Person);
    assert_eq!(child.episode.first_difference(&parent), Some(2));
    assert!(child.events.iter().all(|e| e.at_ms >= child.episode.began_ms), "copied now");

    // The grandchild leaves its parent within what that shares with its own.
    let grandparent = Arc::new(child.episode);
    let router = Fork::new(6, grandparent.clone(), 3);
    let grandchild = forked(&mut conductor, router, "confidence").unwrap().episode;
    assert_eq!(grandchild.started.preset.routing.router, "confidence");
    assert!(writers(&grandchild).starts_with("SSL"));
    assert_eq!(grandchild.steps[2], grandparent.steps[2]);
    let by = &grandchild.steps[3].decision.as_ref().unwrap().by;
    assert_eq!(*by, Decider::Rule("confidence".into()));
    let early = Fork { budget: Some(1.0), ..Fork::new(6, grandparent.clone(), 1) };
    let early = forked(&mut conductor, early, "always-large").unwrap().episode;
    assert_eq!(early.steps[1].decision.as_ref().unwrap().by, Decider::Budget);

    // What is inherited can be taken back; it is then no longer shared.
    let question = Question::of(&parent.started);
    let watcher = Watcher { at_step: vec![(2, Command::Redo)], ..Watcher::default() };
    let redone = run(&mut conductor, "always-small", watcher, |router| {
        Job::fork(Box::leak(Box::new(question)), router, Fork::new(5, parent.clone(), 2))
    });
    let redone = redone.unwrap().episode;
    assert_eq!(redone.inherited, 1);
    assert!(writers(&redone).starts_with("SLS"), "{}", writers(&redone));
}

#[test]
fn a_stopped_episode_goes_on_as_a_fork_of_its_end() {
    let mut conductor = pair();
    let whole = ask(&mut conductor, "policy", Watcher::default()).episode;
    let watcher = Watcher { at_step: vec![(3, Command::Stop)], ..Watcher::default() };
    let stopped = ask(&mut conductor, "policy", watcher).episode;
    assert_eq!(stopped.steps.len(), 3);
    let child = forked(&mut conductor, Fork::new(1, stopped, 3), "policy").unwrap().episode;
    assert_alike(&child, &whole, "after a stop");
    assert_eq!(child.status, whole.status);
}

#[test]
fn impossible_forks_are_refused_before_anything_is_begun() {
    let mut conductor = pair();
    let parent = ask(&mut conductor, "always-large", Watcher::default()).episode;
    let reason =
        |e: &Episode| matches!(e.status, Status::Finished { reason: FinishReason::Answered, .. });
    assert!(reason(&parent));
    let n = parent.steps.len();
    let mut stranger = parent.clone();
    stranger.started.models.large.digest = "another".into();
    let cases = [
        (Fork::new(3, parent.clone(), n + 1), format!("its number of steps is {n}")),
        (Fork::new(3, parent.clone(), n), format!("nothing can follow step {n}")),
        (Fork { threshold: Some(2.0), ..Fork::new(3, parent, 1) }, "routing.threshold is 2".into()),
        (Fork::new(3, stranger, 1), "was written by model tiny-large".into()),
    ];
    for (fork, words) in cases {
        let error = forked(&mut conductor, fork, "always-large").err().expect(&words).to_string();
        assert!(error.contains(&words), "{error}");
        assert_eq!(
            conductor.preset(),
            &Preset {
                routing: pointsman::config::Routing {
                    router: "always-large".into(),
                    ..preset().routing
                },
                ..preset()
            }
        );
    }
}

#[test]
fn a_session_forks_what_runs_and_keeps_its_own_settings() {
    let mut live = spawn(|| Ok(load()), roster(), Box::new(Memory::default())).unwrap();
    let question = long_questions(1).remove(0);
    live.commands.send(Command::Redo).unwrap();
    let asked = Command::Ask { question, router: None, seed: 1, paused: true };
    live.commands.send(asked.clone()).unwrap();
    live.commands.send(Command::Step).unwrap();
    let mut begun: Vec<Episode> = Vec::new();
    let mut refused = Vec::new();
    while let Some(update) = live.updates.blocking_recv() {
        match update {
            Update::Event { event, .. } => {
                let at = begun.len();
                match &event.kind {
                    EventKind::Started(_) => begun.push(Episode::start(&event).unwrap()),
                    _ => begun[at - 1].apply(&event).unwrap(),
                }
                let now = begun.last().unwrap();
                match (begun.len(), &event.kind) {
                    // Paused again after its first step: fork what runs, to all-large.
                    (1, EventKind::Paused) if now.steps.len() == 1 => {
                        let fork = Fork { threshold: Some(0.0), ..Fork::new(1, now.clone(), 1) };
                        let order = ForkOrder { fork, router: None, roster: None, paused: false };
                        live.commands.send(Command::Fork(Box::new(order))).unwrap();
                    }
                    (2, EventKind::Finished { .. }) => live.commands.send(asked.clone()).unwrap(),
                    (3, EventKind::Paused) => live.commands.send(Command::Quit).unwrap(),
                    _ => {}
                }
            }
            Update::Refused(reason) => refused.push(reason),
            Update::Failed(reason) | Update::Broken(reason) => panic!("{reason}"),
            _ => {}
        }
    }
    live.thread.join().unwrap();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("fork"), "{refused:?}");
    assert!(matches!(begun[0].status, Status::Finished { reason: FinishReason::Cancelled, .. }));
    let child = &begun[1];
    assert_eq!(child.inherited, 1);
    assert_eq!(child.steps[0], begun[0].steps[0]);
    assert!(!writers(child)[1..].contains('S'), "{}", writers(child));
    assert_eq!(begun[2].started.preset.routing.threshold, preset().routing.threshold);
}

#[test]
fn shadows_say_what_they_would_say_in_force() {
    let mut conductor = pair();
    conductor.preset_mut().routing.shadows =
        ["entropy", "confidence@0.05", "policy", "judge", "random"]
            .map(|s| s.parse().unwrap())
            .into();
    let shadowed = ask(&mut conductor, "confidence", Watcher::default());
    assert_eq!(shadowed.watcher.remarks.len(), 1, "{:?}", shadowed.watcher.remarks);
    assert!(shadowed.watcher.remarks[0].contains("judge"), "once, whatever the number of steps");
    for step in &shadowed.episode.steps {
        let decision = step.decision.as_ref().unwrap();
        let names: Vec<&str> = decision.shadows.keys().map(String::as_str).collect();
        assert_eq!(names, ["confidence", "entropy", "policy", "random"]);
        assert_eq!(Some(decision.shadows["confidence"]), decision.p_large);
    }
    let otherwise = disagreements(&shadowed.episode);
    assert!(otherwise.iter().any(|d| d.router == "confidence@0.05" && d.would == Role::Large));
    assert!(otherwise.iter().all(|d| d.router != "confidence"));

    // In force, with the same glimpse, each says the same of the first boundary.
    conductor.preset_mut().routing.shadows.clear();
    conductor.preset_mut().routing.glimpse = Some(Glimpse::Step);
    let first = &shadowed.episode.steps[0].decision.as_ref().unwrap().shadows;
    for (name, p) in first {
        let alone = ask(&mut conductor, name, Watcher::default()).episode;
        let alone = alone.steps[0].decision.as_ref().unwrap();
        assert_eq!(alone.p_large, Some(*p), "{name}");
        assert!(alone.shadows.is_empty());
    }

    // Where the draft is read by the large model anyway, the judge has something to say.
    conductor.preset_mut().routing.shadows = vec!["judge".parse().unwrap()];
    let judged = ask(&mut conductor, "judge", Watcher::default());
    assert!(judged.watcher.remarks.is_empty());
    assert!(judged.episode.decisions().all(|(_, d)| Some(d.shadows["judge"]) == d.p_large));

    // Too short a glimpse for the policy.
    conductor.preset_mut().routing.glimpse = Some(Glimpse::Tokens(1));
    conductor.preset_mut().routing.shadows = vec!["policy".parse().unwrap()];
    let short = ask(&mut conductor, "entropy", Watcher::default());
    assert!(short.watcher.remarks[0].contains("glimpse"), "{:?}", short.watcher.remarks);
    assert!(short.episode.decisions().all(|(_, d)| d.shadows.is_empty()));
}

#[test]
fn the_preview_knows_what_a_model_has_not_read() {
    let mut conductor = pair();
    let take = |model| Command::Override { model, scope: OverrideScope::NextStep };
    for (router, steps) in
        [("always-small", [2, 4]), ("always-small", [1, 3]), ("confidence", [1, 2])]
    {
        let watcher = Watcher {
            at_step: steps.map(|step| (step, take(Role::Large))).into(),
            ..Watcher::default()
        };
        let run = ask(&mut conductor, router, watcher);
        let (mut checked, mut so_far) = (0, Episode::start(&run.events[0]).unwrap());
        for event in &run.events[1..] {
            if let EventKind::Written { writing, .. } = &event.kind
                && let Some(preview) = so_far.preview()
            {
                // What had been drafted was read then.
                let draft = so_far.discarded.iter().any(|w| w.model == writing.model);
                let begun = so_far.decision.as_ref().unwrap().p_large.is_some();
                if !draft && (writing.model == Role::Large || !begun) {
                    let (said, was) = (preview.unread[writing.model], writing.usage.prefilled);
                    let ratio = said as f64 / was as f64;
                    if so_far.steps.last().unwrap().writing.model == writing.model {
                        assert_eq!((said, was), (1, 1));
                    } else if so_far.share_of(writing.model) > 0.0 {
                        assert!((0.75..1.33).contains(&ratio), "{router}: {said} were {was}");
                    } else {
                        // Nobody knows how many characters its tokens have.
                        assert!((0.5..2.0).contains(&ratio), "{router}: {said} were {was}");
                    }
                    checked += 1;
                }
            }
            so_far.apply(event).unwrap();
        }
        assert!(checked >= 2, "{router}: {checked}");
    }
    // All-small at the mean: the estimate is near what comes.
    let run = ask(&mut conductor, "always-small", Watcher::default()).episode;
    let mut shorter = run.clone();
    shorter.steps.truncate(3);
    let estimate = shorter.preview().unwrap().cost.small;
    let cost = run.steps[3].cost(run.started.prices);
    assert!((0.5..2.0).contains(&(estimate / cost)), "{estimate} against {cost}");
}

#[test]
fn the_shell_forks_shows_and_shadows() {
    let home = tempfile::tempdir().unwrap();
    let ran = shell::stdout(home.path(), &["run", "--seed", "3", "--shadow", "entropy,random@0.9"]);
    assert!(ran.contains("shadow entropy agreed at") && ran.contains("shadow random@0.9"), "{ran}");
    let same = shell::stdout(home.path(), &["fork", "1", "--step", "3"]);
    assert!(same.contains("wrote the same"), "{same}");
    let other = shell::stdout(home.path(), &["fork", "1", "--step", "2", "--model", "large"]);
    assert!(other.contains("episode 1") && other.contains("episode 3"), "{other}");
    assert!(other.contains("1 step is the same, 1 of them shared"), "{other}");
    assert!(other.contains("reading the shared steps again"), "{other}");
    let events = shell::objects(&shell::stdout(
        home.path(),
        &["fork", "3", "--step", "4", "--router", "always-small", "--json"],
    ));
    assert_eq!(events[0]["parent"], serde_json::json!({"episode": 3, "step": 3}));
    assert_eq!(events.last().unwrap()["event"], "finished");
    let shown = shell::stdout(home.path(), &["episodes", "show", "4"]);
    assert!(shown.contains("forked from episode 3 at step 4"), "{shown}");

    let cases: [(&[&str], i32, &str); 4] = [
        (&["fork", "1", "--step", "99"], 2, "cannot be forked from"),
        (&["fork", "9", "--step", "1"], 1, "holds no episode 9"),
        (&["fork", "1", "--step", "1", "--threshold", "3"], 2, "threshold"),
        (&["run", "--shadow", "always-small", "x"], 2, "nothing to say"),
    ];
    for (arguments, code, words) in cases {
        let (found, message) = shell::failure(home.path(), arguments);
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert_eq!(found, code, "{arguments:?}: {message}");
    }
}
