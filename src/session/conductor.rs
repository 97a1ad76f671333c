//! Runs episodes: asks the router at each boundary, lets a model write, notes it all.

use std::collections::BTreeMap;

use super::running::Running;
use super::suits::suits;
use super::{Audience, Fork, Journal, SessionError, now_ms};
use crate::config::{Glimpse, Preset, Prices, Switching, WhenSpent};
use crate::engine::chat::frame;
use crate::engine::{Begun, Draft, Engine, EngineError, Evidence, Request, Segment};
use crate::episode::{
    Decider, Episode, Event, EventKind, FinishReason, ModelRecord, OverrideScope, PerRole, Reading,
    Role, Started, Step, StopReason, Verdict, Writing, role_at,
};
use crate::routing::{
    Boundary, Drawn, Explorer, Glance, Opinion, Pair, Router, RouterError, Shadow,
};
use crate::tasks::Question;

/// One episode to run.
pub struct Job<'a> {
    pub question: &'a Question,
    pub router: &'a mut dyn Router,
    /// Seed of the episode's draws.
    pub seed: u64,
    /// Start in pause.
    pub paused: bool,
    /// The collection that it is written for, if any.
    pub collection: Option<String>,
    /// Routers that only look on.
    pub shadows: Vec<Shadow>,
    /// For a fork: where it leaves its parent.
    pub fork: Option<Fork>,
}

impl<'a> Job<'a> {
    /// An episode that starts at once, belongs to no collection and has no shadows.
    pub fn new(question: &'a Question, router: &'a mut dyn Router, seed: u64) -> Self {
        let (collection, shadows, fork) = (None, Vec::new(), None);
        Self { question, router, seed, paused: false, collection, shadows, fork }
    }

    /// A fork, whose parent's question is `question`.
    pub fn fork(question: &'a Question, router: &'a mut dyn Router, fork: Fork) -> Self {
        let seed = fork.episode.started.seed;
        Self { fork: Some(fork), ..Self::new(question, router, seed) }
    }
}

/// Owns the two engines and the preset, and runs one episode after the other.
pub struct Conductor {
    engines: PerRole<Box<dyn Engine>>,
    preset: Preset,
    prices: Prices,
}

impl Conductor {
    /// A conductor of two loaded models.
    pub fn new(engines: PerRole<Box<dyn Engine>>, preset: Preset) -> Self {
        let prices = PerRole::from_fn(|role| {
            // A forward pass takes about two floating-point operations a parameter and token.
            let operations = 2.0 * engines[role].model().parameters as f64;
            preset.model(role).price().unwrap_or(operations.into())
        });
        Self { engines, preset, prices }
    }

    /// The preset in force.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// Changes how the next episodes are run; the models stay.
    pub fn preset_mut(&mut self) -> &mut Preset {
        &mut self.preset
    }

    /// The preset as an episode is run with it: with the prompts that the models' chat templates make.
    ///
    /// # Errors
    /// When a model has no chat template and the preset wants it, or its template fails.
    pub fn framed(&self) -> Result<Preset, EngineError> {
        let mut preset = self.preset.clone();
        for role in Role::BOTH {
            frame(&mut preset, role, self.engines[role].as_ref())?;
        }
        Ok(preset)
    }

    /// A model as it was loaded.
    pub fn model(&self, role: Role) -> &ModelRecord {
        self.engines[role].model()
    }

    /// What a model tells of its tokens.
    pub fn evidence(&self, role: Role) -> Evidence {
        self.engines[role].evidence()
    }

    /// The two models under the preset in force.
    pub fn pair(&self) -> Pair {
        let models = PerRole::from_fn(|role| self.model(role));
        Pair::of(&self.preset, self.prices, models)
    }

    /// Prices per token.
    pub fn prices(&self) -> Prices {
        self.prices
    }

