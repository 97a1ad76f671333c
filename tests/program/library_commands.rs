//! `pointsman episodes`: queries, pages, tags, notes and the trash, on real episodes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use pointsman::episode::{Event, EventKind, Parent};
use pointsman::library::{LocalCalendar, Query, fork_tree, query_page};
use pointsman::recording;
use pointsman::store::{EpisodeEntry, Store, Tag};
use serde_json::Value;

use crate::shell::{failure, objects, output, stdout};

const QUESTION: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens. She gives away 18 pens. \
                        How many pens does Ava have?";

/// Thirty graded episodes with random writers, and one without a gold answer.
fn fill_store(home: &Path) {
    stdout(home, &["collect", "--router", "random", "--coin", "0.5", "-n", "30", "--seed=5"]);
    stdout(home, &["run", "--router", "always-large", QUESTION]);
}

/// A query, and whether it selects an episode.
type Case<'a> = (&'a str, &'a dyn Fn(&Value) -> bool);

fn ids(lines: &str) -> Vec<u64> {
    objects(lines).iter().map(|entry| entry["id"].as_u64().unwrap()).collect()
}

#[test]
fn queries_select_and_sort_episodes() {
    let home = tempfile::tempdir().unwrap();
    fill_store(home.path());
    let run = |arguments: &[&str]| stdout(home.path(), arguments);
    let find = |query: &str| ids(&run(&["episodes", "ls", "--json", query]));
    let all = objects(&run(&["episodes", "ls", "--json"]));
    assert_eq!(ids(&run(&["episodes", "ls", "--json"])), (1..=31).rev().collect::<Vec<_>>());
    run(&["episodes", "tag", "3", "7", "+foo"]);
    run(&["episodes", "star", "7", "9"]);
    run(&["episodes", "note", "9", "ask Ava"]);

    let number = |entry: &Value, field: &str| entry[field].as_f64().unwrap();
    let verdict = |entry: &Value, is: &str| entry["end"]["verdict"] == is;
    let has = |entry: &Value, part: &str| {
        entry["question"].as_str().unwrap().to_lowercase().contains(part)
    };
    let share = |entry: &Value| number(entry, "large_cost") / number(entry, "cost");
    let middle = number(&all[15], "cost");
    let costly = format!("cost>={middle}");
    let middle_share = share(&all[15]);
    let small = format!("share<{middle_share}");
    let cases: [Case<'_>; 18] = [
        ("right", &|e| verdict(e, "correct")),
        ("right wrong", &|e| !verdict(e, "undecided")),
        ("-right", &|e| !verdict(e, "correct")),
        ("undecided", &|e| verdict(e, "undecided")),
        ("unfinished", &|_| false),
        ("task:arithmetic", &|e| e["task"] == "arithmetic"),
        ("router:always-large preset:tiny", &|e| e["router"] == "always-large"),
        ("PENS", &|e| has(e, "pens")),
        ("\"How many pens\"", &|e| has(e, "how many pens")),
        ("-pens", &|e| !has(e, "pens")),
        (&costly, &|e| number(e, "cost") >= middle),
        (&small, &|e| share(e) < middle_share),
        ("steps>3 -switches<1", &|e| number(e, "steps") > 3.0 && number(e, "switches") >= 1.0),
        ("today", &|_| true),
        ("before:2026-01-01", &|_| false),
        ("tag:foo", &|e| e["id"] == 3 || e["id"] == 7),
        ("starred -tag:foo", &|e| e["id"] == 9),
        ("note:AVA", &|e| e["id"] == 9),
    ];
    for (query, holds) in cases {
        let expected = all.iter().filter(|e| holds(e)).map(|e| e["id"].as_u64().unwrap());
        assert_eq!(find(query), expected.collect::<Vec<_>>(), "{query}");
    }
    // These select some, but not all.
    for some in ["right", "wrong", &costly, &small, "steps>3 -switches<1", "pens", "-pens"] {
        assert!((1..31).contains(&find(some).len()), "{some}");
    }
    assert_eq!(find("in:\"4 × 12 = 48\""), [31]);
    assert_eq!(find("in:\"4 × 12 = 48\" task:arithmetic"), [0; 0]);

    let mut by_cost = all.clone();
    by_cost.sort_by(|a, b| number(a, "cost").total_cmp(&number(b, "cost")));
    let sorted: Vec<u64> = by_cost.iter().map(|e| e["id"].as_u64().unwrap()).collect();
    assert_eq!(find("sort:cost"), sorted);
    let dearest = ids(&run(&["episodes", "ls", "--json", "-n", "4", "right sort:-cost"]));
    let right = by_cost.iter().rev().filter(|e| verdict(e, "correct"));
    let cost = |id: &u64| number(all.iter().find(|e| e["id"] == *id).unwrap(), "cost");
    let expected: Vec<f64> = right.take(4).map(|e| number(e, "cost")).collect();
    assert_eq!(dearest.iter().map(cost).collect::<Vec<_>>(), expected);

    // Pages together give the whole result, even if episodes are deleted in between.
    let store = Store::open(&home.path().join("data/store")).unwrap();
    for query in ["", "pens", "sort:steps", "sort:-share right", "in:1"] {
        let expected = find_in(&store, query, usize::MAX);
        for n in [1, 7, 31] {
            assert_eq!(find_in(&store, query, n), expected, "{query} by {n}");
        }
    }
    let query = Query::parse("sort:cost", &LocalCalendar::at(0)).unwrap();
    let first = query_page(&store, &query, None, 10, |_| true).unwrap();
    store.move_to_trash(&sorted[5..12], 0).unwrap();
    let rest = query_page(&store, &query, first.next, 100, |_| true).unwrap();
    let rest: Vec<u64> = rest.entries.iter().map(|e| e.summary.id).collect();
    assert_eq!(rest, sorted[12..]);
    // The callback can end a search.
    let partial =
        query_page(&store, &Query::default(), None, 100, |looked_at| looked_at < 3).unwrap();
    assert_eq!(partial.entries.len(), 3);
    let rest = query_page(&store, &Query::default(), partial.next, 100, |_| true).unwrap();
    assert_eq!(rest.entries.len() + 3, store.len());
}

