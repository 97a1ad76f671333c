//! Forks and shadow routers, with the tiny pair.

use std::sync::Arc;

use pointsman::config::{DraftLength, Exploration, Preset};
use pointsman::episode::{
    Decider, Episode, EpisodeStatus, EventKind, FinishReason, OverrideScope, Role, UsageTotals,
    disagreements,
};
use pointsman::session::{
    Command, EpisodeRunner, EpisodeSpec, Fork, ForkRequest, SessionError, SessionUpdate,
    spawn_session,
};
use pointsman::tasks::Question;

use crate::observer::{ObservedRun, ScriptedObserver, ask, dataset_counts, run};
use crate::tiny::{load, long_questions, pair, preset, registry, writers};

fn forked(
    runner: &mut EpisodeRunner,
    fork: Fork,
    router: &str,
) -> Result<ObservedRun, SessionError> {
    let question = Question::of_started(&fork.episode.started);
    run(runner, router, ScriptedObserver::default(), |router| {
        EpisodeSpec::fork(Box::leak(Box::new(question)), router, fork)
    })
}

/// Token counts, without clock times.
fn counts(totals: &UsageTotals) -> [usize; 5] {
    [totals.prefilled, totals.reused, totals.kept, totals.discarded, totals.scored]
}

/// Asserts that both episodes have the same steps, decisions and token counts.
fn assert_alike(a: &Episode, b: &Episode, context: &str) {
    assert_eq!(a.steps.len(), b.steps.len(), "{context}");
    assert_eq!(a.first_difference(b), None, "{context}");
    for (x, y) in a.steps.iter().zip(&b.steps) {
        let usage = [x, y].map(|s| (s.generation.usage.prefilled, s.generation.usage.reused));
        assert_eq!(usage[0], usage[1], "{context}");
        let (x, y) = (x.decision.as_ref().unwrap(), y.decision.as_ref().unwrap());
        assert_eq!((x.choice, &x.by), (y.choice, &y.by), "{context}");
        // The KV cache is filled in different portions, which changes the last bits of a probability.
        for (p, q) in [(x.p_large, y.p_large), (x.propensity, y.propensity)] {
            let near = p.zip(q).is_none_or(|(p, q)| (p - q).abs() < 1e-3);
            assert!(p.is_some() == q.is_some() && near, "{context}: {p:?} {q:?}");
        }
    }
}

#[test]
fn an_unchanged_fork_repeats_its_parent() {
    let mut runner = pair();
    let mut rereads = 0;
    for (router, temperature) in [
        ("policy", 0.0),
        ("confidence", 0.0),
        ("judge", 0.0),
        ("entropy", 0.8),
        ("always-large", 0.0),
    ] {
        *runner.preset_mut() = preset();
        runner.preset_mut().sampling.temperature = temperature;
        runner.preset_mut().routing.router = router.into();
        for (i, question) in long_questions(3).into_iter().enumerate() {
            let seed = 7 + i as u64;
            let parent = run(&mut runner, router, ScriptedObserver::default(), |router| {
                EpisodeSpec::new(Box::leak(Box::new(question)), router, seed)
            });
            let parent = Arc::new(parent.unwrap().episode);
            for step in 0..parent.steps.len() {
                let fork = Fork::new(9, parent.clone(), step);
                let child = forked(&mut runner, fork, router).unwrap().episode;
                assert_alike(&child, &parent, &format!("{router} from step {step}"));
                assert_eq!(child.status, parent.status);
                for role in Role::BOTH {
                    let both = [&child, &parent].map(|e| counts(&e.ledger.totals[role]));
                    assert_eq!(both[0], both[1], "{router} from step {step}: {role}");
                }
                assert_eq!(child.ledger.cost(), parent.ledger.cost());
                let parent_step = child.started.parent.as_ref().unwrap();
                assert_eq!(
                    (parent_step.episode, parent_step.step, child.inherited_steps),
                    (9, step, step)
                );
                let fork_prefill = child.ledger.fork_prefill;
                assert_eq!(fork_prefill.small + fork_prefill.large == 0, step == 0);
                rereads += usize::from(fork_prefill.small > 0 && fork_prefill.large > 0);
                assert_eq!(dataset_counts(&child).forks, 1);
            }
        }
    }
    assert!(rereads > 10, "both models prefilled shared steps {rereads} times");
    assert_eq!(
        runner.preset().routing.router,
        "always-large",
        "a fork leaves the runner's preset alone"
    );
}

