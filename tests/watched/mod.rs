//! Episodes of the real tiny pair that somebody watches, and commands meanwhile.

use std::collections::VecDeque;

use pointsman::episode::{Episode, Event, EventKind, PerRole, Role, Token};
use pointsman::routing::{Intake, Opinion, Pair};
use pointsman::session::{Audience, Command, Conductor, Job, SessionError};
use pointsman::training::Dataset;

use super::tiny::*;

/// Gives commands when a step is about to be decided, when a token of one is drawn, or in a pause.
#[derive(Default)]
pub struct Watcher {
    pub at_step: Vec<(usize, Command)>,
    /// Step, tokens of it that have been drawn, command.
    pub at_token: Option<(usize, usize, Command)>,
    pub waiting: VecDeque<Command>,
    pub due: VecDeque<Command>,
    pub step: usize,
    pub tokens: usize,
    pub refusals: Vec<String>,
    pub remarks: Vec<String>,
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

pub struct Run<A = Watcher> {
    pub episode: Episode,
    pub events: Vec<Event>,
    pub watcher: A,
}

pub fn ask(conductor: &mut Conductor, router: &str, watcher: Watcher) -> Run {
    let question = &long_questions(1)[0];
    conductor.preset_mut().routing.router = router.into();
    run(conductor, router, watcher, |router| Job::new(question, router, 1)).unwrap()
}

pub fn run<'a, A: Audience>(
    conductor: &mut Conductor,
    router: &str,
    mut watcher: A,
    job: impl FnOnce(&'a mut dyn pointsman::routing::Router) -> Job<'a>,
) -> Result<Run<A>, SessionError> {
    let mut memory = Vec::new();
    let router = Box::leak(roster().router(router).unwrap());
    let shadows = roster().shadows(&conductor.preset().routing.shadows).unwrap();
    let episode = conductor.run(Job { shadows, ..job(router) }, &mut memory, &mut watcher)?;
    // One truth: what the journal holds folds to what the run returned.
    assert_eq!(Episode::fold(&memory).unwrap().as_ref(), Some(&episode));
    let steps: f64 = episode.steps.iter().map(|s| s.cost(episode.started.prices)).sum();
    let rest = episode.discarded.iter().map(|w| {
        episode.started.prices[w.model].written * (w.usage.prefilled + w.tokens.len()) as f64
    });
    assert_eq!(steps + rest.sum::<f64>(), episode.ledger.cost(), "every token has its step");
    Ok(Run { episode, events: memory, watcher })
}

pub fn intake(episode: &Episode) -> Intake {
    let started = &episode.started;
    let models = PerRole::from_fn(|role| &started.models[role]);
    let pair = Pair::of(&started.preset, started.prices, models);
    let mut dataset = Dataset::default();
    let policy = roster().policy().unwrap().clone();
    dataset.add(episode, &pair, &policy.card.set);
    dataset.intake
}
