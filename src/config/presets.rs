//! Presets by name or path: the user's files first, then those inside the binary.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Folders, InvalidPreset, Preset};

/// The presets inside the binary, by name.
const EMBEDDED: [(&str, &str); 2] = [
    ("qwen2.5-math", include_str!("../../presets/qwen2.5-math.toml")),
    ("tiny", include_str!("../../presets/tiny.toml")),
];

/// Why the configuration cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ConfigError {
    #[error("there is no home folder: set HOME, or POINTSMAN_HOME to a folder of your choice")]
    NoHome,
    #[error(
        "there is no preset `{name}`: choose one of {known}, give the path of a .toml file, or put `{name}.toml` into {folder}"
    )]
    UnknownPreset { name: String, known: String, folder: PathBuf },
    #[error("cannot read {path}: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("{path}, line {line}, column {column}: {reason}")]
    Syntax { path: PathBuf, line: usize, column: usize, reason: String },
    #[error("{path}: {source}")]
    Invalid { path: PathBuf, source: InvalidPreset },
    #[error("the command line's {0}")]
    Options(InvalidPreset),
}

/// Names that [`load_preset`] takes: those inside the binary and those in the user's folder,
/// sorted. A folder that cannot be read counts as empty.
pub fn preset_names(folders: &Folders) -> Vec<String> {
    let mut names: BTreeSet<String> = EMBEDDED.iter().map(|(name, _)| (*name).into()).collect();
    for entry in std::fs::read_dir(folders.presets()).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_toml(&path)
            && let Some(stem) = path.file_stem()
        {
            names.insert(stem.to_string_lossy().into_owned());
        }
    }
    names.into_iter().collect()
}

/// Loads a preset and validates it. A file of that path wins if it exists or the text ends with
/// `.toml`, then a file of that name in the user's presets folder, then the embedded one.
///
/// # Errors
/// When there is none, or it cannot be read, parsed or used; the error's sentence says where.
pub fn load_preset(name_or_path: &str, folders: &Folders) -> Result<Preset, ConfigError> {
    let path = Path::new(name_or_path);
    if is_toml(path) || path.is_file() {
        let text = read(path)?.ok_or_else(|| ConfigError::Read {
            path: path.into(),
            reason: "there is no such file".into(),
        })?;
        return parse(path, &text);
    }
    // A name stays inside the presets folder: what has a separator is a path, and was tried above.
    if !name_or_path.contains(std::path::is_separator) {
        let own = folders.presets().join(format!("{name_or_path}.toml"));
        if let Some(text) = read(&own)? {
            return parse(&own, &text);
        }
    }
    let embedded = EMBEDDED.iter().find(|(name, _)| *name == name_or_path);
    let Some((name, text)) = embedded else {
        return Err(ConfigError::UnknownPreset {
            name: name_or_path.into(),
            known: preset_names(folders).join(", "),
            folder: folders.presets(),
        });
    };
    parse(Path::new(&format!("{name}.toml")), text)
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) if e.kind() == ErrorKind::InvalidData => {
            Err(ConfigError::Read { path: path.into(), reason: "it is not UTF-8 text".into() })
        }
        Err(e) => Err(ConfigError::Read { path: path.into(), reason: e.to_string() }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Preset, ConfigError> {
    let mut preset: Preset = toml::from_str(text).map_err(|e| {
        let (line, column) = position(text, e.span().map_or(0, |span| span.start));
        // One sentence on one line, whatever the parser breaks into several.
        let reason = e.message().split_whitespace().collect::<Vec<_>>().join(" ");
        ConfigError::Syntax { path: path.into(), line, column, reason }
    })?;
    if preset.name.is_empty()
        && let Some(stem) = path.file_stem()
    {
        preset.name = stem.to_string_lossy().into_owned();
    }
    preset.validate().map_err(|source| ConfigError::Invalid { path: path.into(), source })?;
    Ok(preset)
}

/// Line and column, both counted from 1 and in characters, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> (tempfile::TempDir, Folders) {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path()).unwrap();
        std::fs::create_dir_all(folders.presets()).unwrap();
        (home, folders)
    }

    #[test]
    fn embedded_presets_load_and_survive_a_round_trip() {
        let (_home, folders) = folders();
        for (name, _) in EMBEDDED {
            let preset = load_preset(name, &folders).unwrap();
            assert_eq!(preset.name, name);
            assert!(!preset.description.is_empty());
            let toml: Preset = toml::from_str(&toml::to_string(&preset).unwrap()).unwrap();
            let json: Preset =
                serde_json::from_str(&serde_json::to_string(&preset).unwrap()).unwrap();
            assert_eq!(toml, preset);
            assert_eq!(json, preset);
        }
    }

    #[test]
    fn chat_prompt_is_what_qwen_was_tuned_on() {
        let (_home, folders) = folders();
        let preset = load_preset("qwen2.5-math", &folders).unwrap();
        assert_eq!(
            preset.prompt_for(crate::episode::Role::Small, "1 + 1?"),
            "<|im_start|>system\nPlease reason step by step, and put your final answer within \
             \\boxed{}.<|im_end|>\n<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n"
        );
        assert_eq!(preset.steps.answer, "\\boxed{");
    }

    #[test]
    fn users_file_wins_over_the_embedded_one() {
        let (_home, folders) = folders();
        let text = EMBEDDED[1].1.replace("threshold = 0.5", "threshold = 0.25");
        std::fs::write(folders.presets().join("tiny.toml"), &text).unwrap();
        std::fs::write(folders.presets().join("mine.toml"), &text).unwrap();
        assert_eq!(load_preset("tiny", &folders).unwrap().routing.threshold, 0.25);
        assert_eq!(load_preset("mine", &folders).unwrap().name, "mine");
        assert_eq!(preset_names(&folders), ["mine", "qwen2.5-math", "tiny"]);
    }

    #[test]
    fn errors_are_one_sentence_that_says_where() {
        let (home, folders) = folders();
        let message = load_preset("tinny", &folders).unwrap_err().to_string();
        assert!(message.contains("no preset `tinny`"), "{message}");
        assert!(message.contains("qwen2.5-math, tiny"), "{message}");

        let path = home.path().join("broken.toml");
        let name = path.to_str().unwrap();
        let message = load_preset(name, &folders).unwrap_err().to_string();
        assert!(message.ends_with("there is no such file"), "{message}");

        std::fs::write(&path, EMBEDDED[1].1.replace("threshold = 0.5", "treshold = 0.5")).unwrap();
        let error = load_preset(name, &folders).unwrap_err();
        let line = EMBEDDED[1].1.lines().position(|l| l.starts_with("threshold")).unwrap() + 1;
        assert!(
            matches!(error, ConfigError::Syntax { line: l, column: 1, .. } if l == line),
            "{error:?}"
        );
        assert!(error.to_string().contains("treshold"), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");

        std::fs::write(&path, EMBEDDED[1].1.replace("threshold = 0.5", "threshold = 1.5")).unwrap();
        let message = load_preset(name, &folders).unwrap_err().to_string();
        assert!(message.contains("broken.toml") && message.contains("routing.threshold"));
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(position("a\nbé x", 0), (1, 1));
        assert_eq!(position("a\nbé x", 5), (2, 3));
        assert_eq!(position("a", 9), (1, 2));
    }
}
