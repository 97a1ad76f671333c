//! Policies in the store: which one is current, how one is found by name, and how a new one is kept.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use crate::config::Preset;
use crate::engine::BUILTIN;
use crate::episode::{Decider, Episode};
use crate::exit::{ClassifiedError, ErrorClass};
use crate::routing::{
    PairFingerprint, Policy, PolicyError, RouterError, RouterRegistry, load_policy,
};
use crate::session::now_ms;
use crate::store::{Store, StoreError};

/// Why a policy cannot be found, read or kept.
#[derive(Debug, Error)]
pub enum PolicyLookupError {
    /// A policy's file cannot be read.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A new policy cannot be written as a file.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A new policy was not stored, because its file could not be read back.
    #[error(
        "the new policy was not stored, because its file cannot be used: {0}; `pointsman episodes ls` shows what it learned from"
    )]
    NotReadBack(String),
    /// The store has no policy of this name.
    #[error("the store holds no policy `{0}`: `pointsman policy ls` lists them")]
    Unknown(String),
    /// The policy that made an episode's decisions is not in the store.
    #[error(
        "policy {0}, which decided in this episode, is not in the store: name its file with --policy"
    )]
    NotStored(String),
    /// There is no promotion to roll back.
    #[error("no policy was promoted for preset {0}, so its own policy is already the current one")]
    NothingPromoted(String),
}

impl ClassifiedError for PolicyLookupError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Router(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Unknown(_) | Self::NotStored(_) => ErrorClass::Usage,
            Self::Policy(_) | Self::NotReadBack(_) | Self::NothingPromoted(_) => {
                ErrorClass::Failure
            }
        }
    }
}

/// A policy of the store.
pub struct StoredPolicy {
    /// Its number, from 1.
    pub id: u64,
    /// The policy.
    pub policy: Policy,
}

/// The current policy of a preset: the one that was promoted last, else the one that the preset names.
/// `None` if there is neither.
///
/// # Errors
/// If the policy cannot be read.
pub fn current_policy(
    preset: &Preset,
    store: Option<&Store>,
) -> Result<Option<Policy>, PolicyLookupError> {
    if let Some(store) = store
        && let Some(id) = store.promotions(&preset.name)?.last()
    {
        let file = store.policies()?.into_iter().find(|(n, _)| n == id);
        let (_, file) = file.ok_or_else(|| PolicyLookupError::Unknown(id.to_string()))?;
        return Ok(Some(parse(*id, &file)?));
    }
    Ok(preset.routing.policy.as_deref().map(load_policy).transpose()?)
}

/// The policy that `source` names: a file or an embedded policy (see [`load_policy`]), else a policy of
/// the store.
///
/// # Errors
/// If there is no such policy, or it cannot be read.
pub fn find_policy(source: &str, store: Option<&Store>) -> Result<Policy, PolicyLookupError> {
    if is_policy_source(source) {
        return Ok(load_policy(source)?);
    }
    let store = store.ok_or_else(|| PolicyLookupError::Unknown(source.to_owned()))?;
    Ok(stored_policy(store, source)?.policy)
}

/// Whether `source` names a file or an embedded policy rather than a policy of the store.
pub(crate) fn is_policy_source(source: &str) -> bool {
    source.starts_with(BUILTIN) || source.ends_with(".safetensors") || Path::new(source).is_file()
}

/// The policy of the store that is called `name`. Policies that cannot be read are skipped.
///
/// # Errors
/// If there is no such policy, or the store cannot be read.
pub fn stored_policy(store: &Store, name: &str) -> Result<StoredPolicy, PolicyLookupError> {
    for (id, file) in store.policies()? {
        if let Ok(policy) = parse(id, &file)
            && policy.card.name == name
        {
            return Ok(StoredPolicy { id, policy });
        }
    }
    Err(PolicyLookupError::Unknown(name.to_owned()))
}

/// A policy with the name by which [`find_policy`] finds it, or why it cannot be read.
pub type ListedPolicy = Result<(String, Policy), RouterError>;

