//! What the recordings say about thresholds.

use crate::evaluation::EstimateIndex;
use crate::routing::Policy;
use crate::store::Store;
use crate::training::fresh_episodes;
use crate::workbench::ThresholdEstimates;

/// Number of recorded episodes that are read, the newest ones.
const MAX_EPISODES: usize = 10_000;

/// Estimates accuracy and cost by threshold from the exploration episodes since the policy's
/// training; the error is the reason, for the user.
pub(super) fn estimate_thresholds(
    store: &Store,
    policy: Option<&Policy>,
) -> Result<ThresholdEstimates, String> {
    let policy = policy.ok_or("estimates are made for the router `policy` only")?;
    let fresh = fresh_episodes(store, policy, MAX_EPISODES, || ())
        .map_err(|e| format!("the stored episodes cannot be read: {e}"))?;
    if fresh.logged.is_empty() {
        return Err(
            "no episodes have been collected since the policy was trained: collect on the training page"
                .into(),
        );
    }
    let index = EstimateIndex::new(&fresh.logged);
    Ok(ThresholdEstimates { index, unit: policy.card.cost_unit, episodes: fresh.logged.len() })
}
