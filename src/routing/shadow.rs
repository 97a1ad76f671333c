//! Routers that only look on.

use super::{Boundary, Router, RouterError};
use crate::config::Glimpse;
use crate::engine::Evidence;

/// A router that says what it would have done, at the boundaries where the router in force weighs, from what
/// that one sees: it asks for no glimpse and no reading of its own.
pub struct Shadow {
    router: Box<dyn Router>,
    silent: bool,
}

impl Shadow {
    /// `router` as a shadow.
    ///
    /// # Errors
    /// When it always chooses the same model: it has no opinion to compare.
    pub fn new(router: Box<dyn Router>) -> Result<Self, RouterError> {
        match router.pinned() {
            Some(_) => Err(RouterError::NoShadow(router.name().to_owned())),
            None => Ok(Self { router, silent: false }),
        }
    }

    /// Its router's name.
    pub fn name(&self) -> &str {
        self.router.name()
    }

    /// p(large) at a boundary with a glimpse of length `glimpse` by the model `small`, which tells
    /// `evidence` of its tokens.
    ///
    /// # Errors
    /// When it lacks what it needs.
    pub fn opinion(
        &mut self,
        boundary: &Boundary<'_>,
        glimpse: Glimpse,
        (small, evidence): (&str, Evidence),
    ) -> Result<f64, RouterError> {
        let router = self.router.as_mut();
        router.needs(glimpse)?;
        if router.evidence() > evidence {
            return Err(RouterError::NeedsEvidence {
                router: router.name().to_owned(),
                needed: router.evidence(),
                model: small.to_owned(),
                given: evidence,
            });
        }
        if router.judges() && boundary.judged.is_empty() {
            return Err(RouterError::NeedsReading(router.name().to_owned()));
        }
        Ok(router.opinion(boundary)?.p_large)
    }

    /// Notes that it had nothing to say; whether that is the first time.
    pub fn falls_silent(&mut self) -> bool {
        !std::mem::replace(&mut self.silent, true)
    }
}
