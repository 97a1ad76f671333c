//! Steps that are taken back, and whatever else a person may do, with the real tiny pair.

mod observed;
mod tiny;

use pointsman::episode::{
    Decider, Episode, EpisodeStatus, Event, EventKind, FinishReason, OverrideScope, Role, Token,
};
use pointsman::routing::Opinion;
use pointsman::session::{Command, EpisodeObserver, EpisodeSpec, Fork};
use pointsman::tasks::Question;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use observed::*;
use tiny::*;

/// Gives a dozen commands at random, whenever it is asked.
struct RandomUser {
    rng: ChaCha8Rng,
    left: usize,
}

impl RandomUser {
    fn command(&mut self) -> Command {
        self.left -= 1;
        let model = if self.rng.random() { Role::Small } else { Role::Large };
        match self.rng.random_range(0..10) {
            0..=2 => Command::Redo,
            3 => Command::Pause,
            4 => Command::Resume,
            5 => Command::Step,
            6 => Command::SetOverride { model, scope: OverrideScope::NextStep },
            7 => Command::SetOverride { model, scope: OverrideScope::FromHereOn },
            8 => Command::ClearOverride,
            _ => Command::SetThreshold(self.rng.random()),
        }
    }
}

impl EpisodeObserver for RandomUser {
    fn poll(&mut self) -> Option<Command> {
        (self.left > 0 && self.rng.random_bool(0.1)).then(|| self.command())
    }

    fn wait(&mut self) -> Option<Command> {
        Some(if self.left > 0 { self.command() } else { Command::Resume })
    }

    fn on_event(&mut self, _: u64, _: &Event) {}

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}

#[test]
fn a_step_taken_back_is_written_by_the_other_model() {
    let mut runner = pair();
    let plain = ask(&mut runner, "confidence", ScriptedObserver::default());
    assert_eq!(intake(&plain.episode).used, 1);
    let observer =
        ScriptedObserver { at_step: vec![(2, Command::Redo)], ..ScriptedObserver::default() };
    let redone = ask(&mut runner, "confidence", observer);
    let (old, new) = (&plain.episode.steps[1], &redone.episode.steps[1]);
    assert_eq!(new.generation.model, old.generation.model.other());
    assert_eq!(new.discarded.last().unwrap().text, old.generation.text);
    let decision = new.decision.as_ref().unwrap();
    assert_eq!((&decision.by, decision.propensity), (&Decider::User, None));
    assert_eq!(decision.p_large, old.decision.as_ref().unwrap().p_large);
    assert_eq!(
        decision.router_choice(),
        Some(old.generation.model),
        "the router had chosen otherwise"
    );
    assert_eq!(redone.episode.redo_count, 1);
    assert!(redone.episode.is_over());
    let next = redone.episode.steps[2].decision.as_ref().unwrap();
    assert_eq!(next.by, Decider::Rule("confidence".into()), "the points go back");
    let kinds = redone.events.iter().map(|e| &e.kind);
    let back = kinds.filter(|k| matches!(k, EventKind::Redone { step: 1 })).count();
    assert_eq!(back, 1);
    let left = intake(&redone.episode);
    assert_eq!((left.used, left.person), (0, 1));
}

#[test]
fn what_is_written_after_a_step_that_is_taken_back_is_dropped() {
    let mut runner = pair();
    for router in ["always-small", "confidence"] {
        let observer = ScriptedObserver {
            at_token: Some((2, 3, Command::Redo)),
            ..ScriptedObserver::default()
        };
        let run = ask(&mut runner, router, observer);
        assert!(run.observer.at_token.is_none());
        assert!(run.episode.is_over());
        let redone = &run.episode.steps[1];
        assert_eq!(redone.decision.as_ref().unwrap().by, Decider::User);
        // What was written by the time that the command came, and how far the engine was ahead then.
        let begun = redone.discarded.last().unwrap();
        assert!(begun.tokens.len() >= 3, "{router}: {begun:?}");
        let old = &redone.discarded[redone.discarded.len() - 2];
        assert_eq!(old.model, redone.generation.model.other());
    }
}

