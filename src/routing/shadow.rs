//! Routers that only look on.

use super::{Router, RouterError, RouterInput};
use crate::config::DraftLength;
use crate::engine::TokenStats;

/// A router that says what it would have done, at the boundaries where the router in force weighs, from what
/// that one sees: it asks for no glimpse and no reading of its own.
pub struct ShadowRouter {
    router: Box<dyn Router>,
    unavailable: bool,
}

impl ShadowRouter {
    /// `router` as a shadow.
    ///
    /// # Errors
    /// When it always chooses the same model: it has no opinion to compare.
    pub fn new(router: Box<dyn Router>) -> Result<Self, RouterError> {
        match router.pinned() {
            Some(_) => Err(RouterError::PinnedShadow(router.name().to_owned())),
            None => Ok(Self { router, unavailable: false }),
        }
    }

    /// Its router's name.
    pub fn name(&self) -> &str {
        self.router.name()
    }

    /// p(large) at a boundary with a glimpse of length `glimpse` by the model `small`, which tells
    /// `token_stats` of its tokens.
    ///
    /// # Errors
    /// When it lacks what it needs.
    pub fn opinion(
        &mut self,
        boundary: &RouterInput<'_>,
        draft_length: DraftLength,
        (small, token_stats): (&str, TokenStats),
    ) -> Result<f64, RouterError> {
        let router = self.router.as_mut();
        router.check_draft_length(draft_length)?;
        if router.needs_token_stats() > token_stats {
            return Err(RouterError::NeedsTokenStats {
                router: router.name().to_owned(),
                needed: router.needs_token_stats(),
                model: small.to_owned(),
                given: token_stats,
            });
        }
        if router.needs_draft_scored() && boundary.scored_by_large.is_empty() {
            return Err(RouterError::NeedsDraftScored(router.name().to_owned()));
        }
        Ok(router.opinion(boundary)?.p_large)
    }

    /// Notes that it had nothing to say; whether that is the first time.
    pub fn mark_unavailable(&mut self) -> bool {
        !std::mem::replace(&mut self.unavailable, true)
    }
}
