//! Downloads task sets from the Hugging Face hub.

use std::path::PathBuf;

use hf_hub::api::sync::ApiBuilder;

use super::{QuestionSource, Split, TaskError, TaskSetSpec};

/// The local path of the file with the questions of `split`, from the hub's cache or else from the hub.
///
/// # Errors
/// [`TaskError::NoSuchSplit`] if the task set has no such part, [`TaskError::Hub`] if it cannot be downloaded.
pub(super) fn fetch(spec: &TaskSetSpec, split: Split) -> Result<PathBuf, TaskError> {
    let (QuestionSource::Hub { repository, .. }, Some(file)) = (spec.source, spec.hub_file(split))
    else {
        return Err(TaskError::NoSuchSplit { name: spec.name.into() });
    };
    let api = ApiBuilder::from_env().with_progress(false).build();
    let fetched = api.and_then(|api| api.dataset(repository.into()).get(file.path));
    fetched.map_err(|e| TaskError::Hub {
        name: spec.name.into(),
        file: format!("{repository}/{}", file.path),
        reason: e.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    })
}
