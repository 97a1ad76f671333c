//! The jobs of the training page: collecting, training, calibration, promotion test and promotion.

use std::cell::Cell;
use std::sync::Arc;

use super::JobRunner;
use super::menus::with_scale;
use crate::cli::error::{CommandError, CommandResult};
use crate::cli::memory;
use crate::cli::train::describe_progress;
use crate::config::{DraftLength, Preset, load_preset};
use crate::engine::{self, Flow};
use crate::episode::Episode;
use crate::evaluation::{
    CALIBRATION_QUESTIONS, CONFIDENCE, CalibrationRun, calibration_seed, unseen_questions,
};
use crate::routing::{
    CalibrationTarget, DatasetCounts, FeatureSet, PairFingerprint, Policy, RouterRegistry,
    router_name,
};
use crate::session::{RoutingConfig, RunnerPool, SessionError, load_runner_pool};
use crate::tasks::{Question, Split, TaskSet};
use crate::training::{
    COIN, Candidate, CollectionPlan, CollectionRequest, PromotionTest, TrainingJob,
    TrainingSettings, TrainingStage, collect, promotion_seed, roll_back,
};
use crate::workbench::{
    COLLECT_BATCH, LoadedRouting, Message, TrainingAction, TrainingProgress, TrainingUpdate,
};

/// The episodes of one question in this many are held out of a training, to evaluate the policy on.
const HOLDOUT_EVERY: u64 = 5;
/// Questions of a promotion test. Fewer than on the command line: the user waits for it.
const PROMOTION_QUESTIONS: usize = 100;
/// Share of the large model's accuracy that a calibration keeps.
const TARGET_ACCURACY: f64 = 0.95;
/// While the store is read, progress is shown once in this many episodes.
const READING_INTERVAL: usize = 100;

/// Reports the progress of a training to the workbench, and knows whether it was cancelled.
struct Progress<'a> {
    runner: &'a JobRunner,
    /// Number of the job, which a cancellation names.
    number: u64,
    action: TrainingAction,
    send: &'a dyn Fn(Message),
}

impl Progress<'_> {
    /// Shows what is done, of how many, with a text.
    fn report(&self, done: usize, total: usize, text: String) {
        let progress = TrainingProgress { action: self.action, done, total, text };
        (self.send)(Message::Training(TrainingUpdate::Progress(progress)));
    }

    /// Whether to go on.
    fn flow(&self) -> Flow {
        self.runner.cancellations.flow(self.number)
    }

    /// A callback that counts its calls and reports them, with this text.
    fn counter(&self, total: usize, text: &str) -> impl Fn() -> Flow {
        let done = Cell::new(0);
        move || {
            done.set(done.get() + 1);
            self.report(done.get(), total, text.to_owned());
            self.flow()
        }
    }
}

impl JobRunner {
    /// Runs [`crate::workbench::Job::RunTraining`].
    pub(super) fn run_training(
        &self,
        number: u64,
        action: TrainingAction,
        routing: &RoutingConfig,
        pair: &PairFingerprint,
        candidate: Option<&Candidate>,
        send: &dyn Fn(Message),
    ) {
        let progress = &Progress { runner: self, number, action, send };
        let result = match action {
            TrainingAction::Train => {
                self.train(routing, pair, progress).map(TrainingUpdate::CandidateTrained)
            }
            TrainingAction::Collect => {
                self.collect(routing, progress).map(TrainingUpdate::Finished)
            }
            TrainingAction::Calibrate => {
                self.calibrate(routing, progress).map(TrainingUpdate::Finished)
            }
            TrainingAction::PromotionTest => self.test_candidate(routing, candidate, progress),
            TrainingAction::Promote | TrainingAction::Discard | TrainingAction::RollBack => return,
        };
        send(Message::Training(
            result.unwrap_or_else(|error| TrainingUpdate::Failed(error.to_string())),
        ));
    }

