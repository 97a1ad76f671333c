//! The state of an episode, folded from its events.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    Decider, Decision, Event, EventKind, FinishReason, Generation, Ledger, OverrideScope, Role,
    SCHEMA, Scoring, Started, Step, Verdict,
};

/// An event that does not fit its place in the list. Events and steps are counted from 0.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FoldError {
    /// A newer program wrote the event.
    #[error(
        "a newer pointsman wrote event {event} (format {schema}, this one reads up to {SCHEMA}): update pointsman"
    )]
    NewerSchema {
        /// The event's place.
        event: usize,
        /// Its format version.
        schema: u32,
    },
    /// The first event is not `started`, or a later one is.
    #[error(
        "event {event} is out of place: an episode begins with `started`, and has no second `started`"
    )]
    UnexpectedStart {
        /// The event's place.
        event: usize,
    },
    /// The event is about another step than the next one.
    #[error("event {event} is about step {step}, but the next step is {next}")]
    UnexpectedStep {
        /// The event's place.
        event: usize,
        /// The step that it is about.
        step: usize,
        /// The step that it should be about.
        next: usize,
    },
    /// The episode had already ended.
    #[error("event {event} comes after the episode's end")]
    AfterEnd {
        /// The event's place.
        event: usize,
    },
    /// The event takes back a step that is not the last one.
    #[error(
        "event {event} takes back step {step} of {steps} written steps, but only the last one can be taken back"
    )]
    RedoNotLast {
        /// The event's place.
        event: usize,
        /// The step that it takes back.
        step: usize,
        /// Number of written steps.
        steps: usize,
    },
}

/// The state that an episode is in.
#[derive(Debug, Clone, PartialEq)]
pub enum EpisodeStatus {
    /// It is running, or the program was killed while it was.
    Running,
    /// It is paused.
    Paused,
    /// It ended without an error.
    Finished {
        /// The answer that the grader extracted; `None` if it found none.
        answer: Option<String>,
        /// Whether the answer is correct.
        verdict: Verdict,
        /// Why the episode ended.
        reason: FinishReason,
    },
    /// An error, which is given, ended it.
    Failed(String),
}

/// The state of an episode after its last event.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// What it started from.
    pub started: Started,
    /// Time of the first event, milliseconds since the Unix epoch.
    pub began_ms: u64,
    /// Time of the last event, milliseconds since the Unix epoch.
    pub last_ms: u64,
    /// Number of events.
    pub events: usize,
    /// The steps of the trace.
    pub steps: Vec<Step>,
    /// What was spent, by model and purpose.
    pub ledger: Ledger,
    /// The current threshold, in [0, 1].
    pub threshold: f64,
    /// The current budget, in the unit of the prices; `None` for no limit.
    pub budget: Option<f64>,
    /// The user's override, while it lasts.
    pub active_override: Option<(Role, OverrideScope)>,
    /// The choice for the next step, once it is made.
    pub decision: Option<Decision>,
    /// Discarded drafts of the next step.
    pub discarded: Vec<Generation>,
    /// Scorings of drafts of the next step.
    pub scorings: Vec<Scoring>,
    /// p(large) of the shadow routers for the next step, by name.
    pub shadows: BTreeMap<String, f64>,
    /// Number of steps shared with the parent; 0 unless the episode is a fork.
    pub inherited_steps: usize,
    /// Number of times that the user took back a step.
    pub redo_count: usize,
    /// Whether the next choice is about a step that was taken back.
    redoing: bool,
    /// Bookmarked steps with their notes, in the order of the bookmarks.
    pub bookmarks: Vec<(usize, String)>,
    /// Whether it runs, is paused or has ended.
    pub status: EpisodeStatus,
}

impl Episode {
    /// The episode that `event` starts.
    ///
    /// # Errors
    /// [`FoldError`] if the event is not [`EventKind::Started`], or has a newer format.
    pub fn start(event: &Event) -> Result<Self, FoldError> {
        if event.schema > SCHEMA {
            return Err(FoldError::NewerSchema { event: 0, schema: event.schema });
        }
        let EventKind::Started(started) = &event.kind else {
            return Err(FoldError::UnexpectedStart { event: 0 });
        };
        let started = (**started).clone();
        Ok(Self {
            began_ms: event.at_ms,
            last_ms: event.at_ms,
            events: 1,
            steps: Vec::new(),
            ledger: Ledger::new(started.prices),
            threshold: started.preset.routing.threshold,
            budget: started.preset.budget.limit,
            active_override: None,
            decision: None,
            discarded: Vec::new(),
            scorings: Vec::new(),
            shadows: BTreeMap::new(),
            inherited_steps: started.parent.as_ref().map_or(0, |parent| parent.step),
            redo_count: 0,
            redoing: false,
            bookmarks: Vec::new(),
            status: EpisodeStatus::Running,
            started,
        })
    }

