//! Whether a new policy is better than the one in force.

use std::sync::Arc;

use thiserror::Error;

use crate::engine::Flow;
use crate::evaluation::{CurveError, EvalRun, MetricValue, router_metrics};
use crate::exit::{ClassifiedError, ErrorClass};
use crate::routing::{Policy, RouterRegistry};
use crate::session::{RunnerPool, SessionError};
use crate::tasks::Question;

/// Resamples of the questions for the interval.
const RESAMPLES: usize = 2000;

/// Two policies on the same fresh questions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PromotionTest {
    /// APGR of the candidate.
    pub candidate: Option<f64>,
    /// APGR of the one in force.
    pub current: Option<f64>,
    /// The first less the second, paired by question.
    pub apgr_gain: Option<MetricValue>,
}

impl PromotionTest {
    /// Whether the whole 95 % interval of the lead is above 0.
    pub fn is_passed(&self) -> bool {
        self.apgr_gain.and_then(|apgr_gain| apgr_gain.ci).is_some_and(|[low, _]| low > 0.0)
    }
}

/// Why a contest was not held.
#[derive(Debug, Error)]
pub enum PromotionError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Curve(#[from] CurveError),
}

impl ClassifiedError for PromotionError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Session(error) => error.class(),
            Self::Curve(error) => error.class(),
        }
    }
}

/// Runs both policies over fresh `questions` at every threshold. `progress` is told after each
/// episode's question, four times a question in all, and may end it.
///
/// # Errors
/// When an episode cannot be run, or `progress` cancels.
pub fn run_promotion_test<P: Into<Flow>>(
    pool: &mut RunnerPool,
    [candidate, current]: [Arc<Policy>; 2],
    questions: &[Question],
    seed: u64,
    progress: impl Fn() -> P,
) -> Result<PromotionTest, PromotionError> {
    let name = pool.first().preset().name.clone();
    let registries = [candidate, current].map(|policy| RouterRegistry::new(&name, Some(policy)));
    let mut baselines = None;
    let mut runs = Vec::new();
    for registry in &registries {
        let mut eval_run = EvalRun { pool, registry, questions, seed };
        if baselines.is_none() {
            baselines = Some(eval_run.run_baselines(&progress)?.0);
        }
        runs.push(eval_run.run("policy", true, &progress)?);
    }
    let metrics = router_metrics(&runs, &baselines.unwrap_or_default(), true, RESAMPLES, seed)?;
    let apgr_gain =
        metrics[1].apgr_gap.map(|value| MetricValue { value, ci: metrics[1].apgr_gap_ci });
    Ok(PromotionTest { candidate: metrics[0].apgr, current: metrics[1].apgr, apgr_gain })
}
