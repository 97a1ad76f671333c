//! Which router can decide with which models.

use crate::config::{DraftLength, Preset};
use crate::engine::{self, EngineKind, TokenStats};
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
    let draft_length = preset.routing.draft_length.unwrap_or_else(|| router.draft_length());
    let solved = questions.iter().all(|question| question.solution.is_some());
    let reader = (preset.large.label(), EngineKind::of(&preset.large).can_score_text);
    check_compat(
        router,
        draft_length,
        solved,
        reader,
        (preset.small.label(), engine::token_stats(&preset.small)),
    )
}

/// Whether a router can decide with this draft: `solved` where solutions are known; the large model by its name, and
/// whether it reads drafts; the small one, and what it tells of its tokens.
pub(super) fn check_compat(
    router: &dyn Router,
    draft_length: DraftLength,
    solved: bool,
    (large, reads): (&str, bool),
    (small, given): (&str, TokenStats),
) -> Result<(), RouterError> {
    let name = || router.name().to_owned();
    if router.needs_solution() && !solved {
        return Err(RouterError::NeedsSolution(name()));
    }
    router.check_draft_length(draft_length)?;
    if router.needs_draft_scored() && !reads {
        return Err(RouterError::NeedsTextScoring { router: name(), model: large.to_owned() });
    }
    let needed = router.needs_token_stats();
    if needed > given {
        let model = small.to_owned();
        return Err(RouterError::NeedsTokenStats { router: name(), needed, model, given });
    }
    Ok(())
}
