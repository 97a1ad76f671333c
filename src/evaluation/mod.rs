//! What routers achieve: accuracy against cost, on the same questions and seeds.
//!
//! | file | content |
//! |---|---|
//! | `eval_run`, `sweep` | runs routers on questions, at every threshold |
//! | `router_run` | the episodes of one router, summed up |
//! | `curve` | accuracy-cost curves and their metrics |
//! | `router_metrics`, `bootstrap` | metrics of several routers, with paired intervals |
//! | `table`, `plot` | these metrics as a table and as a picture |
//! | `calibrate`, `calibration` | thresholds for a target accuracy or cost, and their statistics |
//! | `offpolicy` | the same curves, estimated from stored episodes |
//! | `estimate_index`, `quantile_scale` | such estimates for a threshold that the user moves |
//! | `unseen` | questions that no policy was trained on |
//! | `user_comparison` | the user's choices against the router's |
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use pointsman::config::{Folders, load_preset};
//! use pointsman::evaluation::{EvalRun, metrics_table, router_metrics};
//! use pointsman::routing::{RouterRegistry, load_policy};
//! use pointsman::session::load_runner_pool;
//! use pointsman::tasks::{Split, questions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folders = Folders::find()?;
//! let preset = load_preset("tiny", &folders)?;
//! let policy = Arc::new(load_policy("builtin:tiny")?);
//! let registry = RouterRegistry::new(&preset.name, Some(policy));
//! let questions: Vec<_> = questions("arithmetic", Split::Test, 7)?.take(100).collect();
//! let mut pool = load_runner_pool(&preset, &folders.cache, None)?;
//!
//! // Compare the policy with each model alone, with 95 % intervals from 2,000 resamples.
//! let mut eval_run =
//!     EvalRun { pool: &mut pool, registry: &registry, questions: &questions, seed: 7 };
//! let (baselines, [small, large]) = eval_run.run_baselines(|| ())?;
//! let runs = [eval_run.run("policy", true, || ())?, small, large];
//! let metrics = router_metrics(&runs, &baselines, true, 2000, 7)?;
//! println!("{}", metrics_table(&metrics));
//! # Ok(())
//! # }
//! ```

mod bootstrap;
mod calibrate;
mod calibration;
mod curve;
mod estimate_index;
mod eval_run;
mod offpolicy;
mod plot;
mod quantile_scale;
mod router_metrics;
mod router_run;
mod sweep;
mod table;
#[cfg(test)]
mod test_data;
mod unseen;
mod user_comparison;

pub use bootstrap::{Bootstrap, MetricValue};
pub use calibrate::{
    CALIBRATION_QUESTIONS, CONFIDENCE, CalibrationError, CalibrationResult, CalibrationRun,
    calibrations, policy_provenance,
};
pub use calibration::{CostThreshold, cost_threshold, learn_then_test, misses, p_value};
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
pub use router_metrics::{RouterMetrics, router_metrics};
pub use router_run::{MeanTokens, RouterRun};
pub use table::{COLUMN_LEGEND, metrics_table};
pub use unseen::{UnseenError, calibration_seed, unseen_questions, unseen_seed};
pub use user_comparison::{SideMeans, UserComparison, compare_with_user};

/// Area under the receiver operating characteristic: the probability that a positive (`true`) has a
/// higher score than a negative, ties counting half (Mann and Whitney 1947). `None` if one class is
/// empty.
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
        // Ranks start at 1; tied scores share the mean of their ranks.
        let rank = f64::midpoint((i + 1) as f64, (i + tied) as f64);
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
