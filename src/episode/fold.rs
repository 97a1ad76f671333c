//! The state of an episode, folded from its events.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    Decider, Event, EventKind, FinishReason, Generation, Ledger, OverrideScope, Role, SCHEMA,
    Scoring, Started, Verdict,
};
use crate::config::Prices;

/// An event that does not fit where it stands.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FoldError {
    #[error(
        "event {0} was written by a newer pointsman (format {1}, this one reads up to {SCHEMA}): update pointsman"
    )]
    NewerSchema(usize, u32),
    #[error(
        "event {0} does not belong there: the first event of an episode says `started`, and no other does"
    )]
    UnexpectedStart(usize),
    #[error("event {0} is about step {1}, but the next step is {2}")]
    UnexpectedStep(usize, usize, usize),
    #[error("event {0} comes after the episode's end")]
    AfterEnd(usize),
    #[error("event {0} takes step {1} back, but {2} steps are written, and only the last can be")]
    RedoNotLast(usize, usize, usize),
}

/// How far an episode is.
#[derive(Debug, Clone, PartialEq)]
pub enum EpisodeStatus {
    Running,
    Paused,
    Finished { answer: Option<String>, verdict: Verdict, reason: FinishReason },
    Failed(String),
}

/// A choice at a boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub features: BTreeMap<String, f64>,
    pub p_large: Option<f64>,
    pub threshold: f64,
    pub propensity: Option<f64>,
    pub choice: Role,
    pub by: Decider,
    /// p(large) of the routers that only look on, by name; their thresholds stand in the preset.
    pub shadows: BTreeMap<String, f64>,
}

impl Decision {
    /// What the router in force would have chosen, whoever did: large where p(large) is at least the
    /// threshold. Nothing where it was not asked.
    pub fn router_choice(&self) -> Option<Role> {
        self.p_large.map(|p| apply_threshold(p, self.threshold))
    }
}

/// Who writes where a router says `p_large`: the large model from the threshold on.
pub fn apply_threshold(p_large: f64, threshold: f64) -> Role {
    if p_large >= threshold { Role::Large } else { Role::Small }
}

/// A step that stands in the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub decision: Option<Decision>,
    /// Drafts of this step that were not kept, in their order: glimpses, and what a person took back.
    pub discarded: Vec<Generation>,
    /// Opinions that were asked of a draft.
    pub scorings: Vec<Scoring>,
    pub generation: Generation,
}

impl Step {
    /// Whether `role` read the trace up to this step, to write, draft or judge it.
    pub fn read_by(&self, role: Role) -> bool {
        let generations = self.discarded.iter().chain([&self.generation]);
        generations.map(|w| w.model).chain(self.scorings.iter().map(|r| r.model)).any(|m| m == role)
    }

    /// Whether the same model wrote the same text.
    pub fn same_output(&self, other: &Self) -> bool {
        (self.generation.model, &self.generation.text)
            == (other.generation.model, &other.generation.text)
    }

    /// What the step cost: what was written, discarded and read for it.
    pub fn cost(&self, prices: Prices) -> f64 {
        let generations = self.discarded.iter().chain([&self.generation]);
        let written = generations
            .map(|w| prices[w.model].cost(w.usage.prefilled, w.usage.reused, w.tokens.len()));
        let scorings = self.scorings.iter().map(|r| {
            let read = r.usage.prefilled + r.tokens.len();
            prices[r.model].cost(read, r.usage.reused, 0)
        });
        written.chain(scorings).sum()
    }
}

/// An episode as of its last event.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    pub started: Started,
    /// Time of the first and of the last event, milliseconds since the Unix epoch.
    pub began_ms: u64,
    pub last_ms: u64,
    pub events: usize,
    pub steps: Vec<Step>,
    pub ledger: Ledger,
    pub threshold: f64,
    pub budget: Option<f64>,
    /// A person's override, while it is in force.
    pub active_override: Option<(Role, OverrideScope)>,
    /// The choice for the step that is being written.
    pub decision: Option<Decision>,
    /// Drafts of that step that were not kept.
    pub discarded: Vec<Generation>,
    /// Opinions that were asked of them.
    pub scorings: Vec<Scoring>,
    /// What routers that only look on think of that step.
    pub shadows: BTreeMap<String, f64>,
    /// Steps before this one are shared with the parent; 0 where there is none.
    pub inherited_steps: usize,
    /// How often a person took a step back.
    pub redo_count: usize,
    /// The next choice is about a step that was taken back.
    redoing: bool,
    pub bookmarks: Vec<(usize, String)>,
    pub status: EpisodeStatus,
}

