//! Presets by name or path.

use rust_embed::Embed;

use super::error::ConfigError;
use super::folders::Folders;
use super::model_config::ModelConfig;
use super::named_file::{NamedFile, file_names};
use super::preset::Preset;
use crate::role::Role;

/// The presets inside the binary.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/presets"]
#[include = "*.toml"]
struct Embedded;

/// Names that [`load_preset`] accepts, sorted: those of the user and those inside the binary.
pub fn preset_names(folders: &Folders) -> Vec<String> {
    file_names::<Embedded>(&folders.presets())
}

/// Loads a preset by its name or its file's path, and validates it.
///
/// # Errors
/// If it cannot be found, read or parsed, or a value is invalid. The message names the file and the position or key.
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

/// Whether the server of `model` may be sent the key that `model` names: only if `chosen`, or a preset that the user can
/// choose by name, sends the same key to the same address. A preset in a recording comes from somebody else, and must not
/// be able to send the user's keys elsewhere.
pub(crate) fn may_send_key(model: &ModelConfig, chosen: &Preset, folders: &Folders) -> bool {
    let Some(variable) = model.remote.as_ref().and_then(|remote| remote.key_env.as_ref()) else {
        return true;
    };
    let address = |model: &ModelConfig| model.source.trim_end_matches('/').to_owned();
    let sends = |preset: &Preset| {
        Role::BOTH.into_iter().map(|role| preset.model(role)).any(|own| {
            let own_variable = own.remote.as_ref().and_then(|remote| remote.key_env.as_ref());
            own_variable == Some(variable) && address(own) == address(model)
        })
    };
    // Presets that cannot be loaded are skipped.
    let named = || preset_names(folders).into_iter().filter_map(|n| load_preset(&n, folders).ok());
    sends(chosen) || named().any(|preset| sends(&preset))
}

/// A file, a folder or a server that a preset names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// The key as the preset has it, such as `large.source`.
    pub(crate) key: String,
    /// The path, a name that may also be one, or the server's address.
    pub(crate) path: String,
}

/// The files, folders and servers that a preset names. Whether a name such as `Qwen/Qwen3-8B` is a folder here depends
/// on the working folder, so names of the hub count as well; what is inside the binary does not.
fn named_paths(preset: &Preset) -> Vec<NamedPath> {
    let mut paths = Vec::new();
    let mut add = |key: String, path: Option<&String>| {
        if let Some(path) = path.filter(|path| !path.starts_with("builtin:")) {
            paths.push(NamedPath { key, path: path.clone() });
        }
    };
    for role in Role::BOTH {
        let model = preset.model(role);
        add(format!("{role}.source"), Some(&model.source));
        add(format!("{role}.tokenizer"), model.tokenizer.as_ref());
    }
    add("routing.policy".into(), preset.routing.policy.as_ref());
    paths
}

/// A file or server that the preset of an episode names, and that neither `chosen` nor a preset that the user can choose
/// by name has: it must not be used, because the episode may come from somebody else.
pub(crate) fn foreign_path(
    recorded: &Preset,
    chosen: &Preset,
    folders: &Folders,
) -> Option<NamedPath> {
    let mut foreign = named_paths(recorded);
    let mut approve = |own: &Preset| {
        let own = named_paths(own);
        let bare = |named: &NamedPath| named.path.trim_end_matches('/').to_owned();
        foreign.retain(|named| !own.iter().any(|own| bare(own) == bare(named)));
        foreign.is_empty()
    };
    if !approve(chosen) {
        // Presets that cannot be loaded are skipped.
        let named = preset_names(folders).into_iter().filter_map(|n| load_preset(&n, folders).ok());
        let _ = named.into_iter().any(|own| approve(&own));
    }
    foreign.into_iter().next()
}

