//! What recorded episodes say about thresholds.

use std::sync::Arc;

use crate::evaluation::EstimateIndex;

/// Estimates of accuracy and cost by threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdEstimates {
    /// The estimates.
    pub index: EstimateIndex,
    /// Mean cost of an episode that the large model writes alone, in the unit of the prices.
    pub unit: f64,
    /// Number of recorded episodes behind the estimates.
    pub episodes: usize,
}

/// Whether there are estimates.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ThresholdEstimatesState {
    /// The threshold has not been moved yet.
    #[default]
    NotRequested,
    /// The store is being read.
    Loading,
    /// There are no estimates; why, and the remedy.
    Unavailable(String),
    /// The estimates.
    Loaded(Arc<ThresholdEstimates>),
}