    /// Runs one episode to its end. A fork is run with its parent's preset and prices.
    ///
    /// # Errors
    /// When an engine, the router or the journal failed; where the journal still takes events, the
    /// episode ends in [`EventKind::Failed`]. Before anything is begun, when the router cannot decide about
    /// the question, or the parent cannot be forked there.
    pub fn run(
        &mut self,
        job: Job<'_>,
        journal: &mut dyn Journal,
        audience: &mut dyn Audience,
    ) -> Result<Episode, SessionError> {
        let Some(fork) = &job.fork else {
            return self.perform(job, journal, audience);
        };
        fork.check(PerRole { small: self.model(Role::Small), large: self.model(Role::Large) })?;
        let preset = std::mem::replace(&mut self.preset, fork.preset(job.router)?);
        let prices = std::mem::replace(&mut self.prices, fork.episode.started.prices);
        let result = self.perform(job, journal, audience);
        (self.preset, self.prices) = (preset, prices);
        result
    }

    fn perform(
        &mut self,
        job: Job<'_>,
        journal: &mut dyn Journal,
        audience: &mut dyn Audience,
    ) -> Result<Episode, SessionError> {
        self.check(&job)?;
        let mut preset = self.framed()?;
        let asked = asked(job.question, &preset.steps.delimiter);
        let prompts = PerRole::from_fn(|role| preset.prompt_for(role, &asked));
        // Apart from the draws of the tokens.
        let explorer_seed = job.seed.wrapping_add(0x005E_ED0F_D4A5);
        let mut explorer =
            preset.routing.exploration.clone().map(|how| Explorer::new(how, explorer_seed));
        if let Some(explorer) = &mut explorer {
            preset.routing.threshold = explorer.threshold();
            if let Some(fork) = &job.fork {
                fork.catch_up(explorer);
            }
        }
        let id = journal.begin().map_err(SessionError::Journal)?;
        let started = Started {
            question: job.question.text.clone(),
            origin: job.question.origin.clone(),
            gold: job.question.gold.clone(),
            preset,
            models: PerRole::from_fn(|role| self.engines[role].model().clone()),
            prices: self.prices,
            seed: job.seed,
            collection: job.collection,
            parent: job.fork.as_ref().map(Fork::parent),
        };
        let first = Event::new(now_ms(), EventKind::Started(Box::new(started)));
        journal.append(id, &first).map_err(SessionError::Journal)?;
        audience.event(id, &first);
        let mut running = Running {
            id,
            episode: Episode::start(&first)?,
            journal,
            audience,
            steps_left: None,
            stopped: false,
            redo: false,
            unread: PerRole::from_fn(|role| job.fork.as_ref()?.read_before(role, &prompts[role])),
        };
        let Job { question, router, mut shadows, .. } = job;
        let mut course = Course { question, router, shadows: &mut shadows, prompts, explorer };
        let result = running
            .begin(job.fork.as_ref(), job.paused)
            .and_then(|()| self.go(&mut running, &mut course));
        let ended = match result {
            Ok(reason) => {
                let (answer, mut verdict) = question.grade(&running.episode.text());
                if reason == FinishReason::Cancelled {
                    // Nobody knows what it would have come to.
                    verdict = Verdict::Undecided;
                }
                running.emit(EventKind::Finished { answer, verdict, reason })
            }
            Err(error) => {
                // The first error is the one to report.
                let _ = running.emit(EventKind::Failed { error: error.to_string() });
                Err(error)
            }
        };
        // Whatever became of it, both engines are cleared, and the last event is kept before one of them fails to be.
        let forgotten = Role::BOTH.map(|role| self.engines[role].forget());
        ended?;
        forgotten.into_iter().collect::<Result<(), _>>()?;
        Ok(running.episode)
    }

    /// Whether the job's router can decide about its question, with this preset and these models.
    fn check(&self, job: &Job<'_>) -> Result<(), RouterError> {
        let [small, large] = [Role::Small, Role::Large].map(|role| &self.engines[role]);
        let solved = job.question.solution.is_some();
        let reader = (large.model().name.as_str(), large.takes_dictation());
        let drafter = (small.model().name.as_str(), small.evidence());
        suits(job.router, self.glimpse(job.router), solved, reader, drafter)
    }

    /// The preset's glimpse, else the router's own.
    fn glimpse(&self, router: &dyn Router) -> Glimpse {
        self.preset.routing.glimpse.unwrap_or_else(|| router.glimpse())
    }

