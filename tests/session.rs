//! The loop of an episode, with the real tiny pair: who writes, who decided, what is noted.

mod tiny;

use std::collections::VecDeque;
use std::path::PathBuf;

use pointsman::config::{DraftLength, Exploration, Switching, WhenSpent};
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::scripted::ScriptedEngine;
use pointsman::engine::{
    Engine, EngineError, EngineOutput, EngineRequest, Flow, TokenCallback, TokenStats,
};
use pointsman::episode::{
    Decider, Episode, Event, EventKind, FinishReason, ModelRecord, OverrideScope, PerRole, Role,
    Scoring, Token, Verdict,
};
use pointsman::evaluation::{EvalRun, LoggedChoice, LoggedEpisode};
use pointsman::routing::{FEATURES, Opinion, Router};
use pointsman::session::{
    Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, EventSink, RunnerPool, SessionError,
};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use pointsman::training::{Dataset, logged_episodes};

use tiny::*;

/// Commands to give when step `.0` is about to be decided.
type Script = Vec<(usize, Command)>;

/// Obeys a script, and keeps what it is told.
#[derive(Default)]
struct ScriptedObserver {
    script: Script,
    pending: VecDeque<Command>,
    opinions: Vec<(usize, Opinion)>,
    tokens: usize,
    refusals: Vec<String>,
    /// Commands for when the episode waits in pause.
    while_paused: VecDeque<Command>,
    /// Stops it as soon as a whole draft is there that a judge is to read.
    stop_at_whole_draft: bool,
}

impl ScriptedObserver {
    fn at_step_boundary(&mut self, step: usize) {
        while self.script.first().is_some_and(|(at, _)| *at == step) {
            self.pending.push_back(self.script.remove(0).1);
        }
    }
}

impl EpisodeObserver for ScriptedObserver {
    fn poll(&mut self) -> Option<Command> {
        self.pending.pop_front()
    }

    fn wait(&mut self) -> Option<Command> {
        self.pending.pop_front().or_else(|| self.while_paused.pop_front())
    }

    fn on_event(&mut self, _: u64, on_event: &Event) {
        match &event.kind {
            EventKind::Started(_) => self.at_step_boundary(0),
            EventKind::Written { step, .. } => self.at_step_boundary(step + 1),
            _ => {}
        }
    }

    fn on_token(&mut self, _: Role, on_token: &Token) {
        self.tokens += 1;
        if self.stop_at_whole_draft && token.text.contains('\n') {
            self.pending.push_back(Command::Stop);
        }
    }

    fn on_opinion(&mut self, step: usize, on_opinion: &Opinion) {
        self.opinions.push((step, opinion.clone()));
    }

    fn on_refused(&mut self, reason: &str) {
        self.refusals.push(reason.to_owned());
    }
}

/// Keeps events in memory.
#[derive(Default)]
struct MemorySink {
    events: Vec<Event>,
    /// Refuses the event of this place.
    fail_at: Option<usize>,
}

impl EventSink for MemorySink {
    fn begin_episode(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        if self.fail_at == Some(self.events.len()) {
            return Err("no space left on device".into());
        }
        self.events.push(event.clone());
        Ok(())
    }
}

fn router_named(router: &str) -> Box<dyn Router> {
    registry().router(router).unwrap()
}

fn question() -> Question {
    long_questions(1).remove(0)
}

struct ObservedRun {
    episode: Episode,
    events: Vec<Event>,
    observer: ScriptedObserver,
}

fn run(runner: &mut EpisodeRunner, router: &str, observer: ScriptedObserver) -> ObservedRun {
    let (mut memory, mut observer) = (MemorySink::default(), observer);
    let (question, mut router) = (question(), router_named(router));
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let episode = runner.run(spec, &mut memory, &mut observer).unwrap();
    // One truth: what the event list holds folds to what the run returned.
    assert_eq!(Episode::fold(&memory.events).unwrap().as_ref(), Some(&episode));
    ObservedRun { episode, events: memory.events, observer }
}

fn scripted(script: Script) -> ScriptedObserver {
    ScriptedObserver { script, ..ScriptedObserver::default() }
}

fn reason(episode: &Episode) -> FinishReason {
    match episode.status {
        pointsman::episode::EpisodeStatus::Finished { reason, .. } => reason,
        ref other => panic!("not finished: {other:?}"),
    }
}

