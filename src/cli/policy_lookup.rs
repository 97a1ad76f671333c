//! The routers of a command, with the policy that the command line names or the current one.

use super::open_store;
use super::options::CommonArgs;
use super::stdio::note;
use crate::config::{Folders, Preset};
use crate::routing::{RouterRegistry, check_router_name};
use crate::session::EpisodeRunner;
use crate::store::Store;
use crate::training::{self, PolicyLookupError, is_policy_source};

/// The routers of `preset`. The store is opened only if one of `routers` needs a policy from it.
///
/// # Errors
/// If there is no such router, or the policy does not exist or cannot be read.
pub(super) fn registry_for(
    common: &CommonArgs,
    preset: &Preset,
    folders: &Folders,
    routers: &[String],
) -> Result<RouterRegistry, PolicyLookupError> {
    let specs =
        routers.iter().map(|name| check_router_name(name)).collect::<Result<Vec<_>, _>>()?;
    if !specs.iter().any(|spec| spec.needs_policy()) {
        return Ok(RouterRegistry::new(&preset.name, None));
    }
    if common.policy.as_deref().is_some_and(is_policy_source) {
        return registry(common, preset, None);
    }
    let store = open_store::for_reading(common, folders)?;
    registry(common, preset, Some(&store))
}

/// The routers of `preset`, with the policy that the command line names, else with the current one.
///
/// # Errors
/// If the policy does not exist or cannot be read.
pub(super) fn registry(
    common: &CommonArgs,
    preset: &Preset,
    store: Option<&Store>,
) -> Result<RouterRegistry, PolicyLookupError> {
    training::registry(preset, common.policy.as_deref(), store)
}

/// The routers of `preset`, with the policy that the command line names, else with the one called
/// `decided_by`, else with the current one.
///
/// # Errors
/// If the policy does not exist or cannot be read.
pub(super) fn registry_as_decided(
    common: &CommonArgs,
    preset: &Preset,
    decided_by: Option<&str>,
    store: &Store,
) -> Result<RouterRegistry, PolicyLookupError> {
    match common.policy {
        Some(_) => registry(common, preset, Some(store)),
        None => training::registry_as_decided(preset, decided_by, store),
    }
}

/// Warns if the policy was trained for other models than the loaded ones.
pub(super) fn warn_if_models_differ(registry: &RouterRegistry, runner: &EpisodeRunner) {
    if let Some(policy) = registry.policy().filter(|p| p.card.pair.models != runner.pair().models) {
        note!(
            "pointsman: policy {} was trained for other models than these: train one for them with `pointsman train`",
            policy.card.name
        );
    }
}
