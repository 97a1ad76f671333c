//! The promotion test: whether a new policy is better than the current one, on fresh questions.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::config::Preset;
use crate::engine::Flow;
use crate::episode::PerRole;
use crate::evaluation::{CurveError, EvalRun, MetricValue, router_metrics, unseen_seed};
use crate::exit::{ClassifiedError, ErrorClass};
use crate::routing::{Policy, RouterError, RouterRegistry, router_name};
use crate::session::{RunnerPool, SessionError, check_router};
use crate::store::{Store, StoreError};
use crate::tasks::Question;

/// Resamples of the questions for the interval.
const RESAMPLES: usize = 2000;

/// Two policies, to be run on the same fresh questions.
pub struct PromotionTest<'a> {
    /// Runs the episodes, under the preset of its runners.
    pub pool: &'a mut RunnerPool,
    /// The new policy.
    pub candidate: Arc<Policy>,
    /// The current policy.
    pub current: Arc<Policy>,
    /// Questions that neither was trained on (see
    /// [`unseen_questions`](crate::evaluation::unseen_questions)).
    pub questions: &'a [Question],
    /// Seed of the first question (see [`promotion_seed`]).
    pub seed: u64,
}

/// What a promotion test found. Its text is a line for the user.
#[derive(Debug, Clone, PartialEq)]
pub struct PromotionResult {
    /// Number of questions.
    pub questions: usize,
    /// Name and APGR of the new policy.
    pub candidate: (String, Option<f64>),
    /// Name and APGR of the current policy.
    pub current: (String, Option<f64>),
    /// APGR of the new policy minus that of the current one, paired by question.
    pub apgr_gain: Option<MetricValue>,
}

impl PromotionResult {
    /// Whether the whole 95 % interval of the gain is above 0.
    pub fn is_passed(&self) -> bool {
        self.apgr_gain.and_then(|gain| gain.ci).is_some_and(|[low, _]| low > 0.0)
    }
}

impl fmt::Display for PromotionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let apgr = |apgr: Option<f64>| apgr.map_or_else(|| "none".into(), |x| format!("{x:.3}"));
        let ((candidate, candidate_apgr), (current, current_apgr)) =
            (&self.candidate, &self.current);
        write!(
            f,
            "APGR on {} fresh questions: {candidate} {}, {current} {} · ",
            self.questions,
            apgr(*candidate_apgr),
            apgr(*current_apgr)
        )?;
        match self.apgr_gain {
            Some(MetricValue { value, ci: Some([low, high]) }) => {
                write!(f, "gain {value:+.3} ({low:+.3} to {high:+.3})")
            }
            Some(MetricValue { value, ci: None }) => write!(f, "gain {value:+.3}"),
            None => f.write_str("gain undefined"),
        }
    }
}

/// Why a promotion test cannot be run.
#[derive(Debug, Error)]
pub enum PromotionError {
    /// A policy cannot decide with this pair of models.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The new policy was trained for other models than those of the pool.
    #[error(
        "policy {policy} was trained for other models (small {}, large {}) than those of preset {preset}: name its own preset with --preset",
        .models.small, .models.large
    )]
    OtherModels {
        /// The policy's name.
        policy: String,
        /// Digests of the models that it was trained for.
        models: PerRole<String>,
        /// Name of the pool's preset.
        preset: String,
    },
    /// An episode cannot be run, or the test was cancelled.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The curves cannot be compared.
    #[error(transparent)]
    Curve(#[from] CurveError),
}

impl ClassifiedError for PromotionError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Router(error) => error.class(),
            Self::Session(error) => error.class(),
            Self::OtherModels { .. } | Self::Curve(_) => ErrorClass::Failure,
        }
    }
}

impl PromotionTest<'_> {
    /// Number of calls of `progress` in [`run`](Self::run): each question is run by each model alone, then
    /// by both policies.
    pub fn total(&self) -> usize {
        4 * self.questions.len()
    }

    /// Runs both policies at every threshold. `progress` is called after each run of a question, and may
    /// cancel the test.
    ///
    /// # Errors
    /// If a policy does not fit the models, an episode cannot be run, or `progress` cancels.
    pub fn run<P: Into<Flow>>(
        self,
        progress: impl Fn() -> P,
    ) -> Result<PromotionResult, PromotionError> {
        let Self { pool, candidate, current, questions, seed } = self;
        let preset = pool.first().preset().clone();
        check_routers([&candidate, &current], &preset, questions)?;
        let models = &candidate.card.pair.models;
        if *models != pool.first().pair().models {
            return Err(PromotionError::OtherModels {
                policy: candidate.card.name.clone(),
                models: models.clone(),
                preset: preset.name,
            });
        }
        let registry = |policy| RouterRegistry::new(&preset.name, Some(policy));
        let names = [candidate.card.name.clone(), current.card.name.clone()];
        let registries = [registry(candidate), registry(current)];
        let mut eval_run = EvalRun { pool, registry: &registries[0], questions, seed };
        let (baselines, _) = eval_run.run_baselines(&progress)?;
        let candidate_run = eval_run.run(router_name::POLICY, true, &progress)?;
        eval_run.registry = &registries[1];
        let current_run = eval_run.run(router_name::POLICY, true, &progress)?;
        let runs = [candidate_run, current_run];
        let metrics = router_metrics(&runs, &baselines, true, RESAMPLES, seed)?;
        let apgr = |i: usize| metrics[i].apgr.map(|m| m.value);
        let [candidate, current] = names;
        Ok(PromotionResult {
            questions: questions.len(),
            candidate: (candidate, apgr(0)),
            current: (current, apgr(1)),
            apgr_gain: metrics[1].apgr_gap,
        })
    }
}

/// Whether each policy can decide about `questions` under `preset`, as far as that is known before the
/// models are loaded.
///
/// # Errors
/// If a policy needs something that the models or the preset do not provide.
pub fn check_routers(
    policies: [&Arc<Policy>; 2],
    preset: &Preset,
    questions: &[Question],
) -> Result<(), RouterError> {
    policies.into_iter().try_for_each(|policy| {
        let registry = RouterRegistry::new(&preset.name, Some(Arc::clone(policy)));
        check_router(registry.router(router_name::POLICY)?.as_ref(), preset, questions)
    })
}

/// A seed for the questions of a promotion test of policy `id`. Each candidate has its own questions, so
/// that one of many does not win by chance on the same draw; a repeated test repeats its questions.
///
/// # Errors
/// If the store cannot be read.
pub fn promotion_seed(seed: u64, store: &Store, preset: &str, id: u64) -> Result<u64, StoreError> {
    let test_number = id + ((store.promotions(preset)?.len() as u64) << 8);
    Ok(unseen_seed(seed, 2 + test_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_must_be_above_0_as_a_whole() {
        let result = |gain: Option<(f64, Option<[f64; 2]>)>| PromotionResult {
            questions: 100,
            candidate: ("tiny-2".into(), Some(0.7034)),
            current: ("tiny-1".into(), None),
            apgr_gain: gain.map(|(value, ci)| MetricValue { value, ci }),
        };
        let passed = result(Some((0.05, Some([0.01, 0.09]))));
        assert!(passed.is_passed());
        assert_eq!(
            passed.to_string(),
            "APGR on 100 fresh questions: tiny-2 0.703, tiny-1 none · gain +0.050 (+0.010 to +0.090)"
        );
        let others = [Some((0.05, Some([0.0, 0.1]))), Some((0.05, None)), None];
        assert!(others.iter().all(|gain| !result(*gain).is_passed()));
        assert!(result(None).to_string().ends_with("gain undefined"));
    }
}
