//! Routers by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::policy::PolicyRouter;
use super::rules::{
    Confidence, Entropy, FirstK, GaussianMixtureRouter, Judge, Oracle, Pinned, Random,
};
use super::{Policy, Router, RouterError, ShadowRouter};
use crate::config;
use crate::episode::Role;

/// Names of all routers.
pub const ROUTER_NAMES: &[&str] = &[
    "policy",
    "always-small",
    "always-large",
    "random",
    "first-k",
    "entropy",
    "confidence",
    "gmm",
    "judge",
    "oracle",
];

/// Whether there are routers of these names.
///
/// # Errors
/// When one is not known.
pub fn check_router_names(routers: &[String]) -> Result<(), RouterError> {
    let unknown = routers.iter().find(|name| !ROUTER_NAMES.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(RouterError::Unknown(name.clone())))
}

/// Makes routers, with the policy that is in force; cheap to clone.
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
    /// Of the same preset, with the very same policy.
    fn eq(&self, other: &Self) -> bool {
        let policies = [self, other].map(|registry| registry.policy.as_ref().map(Arc::as_ptr));
        self.preset == other.preset && policies[0] == policies[1]
    }
}

impl RouterRegistry {
    /// A registry for the preset of that name, with its policy where there is one.
    pub fn new(preset: impl Into<String>, policy: Option<Arc<Policy>>) -> Self {
        Self { preset: preset.into(), policy }
    }

    /// The policy, where there is one.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// The routers of these shadows, one for each name.
    ///
    /// # Errors
    /// When there is none of a name, or it can be no shadow.
    pub fn shadows(&self, wanted: &[config::Shadow]) -> Result<Vec<ShadowRouter>, RouterError> {
        let names: BTreeSet<&str> = wanted.iter().map(|shadow| shadow.router.as_str()).collect();
        names.into_iter().map(|name| ShadowRouter::new(self.router(name)?)).collect()
    }

    /// The router of a name.
    ///
    /// # Errors
    /// When there is none, or it needs a policy and there is none.
    pub fn router(&self, name: &str) -> Result<Box<dyn Router>, RouterError> {
        let policy =
            || self.policy.as_ref().ok_or_else(|| RouterError::NoPolicy(self.preset.clone()));
        Ok(match name {
            "policy" => Box::new(PolicyRouter(policy()?.clone())),
            "always-small" => Box::new(Pinned(Role::Small)),
            "always-large" => Box::new(Pinned(Role::Large)),
            "random" => Box::new(Random),
            "first-k" => Box::new(FirstK),
            "entropy" => Box::new(Entropy),
            "confidence" => Box::new(Confidence),
            "gmm" => {
                let card = &policy()?.card;
                let none = || RouterError::NoMixture(format!("policy {}", card.name));
                Box::new(GaussianMixtureRouter(card.mixture.ok_or_else(none)?))
            }
            "judge" => Box::new(Judge),
            "oracle" => Box::new(Oracle),
            other => return Err(RouterError::Unknown(other.to_owned())),
        })
    }
}
