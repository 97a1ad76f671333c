//! Shadows: routers whose opinion is recorded but has no effect.

use super::{
    Available, Opinion, Router, RouterError, RouterInput, check_requirements, checked_opinion,
};

/// A router that gives its opinion wherever the active router is asked, on the same input: it requests
/// no draft and no scoring of its own.
pub struct ShadowRouter {
    router: Box<dyn Router>,
    unavailable: bool,
}

impl ShadowRouter {
    /// `router` as a shadow.
    ///
    /// # Errors
    /// If it always chooses the same model, and so has no opinion to compare.
    pub fn new(router: Box<dyn Router>) -> Result<Self, RouterError> {
        match router.pinned() {
            Some(_) => Err(RouterError::PinnedShadow(router.name().to_owned())),
            None => Ok(Self { router, unavailable: false }),
        }
    }

    /// Its router's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.router.name()
    }

    /// Its p(large) at a boundary.
    ///
    /// # Errors
    /// If it lacks what it needs.
    pub fn p_large(
        &mut self,
        input: &RouterInput<'_>,
        available: &Available<'_>,
    ) -> Result<f64, RouterError> {
        let router = self.router.as_mut();
        check_requirements(router, available)?;
        if router.requirements().scored_draft && input.scored_by_large.is_empty() {
            return Err(RouterError::NeedsDraftScored(router.name().to_owned()));
        }
        let Opinion { p_large, .. } = checked_opinion(router, input)?;
        Ok(p_large)
    }

    /// Notes that it could not give an opinion; returns whether that is the first time.
    pub fn mark_unavailable(&mut self) -> bool {
        !std::mem::replace(&mut self.unavailable, true)
    }
}