#[test]
fn a_fork_of_an_explored_episode_draws_the_same_choices() {
    let mut runner = pair();
    runner.preset_mut().routing.router = "confidence".into();
    runner.preset_mut().routing.exploration =
        Some(Exploration { coin: 0.5, ..Exploration::default() });
    for seed in 0..6 {
        let question = &long_questions(1)[0];
        let parent = run(&mut runner, "confidence", ScriptedObserver::default(), |router| {
            EpisodeSpec::new(Box::leak(Box::new(question.clone())), router, seed)
        });
        let parent = Arc::new(parent.unwrap().episode);
        for step in [1, 3] {
            let fork = Fork::new(1, parent.clone(), step);
            let child = forked(&mut runner, fork.clone(), "confidence").unwrap().episode;
            assert_alike(&child, &parent, &format!("seed {seed}, step {step}"));
            let pinned = Fork { threshold: Some(1.0), ..fork };
            let child = forked(&mut runner, pinned, "confidence").unwrap().episode;
            assert_eq!(child.started.preset.routing.exploration, None);
            assert!(!writers(&child)[step..].contains('L'), "{}", writers(&child));
        }
    }
}

#[test]
fn a_fork_changes_one_setting_and_can_be_forked_again() {
    let mut runner = pair();
    let parent = Arc::new(ask(&mut runner, "always-small", ScriptedObserver::default()).episode);
    let other = Fork { model: Some(Role::Large), ..Fork::new(5, parent.clone(), 2) };
    let child = forked(&mut runner, other, "always-small").unwrap();
    assert!(writers(&child.episode).starts_with("SSLS"), "{}", writers(&child.episode));
    assert_eq!(child.episode.steps[2].decision.as_ref().unwrap().by, Decider::User);
    assert_eq!(child.episode.first_difference(&parent), Some(2));
    assert!(
        child.events.iter().all(|e| e.at_ms >= child.episode.began_ms),
        "inherited events get the time of the fork"
    );

    // The grandchild forks inside the steps that its parent inherited.
    let grandparent = Arc::new(child.episode);
    let router = Fork::new(6, grandparent.clone(), 3);
    let grandchild = forked(&mut runner, router, "confidence").unwrap().episode;
    assert_eq!(grandchild.started.preset.routing.router, "confidence");
    assert!(writers(&grandchild).starts_with("SSL"));
    assert_eq!(grandchild.steps[2], grandparent.steps[2]);
    let by = &grandchild.steps[3].decision.as_ref().unwrap().by;
    assert_eq!(*by, Decider::Rule("confidence".into()));
    let early = Fork { budget: Some(1.0), ..Fork::new(6, grandparent.clone(), 1) };
    let early = forked(&mut runner, early, "always-large").unwrap().episode;
    assert_eq!(early.steps[1].decision.as_ref().unwrap().by, Decider::Budget);

    // A redo of an inherited step ends the shared part before it.
    let question = Question::of_started(&parent.started);
    let observer = ScriptedObserver::at_steps(vec![(2, Command::Redo)]);
    let redone = run(&mut runner, "always-small", observer, |router| {
        EpisodeSpec::fork(Box::leak(Box::new(question)), router, Fork::new(5, parent.clone(), 2))
    });
    let redone = redone.unwrap().episode;
    assert_eq!(redone.inherited_steps, 1);
    assert!(writers(&redone).starts_with("SLS"), "{}", writers(&redone));
}

#[test]
fn a_stopped_episode_continues_as_a_fork_of_its_end() {
    let mut runner = pair();
    let whole = ask(&mut runner, "policy", ScriptedObserver::default()).episode;
    let observer = ScriptedObserver::at_steps(vec![(3, Command::Stop)]);
    let stopped = ask(&mut runner, "policy", observer).episode;
    assert_eq!(stopped.steps.len(), 3);
    let child = forked(&mut runner, Fork::new(1, stopped, 3), "policy").unwrap().episode;
    assert_alike(&child, &whole, "after a stop");
    assert_eq!(child.status, whole.status);
}