fn take(model: Role, scope: OverrideScope) -> Command {
    Command::SetOverride { model, scope }
}

#[test]
fn a_user_overrides_one_step_and_the_router_goes_on() {
    let script = vec![(1, take(Role::Small, OverrideScope::NextStep))];
    let run = run(&mut pair(), "always-large", scripted(script));
    assert!(writers(&run.episode).starts_with("LSLL"), "{}", writers(&run.episode));
    let by: Vec<_> = run.episode.steps.iter().map(|s| s.decision.as_ref().unwrap()).collect();
    assert_eq!((&by[1].by, by[1].propensity), (&Decider::User, None));
    assert_eq!((&by[2].by, by[2].propensity), (&Decider::Rule("always-large".into()), Some(1.0)));
}

#[test]
fn from_here_on_lasts_until_it_is_given_back() {
    let script =
        vec![(1, take(Role::Large, OverrideScope::FromHereOn)), (3, Command::ClearOverride)];
    let run = run(&mut pair(), "always-small", scripted(script));
    assert!(writers(&run.episode).starts_with("SLLS"), "{}", writers(&run.episode));
    let overrides = run
        .events
        .iter()
        .filter(|e| matches!(e.kind, EventKind::OverrideSet { .. } | EventKind::OverrideCleared));
    assert_eq!(overrides.count(), 2);
}

#[test]
fn the_threshold_changes_the_choice() {
    let script = vec![
        (0, Command::SetThreshold(1.0)),
        (2, Command::SetThreshold(0.0)),
        (3, Command::SetThreshold(7.0)),
    ];
    let run = run(&mut pair(), "confidence", scripted(script));
    // The least certain of a step's tokens never has probability 0: at 1 nothing goes to large.
    assert!(writers(&run.episode).starts_with("SSLL"), "{}", writers(&run.episode));
    assert_eq!(run.observer.refusals.len(), 1, "{:?}", run.observer.refusals);
    let moves = run.events.iter().filter_map(|e| match e.kind {
        EventKind::ThresholdMoved { from, to } => Some((from, to)),
        _ => None,
    });
    assert_eq!(moves.collect::<Vec<_>>(), [(preset().routing.threshold, 1.0), (1.0, 0.0)]);
}

#[test]
fn stepping_shows_the_opinion_before_the_choice() {
    let observer = ScriptedObserver {
        script: vec![(0, Command::Pause)],
        while_paused: [
            Command::Step,
            take(Role::Large, OverrideScope::NextStep),
            Command::Step,
            Command::Resume,
        ]
        .into(),
        ..ScriptedObserver::default()
    };
    let run = run(&mut pair(), "confidence", observer);
    let steps: Vec<usize> = run.observer.opinions.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, (0..run.episode.steps.len()).collect::<Vec<_>>(), "one opinion a boundary");
    let taken = run.episode.steps[1].decision.as_ref().unwrap();
    assert_eq!((taken.choice, &taken.by), (Role::Large, &Decider::User));
    assert_eq!(
        taken.p_large,
        Some(run.observer.opinions[1].1.p_large),
        "noted beside the person's"
    );
    let pauses = run.events.iter().filter(|e| e.kind == EventKind::Paused).count();
    assert_eq!(pauses, 3, "at first, and after each of two steps");
    assert!(run.observer.tokens > 0);
}

#[test]
fn a_spent_budget_leaves_the_small_model_or_ends_the_episode() {
    let mut runner = pair();
    runner.preset_mut().budget.limit = Some(1.0);
    runner.preset_mut().budget.when_spent = WhenSpent::SmallOnly;
    let small = run(&mut runner, "always-large", ScriptedObserver::default());
    assert!(writers(&small.episode).starts_with("LSS"), "{}", writers(&small.episode));
    let second = small.episode.steps[1].decision.as_ref().unwrap();
    assert_eq!(second.by, Decider::Budget);

    runner.preset_mut().budget.when_spent = WhenSpent::Stop;
    let stop = run(&mut runner, "always-large", ScriptedObserver::default());
    assert_eq!(writers(&stop.episode), "L");
    assert_eq!(reason(&stop.episode), FinishReason::BudgetSpent);
}

