//! Damage to a store: what was acknowledged is lost only where its own record is hit, and is then named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pointsman::episode::{Event, EventKind};
use pointsman::store::{Store, StoreError};

use crate::store::{finished, started, written};

/// Number of episodes in the stores of this module.
const EPISODES: u64 = 6;

/// Everything that a store acknowledged.
#[derive(Debug, PartialEq)]
struct Contents {
    episodes: BTreeMap<u64, Vec<Event>>,
    promotions: Vec<u64>,
    policies: Vec<(u64, Vec<u8>)>,
}

fn events(id: u64) -> Vec<Event> {
    let steps = (0..3).map(|step| written(step, &format!("step {step} of episode {id}\n")));
    std::iter::once(started(&format!("question {id}"))).chain(steps).chain([finished()]).collect()
}

/// Fills a store event by event. The last episode stays unfinished.
fn fill(store: &Store) -> Contents {
    let mut episodes = BTreeMap::new();
    for n in 1..=EPISODES {
        let id = store.next_episode_id().unwrap();
        let mut all = events(n);
        if n == EPISODES {
            all.pop();
        }
        for event in &all {
            store.append(id, event).unwrap();
        }
        episodes.insert(id, all);
    }
    store.annotate(&[1, 3], |annotations| annotations.note = "a note".into()).unwrap();
    let policy = store.next_policy_id().unwrap();
    store.save_policy(policy, b"policy file").unwrap();
    store.promote("tiny", policy).unwrap();
    Contents { episodes, promotions: vec![1], policies: vec![(1, b"policy file".to_vec())] }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A store that was closed, and a copy of it as a killed process would have left it.
fn closed_and_killed() -> (tempfile::TempDir, tempfile::TempDir, Contents) {
    let (closed, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(closed.path()).unwrap();
    let contents = fill(&store);
    copy(closed.path(), killed.path());
    drop(store);
    (closed, killed, contents)
}

/// Number of places in each file of the log; more with `POINTSMAN_SLOW=1`.
fn places_in_log() -> u64 {
    if std::env::var_os("POINTSMAN_SLOW").is_some() { 200 } else { 20 }
}

/// Places in a file, evenly spaced, with its first and last byte.
fn places(length: u64, n: u64) -> impl Iterator<Item = u64> {
    let last = length.saturating_sub(1);
    (0..=n).map(move |i| last * i / n)
}

/// Asserts that `store` has everything, except episodes that it names as damaged.
fn assert_nothing_is_lost_in_silence(store: &Store, expected: &Contents, what: &str) {
    let notices = store.notices().join("\n");
    for (id, events) in &expected.episodes {
        match store.events(*id) {
            Ok(found) if found == *events => {}
            // The end of the log is cut off: a store cannot tell that from a crash while it was written, and says so.
            Ok(found) => {
                assert!(events.starts_with(&found), "{what}: episode {id} has other events");
                assert!(!notices.is_empty(), "{what}: episode {id} lost events in silence");
            }
            Err(error) => {
                let names_it = matches!(error, StoreError::Damaged { .. }) || names(&notices, *id);
                assert!(names_it, "{what}: episode {id}: {error}; notices: {notices}");
            }
        }
    }
    let promotions = store.promotions("tiny").unwrap_or_default();
    let has_all = promotions == expected.promotions
        && store.policies().unwrap_or_default() == expected.policies;
    assert!(has_all || !notices.is_empty(), "{what}: policies are lost in silence");
}

/// Whether the notices name the episode: `episode 3`, `episodes 2 to 4` or `episodes: 1, 3`.
fn names(notices: &str, id: u64) -> bool {
    let words: Vec<&str> =
        notices.split([' ', ',', '(', ')', ':', ';', '\n']).filter(|w| !w.is_empty()).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    (0..words.len()).filter(|at| words[*at].starts_with("episode")).any(|at| {
        if words.get(at + 2) == Some(&"to") {
            return number(at + 1) <= Some(id) && Some(id) <= number(at + 3);
        }
        (at + 1..).map_while(number).any(|number| number == id)
    })
}

/// Damages a copy of `folder` and opens it, for reading and for writing.
fn try_damage(
    folder: &Path,
    file: &Path,
    expected: &Contents,
    what: &str,
    harm: impl FnOnce(&Path),
) -> bool {
    let damaged = tempfile::tempdir().unwrap();
    copy(folder, damaged.path());
    harm(&damaged.path().join(file));
    let reading = Store::open_read_only(damaged.path());
    let reading = reading.unwrap_or_else(|e| panic!("{what}: cannot be read: {e}"));
    assert_nothing_is_lost_in_silence(&reading, expected, &format!("{what}, reading"));
    let store = Store::open(damaged.path());
    let store = store.unwrap_or_else(|e| panic!("{what}: cannot be opened: {e}"));
    assert_nothing_is_lost_in_silence(&store, expected, what);
    let next = store.next_episode_id().unwrap();
    assert!(next > EPISODES, "{what}: the id {next} is given twice");
    store.append(next, &started("after the damage")).unwrap();
    let complete = expected.episodes.iter().all(|(id, e)| store.events(*id).is_ok_and(|f| f == *e));
    drop(store);
    let again = Store::open(damaged.path()).unwrap();
    assert_eq!(again.events(next).unwrap().len(), 1, "{what}: the store is not writable");
    complete
}

fn flip(path: &Path, at: u64, bit: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    if let Some(byte) = bytes.get_mut(at as usize) {
        *byte ^= 1 << bit;
    }
    std::fs::write(path, bytes).unwrap();
}

/// Does `harm` at many places of every file of a closed and of a killed store.
fn try_everywhere(how: &str, harm: fn(&Path, u64)) {
    let (closed, killed, expected) = closed_and_killed();
    for folder in [closed.path(), killed.path()] {
        for path in files(folder) {
            let length = std::fs::metadata(&path).unwrap().len();
            let file = path.strip_prefix(folder).unwrap();
            let is_log = file.starts_with("log");
            for at in places(length, if is_log { places_in_log() } else { 4 }) {
                let what = format!("{} {how} at byte {at}", file.display());
                let complete = try_damage(folder, file, &expected, &what, |path| harm(path, at));
                assert!(complete || is_log, "{what}: only damage to the log may lose events");
                let is_closed = folder == closed.path();
                assert!(complete || !is_closed, "{what}: the index of a closed store has all rows");
            }
        }
    }
}

#[test]
fn a_flipped_bit_loses_at_most_its_own_record() {
    try_everywhere("with a flipped bit", |path, at| flip(path, at, at % 8));
}

#[test]
fn a_truncated_file_loses_at_most_what_was_cut_off() {
    try_everywhere("cut off", |path, at| {
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(at).unwrap();
    });
}

#[test]
fn a_missing_file_or_folder_loses_nothing_of_a_closed_store() {
    let (closed, _, expected) = closed_and_killed();
    let names = ["log", "index", "index.clean", "counters", "lock", "reserve"];
    for name in names {
        let harm = |path: &Path| {
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        };
        let what = format!("{name} removed");
        let damaged = tempfile::tempdir().unwrap();
        copy(closed.path(), damaged.path());
        harm(&damaged.path().join(name));
        let store = Store::open(damaged.path()).unwrap();
        for (id, events) in &expected.episodes {
            assert_eq!(&store.events(*id).unwrap(), events, "{what}");
        }
        assert_eq!(store.promotions("tiny").unwrap(), expected.promotions, "{what}");
    }
}

#[test]
fn acknowledged_events_need_only_the_synced_log() {
    // After a power cut, nothing is certain except what was synced: the log up to the last acknowledged record.
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let id = store.next_episode_id().unwrap();
    for (n, event) in events(1).iter().enumerate() {
        store.append(id, event).unwrap();
        let after = tempfile::tempdir().unwrap();
        copy(&folder.path().join("log"), &after.path().join("log"));
        // A record that was being written, and an index of which nothing reached the disk.
        let segment = after.path().join("log/000001.log");
        let mut bytes = std::fs::read(&segment).unwrap();
        bytes.extend([0; 50]);
        std::fs::write(&segment, bytes).unwrap();
        let recovered = Store::open(after.path()).unwrap();
        assert_eq!(recovered.events(id).unwrap().len(), n + 1);
        assert_eq!(recovered.next_episode_id().unwrap(), id + 1);
    }
}

#[test]
fn others_read_while_one_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let expected = fill(&store);
    let reading = Store::open_read_only(folder.path()).unwrap();
    assert_eq!(reading.notices(), [""; 0]);
    assert_nothing_is_lost_in_silence(&reading, &expected, "while another process writes");
    let newest = reading.entries(None).next().unwrap().unwrap();
    assert_eq!(newest.summary.id, EPISODES);
    assert_eq!(reading.annotations(3).unwrap().note, "a note");
    let refused = reading.annotate(&[3], |annotations| annotations.note.clear());
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))));
    assert!(matches!(reading.next_episode_id(), Err(StoreError::ReadOnly(_))));
}