/// The result of a query, read in pages of `n`.
fn find_in(store: &Store, line: &str, n: usize) -> Vec<u64> {
    let query = Query::parse(line, &LocalCalendar::at(0)).unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let query_page = query_page(store, &query, after, n, |_| true).unwrap();
        assert!(query_page.entries.len() <= n && query_page.unreadable.is_empty());
        found.extend(query_page.entries.iter().map(|entry| entry.summary.id));
        after = query_page.next;
        if after.is_none() {
            return found;
        }
    }
}

#[test]
fn episodes_are_tagged_trashed_and_restored() {
    let home = tempfile::tempdir().unwrap();
    for seed in ["3", "4", "5"] {
        stdout(home.path(), &["run", "--router", "always-small", "--seed", seed]);
    }
    stdout(home.path(), &["run", "--router", "always-large", QUESTION]);
    let run = |arguments: &[&str]| stdout(home.path(), &[&["episodes"], arguments].concat());
    let listed = || ids(&run(&["ls", "--json"]));

    assert_eq!(run(&["tag", "1", "2", "+Foo", "+bar"]), "episode 1: bar foo\nepisode 2: bar foo\n");
    assert_eq!(
        run(&["tag", "--json", "2", "-foo"]).trim(),
        r#"{"id":2,"tags":["bar"],"starred":false,"note":""}"#
    );
    run(&["star", "2", "4"]);
    assert_eq!(run(&["unstar", "4"]), "episode 4: no star, tag or note\n");
    assert_eq!(run(&["note", "2", "ask\nAva"]), "episode 2: * bar “ask Ava”\n");
    let table = run(&["ls", "starred"]);
    assert!(table.lines().nth(1).unwrap().ends_with("* bar “ask Ava”"), "{table}");
    assert!(run(&["show", "2"]).contains("* bar “ask Ava”"));
    assert_eq!(run(&["ls", "nothing-like-it"]), "no episode matches\n");

    let (before, events) = (run(&["ls", "--json", "tag:bar"]), run(&["show", "2", "--json"]));
    let moved = run(&["rm", "2", "2", "3"]);
    assert_eq!(moved, "2 episodes are in the trash: `pointsman episodes undo` restores them\n");
    assert_eq!(listed(), [4, 1]);
    assert!(
        run(&["rm", "--query", "router:always-large"]).starts_with("episode 4 is in the trash")
    );
    assert_eq!(
        run(&["rm", "--query", "parent:1"]),
        "no episode matches, so none was moved to the trash\n"
    );
    assert_eq!(ids(&run(&["trash", "ls", "--json"])), [4, 3, 2], "the last deletion first");
    assert!(run(&["trash", "ls"]).contains("Ava has 37 pens"));
    assert!(run(&["show", "2"]).contains("in the trash since"));

    assert_eq!(run(&["undo"]), "episode 4 restored\n");
    assert_eq!(run(&["restore", "2"]), "episode 2 restored\n");
    assert_eq!(run(&["ls", "--json", "tag:bar"]), before);
    assert_eq!(run(&["show", "2", "--json"]), events);
    assert_eq!(run(&["trash", "empty"]), "episode 3 deleted permanently\n");
    assert_eq!(run(&["trash", "ls"]), "the trash is empty\n");
    assert_eq!(listed(), [4, 2, 1]);
}

