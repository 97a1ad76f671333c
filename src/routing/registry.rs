//! Makes routers by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::routers::{
    MixtureRouter, PinnedRouter, PolicyRouter, RouterKind, RuleRouter, check_router_name,
};
use super::{Policy, Router, RouterError, ShadowRouter, router_name};
use crate::config;

/// Makes routers, with the current policy; cheap to clone.
#[derive(Clone)]
pub struct RouterRegistry {
    preset: String,
    policy: Option<Arc<Policy>>,
}

impl std::fmt::Debug for RouterRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let policy = self.policy.as_ref().map(|policy| &policy.card.name);
        f.debug_struct("RouterRegistry")
            .field("preset", &self.preset)
            .field("policy", &policy)
            .finish()
    }
}

impl PartialEq for RouterRegistry {
    /// Equal if they share the preset's name and the very same policy.
    fn eq(&self, other: &Self) -> bool {
        let policies = [self, other].map(|registry| registry.policy.as_ref().map(Arc::as_ptr));
        self.preset == other.preset && policies[0] == policies[1]
    }
}

impl RouterRegistry {
    /// A registry for the preset of this name, with its policy if it has one.
    pub fn new(preset: impl Into<String>, policy: Option<Arc<Policy>>) -> Self {
        Self { preset: preset.into(), policy }
    }

    /// The policy, if there is one.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// The policy if it is what `router` decides by.
    #[must_use]
    pub fn policy_of(&self, router: &str) -> Option<&Arc<Policy>> {
        self.policy.as_ref().filter(|_| router == router_name::POLICY)
    }

    /// The routers of these shadows, one for each name.
    ///
    /// # Errors
    /// If a name is unknown, or the router cannot be made or cannot be a shadow.
    pub fn shadows(&self, wanted: &[config::Shadow]) -> Result<Vec<ShadowRouter>, RouterError> {
        let names: BTreeSet<&str> = wanted.iter().map(|shadow| shadow.router.as_str()).collect();
        names.into_iter().map(|name| ShadowRouter::new(self.router(name)?)).collect()
    }

    /// The router of this name.
    ///
    /// # Errors
    /// If the name is unknown, or the router needs a policy or a mixture and there is none.
    pub fn router(&self, name: &str) -> Result<Box<dyn Router>, RouterError> {
        let spec = check_router_name(name)?;
        let policy =
            || self.policy.as_ref().ok_or_else(|| RouterError::NoPolicy(self.preset.clone()));
        Ok(match spec.kind {
            RouterKind::Pinned(model) => Box::new(PinnedRouter { spec, model }),
            RouterKind::Rule(rule) => Box::new(RuleRouter { spec, rule }),
            RouterKind::Mixture(rule) => {
                let card = &policy()?.card;
                let none = || RouterError::NoMixture(format!("policy {}", card.name));
                let mixture = card.mixture.ok_or_else(none)?;
                Box::new(MixtureRouter { spec, rule, mixture })
            }
            RouterKind::Policy => Box::new(PolicyRouter(policy()?.clone())),
        })
    }
}
