//! Files of the version before names were changed (`tests/fixtures/before_renames`) still open, and mean the same.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman::config::{DraftLength, Folders, load_preset};
use pointsman::episode::{Episode, EpisodeStatus, PerRole};
use pointsman::recording::{RecordedEpisode, find_recording, open_recording, write_event};
use pointsman::routing::{FeatureSet, PairFingerprint, Policy};
use pointsman::store::{Store, Tag};
use pointsman::theme::Theme;
use pointsman::training::{Dataset, TrainingSettings, train};
use pointsman::workbench::Keymap;

use crate::copy_folder::copy_folder;
use crate::tiny::registry;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/before_renames").join(name)
}

/// The old store, copied, since opening a store writes to it.
fn old_store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&fixture("store"), folder.path());
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn old_recordings() -> Vec<RecordedEpisode> {
    let files = fs::read_dir(fixture("recordings")).unwrap().flatten();
    let files = files.map(|entry| entry.path());
    let recordings = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let recordings = recordings.chain([fixture("episodes.jsonl")]);
    recordings.flat_map(|path| open_recording(&path).unwrap().into_vec().unwrap()).collect()
}

#[test]
fn every_episode_of_an_old_store_opens() {
    let (_folder, store) = old_store();
    assert!(store.len() > 5, "{} episodes", store.len());
    let mut finished = 0;
    for entry in store.entries(None) {
        let entry = entry.unwrap();
        let episode = store.episode(entry.summary.id).unwrap();
        assert_eq!(episode.started.question, entry.summary.question);
        assert_eq!(episode.steps.len(), entry.summary.steps);
        finished += usize::from(matches!(episode.status, EpisodeStatus::Finished { .. }));
    }
    assert!(finished > 5, "{finished} finished episodes");
}

#[test]
fn an_old_store_keeps_annotations_and_trash_and_takes_new_ones() {
    let (_folder, store) = old_store();
    let annotated = |entry: &pointsman::store::EpisodeEntry| {
        let annotations = &entry.annotations;
        annotations.starred || !annotations.tags.is_empty() || !annotations.note.is_empty()
    };
    let entries: Vec<_> = store.entries(None).map(Result::unwrap).collect();
    assert!(entries.iter().any(annotated), "no annotations");
    let trashed: Vec<u64> = store.trashed().unwrap().iter().map(|(id, _)| *id).collect();
    assert!(!trashed.is_empty(), "an empty trash");
    store.restore(&trashed).unwrap();
    let tag: Tag = "new".parse().unwrap();
    store.annotate(&trashed, |annotations| annotations.tags.extend([tag.clone()])).unwrap();
    assert!(store.annotations(trashed[0]).unwrap().tags.contains(&tag));
}

#[test]
fn a_policy_is_trained_from_an_old_store() {
    let (_folder, store) = old_store();
    let first = store.summaries().next().unwrap().unwrap();
    let started = store.episode(first.id).unwrap().started;
    let models = PerRole::from_fn(|role| &started.models[role]);
    let pair = PairFingerprint::of(&started.preset, started.prices, models);
    let policy = registry().policy().unwrap().clone();
    assert_eq!(policy.card.pair, pair, "the embedded policy is for the old models, too");
    let set = FeatureSet::full(policy.card.set.draft_length);
    let dataset = Dataset::read(&store, &pair, &set, || ()).unwrap();
    assert!(dataset.trajectories.len() > 5, "{:?}", dataset.dataset_counts);
    let settings = TrainingSettings { rounds: 1, ..TrainingSettings::default() };
    let trained = train(&dataset, &set, &settings, |_| ()).unwrap();
    assert_eq!(trained.card.set.features, set.features);
}