#[test]
fn an_export_takes_the_result_of_a_query() {
    let home = tempfile::tempdir().unwrap();
    for router in ["always-small", "always-large", "always-small"] {
        stdout(home.path(), &["run", "--router", router, QUESTION]);
    }
    let run = |arguments: &[&str]| stdout(home.path(), &[&["episodes"], arguments].concat());
    let (one, three) = (run(&["export", "1"]), run(&["export", "3"]));
    assert_eq!(run(&["export", "--query", "router:always-small"]), format!("{one}{three}"));
    assert_eq!(run(&["export", "3", "1", "3"]), format!("{three}{one}"));
    let file = home.path().join("small.jsonl");
    let out = file.to_str().unwrap();
    let printed = run(&["export", "--query", "router:always-small sort:-date", "--out", out]);
    assert_eq!(printed, "", "results go to the file");
    assert_eq!(std::fs::read_to_string(file).unwrap(), format!("{three}{one}"));
    run(&["rm", "1", "2"]);
    assert_eq!(run(&["export"]), three, "episodes in the trash are not exported");
}

#[test]
fn wrong_arguments_are_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    stdout(home.path(), &["run", "--router", "always-small", QUESTION]);
    let cases: [(&[&str], i32, &str); 16] = [
        (&["ls", "right cots<5"], 2, "character 7: `cots` cannot be compared; use cost"),
        (&["ls", "--jsn"], 2, "`--jsn` is neither a filter"),
        (&["ls", "foo:bar"], 2, "there is no filter `foo:`; use task:"),
        (&["rm", "--query", "-\"a"], 2, "not closed"),
        (&["export", "--query", "sort:colour"], 2, "use date, cost"),
        (&["tag", "1", "foo"], 2, "neither the number of an episode nor a tag"),
        (&["tag", "1", "+two words"], 2, "`two words` cannot be a tag"),
        (&["tag", "1", "+foo", "--json"], 2, "put the option `--json` before"),
        (&["tag", "+foo"], 2, "the number of an episode is missing"),
        (&["tag", "1"], 2, "a tag to add or remove is missing"),
        (&["tag", "1", "9", "+foo"], 1, "holds no episode 9"),
        (&["note", "9", "x"], 1, "holds no episode 9"),
        (&["rm", "1", "9"], 1, "holds no episode 9"),
        (&["restore", "1"], 1, "episode 1 is not in the trash"),
        (&["undo"], 1, "the trash is empty"),
        (&["export", "9"], 1, "holds no episode 9"),
    ];
    for (arguments, code, words) in cases {
        let (found, message) = failure(home.path(), &[&["episodes"], arguments].concat());
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert_eq!(found, code, "{arguments:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
    }
    let list = stdout(home.path(), &["episodes", "ls"]);
    assert!(!list.contains("foo"), "a refused change has no effect: {list}");
}

/// The `k`th change of a sequence that depends only on the store.
fn change(store: &Store, episode: &[Event], k: usize) {
    let all: Vec<u64> = store.summaries().map(|summary| summary.unwrap().id).collect();
    if all.len() < 6 {
        let more = vec![episode.to_vec(); 8];
        store.add_episodes(&more).unwrap();
        return;
    }
    let (a, b, c) = (all[k % 6], all[(k + 1) % 6], all[(k + 2) % 6]);
    match k % 8 {
        0 => store.annotate(&[a], |annotations| annotations.note = k.to_string()).unwrap(),
        1 | 5 => store.move_to_trash(&[a, b, c], k as u64).unwrap(),
        2 => drop(store.undo_last_deletion().unwrap()),
        3 => store.annotate(&[a, b], |annotations| annotations.starred ^= true).unwrap(),
        4 => {
            let tag: Tag = format!("t{k}").parse().unwrap();
            store.annotate(&[b], |annotations| annotations.tags.extend([tag.clone()])).unwrap();
        }
        6 => store.move_to_trash(&[a], k as u64).unwrap(),
        _ => drop(store.empty_trash().unwrap()),
    }
}

/// Everything in a store that a user can see.
fn visible_state(store: &Store) -> Vec<String> {
    let listed = store.entries(None).map(|entry| entry.unwrap());
    let trashed = store.trashed().unwrap().into_iter().map(|(id, _)| store.entry(id).unwrap());
    let all = listed.chain(trashed);
    let line = |entry: EpisodeEntry| {
        let events = store.events(entry.summary.id).unwrap().len();
        format!("{events} {}", serde_json::to_string(&entry).unwrap())
    };
    all.map(line).collect()
}