    /// Folds a complete list of events; `None` for an empty list.
    ///
    /// # Errors
    /// [`FoldError`] for the first event that does not fit.
    pub fn fold<'a>(
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<Option<Self>, FoldError> {
        let mut events = events.into_iter();
        let Some(first) = events.next() else {
            return Ok(None);
        };
        let mut episode = Self::start(first)?;
        for event in events {
            episode.apply(event)?;
        }
        Ok(Some(episode))
    }

    /// Applies the next event.
    ///
    /// # Errors
    /// [`FoldError`] if the event does not fit; the episode is then unchanged.
    pub fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        self.check(event)?;
        match &event.kind {
            // Only the first event starts an episode, see `check`.
            EventKind::Started(_) => {}
            EventKind::Decided { features, p_large, threshold, propensity, choice, by, .. } => {
                let shadows = std::mem::take(&mut self.shadows);
                self.decide(Decision {
                    features: features.clone(),
                    p_large: *p_large,
                    threshold: *threshold,
                    propensity: *propensity,
                    choice: *choice,
                    by: by.clone(),
                    shadows,
                });
            }
            EventKind::Written { generation, .. } => {
                self.ledger.add_generation(generation, true);
                self.steps.push(Step {
                    decision: self.decision.take(),
                    discarded: std::mem::take(&mut self.discarded),
                    scorings: std::mem::take(&mut self.scorings),
                    generation: generation.clone(),
                });
            }
            EventKind::Discarded { generation, .. } => {
                self.ledger.add_generation(generation, false);
                self.discarded.push(generation.clone());
            }
            EventKind::DraftScored { scoring, .. } => {
                self.ledger.add_scoring(scoring);
                self.scorings.push(scoring.clone());
            }
            EventKind::ShadowsEvaluated { p_large, .. } => self.shadows.clone_from(p_large),
            EventKind::Redone { .. } => self.redo_last_step(),
            EventKind::ForkPrefilled { model, usage } => {
                self.ledger.add_fork_prefill(*model, usage);
            }
            EventKind::ThresholdMoved { to, .. } => self.threshold = *to,
            EventKind::BudgetChanged { to, .. } => self.budget = *to,
            EventKind::OverrideSet { model, scope } => {
                self.active_override = Some((*model, *scope));
            }
            EventKind::OverrideCleared => self.active_override = None,
            EventKind::Paused => self.status = EpisodeStatus::Paused,
            EventKind::Resumed => self.status = EpisodeStatus::Running,
            EventKind::Bookmarked { step, note } => self.bookmarks.push((*step, note.clone())),
            EventKind::Finished { answer, verdict, reason } => {
                self.status = EpisodeStatus::Finished {
                    answer: answer.clone(),
                    verdict: *verdict,
                    reason: *reason,
                };
            }
            EventKind::Failed { error } => self.status = EpisodeStatus::Failed(error.clone()),
        }
        self.events += 1;
        self.last_ms = event.at_ms;
        Ok(())
    }

    /// Whether `event` fits as the next one.
    fn check(&self, event: &Event) -> Result<(), FoldError> {
        let (index, next) = (self.events, self.steps.len());
        if event.schema > SCHEMA {
            return Err(FoldError::NewerSchema { event: index, schema: event.schema });
        }
        if self.is_over() && !matches!(event.kind, EventKind::Bookmarked { .. }) {
            return Err(FoldError::AfterEnd { event: index });
        }
        match event.kind {
            EventKind::Started(_) => Err(FoldError::UnexpectedStart { event: index }),
            EventKind::Decided { step, .. }
            | EventKind::Written { step, .. }
            | EventKind::Discarded { step, .. }
            | EventKind::DraftScored { step, .. }
            | EventKind::ShadowsEvaluated { step, .. }
                if step != next =>
            {
                Err(FoldError::UnexpectedStep { event: index, step, next })
            }
            EventKind::Redone { step } if step.checked_add(1) != Some(next) => {
                Err(FoldError::RedoNotLast { event: index, step, steps: next })
            }
            _ => Ok(()),
        }
    }

    /// Records the choice for the next step.
    fn decide(&mut self, decision: Decision) {
        // The choice uses up an override for one step. An override that the user sets during the step is for the
        // next one, and one that was set before a step is redone stays.
        if decision.by == Decider::User
            && !std::mem::take(&mut self.redoing)
            && matches!(self.active_override, Some((_, OverrideScope::NextStep)))
        {
            self.active_override = None;
        }
        self.decision = Some(decision);
    }

    /// Turns the last step into a discarded draft. What was begun of the step after it is charged to this one.
    fn redo_last_step(&mut self) {
        let Some(Step { decision, mut discarded, mut scorings, generation }) = self.steps.pop()
        else {
            return;
        };
        self.ledger.mark_discarded(&generation);
        discarded.push(generation);
        discarded.append(&mut self.discarded);
        scorings.append(&mut self.scorings);
        (self.discarded, self.scorings) = (discarded, scorings);
        // It is the same boundary, so the shadows' estimates still hold.
        self.shadows = decision.map(|decision| decision.shadows).unwrap_or_default();
        self.decision = None;
        self.inherited_steps = self.inherited_steps.min(self.steps.len());
        self.redo_count += 1;
        self.redoing = true;
    }

    /// Whether the user influenced a choice: by an override, inherited ones included, by redoing a step, or by
    /// moving the threshold.
    pub fn has_user_choice(&self) -> bool {
        let threshold = self.started.preset.routing.threshold;
        let moved =
            |at: usize, d: &Decision| at >= self.inherited_steps && d.threshold != threshold;
        self.redo_count > 0 || self.decisions().any(|(at, d)| d.by == Decider::User || moved(at, d))
    }

    /// The decisions of the trace, each with its step.
    pub fn decisions(&self) -> impl Iterator<Item = (usize, &Decision)> {
        let steps = self.steps.iter().enumerate();
        steps.filter_map(|(at, step)| step.decision.as_ref().map(|decision| (at, decision)))
    }

    /// The first step at which two traces differ in text or model; `None` if they are the same.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let pairs = self.steps.iter().zip(&other.steps);
        let shared = pairs.take_while(|(a, b)| a.same_output(b)).count();
        (shared < self.steps.len().max(other.steps.len())).then_some(shared)
    }

    /// Whether the episode has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.status, EpisodeStatus::Finished { .. } | EpisodeStatus::Failed(_))
    }

    /// The verdict; `None` unless the episode finished.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.status {
            EpisodeStatus::Finished { verdict, .. } => Some(verdict),
            _ => None,
        }
    }

    /// The text of the trace, without the prompt.
    pub fn text(&self) -> String {
        self.steps.iter().map(|step| step.generation.text.as_str()).collect()
    }

    /// Number of steps that another model wrote than the step before.
    pub fn switches(&self) -> usize {
        self.steps.windows(2).filter(|w| w[0].generation.model != w[1].generation.model).count()
    }

    /// Share of the steps that `role` wrote, in [0, 1]; 0 before the first step.
    pub fn share_of(&self, role: Role) -> f64 {
        if self.steps.is_empty() {
            return 0.0;
        }
        let own = self.steps.iter().filter(|s| s.generation.model == role).count();
        own as f64 / self.steps.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Usage;
    use crate::episode::fixtures::{self, generation};

    fn started() -> Event {
        Event::new(5, EventKind::Started(Box::new(fixtures::started())))
    }

    fn scoring(tokens: usize, prefilled: usize) -> Scoring {
        let Generation { model, tokens, usage, .. } = generation(Role::Large, tokens, prefilled);
        Scoring { model, tokens, usage }
    }

    fn event(kind: EventKind) -> Event {
        Event::new(6, kind)
    }

    #[test]
    fn the_ledger_charges_what_was_computed() {
        let events = [
            started(),
            event(EventKind::Discarded { step: 0, generation: generation(Role::Small, 4, 7) }),
            event(EventKind::DraftScored { step: 0, scoring: scoring(3, 1) }),
            event(EventKind::Written { step: 0, generation: generation(Role::Large, 5, 9) }),
            event(EventKind::Written { step: 1, generation: generation(Role::Small, 2, 6) }),
        ];
        let episode = Episode::fold(&events).unwrap().unwrap();
        assert_eq!(episode.ledger.cost_of(Role::Small), f64::from(4 + 7 + 2 + 6));
        assert_eq!(episode.ledger.cost_of(Role::Large), 180.0);
        assert_eq!((episode.switches(), episode.share_of(Role::Large)), (1, 0.5));
        assert_eq!(episode.steps[0].discarded.len(), 1);
        let steps: f64 = episode.steps.iter().map(|s| s.cost(episode.started.prices)).sum();
        assert_eq!(steps, episode.ledger.cost());
        assert_eq!(episode.text(), "xxxxxxx");
    }

    #[test]
    fn an_override_for_one_step_is_used_up_by_its_choice() {
        let for_one_step = Some((Role::Large, OverrideScope::NextStep));
        let set =
            event(EventKind::OverrideSet { model: Role::Large, scope: OverrideScope::NextStep });
        let mut episode = Episode::start(&started()).unwrap();
        episode.apply(&set).unwrap();
        assert_eq!(episode.active_override, for_one_step);
        let decided = EventKind::Decided {
            step: 0,
            features: BTreeMap::new(),
            p_large: None,
            threshold: 0.5,
            propensity: None,
            choice: Role::Large,
            by: Decider::User,
        };
        episode.apply(&event(decided)).unwrap();
        assert_eq!(episode.active_override, None);
        // An override that is set during a step is for the next one.
        episode.apply(&set).unwrap();
        let written = EventKind::Written { step: 0, generation: generation(Role::Large, 1, 1) };
        episode.apply(&event(written)).unwrap();
        assert_eq!(episode.active_override, for_one_step);
    }

    #[test]
    fn episodes_of_older_formats_fold() {
        let by = || Decider::Rule("entropy".into());
        let events = [started(), decided(0, by(), Role::Small), written(0, Role::Small, 2)].map(
            |mut event| {
                event.schema = 2;
                event
            },
        );
        let lines = events.each_ref().map(|event| serde_json::to_string(event).unwrap());
        let newer = ["shadow", "parent", "redone", "fork_prefilled"];
        assert!(lines.iter().all(|l| newer.iter().all(|word| !l.contains(word))), "{lines:?}");
        let read = lines.map(|line| serde_json::from_str::<Event>(&line).unwrap());
        assert_eq!(read, events);
        assert_eq!(Episode::fold(&read).unwrap().unwrap().steps.len(), 1);
    }

    fn decided(step: usize, by: Decider, choice: Role) -> Event {
        event(EventKind::Decided {
            step,
            features: BTreeMap::new(),
            p_large: Some(0.3),
            threshold: 0.5,
            propensity: (by != Decider::User).then_some(1.0),
            choice,
            by,
        })
    }

    fn written(step: usize, model: Role, tokens: usize) -> Event {
        event(EventKind::Written { step, generation: generation(model, tokens, 1) })
    }

    #[test]
    fn a_redone_step_stays_charged() {
        let rule = || Decider::Rule("entropy".into());
        let mut events = vec![
            started(),
            decided(0, rule(), Role::Small),
            written(0, Role::Small, 3),
            event(EventKind::ShadowsEvaluated {
                step: 1,
                p_large: [("random".into(), 0.9)].into(),
            }),
            decided(1, rule(), Role::Small),
            written(1, Role::Small, 4),
        ];
        let before = Episode::fold(&events).unwrap().unwrap();
        assert_eq!(before.steps[1].decision.as_ref().unwrap().router_choice(), Some(Role::Small));
        // The third step was in progress.
        let scope = OverrideScope::NextStep;
        events.extend([
            decided(2, rule(), Role::Large),
            event(EventKind::Discarded { step: 2, generation: generation(Role::Small, 2, 1) }),
            event(EventKind::OverrideSet { model: Role::Small, scope }),
            event(EventKind::Redone { step: 1 }),
        ]);
        let between = Episode::fold(&events).unwrap().unwrap();
        assert_eq!((between.steps.len(), between.decision.is_none()), (1, true));
        assert_eq!(between.ledger.cost(), before.ledger.cost() + 3.0, "only the begun step is new");
        assert_eq!(between.ledger.totals.small.kept, 3);
        assert_eq!(between.ledger.totals.small.discarded, 4 + 2);
        assert!(between.has_user_choice());

        events.extend([decided(1, Decider::User, Role::Large), written(1, Role::Large, 5)]);
        let after = Episode::fold(&events).unwrap().unwrap();
        let drafts: Vec<usize> = after.steps[1].discarded.iter().map(|w| w.tokens.len()).collect();
        assert_eq!(drafts, [4, 2]);
        let decision = after.steps[1].decision.as_ref().unwrap();
        assert_eq!(decision.shadows["random"], 0.9, "the boundary is the same");
        assert_eq!(
            after.active_override,
            Some((Role::Small, scope)),
            "the override is for the next step"
        );
        let steps: f64 = after.steps.iter().map(|s| s.cost(after.started.prices)).sum();
        assert_eq!(steps, after.ledger.cost());
        assert_eq!(before.first_difference(&after), Some(1));
        assert_eq!(after.first_difference(&after), None);

        let wrong = event(EventKind::Redone { step: 0 });
        assert_eq!(
            after.clone().apply(&wrong),
            Err(FoldError::RedoNotLast { event: 12, step: 0, steps: 2 })
        );
    }

    #[test]
    fn a_fork_knows_its_shared_steps() {
        let Event { kind: EventKind::Started(mut child), .. } = started() else { unreachable!() };
        child.parent = Some(crate::episode::Parent { episode: 7, step: 1 });
        let fork_prefill = Usage { prefilled: 9, ..Usage::default() };
        let mut events = vec![
            event(EventKind::Started(child)),
            written(0, Role::Small, 3),
            event(EventKind::ForkPrefilled { model: Role::Small, usage: fork_prefill }),
            written(1, Role::Small, 2),
        ];
        let episode = Episode::fold(&events).unwrap().unwrap();
        assert_eq!(episode.inherited_steps, 1);
        assert_eq!(episode.ledger.cost(), 1.0 + 3.0 + 1.0 + 2.0, "as in one run");
        assert_eq!(
            (episode.ledger.fork_prefill.small, episode.ledger.fork_prefill_cost()),
            (9, 9.0)
        );
        events.extend([
            event(EventKind::Redone { step: 1 }),
            written(1, Role::Large, 2),
            event(EventKind::Redone { step: 1 }),
            written(1, Role::Small, 2),
        ]);
        assert_eq!(Episode::fold(&events).unwrap().unwrap().inherited_steps, 1);
    }

    #[test]
    fn events_that_do_not_fit_change_nothing() {
        let mut episode = Episode::start(&started()).unwrap();
        let before = episode.clone();
        let wrong =
            event(EventKind::Written { step: 1, generation: generation(Role::Small, 1, 1) });
        assert_eq!(
            episode.apply(&wrong),
            Err(FoldError::UnexpectedStep { event: 1, step: 1, next: 0 })
        );
        assert_eq!(episode.apply(&started()), Err(FoldError::UnexpectedStart { event: 1 }));
        let newer = Event { schema: SCHEMA + 1, ..event(EventKind::Paused) };
        assert_eq!(
            episode.apply(&newer),
            Err(FoldError::NewerSchema { event: 1, schema: SCHEMA + 1 })
        );
        assert_eq!(episode, before);
        assert_eq!(
            Episode::start(&event(EventKind::Paused)),
            Err(FoldError::UnexpectedStart { event: 0 })
        );
        assert_eq!(Episode::fold(&[]), Ok(None));

        episode.apply(&event(EventKind::Failed { error: "e".into() })).unwrap();
        assert_eq!(episode.apply(&event(EventKind::Paused)), Err(FoldError::AfterEnd { event: 2 }));
        let mark = EventKind::Bookmarked { step: 0, note: String::new() };
        episode.apply(&event(mark)).expect("an ended episode can still be bookmarked");
    }

    #[test]
    fn events_survive_json() {
        let scope = OverrideScope::FromHereOn;
        for event in [
            started(),
            event(EventKind::Discarded { step: 0, generation: generation(Role::Small, 2, 7) }),
            event(EventKind::DraftScored { step: 0, scoring: scoring(2, 1) }),
            event(EventKind::OverrideSet { model: Role::Small, scope }),
            event(EventKind::ThresholdMoved { from: 0.5, to: 0.25 }),
            event(EventKind::ShadowsEvaluated {
                step: 0,
                p_large: [("entropy".into(), 0.25)].into(),
            }),
            event(EventKind::Redone { step: 3 }),
            event(EventKind::ForkPrefilled { model: Role::Large, usage: Usage::default() }),
            event(EventKind::Paused),
        ] {
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
        }
    }
}