/// The preset of an episode without the policy that it names, unless the user's own presets name it too.
pub(crate) fn without_foreign_policy(
    recorded: &Preset,
    chosen: &Preset,
    folders: &Folders,
) -> Preset {
    let mut preset = recorded.clone();
    let only_policy = Preset { routing: recorded.routing.clone(), ..chosen.clone() };
    if foreign_path(&only_policy, chosen, folders).is_some() {
        preset.routing.policy = None;
    }
    preset
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FileError;

    type Change = fn(&mut Preset);

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
            // Untested presets say so in their description.
            assert!(name == "tiny" || preset.description.contains("ntested"));
        }
    }

    #[test]
    fn qwens_prompt_is_the_one_of_its_training() {
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
    fn users_files_take_precedence() {
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
    fn errors_name_the_file_and_the_position() {
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

    #[test]
    fn files_of_an_episode_are_opened_only_if_a_preset_of_the_user_names_them() {
        let (_home, folders) = folders();
        let tiny = load_preset("tiny", &folders).unwrap();
        let foreign = |recorded: &Preset| foreign_path(recorded, &tiny, &folders);
        assert_eq!(foreign(&tiny), None);
        // The same names are in an embedded preset.
        assert_eq!(foreign(&load_preset("qwen2.5-math", &folders).unwrap()), None);
        let changes: [(&str, Change); 4] = [
            ("small.source", |preset| preset.small.source = "/dev/zero".into()),
            ("large.source", |preset| preset.large.source = "../../other".into()),
            ("large.tokenizer", |preset| preset.large.tokenizer = Some("/etc".into())),
            ("routing.policy", |preset| preset.routing.policy = Some("/dev/zero".into())),
        ];
        for (key, change) in changes {
            let mut recorded = tiny.clone();
            change(&mut recorded);
            assert_eq!(foreign(&recorded).unwrap().key, key);
            // The user's own preset.
            assert_eq!(foreign_path(&recorded, &recorded, &folders), None);
            let text = toml::to_string(&recorded).unwrap();
            std::fs::write(folders.presets().join("mine.toml"), text).unwrap();
            assert_eq!(foreign(&recorded), None);
            std::fs::remove_file(folders.presets().join("mine.toml")).unwrap();
            let trusted = without_foreign_policy(&recorded, &tiny, &folders);
            assert_eq!(trusted.routing.policy.is_some(), key != "routing.policy");
        }
    }

    /// A preset with the keys of the former format.
    const FORMER: &str = r#"
        description = "former keys"
        [small]
        source = "builtin:tiny/small"
        framed = "rendered {question}"
        [large]
        source = "http://host/v1"
        parameters = 7000
        [large.remote]
        model = "m"
        api = "chat"
        continues = "untold"
        [prompt]
        chat = true
        [steps]
        delimiter = "\n"
        answer = "A:"
        thoughts_end = "</think>"
        [routing]
        glimpse = 3
    "#;

    #[test]
    fn former_keys_load_and_new_ones_are_written() {
        let (home, folders) = folders();
        let load = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::write(&path, text).unwrap();
            load_preset(path.to_str().unwrap(), &folders).unwrap()
        };
        let new_keys = [
            ("framed =", "rendered_prompt ="),
            ("continues = \"untold\"", "continuation = \"implicit\""),
            ("answer =", "answer_marker ="),
            ("thoughts_end =", "thinking_end ="),
            ("glimpse =", "draft ="),
        ];
        let current = new_keys.iter().fold(FORMER.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        });
        let preset = load("preset.toml", FORMER);
        assert_eq!(preset, load("preset.toml", &current));
        let written = toml::to_string(&preset).unwrap();
        for (old, new) in new_keys {
            assert!(written.contains(new), "{new}: {written}");
            assert!(!written.contains(&format!("\n{old}")), "{old}: {written}");
        }
        let opening = |key: &str| {
            let text = TINY.replace("[prompt]", &format!("[prompt]\n{key} = \"First, \""));
            load("preset.toml", &text)
        };
        assert_eq!(opening("opening"), opening("answer_prefix"));
        let written = toml::to_string(&opening("opening")).unwrap();
        assert!(written.contains("answer_prefix = \"First, \""), "{written}");
    }
}