#[test]
fn what_is_lifted_or_spent_in_a_pause_holds_at_once() {
    let led = |router: &str, while_paused: Vec<Command>| {
        let (script, while_paused) = (vec![(0, Command::Pause)], while_paused.into());
        run(
            &mut pair(),
            router,
            ScriptedObserver { script, while_paused, ..ScriptedObserver::default() },
        )
    };
    let from_here_on = || take(Role::Large, OverrideScope::FromHereOn);
    let (step, release) = (|| Command::Step, || Command::ClearOverride);
    let run = led("always-small", vec![from_here_on(), step(), release(), step(), Command::Resume]);
    assert!(writers(&run.episode).starts_with("LSS"), "{}", writers(&run.episode));
    let second = run.episode.steps[1].decision.as_ref().unwrap();
    assert_eq!(second.by, Decider::Rule("always-small".into()));

    // A router that weighs a draft is asked as soon as it has the points.
    let never = Command::SetThreshold(1.0);
    let orders = vec![never, from_here_on(), step(), release(), step(), Command::Resume];
    let run = led("confidence", orders);
    assert!(writers(&run.episode).starts_with("LSS"), "{}", writers(&run.episode));
    assert_eq!(run.observer.opinions.iter().filter(|(step, _)| *step == 1).count(), 1);

    let budget = Command::SetBudget;
    let orders = vec![step(), budget(Some(1.0)), step(), budget(None), step(), Command::Resume];
    let run = led("always-large", orders);
    assert!(writers(&run.episode).starts_with("LSL"), "{}", writers(&run.episode));
    assert_eq!(run.episode.steps[1].decision.as_ref().unwrap().by, Decider::Budget);
}

#[test]
fn a_judge_that_reads_can_be_stopped() {
    let observer = ScriptedObserver { stop_at_whole_draft: true, ..ScriptedObserver::default() };
    let run = run(&mut pair(), "judge", observer);
    assert_eq!(reason(&run.episode), FinishReason::Cancelled);
    assert!(run.episode.steps.is_empty());
    let kinds: Vec<&EventKind> = run.events.iter().map(|e| &e.kind).collect();
    let judged = kinds.iter().position(|k| matches!(k, EventKind::DraftScored { .. })).unwrap();
    assert!(matches!(kinds[judged + 1], EventKind::Discarded { .. }), "{kinds:?}");
}

#[test]
fn absorbing_keeps_the_large_model() {
    let mut runner = pair();
    runner.preset_mut().routing.switching = Switching::Absorbing;
    let script = vec![(1, take(Role::Large, OverrideScope::NextStep))];
    let run = run(&mut runner, "always-small", scripted(script));
    let writers = writers(&run.episode);
    assert!(writers.starts_with("SLL") && !writers[1..].contains('S'), "{writers}");
}

#[test]
fn discarded_drafts_are_charged() {
    let script = vec![(0, Command::SetThreshold(0.0))];
    let run = run(&mut pair(), "confidence", scripted(script));
    let small = run.episode.ledger.totals.small;
    let discarded = run.events.iter().filter_map(|e| match &e.kind {
        EventKind::Discarded { generation, .. } => Some(generation.tokens.len()),
        _ => None,
    });
    assert_eq!(small.discarded, discarded.sum::<usize>());
    assert_eq!(small.kept, 0);
    let prices = run.episode.ledger.prices;
    assert_eq!(
        run.episode.ledger.cost_of(Role::Small),
        prices.small.written * (small.prefilled + small.discarded) as f64
    );
}

#[test]
fn a_draft_at_which_the_episode_is_stopped_is_charged_too() {
    let observer = ScriptedObserver {
        script: vec![(1, Command::Pause)],
        while_paused: [Command::Stop].into(),
        ..ScriptedObserver::default()
    };
    let run = run(&mut pair(), "confidence", observer);
    assert_eq!(reason(&run.episode), FinishReason::Cancelled);
    assert_eq!(run.episode.verdict(), Some(Verdict::Undecided), "not held against it");
    assert_eq!(run.episode.steps.len(), 1);
    let stopped = |e: &Event| matches!(e.kind, EventKind::Discarded { step: 1, .. });
    assert!(run.events.iter().any(stopped), "{:?}", run.events.last());
}

