//! The store keeps what it acknowledged, and reports what it cannot read.

use std::collections::BTreeMap;
use std::path::Path;

use pointsman::config::{Folders, load_preset};
use pointsman::episode::{
    Decider, Event, EventKind, FinishReason, Generation, ModelRecord, Parent, PerRole, Role,
    Started, StopReason, Usage, Verdict,
};
use pointsman::store::{Annotations, EpisodeEnd, Store, StoreError, Tag};

pub(crate) fn started(question: &str) -> Event {
    let folders = Folders::below("/nonexistent").unwrap();
    let model = ModelRecord { name: "m".into(), digest: "d".into(), parameters: 1 };
    Event::new(
        1,
        EventKind::Started(Box::new(Started {
            question: question.into(),
            origin: None,
            gold: None,
            preset: load_preset("tiny", &folders).unwrap(),
            models: PerRole { small: model.clone(), large: model },
            prices: PerRole { small: 1.0.into(), large: 10.0.into() },
            seed: 0,
            collection: None,
            parent: None,
        })),
    )
}

pub(crate) fn written(step: usize, text: &str) -> Event {
    let generation = Generation {
        model: Role::Large,
        text: text.into(),
        tokens: vec![],
        usage: Usage { prefilled: 3, ..Usage::default() },
        stop: StopReason::Delimiter,
    };
    Event::new(2, EventKind::Written { step, generation })
}

pub(crate) fn finished() -> Event {
    let kind = EventKind::Finished {
        answer: Some("67".into()),
        verdict: Verdict::Correct,
        reason: FinishReason::Answered,
    };
    Event::new(3, kind)
}

fn fill(path: &Path) -> (u64, u64) {
    let store = Store::open(path).unwrap();
    let (a, b) = (store.next_episode_id().unwrap(), store.next_episode_id().unwrap());
    // Two episodes are written at the same time.
    store.append(a, &started("first")).unwrap();
    store.append(b, &started("second")).unwrap();
    store.append(a, &written(0, "x\n")).unwrap();
    store.append(b, &written(0, "y\n")).unwrap();
    store.append(a, &finished()).unwrap();
    (a, b)
}

#[test]
fn episodes_keep_their_order_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = fill(folder.path());
    let store = Store::open(folder.path()).unwrap();
    assert_eq!((a, b), (1, 2));
    assert_eq!(store.len(), 2);
    assert_eq!(store.next_episode_id().unwrap(), 3);
    assert_eq!(store.events(a).unwrap(), [started("first"), written(0, "x\n"), finished()]);
    let all: Vec<_> = store.summaries().map(Result::unwrap).collect();
    assert_eq!(all[0].question, "first");
    assert!(matches!(&all[0].end, EpisodeEnd::Finished { answer: Some(a), .. } if a == "67"));
    assert_eq!((all[0].steps, all[0].cost), (1, 30.0));
    assert_eq!(all[1].end, EpisodeEnd::Unfinished);
    assert_eq!(store.episode(b).unwrap().text(), "y\n");
}

#[test]
fn more_than_256_events_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let id = store.next_episode_id().unwrap();
    store.append(id, &started("long")).unwrap();
    // The index needs two bytes: their order on disk must be numeric.
    for step in 0..300 {
        store.append(id, &written(step, "x\n")).unwrap();
    }
    assert_eq!(store.episode(id).unwrap().steps.len(), 300);
}

#[test]
fn a_locked_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).err().expect("the store is locked");
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("in use by another pointsman"), "{error}");
}

#[test]
fn missing_episodes_and_newer_events_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let error = store.episode(7).unwrap_err().to_string();
    assert!(error.contains("no episode 7"), "{error}");

    let id = store.next_episode_id().unwrap();
    store.append(id, &started("new")).unwrap();
    store.append(id, &Event { schema: 99, ..written(0, "x\n") }).unwrap();
    let error = store.episode(id).unwrap_err().to_string();
    assert!(error.contains("update pointsman"), "{error}");
    assert!(store.summaries().any(|summary| summary.is_err()));
}

#[test]
fn a_path_that_is_not_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Store::open(&file).err().expect("not a folder").to_string();
    assert!(error.contains("file") && error.contains("--store"), "{error}");
}

