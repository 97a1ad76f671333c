//! When the contributions of the features are computed.

use std::sync::Arc;

use crate::episode::EpisodeStatus;
use crate::routing::Contributions;
use crate::workbench::explanation::BoundaryId;
use crate::workbench::job::Job;
use crate::workbench::message::Effect;
use crate::workbench::state::{SessionStatus, State};

/// Requests the contributions at the step in view, unless they were requested already.
pub(in crate::workbench) fn request(state: &mut State) -> Option<Effect> {
    let boundary = state.boundary_in_view()?;
    let displayed = state.displayed.as_ref()?;
    let still = *displayed.status() != EpisodeStatus::Running || state.selected.is_some();
    let requested = state.explanation.requested == Some(boundary);
    if requested || !still || state.session_status != SessionStatus::Ready {
        return None;
    }
    let (features, _) = displayed.features_at(boundary.1)?;
    let routing = Arc::clone(state.active.config());
    let job = Job::Explain { routing, boundary, features: features.clone() };
    state.explanation.requested = Some(boundary);
    Some(Effect::RunJob(job))
}

/// The contributions have been computed.
pub(in crate::workbench) fn on_explained(
    state: &mut State,
    boundary: BoundaryId,
    contributions: Contributions,
) {
    state.explanation.known = Some((boundary, contributions));
}
