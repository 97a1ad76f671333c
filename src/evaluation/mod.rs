//! What routers achieve: accuracy against cost, over the same questions and seeds.
//!
//! | file | what is in it |
//! |---|---|
//! | `sweep` | fresh episodes at every threshold |
//! | `curve`, `compare` | accuracy-cost curves, their figures, paired intervals |
//! | `offpolicy` | the same estimated from stored episodes |
//! | `estimate_index`, `quantile_scale` | such estimates at once, for a threshold that is being moved; by which steps |
//! | `calibration` | thresholds for a target |
//! | `eval_run` | routers on the same questions, many episodes at once |
//! | `user_comparison` | a user_comparison who takes the points against the router in force |
//! | `router_metrics`, `table`, `plot` | one router's figures, as a table, as a picture |

mod calibration;
mod compare;
mod curve;
mod estimate_index;
mod eval_run;
mod offpolicy;
mod plot;
mod quantile_scale;
mod router_metrics;
mod sweep;
mod table;
#[cfg(test)]
mod test_data;
mod user_comparison;

pub use calibration::{CostTarget, cost_target, learn_then_test, misses, p_value};
pub use compare::{
    ApgrDifference, Bootstrap, ComparedMetrics, MetricValue, RouterComparison, SweptRouter, compare,
};
pub use curve::{
    BaselineOutcome, Baselines, CurveError, CurveMetrics, CurvePoint, Sweep, SweepSegment, curve,
    curve_metrics, threshold_grid,
};
pub use estimate_index::{EstimateIndex, WriterChange, writer_changes};
pub use eval_run::EvalRun;
pub use offpolicy::{
    LoggedChoice, LoggedEpisode, MIN_EFFECTIVE_SAMPLE, OffPolicyEstimate, OffPolicyLog,
};
pub use plot::plot;
pub use quantile_scale::QuantileScale;
pub use router_metrics::{MeanTokens, RouterMetrics, RouterRun, router_metrics};
pub use sweep::{QuestionResult, run_at_threshold, sweep_thresholds};
pub use table::metrics_table;
pub use user_comparison::{SideMeans, UserComparison, compare_with_user};

/// Area under the receiver operating characteristic of `scores`, high for those that are `positive`
/// (Mann and Whitney 1947, ties count half); nothing where one class is empty.
pub fn auroc(scores: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|s| s.1).count();
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut rank_sum, mut i) = (0.0, 0);
    while i < sorted.len() {
        let tied = sorted[i..].iter().take_while(|s| s.0 == sorted[i].0).count();
        let rank = i as f64 + (tied as f64 + 1.0) / 2.0;
        let hits = sorted[i..i + tied].iter().filter(|s| s.1).count();
        rank_sum += rank * hits as f64;
        i += tied;
    }
    let (p, n) = (positives as f64, negatives as f64);
    Some((rank_sum - p * (p + 1.0) / 2.0) / (p * n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auroc_counts_ties_half() {
        assert_eq!(auroc(&[(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(auroc(&[(0.5, false), (0.5, true)]), Some(0.5));
        assert_eq!(auroc(&[(0.2, true), (0.2, false), (0.1, false), (0.0, true)]), Some(0.375));
        assert_eq!(auroc(&[(0.2, true)]), None);
    }
}