#[test]
fn old_recordings_are_read_and_written_again() {
    let recordings = old_recordings();
    assert!(recordings.len() > 5, "{} episodes", recordings.len());
    for recorded in recordings {
        assert!(recorded.episode.is_over(), "{}", recorded.episode.started.question);
        let mut lines = Vec::new();
        for event in &recorded.events {
            write_event(&mut lines, recorded.id, event).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("again.jsonl");
        fs::write(&file, lines).unwrap();
        let again = open_recording(&file).unwrap().into_vec().unwrap().remove(0);
        assert_eq!(again.episode, recorded.episode);
    }
}

/// The recordings in the fixture were made with earlier policies of the same name; the collected episodes of the store
/// were made with the embedded one.
#[test]
fn old_decisions_of_the_policy_are_reproduced() {
    let old = Policy::from_bytes(&fs::read(fixture("policy.safetensors")).unwrap()).unwrap();
    let embedded = registry().policy().unwrap().clone();
    let (_folder, store) = old_store();
    let mut checked = 0;
    for entry in store.entries(None) {
        let episode = store.episode(entry.unwrap().summary.id).unwrap();
        if episode.started.collection.is_none() {
            continue;
        }
        for (_, decision) in episode.decisions() {
            for policy in [&old, &*embedded] {
                let p_large = policy.p_large(&decision.features).unwrap();
                assert!((decision.p_large.unwrap() - p_large).abs() < 1e-4, "{decision:?}");
            }
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked} decisions");
}

#[test]
fn recordings_are_found_by_their_old_names() {
    let folder = fixture("recordings");
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let embedded = find_recording(name, Path::new("/nowhere")).unwrap();
        let old = open_recording(&path).unwrap().into_vec().unwrap();
        let episodes = |all: Vec<RecordedEpisode>| -> Vec<Episode> {
            all.into_iter().map(|recorded| recorded.episode).collect()
        };
        assert_eq!(episodes(embedded), episodes(old), "{name}");
    }
}

#[test]
fn old_presets_keys_and_themes_are_read() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::below(home.path()).unwrap();
    let preset = load_preset(fixture("preset.toml").to_str().unwrap(), &folders).unwrap();
    let mut expected = load_preset("tiny", &folders).unwrap();
    expected.name.clone_from(&preset.name);
    expected.steps.max_repeats = Some(3);
    expected.routing.draft_length = Some(DraftLength::Step);
    assert_eq!(preset, expected);
    let keys = Keymap::load(&fixture("keys.toml")).unwrap();
    assert_eq!(keys, Keymap::default(), "the former names of all actions, with their default keys");
    load_preset(fixture("remote.toml").to_str().unwrap(), &folders).unwrap();
    Theme::load(fixture("theme.toml").to_str().unwrap(), Path::new("/nowhere")).unwrap();
}

#[test]
fn an_old_store_is_converted_once_and_its_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&fixture("store"), folder.path());
    let database = fs::read(folder.path().join("db")).unwrap();
    let reading = Store::open_read_only(folder.path()).unwrap();
    let episodes: Vec<_> = reading.summaries().map(Result::unwrap).collect();
    assert!(!episodes.is_empty());
    assert_eq!(fs::read(folder.path().join("db")).unwrap(), database, "reading changes nothing");
    drop(reading);

    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.summaries().map(Result::unwrap).collect::<Vec<_>>(), episodes);
    assert!(store.notices().join(" ").contains("before-log"), "{:?}", store.notices());
    drop(store);
    assert_eq!(fs::read(folder.path().join("before-log/db")).unwrap(), database);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.notices(), [""; 0], "the second time there is nothing to say");

    // Emptying the trash leaves nothing of deleted episodes anywhere.
    store.move_to_trash(&[episodes[0].id], 1).unwrap();
    store.empty_trash().unwrap();
    assert!(!folder.path().join("before-log").exists());
}

#[test]
fn a_damaged_old_store_is_never_changed() {
    let complete = {
        let (_folder, store) = old_store();
        store.summaries().count() + store.trashed().unwrap().len()
    };
    let length = fs::metadata(fixture("store").join("db")).unwrap().len();
    for part in 1..12 {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&fixture("store"), folder.path());
        let database = folder.path().join("db");
        let mut bytes = fs::read(&database).unwrap();
        if part % 2 == 0 {
            bytes.truncate((length * part / 12) as usize);
        } else {
            bytes[(length * part / 12) as usize] ^= 4;
        }
        fs::write(&database, &bytes).unwrap();
        match Store::open(folder.path()) {
            // What sled cannot read is still in the file.
            Ok(store) => {
                assert!(store.summaries().count() <= complete);
                let kept = folder.path().join("before-log/db");
                assert!(fs::read(kept).unwrap() == bytes, "part {part}: the database was changed");
            }
            Err(error) => {
                assert!(error.to_string().contains("--store"), "{error}");
                assert!(
                    fs::read(database).unwrap() == bytes,
                    "part {part}: the database was changed"
                );
            }
        }
    }
}