    fn go(
        &mut self,
        running: &mut Running<'_>,
        course: &mut Course<'_>,
    ) -> Result<FinishReason, SessionError> {
        loop {
            running.obey_all()?;
            if running.stopped {
                return Ok(FinishReason::Cancelled);
            }
            if std::mem::take(&mut running.redo) {
                let choice = running.take_back()?;
                if let Some(reason) = self.write_step(running, course, choice, None)? {
                    return Ok(reason);
                }
                continue;
            }
            let step = running.episode.steps.len();
            if step >= self.preset.steps.max_steps {
                return Ok(FinishReason::StepLimit);
            }
            if self.stops(&running.episode) {
                return Ok(FinishReason::BudgetSpent);
            }
            let settled = self.settled(&running.episode, course.router);
            let boundary = match &settled {
                Some(_) => None,
                None => match self.look(running, course)? {
                    None => continue,
                    seen => seen,
                },
            };
            // A person who steps through sees the router's opinion before choosing.
            running.wait_while_paused()?;
            // Meanwhile that person may have lifted an override, or changed the budget: then it is looked at anew.
            let now = self.settled(&running.episode, course.router);
            let lifted = settled.is_some() && settled != now && running.episode.taken.is_none();
            if running.stopped || running.redo || lifted || self.stops(&running.episode) {
                if let Some(draft) = boundary.and_then(|seen| seen.draft) {
                    let writing = writing(Role::Small, draft);
                    running.emit(EventKind::Discarded { step, writing })?;
                }
                continue;
            }
            let (choice, by, propensity) = match (running.episode.taken, &now, &boundary) {
                (Some((model, _)), ..) => (model, Decider::Person, None),
                (None, Some((choice, by)), _) => (*choice, by.clone(), Some(1.0)),
                (None, None, Some(seen)) => {
                    let p_large = seen.opinion.p_large;
                    let threshold = running.episode.threshold;
                    // A threshold that a person moves is a threshold to obey.
                    course.explorer.take_if(|e| e.threshold() != threshold);
                    match &mut course.explorer {
                        Some(explorer) => {
                            let Drawn { choice, propensity, by_coin } = explorer.choose(p_large);
                            let by = if by_coin {
                                Decider::Exploration
                            } else {
                                course.router.decider()
                            };
                            (choice, by, Some(propensity))
                        }
                        None => (role_at(p_large, threshold), course.router.decider(), Some(1.0)),
                    }
                }
                // What was settled is no longer: as above.
                (None, None, None) => continue,
            };
            let (opinion, draft) = match boundary {
                Some(seen) => (Some(seen.opinion), seen.draft),
                None => (None, None),
            };
            running.emit(EventKind::Decided {
                step,
                p_large: opinion.as_ref().map(|o| o.p_large),
                features: opinion.map_or_else(BTreeMap::new, |o| o.features),
                threshold: running.episode.threshold,
                propensity,
                choice,
                by,
            })?;
            let begun = match (choice, draft) {
                (Role::Small, draft) => draft,
                (Role::Large, Some(draft)) => {
                    let writing = writing(Role::Small, draft);
                    running.emit(EventKind::Discarded { step, writing })?;
                    None
                }
                (Role::Large, None) => None,
            };
            if let Some(reason) = self.write_step(running, course, choice, begun)? {
                return Ok(reason);
            }
        }
    }

    /// Lets `choice` write the step; the reason where the episode ends with it.
    fn write_step(
        &mut self,
        running: &mut Running<'_>,
        course: &Course<'_>,
        choice: Role,
        begun: Option<Draft>,
    ) -> Result<Option<FinishReason>, SessionError> {
        let step = running.episode.steps.len();
        let written = self.write(running, choice, &course.prompts, begun)?;
        let stop = written.stop;
        let writing = writing(choice, written);
        if running.redo && !running.stopped {
            // The step before it is to be written anew: this one follows from what will not stand.
            running.emit(EventKind::Discarded { step, writing })?;
            return Ok(None);
        }
        running.emit(EventKind::Written { step, writing })?;
        let texts: Vec<&str> =
            running.episode.steps.iter().map(|step| step.writing.text.as_str()).collect();
        let prompt = std::iter::once(course.prompts[choice].as_str());
        let before = prompt.chain(texts[..step].iter().copied());
        let answered = self.preset.steps.answers(before, texts[step]);
        match stop {
            StopReason::Cancelled => return Ok(Some(FinishReason::Cancelled)),
            _ if answered => return Ok(Some(FinishReason::Answered)),
            StopReason::EndOfText => return Ok(Some(FinishReason::EndOfText)),
            StopReason::ContextFull => return Ok(Some(FinishReason::ContextFull)),
            StopReason::Delimiter | StopReason::Glimpse | StopReason::TokenLimit => {}
        }
        if self.preset.steps.go_round(&texts) {
            return Ok(Some(FinishReason::Circles));
        }
        running.count_step()?;
        Ok(None)
    }