/// The policies that can be used with a preset: the one that the preset names, then those of the store,
/// oldest first.
///
/// # Errors
/// If the store cannot be read.
pub fn list_policies(preset: &Preset, store: &Store) -> Result<Vec<ListedPolicy>, StoreError> {
    let own = preset.routing.policy.iter();
    let own = own.map(|source| load_policy(source).map(|policy| (source.clone(), policy)));
    let files = store.policies()?;
    let stored = files
        .iter()
        .map(|(id, file)| parse(*id, file).map(|policy| (policy.card.name.clone(), policy)));
    Ok(own.chain(stored).collect())
}

/// The routers of a preset, with the policy that `source` names (see [`find_policy`]), else with the
/// current one.
///
/// # Errors
/// If the policy does not exist or cannot be read.
pub fn registry(
    preset: &Preset,
    source: Option<&str>,
    store: Option<&Store>,
) -> Result<RouterRegistry, PolicyLookupError> {
    let policy = match source {
        Some(source) => Some(find_policy(source, store)?),
        None => current_policy(preset, store)?,
    };
    Ok(RouterRegistry::new(&preset.name, policy.map(Arc::new)))
}

/// The routers of a preset, with the policy called `decided_by`, even if another one has been promoted
/// since it made an episode's decisions. Without such a name, with the current policy.
///
/// # Errors
/// If the policy no longer exists or cannot be read.
pub fn registry_as_decided(
    preset: &Preset,
    decided_by: Option<&str>,
    store: &Store,
) -> Result<RouterRegistry, PolicyLookupError> {
    let registry = registry(preset, None, Some(store))?;
    let current = registry.policy().map(|policy| policy.card.name.as_str());
    let Some(name) = decided_by.filter(|name| current != Some(*name)) else { return Ok(registry) };
    let own = preset.routing.policy.as_deref().map(load_policy).transpose()?;
    let policy = match own.filter(|policy| policy.card.name == name) {
        Some(own) => own,
        None => match stored_policy(store, name) {
            Ok(stored) => stored.policy,
            Err(PolicyLookupError::Unknown(name)) => {
                return Err(PolicyLookupError::NotStored(name));
            }
            Err(other) => return Err(other),
        },
    };
    Ok(RouterRegistry::new(&preset.name, Some(Arc::new(policy))))
}

