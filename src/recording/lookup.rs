//! Recordings by path or by name: the user's own first, then those inside the binary.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use rust_embed::Embed;

use super::{RecordedEpisode, RecordingError, RecordingReader};

/// The recordings inside the binary.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/recordings"]
#[include = "*.jsonl"]
struct Embedded;

/// Reads the recording of that path or name. A file of that path wins if it exists or the text ends
/// with `.jsonl`, then a file of that name in `folder`, then one inside the binary.
///
/// # Errors
/// When there is none, or it cannot be used.
pub fn find_recording(
    name_or_path: &str,
    folder: &Path,
) -> Result<Vec<RecordedEpisode>, RecordingError> {
    let path = Path::new(name_or_path);
    if is_recording(path) || path.exists() {
        return open_recording(path)?.into_vec();
    }
    // A name stays inside the folder: what has a separator is a path, and was tried above.
    if !name_or_path.contains(std::path::is_separator) {
        let file = format!("{name_or_path}.jsonl");
        let own = folder.join(&file);
        if own.exists() {
            return open_recording(&own)?.into_vec();
        }
        if let Some(embedded) = Embedded::get(&file) {
            return RecordingReader::new(file, &*embedded.data).into_vec();
        }
    }
    Err(RecordingError::Unknown {
        name: name_or_path.into(),
        known: recording_names(folder).join(", "),
        folder: folder.display().to_string(),
    })
}

/// Names that [`find_recording`] takes, sorted: those inside the binary and those in `folder`, which counts as
/// empty where it cannot be read.
pub fn recording_names(folder: &Path) -> Vec<String> {
    let own = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let embedded = Embedded::iter().map(|file| PathBuf::from(file.as_ref()));
    let files = own.chain(embedded).filter(|path| is_recording(path));
    let stems = files.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    stems.collect::<BTreeSet<_>>().into_iter().collect()
}

fn is_recording(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
}

/// The episodes of a file, to be read one after the other.
///
/// # Errors
/// When it cannot be opened.
pub fn open_recording(path: &Path) -> Result<RecordingReader<BufReader<File>>, RecordingError> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Ok(RecordingReader::new(name, BufReader::new(file))),
        Err(error) => {
            let reason = match error.kind() {
                ErrorKind::NotFound => "there is no such file".into(),
                _ => error.to_string(),
            };
            Err(RecordingError::Read { file: name, reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{Role, Verdict};

    #[test]
    fn every_recording_inside_the_binary_can_be_used() {
        let folder = Path::new("/nowhere");
        let names = recording_names(folder);
        assert!(names.contains(&"rescue".to_owned()), "{names:?}");
        for name in names {
            assert!(
                find_recording(&name, folder).unwrap().iter().all(|r| r.episode.is_over()),
                "{name}"
            );
        }
    }

    #[test]
    fn the_rescue_is_one() {
        let episode = crate::recording::fixtures::rescue().episode;
        assert_eq!(episode.verdict(), Some(Verdict::Correct));
        assert_eq!(episode.steps[0].generation.model, Role::Small);
        assert!(episode.switches() >= 1);
        let saved = episode.steps.iter().find(|step| step.generation.model == Role::Large).unwrap();
        assert_eq!(saved.discarded.len(), 1, "the small model's slip was not kept");
    }

    #[test]
    fn a_file_wins_over_the_users_own_and_that_over_the_embedded_one() {
        let home = tempfile::tempdir().unwrap();
        let recorded = crate::recording::fixtures::rescue();
        let write = |path: &Path, id| {
            let lines = crate::recording::fixtures::lines(&[(id, &recorded.events)]);
            std::fs::write(path, lines).unwrap();
        };
        let id = |name: &str| find_recording(name, home.path()).unwrap()[0].id;
        assert_eq!(id("rescue"), recorded.id);
        write(&home.path().join("rescue.jsonl"), 41);
        assert_eq!(id("rescue"), 41);
        let path = home.path().join("other");
        write(&path, 42);
        assert_eq!(id(path.to_str().unwrap()), 42);
    }

    #[test]
    fn what_is_missing_is_told_with_what_there_is() {
        let folder = Path::new("/nowhere");
        let message = find_recording("resque", folder).unwrap_err().to_string();
        assert!(message.contains("rescue") && message.contains("/nowhere"), "{message}");
        let message = find_recording("gone.jsonl", folder).unwrap_err().to_string();
        assert_eq!(message, "cannot read gone.jsonl: there is no such file");
        let message = find_recording("/", folder).unwrap_err().to_string();
        assert_eq!(message, "cannot read /: it is a folder");
    }
}
