//! Retraining and calibration for the workbench: what `train`, `collect` and `calibrate` do, with news
//! instead of bars.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::JobRunner;
use crate::cli::calibrate::{calibrate, describe_target};
use crate::cli::options::unseen_seed;
use crate::cli::task_args::{first_questions, unseen_questions};
use crate::cli::{memory, policy_lookup};
use crate::config::{DraftLength, Preset, load_preset};
use crate::engine::{Flow, TokenStats};
use crate::episode::Episode;
use crate::evaluation::{LoggedEpisode, OffPolicyEstimate, OffPolicyLog};
use crate::routing::{CalibrationTarget, FeatureSet, PairFingerprint, Policy, RouterRegistry};
use crate::session::{RunnerPool, SessionError, load_runner_pool};
use crate::tasks::arithmetic::Split;
use crate::training::{
    CollectionPlan, Dataset, TrainingSettings, Trajectory, collect, exploration_preset,
    logged_episodes, run_promotion_test, train,
};
use crate::workbench::{
    AccuracyEstimate, COLLECT_BATCH, Candidate, CostComparison, LoadedRouting, Message,
    TrainingAction, TrainingProgress, TrainingUpdate,
};

/// One episode in so many is kept from a training, to judge what came of it.
const HOLDOUT_EVERY: u64 = 5;
/// Costs at which policies are compared, as shares of all-large's.
const COST_SHARES: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];
/// Farther from such a cost nothing is told of it.
const SHARE_TOLERANCE: f64 = 0.08;
/// Questions of a contest.
const PROMOTION_QUESTIONS: usize = 100;
/// Questions of a calibration.
const CALIBRATION_QUESTIONS: usize = 300;
/// What a calibration promises: at most 5 % of questions are lost, with confidence 95 %.
const TARGET_ACCURACY: f64 = 0.95;
const CONFIDENCE: f64 = 0.95;
/// Probability of a coin's choice while episodes are collected: with a policy, and without one, where random
/// thresholds alone would make a choice certain once its step is known.
const COIN: f64 = 0.2;
const COIN_WITHOUT_POLICY: f64 = 0.5;

impl JobRunner {
    /// Does what [`crate::workbench::Job::RunTraining`] asks for.
    pub(super) fn run_training(
        &self,
        action: TrainingAction,
        preset: &Preset,
        pair: &PairFingerprint,
        candidate: Option<&Candidate>,
        send: &dyn Fn(Message),
    ) {
        self.cancelled.store(false, Ordering::Relaxed);
        let report = |done: usize, total: usize, text: String| {
            send(Message::Training(TrainingUpdate::Progress(TrainingProgress {
                action,
                done,
                total,
                text,
            })));
        };
        let news = match action {
            TrainingAction::Train => {
                self.train(preset, pair, &report).map(TrainingUpdate::CandidateTrained)
            }
            TrainingAction::Collect => self.collect(preset, &report).map(TrainingUpdate::Finished),
            TrainingAction::Calibrate => {
                self.calibrate(preset, &report).map(TrainingUpdate::Finished)
            }
            TrainingAction::PromotionTest => self.run_promotion_test(preset, candidate, &report),
            TrainingAction::Promote | TrainingAction::Discard | TrainingAction::RollBack => return,
        };
        send(Message::Training(
            news.unwrap_or_else(|error| TrainingUpdate::Failed(error.to_string())),
        ));
    }

    fn is_not_cancelled(&self) -> bool {
        !self.cancelled.load(Ordering::Relaxed)
    }

    fn flow(&self) -> Flow {
        if self.is_not_cancelled() { Flow::Continue } else { Flow::Cancel }
    }