#[test]
fn the_oracle_is_graded_and_refuses_what_it_cannot_know() {
    let mut runner = pair();
    let graded = run(&mut runner, "oracle", ScriptedObserver::default());
    assert_ne!(graded.episode.verdict(), Some(Verdict::Undecided));

    let (mut memory, typed) = (MemorySink::default(), Question::from_user("1 + 1?"));
    let mut oracle = router_named("oracle");
    let spec = EpisodeSpec::new(&typed, oracle.as_mut(), 1);
    let result = runner.run(spec, &mut memory, &mut ScriptedObserver::default());
    assert!(matches!(result, Err(SessionError::Router(_))));
    assert!(memory.events.is_empty(), "nothing was begun");
}

#[test]
fn a_failing_sink_ends_the_episode_and_the_pair_lives_on() {
    let mut runner = pair();
    let mut memory = MemorySink { fail_at: Some(3), ..MemorySink::default() };
    let (question, mut router) = (question(), router_named("always-small"));
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let error = runner.run(spec, &mut memory, &mut ScriptedObserver::default()).unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!(memory.events.len(), 3);
    let again = run(&mut runner, "always-small", ScriptedObserver::default());
    assert!(again.episode.is_over());
}

#[test]
fn a_session_keeps_what_the_user_set_and_ends_when_told() {
    use pointsman::session::{SessionUpdate, spawn};
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let load = move |_: &mut dyn FnMut(String)| {
        let preset = preset();
        let engine = |role| -> Result<Box<dyn Engine>, SessionError> {
            Ok(Box::new(MistralEngine::load(preset.model(role), &cache)?))
        };
        let engines = PerRole { small: engine(Role::Small)?, large: engine(Role::Large)? };
        Ok(EpisodeRunner::new(engines, preset))
    };
    let mut live = spawn(load, registry(), Box::new(MemorySink::default())).unwrap();
    let ask = || Command::Ask { question: question(), router: None, seed: 1, paused: true };
    // Started in pause, so that the threshold is moved within the episode.
    let budget = Command::SetBudget(Some(5e9));
    for command in [ask(), Command::SetThreshold(0.25), budget, Command::Resume] {
        live.commands.send(command).unwrap();
    }
    let (mut thresholds, mut budgets) = (Vec::new(), Vec::new());
    while let Some(update) = live.updates.blocking_recv() {
        match update {
            SessionUpdate::Event { event, .. } => match event.kind {
                EventKind::Started(started) => {
                    thresholds.push(started.preset.routing.threshold);
                    budgets.push(started.preset.budget.limit);
                    if thresholds.len() == 2 {
                        live.commands.send(Command::Quit).unwrap();
                    }
                }
                EventKind::Finished { reason, .. } if thresholds.len() == 1 => {
                    assert_eq!(reason, FinishReason::Answered);
                    live.commands.send(ask()).unwrap();
                }
                _ => {}
            },
            SessionUpdate::SessionFailed(reason) | SessionUpdate::Refused(reason) => {
                panic!("{reason}")
            }
            _ => {}
        }
    }
    assert_eq!(thresholds, [preset().routing.threshold, 0.25]);
    assert_eq!(budgets, [None, Some(5e9)]);
    live.thread.join().unwrap();
}

#[test]
fn the_judge_reads_every_draft_and_is_charged() {
    let run = run(&mut pair(), "judge", ScriptedObserver::default());
    let scorings: Vec<&Scoring> = run
        .events
        .iter()
        .filter_map(|e| match &e.kind {
            EventKind::DraftScored { scoring, .. } => Some(scoring),
            _ => None,
        })
        .collect();
    assert_eq!(scorings.len(), run.episode.steps.len(), "one a boundary");
    let large = run.episode.ledger.totals.large;
    assert_eq!(large.scored, scorings.iter().map(|r| r.tokens.len()).sum::<usize>());
    assert_eq!(large.charged_tokens(), large.prefilled + large.kept + large.scored);
    for (step, scoring) in run.episode.steps.iter().zip(scorings) {
        let decision = step.decision.as_ref().unwrap();
        let sum: f64 = scoring.tokens.iter().map(|t| f64::from(t.logprob)).sum();
        let expected = 1.0 - (sum / scoring.tokens.len() as f64).exp();
        assert!((decision.p_large.unwrap() - expected).abs() < 1e-9);
        let draft = step.discarded.first().unwrap_or(&step.generation);
        let read: String = scoring.tokens.iter().map(|t| t.text.as_str()).collect();
        assert_eq!(read, draft.text, "the very text of the draft");
    }
}

