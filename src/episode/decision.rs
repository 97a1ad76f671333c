//! A choice at a boundary, and the threshold rule.

use std::collections::BTreeMap;

use super::{Decider, Role};

/// Name of the feature that holds the length of the draft in tokens.
pub(crate) const DRAFT_LENGTH: &str = "draft.length";

/// A choice at a boundary, as [`super::EventKind::Decided`] recorded it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Inputs of the router by name; empty if it uses none.
    pub features: BTreeMap<String, f64>,
    /// The router's p(large), in [0, 1]; `None` if no router was asked.
    pub p_large: Option<f64>,
    /// The current threshold, in [0, 1].
    pub threshold: f64,
    /// Probability with which the choice was made, in (0, 1]; `None` for an override.
    pub propensity: Option<f64>,
    /// The chosen model.
    pub choice: Role,
    /// Who chose it.
    pub by: Decider,
    /// p(large) of the shadow routers, by name; the preset holds their thresholds.
    pub shadows: BTreeMap<String, f64>,
}

impl Decision {
    /// What the active router would have chosen, whoever did choose: the large model if p(large) reaches the
    /// threshold. `None` if no router was asked.
    pub fn router_choice(&self) -> Option<Role> {
        self.p_large.map(|p| apply_threshold(p, self.threshold))
    }

    /// Length in tokens of the draft that the choice was made after; `None` if the router did not record it.
    pub fn draft_length(&self) -> Option<usize> {
        draft_length(&self.features)
    }
}

/// The model that writes the next step: the large one if p(large) reaches the threshold. Both are in [0, 1].
pub fn apply_threshold(p_large: f64, threshold: f64) -> Role {
    if p_large >= threshold { Role::Large } else { Role::Small }
}

/// Length in tokens of the draft that a decision with these features was made after; `None` if the router did not
/// record it.
pub(crate) fn draft_length(features: &BTreeMap<String, f64>) -> Option<usize> {
    features.get(DRAFT_LENGTH).map(|tokens| *tokens as usize)
}