#[test]
fn a_kill_loses_no_acknowledged_change() {
    // The test runs itself as a program that changes a store until it is killed.
    const FOLDER: &str = "POINTSMAN_TEST_FOLDER";
    let read = |folder: &Path| -> Vec<Event> {
        let lines = std::fs::read_to_string(folder.join("episode.jsonl")).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let (store, episode) = (Store::open(&folder.join("store")).unwrap(), read(folder));
        for k in 0.. {
            change(&store, &episode, k);
            println!("\ndone {k}");
        }
    }
    let home = tempfile::tempdir().unwrap();
    let recorded = stdout(home.path(), &["run", "--json", "--router", "always-small", QUESTION]);
    for round in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("episode.jsonl"), &recorded).unwrap();
        let episode = read(folder.path());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "library_commands::a_kill_loses_no_acknowledged_change",
                "--exact",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut done = lines.by_ref().filter_map(|line| line.strip_prefix("done ")?.parse().ok());
        let enough: usize = 5 + 7 * round;
        assert!(done.any(|k: usize| k >= enough), "the program ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        // The program continued until the signal arrived.
        let last = done.last().unwrap_or(enough);

        let killed = visible_state(&Store::open(&folder.path().join("store")).unwrap());
        let undisturbed = Store::open(&folder.path().join("other")).unwrap();
        (0..=last).for_each(|k| change(&undisturbed, &episode, k));
        let before = visible_state(&undisturbed);
        change(&undisturbed, &episode, last + 1);
        let after = visible_state(&undisturbed);
        // The change in flight is stored or not. Emptying the trash may be half done, since it deletes one episode
        // after the other.
        let all_in = |part: &[String], whole: &[String]| part.iter().all(|e| whole.contains(e));
        let emptying = after.len() < before.len();
        let between = emptying && all_in(&after, &killed) && all_in(&killed, &before);
        assert!(
            killed == before || killed == after || between,
            "after change {last}:\n{killed:#?}\nbefore:\n{before:#?}\nafter:\n{after:#?}"
        );
    }
}

#[test]
fn fork_trees_tolerate_wrong_parents() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let parents = [None, Some(1), Some(1), Some(2), None, Some(7), Some(6), Some(99)];
    let child = |parent: Option<u64>| {
        let mut events =
            recording::find_recording("rescue", Path::new("/nowhere")).unwrap().remove(0).events;
        let EventKind::Started(started) = &mut events[0].kind else { panic!() };
        started.parent = parent.map(|episode| Parent { episode, step: 2 });
        events
    };
    store.add_episodes(&parents.map(child)).unwrap();
    let of = |id| -> Vec<(u64, usize)> {
        let rows = fork_tree(&store, id).unwrap().into_iter();
        rows.map(|(entry, depth)| (entry.summary.id, depth)).collect()
    };
    for id in [1, 2, 3, 4] {
        assert_eq!(of(id), [(1, 0), (2, 1), (4, 2), (3, 1)]);
    }
    assert_eq!(of(5), [(5, 0)]);
    // Two forks of each other, and a fork of a missing episode.
    assert_eq!(of(6).len(), 2);
    assert_eq!(of(8), [(8, 0)]);
    // An episode in the trash is left out, and its forks become roots.
    store.move_to_trash(&[2], 0).unwrap();
    assert_eq!(of(4), [(4, 0)]);
    assert_eq!(of(1), [(1, 0), (3, 1)]);
    assert!(fork_tree(&store, 100).is_err());
}

#[test]
fn a_damaged_episode_is_left_out_of_an_export_and_named() {
    let home = tempfile::tempdir().unwrap();
    for seed in ["3", "4", "5"] {
        stdout(home.path(), &["run", "--seed", seed]);
    }
    let store = home.path().join("data/store");
    let log = store.join("log/000001.log");
    let mut bytes = std::fs::read(&log).unwrap();
    // A body in the middle: an event of episode 2.
    let records: Vec<usize> =
        (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"PMLR")).collect();
    let of_second = records.iter().find(|&&at| bytes[at + 12] == 2).expect("a record of episode 2");
    bytes[of_second + 50] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    std::fs::remove_dir_all(store.join("index")).unwrap();

    let output = output(home.path(), &["episodes", "export"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("episode 2") && errors.contains("salvage"), "{errors}");
    let events = objects(&String::from_utf8(output.stdout).unwrap());
    let ids: std::collections::BTreeSet<u64> =
        events.iter().map(|event| event["episode"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 3].into());
    let list = stdout(home.path(), &["episodes", "ls", "right"]);
    assert!(!list.is_empty());

    let new = home.path().join("new");
    let new = new.to_str().unwrap();
    let report = stdout(home.path(), &["episodes", "salvage", "--to", new]);
    assert!(report.contains("2 complete episodes"), "{report}");
    stdout(home.path(), &["episodes", "export", "--store", new]);
}
