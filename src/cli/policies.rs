//! Which policy is in force.

use std::sync::Arc;

use thiserror::Error;

use super::options::{Common, fresh};
use crate::config::{Folders, Preset};
use crate::episode::{Decider, Episode, Role};
use crate::routing::{Pair, Policy, Roster, RouterError, load_policy};
use crate::session::{Conductor, now_ms};
use crate::store::{Store, StoreError};

/// Why a policy cannot be had from the store.
#[derive(Debug, Error)]
pub enum PolicyChoiceError {
    #[error(transparent)]
    Router(#[from] RouterError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store holds no policy `{0}`: `pointsman policy ls` lists them")]
    Unknown(String),
    #[error(
        "policy {0}, which decided in this episode, is not in the store: name its file with --policy"
    )]
    Gone(String),
}

/// Whether a router of this name reads a policy's file.
pub fn needs_policy(router: &str) -> bool {
    matches!(router, "policy" | "gmm")
}

/// Routers for `preset`, with the policy that is in force. The store is only opened where one of `routers` needs a policy.
///
/// # Errors
/// When there is no such router, or a policy that was asked for cannot be had.
pub fn roster_for(
    common: &Common,
    preset: &Preset,
    folders: &Folders,
    routers: &[String],
) -> Result<Roster, PolicyChoiceError> {
    crate::routing::known(routers)?;
    if !routers.iter().any(|name| needs_policy(name)) {
        return Ok(Roster::new(&preset.name, None));
    }
    if common.policy.as_deref().is_some_and(is_source) {
        return roster(common, preset, None);
    }
    let store = Store::open(&common.store(folders))?;
    roster(common, preset, Some(&store))
}

/// The same with a store that is open, or without one.
///
/// # Errors
/// When a policy that was asked for cannot be had.
pub fn roster(
    common: &Common,
    preset: &Preset,
    store: Option<&Store>,
) -> Result<Roster, PolicyChoiceError> {
    let policy = match (&common.policy, store) {
        (Some(source), _) if is_source(source) => Some(load_policy(source)?),
        (Some(name), Some(store)) => Some(stored(store, name)?),
        (Some(name), None) => return Err(PolicyChoiceError::Unknown(name.clone())),
        (None, _) => in_force(preset, store)?,
    };
    Ok(Roster::new(&preset.name, policy.map(Arc::new)))
}

/// The same with the policy that was asked for, else with the one called `decided`, where another has been promoted
/// since it decided.
///
/// # Errors
/// When a policy is gone or cannot be read.
pub fn roster_with(
    common: &Common,
    preset: &Preset,
    decided: Option<&str>,
    store: &Store,
) -> Result<Roster, PolicyChoiceError> {
    let roster = roster(common, preset, Some(store))?;
    let in_force = roster.policy().map(|policy| policy.card.name.as_str());
    let Some(name) = decided.filter(|name| common.policy.is_none() && in_force != Some(*name))
    else {
        return Ok(roster);
    };
    let shipped = preset.routing.policy.as_deref().map(load_policy).transpose()?;
    let policy = match shipped.filter(|policy| policy.card.name == *name) {
        Some(shipped) => shipped,
        None => stored(store, name).map_err(|error| match error {
            PolicyChoiceError::Unknown(name) => PolicyChoiceError::Gone(name),
            other => other,
        })?,
    };
    Ok(Roster::new(&preset.name, Some(Arc::new(policy))))
}

/// The first policy that decided in an episode.
pub fn who_decided(episode: &Episode) -> Option<&str> {
    episode.decisions().find_map(|(_, decision)| match &decision.by {
        Decider::Policy(name) => Some(name.as_str()),
        _ => None,
    })
}

/// The policy that is in force: the one that was promoted last, else the preset's.
///
/// # Errors
/// When it cannot be read.
pub fn in_force(
    preset: &Preset,
    store: Option<&Store>,
) -> Result<Option<Policy>, PolicyChoiceError> {
    if let Some(store) = store
        && let Some(number) = store.reign(&preset.name)?.last()
    {
        let file = store.policies()?.into_iter().find(|(n, _)| n == number);
        let (_, file) = file.ok_or_else(|| PolicyChoiceError::Unknown(number.to_string()))?;
        return Ok(Some(read(&file, &number.to_string())?));
    }
    Ok(preset.routing.policy.as_deref().map(load_policy).transpose()?)
}

/// Says so where the policy learnt from other models than those that are loaded.
pub fn warn_of_strangers(roster: &Roster, conductor: &Conductor) {
    let Some(policy) = roster.policy() else { return };
    let knows = |role: &Role| policy.card.pair.models[*role] == conductor.model(*role).digest;
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
pub fn keep(store: &Store, preset: &str, pair: &Pair, policy: &mut Policy) -> anyhow::Result<u64> {
    let number = store.new_policy()?;
    policy.card.name = format!("{preset}-{number}");
    policy.card.created_ms = now_ms();
    policy.card.pair = pair.clone();
    store.keep_policy(number, &policy.to_bytes()?)?;
    Ok(number)
}

/// A seed for the questions of a contest of policy `number`. Each contest has questions of its own: trying
/// on until one wins proves nothing.
///
/// # Errors
/// When the store cannot be read.
pub fn contest_seed(
    seed: u64,
    store: &Store,
    preset: &str,
    number: u64,
) -> Result<u64, StoreError> {
    let contest = number + ((store.reign(preset)?.len() as u64) << 8);
    Ok(fresh(seed, 2 + contest))
}

/// A stored policy by its name.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn stored(store: &Store, name: &str) -> Result<Policy, PolicyChoiceError> {
    numbered(store, name).map(|(_, policy)| policy)
}

/// A stored policy and its number.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn numbered(store: &Store, name: &str) -> Result<(u64, Policy), PolicyChoiceError> {
    for (number, file) in store.policies()? {
        // One that cannot be read has no name to go by; `policy ls` tells of it.
        if let Ok(policy) = read(&file, &number.to_string())
            && policy.card.name == name
        {
            return Ok((number, policy));
        }
    }
    Err(PolicyChoiceError::Unknown(name.to_owned()))
}

/// A stored policy's file.
///
/// # Errors
/// When it cannot be read.
pub fn read(file: &[u8], name: &str) -> Result<Policy, RouterError> {
    Policy::from_bytes(file)
        .map_err(|e| RouterError::Policy { name: name.to_owned(), reason: e.to_string() })
}

/// Whether it names a file or a policy inside the binary, rather than a stored one.
pub fn is_source(source: &str) -> bool {
    source.starts_with(crate::engine::BUILTIN)
        || source.ends_with(".safetensors")
        || std::path::Path::new(source).is_file()
}
