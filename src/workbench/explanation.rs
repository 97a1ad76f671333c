//! The contribution of each feature to p(large) at the step in view. Computing them takes tens of
//! milliseconds, so a job does it, and only while the step in view stays the same.

use crate::routing::Contributions;

/// A boundary: number of the episode, step, number of redone steps.
pub type BoundaryId = (u64, usize, usize);

/// The last request and the last answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explanation {
    pub(super) requested: Option<BoundaryId>,
    pub(super) known: Option<(BoundaryId, Contributions)>,
}
