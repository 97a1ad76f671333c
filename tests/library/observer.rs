//! Runs episodes of the tiny pair under an observer that follows a script.

use std::collections::VecDeque;

use pointsman::episode::{Episode, Event, EventKind, PerRole, Role, Token};
use pointsman::routing::{DatasetCounts, Opinion, PairFingerprint, Router};
use pointsman::session::{Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, SessionError};
use pointsman::training::Dataset;

use crate::tiny::{long_questions, registry};

/// Gives the commands of its script, and keeps what it is shown.
#[derive(Default)]
pub(crate) struct ScriptedObserver {
    /// Commands to give at the boundary before a step.
    pub(crate) at_step: Vec<(usize, Command)>,
    /// Step, number of its tokens drawn so far, command.
    pub(crate) at_token: Option<(usize, usize, Command)>,
    /// Commands to give while the episode is paused.
    pub(crate) while_paused: VecDeque<Command>,
    /// Stops the episode at the last token of the first complete step or draft.
    pub(crate) stop_at_step_end: bool,
    pub(crate) opinions: Vec<(usize, Opinion)>,
    pub(crate) refusals: Vec<String>,
    pub(crate) notices: Vec<String>,
    /// Tokens shown in the whole episode.
    pub(crate) token_count: usize,
    pub(crate) pending: VecDeque<Command>,
    pub(crate) step: usize,
    pub(crate) tokens_of_step: usize,
}

impl ScriptedObserver {
    pub(crate) fn at_steps(at_step: Vec<(usize, Command)>) -> Self {
        Self { at_step, ..Self::default() }
    }

    fn reach_boundary(&mut self, step: usize) {
        (self.step, self.tokens_of_step) = (step, 0);
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

    fn on_event(&mut self, _: u64, event: Event) {
        match &event.kind {
            EventKind::Started(_) => self.reach_boundary(0),
            EventKind::Written { step, .. } => self.reach_boundary(step + 1),
            _ => {}
        }
    }

    fn on_token(&mut self, _: Role, token: &Token) {
        self.token_count += 1;
        self.tokens_of_step += 1;
        let now = (self.step, self.tokens_of_step);
        if let Some((_, _, command)) = self.at_token.take_if(|(s, n, _)| (*s, *n) == now) {
            self.pending.push_back(command);
        }
        if self.stop_at_step_end && token.text.contains('\n') {
            self.pending.push_back(Command::Stop);
        }
    }

    fn on_opinion(&mut self, step: usize, opinion: &Opinion) {
        self.opinions.push((step, opinion.clone()));
    }

    fn on_refused(&mut self, reason: &str) {
        self.refusals.push(reason.to_owned());
    }

    fn on_notice(&mut self, text: &str) {
        self.notices.push(text.to_owned());
    }
}

/// An episode, its events, and the observer after it.
pub(crate) struct ObservedRun<O = ScriptedObserver> {
    pub(crate) episode: Episode,
    pub(crate) events: Vec<Event>,
    pub(crate) observer: O,
}

/// Asks the first long question.
pub(crate) fn ask(
    runner: &mut EpisodeRunner,
    router: &str,
    observer: ScriptedObserver,
) -> ObservedRun {
    let question = &long_questions(1)[0];
    runner.preset_mut().routing.router = router.into();
    run(runner, router, observer, |router| EpisodeSpec::new(question, router, 1)).unwrap()
}

/// Runs what `spec` makes of the router of that name, under the preset's shadows.
pub(crate) fn run<'a, O: EpisodeObserver>(
    runner: &mut EpisodeRunner,
    router: &str,
    mut observer: O,
    spec: impl FnOnce(&'a mut dyn Router) -> EpisodeSpec<'a>,
) -> Result<ObservedRun<O>, SessionError> {
    let mut events = Vec::new();
    let router = Box::leak(registry().router(router).unwrap());
    let shadows = registry().shadows(&runner.preset().routing.shadows).unwrap();
    let spec = EpisodeSpec { shadows, ..spec(router) };
    let episode = runner.run(spec, &mut events, &mut observer)?;
    assert_eq!(Episode::fold(&events).unwrap().as_ref(), Some(&episode));
    let prices = episode.started.prices;
    let steps: f64 = episode.steps.iter().map(|s| s.cost(prices)).sum();
    let pending = episode.discarded.iter().map(|generation| {
        let tokens = generation.usage.prefilled + generation.tokens.len();
        prices[generation.model].written * tokens as f64
    });
    // A scoring without its step has no cost of its own in the fold.
    let since_step =
        events.iter().rev().take_while(|e| !matches!(e.kind, EventKind::Written { .. }));
    let scored = since_step.into_iter().any(|e| matches!(e.kind, EventKind::DraftScored { .. }));
    if !scored {
        let cost = steps + pending.sum::<f64>();
        assert_eq!(cost, episode.ledger.cost(), "every token belongs to a step");
    }
    Ok(ObservedRun { episode, events, observer })
}

/// How a training counts the episode.
pub(crate) fn dataset_counts(episode: &Episode) -> DatasetCounts {
    let started = &episode.started;
    let models = PerRole::from_fn(|role| &started.models[role]);
    let pair = PairFingerprint::of(&started.preset, started.prices, models);
    let mut dataset = Dataset::default();
    let policy = registry().policy().unwrap().clone();
    dataset.add(episode, &pair, &policy.card.set);
    dataset.dataset_counts
}
