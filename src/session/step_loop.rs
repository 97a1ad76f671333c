//! The loop of an episode: at each boundary a draft, the router's opinion and a choice, then a step.

use std::collections::BTreeMap;

use super::compat::available;
use super::running_episode::{Interrupt, RunningEpisode, generation};
use super::{Fork, SessionError};
use crate::config::{DraftLength, Preset, Switching, WhenSpent};
use crate::engine::{Engine, EngineOutput, EngineRequest, PartialStep, Segment};
use crate::episode::{
    Decider, Episode, EventKind, FinishReason, OverrideScope, PerRole, Role, Scoring, Step,
    StopReason, Verdict, apply_threshold,
};
use crate::routing::{
    Draft, Explorer, Opinion, Router, RouterInput, ShadowRouter, checked_opinion,
};
use crate::tasks::Question;

/// What an episode is run with.
pub(super) struct RunContext<'a> {
    pub(super) question: &'a Question,
    pub(super) router: &'a mut dyn Router,
    pub(super) shadows: Vec<ShadowRouter>,
    pub(super) prompts: PerRole<String>,
    /// Draws the choices, if the preset asks for exploration and the user has not moved the threshold.
    pub(super) explorer: Option<Explorer>,
}

/// What is known at a boundary before the choice.
#[derive(Default)]
struct DraftDecision {
    draft: Option<EngineOutput>,
    /// `None` if nothing was weighed: the choice is forced, or a command cancelled the draft.
    opinion: Option<Opinion>,
}

/// A choice that is forced on the router, and who made it.
type ForcedChoice = (Role, Decider);

/// A choice that will be recorded.
struct Choice {
    model: Role,
    by: Decider,
    /// `None` for a user's choice.
    propensity: Option<f64>,
}

/// Runs one episode.
pub(super) struct StepLoop<'a> {
    pub(super) engines: &'a mut PerRole<Box<dyn Engine>>,
    pub(super) running: RunningEpisode<'a>,
    pub(super) context: RunContext<'a>,
}

