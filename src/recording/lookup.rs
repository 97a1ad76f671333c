//! Recordings by path or name: the user's own first, then the embedded ones.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use rust_embed::Embed;

use super::{RecordedEpisode, RecordingError, RecordingReader};
use crate::user_file;

/// The recordings that are embedded in the binary.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/recordings"]
#[include = "*.jsonl"]
struct Embedded;

/// Former names of embedded recordings, with the current ones.
const FORMER_NAMES: [(&str, &str); 1] = [("glimpse", "draft")];

/// Reads a recording. `name_or_path` is a path if such a file exists or the text ends with `.jsonl`. Otherwise it is the
/// name of a file in `folder`, or else of an embedded recording.
///
/// # Errors
/// [`RecordingError::Unknown`] if there is none, and the other variants if it cannot be read.
pub fn find_recording(
    name_or_path: &str,
    folder: &Path,
) -> Result<Vec<RecordedEpisode>, RecordingError> {
    let path = Path::new(name_or_path);
    if is_recording(path) || path.exists() {
        return open_recording(path)?.into_vec();
    }
    // A name must not lead out of the folder; anything with a separator is a path, and was tried above.
    if !name_or_path.contains(std::path::is_separator) {
        let file = format!("{name_or_path}.jsonl");
        let own = folder.join(&file);
        if own.exists() {
            return open_recording(&own)?.into_vec();
        }
        let current = FORMER_NAMES.iter().find(|(former, _)| *former == name_or_path);
        let file = current.map_or(file, |(_, current)| format!("{current}.jsonl"));
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

/// The names that [`find_recording`] accepts, sorted: embedded recordings and those in `folder`, which counts as empty
/// if it cannot be read.
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

/// Opens a recording to read its episodes one by one.
///
/// # Errors
/// [`RecordingError::Read`] if the file cannot be opened, or is not a regular file.
pub fn open_recording(path: &Path) -> Result<RecordingReader<BufReader<File>>, RecordingError> {
    let name = path.display().to_string();
    match user_file::open(path) {
        Ok(file) => Ok(RecordingReader::new(name, BufReader::new(file))),
        Err(error) => Err(RecordingError::Read { file: name, reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{Role, Verdict};

    #[test]
    fn every_embedded_recording_can_be_read() {
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
    fn the_rescue_shows_a_rescue() {
        let episode = crate::recording::fixtures::rescue().episode;
        assert_eq!(episode.verdict(), Some(Verdict::Correct));
        assert_eq!(episode.steps[0].generation.model, Role::Small);
        assert!(episode.switches() >= 1);
        let saved = episode.steps.iter().find(|step| step.generation.model == Role::Large).unwrap();
        assert_eq!(saved.discarded.len(), 1, "the small model's step error was discarded");
    }

    #[test]
    fn a_path_wins_over_the_folder_and_the_folder_over_the_binary() {
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
    fn an_unknown_recording_is_an_error_that_lists_the_known_ones() {
        let folder = Path::new("/nowhere");
        let message = find_recording("resque", folder).unwrap_err().to_string();
        assert!(message.contains("rescue") && message.contains("/nowhere"), "{message}");
        let message = find_recording("gone.jsonl", folder).unwrap_err().to_string();
        assert_eq!(message, "cannot read gone.jsonl: there is no such file");
        let message = find_recording("/", folder).unwrap_err().to_string();
        assert_eq!(message, "cannot read /: it is a folder");
    }

    #[test]
    fn a_former_name_opens_the_recording() {
        let home = tempfile::tempdir().unwrap();
        let draft = find_recording("draft", home.path()).unwrap();
        assert_eq!(find_recording("glimpse", home.path()).unwrap(), draft);
        let own = crate::recording::fixtures::lines(&[(41, &draft[0].events)]);
        std::fs::write(home.path().join("glimpse.jsonl"), own).unwrap();
        assert_eq!(
            find_recording("glimpse", home.path()).unwrap()[0].id,
            41,
            "the user's own wins"
        );
    }
}
