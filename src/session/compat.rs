//! Checks whether a router can decide with a pair of models.

use crate::config::{DraftLength, Preset};
use crate::engine::{self, Engine, EngineKind};
use crate::episode::{PerRole, Role};
use crate::routing::{Available, Router, RouterError, check_requirements};
use crate::tasks::Question;

/// Checks whether `router` can decide about these questions under `preset`, before any model is
/// loaded.
///
/// # Errors
/// If it lacks something; the message names it.
pub fn check_router(
    router: &dyn Router,
    preset: &Preset,
    questions: &[Question],
) -> Result<(), RouterError> {
    let own_length = router.requirements().draft_length;
    let available = Available {
        draft_length: preset.routing.draft_length.unwrap_or(own_length),
        solution: questions.iter().all(|question| question.solution.is_some()),
        large_model: preset.large.label(),
        can_score_draft: EngineKind::of(&preset.large).can_score_text,
        small_model: preset.small.label(),
        token_stats: engine::token_stats(&preset.small),
    };
    check_requirements(router, &available)
}

/// What loaded models offer a router.
pub(super) fn available<'a>(
    engines: &'a PerRole<Box<dyn Engine>>,
    question: &Question,
    draft_length: DraftLength,
) -> Available<'a> {
    let [small, large] = [Role::Small, Role::Large].map(|role| &engines[role]);
    Available {
        draft_length,
        solution: question.solution.is_some(),
        large_model: &large.model().name,
        can_score_draft: large.can_score_text(),
        small_model: &small.model().name,
        token_stats: small.token_stats(),
    }
}