    fn train(
        &self,
        routing: &RoutingConfig,
        pair: &PairFingerprint,
        progress: &Progress<'_>,
    ) -> CommandResult<Arc<Candidate>> {
        let RoutingConfig { preset, registry } = routing;
        let set = FeatureSet::full(preset.routing.draft_length.unwrap_or(DraftLength::Step));
        let set = set.restricted_to(engine::token_stats(&preset.small));
        let settings = TrainingSettings { seed: self.seed, ..TrainingSettings::default() };
        let job = TrainingJob {
            store: &self.store,
            preset: &preset.name,
            pair,
            set: &set,
            settings: &settings,
            holdout_every: Some(HOLDOUT_EVERY),
        };
        let all = self.store.len();
        let mut read = 0;
        let mut counts = DatasetCounts::default();
        let trained = job.run(|stage| {
            match stage {
                TrainingStage::Reading => {
                    read += 1;
                    if read % READING_INTERVAL == 0 {
                        progress.report(read, all, "reading the store".into());
                    }
                }
                TrainingStage::Read(found) => counts = found,
                TrainingStage::Round(now) => progress.report(
                    now.round,
                    now.rounds,
                    format!(
                        "{} episodes; left out: {} in which you chose, {} forks, {} others · {}",
                        counts.used,
                        counts.user,
                        counts.forks,
                        counts.ungraded + counts.unusable + counts.invalid + counts.other_models,
                        describe_progress(&now)
                    ),
                ),
            }
            progress.flow()
        })?;
        Ok(Arc::new(Candidate::new(trained, registry.policy().map(Arc::as_ref))?))
    }