    /// Whether the episode ends because its budget is spent.
    fn stops(&self, episode: &Episode) -> bool {
        episode.is_spent() && self.preset.budget.when_spent == WhenSpent::Stop
    }

    /// The choice where there is nothing to weigh, and who made it.
    fn settled(&self, episode: &Episode, router: &dyn Router) -> Option<(Role, Decider)> {
        if let Some((model, OverrideScope::FromHereOn)) = episode.taken {
            return Some((model, Decider::Person));
        }
        if episode.is_spent() {
            return Some((Role::Small, Decider::Budget));
        }
        let last = episode.steps.last().map(|s| s.writing.model);
        if self.preset.routing.switching == Switching::Absorbing && last == Some(Role::Large) {
            return Some((Role::Large, router.decider()));
        }
        router.pinned().map(|model| (model, router.decider()))
    }

    /// The glimpse, and what the router thinks of it; nothing where a person broke it off.
    fn look(
        &mut self,
        running: &mut Running<'_>,
        course: &mut Course<'_>,
    ) -> Result<Option<Seen>, SessionError> {
        let Course { question, router, shadows, prompts, .. } = course;
        let wanted = self.glimpse(*router);
        let tokens = match wanted {
            Glimpse::Tokens(n) => n.min(self.preset.steps.max_tokens),
            Glimpse::Step => self.preset.steps.max_tokens,
        };
        let draft = if tokens == 0 {
            None
        } else {
            let mut request = self.request(&running.episode, Role::Small, prompts, tokens);
            request.glimpse = matches!(wanted, Glimpse::Tokens(_));
            self.read_again(running, Role::Small)?;
            let engine = &mut self.engines[Role::Small];
            let draft = running.heed(Some(Role::Small), engine.as_mut(), &request)?;
            if draft.stop == StopReason::Cancelled {
                let step = running.episode.steps.len();
                let writing = writing(Role::Small, draft);
                running.emit(EventKind::Discarded { step, writing })?;
                return Ok(None);
            }
            Some(draft)
        };
        let glance = draft.as_ref().map_or_else(Glance::default, |draft| Glance {
            text: draft.text.clone(),
            tokens: draft.tokens.clone(),
            whole: draft.stop != StopReason::Glimpse,
        });
        let mut judged = Vec::new();
        if router.judges() && !glance.tokens.is_empty() {
            let reading = self.judge(running, prompts, &glance.text)?;
            if reading.stop == StopReason::Cancelled {
                if let Some(draft) = draft {
                    let step = running.episode.steps.len();
                    let writing = writing(Role::Small, draft);
                    running.emit(EventKind::Discarded { step, writing })?;
                }
                return Ok(None);
            }
            judged = reading.tokens;
        }
        let episode = &running.episode;
        let boundary = Boundary { episode, question, glimpse: &glance, judged: &judged };
        let opinion = router.opinion(&boundary)?;
        running.audience.opinion(running.episode.steps.len(), &opinion);
        let small = self.engines[Role::Small].as_ref();
        let small = (small.model().name.as_str(), small.evidence());
        let mut opinions = BTreeMap::new();
        for shadow in shadows.iter_mut() {
            match shadow.opinion(&boundary, wanted, small) {
                Ok(p) => drop(opinions.insert(shadow.name().to_owned(), p)),
                Err(why) if shadow.falls_silent() => {
                    running.audience.remark(&format!("shadow {} is silent: {why}", shadow.name()));
                }
                Err(_) => {}
            }
        }
        if !opinions.is_empty() {
            let step = running.episode.steps.len();
            running.emit(EventKind::Shadowed { step, opinions })?;
        }
        Ok(Some(Seen { opinion, draft }))
    }