/// The name of the first policy that made a decision in an episode.
pub fn deciding_policy(episode: &Episode) -> Option<&str> {
    episode.decisions().find_map(|(_, decision)| match &decision.by {
        Decider::Policy(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Gives a new policy its name, time and pair, and stores it. Returns its number. It does not become the
/// current policy: promote it for that.
///
/// # Errors
/// [`PolicyLookupError::NotReadBack`] if its file, read back, is not this very policy; nothing is stored then.
/// If the store cannot be written.
pub fn save_new_policy(
    store: &Store,
    preset: &str,
    pair: &PairFingerprint,
    policy: &mut Policy,
) -> Result<u64, PolicyLookupError> {
    let id = store.next_policy_id()?;
    policy.card.name = format!("{preset}-{id}");
    policy.card.created_ms = now_ms();
    policy.card.pair = pair.clone();
    let file = policy.to_bytes()?;
    *policy = read_back(&file, policy).map_err(PolicyLookupError::NotReadBack)?;
    store.save_policy(id, &file)?;
    Ok(id)
}

/// Reads the file of a policy, and checks that it decides as the policy does. The figures in the card may differ in
/// their last digit, as JSON reads them.
fn read_back(file: &[u8], policy: &Policy) -> Result<Policy, String> {
    let read = Policy::from_bytes(file).map_err(|e| e.to_string())?;
    let digest = |policy: &Policy| policy.digest().map_err(|e| e.to_string());
    if read.card.name != policy.card.name || digest(&read)? != digest(policy)? {
        return Err("it has other numbers than the policy".into());
    }
    Ok(read)
}

/// Undoes the last promotion: the policy that was current before it becomes current again, and is
/// returned. `None` if there was none.
///
/// # Errors
/// If no policy was promoted for the preset, or the store cannot be read or written.
pub fn roll_back(preset: &Preset, store: &Store) -> Result<Option<Policy>, PolicyLookupError> {
    if store.roll_back(&preset.name)?.is_none() {
        return Err(PolicyLookupError::NothingPromoted(preset.name.clone()));
    }
    current_policy(preset, Some(store))
}

fn parse(id: u64, file: &[u8]) -> Result<Policy, RouterError> {
    Policy::from_bytes(file)
        .map_err(|e| RouterError::Policy { name: id.to_string(), reason: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::fixtures::started;

    fn preset() -> Preset {
        let mut preset = started().preset;
        preset.name = "tiny".into();
        preset.routing.policy = Some("builtin:tiny".into());
        preset
    }

    fn name(policy: Option<Policy>) -> Option<String> {
        policy.map(|policy| policy.card.name)
    }

    #[test]
    fn the_policy_that_was_promoted_last_is_current() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let preset = preset();
        let own = name(current_policy(&preset, Some(&store)).unwrap());
        assert!(own.is_some() && own == name(current_policy(&preset, None).unwrap()));

        let mut policy = load_policy("builtin:tiny").unwrap();
        let pair = PairFingerprint::default();
        let id = save_new_policy(&store, "tiny", &pair, &mut policy).unwrap();
        assert_eq!(policy.card.name, "tiny-1");
        assert_eq!(stored_policy(&store, "tiny-1").unwrap().id, id);
        assert_eq!(name(current_policy(&preset, Some(&store)).unwrap()), own, "not promoted yet");
        store.promote("tiny", id).unwrap();
        assert_eq!(name(current_policy(&preset, Some(&store)).unwrap()), Some("tiny-1".to_owned()));

        assert_eq!(name(roll_back(&preset, &store).unwrap()), own);
        let error = roll_back(&preset, &store).err().unwrap();
        assert!(matches!(error, PolicyLookupError::NothingPromoted(_)), "{error}");
    }

    #[test]
    fn a_policy_that_cannot_be_read_back_is_not_stored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let changes: [fn(&mut Policy); 3] = [
            |policy| policy.card.quantiles[1] = -0.5,
            |policy| policy.card.multiplier = f64::NAN,
            |policy| policy.card.spread[0] = f32::INFINITY,
        ];
        for change in changes {
            let mut policy = load_policy("builtin:tiny").unwrap();
            change(&mut policy);
            let error = save_new_policy(&store, "tiny", &PairFingerprint::default(), &mut policy);
            let error = error.unwrap_err();
            assert!(matches!(error, PolicyLookupError::NotReadBack(_)), "{error}");
            assert!(store.policies().unwrap().is_empty());
        }
    }

    #[test]
    fn policies_are_found_by_name_or_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut policy = load_policy("builtin:tiny").unwrap();
        save_new_policy(&store, "tiny", &PairFingerprint::default(), &mut policy).unwrap();
        store.save_policy(store.next_policy_id().unwrap(), b"no policy").unwrap();
        let found = |source: &str| name(find_policy(source, Some(&store)).ok());
        assert_eq!(found("tiny-1").as_deref(), Some("tiny-1"));
        assert!(found("builtin:tiny").is_some());
        assert_eq!(found("tiny-9"), None);
        let listed = list_policies(&preset(), &store).unwrap();
        let names: Vec<_> = listed.iter().map(|p| p.as_ref().ok().map(|p| p.0.as_str())).collect();
        assert_eq!(names, [Some("builtin:tiny"), Some("tiny-1"), None]);
    }

    #[test]
    fn an_episodes_own_policy_wins_over_the_current_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let preset = preset();
        let mut policy = load_policy("builtin:tiny").unwrap();
        let id = save_new_policy(&store, "tiny", &PairFingerprint::default(), &mut policy).unwrap();
        let decided = |name| {
            let registry = registry_as_decided(&preset, name, &store)?;
            Ok::<_, PolicyLookupError>(registry.policy().map(|p| p.card.name.clone()))
        };
        assert_eq!(decided(Some("tiny-1")).unwrap().as_deref(), Some("tiny-1"));
        let own = decided(None).unwrap().unwrap();
        store.promote("tiny", id).unwrap();
        assert_eq!(decided(None).unwrap().as_deref(), Some("tiny-1"));
        assert_eq!(decided(Some(&own)).unwrap(), Some(own.clone()), "the preset's own");
        let error = decided(Some("tiny-9")).unwrap_err();
        assert!(matches!(error, PolicyLookupError::NotStored(_)), "{error}");
    }
}
