//! When reasons are asked for.

use crate::episode::Status;
use crate::routing::Contributions;
use crate::workbench::errand::Errand;
use crate::workbench::message::Effect;
use crate::workbench::reasons::Boundary;
use crate::workbench::state::{Link, State};

/// Asks for the reasons at the step in view, where they are neither known nor on their way.
pub(super) fn wanted(state: &mut State) -> Option<Effect> {
    let boundary = state.boundary()?;
    let run = state.run.as_ref()?;
    let still = run.episode.status != Status::Running || state.selected.is_some();
    let asked = state.reasons.asked == Some(boundary);
    if asked || !still || state.link != Link::Ready {
        return None;
    }
    let (features, _) = run.seen_at(boundary.1)?;
    let effect = Effect::Do(Errand::Explain { boundary, features: features.clone() });
    state.reasons.asked = Some(boundary);
    Some(effect)
}

/// The reasons have come.
pub(super) fn told(state: &mut State, boundary: Boundary, contributions: Contributions) {
    state.reasons.known = Some((boundary, contributions));
}
