//! When reasons are asked for.

use crate::episode::EpisodeStatus;
use crate::routing::Contributions;
use crate::workbench::explanation::BoundaryId;
use crate::workbench::job::Job;
use crate::workbench::message::Effect;
use crate::workbench::state::{SessionStatus, State};

/// Asks for the reasons at the step in view, where they are neither known nor on their way.
pub(super) fn request(state: &mut State) -> Option<Effect> {
    let boundary = state.boundary_in_view()?;
    let displayed = state.displayed.as_ref()?;
    let still = displayed.episode.status != EpisodeStatus::Running || state.selected.is_some();
    let asked = state.explanation.requested == Some(boundary);
    if asked || !still || state.session_status != SessionStatus::Ready {
        return None;
    }
    let (features, _) = displayed.features_at(boundary.1)?;
    let effect = Effect::RunJob(Job::Explain { boundary, features: features.clone() });
    state.explanation.requested = Some(boundary);
    Some(effect)
}

/// The reasons have come.
pub(super) fn on_explained(state: &mut State, boundary: BoundaryId, contributions: Contributions) {
    state.explanation.known = Some((boundary, contributions));
}