#[test]
fn impossible_forks_are_refused_before_the_episode_starts() {
    let mut runner = pair();
    let parent = ask(&mut runner, "always-large", ScriptedObserver::default()).episode;
    let reason = |e: &Episode| {
        matches!(e.status, EpisodeStatus::Finished { reason: FinishReason::Answered, .. })
    };
    assert!(reason(&parent));
    let n = parent.steps.len();
    let mut of_other_model = parent.clone();
    of_other_model.started.models.large.digest = "another".into();
    let cases = [
        (Fork::new(3, parent.clone(), n + 1), format!("its number of steps is {n}")),
        (Fork::new(3, parent.clone(), n), format!("nothing can follow step {n}")),
        (Fork { threshold: Some(2.0), ..Fork::new(3, parent, 1) }, "routing.threshold is 2".into()),
        (Fork::new(3, of_other_model, 1), "was written by model tiny-large".into()),
    ];
    for (fork, words) in cases {
        let error = forked(&mut runner, fork, "always-large").err().expect(&words).to_string();
        assert!(error.contains(&words), "{error}");
        assert_eq!(
            runner.preset(),
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
fn a_session_forks_the_running_episode_and_keeps_its_settings() {
    let mut live = spawn_session(|_| Ok(load()), registry(), Box::new(Vec::new())).unwrap();
    let question = long_questions(1).remove(0);
    live.commands.send(Command::Redo).unwrap();
    let asked = Command::Ask { question, router: None, seed: 1, paused: true };
    live.commands.send(asked.clone()).unwrap();
    live.commands.send(Command::Step).unwrap();
    let mut episodes: Vec<Episode> = Vec::new();
    let mut refused = Vec::new();
    while let Some(update) = live.updates.blocking_recv() {
        match update {
            SessionUpdate::Event { event, .. } => {
                let at = episodes.len();
                match &event.kind {
                    EventKind::Started(_) => episodes.push(Episode::start(&event).unwrap()),
                    _ => episodes[at - 1].apply(&event).unwrap(),
                }
                let now = episodes.last().unwrap();
                match (episodes.len(), &event.kind) {
                    // Paused again after its first step: fork it, with large for the rest.
                    (1, EventKind::Paused) if now.steps.len() == 1 => {
                        let fork = Fork { threshold: Some(0.0), ..Fork::new(1, now.clone(), 1) };
                        let request =
                            ForkRequest { fork, router: None, registry: None, paused: false };
                        live.commands.send(Command::Fork(Box::new(request))).unwrap();
                    }
                    (2, EventKind::Finished { .. }) => live.commands.send(asked.clone()).unwrap(),
                    (3, EventKind::Paused) => live.commands.send(Command::Quit).unwrap(),
                    _ => {}
                }
            }
            SessionUpdate::Refused(reason) => refused.push(reason),
            SessionUpdate::SessionFailed(reason) | SessionUpdate::SinkFailed(reason) => {
                panic!("{reason}")
            }
            _ => {}
        }
    }
    live.thread.join().unwrap();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("fork"), "{refused:?}");
    assert!(matches!(
        episodes[0].status,
        EpisodeStatus::Finished { reason: FinishReason::Cancelled, .. }
    ));
    let child = &episodes[1];
    assert_eq!(child.inherited_steps, 1);
    assert_eq!(child.steps[0], episodes[0].steps[0]);
    assert!(!writers(child)[1..].contains('S'), "{}", writers(child));
    assert_eq!(episodes[2].started.preset.routing.threshold, preset().routing.threshold);
}

#[test]
fn a_shadow_router_gives_the_same_opinion_as_when_it_decides() {
    let mut runner = pair();
    runner.preset_mut().routing.shadows =
        ["entropy", "confidence@0.05", "policy", "judge", "random"]
            .map(|s| s.parse().unwrap())
            .into();
    let shadowed = ask(&mut runner, "confidence", ScriptedObserver::default());
    assert_eq!(shadowed.observer.notices.len(), 1, "{:?}", shadowed.observer.notices);
    assert!(shadowed.observer.notices[0].contains("judge"), "once in an episode");
    for step in &shadowed.episode.steps {
        let decision = step.decision.as_ref().unwrap();
        let names: Vec<&str> = decision.shadows.keys().map(String::as_str).collect();
        assert_eq!(names, ["confidence", "entropy", "policy", "random"]);
        assert_eq!(Some(decision.shadows["confidence"]), decision.p_large);
    }
    let disagreements = disagreements(&shadowed.episode);
    assert!(
        disagreements
            .iter()
            .any(|d| d.router == "confidence@0.05" && d.shadow_choice == Role::Large)
    );
    assert!(disagreements.iter().all(|d| d.router != "confidence"));

    // As the deciding router, with the same draft, each gives the same opinion at the first boundary.
    runner.preset_mut().routing.shadows.clear();
    runner.preset_mut().routing.draft_length = Some(DraftLength::Step);
    let first = &shadowed.episode.steps[0].decision.as_ref().unwrap().shadows;
    for (name, p) in first {
        let alone = ask(&mut runner, name, ScriptedObserver::default()).episode;
        let alone = alone.steps[0].decision.as_ref().unwrap();
        assert_eq!(alone.p_large, Some(*p), "{name}");
        assert!(alone.shadows.is_empty());
    }

    // If the large model scores the draft anyway, the judge has an opinion.
    runner.preset_mut().routing.shadows = vec!["judge".parse().unwrap()];
    let judged = ask(&mut runner, "judge", ScriptedObserver::default());
    assert!(judged.observer.notices.is_empty());
    assert!(judged.episode.decisions().all(|(_, d)| Some(d.shadows["judge"]) == d.p_large));

    // The draft is too short for the policy.
    runner.preset_mut().routing.draft_length = Some(DraftLength::Tokens(1));
    runner.preset_mut().routing.shadows = vec!["policy".parse().unwrap()];
    let short = ask(&mut runner, "entropy", ScriptedObserver::default());
    assert!(short.observer.notices[0].contains("draft"), "{:?}", short.observer.notices);
    assert!(short.episode.decisions().all(|(_, d)| d.shadows.is_empty()));
}

#[test]
fn the_next_step_cost_estimates_unread_tokens() {
    let mut runner = pair();
    let large_next = || Command::SetOverride { model: Role::Large, scope: OverrideScope::NextStep };
    for (router, steps) in
        [("always-small", [2, 4]), ("always-small", [1, 3]), ("confidence", [1, 2])]
    {
        let observer = ScriptedObserver {
            at_step: steps.map(|step| (step, large_next())).into(),
            ..ScriptedObserver::default()
        };
        let run = ask(&mut runner, router, observer);
        let (mut checked, mut so_far) = (0, Episode::start(&run.events[0]).unwrap());
        for event in &run.events[1..] {
            if let EventKind::Written { generation, .. } = &event.kind
                && let Some(next_step_cost) = so_far.next_step_cost()
            {
                // The tokens before a draft were prefilled for the draft.
                let has_draft = so_far.discarded.iter().any(|w| w.model == generation.model);
                let has_opinion = so_far.decision.as_ref().unwrap().p_large.is_some();
                if !has_draft && (generation.model == Role::Large || !has_opinion) {
                    let (estimated, actual) =
                        (next_step_cost.unread[generation.model], generation.usage.prefilled);
                    let ratio = estimated as f64 / actual as f64;
                    if so_far.steps.last().unwrap().generation.model == generation.model {
                        assert_eq!((estimated, actual), (1, 1));
                    } else if so_far.share_of(generation.model) > 0.0 {
                        assert!(
                            (0.75..1.33).contains(&ratio),
                            "{router}: {estimated}, in fact {actual}"
                        );
                    } else {
                        // The length of this model's tokens in characters is unknown.
                        assert!(
                            (0.5..2.0).contains(&ratio),
                            "{router}: {estimated}, in fact {actual}"
                        );
                    }
                    checked += 1;
                }
            }
            so_far.apply(event).unwrap();
        }
        assert!(checked >= 2, "{router}: {checked}");
    }
    // With small alone, the estimate is near the cost of the next step.
    let run = ask(&mut runner, "always-small", ScriptedObserver::default()).episode;
    let mut shorter = run.clone();
    shorter.steps.truncate(3);
    let estimate = shorter.next_step_cost().unwrap().cost.small;
    let cost = run.steps[3].cost(run.started.prices);
    assert!((0.5..2.0).contains(&(estimate / cost)), "{estimate} against {cost}");
}
