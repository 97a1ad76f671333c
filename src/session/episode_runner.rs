//! Runs episodes: asks the router at each boundary, lets a model write, notes it all.

use std::collections::BTreeMap;

use super::compat::check_compat;
use super::running_episode::RunningEpisode;
use super::{EpisodeObserver, EventSink, Fork, SessionError, now_ms};
use crate::config::{DraftLength, Preset, Prices, Switching, WhenSpent};
use crate::engine::chat::apply_template;
use crate::engine::{
    Engine, EngineError, EngineOutput, EngineRequest, PartialStep, Segment, TokenStats,
};
use crate::episode::{
    Decider, Episode, Event, EventKind, FinishReason, Generation, ModelRecord, OverrideScope,
    PerRole, Role, Scoring, Started, Step, StopReason, Verdict, apply_threshold,
};
use crate::routing::{
    Draft, Explorer, Opinion, PairFingerprint, Router, RouterError, RouterInput, SampledChoice,
    ShadowRouter,
};
use crate::tasks::Question;

/// One episode to run.
pub struct EpisodeSpec<'a> {
    pub question: &'a Question,
    pub router: &'a mut dyn Router,
    /// Seed of the episode's draws.
    pub seed: u64,
    /// Start in pause.
    pub paused: bool,
    /// The collection that it is written for, if any.
    pub collection: Option<String>,
    /// Routers that only look on.
    pub shadows: Vec<ShadowRouter>,
    /// For a fork: where it leaves its parent.
    pub fork: Option<Fork>,
}

impl<'a> EpisodeSpec<'a> {
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
pub struct EpisodeRunner {
    engines: PerRole<Box<dyn Engine>>,
    preset: Preset,
    prices: Prices,
}

impl EpisodeRunner {
    /// A runner of two loaded models.
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
    pub fn templated_preset(&self) -> Result<Preset, EngineError> {
        let mut preset = self.preset.clone();
        for role in Role::BOTH {
            apply_template(&mut preset, role, self.engines[role].as_ref())?;
        }
        Ok(preset)
    }

    /// A model as it was loaded.
    pub fn model(&self, role: Role) -> &ModelRecord {
        self.engines[role].model()
    }

    /// What a model tells of its tokens.
    pub fn token_stats(&self, role: Role) -> TokenStats {
        self.engines[role].token_stats()
    }

    /// The two models under the preset in force.
    pub fn pair(&self) -> PairFingerprint {
        let models = PerRole::from_fn(|role| self.model(role));
        PairFingerprint::of(&self.preset, self.prices, models)
    }

    /// Prices per token.
    pub fn prices(&self) -> Prices {
        self.prices
    }

    /// Runs one episode to its end. A fork is run with its parent's preset and prices.
    ///
    /// # Errors
    /// When an engine, the router or the sink failed; where the sink still takes events, the
    /// episode ends in [`EventKind::Failed`]. Before anything is begun, when the router cannot decide about
    /// the question, or the parent cannot be forked there.
    pub fn run(
        &mut self,
        spec: EpisodeSpec<'_>,
        sink: &mut dyn EventSink,
        observer: &mut dyn EpisodeObserver,
    ) -> Result<Episode, SessionError> {
        let Some(fork) = &spec.fork else {
            return self.run_with_preset(spec, sink, observer);
        };
        fork.check(PerRole { small: self.model(Role::Small), large: self.model(Role::Large) })?;
        let preset = std::mem::replace(&mut self.preset, fork.preset(spec.router)?);
        let prices = std::mem::replace(&mut self.prices, fork.episode.started.prices);
        let result = self.run_with_preset(spec, sink, observer);
        (self.preset, self.prices) = (preset, prices);
        result
    }

