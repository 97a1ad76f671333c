//! Episodes of the real tiny pair that somebody watches, and commands meanwhile.

use std::collections::VecDeque;

use pointsman::episode::{Episode, Event, EventKind, PerRole, Role, Token};
use pointsman::routing::{DatasetCounts, Opinion, PairFingerprint};
use pointsman::session::{Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, SessionError};
use pointsman::training::Dataset;

use super::tiny::*;

/// Gives commands when a step is about to be decided, when a token of one is drawn, or in a pause.
#[derive(Default)]
pub struct ScriptedObserver {
    pub at_step: Vec<(usize, Command)>,
    /// Step, tokens of it that have been drawn, command.
    pub at_token: Option<(usize, usize, Command)>,
    pub while_paused: VecDeque<Command>,
    pub pending: VecDeque<Command>,
    pub step: usize,
    pub tokens: usize,
    pub refusals: Vec<String>,
    pub remarks: Vec<String>,
}

impl ScriptedObserver {
    fn at_step_boundary(&mut self, step: usize) {
        (self.step, self.tokens) = (step, 0);
        while self.at_step.first().is_some_and(|(at, _)| *at == step) {
            self.pending.push_back(self.at_step.remove(0).1);
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

    fn on_token(&mut self, _: Role, _: &Token) {
        self.tokens += 1;
        let now = (self.step, self.tokens);
        if let Some((_, _, command)) = self.at_token.take_if(|(s, n, _)| (*s, *n) == now) {
            self.pending.push_back(command);
        }
    }

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, reason: &str) {
        self.refusals.push(reason.to_owned());
    }

    fn on_notice(&mut self, text: &str) {
        self.remarks.push(text.to_owned());
    }
}

pub struct ObservedRun<A = ScriptedObserver> {
    pub episode: Episode,
    pub events: Vec<Event>,
    pub observer: A,
}

pub fn ask(runner: &mut EpisodeRunner, router: &str, observer: ScriptedObserver) -> ObservedRun {
    let question = &long_questions(1)[0];
    runner.preset_mut().routing.router = router.into();
    run(runner, router, observer, |router| EpisodeSpec::new(question, router, 1)).unwrap()
}

pub fn run<'a, A: EpisodeObserver>(
    runner: &mut EpisodeRunner,
    router: &str,
    mut observer: A,
    spec: impl FnOnce(&'a mut dyn pointsman::routing::Router) -> EpisodeSpec<'a>,
) -> Result<ObservedRun<A>, SessionError> {
    let mut memory = Vec::new();
    let router = Box::leak(registry().router(router).unwrap());
    let shadows = registry().shadows(&runner.preset().routing.shadows).unwrap();
    let episode =
        runner.run(EpisodeSpec { shadows, ..spec(router) }, &mut memory, &mut observer)?;
    // One truth: what the event list holds folds to what the run returned.
    assert_eq!(Episode::fold(&memory).unwrap().as_ref(), Some(&episode));
    let steps: f64 = episode.steps.iter().map(|s| s.cost(episode.started.prices)).sum();
    let rest = episode.discarded.iter().map(|w| {
        episode.started.prices[w.model].written * (w.usage.prefilled + w.tokens.len()) as f64
    });
    assert_eq!(steps + rest.sum::<f64>(), episode.ledger.cost(), "every token has its step");
    Ok(ObservedRun { episode, events: memory, observer })
}

pub fn intake(episode: &Episode) -> DatasetCounts {
    let started = &episode.started;
    let models = PerRole::from_fn(|role| &started.models[role]);
    let pair = PairFingerprint::of(&started.preset, started.prices, models);
    let mut dataset = Dataset::default();
    let policy = registry().policy().unwrap().clone();
    dataset.add(episode, &pair, &policy.card.set);
    dataset.intake
}
