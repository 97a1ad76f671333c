//! Calibration: runs fresh questions and finds the threshold of a policy that meets a target.

use thiserror::Error;

use super::calibration::{cost_threshold, learn_then_test, misses};
use super::{Bootstrap, CurveError, EvalRun, curve};
use crate::engine::Flow;
use crate::exit::{ClassifiedError, ErrorClass};
use crate::routing::{
    Calibration, CalibrationTarget, Policy, Provenance, RouterError, RouterRegistry, router_name,
};
use crate::session::{EpisodeRunner, RunnerPool, SessionError, now_ms};
use crate::store::{Store, StoreError};
use crate::tasks::Question;

/// Questions of a calibration, unless the user gives another number.
pub const CALIBRATION_QUESTIONS: u32 = 300;
/// Confidence of a calibration for an accuracy, unless the user gives another.
pub const CONFIDENCE: f64 = 0.95;

/// Resamples of the questions for the interval of a cost.
const RESAMPLES: usize = 2000;

/// What to calibrate, and on which questions.
pub struct CalibrationRun<'a> {
    /// Runs the episodes, under the preset of its runners.
    pub pool: &'a mut RunnerPool,
    /// Provides the policy to calibrate.
    pub registry: &'a RouterRegistry,
    /// Questions that the policy was not trained on (see [`unseen_questions`](super::unseen_questions)).
    pub questions: &'a [Question],
    /// Name of the task set that the questions come from.
    pub task_set: &'a str,
    /// Seed of the questions and their episodes.
    pub seed: u64,
}

/// A threshold that meets its target.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationResult {
    /// The threshold, and what it holds for.
    pub calibration: Calibration,
    /// For a cost target: 95 % interval of the cost share.
    pub cost_share_ci: Option<[f64; 2]>,
}

/// Why a calibration failed.
#[derive(Debug, Error)]
pub enum CalibrationError {
    /// An episode cannot be run, or the calibration was cancelled.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// There are no questions to calibrate on.
    #[error("there are no questions to calibrate on")]
    NoQuestions,
    /// A curve cannot be computed.
    #[error(transparent)]
    Curve(#[from] CurveError),
    /// The policy's weights cannot be read.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClassifiedError for CalibrationError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Session(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::NoQuestions | Self::Curve(_) | Self::Candle(_) => ErrorClass::Failure,
        }
    }
}

impl CalibrationRun<'_> {
    /// Number of calls of `progress` in [`calibrate`](Self::calibrate): each question is run by each model
    /// alone, then by the policy.
    pub fn total(&self) -> usize {
        3 * self.questions.len()
    }

    /// Runs the questions at every threshold, and returns the cheapest threshold that meets `target` on
    /// them; `None` if no threshold does. `progress` may cancel the calibration.
    ///
    /// An accuracy is kept with the stated confidence by Learn-then-Test (see [`learn_then_test`]),
    /// where a miss is a question that the large model alone answers correctly and the policy does not. A
    /// cost is met by the mean over the questions.
    ///
    /// # Errors
    /// If there is no policy, an episode cannot be run, or `progress` cancels.
    pub fn calibrate<P: Into<Flow>>(
        &mut self,
        target: CalibrationTarget,
        progress: impl Fn() -> P,
    ) -> Result<Option<CalibrationResult>, CalibrationError> {
        let registry = self.registry;
        let policy = registry.policy().ok_or_else(|| {
            SessionError::Router(RouterError::NoPolicy(self.pool.first().preset().name.clone()))
        })?;
        let questions = self.questions;
        let mut eval_run = EvalRun { pool: self.pool, registry, questions, seed: self.seed };
        let (baselines, _) = eval_run.run_baselines(&progress)?;
        let run = eval_run.run(router_name::POLICY, true, &progress)?;
        // The guarantee requires thresholds that do not depend on these questions.
        let thresholds = &policy.card.quantiles;
        let (threshold, cost_share_ci) = match target {
            CalibrationTarget::Accuracy { accuracy, confidence } => {
                let misses = misses(run.sweeps(), &baselines.large, thresholds)?;
                let n = questions.len() as u64;
                let found = learn_then_test(&misses, n, 1.0 - accuracy, 1.0 - confidence);
                (found.map(|i| thresholds[i]), None)
            }
            CalibrationTarget::Cost { share } => {
                let bootstrap = Bootstrap::new(questions.len(), RESAMPLES, self.seed);
                let found =
                    cost_threshold(run.sweeps(), &baselines, thresholds, share, &bootstrap)?;
                (found.map(|f| f.threshold), found.and_then(|f| f.ci))
            }
        };
        let Some(threshold) = threshold else { return Ok(None) };
        let points = curve(run.sweeps(), &baselines, &[threshold])?;
        let point = points.first().ok_or(CalibrationError::NoQuestions)?;
        let calibration = Calibration {
            threshold,
            target,
            n: questions.len(),
            seed: self.seed,
            accuracy: point.accuracy,
            cost_share: point.cost_share.unwrap_or(0.0),
            at_ms: now_ms(),
            provenance: policy_provenance(policy, self.pool.first(), self.task_set)?,
        };
        Ok(Some(CalibrationResult { calibration, cost_share_ci }))
    }
}

/// What a calibration of `policy` holds for, with the models and the preset of `runner`.
///
/// # Errors
/// If the policy's weights cannot be read.
pub fn policy_provenance(
    policy: &Policy,
    runner: &EpisodeRunner,
    task_set: &str,
) -> candle_core::Result<Provenance> {
    Ok(Provenance::of(policy.digest()?, runner.preset(), runner.pair(), task_set))
}

/// All calibrations of a policy: those in its file, then those in the store.
///
/// # Errors
/// If the policy's weights or the store cannot be read.
pub fn calibrations(store: &Store, policy: &Policy) -> Result<Vec<Calibration>, CalibrationError> {
    let digest = policy.digest()?;
    let own = &policy.card.calibrations;
    let stored: Vec<Calibration> = store.calibrations()?;
    let stored = stored.into_iter().filter(|c| c.provenance.router == digest && !own.contains(c));
    Ok(own.iter().cloned().chain(stored).collect())
}