impl StepLoop<'_> {
    /// Runs the episode to its end.
    pub(super) fn run(
        mut self,
        fork: Option<&Fork>,
        paused: bool,
    ) -> Result<Episode, SessionError> {
        let result = self.running.emit_opening_events(fork, paused).and_then(|()| self.run_steps());
        let ended = match result {
            Ok(reason) => self.finish(reason),
            Err(error) => {
                // The first error is the one to report.
                let _ = self.running.emit(EventKind::Failed { error: error.to_string() });
                Err(error)
            }
        };
        // Both engines are reset even if the episode or the first reset failed, and the episode's last
        // event is stored before a reset can fail.
        let resets = Role::BOTH.map(|role| self.engines[role].reset());
        ended?;
        resets.into_iter().collect::<Result<(), _>>()?;
        Ok(self.running.episode)
    }

    fn finish(&mut self, reason: FinishReason) -> Result<(), SessionError> {
        let (answer, verdict) = self.context.question.grade(&self.running.episode.text());
        // A cancelled episode might still have come to the right answer.
        let verdict = if reason == FinishReason::Cancelled { Verdict::Undecided } else { verdict };
        self.running.emit(EventKind::Finished { answer, verdict, reason })
    }

    fn preset(&self) -> &Preset {
        &self.running.episode.started.preset
    }

    fn run_steps(&mut self) -> Result<FinishReason, SessionError> {
        loop {
            self.running.apply_pending_commands()?;
            let (model, partial) = match self.running.interrupt {
                Some(Interrupt::Stop) => return Ok(FinishReason::Cancelled),
                Some(Interrupt::Redo) => (self.running.take_back()?, None),
                None => {
                    if let Some(reason) = self.reached_limit() {
                        return Ok(reason);
                    }
                    match self.choose_writer()? {
                        Some(choice) => choice,
                        None => continue,
                    }
                }
            };
            if let Some(reason) = self.write_step(model, partial)? {
                return Ok(reason);
            }
        }
    }

    fn reached_limit(&self) -> Option<FinishReason> {
        if self.running.next_step() >= self.preset().steps.max_steps {
            return Some(FinishReason::StepLimit);
        }
        self.stops_on_budget().then_some(FinishReason::BudgetSpent)
    }

    /// Whether the episode ends because its budget is spent.
    fn stops_on_budget(&self) -> bool {
        self.running.episode.is_budget_spent() && self.preset().budget.when_spent == WhenSpent::Stop
    }

    /// Chooses the writer of the next step; returns it with the part of the step that it has drafted.
    /// `None` if the boundary has to be looked at again, because a command came in between.
    fn choose_writer(&mut self) -> Result<Option<(Role, Option<EngineOutput>)>, SessionError> {
        let forced = self.forced_choice();
        let DraftDecision { draft, opinion } = match forced {
            Some(_) => DraftDecision::default(),
            None => self.evaluate_boundary()?,
        };
        let mut choice = None;
        if forced.is_some() || opinion.is_some() {
            // A user who steps through sees the router's opinion before choosing.
            self.running.wait_while_paused()?;
            choice = self.choose(forced.as_ref(), opinion.as_ref());
        }
        let chosen = choice.as_ref().map(|choice| choice.model);
        if let Some(choice) = choice {
            self.record_choice(choice, opinion)?;
        }
        // Only the small model continues its own draft.
        let partial = match (chosen, draft) {
            (Some(Role::Small), draft) => draft,
            (_, Some(draft)) => {
                self.running.discard(Role::Small, draft)?;
                None
            }
            (_, None) => None,
        };
        Ok(chosen.map(|model| (model, partial)))
    }

    /// The choice if there is nothing to weigh.
    fn forced_choice(&self) -> Option<ForcedChoice> {
        let episode = &self.running.episode;
        let router = &self.context.router;
        if let Some((model, OverrideScope::FromHereOn)) = episode.active_override {
            return Some((model, Decider::User));
        }
        if episode.is_budget_spent() {
            return Some((Role::Small, Decider::Budget));
        }
        let last = episode.steps.last().map(|s| s.generation.model);
        let absorbing = self.preset().routing.switching == Switching::Absorbing;
        if absorbing && last == Some(Role::Large) {
            return Some((Role::Large, router.decider()));
        }
        router.pinned().map(|model| (model, router.decider()))
    }

    /// The choice, after commands that may have changed what `forced` and `opinion` were based on.
    /// `None` if they are out of date.
    fn choose(
        &mut self,
        forced: Option<&ForcedChoice>,
        opinion: Option<&Opinion>,
    ) -> Option<Choice> {
        let now = self.forced_choice();
        let active_override = self.running.episode.active_override;
        let released = forced.is_some() && forced != now.as_ref() && active_override.is_none();
        if self.running.interrupt.is_some() || released || self.stops_on_budget() {
            return None;
        }
        if let Some((model, _)) = active_override {
            return Some(Choice { model, by: Decider::User, propensity: None });
        }
        if let Some((model, by)) = now {
            return Some(Choice { model, by, propensity: Some(1.0) });
        }
        Some(self.draw_or_compare(opinion?.p_large))
    }

    /// The router's choice: drawn while the episode explores, else by the threshold.
    fn draw_or_compare(&mut self, p_large: f64) -> Choice {
        let threshold = self.running.episode.threshold;
        let RunContext { router, explorer, .. } = &mut self.context;
        // A threshold that the user has moved takes the place of the drawn one.
        explorer.take_if(|explorer| explorer.threshold() != threshold);
        match explorer {
            Some(explorer) => {
                let drawn = explorer.draw(p_large);
                let by = if drawn.by_coin { Decider::Exploration } else { router.decider() };
                Choice { model: drawn.choice, by, propensity: Some(drawn.propensity) }
            }
            None => Choice {
                model: apply_threshold(p_large, threshold),
                by: router.decider(),
                propensity: Some(1.0),
            },
        }
    }

    fn record_choice(
        &mut self,
        choice: Choice,
        opinion: Option<Opinion>,
    ) -> Result<(), SessionError> {
        let p_large = opinion.as_ref().map(|opinion| opinion.p_large);
        self.running.emit(EventKind::Decided {
            step: self.running.next_step(),
            p_large,
            features: opinion.map_or_else(BTreeMap::new, |opinion| opinion.features),
            threshold: self.running.episode.threshold,
            propensity: choice.propensity,
            choice: choice.model,
            by: choice.by,
        })
    }

    /// Writes the draft that the router asks for, and gets the router's opinion.
    fn evaluate_boundary(&mut self) -> Result<DraftDecision, SessionError> {
        let requirements = self.context.router.requirements();
        let length = self.preset().routing.draft_length.unwrap_or(requirements.draft_length);
        let Some(draft) = self.write_draft(length)? else {
            let opinion = Some(self.ask_routers(length, Draft::default(), false)?);
            return Ok(DraftDecision { draft: None, opinion });
        };
        let mut cancelled = draft.stop == StopReason::Cancelled;
        let scored = !cancelled && requirements.scored_draft && !draft.tokens.is_empty();
        if scored {
            cancelled = self.score_draft(&draft.text)? == StopReason::Cancelled;
        }
        let mut opinion = None;
        if !cancelled {
            let complete = draft.stop != StopReason::DraftLimit;
            let shown = Draft { text: &draft.text, tokens: &draft.tokens, complete };
            opinion = Some(self.ask_routers(length, shown, scored)?);
        }
        Ok(DraftDecision { draft: Some(draft), opinion })
    }

    /// The small model's draft; `None` for a length of 0.
    fn write_draft(&mut self, length: DraftLength) -> Result<Option<EngineOutput>, SessionError> {
        let max_tokens = self.preset().steps.max_tokens;
        let tokens = match length {
            DraftLength::Tokens(0) => return Ok(None),
            DraftLength::Tokens(n) => n.min(max_tokens),
            DraftLength::Step => max_tokens,
        };
        let mut request = self.request(Role::Small, tokens);
        request.is_draft = matches!(length, DraftLength::Tokens(_));
        self.generate(Role::Small, true, &request).map(Some)
    }

    /// Has the large model score the draft, and emits its tokens.
    fn score_draft(&mut self, draft: &str) -> Result<StopReason, SessionError> {
        let model = Role::Large;
        let mut request = self.request(model, usize::MAX);
        request.score_text = Some(draft.into());
        let EngineOutput { tokens, usage, stop, .. } = self.generate(model, false, &request)?;
        let scoring = Scoring { model, tokens, usage };
        self.running.emit(EventKind::DraftScored { step: self.running.next_step(), scoring })?;
        Ok(stop)
    }

    /// The router's opinion, and those of the shadows, which are recorded. If the draft was `scored`, the
    /// episode's last scoring is its score.
    fn ask_routers(
        &mut self,
        draft_length: DraftLength,
        draft: Draft<'_>,
        scored: bool,
    ) -> Result<Opinion, SessionError> {
        let Self { engines, running, context } = self;
        let RunContext { question, router, shadows, .. } = context;
        let step = running.next_step();
        let scoring = running.episode.scorings.last().filter(|_| scored);
        let input = RouterInput {
            episode: &running.episode,
            question,
            draft,
            scored_by_large: scoring.map_or(&[], |scoring| &scoring.tokens),
        };
        let opinion = checked_opinion(*router, &input)?;
        running.observer.on_opinion(step, &opinion);
        let available = available(engines, question, draft_length);
        let mut p_large = BTreeMap::new();
        for shadow in shadows.iter_mut() {
            match shadow.p_large(&input, &available) {
                Ok(p) => drop(p_large.insert(shadow.name().to_owned(), p)),
                Err(reason) => {
                    if shadow.mark_unavailable() {
                        let name = shadow.name();
                        running.observer.on_notice(&format!("shadow {name} is silent: {reason}"));
                    }
                }
            }
        }
        if !p_large.is_empty() {
            running.emit(EventKind::ShadowsEvaluated { step, p_large })?;
        }
        Ok(opinion)
    }

    /// Lets `model` write the step; returns the reason if the episode ends with it.
    fn write_step(
        &mut self,
        model: Role,
        partial: Option<EngineOutput>,
    ) -> Result<Option<FinishReason>, SessionError> {
        let step = self.running.next_step();
        let output = self.complete_step(model, partial)?;
        if self.running.interrupt == Some(Interrupt::Redo) {
            // The step before this one is written anew, and this one followed from it.
            self.running.discard(model, output)?;
            return Ok(None);
        }
        let stop = output.stop;
        let generation = generation(model, output);
        self.running.emit(EventKind::Written { step, generation })?;
        let reason = self.reason_to_finish(stop);
        if reason.is_none() {
            self.running.pause_after_single_step()?;
        }
        Ok(reason)
    }

    /// Whether the episode ends with its last step.
    fn reason_to_finish(&self, stop: StopReason) -> Option<FinishReason> {
        let steps = &self.running.episode.steps;
        let texts: Vec<&str> = steps.iter().map(|step| step.generation.text.as_str()).collect();
        let (last, before) = steps.last().zip(texts.split_last().map(|(_, before)| before))?;
        let prompt = self.context.prompts[last.generation.model].as_str();
        let before = std::iter::once(prompt).chain(before.iter().copied());
        let rules = &self.preset().steps;
        let answered = rules.has_answer(before, &last.generation.text);
        match stop {
            StopReason::Cancelled => Some(FinishReason::Cancelled),
            _ if answered => Some(FinishReason::Answered),
            StopReason::EndOfText => Some(FinishReason::EndOfText),
            StopReason::ContextFull => Some(FinishReason::ContextFull),
            StopReason::Delimiter | StopReason::DraftLimit | StopReason::TokenLimit => {
                rules.is_repetition_loop(&texts).then_some(FinishReason::RepetitionLoop)
            }
        }
    }

    /// Lets `model` write the step, or the rest of it after the part that it has drafted.
    fn complete_step(
        &mut self,
        model: Role,
        partial: Option<EngineOutput>,
    ) -> Result<EngineOutput, SessionError> {
        let max_tokens = self.preset().steps.max_tokens;
        let Some(mut partial) = partial else {
            let request = self.request(model, max_tokens.max(1));
            return self.generate(model, true, &request);
        };
        if partial.stop != StopReason::DraftLimit {
            return Ok(partial);
        }
        let left = max_tokens.saturating_sub(partial.tokens.len()).max(1);
        let mut request = self.request(model, left);
        request.partial = Some(PartialStep {
            text: partial.text.clone(),
            ids: partial.tokens.iter().map(|t| t.id).collect(),
        });
        let rest = self.generate(model, true, &request)?;
        partial.text.push_str(&rest.text);
        partial.tokens.extend(rest.tokens);
        partial.usage += rest.usage;
        partial.stop = rest.stop;
        Ok(partial)
    }

    /// Runs a request; the observer sees the tokens if they are `shown`.
    fn generate(
        &mut self,
        model: Role,
        shown: bool,
        request: &EngineRequest,
    ) -> Result<EngineOutput, SessionError> {
        // Before its first request in a fork, a model reads what it had read in the parent.
        if let Some(text) = self.running.pending_prefill[model].take() {
            let usage = self.engines[model].prefill(text)?;
            self.running.emit(EventKind::ForkPrefilled { model, usage })?;
        }
        let engine = self.engines[model].as_mut();
        self.running.generate_observed(shown.then_some(model), engine, request)
    }

    fn request(&self, model: Role, max_tokens: usize) -> EngineRequest {
        let Episode { started, steps, .. } = &self.running.episode;
        EngineRequest {
            prefix: segments(&self.context.prompts[model], steps, model),
            delimiter: started.preset.steps.delimiter.clone(),
            partial: None,
            score_text: None,
            max_tokens,
            is_draft: false,
            temperature: started.preset.sampling.temperature,
            top_p: started.preset.sampling.top_p,
            // The two models' draws are independent.
            seed: started.seed.rotate_left(model as u32 * 32),
        }
    }
}

/// The text before the next step as `model` reads it: its own tokens for the steps that it wrote.
pub(super) fn segments(prompt: &str, steps: &[Step], model: Role) -> Vec<Segment> {
    let prompt = Segment { text: prompt.into(), own_ids: None };
    let steps = steps.iter().map(|step| {
        let generation = &step.generation;
        // A text that continues does not contain the end-of-text token.
        let own = generation.model == model && generation.stop != StopReason::EndOfText;
        Segment {
            text: generation.text.as_str().into(),
            own_ids: own.then(|| generation.tokens.iter().map(|t| t.id).collect()),
        }
    });
    std::iter::once(prompt).chain(steps).collect()
}