#[test]
fn a_step_is_taken_back_in_a_pause_and_the_pause_lasts() {
    let next = OverrideScope::NextStep;
    let observer = ScriptedObserver {
        at_step: vec![(0, Command::Redo), (0, Command::Pause)],
        while_paused: [
            Command::Step,
            Command::SetOverride { model: Role::Large, scope: next },
            Command::Redo,
            Command::Redo,
            Command::Step,
            Command::Resume,
        ]
        .into(),
        ..ScriptedObserver::default()
    };
    let run = ask(&mut pair(), "always-small", observer);
    assert_eq!(run.observer.refusals.len(), 1, "{:?}", run.observer.refusals);
    let kinds: Vec<&EventKind> = run.events.iter().map(|e| &e.kind).collect();
    let places = |is: fn(&EventKind) -> bool| -> Vec<usize> {
        kinds.iter().enumerate().filter(|(_, k)| is(k)).map(|(i, _)| i).collect()
    };
    let back = places(|k| matches!(k, EventKind::Redone { step: 0 }));
    let resumed = places(|k| matches!(k, EventKind::Resumed));
    assert_eq!(back.len(), 2, "there and back");
    assert!(resumed[0] < back[0] && back[1] < resumed[1], "{back:?} {resumed:?}");
    // The first step was written by small, large, small; what was said of the second still holds.
    let first = &run.episode.steps[0];
    let models: Vec<char> = first.discarded.iter().map(|w| w.model.letter()).collect();
    assert_eq!(models, ['S', 'L']);
    assert_eq!(first.discarded[0].text, first.generation.text);
    assert!(writers(&run.episode).starts_with("SLS"), "{}", writers(&run.episode));
}

#[test]
fn whatever_a_user_does_the_list_of_events_holds() {
    let mut runner = pair();
    runner.preset_mut().routing.shadows = vec!["random".parse().unwrap()];
    let (mut redo_count, mut forks) = (0, 0);
    for seed in 0..40 {
        let router = ["confidence", "judge", "always-small"][seed % 3];
        runner.preset_mut().routing.router = router.into();
        let restless = || RandomUser { rng: ChaCha8Rng::seed_from_u64(seed as u64), left: 12 };
        let parent = run(&mut runner, router, restless(), |router| {
            EpisodeSpec::new(Box::leak(Box::new(long_questions(1).remove(0))), router, 1)
        });
        let parent = parent.unwrap().episode;
        assert_eq!(parent.status, conclusion(&parent), "seed {seed}");
        redo_count += parent.redo_count;
        let step = seed % parent.steps.len();
        let fork = Fork::new(1, parent.clone(), step);
        let child = run(&mut runner, router, restless(), |router| {
            let question = Question::of_started(&parent.started);
            EpisodeSpec::fork(Box::leak(Box::new(question)), router, fork)
        });
        let child = child.unwrap().episode;
        assert_eq!(child.status, conclusion(&child), "seed {seed}");
        let shared = child.inherited_steps;
        assert!(shared <= step);
        assert_eq!(child.steps[..shared], parent.steps[..shared]);
        forks += usize::from(shared > 0);
    }
    assert!(redo_count > 20 && forks > 10, "{redo_count} steps, {forks} forks");
}

/// How an episode that nobody stopped must have ended, by its text.
fn conclusion(episode: &Episode) -> EpisodeStatus {
    let (answer, verdict) = Question::of_started(&episode.started).grade(&episode.text());
    let answered = episode.text().contains(&episode.started.preset.steps.answer_marker);
    let reason = if answered { FinishReason::Answered } else { FinishReason::StepLimit };
    EpisodeStatus::Finished { answer, verdict, reason }
}