#[test]
fn a_folder_with_other_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "x").unwrap();
    for opened in [Store::open(folder.path()), Store::open_read_only(folder.path())] {
        let error = opened.err().expect("not a store").to_string();
        assert!(error.contains("--store"), "{error}");
    }
    // A database of the former layout of which nothing can be read.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("db"), vec![b'x'; 1 << 19]).unwrap();
    let error = Store::open(folder.path()).err().expect("damaged").to_string();
    assert!(error.contains("--store"), "{error}");
    assert_eq!(
        std::fs::read(folder.path().join("db")).unwrap().len(),
        1 << 19,
        "it stays as it is"
    );
}

#[test]
fn policies_and_promotions_survive_reopening() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = Store::open(folder.path()).unwrap();
        assert!(store.policies().unwrap().is_empty());
        assert_eq!(store.roll_back("tiny").unwrap(), None, "nothing to roll back");
        for file in [b"first", b"other"] {
            let number = store.next_policy_id().unwrap();
            store.save_policy(number, file).unwrap();
            store.promote("tiny", number).unwrap();
        }
        store.save_calibration(&0.25).unwrap();
        store.save_calibration(&0.75).unwrap();
    }
    let store = Store::open(folder.path()).unwrap();
    let policies = store.policies().unwrap();
    assert_eq!(policies, [(1, b"first".to_vec()), (2, b"other".to_vec())]);
    assert_eq!(store.promotions("tiny").unwrap(), [1, 2]);
    assert!(store.promotions("qwen").unwrap().is_empty(), "each preset has its own");
    assert_eq!(store.roll_back("tiny").unwrap(), Some(2));
    assert_eq!(store.promotions("tiny").unwrap(), [1]);
    assert_eq!(store.calibrations::<f64>().unwrap(), [0.25, 0.75]);
    assert!(store.calibrations::<String>().is_err(), "a value of another type is an error");
}

/// A store with `n` episodes, with ids from 1.
fn library(path: &Path, n: usize) -> Store {
    let store = Store::open(path).unwrap();
    let episodes: Vec<_> = (0..n).map(|i| vec![started(&format!("q{i}")), finished()]).collect();
    assert_eq!(store.add_episodes(&episodes).unwrap().len(), n);
    store
}

fn ids(store: &Store) -> Vec<u64> {
    store.summaries().map(|summary| summary.unwrap().id).collect()
}

#[test]
fn added_episodes_are_stored_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let all = [vec![started("a"), written(0, "x\n"), finished()], vec![started("b")]];
    {
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.add_episodes(&all).unwrap(), [1, 2]);
        for wrong in [vec![], vec![finished()], vec![started("c"), written(1, "x")]] {
            assert!(store.add_episodes(&[vec![started("d")], wrong]).is_err());
        }
    }
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(ids(&store), [1, 2], "a refused batch stores nothing");
    assert_eq!(store.events(1).unwrap(), all[0]);
    assert_eq!(store.entry(1).unwrap().summary.cost, 30.0);
    store.append(2, &written(0, "y\n")).unwrap();
    store.append(2, &finished()).unwrap();
    assert!(matches!(store.entry(2).unwrap().summary.end, EpisodeEnd::Finished { .. }));
}

#[test]
fn a_summary_has_deciders_parent_and_costs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut first = started("forked");
    if let EventKind::Started(started) = &mut first.kind {
        started.parent = Some(Parent { episode: 12, step: 1 });
    }
    let decided = |step, by| {
        let kind = EventKind::Decided {
            step,
            features: BTreeMap::new(),
            p_large: None,
            threshold: 0.5,
            propensity: None,
            choice: Role::Large,
            by,
        };
        Event::new(2, kind)
    };
    let mut small = written(2, "z\n");
    if let EventKind::Written { generation, .. } = &mut small.kind {
        generation.model = Role::Small;
    }
    let policy = |name: &str| Decider::Policy(name.into());
    let events = vec![
        first,
        decided(0, policy("tiny-3")),
        written(0, "x\n"),
        decided(1, Decider::User),
        written(1, "y\n"),
        decided(2, policy("tiny-3")),
        small,
        decided(3, policy("tiny-4")),
        written(3, "z\n"),
    ];
    let id = store.add_episodes(&[events]).unwrap()[0];
    let summary = store.entry(id).unwrap().summary;
    assert_eq!(summary.policies, ["tiny-3", "tiny-4"]);
    assert_eq!(summary.parent, Some(Parent { episode: 12, step: 1 }));
    assert_eq!((summary.steps, summary.large_steps, summary.switches), (4, 3, 2));
    assert_eq!((summary.user_steps, summary.cost, summary.large_cost), (1, 93.0, 90.0));
    assert_eq!(summary.large_cost_share(), 90.0 / 93.0);
}