#[test]
fn reading_changes_no_file() {
    let (closed, killed, _) = closed_and_killed();
    for folder in [closed.path(), killed.path()] {
        let before: Vec<_> =
            files(folder).iter().map(|path| std::fs::read(path).unwrap()).collect();
        let reading = Store::open_read_only(folder).unwrap();
        assert_eq!(reading.summaries().count(), EPISODES as usize);
        drop(reading);
        let after: Vec<_> = files(folder).iter().map(|path| std::fs::read(path).unwrap()).collect();
        assert_eq!(before, after);
    }
}

#[test]
fn emptying_the_trash_erases_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let needle = b"a question that nobody shall read again";
    let mut secret = started(std::str::from_utf8(needle).unwrap());
    let EventKind::Started(start) = &mut secret.kind else { unreachable!() };
    start.collection = Some("c".into());
    {
        let store = Store::open(folder.path()).unwrap();
        store.add_episodes(&[vec![secret, finished()], vec![started("kept"), finished()]]).unwrap();
        store.annotate(&[1, 2], |annotations| annotations.note = "note of both".into()).unwrap();
        store.annotate(&[1], |annotations| annotations.note = "another note".into()).unwrap();
    }
    let log = |folder: &Path| std::fs::read(folder.join("log/000001.log")).unwrap();
    let non_zero = |bytes: &[u8]| bytes.iter().map(|byte| usize::from(*byte > 0)).sum::<usize>();
    let before = log(folder.path());
    {
        let store = Store::open(folder.path()).unwrap();
        store.move_to_trash(&[1], 1).unwrap();
        assert_eq!(store.empty_trash().unwrap(), [1]);
    }
    // Values are deflated, so the text itself cannot be searched: the bytes of its record are gone.
    let after = log(folder.path());
    assert!(after.len() > before.len());
    let erased = non_zero(&before) - non_zero(&after[..before.len()]);
    assert!(erased > 400, "{erased} bytes are erased");
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.notices(), [""; 0], "erased records are not damage");
    assert!(matches!(store.events(1), Err(StoreError::Missing { .. })));
    assert_eq!(store.annotations(2).unwrap().note, "note of both");
    assert_eq!(store.events(2).unwrap().len(), 2);
    let reading = Store::open_read_only(folder.path()).unwrap();
    assert_eq!((reading.notices().len(), reading.len()), (0, 1));
}

