//! The store, recordings, presets and options of the version before names were changed, as the program uses them.

use std::path::{Path, PathBuf};

use crate::copy_folder::copy_folder;
use crate::shell::{objects, stdout};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/before_renames").join(name)
}

/// A home with a copy of the old store.
fn old_home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    copy_folder(&fixture("store"), &home.path().join("data/store"));
    home
}

#[test]
fn an_old_store_is_listed_shown_and_replayed() {
    let home = old_home();
    let list = objects(&stdout(home.path(), &["episodes", "ls", "--json"]));
    assert!(list.len() > 5, "{list:?}");
    for entry in &list {
        let id = entry["id"].to_string();
        let shown = stdout(home.path(), &["episodes", "show", &id]);
        assert!(shown.contains(entry["question"].as_str().unwrap()), "{shown}");
        // Only the annotations of the episode are not part of its recording.
        let replayed = stdout(home.path(), &["replay", &id, "--headless"]);
        assert!(replayed.lines().all(|line| shown.contains(line)), "{replayed}");
    }
    let exported = stdout(home.path(), &["episodes", "export"]);
    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("all.jsonl");
    std::fs::write(&file, exported).unwrap();
    stdout(other.path(), &["episodes", "import", file.to_str().unwrap()]);
    let imported = objects(&stdout(other.path(), &["episodes", "ls", "--json"]));
    assert_eq!(imported.len(), list.len());
}

#[test]
fn an_old_store_trains_explains_and_keeps_its_policies() {
    let home = old_home();
    let shown = stdout(home.path(), &["policy", "show"]);
    assert!(shown.starts_with("policy tiny-1"), "the promoted policy: {shown}");
    let explained = stdout(home.path(), &["why", "61", "2", "--rows"]);
    assert!(explained.contains("by policy tiny-0"), "{explained}");
    let trained = stdout(home.path(), &["train", "--rounds", "0", "--steps", "2"]);
    assert!(trained.contains("tiny-2") && trained.contains("57 episodes"), "{trained}");
    let policies = stdout(home.path(), &["policy", "ls"]);
    assert!(policies.contains("tiny-0") && policies.contains("tiny-2"), "{policies}");
    let file = fixture("policy.safetensors");
    let run = ["run", "--router", "policy", "--policy", file.to_str().unwrap(), "--json"];
    let run = objects(&stdout(home.path(), &run));
    assert_eq!(run.last().unwrap()["event"], "finished");
}

#[test]
fn old_recordings_presets_and_keys_are_used() {
    let home = old_home();
    for entry in std::fs::read_dir(fixture("recordings")).unwrap().flatten() {
        let path = entry.path();
        let text = stdout(home.path(), &["replay", path.to_str().unwrap(), "--headless"]);
        assert!(text.contains("answer "), "{text}");
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(stdout(home.path(), &["replay", &name, "--headless"]), text, "{name}");
    }
    let preset = fixture("preset.toml");
    let run = ["run", "--json", "--seed", "3", "--preset", preset.to_str().unwrap()];
    assert_eq!(objects(&stdout(home.path(), &run)).last().unwrap()["event"], "finished");
    std::fs::create_dir_all(home.path().join("config")).unwrap();
    std::fs::copy(fixture("keys.toml"), home.path().join("config/keys.toml")).unwrap();
    let keys = stdout(home.path(), &["print", "keys"]);
    assert!(keys.contains("space"), "{keys}");
}
