//! Redone steps, and random commands of a user, with the tiny pair.

use pointsman::episode::{
    Decider, Episode, EpisodeStatus, Event, EventKind, FinishReason, OverrideScope, Role, Token,
};
use pointsman::routing::Opinion;
use pointsman::session::{Command, EpisodeObserver, EpisodeSpec, Fork};
use pointsman::tasks::Question;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::observer::{ScriptedObserver, ask, dataset_counts, run};
use crate::tiny::{long_questions, pair, writers};

/// Gives random commands, `left` of them in all.
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

    fn on_event(&mut self, _: u64, _: Event) {}

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}

#[test]
fn a_redone_step_is_written_by_the_other_model() {
    let mut runner = pair();
    let plain = ask(&mut runner, "confidence", ScriptedObserver::default());
    assert_eq!(dataset_counts(&plain.episode).used, 1);
    let observer = ScriptedObserver::at_steps(vec![(2, Command::Redo)]);
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
        "the router's own choice is kept"
    );
    assert_eq!(redone.episode.redo_count, 1);
    assert!(redone.episode.is_over());
    let next = redone.episode.steps[2].decision.as_ref().unwrap();
    assert_eq!(next.by, Decider::Rule("confidence".into()), "the router decides the next step");
    let kinds = redone.events.iter().map(|e| &e.kind);
    let redone_events = kinds.filter(|k| matches!(k, EventKind::Redone { step: 1 })).count();
    assert_eq!(redone_events, 1);
    let counts = dataset_counts(&redone.episode);
    assert_eq!((counts.used, counts.user), (0, 1));
}

#[test]
fn a_redo_discards_the_step_in_progress() {
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
        // The engine may have drawn a few tokens more before the command arrived.
        let in_progress = redone.discarded.last().unwrap();
        assert!(in_progress.tokens.len() >= 3, "{router}: {in_progress:?}");
        let old = &redone.discarded[redone.discarded.len() - 2];
        assert_eq!(old.model, redone.generation.model.other());
    }
}

#[test]
fn a_redo_during_a_pause_keeps_the_pause() {
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
    let positions = |is: fn(&EventKind) -> bool| -> Vec<usize> {
        kinds.iter().enumerate().filter(|(_, k)| is(k)).map(|(i, _)| i).collect()
    };
    let redone = positions(|k| matches!(k, EventKind::Redone { step: 0 }));
    let resumed = positions(|k| matches!(k, EventKind::Resumed));
    assert_eq!(redone.len(), 2, "to the other model and back");
    assert!(resumed[0] < redone[0] && redone[1] < resumed[1], "{redone:?} {resumed:?}");
    // Small, large and small wrote the first step; the override of the second still holds.
    let first = &run.episode.steps[0];
    let models: Vec<char> = first.discarded.iter().map(|w| w.model.letter()).collect();
    assert_eq!(models, ['S', 'L']);
    assert_eq!(first.discarded[0].text, first.generation.text);
    assert!(writers(&run.episode).starts_with("SLS"), "{}", writers(&run.episode));
}

#[test]
fn random_commands_keep_the_event_list_consistent() {
    let mut runner = pair();
    runner.preset_mut().routing.shadows = vec!["random".parse().unwrap()];
    let (mut redo_count, mut forks) = (0, 0);
    for seed in 0..40 {
        let router = ["confidence", "judge", "always-small"][seed % 3];
        runner.preset_mut().routing.router = router.into();
        let user = || RandomUser { rng: ChaCha8Rng::seed_from_u64(seed as u64), left: 12 };
        let parent = run(&mut runner, router, user(), |router| {
            EpisodeSpec::new(Box::leak(Box::new(long_questions(1).remove(0))), router, 1)
        });
        let parent = parent.unwrap().episode;
        assert_eq!(parent.status, conclusion(&parent), "seed {seed}");
        redo_count += parent.redo_count;
        let step = seed % parent.steps.len();
        let fork = Fork::new(1, parent.clone(), step);
        let child = run(&mut runner, router, user(), |router| {
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

/// How an episode that was not stopped must end, given its text.
fn conclusion(episode: &Episode) -> EpisodeStatus {
    let (answer, verdict) = Question::of_started(&episode.started).grade(&episode.text());
    let answered = episode.text().contains(&episode.started.preset.steps.answer_marker);
    let reason = if answered { FinishReason::Answered } else { FinishReason::StepLimit };
    EpisodeStatus::Finished { answer, verdict, reason }
}
