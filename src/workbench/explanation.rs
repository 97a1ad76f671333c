//! How far each feature pushed p(large) at the step in view. That takes tens of milliseconds, so it is computed
//! beside the loop, and only while nothing moves on its own.

use crate::routing::Contributions;

/// A boundary: the episode's number, the step, and how many steps had been taken back.
pub type BoundaryId = (u64, usize, usize);

/// What was asked for last, and what is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explanation {
    pub(super) requested: Option<BoundaryId>,
    pub(super) known: Option<(BoundaryId, Contributions)>,
}