#[test]
fn explored_choices_follow_a_drawn_threshold_and_log_their_propensity() {
    let mut runner = pair();
    let explore = |runner: &mut EpisodeRunner, seed: u64, coin: f64| {
        let exploration = Exploration { coin, ..Exploration::default() };
        runner.preset_mut().routing.exploration = Some(exploration);
        let (question, mut router) = (question(), router_named("confidence"));
        let spec = EpisodeSpec::new(&question, router.as_mut(), seed);
        runner.run(spec, &mut MemorySink::default(), &mut ScriptedObserver::default()).unwrap()
    };
    let mut coins = 0;
    let mut thresholds = Vec::new();
    for seed in 0..12 {
        let episode = explore(&mut runner, seed, 0.0);
        let threshold = episode.started.preset.routing.threshold;
        thresholds.push(threshold);
        let decisions: Vec<_> = episode.steps.iter().filter_map(|s| s.decision.as_ref()).collect();
        let mut product = 1.0;
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        for decision in &decisions {
            let p = decision.p_large.unwrap();
            let large = decision.choice == Role::Large;
            assert_eq!(large, p >= threshold, "the threshold is obeyed");
            product *= decision.propensity.unwrap();
            if large { high = high.min(p) } else { low = low.max(p) }
        }
        // A uniform threshold gives just these choices where it lies in between.
        assert!((product - (high - low)).abs() < 1e-9, "{product} against {low}..{high}");

        let tossed = explore(&mut runner, seed, 0.5);
        assert_eq!(without_times(&tossed), without_times(&explore(&mut runner, seed, 0.5)));
        let by = tossed.steps.iter().filter_map(|s| s.decision.as_ref());
        coins += by.filter(|d| d.by == Decider::Exploration).count();
    }
    assert!(coins > 5, "{coins} coins in a dozen episodes");
    thresholds.dedup();
    assert_eq!(thresholds.len(), 12, "each episode has its own");
}

/// Who wrote what, and why: all but clock times.
fn without_times(episode: &Episode) -> Vec<(String, Option<f64>, Option<f64>)> {
    let steps = episode.steps.iter().map(|s| (s.generation.text.clone(), s.decision.as_ref()));
    steps.map(|(text, d)| (text, d.and_then(|d| d.p_large), d.and_then(|d| d.propensity))).collect()
}

/// An engine that tells nothing of its tokens, as some servers do.
struct EngineWithoutTokenStats(ScriptedEngine);

impl Engine for EngineWithoutTokenStats {
    fn model(&self) -> &ModelRecord {
        self.0.model()
    }

    fn token_stats(&self) -> TokenStats {
        TokenStats::None
    }