    fn run_with_preset(
        &mut self,
        spec: EpisodeSpec<'_>,
        sink: &mut dyn EventSink,
        observer: &mut dyn EpisodeObserver,
    ) -> Result<Episode, SessionError> {
        self.check(&spec)?;
        let mut preset = self.templated_preset()?;
        let question_line = question_line(spec.question, &preset.steps.delimiter);
        let prompts = PerRole::from_fn(|role| preset.prompt_for(role, &question_line));
        // Apart from the draws of the tokens.
        let explorer_seed = spec.seed.wrapping_add(0x005E_ED0F_D4A5);
        let mut explorer =
            preset.routing.exploration.clone().map(|how| Explorer::new(how, explorer_seed));
        if let Some(explorer) = &mut explorer {
            preset.routing.threshold = explorer.threshold();
            if let Some(fork) = &spec.fork {
                fork.replay_draws(explorer);
            }
        }
        let id = sink.begin_episode().map_err(SessionError::Sink)?;
        let started = Started {
            question: spec.question.text.clone(),
            origin: spec.question.origin.clone(),
            gold: spec.question.gold.clone(),
            preset,
            models: PerRole::from_fn(|role| self.engines[role].model().clone()),
            prices: self.prices,
            seed: spec.seed,
            collection: spec.collection,
            parent: spec.fork.as_ref().map(Fork::parent),
        };
        let first = Event::new(now_ms(), EventKind::Started(Box::new(started)));
        sink.append(id, &first).map_err(SessionError::Sink)?;
        observer.on_event(id, &first);
        let mut running = RunningEpisode {
            id,
            episode: Episode::start(&first)?,
            sink,
            observer,
            steps_left: None,
            stopped: false,
            redo: false,
            pending_prefill: PerRole::from_fn(|role| {
                spec.fork.as_ref()?.prefilled_before(role, &prompts[role])
            }),
        };
        let EpisodeSpec { question, router, mut shadows, .. } = spec;
        let mut context = RunContext { question, router, shadows: &mut shadows, prompts, explorer };
        let result = running
            .emit_opening_events(spec.fork.as_ref(), spec.paused)
            .and_then(|()| self.run_steps(&mut running, &mut context));
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
        let resets = Role::BOTH.map(|role| self.engines[role].reset());
        ended?;
        resets.into_iter().collect::<Result<(), _>>()?;
        Ok(running.episode)
    }

    /// Whether the spec's router can decide about its question, with this preset and these models.
    fn check(&self, spec: &EpisodeSpec<'_>) -> Result<(), RouterError> {
        let [small, large] = [Role::Small, Role::Large].map(|role| &self.engines[role]);
        let solved = spec.question.solution.is_some();
        let reader = (large.model().name.as_str(), large.can_score_text());
        let drafter = (small.model().name.as_str(), small.token_stats());
        check_compat(spec.router, self.draft_length(spec.router), solved, reader, drafter)
    }

    /// The preset's draft, else the router's own.
    fn draft_length(&self, router: &dyn Router) -> DraftLength {
        self.preset.routing.draft_length.unwrap_or_else(|| router.draft_length())
    }