    /// Lets a fork's model read what it had read in the parent, before its first request.
    fn read_again(&mut self, running: &mut Running<'_>, model: Role) -> Result<(), SessionError> {
        if let Some(text) = running.unread[model].take() {
            let usage = self.engines[model].read(text)?;
            running.emit(EventKind::Reread { model, usage })?;
        }
        Ok(())
    }

    /// The tokens of the small model's draft as the large one sees them.
    fn judge(
        &mut self,
        running: &mut Running<'_>,
        prompts: &PerRole<String>,
        draft: &str,
    ) -> Result<Draft, SessionError> {
        let model = Role::Large;
        let mut request = self.request(&running.episode, model, prompts, usize::MAX);
        request.dictation = Some(draft.into());
        self.read_again(running, model)?;
        // Nothing is written, so there is nothing to show.
        let draft = running.heed(None, self.engines[model].as_mut(), &request)?;
        let step = running.episode.steps.len();
        let reading = Reading { model, tokens: draft.tokens.clone(), usage: draft.usage };
        running.emit(EventKind::Judged { step, reading })?;
        Ok(draft)
    }

    /// Lets `role` write the step, from its own beginning where it has one.
    fn write(
        &mut self,
        running: &mut Running<'_>,
        role: Role,
        prompts: &PerRole<String>,
        begun: Option<Draft>,
    ) -> Result<Draft, SessionError> {
        let begun = match begun {
            Some(whole) if whole.stop != StopReason::Glimpse => return Ok(whole),
            other => other,
        };
        let written = begun.as_ref().map_or(0, |draft| draft.tokens.len());
        let left = self.preset.steps.max_tokens.saturating_sub(written).max(1);
        let mut request = self.request(&running.episode, role, prompts, left);
        request.begun = begun.as_ref().map(|draft| Begun {
            text: draft.text.clone(),
            ids: draft.tokens.iter().map(|t| t.id).collect(),
        });
        self.read_again(running, role)?;
        let engine = self.engines[role].as_mut();
        let rest = running.heed(Some(role), engine, &request)?;
        Ok(match begun {
            Some(draft) => joined(draft, rest),
            None => rest,
        })
    }

    fn request(
        &self,
        episode: &Episode,
        role: Role,
        prompts: &PerRole<String>,
        max_tokens: usize,
    ) -> Request {
        Request {
            prefix: segments(&prompts[role], &episode.steps, role),
            delimiter: self.preset.steps.delimiter.clone(),
            begun: None,
            dictation: None,
            max_tokens,
            glimpse: false,
            temperature: self.preset.sampling.temperature,
            top_p: self.preset.sampling.top_p,
            // The two models' draws are independent.
            seed: episode.started.seed.rotate_left(role as u32 * 32),
        }
    }
}

/// What an episode goes by.
struct Course<'a> {
    question: &'a Question,
    router: &'a mut dyn Router,
    shadows: &'a mut [Shadow],
    prompts: PerRole<String>,
    explorer: Option<Explorer>,
}

/// The text before the next step as `role` takes it: its own tokens where it wrote them.
pub(super) fn segments(prompt: &str, steps: &[Step], role: Role) -> Vec<Segment> {
    let prompt = Segment { text: prompt.into(), own: None };
    let steps = steps.iter().map(|step| {
        let writing = &step.writing;
        // The end-of-text token is no part of a text that goes on.
        let own = writing.model == role && writing.stop != StopReason::EndOfText;
        Segment {
            text: writing.text.as_str().into(),
            own: own.then(|| writing.tokens.iter().map(|t| t.id).collect()),
        }
    });
    std::iter::once(prompt).chain(steps).collect()
}

/// A boundary after the glimpse.
struct Seen {
    opinion: Opinion,
    draft: Option<Draft>,
}

/// A question as it goes into a prompt: in one line where a line is a step, else as it is.
fn asked(question: &Question, delimiter: &str) -> String {
    match delimiter {
        "\n" => question.text.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => question.text.trim().to_owned(),
    }
}

fn writing(model: Role, draft: Draft) -> Writing {
    Writing { model, text: draft.text, tokens: draft.tokens, usage: draft.usage, stop: draft.stop }
}

fn joined(mut beginning: Draft, rest: Draft) -> Draft {
    beginning.text.push_str(&rest.text);
    beginning.tokens.extend(rest.tokens);
    beginning.usage += rest.usage;
    beginning.stop = rest.stop;
    beginning
}