    fn train(
        &self,
        preset: &Preset,
        pair: &PairFingerprint,
        report: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<Arc<Candidate>> {
        let set = FeatureSet::full(preset.routing.draft_length.unwrap_or(DraftLength::Step));
        let set = set.restricted_to(TokenStats::of(&preset.small));
        let all = self.store.len();
        let mut read = 0;
        let mut dataset = Dataset::read(&self.store, pair, &set, || {
            read += 1;
            if read % 100 == 0 {
                report(read, all, "reading the store".into());
            }
        })?;
        let is_for_training = |t: &Trajectory| {
            !LoggedEpisode::question_hash(&t.question).is_multiple_of(HOLDOUT_EVERY)
        };
        let (training_set, held_out): (Vec<Trajectory>, Vec<Trajectory>) =
            dataset.trajectories.drain(..).partition(is_for_training);
        dataset.dataset_counts.used = training_set.len();
        dataset.trajectories = training_set;
        let intake = dataset.dataset_counts;
        let settings = TrainingSettings { seed: self.seed, ..TrainingSettings::default() };
        let mut policy = train(&dataset, &set, &settings, |now| {
            report(
                now.round,
                now.rounds,
                format!(
                    "{} episodes; left out: {} in which you chose, {} forks, {} others · loss {:.3} · expects {:.1} % right at {:.0} % of the cost",
                    intake.used,
                    intake.user,
                    intake.forks,
                    intake.ungraded + intake.unusable + intake.other_models,
                    now.loss,
                    100.0 * now.accuracy,
                    100.0 * now.cost
                ),
            );
            self.is_not_cancelled()
        })?;
        anyhow::ensure!(self.is_not_cancelled(), "the training was cancelled; nothing was kept");
        let id = policy_lookup::store_policy(&self.store, &preset.name, pair, &mut policy)?;
        let current = self.available_policy();
        let unit = policy.card.cost_unit;
        let candidate_log = offpolicy_log(&held_out, &policy)?;
        // Another feature set reads other rows.
        let current = current.filter(|current| current.card.set == policy.card.set);
        let incumbent_log =
            current.as_deref().map(|c| Ok::<_, anyhow::Error>((offpolicy_log(&held_out, c)?, c)));
        let incumbent_log = incumbent_log.transpose()?;
        let row = |share| CostComparison {
            share,
            candidate: point_at_share(&candidate_log, &policy, share, unit),
            current: incumbent_log
                .as_ref()
                .and_then(|(log, c)| point_at_share(log, c, share, unit)),
        };
        let rows = COST_SHARES.map(row).into();
        let current = current.as_ref().map(|current| current.card.name.clone());
        let evaluated = held_out.iter().filter(|trajectory| trajectory.explored).count();
        Ok(Arc::new(Candidate { number: id, policy: Arc::new(policy), current, evaluated, rows }))
    }

    fn collect(
        &self,
        preset: &Preset,
        report: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<String> {
        let mut pool = self.pool(preset)?;
        let policy = self.available_policy();
        let (router, coin) =
            if policy.is_some() { ("policy", COIN) } else { ("random", COIN_WITHOUT_POLICY) };
        let mut exploration_preset = exploration_preset(preset, router, policy.as_deref(), coin);
        if policy.is_none() {
            // A draft is what a first policy learns from, and this router asks for none.
            exploration_preset.routing.draft_length.get_or_insert(DraftLength::Step);
        }
        pool.set_preset(&exploration_preset);
        // Mostly other questions than those of collections before: their number goes into the seed.
        let seed = self.seed ^ (self.store.len() as u64) << 20;
        let questions =
            first_questions(&self.task_args.open(None, Split::Develop)?, seed, COLLECT_BATCH);
        let registry = RouterRegistry::new(&preset.name, policy);
        let plan = CollectionPlan {
            name: format!("{} workbench seed {seed}", preset.name),
            router: router.to_owned(),
            seed,
        };
        let written = std::cell::Cell::new(0);
        let progress = |done: usize, episode: Option<&Episode>| {
            written.set(written.get() + usize::from(episode.is_some()));
            report(done, questions.len(), "each with a threshold that was drawn for it".into());
            self.flow()
        };
        match collect(&mut pool, &registry, &self.store, &plan, &questions, progress) {
            Ok(collected) if collected.skipped.is_empty() => {
                Ok(format!("{} episodes were collected", written.get()))
            }
            Ok(collected) => Ok(format!(
                "{} episodes were collected; {} questions are too long for a model's context",
                written.get(),
                collected.skipped.len()
            )),
            Err(SessionError::Cancelled) => {
                Ok(format!("{} episodes were collected, then it was cancelled", written.get()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn calibrate(
        &self,
        preset: &Preset,
        report: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<String> {
        let policy = self.available_policy().ok_or_else(|| {
            anyhow::anyhow!(
                "a threshold is calibrated for a policy, and there is none yet: train one"
            )
        })?;
        let mut pool = self.pool(preset)?;
        let registry = RouterRegistry::new(&preset.name, Some(policy.clone()));
        let seed = unseen_seed(self.seed, 1);
        let set = self.task_args.open(None, Split::Develop)?;
        let questions = unseen_questions(&set, &self.store, seed, CALIBRATION_QUESTIONS)?;
        let done = std::cell::Cell::new(0);
        let step = || {
            done.set(done.get() + 1);
            let text = "fresh questions, by each model alone and by both";
            report(done.get(), 3 * questions.len(), text.into());
            self.flow()
        };
        let target =
            CalibrationTarget::Accuracy { accuracy: TARGET_ACCURACY, confidence: CONFIDENCE };
        let asked_of = (questions.as_slice(), self.task_set.as_str());
        let found = calibrate(&mut pool, &registry, &policy, asked_of, seed, target, step)?;
        let Some((calibration, _)) = found else {
            anyhow::bail!("no threshold keeps the promise on these {} questions", questions.len());
        };
        self.store.save_calibration(&calibration)?;
        Ok(format!(
            "threshold {:.4}: {} · {:.1} % right at {:.1} % of the cost",
            calibration.threshold,
            describe_target(calibration.target),
            100.0 * calibration.accuracy,
            100.0 * calibration.cost_share
        ))
    }

    fn run_promotion_test(
        &self,
        preset: &Preset,
        candidate: Option<&Candidate>,
        report: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<TrainingUpdate> {
        let (Some(candidate), Some(current)) = (candidate, self.available_policy()) else {
            anyhow::bail!(
                "a contest needs a policy before the new one, and there is none: promote the new one"
            );
        };
        let mut pool = self.pool(preset)?;
        let seed =
            policy_lookup::promotion_seed(self.seed, &self.store, &preset.name, candidate.number)?;
        let set = self.task_args.open(None, Split::Develop)?;
        let questions = unseen_questions(&set, &self.store, seed, PROMOTION_QUESTIONS)?;
        let names = [candidate.policy.card.name.clone(), current.card.name.clone()];
        let done = std::cell::Cell::new(0);
        let result = run_promotion_test(
            &mut pool,
            [candidate.policy.clone(), current],
            &questions,
            seed,
            || {
                done.set(done.get() + 1);
                report(
                    done.get(),
                    4 * questions.len(),
                    "each question four times: each model alone, then both policies".into(),
                );
                self.flow()
            },
        )?;
        let apgr = |apgr: Option<f64>| apgr.map_or("none".into(), |apgr| format!("{apgr:.3}"));
        let apgr_gain = result.apgr_gain.map_or(String::new(), |apgr_gain| {
            let ci = apgr_gain.ci.map_or(String::new(), |[a, b]| format!(" ({a:+.3} to {b:+.3})"));
            format!("; apgr_gain {:+.3}{ci}", apgr_gain.value)
        });
        let verdict =
            if result.is_passed() { "won" } else { "not won: its interval is not above 0" };
        let text = format!(
            "{} fresh questions: APGR of {} {}, of {} {}{apgr_gain}: {verdict}",
            questions.len(),
            names[0],
            apgr(result.candidate),
            names[1],
            apgr(result.current)
        );
        Ok(TrainingUpdate::PromotionTested(text, result.is_passed()))
    }

    /// The models once more, beside those of the session.
    fn pool(&self, preset: &Preset) -> anyhow::Result<RunnerPool> {
        memory::check_memory(preset, &self.folders.cache).map_err(|why| {
            anyhow::anyhow!(
                "the models would be loaded a second time, and {why}: quit, and run `pointsman collect`, `calibrate` or `policy promote`"
            )
        })?;
        Ok(load_runner_pool(preset, &self.folders.cache, Some(1))?)
    }

    pub(super) fn promote(
        &self,
        preset: &str,
        candidate: &Candidate,
    ) -> Result<Box<LoadedRouting>, String> {
        self.store.promote(preset, candidate.number).map_err(|e| e.to_string())?;
        Ok(self.activate_policy(candidate.policy.clone()))
    }

    /// Puts the policy in force that was before the last promotion.
    pub(super) fn roll_back(&self, name: &str) -> Result<Box<LoadedRouting>, String> {
        let mut preset = self.preset();
        if self.store.roll_back(name).map_err(|e| e.to_string())?.is_none() {
            return Err(format!(
                "no policy was promoted for preset {name}: the one of the preset is in force"
            ));
        }
        let policy =
            policy_lookup::active_policy(&preset, Some(&self.store)).map_err(|e| e.to_string())?;
        if let Some(policy) = policy {
            return Ok(self.activate_policy(Arc::new(policy)));
        }
        // Then the router chooses that the preset had before a policy was promoted.
        let own = load_preset(name, &self.folders).map_err(|e| e.to_string())?;
        preset.routing.router = own.routing.router;
        let registry = RouterRegistry::new(&preset.name, None);
        Ok(self.apply_routing(preset, registry))
    }

    /// Has a policy choose, whichever router did.
    fn activate_policy(&self, policy: Arc<Policy>) -> Box<LoadedRouting> {
        let mut preset = self.preset();
        preset.routing.router = "policy".into();
        let registry = RouterRegistry::new(&preset.name, Some(policy));
        self.apply_routing(preset, registry)
    }
}

fn offpolicy_log(trajectories: &[Trajectory], policy: &Policy) -> anyhow::Result<OffPolicyLog> {
    Ok(OffPolicyLog::new(&logged_episodes(trajectories, policy)?))
}

/// What a policy reaches at the threshold whose estimated cost comes nearest to `share`, where the recordings
/// support it.
fn point_at_share(
    log: &OffPolicyLog,
    policy: &Policy,
    share: f64,
    unit: f64,
) -> Option<AccuracyEstimate> {
    let estimates = log.curve(&policy.card.quantiles);
    let supported = estimates.iter().filter(|estimate| estimate.supported);
    let far = |estimate: &&OffPolicyEstimate| {
        estimate.cost.map_or(f64::MAX, |cost| (cost / unit - share).abs())
    };
    let nearest = supported.min_by(|a, b| far(a).total_cmp(&far(b)))?;
    if far(&nearest) > SHARE_TOLERANCE {
        return None;
    }
    Some(AccuracyEstimate {
        threshold: nearest.threshold,
        share: nearest.cost? / unit,
        accuracy: nearest.accuracy?,
        ci: nearest.accuracy_ci?,
    })
}
