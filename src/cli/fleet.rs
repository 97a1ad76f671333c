//! The models of a preset, loaded as often as helps.

use super::memory;
use crate::config::{Folders, Preset};
use crate::engine::inventory;
use crate::role::Role;
use crate::session::{Fleet, TINY, load_fleet};
use crate::terminal::quiet;

/// Copies of a model here beside one behind an address, at most: they share one processor or GPU.
const COPIES: usize = 4;

/// Loads the models for `jobs` episodes at once; where that is not said, for as many as help.
///
/// # Errors
/// When one cannot be loaded, or standard error cannot be set aside meanwhile.
pub fn fleet(preset: &Preset, folders: &Folders, jobs: Option<u32>) -> anyhow::Result<Fleet> {
    let jobs = jobs.map(|jobs| jobs as usize).or_else(|| copies(preset, folders));
    Ok(quiet(|| load_fleet(preset, &folders.cache, jobs))??)
}

/// For a model here beside one behind an address, which episodes wait for most of the time: as many copies as half of
/// the free memory holds. Nothing where a fleet knows by itself.
fn copies(preset: &Preset, folders: &Folders) -> Option<usize> {
    let mut here = Role::BOTH.into_iter().filter(|role| preset.model(*role).remote.is_none());
    let (Some(only), None) = (here.next(), here.next()) else { return None };
    let parameters = inventory(preset.model(only), &folders.cache).ok()?.parameters?;
    let room = memory::room(preset, &folders.cache)?;
    (parameters > TINY).then(|| (room / 2).clamp(1, COPIES))
}
