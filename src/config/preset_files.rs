//! Presets by name or path: the user's files first, then those inside the binary.

use std::path::PathBuf;

use rust_embed::Embed;
use thiserror::Error;

use super::named_file::{self, FileError, NamedFile};
use super::{Folders, InvalidPreset, ModelConfig, Preset};
use crate::role::Role;

/// The presets inside the binary.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/presets"]
#[include = "*.toml"]
struct Embedded;

/// Why the configuration cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ConfigError {
    #[error("there is no home folder: set HOME, or POINTSMAN_HOME to a folder of your choice")]
    NoHome,
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path}: {reason}")]
    Invalid { path: PathBuf, reason: InvalidPreset },
    #[error("the command line's {0}")]
    CommandLine(InvalidPreset),
}

crate::exit::classify!(Usage: ConfigError);

/// Names that [`load_preset`] takes: those inside the binary and the user's, sorted.
pub fn preset_names(folders: &Folders) -> Vec<String> {
    named_file::file_names::<Embedded>(&folders.presets())
}

/// Loads a preset, by its name or its file's path, and validates it.
///
/// # Errors
/// When there is none, or it cannot be read, parsed or used; the error's sentence says where.
pub fn load_preset(name_or_path: &str, folders: &Folders) -> Result<Preset, ConfigError> {
    let file = NamedFile::find::<Embedded>("preset", name_or_path, &folders.presets())?;
    let mut preset: Preset = file.parse()?;
    if preset.name.is_empty() {
        preset.name = file.name().into_owned();
    }
    preset.copy_prompt_to_remotes();
    let path = file.path;
    preset.validate().map_err(|reason| ConfigError::Invalid { path, reason })?;
    Ok(preset)
}

/// Whether a preset that the user can choose by name, or `chosen`, sends the key that `model` wants to that very
/// address, too. What a recording names is somebody else's word.
pub fn may_send_key(model: &ModelConfig, chosen: &Preset, folders: &Folders) -> bool {
    let Some(variable) = model.remote.as_ref().and_then(|remote| remote.key_env.as_ref()) else {
        return true;
    };
    let place = |model: &ModelConfig| model.source.trim_end_matches('/').to_owned();
    let sends = |preset: &Preset| {
        Role::BOTH.into_iter().map(|role| preset.model(role)).any(|own| {
            let own_variable = own.remote.as_ref().and_then(|remote| remote.key_env.as_ref());
            own_variable == Some(variable) && place(own) == place(model)
        })
    };
    // One that cannot be read vouches for nothing.
    let named = || preset_names(folders).into_iter().filter_map(|n| load_preset(&n, folders).ok());
    sends(chosen) || named().any(|preset| sends(&preset))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &str = include_str!("../../presets/tiny.toml");

    fn folders() -> (tempfile::TempDir, Folders) {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path()).unwrap();
        std::fs::create_dir_all(folders.presets()).unwrap();
        (home, folders)
    }

    #[test]
    fn embedded_presets_load_and_survive_a_round_trip() {
        let (_home, folders) = folders();
        for name in preset_names(&folders) {
            let preset = load_preset(&name, &folders).unwrap();
            assert_eq!(preset.name, name);
            assert!(!preset.description.is_empty());
            let toml: Preset = toml::from_str(&toml::to_string(&preset).unwrap()).unwrap();
            let json: Preset =
                serde_json::from_str(&serde_json::to_string(&preset).unwrap()).unwrap();
            assert_eq!(toml, preset);
            assert_eq!(json, preset);
            // What was not tried says so where it is chosen.
            assert!(name == "tiny" || preset.description.contains("ntested"));
        }
    }

    #[test]
    fn chat_prompt_is_what_qwen_was_tuned_on() {
        let (_home, folders) = folders();
        let preset = load_preset("qwen2.5-math", &folders).unwrap();
        assert_eq!(
            preset.prompt_for(crate::role::Role::Small, "1 + 1?"),
            "<|im_start|>system\nPlease reason step by step, and put your final answer within \
             \\boxed{}.<|im_end|>\n<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n"
        );
        assert_eq!(preset.steps.answer_marker, "\\boxed{");
    }

    #[test]
    fn users_file_wins_over_the_embedded_one() {
        let (_home, folders) = folders();
        let text = TINY.replace("threshold = 0.5", "threshold = 0.25");
        std::fs::write(folders.presets().join("tiny.toml"), &text).unwrap();
        std::fs::write(folders.presets().join("mine.toml"), &text).unwrap();
        assert_eq!(load_preset("tiny", &folders).unwrap().routing.threshold, 0.25);
        assert_eq!(load_preset("mine", &folders).unwrap().name, "mine");
        let names = preset_names(&folders);
        let count = |name: &str| names.iter().filter(|n| *n == name).count();
        assert_eq!(["mine", "qwen2.5-math", "tiny"].map(count), [1, 1, 1], "{names:?}");
    }

    #[test]
    fn errors_are_one_sentence_that_says_where() {
        let (home, folders) = folders();
        let message = load_preset("tinny", &folders).unwrap_err().to_string();
        assert!(message.contains("no preset `tinny`"), "{message}");
        assert!(message.contains("qwen2.5-math, ") && message.contains(", tiny"), "{message}");

        let path = home.path().join("broken.toml");
        let name = path.to_str().unwrap();
        let message = load_preset(name, &folders).unwrap_err().to_string();
        assert!(message.ends_with("there is no such file"), "{message}");

        std::fs::write(&path, TINY.replace("threshold = 0.5", "treshold = 0.5")).unwrap();
        let error = load_preset(name, &folders).unwrap_err();
        let line = TINY.lines().position(|l| l.starts_with("threshold")).unwrap() + 1;
        assert!(
            matches!(error, ConfigError::File(FileError::Syntax { line: l, column: 1, .. }) if l == line),
            "{error:?}"
        );
        assert!(error.to_string().contains("treshold"), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");

        std::fs::write(&path, TINY.replace("threshold = 0.5", "threshold = 1.5")).unwrap();
        let message = load_preset(name, &folders).unwrap_err().to_string();
        assert!(message.contains("broken.toml") && message.contains("routing.threshold"));
    }
}
