//! Handcrafted rules as routers.

use std::collections::BTreeMap;

use super::{MixtureRule, RouterSpec, Rule};
use crate::episode::Role;
use crate::routing::{
    GaussianMixture, Opinion, Requirements, Router, RouterError, RouterInput, features,
};

/// One model throughout.
pub(in crate::routing) struct PinnedRouter {
    pub(in crate::routing) spec: &'static RouterSpec,
    pub(in crate::routing) model: Role,
}

impl Router for PinnedRouter {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn requirements(&self) -> Requirements {
        self.spec.requirements
    }

    fn pinned(&self) -> Option<Role> {
        Some(self.model)
    }

    fn opinion(&mut self, _: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let p_large = f64::from(u8::from(self.model == Role::Large));
        Ok(Opinion { p_large, features: BTreeMap::new() })
    }
}

/// A rule that needs nothing but its input.
pub(in crate::routing) struct RuleRouter {
    pub(in crate::routing) spec: &'static RouterSpec,
    pub(in crate::routing) rule: Rule,
}

impl Router for RuleRouter {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn requirements(&self) -> Requirements {
        self.spec.requirements
    }

    fn opinion(&mut self, input: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        Ok(Opinion { p_large: (self.rule)(input)?, features: features(input) })
    }
}

/// A rule that reads a fitted mixture.
pub(in crate::routing) struct MixtureRouter {
    pub(in crate::routing) spec: &'static RouterSpec,
    pub(in crate::routing) rule: MixtureRule,
    pub(in crate::routing) mixture: GaussianMixture,
}

impl Router for MixtureRouter {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn requirements(&self) -> Requirements {
        self.spec.requirements
    }

    fn opinion(&mut self, input: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        Ok(Opinion { p_large: (self.rule)(&self.mixture, input)?, features: features(input) })
    }
}
