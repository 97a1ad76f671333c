//! What routers achieve: accuracy against cost, over the same questions and seeds.
//!
//! | file | what is in it |
//! |---|---|
//! | `sweep` | fresh episodes at every threshold |
//! | `curve`, `compare` | accuracy-cost curves, their figures, paired intervals |
//! | `offpolicy` | the same estimated from stored episodes |
//! | `whatif`, `scale` | such estimates at once, for a threshold that is being moved; by which steps |
//! | `calibration` | thresholds for a target |
//! | `trial` | routers on the same questions, many episodes at once |
//! | `person` | a person who takes the points against the router in force |
//! | `score`, `table`, `plot` | one router's figures, as a table, as a picture |

mod calibration;
mod compare;
mod curve;
mod offpolicy;
mod person;
mod plot;
#[cfg(test)]
mod samples;
mod scale;
mod score;
mod sweep;
mod table;
mod trial;
mod whatif;

pub use calibration::{CostTarget, cost_target, learn_then_test, misses, p_value};
pub use compare::{Bootstrap, Candidate, Comparison, Difference, Figure, Standing, compare};
pub use curve::{CurveError, Ends, Metrics, Outcome, Piece, Point, Sweep, curve, grid, metrics};
pub use offpolicy::{Estimate, LEAST_EFFECTIVE, Log, Logged, LoggedChoice};
pub use person::{PersonScore, Side, person_score};
pub use plot::plot;
pub use scale::Scale;
pub use score::{Run, Score, Tokens, scores};
pub use sweep::{Swept, at, sweep};
pub use table::table;
pub use trial::Trial;
pub use whatif::{Flip, WhatIf, flips};

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
