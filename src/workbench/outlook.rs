//! What recorded episodes say of thresholds.

use std::sync::Arc;

use crate::evaluation::WhatIf;

/// What is known from recorded episodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    pub what_if: WhatIf,
    /// Mean cost of an episode of the large model alone, in the unit of the prices.
    pub unit: f64,
    /// Episodes that it is made of.
    pub episodes: usize,
}

/// How far that is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Outlooks {
    /// Nobody has moved the threshold yet.
    #[default]
    Unasked,
    /// The store is being read.
    Asked,
    /// There is none; why, and what to do.
    Nothing(String),
    Known(Arc<Outlook>),
}
