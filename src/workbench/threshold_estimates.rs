//! What recorded episodes say of thresholds.

use std::sync::Arc;

use crate::evaluation::EstimateIndex;

/// What is known from recorded episodes.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdEstimates {
    pub index: EstimateIndex,
    /// Mean cost of an episode of the large model alone, in the unit of the prices.
    pub unit: f64,
    /// Episodes that it is made of.
    pub episodes: usize,
}

/// How far that is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ThresholdEstimatesState {
    /// Nobody has moved the threshold yet.
    #[default]
    NotRequested,
    /// The store is being read.
    Loading,
    /// There is none; why, and what to do.
    Unavailable(String),
    Loaded(Arc<ThresholdEstimates>),
}
