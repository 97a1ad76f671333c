//! A new policy beside the current one, estimated from recorded episodes.

use std::fmt;
use std::sync::Arc;

use super::dataset::logged_episodes;
use super::{TrainedPolicy, Trajectory};
use crate::evaluation::{OffPolicyEstimate, OffPolicyLog};
use crate::routing::Policy;

/// Costs at which policies are compared, as shares of always-large's.
const COST_SHARES: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];
/// An estimate is shown for such a share only if its own cost share is this near.
const SHARE_TOLERANCE: f64 = 0.08;

/// A new policy beside the current one.
#[derive(Clone)]
pub struct Candidate {
    /// Its number in the store.
    pub id: u64,
    /// The new policy.
    pub policy: Arc<Policy>,
    /// Name of the current policy. `None` if there is none, or if its feature set differs, so that the
    /// two cannot be compared on the same trajectories.
    pub current: Option<String>,
    /// Number of recorded episodes with drawn choices that both were evaluated on. The new policy was not
    /// trained on them; the current one may have been.
    pub evaluated: usize,
    /// The accuracy of each at several costs.
    pub rows: Vec<CostComparison>,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("policy", &self.policy.card.name)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.rows == other.rows
    }
}

/// The estimated accuracy of both policies at one cost. `None` if the recorded episodes do not support an
/// estimate there.
#[derive(Debug, Clone, PartialEq)]
pub struct CostComparison {
    /// Mean cost, as a share of always-large's.
    pub share: f64,
    /// Estimate for the new policy.
    pub candidate: Option<AccuracyEstimate>,
    /// Estimate for the current policy.
    pub current: Option<AccuracyEstimate>,
}

/// An estimated accuracy, at the threshold whose estimated cost is nearest to the given one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccuracyEstimate {
    /// That threshold.
    pub threshold: f64,
    /// Its estimated mean cost, as a share of always-large's.
    pub share: f64,
    /// Its estimated accuracy, in [0, 1].
    pub accuracy: f64,
    /// 95 % interval of the accuracy.
    pub ci: [f64; 2],
}

impl Candidate {
    /// Evaluates a trained policy and the current one on the trajectories that were held out.
    ///
    /// # Errors
    /// If a network fails.
    pub fn new(trained: TrainedPolicy, current: Option<&Policy>) -> candle_core::Result<Self> {
        let TrainedPolicy { id, policy, held_out } = trained;
        // A policy with another feature set needs other features than the trajectories have.
        let current = current.filter(|current| current.card.set == policy.card.set);
        let log = |policy: &Policy| -> candle_core::Result<OffPolicyLog> {
            Ok(OffPolicyLog::new(&logged_episodes(&held_out, policy)?))
        };
        let candidate_log = log(&policy)?;
        let current_log = current.map(log).transpose()?;
        let unit = policy.card.cost_unit;
        let row = |share| CostComparison {
            share,
            candidate: estimate_at_cost(&candidate_log, &policy, share, unit),
            current: current
                .zip(current_log.as_ref())
                .and_then(|(current, log)| estimate_at_cost(log, current, share, unit)),
        };
        let rows = COST_SHARES.map(row).into();
        let current = current.map(|current| current.card.name.clone());
        let evaluated = held_out.iter().filter(|t: &&Trajectory| t.explored).count();
        Ok(Self { id, policy: Arc::new(policy), current, evaluated, rows })
    }
}

/// The supported estimate whose cost, as a share of `unit`, is nearest to `share`.
fn estimate_at_cost(
    log: &OffPolicyLog,
    policy: &Policy,
    share: f64,
    unit: f64,
) -> Option<AccuracyEstimate> {
    let estimates = log.curve(&policy.card.quantiles);
    let supported = estimates.iter().filter(|estimate| estimate.supported);
    let distance = |estimate: &&OffPolicyEstimate| {
        estimate.cost.map_or(f64::MAX, |cost| (cost / unit - share).abs())
    };
    let nearest = supported.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    if distance(&nearest) > SHARE_TOLERANCE {
        return None;
    }
    Some(AccuracyEstimate {
        threshold: nearest.threshold,
        share: nearest.cost? / unit,
        accuracy: nearest.accuracy?,
        ci: nearest.accuracy_ci?,
    })
}
