//! Loads the models of a preset, in as many copies as help.

use super::error::CommandResult;
use super::memory;
use crate::config::{Folders, Preset};
use crate::engine::{EngineKind, model_info};
use crate::role::Role;
use crate::session::{RunnerPool, TINY_PAIR_PARAMETERS, load_runner_pool};
use crate::terminal::with_stdout_discarded;

/// Maximum number of copies of a local model that works with a remote one: all copies share one processor or GPU.
const MAX_COPIES: usize = 4;

/// Loads the models for `jobs` episodes at once, or for as many as help.
///
/// # Errors
/// If a model cannot be loaded, or standard output cannot be redirected while loading.
pub(super) fn load_pool(
    preset: &Preset,
    folders: &Folders,
    jobs: Option<u32>,
) -> CommandResult<RunnerPool> {
    memory::print_remarks(preset, &folders.cache);
    let jobs = jobs.map(|jobs| jobs as usize).or_else(|| copies_beside_remote(preset, folders));
    Ok(with_stdout_discarded(|| load_runner_pool(preset, &folders.cache, jobs))??)
}

/// Copies of a local model that works with a remote one: as many as fit into half of the free memory, since
/// episodes mostly wait for the server. `None` leaves the choice to [`load_runner_pool`].
fn copies_beside_remote(preset: &Preset, folders: &Folders) -> Option<usize> {
    let mut local_models =
        Role::BOTH.into_iter().filter(|role| EngineKind::of(preset.model(*role)).is_local());
    let (Some(only), None) = (local_models.next(), local_models.next()) else { return None };
    let parameters = model_info(preset.model(only), &folders.cache).ok()?.parameters?;
    let copies = memory::copies_that_fit(preset, &folders.cache)?;
    (parameters > TINY_PAIR_PARAMETERS).then(|| (copies / 2).clamp(1, MAX_COPIES))
}
