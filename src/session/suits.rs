//! Which router can decide with which models.

use crate::config::{Glimpse, Preset};
use crate::engine::Evidence;
use crate::routing::{Router, RouterError};
use crate::tasks::Question;

/// Whether `router` can decide about these questions under `preset`, as far as can be told before anything is loaded.
///
/// # Errors
/// When it lacks something.
pub fn check_router(
    router: &dyn Router,
    preset: &Preset,
    questions: &[Question],
) -> Result<(), RouterError> {
    let glimpse = preset.routing.glimpse.unwrap_or_else(|| router.glimpse());
    let solved = questions.iter().all(|question| question.solution.is_some());
    let reader = (preset.large.label(), preset.large.remote.is_none());
    suits(router, glimpse, solved, reader, (preset.small.label(), Evidence::of(&preset.small)))
}

/// Whether a router can decide with this glimpse: `solved` where solutions are known; the large model by its name, and
/// whether it reads drafts; the small one, and what it tells of its tokens.
pub(super) fn suits(
    router: &dyn Router,
    glimpse: Glimpse,
    solved: bool,
    (large, reads): (&str, bool),
    (small, given): (&str, Evidence),
) -> Result<(), RouterError> {
    let name = || router.name().to_owned();
    if router.needs_solution() && !solved {
        return Err(RouterError::NeedsSolution(name()));
    }
    router.needs(glimpse)?;
    if router.judges() && !reads {
        return Err(RouterError::NeedsDictation { router: name(), model: large.to_owned() });
    }
    let needed = router.evidence();
    if needed > given {
        let model = small.to_owned();
        return Err(RouterError::NeedsEvidence { router: name(), needed, model, given });
    }
    Ok(())
}