impl Episode {
    /// The episode that `event` starts.
    ///
    /// # Errors
    /// When it is another event than [`EventKind::Started`], or of a newer format.
    pub fn start(event: &Event) -> Result<Self, FoldError> {
        if event.schema > SCHEMA {
            return Err(FoldError::NewerSchema(0, event.schema));
        }
        let EventKind::Started(started) = &event.kind else {
            return Err(FoldError::UnexpectedStart(0));
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

    /// Folds a whole list; nothing for an empty one.
    ///
    /// # Errors
    /// At the first event that does not fit.
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
    /// When it does not fit; the episode is then unchanged.
    pub fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        let index = self.events;
        if event.schema > SCHEMA {
            return Err(FoldError::NewerSchema(index, event.schema));
        }
        if self.is_over() && !matches!(event.kind, EventKind::Bookmarked { .. }) {
            return Err(FoldError::AfterEnd(index));
        }
        let next = self.steps.len();
        let expect = |step: usize| {
            if step == next { Ok(()) } else { Err(FoldError::UnexpectedStep(index, step, next)) }
        };
        match &event.kind {
            EventKind::Started(_) => return Err(FoldError::UnexpectedStart(index)),
            EventKind::Decided { step, features, p_large, threshold, propensity, choice, by } => {
                expect(*step)?;
                // Used up by this choice; one that is set while the step is written is for the next, and
                // so is one that stands while another step is done anew.
                if *by == Decider::User
                    && !std::mem::take(&mut self.redoing)
                    && matches!(self.active_override, Some((_, OverrideScope::NextStep)))
                {
                    self.active_override = None;
                }
                self.decision = Some(Decision {
                    features: features.clone(),
                    p_large: *p_large,
                    threshold: *threshold,
                    propensity: *propensity,
                    choice: *choice,
                    by: by.clone(),
                    shadows: std::mem::take(&mut self.shadows),
                });
            }
            EventKind::Written { step, generation } => {
                expect(*step)?;
                self.ledger.add_generation(generation, true);
                self.steps.push(Step {
                    decision: self.decision.take(),
                    discarded: std::mem::take(&mut self.discarded),
                    scorings: std::mem::take(&mut self.scorings),
                    generation: generation.clone(),
                });
            }
            EventKind::Discarded { step, generation } => {
                expect(*step)?;
                self.ledger.add_generation(generation, false);
                self.discarded.push(generation.clone());
            }
            EventKind::DraftScored { step, scoring } => {
                expect(*step)?;
                self.ledger.add_scoring(scoring);
                self.scorings.push(scoring.clone());
            }
            EventKind::ShadowsEvaluated { step, p_large } => {
                expect(*step)?;
                self.shadows.clone_from(p_large);
            }
            EventKind::Redone { step } => {
                if step + 1 != next {
                    return Err(FoldError::RedoNotLast(index, *step, next));
                }
                self.redo_last_step();
            }
            EventKind::ForkPrefilled { model, usage } => {
                self.ledger.add_fork_prefill(*model, usage)
            }
            EventKind::ThresholdMoved { to, .. } => self.threshold = *to,
            EventKind::BudgetChanged { to, .. } => self.budget = *to,
            EventKind::OverrideSet { model, scope } => {
                self.active_override = Some((*model, *scope))
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

    /// Makes a draft of the last step. What had been begun of the step after it is charged to this one.
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
        // The boundary is the same, and so is what was thought of it.
        self.shadows = decision.map(|decision| decision.shadows).unwrap_or_default();
        self.decision = None;
        self.inherited_steps = self.inherited_steps.min(self.steps.len());
        self.redo_count += 1;
        self.redoing = true;
    }

    /// Whether a person chose in it: at a step, inherited ones included, or by moving the threshold.
    pub fn has_user_choice(&self) -> bool {
        let threshold = self.started.preset.routing.threshold;
        let moved =
            |at: usize, d: &Decision| at >= self.inherited_steps && d.threshold != threshold;
        self.redo_count > 0 || self.decisions().any(|(at, d)| d.by == Decider::User || moved(at, d))
    }

    /// The choices that stand, each with its step.
    pub fn decisions(&self) -> impl Iterator<Item = (usize, &Decision)> {
        let steps = self.steps.iter().enumerate();
        steps.filter_map(|(at, step)| step.decision.as_ref().map(|decision| (at, decision)))
    }

    /// The first step at which the two traces differ, in their text or its writer; nothing where they are
    /// the same to their ends.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let pairs = self.steps.iter().zip(&other.steps);
        let shared = pairs.take_while(|(a, b)| a.same_output(b)).count();
        (shared < self.steps.len().max(other.steps.len())).then_some(shared)
    }

    /// Whether the episode has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.status, EpisodeStatus::Finished { .. } | EpisodeStatus::Failed(_))
    }

    /// The verdict, once there is one.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.status {
            EpisodeStatus::Finished { verdict, .. } => Some(verdict),
            _ => None,
        }
    }

    /// The whole trace, without the prompt.
    pub fn text(&self) -> String {
        self.steps.iter().map(|step| step.generation.text.as_str()).collect()
    }

    /// How often the writer changed from one step to the next.
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
        assert_eq!(episode.ledger.cost_of(Role::Small), (4 + 7 + 2 + 6) as f64);
        assert_eq!(episode.ledger.cost_of(Role::Large), 180.0);
        assert_eq!((episode.switches(), episode.share_of(Role::Large)), (1, 0.5));
        assert_eq!(episode.steps[0].discarded.len(), 1);
        let steps: f64 = episode.steps.iter().map(|s| s.cost(episode.started.prices)).sum();
        assert_eq!(steps, episode.ledger.cost());
        assert_eq!(episode.text(), "xxxxxxx");
    }

    #[test]
    fn an_override_for_one_step_is_used_up_by_its_choice() {
        let taken = Some((Role::Large, OverrideScope::NextStep));
        let set =
            event(EventKind::OverrideSet { model: Role::Large, scope: OverrideScope::NextStep });
        let mut episode = Episode::start(&started()).unwrap();
        episode.apply(&set).unwrap();
        assert_eq!(episode.active_override, taken);
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
        // Set while the step is being written, it is for the next one.
        episode.apply(&set).unwrap();
        let written = EventKind::Written { step: 0, generation: generation(Role::Large, 1, 1) };
        episode.apply(&event(written)).unwrap();
        assert_eq!(episode.active_override, taken);
    }

    #[test]
    fn older_episodes_fold() {
        let by = || Decider::Rule("entropy".into());
        let events = [started(), decided(0, by(), Role::Small), written(0, Role::Small, 2)].map(
            |mut event| {
                event.schema = 2;
                event
            },
        );
        let lines = events.each_ref().map(|event| serde_json::to_string(event).unwrap());
        let newer = ["shadow", "parent", "taken", "reread"];
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
    fn a_step_that_is_taken_back_stays_charged() {
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
        // The third step was under way.
        let scope = OverrideScope::NextStep;
        events.extend([
            decided(2, rule(), Role::Large),
            event(EventKind::Discarded { step: 2, generation: generation(Role::Small, 2, 1) }),
            event(EventKind::OverrideSet { model: Role::Small, scope }),
            event(EventKind::Redone { step: 1 }),
        ]);
        let between = Episode::fold(&events).unwrap().unwrap();
        assert_eq!((between.steps.len(), between.decision.is_none()), (1, true));
        assert_eq!(between.ledger.cost(), before.ledger.cost() + 3.0, "only what was begun is new");
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
            "that was said of the step to come"
        );
        let steps: f64 = after.steps.iter().map(|s| s.cost(after.started.prices)).sum();
        assert_eq!(steps, after.ledger.cost());
        assert_eq!(before.first_difference(&after), Some(1));
        assert_eq!(after.first_difference(&after), None);

        let wrong = event(EventKind::Redone { step: 0 });
        assert_eq!(after.clone().apply(&wrong), Err(FoldError::RedoNotLast(12, 0, 2)));
    }

    #[test]
    fn a_fork_is_told_what_it_shares() {
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
        assert_eq!(episode.ledger.cost(), 1.0 + 3.0 + 1.0 + 2.0, "as if it had run through");
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
        assert_eq!(episode.apply(&wrong), Err(FoldError::UnexpectedStep(1, 1, 0)));
        assert_eq!(episode.apply(&started()), Err(FoldError::UnexpectedStart(1)));
        let newer = Event { schema: SCHEMA + 1, ..event(EventKind::Paused) };
        assert_eq!(episode.apply(&newer), Err(FoldError::NewerSchema(1, SCHEMA + 1)));
        assert_eq!(episode, before);
        assert_eq!(Episode::start(&event(EventKind::Paused)), Err(FoldError::UnexpectedStart(0)));
        assert_eq!(Episode::fold(&[]), Ok(None));

        episode.apply(&event(EventKind::Failed { error: "e".into() })).unwrap();
        assert_eq!(episode.apply(&event(EventKind::Paused)), Err(FoldError::AfterEnd(2)));
        let mark = EventKind::Bookmarked { step: 0, note: String::new() };
        episode.apply(&event(mark)).expect("what is over can still be marked");
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