#[test]
fn salvage_copies_the_beginning_of_a_damaged_episode() {
    let (_, killed, expected) = closed_and_killed();
    // The third record of the log is an event of episode 1.
    let log = killed.path().join("log/000001.log");
    let bytes = std::fs::read(&log).unwrap();
    let headers: Vec<usize> =
        (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"PMLR")).collect();
    flip(&log, (headers[2] + 60) as u64, 3);
    std::fs::remove_dir_all(killed.path().join("index")).unwrap();
    let to = tempfile::tempdir().unwrap();
    let to = to.path().join("new");
    let store = Store::open_read_only(killed.path()).unwrap();
    assert!(store.notices().join(" ").contains("episode 1"), "{:?}", store.notices());
    let report = store.salvage(&to).unwrap();
    assert_eq!((report.complete, report.shortened, report.lost), (5, vec![(1, 2)], vec![]));
    let new = Store::open(&to).unwrap();
    assert_eq!(new.events(1).unwrap(), expected.episodes[&1][..2]);
    assert_eq!(new.events(2).unwrap(), expected.episodes[&2]);
    assert!(store.salvage(&to).is_err(), "an existing folder is refused");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(Store::open(&path).unwrap());
    for path in [path.clone(), path.join("log"), path.join("index"), path.join("counters")] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}
