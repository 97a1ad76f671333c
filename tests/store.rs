//! The store: what is acknowledged stays, what is broken says so.

use std::path::Path;

use pointsman::config::{Folders, load_preset};
use pointsman::episode::{
    Event, EventKind, FinishReason, ModelRecord, PerRole, Role, Started, StopReason, Usage,
    Verdict, Writing,
};
use pointsman::store::{End, Store, StoreError};

fn started(question: &str) -> Event {
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
            prices: PerRole { small: 1.0, large: 10.0 },
            seed: 0,
            collection: None,
            parent: None,
        })),
    )
}

fn written(step: usize, text: &str) -> Event {
    let writing = Writing {
        model: Role::Large,
        text: text.into(),
        tokens: vec![],
        usage: Usage { prefilled: 3, ..Usage::default() },
        stop: StopReason::Delimiter,
    };
    Event::new(2, EventKind::Written { step, writing })
}

fn finished() -> Event {
    let kind = EventKind::Finished {
        answer: Some("67".into()),
        verdict: Verdict::Correct,
        reason: FinishReason::Answered,
    };
    Event::new(3, kind)
}

fn fill(path: &Path) -> (u64, u64) {
    let store = Store::open(path).unwrap();
    let (a, b) = (store.create().unwrap(), store.create().unwrap());
    // Two episodes at a time do not get into each other's way.
    store.append(a, &started("first")).unwrap();
    store.append(b, &started("second")).unwrap();
    store.append(a, &written(0, "x\n")).unwrap();
    store.append(b, &written(0, "y\n")).unwrap();
    store.append(a, &finished()).unwrap();
    (a, b)
}

#[test]
fn episodes_come_back_in_order_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = fill(folder.path());
    let store = Store::open(folder.path()).unwrap();
    assert_eq!((a, b), (1, 2));
    assert_eq!(store.len(), 2);
    assert_eq!(store.create().unwrap(), 3);
    assert_eq!(store.events(a).unwrap(), [started("first"), written(0, "x\n"), finished()]);
    let all: Vec<_> = store.list().map(Result::unwrap).collect();
    assert_eq!(all[0].question, "first");
    assert!(matches!(&all[0].end, End::Finished { answer: Some(a), .. } if a == "67"));
    assert_eq!((all[0].steps, all[0].cost), (1, 30.0));
    assert_eq!(all[1].end, End::Unfinished);
    assert_eq!(store.episode(b).unwrap().text(), "y\n");
}

#[test]
fn an_event_takes_the_place_after_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let id = store.create().unwrap();
    store.append(id, &started("long")).unwrap();
    // More than a byte of places, so that their order on disk is put to the test.
    for step in 0..300 {
        store.append(id, &written(step, "x\n")).unwrap();
    }
    assert_eq!(store.episode(id).unwrap().steps.len(), 300);
}

#[test]
fn a_second_opening_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).err().expect("two at a time");
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
    assert!(error.to_string().contains("in use by another pointsman"), "{error}");
}

#[test]
fn a_missing_episode_and_a_newer_event_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let error = store.episode(7).unwrap_err().to_string();
    assert!(error.contains("no episode 7"), "{error}");

    let id = store.create().unwrap();
    store.append(id, &started("new")).unwrap();
    store.append(id, &Event { schema: 99, ..written(0, "x\n") }).unwrap();
    let error = store.episode(id).unwrap_err().to_string();
    assert!(error.contains("update pointsman"), "{error}");
    assert!(store.list().any(|summary| summary.is_err()));
}

#[test]
fn a_folder_that_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Store::open(&file).err().expect("not a folder").to_string();
    assert!(error.contains("file") && error.contains("--store"), "{error}");
}

#[test]
fn a_damaged_store_is_not_taken_for_an_empty_one() {
    for bytes in [vec![], vec![b'x'; 1 << 19]] {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        std::fs::write(folder.path().join("db"), &bytes).unwrap();
        let error = Store::open(folder.path()).err().expect("damaged").to_string();
        assert!(error.contains("--store"), "{error}");
    }
}

#[test]
fn policies_and_who_is_in_force_survive() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = Store::open(folder.path()).unwrap();
        assert!(store.policies().unwrap().is_empty());
        assert_eq!(store.roll_back("tiny").unwrap(), None, "nothing to roll back");
        for file in [b"first", b"other"] {
            let number = store.new_policy().unwrap();
            store.keep_policy(number, file).unwrap();
            store.promote("tiny", number).unwrap();
        }
        store.keep_calibration(&0.25).unwrap();
        store.keep_calibration(&0.75).unwrap();
    }
    let store = Store::open(folder.path()).unwrap();
    let policies = store.policies().unwrap();
    assert_eq!(policies, [(1, b"first".to_vec()), (2, b"other".to_vec())]);
    assert_eq!(store.reign("tiny").unwrap(), [1, 2]);
    assert!(store.reign("qwen").unwrap().is_empty(), "each preset has its own");
    assert_eq!(store.roll_back("tiny").unwrap(), Some(2));
    assert_eq!(store.reign("tiny").unwrap(), [1]);
    assert_eq!(store.calibrations::<f64>().unwrap(), [0.25, 0.75]);
    assert!(store.calibrations::<String>().is_err(), "what is no such thing is told");
}
