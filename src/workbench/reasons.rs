//! How far each feature pushed p(large) at the step in view. That takes tens of milliseconds, so it is computed
//! beside the loop, and only while nothing moves on its own.

use super::state::{Link, State};
use super::update::Effect;
use crate::episode::Status;
use crate::routing::Contributions;

/// A boundary: the episode's number, the step, and how many steps had been taken back.
pub type Boundary = (u64, usize, usize);

/// What was asked for last, and what is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasons {
    asked: Option<Boundary>,
    known: Option<(Boundary, Contributions)>,
}

/// Asks for the reasons at the step in view, where they are neither known nor on their way.
pub(super) fn wanted(state: &mut State) -> Option<Effect> {
    let boundary = boundary(state)?;
    let run = state.run.as_ref()?;
    let still = run.episode.status != Status::Running || state.selected.is_some();
    let asked = state.reasons.asked == Some(boundary);
    if asked || !still || state.link != Link::Ready {
        return None;
    }
    let (features, _) = run.seen_at(boundary.1)?;
    let effect = Effect::Explain { boundary, features: features.clone() };
    state.reasons.asked = Some(boundary);
    Some(effect)
}

/// The reasons have come.
pub(super) fn told(state: &mut State, boundary: Boundary, contributions: Contributions) {
    state.reasons.known = Some((boundary, contributions));
}

impl State {
    /// The reasons at the step in view, where they are those of the policy that had its say there.
    pub fn pushes(&self) -> Option<&Contributions> {
        let boundary = boundary(self)?;
        let (known, contributions) = self.reasons.known.as_ref()?;
        let (_, p_large) = self.run.as_ref()?.seen_at(boundary.1)?;
        // Another policy than the one that explains may have decided in an older episode.
        let same = (contributions.p_large - p_large?).abs() < 1e-3;
        (*known == boundary && same).then_some(contributions)
    }
}

/// The boundary in view, where a policy had its say.
fn boundary(state: &State) -> Option<Boundary> {
    let run = state.run.as_ref()?;
    let by_policy = run.episode.started.preset.routing.router == "policy";
    let step = state.step_in_view().filter(|_| by_policy)?;
    Some((run.id, step, run.episode.taken_back))
}