    fn run_steps(
        &mut self,
        running: &mut RunningEpisode<'_>,
        context: &mut RunContext<'_>,
    ) -> Result<FinishReason, SessionError> {
        loop {
            running.apply_pending_commands()?;
            if running.stopped {
                return Ok(FinishReason::Cancelled);
            }
            if std::mem::take(&mut running.redo) {
                let choice = running.take_back()?;
                if let Some(reason) = self.write_step(running, context, choice, None)? {
                    return Ok(reason);
                }
                continue;
            }
            let step = running.episode.steps.len();
            if step >= self.preset.steps.max_steps {
                return Ok(FinishReason::StepLimit);
            }
            if self.stops_on_budget(&running.episode) {
                return Ok(FinishReason::BudgetSpent);
            }
            let forced_choice = self.forced_choice(&running.episode, context.router);
            let boundary = match &forced_choice {
                Some(_) => None,
                None => match self.evaluate_boundary(running, context)? {
                    None => continue,
                    drafted => drafted,
                },
            };
            // A person who steps through sees the router's opinion before choosing.
            running.wait_while_paused()?;
            // Meanwhile that person may have lifted an override, or changed the budget: then it is looked at anew.
            let now = self.forced_choice(&running.episode, context.router);
            let lifted = forced_choice.is_some()
                && forced_choice != now
                && running.episode.active_override.is_none();
            if running.stopped || running.redo || lifted || self.stops_on_budget(&running.episode) {
                if let Some(draft) = boundary.and_then(|drafted| drafted.draft) {
                    let generation = generation(Role::Small, draft);
                    running.emit(EventKind::Discarded { step, generation })?;
                }
                continue;
            }
            let (choice, by, propensity) = match (running.episode.active_override, &now, &boundary)
            {
                (Some((model, _)), ..) => (model, Decider::User, None),
                (None, Some((choice, by)), _) => (*choice, by.clone(), Some(1.0)),
                (None, None, Some(drafted)) => {
                    let p_large = drafted.opinion.p_large;
                    let threshold = running.episode.threshold;
                    // A threshold that a person moves is a threshold to obey.
                    context.explorer.take_if(|e| e.threshold() != threshold);
                    match &mut context.explorer {
                        Some(explorer) => {
                            let SampledChoice { choice, propensity, by_coin } =
                                explorer.draw(p_large);
                            let by = if by_coin {
                                Decider::Exploration
                            } else {
                                context.router.decider()
                            };
                            (choice, by, Some(propensity))
                        }
                        None => (
                            apply_threshold(p_large, threshold),
                            context.router.decider(),
                            Some(1.0),
                        ),
                    }
                }
                // What was forced_choice is no longer: as above.
                (None, None, None) => continue,
            };
            let (opinion, draft) = match boundary {
                Some(drafted) => (Some(drafted.opinion), drafted.draft),
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
            let partial = match (choice, draft) {
                (Role::Small, draft) => draft,
                (Role::Large, Some(draft)) => {
                    let generation = generation(Role::Small, draft);
                    running.emit(EventKind::Discarded { step, generation })?;
                    None
                }
                (Role::Large, None) => None,
            };
            if let Some(reason) = self.write_step(running, context, choice, partial)? {
                return Ok(reason);
            }
        }
    }

    /// Lets `choice` write the step; the reason where the episode ends with it.
    fn write_step(
        &mut self,
        running: &mut RunningEpisode<'_>,
        context: &RunContext<'_>,
        choice: Role,
        partial: Option<EngineOutput>,
    ) -> Result<Option<FinishReason>, SessionError> {
        let step = running.episode.steps.len();
        let written = self.complete_step(running, choice, &context.prompts, partial)?;
        let stop = written.stop;
        let generation = generation(choice, written);
        if running.redo && !running.stopped {
            // The step before it is to be written anew: this one follows from what will not stand.
            running.emit(EventKind::Discarded { step, generation })?;
            return Ok(None);
        }
        running.emit(EventKind::Written { step, generation })?;
        let texts: Vec<&str> =
            running.episode.steps.iter().map(|step| step.generation.text.as_str()).collect();
        let prompt = std::iter::once(context.prompts[choice].as_str());
        let before = prompt.chain(texts[..step].iter().copied());
        let answered = self.preset.steps.has_answer(before, texts[step]);
        match stop {
            StopReason::Cancelled => return Ok(Some(FinishReason::Cancelled)),
            _ if answered => return Ok(Some(FinishReason::Answered)),
            StopReason::EndOfText => return Ok(Some(FinishReason::EndOfText)),
            StopReason::ContextFull => return Ok(Some(FinishReason::ContextFull)),
            StopReason::Delimiter | StopReason::DraftLimit | StopReason::TokenLimit => {}
        }
        if self.preset.steps.is_repetition_loop(&texts) {
            return Ok(Some(FinishReason::RepetitionLoop));
        }
        running.pause_after_steps()?;
        Ok(None)
    }

    /// Whether the episode ends because its budget is spent.
    fn stops_on_budget(&self, episode: &Episode) -> bool {
        episode.is_budget_spent() && self.preset.budget.when_spent == WhenSpent::Stop
    }

    /// The choice where there is nothing to weigh, and who made it.
    fn forced_choice(&self, episode: &Episode, router: &dyn Router) -> Option<(Role, Decider)> {
        if let Some((model, OverrideScope::FromHereOn)) = episode.active_override {
            return Some((model, Decider::User));
        }
        if episode.is_budget_spent() {
            return Some((Role::Small, Decider::Budget));
        }
        let last = episode.steps.last().map(|s| s.generation.model);
        if self.preset.routing.switching == Switching::Absorbing && last == Some(Role::Large) {
            return Some((Role::Large, router.decider()));
        }
        router.pinned().map(|model| (model, router.decider()))
    }

    /// The draft, and what the router thinks of it; nothing where a person broke it off.
    fn evaluate_boundary(
        &mut self,
        running: &mut RunningEpisode<'_>,
        context: &mut RunContext<'_>,
    ) -> Result<Option<DraftDecision>, SessionError> {
        let RunContext { question, router, shadows, prompts, .. } = context;
        let wanted = self.draft_length(*router);
        let tokens = match wanted {
            DraftLength::Tokens(n) => n.min(self.preset.steps.max_tokens),
            DraftLength::Step => self.preset.steps.max_tokens,
        };
        let draft = if tokens == 0 {
            None
        } else {
            let mut request = self.request(&running.episode, Role::Small, prompts, tokens);
            request.is_draft = matches!(wanted, DraftLength::Tokens(_));
            self.prefill_inherited(running, Role::Small)?;
            let engine = &mut self.engines[Role::Small];
            let draft = running.generate_observed(Some(Role::Small), engine.as_mut(), &request)?;
            if draft.stop == StopReason::Cancelled {
                let step = running.episode.steps.len();
                let generation = generation(Role::Small, draft);
                running.emit(EventKind::Discarded { step, generation })?;
                return Ok(None);
            }
            Some(draft)
        };
        let shown_draft = draft.as_ref().map_or_else(Draft::default, |draft| Draft {
            text: draft.text.clone(),
            tokens: draft.tokens.clone(),
            complete: draft.stop != StopReason::DraftLimit,
        });
        let mut scored_by_large = Vec::new();
        if router.needs_draft_scored() && !shown_draft.tokens.is_empty() {
            let scoring = self.score_draft(running, prompts, &shown_draft.text)?;
            if scoring.stop == StopReason::Cancelled {
                if let Some(draft) = draft {
                    let step = running.episode.steps.len();
                    let generation = generation(Role::Small, draft);
                    running.emit(EventKind::Discarded { step, generation })?;
                }
                return Ok(None);
            }
            scored_by_large = scoring.tokens;
        }
        let episode = &running.episode;
        let boundary = RouterInput {
            episode,
            question,
            draft: &shown_draft,
            scored_by_large: &scored_by_large,
        };
        let opinion = router.opinion(&boundary)?;
        running.observer.on_opinion(running.episode.steps.len(), &opinion);
        let small = self.engines[Role::Small].as_ref();
        let small = (small.model().name.as_str(), small.token_stats());
        let mut p_large = BTreeMap::new();
        for shadow in shadows.iter_mut() {
            match shadow.opinion(&boundary, wanted, small) {
                Ok(p) => drop(p_large.insert(shadow.name().to_owned(), p)),
                Err(why) if shadow.mark_unavailable() => {
                    running
                        .observer
                        .on_notice(&format!("shadow {} is silent: {why}", shadow.name()));
                }
                Err(_) => {}
            }
        }
        if !p_large.is_empty() {
            let step = running.episode.steps.len();
            running.emit(EventKind::ShadowsEvaluated { step, p_large })?;
        }
        Ok(Some(DraftDecision { opinion, draft }))
    }

    /// Lets a fork's model read what it had read in the parent, before its first request.
    fn prefill_inherited(
        &mut self,
        running: &mut RunningEpisode<'_>,
        model: Role,
    ) -> Result<(), SessionError> {
        if let Some(text) = running.pending_prefill[model].take() {
            let usage = self.engines[model].prefill(text)?;
            running.emit(EventKind::ForkPrefilled { model, usage })?;
        }
        Ok(())
    }

    /// The tokens of the small model's draft as the large one sees them.
    fn score_draft(
        &mut self,
        running: &mut RunningEpisode<'_>,
        prompts: &PerRole<String>,
        draft: &str,
    ) -> Result<EngineOutput, SessionError> {
        let model = Role::Large;
        let mut request = self.request(&running.episode, model, prompts, usize::MAX);
        request.score_text = Some(draft.into());
        self.prefill_inherited(running, model)?;
        // Nothing is written, so there is nothing to show.
        let draft = running.generate_observed(None, self.engines[model].as_mut(), &request)?;
        let step = running.episode.steps.len();
        let scoring = Scoring { model, tokens: draft.tokens.clone(), usage: draft.usage };
        running.emit(EventKind::DraftScored { step, scoring })?;
        Ok(draft)
    }

    /// Lets `role` write the step, from its own beginning where it has one.
    fn complete_step(
        &mut self,
        running: &mut RunningEpisode<'_>,
        role: Role,
        prompts: &PerRole<String>,
        partial: Option<EngineOutput>,
    ) -> Result<EngineOutput, SessionError> {
        let partial = match partial {
            Some(whole) if whole.stop != StopReason::DraftLimit => return Ok(whole),
            other => other,
        };
        let written = partial.as_ref().map_or(0, |draft| draft.tokens.len());
        let left = self.preset.steps.max_tokens.saturating_sub(written).max(1);
        let mut request = self.request(&running.episode, role, prompts, left);
        request.partial = partial.as_ref().map(|draft| PartialStep {
            text: draft.text.clone(),
            ids: draft.tokens.iter().map(|t| t.id).collect(),
        });
        self.prefill_inherited(running, role)?;
        let engine = self.engines[role].as_mut();
        let rest = running.generate_observed(Some(role), engine, &request)?;
        Ok(match partial {
            Some(draft) => concat_outputs(draft, rest),
            None => rest,
        })
    }

    fn request(
        &self,
        episode: &Episode,
        role: Role,
        prompts: &PerRole<String>,
        max_tokens: usize,
    ) -> EngineRequest {
        EngineRequest {
            prefix: segments(&prompts[role], &episode.steps, role),
            delimiter: self.preset.steps.delimiter.clone(),
            partial: None,
            score_text: None,
            max_tokens,
            is_draft: false,
            temperature: self.preset.sampling.temperature,
            top_p: self.preset.sampling.top_p,
            // The two models' draws are independent.
            seed: episode.started.seed.rotate_left(role as u32 * 32),
        }
    }
}

/// What an episode goes by.
struct RunContext<'a> {
    question: &'a Question,
    router: &'a mut dyn Router,
    shadows: &'a mut [ShadowRouter],
    prompts: PerRole<String>,
    explorer: Option<Explorer>,
}

/// The text before the next step as `role` takes it: its own tokens where it wrote them.
pub(super) fn segments(prompt: &str, steps: &[Step], role: Role) -> Vec<Segment> {
    let prompt = Segment { text: prompt.into(), own_ids: None };
    let steps = steps.iter().map(|step| {
        let generation = &step.generation;
        // The end-of-text token is no part of a text that goes on.
        let own = generation.model == role && generation.stop != StopReason::EndOfText;
        Segment {
            text: generation.text.as_str().into(),
            own_ids: own.then(|| generation.tokens.iter().map(|t| t.id).collect()),
        }
    });
    std::iter::once(prompt).chain(steps).collect()
}

/// A boundary after the draft.
struct DraftDecision {
    opinion: Opinion,
    draft: Option<EngineOutput>,
}

/// A question as it goes into a prompt: in one line where a line is a step, else as it is.
fn question_line(question: &Question, delimiter: &str) -> String {
    match delimiter {
        "\n" => question.text.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => question.text.trim().to_owned(),
    }
}

fn generation(model: Role, draft: EngineOutput) -> Generation {
    Generation {
        model,
        text: draft.text,
        tokens: draft.tokens,
        usage: draft.usage,
        stop: draft.stop,
    }
}

fn concat_outputs(mut beginning: EngineOutput, rest: EngineOutput) -> EngineOutput {
    beginning.text.push_str(&rest.text);
    beginning.tokens.extend(rest.tokens);
    beginning.usage += rest.usage;
    beginning.stop = rest.stop;
    beginning
}