    fn collect(&self, routing: &RoutingConfig, progress: &Progress<'_>) -> CommandResult<String> {
        let preset = &routing.preset;
        let mut pool = self.pool(preset)?;
        let policy = routing.registry.policy().cloned();
        // The number of stored episodes is part of the seed, so that each collection has other questions.
        let seed = self.seed ^ (self.store.len() as u64) << 20;
        let questions: Vec<Question> =
            self.task_set()?.questions(seed).take(COLLECT_BATCH).collect();
        let label = format!("workbench seed {seed}");
        let plan = CollectionPlan::for_training(CollectionRequest {
            preset,
            policy: policy.as_deref(),
            coin: COIN,
            questions: &label,
            seed,
        })?;
        let registry = RouterRegistry::new(&preset.name, policy);
        let written = Cell::new(0);
        let on_question = |done: usize, episode: Option<&Episode>| {
            written.set(written.get() + usize::from(episode.is_some()));
            progress.report(done, questions.len(), "each with a randomly drawn threshold".into());
            progress.flow()
        };
        let collected = collect(&mut pool, &registry, &self.store, &plan, &questions, on_question);
        let written = written.get();
        match collected.map(|collected| collected.skipped.len()) {
            Ok(0) => Ok(format!("{written} episodes were collected")),
            Ok(skipped) => Ok(format!(
                "{written} episodes were collected; {skipped} questions are too long for a model's context"
            )),
            Err(SessionError::Cancelled) => {
                Ok(format!("{written} episodes were collected before it was cancelled"))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn calibrate(&self, routing: &RoutingConfig, progress: &Progress<'_>) -> CommandResult<String> {
        let preset = &routing.preset;
        let policy = routing.registry.policy().cloned().ok_or_else(|| {
            CommandError::failure(
                "there is no policy to calibrate a threshold for: train one first",
            )
        })?;
        let mut pool = self.pool(preset)?;
        let seed = calibration_seed(self.seed);
        let n = CALIBRATION_QUESTIONS as usize;
        let questions = unseen_questions(&self.task_set()?, &self.store, seed, n)?;
        let registry = RouterRegistry::new(&preset.name, Some(policy));
        let mut calibration_run = CalibrationRun {
            pool: &mut pool,
            registry: &registry,
            questions: &questions,
            task_set: &self.task_set,
            seed,
        };
        let target =
            CalibrationTarget::Accuracy { accuracy: TARGET_ACCURACY, confidence: CONFIDENCE };
        let total = calibration_run.total();
        let text = "fresh questions: each model alone, then the policy";
        let found =
            calibration_run.calibrate(target, progress.counter(total, text))?.ok_or_else(|| {
                CommandError::failure(format!(
                    "no threshold meets the target on these {} questions",
                    questions.len()
                ))
            })?;
        let calibration = found.calibration;
        self.store.save_calibration(&calibration)?;
        Ok(format!(
            "threshold {:.4}: {} · {:.1} % correct at {:.1} % of the cost",
            calibration.threshold,
            calibration.target,
            100.0 * calibration.accuracy,
            100.0 * calibration.cost_share
        ))
    }

    fn test_candidate(
        &self,
        routing: &RoutingConfig,
        candidate: Option<&Candidate>,
        progress: &Progress<'_>,
    ) -> CommandResult<TrainingUpdate> {
        let RoutingConfig { preset, registry } = routing;
        let (Some(candidate), Some(current)) = (candidate, registry.policy().cloned()) else {
            return Err(CommandError::failure(
                "there is no current policy to test the new one against: promote the new one",
            ));
        };
        let mut pool = self.pool(preset)?;
        let seed = promotion_seed(self.seed, &self.store, &preset.name, candidate.id)?;
        let questions =
            unseen_questions(&self.task_set()?, &self.store, seed, PROMOTION_QUESTIONS)?;
        let test = PromotionTest {
            pool: &mut pool,
            candidate: candidate.policy.clone(),
            current,
            questions: &questions,
            seed,
        };
        let total = test.total();
        let text = "each question four times: each model alone, then both policies";
        let result = test.run(progress.counter(total, text))?;
        let is_passed = result.is_passed();
        let verdict = if is_passed { "passed" } else { "not passed: the interval is not above 0" };
        Ok(TrainingUpdate::PromotionTested(format!("{result}: {verdict}"), is_passed))
    }

    fn task_set(&self) -> CommandResult<TaskSet> {
        Ok(self.task_args.open(None, Split::Develop)?)
    }

    /// A second copy of the models, beside those of the session.
    fn pool(&self, preset: &Preset) -> CommandResult<RunnerPool> {
        memory::check_memory(preset, &self.folders.cache).map_err(|why| {
            CommandError::failure(format!(
                "the models would have to be loaded a second time, and {why}: quit, and run `pointsman collect`, `calibrate` or `policy promote`"
            ))
        })?;
        Ok(load_runner_pool(preset, &self.folders.cache, Some(1))?)
    }

    /// Makes the candidate the current policy.
    pub(super) fn promote(
        &self,
        active: &RoutingConfig,
        candidate: &Candidate,
    ) -> Result<Box<LoadedRouting>, String> {
        self.store.promote(&active.preset.name, candidate.id).map_err(|e| e.to_string())?;
        Ok(route_with(active, candidate.policy.clone()))
    }

    /// Undoes the last promotion.
    pub(super) fn roll_back(&self, active: &RoutingConfig) -> Result<Box<LoadedRouting>, String> {
        let policy = roll_back(&active.preset, &self.store).map_err(|e| e.to_string())?;
        if let Some(policy) = policy {
            return Ok(route_with(active, Arc::new(policy)));
        }
        // Without a policy, the preset's own router chooses again.
        let mut preset = active.preset.clone();
        let own = load_preset(&preset.name, &self.folders).map_err(|e| e.to_string())?;
        preset.routing.router = own.routing.router;
        let registry = RouterRegistry::new(&preset.name, None);
        Ok(Box::new(with_scale(RoutingConfig { preset, registry })))
    }
}

/// The active routing, but with the router `policy` and this policy.
fn route_with(active: &RoutingConfig, policy: Arc<Policy>) -> Box<LoadedRouting> {
    let mut preset = active.preset.clone();
    preset.routing.router = router_name::POLICY.into();
    let registry = RouterRegistry::new(&preset.name, Some(policy));
    Box::new(with_scale(RoutingConfig { preset, registry }))
}