#[test]
fn annotations_survive_reopening() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = library(folder.path(), 3);
        store
            .annotate(&[1, 3], |annotations| {
                annotations.tags.insert("foo".parse().unwrap());
            })
            .unwrap();
        store.annotate(&[3], |annotations| annotations.note = "ask \"Ava\"\n".into()).unwrap();
        store.annotate(&[3], |annotations| annotations.starred = true).unwrap();
        // One missing episode refuses the change for all.
        let missing = store.annotate(&[1, 9], |annotations| annotations.starred = true);
        assert!(missing.unwrap_err().to_string().contains("no episode 9"));
        store.annotate(&[1], |annotations| annotations.tags.clear()).unwrap();
    }
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.annotations(1).unwrap(), Annotations::default());
    let annotations = store.entry(3).unwrap().annotations;
    assert_eq!(annotations.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["foo"]);
    assert_eq!((annotations.note.as_str(), annotations.starred), ("ask \"Ava\"\n", true));
    let newest = store.entries(None).map(|entry| entry.unwrap().summary.id);
    assert_eq!(newest.collect::<Vec<_>>(), [3, 2, 1]);
    let older = store.entries(Some(3)).map(|entry| entry.unwrap().summary.id);
    assert_eq!(older.collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn trashed_episodes_can_be_restored_until_the_trash_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let (before, events) = {
        let store = library(folder.path(), 6);
        store.annotate(&[2], |annotations| annotations.note = "kept".into()).unwrap();
        let before = store.entry(2).unwrap();
        store.move_to_trash(&[2, 3], 100).unwrap();
        store.move_to_trash(&[5], 200).unwrap();
        (before, store.events(2).unwrap())
    };
    let store = Store::open(folder.path()).unwrap();
    assert_eq!((ids(&store), store.len()), (vec![1, 4, 6], 3));
    let trashed: Vec<_> = store.trashed().unwrap().iter().map(|(id, b)| (*id, b.at_ms)).collect();
    assert_eq!(trashed, [(2, 100), (3, 100), (5, 200)]);
    let refused = |result: Result<(), StoreError>, words: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(store.move_to_trash(&[1, 2], 300), "episode 2 is in the trash");
    refused(store.annotate(&[2], |a| a.starred = true), "episode 2 is in the trash");
    refused(store.restore(&[2, 4]), "episode 4 is not in the trash");
    refused(store.move_to_trash(&[7], 300), "no episode 7");
    assert_eq!(ids(&store), [1, 4, 6], "a refused change has no effect");

    assert_eq!(store.undo_last_deletion().unwrap(), [5]);
    assert_eq!(store.undo_last_deletion().unwrap(), [2, 3]);
    assert!(store.undo_last_deletion().unwrap().is_empty());
    assert_eq!((store.entry(2).unwrap(), store.events(2).unwrap()), (before, events));

    store.move_to_trash(&[2, 6], 400).unwrap();
    store.restore(&[2]).unwrap();
    assert_eq!(store.empty_trash().unwrap(), [6]);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(ids(&store), [1, 2, 3, 4, 5]);
    for gone in [store.events(6).err(), store.entry(6).err(), store.restore(&[6]).err()] {
        assert!(matches!(gone, Some(StoreError::Missing { id: 6, .. })), "{gone:?}");
    }
    // An episode deleted while it was being written is not created again.
    assert!(matches!(store.append(6, &written(0, "x")), Err(StoreError::Missing { .. })));
    assert_eq!(store.next_episode_id().unwrap(), 7, "an id is never reused");
}
