//! The models of a preset, loaded as often as helps.

use super::error::CommandResult;
use super::memory;
use crate::config::{Folders, Preset};
use crate::engine::model_info;
use crate::role::Role;
use crate::session::{RunnerPool, TINY_PAIR_PARAMETERS, load_runner_pool};
use crate::terminal::with_stdout_to_stderr;

/// Copies of a model here beside one behind an address, at most: they share one processor or GPU.
const MAX_COPIES: usize = 4;

/// Loads the models for `jobs` episodes at once; where that is not said, for as many as help.
///
/// # Errors
/// When one cannot be loaded, or standard error cannot be set aside meanwhile.
pub fn load_pool(
    preset: &Preset,
    folders: &Folders,
    jobs: Option<u32>,
) -> CommandResult<RunnerPool> {
    let jobs = jobs.map(|jobs| jobs as usize).or_else(|| copies_for_remote_pair(preset, folders));
    Ok(with_stdout_to_stderr(|| load_runner_pool(preset, &folders.cache, jobs))??)
}

/// For a model here beside one behind an address, which episodes wait for most of the time: as many copies as half of
/// the free memory holds. Nothing where a fleet knows by itself.
fn copies_for_remote_pair(preset: &Preset, folders: &Folders) -> Option<usize> {
    let mut local_models =
        Role::BOTH.into_iter().filter(|role| preset.model(*role).remote.is_none());
    let (Some(only), None) = (local_models.next(), local_models.next()) else { return None };
    let parameters = model_info(preset.model(only), &folders.cache).ok()?.parameters?;
    let copies = memory::copies_that_fit(preset, &folders.cache)?;
    (parameters > TINY_PAIR_PARAMETERS).then(|| (copies / 2).clamp(1, MAX_COPIES))
}
