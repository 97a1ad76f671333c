//! Which policy is in force.

use std::sync::Arc;

use thiserror::Error;

use super::error::CommandResult;
use super::options::{CommonArgs, unseen_seed};
use crate::config::{Folders, Preset};
use crate::episode::{Decider, Episode, Role};
use crate::exit::{ClassifiedError, ErrorClass};
use crate::routing::{PairFingerprint, Policy, RouterError, RouterRegistry, load_policy};
use crate::session::{EpisodeRunner, now_ms};
use crate::store::{Store, StoreError};

/// Why a policy cannot be had from the store.
#[derive(Debug, Error)]
pub enum PolicyLookupError {
    #[error(transparent)]
    Router(#[from] RouterError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store holds no policy `{0}`: `pointsman policy ls` lists them")]
    Unknown(String),
    #[error(
        "policy {0}, which decided in this episode, is not in the store: name its file with --policy"
    )]
    NotStored(String),
}

impl ClassifiedError for PolicyLookupError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Router(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Unknown(_) | Self::NotStored(_) => ErrorClass::Usage,
        }
    }
}

/// Whether a router of this name reads a policy's file.
pub fn needs_policy(router: &str) -> bool {
    matches!(router, "policy" | "gmm")
}

/// Routers for `preset`, with the policy that is in force. The store is only opened where one of `routers` needs a policy.
///
/// # Errors
/// When there is no such router, or a policy that was asked for cannot be had.
pub fn registry_for(
    common: &CommonArgs,
    preset: &Preset,
    folders: &Folders,
    routers: &[String],
) -> Result<RouterRegistry, PolicyLookupError> {
    crate::routing::check_router_names(routers)?;
    if !routers.iter().any(|name| needs_policy(name)) {
        return Ok(RouterRegistry::new(&preset.name, None));
    }
    if common.policy.as_deref().is_some_and(is_policy_source) {
        return registry(common, preset, None);
    }
    let store = Store::open(&common.store(folders))?;
    registry(common, preset, Some(&store))
}

/// The same with a store that is open, or without one.
///
/// # Errors
/// When a policy that was asked for cannot be had.
pub fn registry(
    common: &CommonArgs,
    preset: &Preset,
    store: Option<&Store>,
) -> Result<RouterRegistry, PolicyLookupError> {
    let policy = match (&common.policy, store) {
        (Some(source), _) if is_policy_source(source) => Some(load_policy(source)?),
        (Some(name), Some(store)) => Some(stored_policy(store, name)?),
        (Some(name), None) => return Err(PolicyLookupError::Unknown(name.clone())),
        (None, _) => active_policy(preset, store)?,
    };
    Ok(RouterRegistry::new(&preset.name, policy.map(Arc::new)))
}

/// The same with the policy that was asked for, else with the one called `decided`, where another has been promoted
/// since it decided.
///
/// # Errors
/// When a policy is gone or cannot be read.
pub fn registry_as_decided(
    common: &CommonArgs,
    preset: &Preset,
    decided_by: Option<&str>,
    store: &Store,
) -> Result<RouterRegistry, PolicyLookupError> {
    let registry = registry(common, preset, Some(store))?;
    let active = registry.policy().map(|policy| policy.card.name.as_str());
    let Some(name) = decided_by.filter(|name| common.policy.is_none() && active != Some(*name))
    else {
        return Ok(registry);
    };
    let preset_policy = preset.routing.policy.as_deref().map(load_policy).transpose()?;
    let policy = match preset_policy.filter(|policy| policy.card.name == *name) {
        Some(preset_policy) => preset_policy,
        None => stored_policy(store, name).map_err(|error| match error {
            PolicyLookupError::Unknown(name) => PolicyLookupError::NotStored(name),
            other => other,
        })?,
    };
    Ok(RouterRegistry::new(&preset.name, Some(Arc::new(policy))))
}

/// The first policy that decided in an episode.
pub fn deciding_policy(episode: &Episode) -> Option<&str> {
    episode.decisions().find_map(|(_, decision)| match &decision.by {
        Decider::Policy(name) => Some(name.as_str()),
        _ => None,
    })
}

/// The policy that is in force: the one that was promoted last, else the preset's.
///
/// # Errors
/// When it cannot be read.
pub fn active_policy(
    preset: &Preset,
    store: Option<&Store>,
) -> Result<Option<Policy>, PolicyLookupError> {
    if let Some(store) = store
        && let Some(id) = store.promotions(&preset.name)?.last()
    {
        let file = store.policies()?.into_iter().find(|(n, _)| n == id);
        let (_, file) = file.ok_or_else(|| PolicyLookupError::Unknown(id.to_string()))?;
        return Ok(Some(parse_policy(&file, &id.to_string())?));
    }
    Ok(preset.routing.policy.as_deref().map(load_policy).transpose()?)
}

/// Says so where the policy learnt from other models than those that are loaded.
pub fn warn_if_models_differ(registry: &RouterRegistry, runner: &EpisodeRunner) {
    let Some(policy) = registry.policy() else { return };
    let knows = |role: &Role| policy.card.pair.models[*role] == runner.model(*role).digest;
    if !Role::BOTH.iter().all(knows) {
        eprintln!(
            "pointsman: policy {} learnt from other models than these: `pointsman train` makes one that fits",
            policy.card.name
        );
    }
}

/// Gives a new policy its name, time and pair, and keeps it; returns its number.
///
/// # Errors
/// When it cannot be written.
pub fn store_policy(
    store: &Store,
    preset: &str,
    pair: &PairFingerprint,
    policy: &mut Policy,
) -> CommandResult<u64> {
    let id = store.next_policy_id()?;
    policy.card.name = format!("{preset}-{id}");
    policy.card.created_ms = now_ms();
    policy.card.pair = pair.clone();
    store.save_policy(id, &policy.to_bytes()?)?;
    Ok(id)
}

/// A seed for the questions of a contest of policy `number`. Each contest has questions of its own: trying
/// on until one wins proves nothing.
///
/// # Errors
/// When the store cannot be read.
pub fn promotion_seed(seed: u64, store: &Store, preset: &str, id: u64) -> Result<u64, StoreError> {
    let test_number = id + ((store.promotions(preset)?.len() as u64) << 8);
    Ok(unseen_seed(seed, 2 + test_number))
}

/// A stored policy by its name.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn stored_policy(store: &Store, name: &str) -> Result<Policy, PolicyLookupError> {
    stored_policy_with_id(store, name).map(|(_, policy)| policy)
}

/// A stored policy and its number.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn stored_policy_with_id(
    store: &Store,
    name: &str,
) -> Result<(u64, Policy), PolicyLookupError> {
    for (id, file) in store.policies()? {
        // One that cannot be read has no name to go by; `policy ls` tells of it.
        if let Ok(policy) = parse_policy(&file, &id.to_string())
            && policy.card.name == name
        {
            return Ok((id, policy));
        }
    }
    Err(PolicyLookupError::Unknown(name.to_owned()))
}

/// A stored policy's file.
///
/// # Errors
/// When it cannot be read.
pub fn parse_policy(file: &[u8], name: &str) -> Result<Policy, RouterError> {
    Policy::from_bytes(file)
        .map_err(|e| RouterError::Policy { name: name.to_owned(), reason: e.to_string() })
}

/// Whether it names a file or a policy inside the binary, rather than a stored one.
pub fn is_policy_source(source: &str) -> bool {
    source.starts_with(crate::engine::BUILTIN)
        || source.ends_with(".safetensors")
        || std::path::Path::new(source).is_file()
}
