//! Episodes of the tiny pair: which model writes each step, who decided, and which events record it.

use pointsman::config::{DraftLength, Exploration, Switching, WhenSpent};
use pointsman::engine::scripted::ScriptedEngine;
use pointsman::engine::{
    Engine, EngineError, EngineOutput, EngineRequest, Flow, TokenCallback, TokenStats,
};
use pointsman::episode::{
    Decider, Episode, EpisodeStatus, Event, EventKind, FinishReason, ModelRecord, OverrideScope,
    PerRole, Role, Scoring, Token, Verdict,
};
use pointsman::evaluation::{EvalRun, LoggedChoice, LoggedEpisode};
use pointsman::routing::{FEATURES, Opinion, Router};
use pointsman::session::{
    Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, EventSink, NullObserver, RunnerPool,
    SessionError, SessionUpdate, spawn_session,
};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use pointsman::training::{Dataset, logged_episodes};

use crate::observer::{ScriptedObserver, ask};
use crate::tiny::{load, long_questions, pair, preset, registry, writers};

/// Refuses an event after so many.
struct FailingSink {
    events: Vec<Event>,
    capacity: usize,
}

impl EventSink for FailingSink {
    fn begin_episode(&mut self) -> Result<u64, String> {
        Ok(1)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        if self.events.len() == self.capacity {
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

fn reason(episode: &Episode) -> FinishReason {
    match episode.status {
        EpisodeStatus::Finished { reason, .. } => reason,
        ref other => panic!("not finished: {other:?}"),
    }
}

fn set_override(model: Role, scope: OverrideScope) -> Command {
    Command::SetOverride { model, scope }
}

#[test]
fn an_override_of_the_next_step_lasts_one_step() {
    let script = vec![(1, set_override(Role::Small, OverrideScope::NextStep))];
    let run = ask(&mut pair(), "always-large", ScriptedObserver::at_steps(script));
    assert!(writers(&run.episode).starts_with("LSLL"), "{}", writers(&run.episode));
    let by: Vec<_> = run.episode.steps.iter().map(|s| s.decision.as_ref().unwrap()).collect();
    assert_eq!((&by[1].by, by[1].propensity), (&Decider::User, None));
    assert_eq!((&by[2].by, by[2].propensity), (&Decider::Rule("always-large".into()), Some(1.0)));
}

#[test]
fn an_override_from_here_on_lasts_until_it_is_cleared() {
    let script = vec![
        (1, set_override(Role::Large, OverrideScope::FromHereOn)),
        (3, Command::ClearOverride),
    ];
    let run = ask(&mut pair(), "always-small", ScriptedObserver::at_steps(script));
    assert!(writers(&run.episode).starts_with("SLLS"), "{}", writers(&run.episode));
    let overrides = run
        .events
        .iter()
        .filter(|e| matches!(e.kind, EventKind::OverrideSet { .. } | EventKind::OverrideCleared));
    assert_eq!(overrides.count(), 2);
}

#[test]
fn moving_the_threshold_changes_the_choice() {
    let script = vec![
        (0, Command::SetThreshold(1.0)),
        (2, Command::SetThreshold(0.0)),
        (3, Command::SetThreshold(7.0)),
    ];
    let run = ask(&mut pair(), "confidence", ScriptedObserver::at_steps(script));
    // p(large) never reaches 1, since no token has probability 0: at threshold 1 small writes everything.
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
        at_step: vec![(0, Command::Pause)],
        while_paused: [
            Command::Step,
            set_override(Role::Large, OverrideScope::NextStep),
            Command::Step,
            Command::Resume,
        ]
        .into(),
        ..ScriptedObserver::default()
    };
    let run = ask(&mut pair(), "confidence", observer);
    let steps: Vec<usize> = run.observer.opinions.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, (0..run.episode.steps.len()).collect::<Vec<_>>(), "one opinion a boundary");
    let taken = run.episode.steps[1].decision.as_ref().unwrap();
    assert_eq!((taken.choice, &taken.by), (Role::Large, &Decider::User));
    assert_eq!(
        taken.p_large,
        Some(run.observer.opinions[1].1.p_large),
        "the event keeps the router's opinion"
    );
    let pauses = run.events.iter().filter(|e| e.kind == EventKind::Paused).count();
    assert_eq!(pauses, 3, "once at the start, and after each of two steps");
    assert!(run.observer.token_count > 0);
}

#[test]
fn a_spent_budget_leaves_the_small_model_or_ends_the_episode() {
    let mut runner = pair();
    runner.preset_mut().budget.limit = Some(1.0);
    runner.preset_mut().budget.when_spent = WhenSpent::SmallOnly;
    let small = ask(&mut runner, "always-large", ScriptedObserver::default());
    assert!(writers(&small.episode).starts_with("LSS"), "{}", writers(&small.episode));
    let second = small.episode.steps[1].decision.as_ref().unwrap();
    assert_eq!(second.by, Decider::Budget);

    runner.preset_mut().budget.when_spent = WhenSpent::Stop;
    let stop = ask(&mut runner, "always-large", ScriptedObserver::default());
    assert_eq!(writers(&stop.episode), "L");
    assert_eq!(reason(&stop.episode), FinishReason::BudgetSpent);
}

#[test]
fn commands_during_a_pause_apply_to_the_next_step() {
    let run_paused = |router: &str, while_paused: Vec<Command>| {
        let (at_step, while_paused) = (vec![(0, Command::Pause)], while_paused.into());
        let observer = ScriptedObserver { at_step, while_paused, ..ScriptedObserver::default() };
        ask(&mut pair(), router, observer)
    };
    let from_here_on = || set_override(Role::Large, OverrideScope::FromHereOn);
    let (step, clear) = (|| Command::Step, || Command::ClearOverride);
    let run =
        run_paused("always-small", vec![from_here_on(), step(), clear(), step(), Command::Resume]);
    assert!(writers(&run.episode).starts_with("LSS"), "{}", writers(&run.episode));
    let second = run.episode.steps[1].decision.as_ref().unwrap();
    assert_eq!(second.by, Decider::Rule("always-small".into()));

    // A router that needs a draft decides as soon as the override is cleared.
    let never = Command::SetThreshold(1.0);
    let commands = vec![never, from_here_on(), step(), clear(), step(), Command::Resume];
    let run = run_paused("confidence", commands);
    assert!(writers(&run.episode).starts_with("LSS"), "{}", writers(&run.episode));
    assert_eq!(run.observer.opinions.iter().filter(|(step, _)| *step == 1).count(), 1);

    let budget = Command::SetBudget;
    let commands = vec![step(), budget(Some(1.0)), step(), budget(None), step(), Command::Resume];
    let run = run_paused("always-large", commands);
    assert!(writers(&run.episode).starts_with("LSL"), "{}", writers(&run.episode));
    assert_eq!(run.episode.steps[1].decision.as_ref().unwrap().by, Decider::Budget);
}

#[test]
fn the_judge_can_be_stopped_while_it_scores() {
    let observer = ScriptedObserver { stop_at_step_end: true, ..ScriptedObserver::default() };
    let run = ask(&mut pair(), "judge", observer);
    assert_eq!(reason(&run.episode), FinishReason::Cancelled);
    assert!(run.episode.steps.is_empty());
    let kinds: Vec<&EventKind> = run.events.iter().map(|e| &e.kind).collect();
    let judged = kinds.iter().position(|k| matches!(k, EventKind::DraftScored { .. })).unwrap();
    assert!(matches!(kinds[judged + 1], EventKind::Discarded { .. }), "{kinds:?}");
}

#[test]
fn absorbing_switching_keeps_the_large_model() {
    let mut runner = pair();
    runner.preset_mut().routing.switching = Switching::Absorbing;
    let script = vec![(1, set_override(Role::Large, OverrideScope::NextStep))];
    let run = ask(&mut runner, "always-small", ScriptedObserver::at_steps(script));
    let writers = writers(&run.episode);
    assert!(writers.starts_with("SLL") && !writers[1..].contains('S'), "{writers}");
}

#[test]
fn discarded_drafts_are_charged() {
    let script = vec![(0, Command::SetThreshold(0.0))];
    let run = ask(&mut pair(), "confidence", ScriptedObserver::at_steps(script));
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
fn the_draft_of_a_stopped_episode_is_charged() {
    let observer = ScriptedObserver {
        at_step: vec![(1, Command::Pause)],
        while_paused: [Command::Stop].into(),
        ..ScriptedObserver::default()
    };
    let run = ask(&mut pair(), "confidence", observer);
    assert_eq!(reason(&run.episode), FinishReason::Cancelled);
    assert_eq!(run.episode.verdict(), Some(Verdict::Undecided), "stopping is not a wrong answer");
    assert_eq!(run.episode.steps.len(), 1);
    let stopped = |e: &Event| matches!(e.kind, EventKind::Discarded { step: 1, .. });
    assert!(run.events.iter().any(stopped), "{:?}", run.events.last());
}

#[test]
fn the_oracle_refuses_a_question_without_a_solution() {
    let mut runner = pair();
    let graded = ask(&mut runner, "oracle", ScriptedObserver::default());
    assert_ne!(graded.episode.verdict(), Some(Verdict::Undecided));

    let (mut events, typed) = (Vec::new(), Question::from_user("1 + 1?"));
    let mut oracle = router_named("oracle");
    let spec = EpisodeSpec::new(&typed, oracle.as_mut(), 1);
    let result = runner.run(spec, &mut events, &mut NullObserver);
    assert!(matches!(result, Err(SessionError::Router(_))));
    assert!(events.is_empty(), "the episode has not started");
}

#[test]
fn a_failing_sink_ends_the_episode_but_not_the_runner() {
    let mut runner = pair();
    let mut sink = FailingSink { events: Vec::new(), capacity: 3 };
    let (question, mut router) = (question(), router_named("always-small"));
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let error = runner.run(spec, &mut sink, &mut NullObserver).unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!(sink.events.len(), 3);
    let again = ask(&mut runner, "always-small", ScriptedObserver::default());
    assert!(again.episode.is_over());
}

#[test]
fn a_session_keeps_the_users_settings_for_the_next_episode() {
    let mut live = spawn_session(|_| Ok(load()), registry(), Box::new(Vec::new())).unwrap();
    let ask = || Command::Ask { question: question(), router: None, seed: 1, paused: true };
    // The episode starts paused, so that the threshold moves within it.
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
fn the_judge_scores_every_draft_and_is_charged() {
    let run = ask(&mut pair(), "judge", ScriptedObserver::default());
    let scorings: Vec<&Scoring> = run
        .events
        .iter()
        .filter_map(|e| match &e.kind {
            EventKind::DraftScored { scoring, .. } => Some(scoring),
            _ => None,
        })
        .collect();
    assert_eq!(scorings.len(), run.episode.steps.len(), "one at each boundary");
    let large = run.episode.ledger.totals.large;
    assert_eq!(large.scored, scorings.iter().map(|r| r.tokens.len()).sum::<usize>());
    assert_eq!(large.charged_tokens(), large.prefilled + large.kept + large.scored);
    for (step, scoring) in run.episode.steps.iter().zip(scorings) {
        let decision = step.decision.as_ref().unwrap();
        let sum: f64 = scoring.tokens.iter().map(|t| f64::from(t.logprob)).sum();
        let expected = 1.0 - (sum / scoring.tokens.len() as f64).exp();
        assert!((decision.p_large.unwrap() - expected).abs() < 1e-9);
        let draft = step.discarded.first().unwrap_or(&step.generation);
        let scored: String = scoring.tokens.iter().map(|t| t.text.as_str()).collect();
        assert_eq!(scored, draft.text, "the large model scores exactly the draft");
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
        runner.run(spec, &mut NullObserver, &mut NullObserver).unwrap()
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
            assert_eq!(large, p >= threshold, "the choice follows the threshold");
            product *= decision.propensity.unwrap();
            if large { high = high.min(p) } else { low = low.max(p) }
        }
        // A threshold drawn uniformly gives these choices if it lies between `low` and `high`.
        assert!((product - (high - low)).abs() < 1e-9, "{product} against {low}..{high}");

        let tossed = explore(&mut runner, seed, 0.5);
        assert_eq!(without_times(&tossed), without_times(&explore(&mut runner, seed, 0.5)));
        let by = tossed.steps.iter().filter_map(|s| s.decision.as_ref());
        coins += by.filter(|d| d.by == Decider::Exploration).count();
    }
    assert!(coins > 5, "{coins} coins in a dozen episodes");
    thresholds.dedup();
    assert_eq!(thresholds.len(), 12, "each episode draws its own threshold");
}

/// Texts and decisions, without clock times.
fn without_times(episode: &Episode) -> Vec<(String, Option<f64>, Option<f64>)> {
    let steps = episode.steps.iter().map(|s| (s.generation.text.clone(), s.decision.as_ref()));
    steps.map(|(text, d)| (text, d.and_then(|d| d.p_large), d.and_then(|d| d.propensity))).collect()
}

/// An engine that reports no token statistics, like some servers.
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
fn routers_without_what_they_need_are_refused_before_the_episode_starts() {
    let record = ModelRecord { name: "mute".into(), digest: "d".into(), parameters: 1 };
    let engine = || -> Box<dyn Engine> {
        Box::new(EngineWithoutTokenStats(ScriptedEngine::new(record.clone(), [])))
    };
    let mut runner = EpisodeRunner::new(PerRole { small: engine(), large: engine() }, preset());
    let question = question();
    let mut refused = |router: &str, draft_length: Option<DraftLength>| {
        runner.preset_mut().routing.draft_length = draft_length;
        let (mut events, mut router) = (Vec::new(), router_named(router));
        let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
        let error = runner.run(spec, &mut events, &mut NullObserver).unwrap_err();
        assert!(events.is_empty(), "the episode has not started");
        error.to_string()
    };
    let message = refused("entropy", None);
    assert!(message.contains("entropy") && message.contains("mute"), "{message}");
    let message = refused("confidence", Some(DraftLength::Tokens(0)));
    assert!(message.contains("--draft 1"), "{message}");
}

#[test]
fn the_policy_follows_its_network_and_requires_its_draft_length() {
    let mut runner = pair();
    let run = ask(&mut runner, "policy", ScriptedObserver::default());
    let policy = registry().policy().unwrap().clone();
    for step in &run.episode.steps {
        let decision = step.decision.as_ref().unwrap();
        assert_eq!(decision.by, Decider::Policy(policy.card.name.clone()));
        let p = policy.p_large(&decision.features).unwrap();
        assert!(
            (decision.p_large.unwrap() - p).abs() < 1e-6,
            "the logged features give the logged probability"
        );
        assert!((0.0..=1.0).contains(&p));
        let documented = decision.features.keys().all(|name| FEATURES.contains(name));
        assert!(documented, "{:?}", decision.features);
    }

    runner.preset_mut().routing.draft_length = Some(DraftLength::Tokens(1));
    let (question, mut router) = (question(), router_named("policy"));
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let error = runner.run(spec, &mut NullObserver, &mut NullObserver).unwrap_err();
    assert!(error.to_string().contains("--draft step"), "{error}");
}

#[test]
fn stored_episodes_reproduce_the_features_of_each_decision() {
    let mut runner = pair();
    let policy = registry().policy().unwrap().clone();
    let mut boundaries = 0;
    for (seed, question) in questions("arithmetic", Split::Test, 40).unwrap().take(12).enumerate() {
        let exploration = Exploration { coin: 0.5, ..Exploration::default() };
        runner.preset_mut().routing.exploration = Some(exploration);
        let mut router = router_named("policy");
        let spec = EpisodeSpec::new(&question, router.as_mut(), seed as u64);
        let episode = runner.run(spec, &mut NullObserver, &mut NullObserver).unwrap();
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
        assert!(
            (spent - trajectory.cost).abs() < 1e-6 * spent,
            "the costs of the boundaries add up"
        );
        assert_eq!(trajectory.cost, episode.ledger.cost());

        // The policy that decided gives the recorded probabilities again.
        let recorded = LoggedEpisode::from_episode(&episode).unwrap();
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
    let episode = runner.run(spec, &mut NullObserver, &mut NullObserver).unwrap();
    assert_eq!(
        LoggedEpisode::from_episode(&episode),
        None,
        "a deterministic episode is not logged for estimates"
    );
}

#[test]
fn a_cancelled_eval_run_ends_after_the_current_question() {
    let mut pool = RunnerPool::new(load(), Vec::new());
    let (registry, asked) = (registry(), long_questions(5));
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
    assert_eq!(whole.outcomes().len(), 5, "the pool can be used again");
}

/// Gives the same command at every call.
struct RepeatingObserver(Command);

impl EpisodeObserver for RepeatingObserver {
    fn poll(&mut self) -> Option<Command> {
        Some(self.0.clone())
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn on_event(&mut self, _: u64, _: Event) {}

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}

#[test]
fn a_command_at_every_call_does_not_hold_the_episode_up() {
    let cases = [
        (Command::Stop, FinishReason::Cancelled),
        (Command::Pause, FinishReason::Cancelled),
        (Command::Resume, FinishReason::Answered),
        (Command::Bookmark("again".into()), FinishReason::Answered),
    ];
    for (command, expected) in cases {
        let (question, mut router) = (question(), router_named("always-small"));
        let spec = EpisodeSpec::new(&question, router.as_mut(), 0);
        let mut observer = RepeatingObserver(command.clone());
        let episode = pair().run(spec, &mut NullObserver, &mut observer).unwrap();
        assert_eq!(reason(&episode), expected, "{command:?}");
    }
}

#[test]
fn a_session_whose_screen_is_gone_ends_with_its_step() {
    let mut live = spawn_session(|_| Ok(load()), registry(), Box::new(Vec::new())).unwrap();
    let router = Some("always-small".to_owned());
    let ask = Command::Ask { question: question(), router, seed: 1, paused: false };
    live.commands.send(ask).unwrap();
    while !matches!(live.updates.blocking_recv(), Some(SessionUpdate::Event { .. })) {}
    drop(live.updates);
    // The commands stay open, so only the closed updates can end it.
    live.thread.join().unwrap();
    assert!(live.commands.send(Command::Quit).is_err());
}