    fn generate(
        &mut self,
        request: &EngineRequest,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, EngineError> {
        self.0.generate(request, on_token)
    }

    fn reset(&mut self) -> Result<(), EngineError> {
        self.0.reset()
    }
}

#[test]
fn routers_that_lack_what_they_need_are_refused_before_anything_is_begun() {
    let record = ModelRecord { name: "mute".into(), digest: "d".into(), parameters: 1 };
    let engine = || -> Box<dyn Engine> {
        Box::new(EngineWithoutTokenStats(ScriptedEngine::new(record.clone(), [])))
    };
    let mut runner = EpisodeRunner::new(PerRole { small: engine(), large: engine() }, preset());
    let question = question();
    let mut refused = |router: &str, draft_length: Option<DraftLength>| {
        runner.preset_mut().routing.draft_length = draft_length;
        let (mut memory, mut router) = (MemorySink::default(), router_named(router));
        let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
        let error = runner.run(spec, &mut memory, &mut ScriptedObserver::default()).unwrap_err();
        assert!(memory.events.is_empty(), "nothing was begun");
        error.to_string()
    };
    let message = refused("entropy", None);
    assert!(message.contains("entropy") && message.contains("mute"), "{message}");
    let message = refused("confidence", Some(DraftLength::Tokens(0)));
    assert!(message.contains("--draft 1"), "{message}");
}

#[test]
fn the_policy_decides_by_its_network_and_wants_its_own_draft() {
    let mut runner = pair();
    let run = run(&mut runner, "policy", ScriptedObserver::default());
    let policy = registry().policy().unwrap().clone();
    for step in &run.episode.steps {
        let decision = step.decision.as_ref().unwrap();
        assert_eq!(decision.by, Decider::Policy(policy.card.name.clone()));
        let p = policy.p_large(&decision.features).unwrap();
        assert!((decision.p_large.unwrap() - p).abs() < 1e-6, "from the features that are logged");
        assert!((0.0..=1.0).contains(&p));
        let seen = decision.features.keys().all(|name| FEATURES.contains(name));
        assert!(seen, "features have documented names only");
    }

    runner.preset_mut().routing.draft_length = Some(DraftLength::Tokens(1));
    let (question, mut router) = (question(), router_named("policy"));
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let error =
        runner.run(spec, &mut MemorySink::default(), &mut ScriptedObserver::default()).unwrap_err();
    assert!(error.to_string().contains("--draft step"), "{error}");
}

#[test]
fn stored_episodes_give_the_features_that_the_router_saw() {
    let mut runner = pair();
    let policy = registry().policy().unwrap().clone();
    let mut boundaries = 0;
    for (seed, question) in questions("arithmetic", Split::Test, 40).unwrap().take(12).enumerate() {
        let exploration = Exploration { coin: 0.5, ..Exploration::default() };
        runner.preset_mut().routing.exploration = Some(exploration);
        let mut router = router_named("policy");
        let spec = EpisodeSpec::new(&question, router.as_mut(), seed as u64);
        let episode =
            runner.run(spec, &mut MemorySink::default(), &mut ScriptedObserver::default()).unwrap();
        let mut dataset = Dataset::default();
        dataset.add(&episode, &policy.card.pair, &policy.card.set);
        let trajectory = &dataset.trajectories[0];
        let rows: Vec<Vec<f32>> =
            trajectory.boundaries.iter().map(|b| b.features.clone()).collect();
        let decisions = episode.steps.iter().filter_map(|s| s.decision.as_ref());
        for (decision, row) in decisions.zip(&rows) {
            assert_eq!(&policy.card.set.row(&decision.features), row);
            boundaries += 1;
        }
        let spent: f64 = trajectory.boundaries.iter().map(|b| b.cost).sum();
        assert!((spent - trajectory.cost).abs() < 1e-6 * spent, "nothing is charged twice");
        assert_eq!(trajectory.cost, episode.ledger.cost());

        // What was recorded is what the policy says of it afterwards.
        let from_episode = LoggedEpisode::from_episode(&episode).unwrap();
        let anew = logged_episodes(&dataset.trajectories, &policy).unwrap().remove(0);
        assert_eq!(recorded.boundaries.len(), anew.boundaries.len());
        for (a, b) in recorded.boundaries.iter().zip(&anew.boundaries) {
            assert!((a.p_large - b.p_large).abs() < 1e-5, "{a:?} {b:?}");
            assert_eq!(LoggedChoice { p_large: b.p_large, ..*a }, *b);
        }
        assert_eq!(LoggedEpisode { boundaries: anew.boundaries.clone(), ..recorded }, anew);
    }
    assert!(boundaries > 30);
    runner.preset_mut().routing.exploration = None;
    let (question, mut router) = (question(), router_named("policy"));
    let spec = EpisodeSpec::new(&question, router.as_mut(), 0);
    let episode =
        runner.run(spec, &mut MemorySink::default(), &mut ScriptedObserver::default()).unwrap();
    assert_eq!(LoggedEpisode::from_episode(&episode), None, "its choices were not drawn");
}

#[test]
fn an_eval_run_that_is_cancelled_ends_after_the_question() {
    let mut pool = RunnerPool::new(tiny::load(), Vec::new());
    let (registry, asked) = (tiny::registry(), tiny::long_questions(5));
    let mut eval_run = EvalRun { pool: &mut pool, registry: &registry, questions: &asked, seed: 1 };
    let seen = std::cell::Cell::new(0);
    let second = || {
        seen.set(seen.get() + 1);
        if seen.get() == 2 { Flow::Cancel } else { Flow::Continue }
    };
    let ended = eval_run.run("always-small", false, second);
    assert!(matches!(ended, Err(SessionError::Cancelled)));
    assert_eq!(seen.get(), 2);
    let whole = eval_run.run("always-small", false, || ()).unwrap();
    assert_eq!(whole.outcomes().len(), 5, "it can be asked again");
}
