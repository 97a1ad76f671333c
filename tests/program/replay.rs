//! `pointsman replay` and `pointsman episodes import`.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::shell::{failure, objects, output, pointsman, stdout};

/// A recording that is embedded in the binary.
const RESCUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/rescue.jsonl");

fn rescue() -> String {
    std::fs::read_to_string(RESCUE).unwrap()
}

/// The same with another episode id.
fn numbered(id: u64) -> String {
    rescue().replace("{\"episode\":1,", &format!("{{\"episode\":{id},"))
}

#[test]
fn a_recording_prints_the_same_from_name_file_pipe_and_store() {
    let home = tempfile::tempdir().unwrap();
    let named = stdout(home.path(), &["replay", "rescue", "--headless"]);
    assert!(named.contains("3 L  In all: 28 + 38 = 66"), "{named}");
    assert!(named.contains("answer 66 (gold 66) · correct"), "{named}");
    assert!(!home.path().join("data").exists(), "a name needs no store");
    assert_eq!(stdout(home.path(), &["replay", RESCUE, "--headless"]), named);

    let mut child = pointsman(home.path(), &["replay", "-", "--headless"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(rescue().as_bytes()).unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), named);

    stdout(home.path(), &["episodes", "import", RESCUE]);
    assert_eq!(stdout(home.path(), &["replay", "1", "--headless"]), named);
    assert_eq!(stdout(home.path(), &["episodes", "show", "1"]), named);
    assert_eq!(stdout(home.path(), &["replay", "rescue", "--headless", "--speed", "16"]), named);
}

#[test]
fn the_output_of_run_is_a_recording() {
    let home = tempfile::tempdir().unwrap();
    let printed = stdout(home.path(), &["run", "--json", "--seed", "27"]);
    let file = home.path().join("run.jsonl");
    std::fs::write(&file, printed).unwrap();
    let replayed = stdout(home.path(), &["replay", file.to_str().unwrap(), "--headless"]);
    assert_eq!(replayed, stdout(home.path(), &["episodes", "show", "1"]));
}

#[test]
fn embedded_recordings_need_no_model_and_no_store() {
    let home = tempfile::tempdir().unwrap();
    let names = pointsman::recording::recording_names(Path::new("/nowhere"));
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        let text = stdout(home.path(), &["replay", &name, "--headless"]);
        assert!(text.contains("answer "), "{name}: {text}");
        let file = format!("{}/recordings/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(stdout(home.path(), &["replay", &file, "--headless"]), text);
    }
    assert!(!home.path().join("data").exists() && !home.path().join("cache").exists());
}

#[test]
fn replay_without_an_argument_lists_recordings() {
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join("config/recordings");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("mine.jsonl"), numbered(1) + &numbered(2)).unwrap();
    std::fs::write(own.join("broken.jsonl"), "x\n").unwrap();
    let list = stdout(home.path(), &["replay"]);
    assert!(list.contains("rescue") && list.contains("66, correct"), "{list}");
    assert!(list.contains("mine") && list.contains("2 episodes"), "{list}");
    assert!(list.contains("broken") && list.contains("line 1"), "{list}");
    assert!(list.contains("pointsman episodes ls"), "{list}");
}

#[test]
fn a_cast_is_reproducible_and_shows_the_end() {
    let home = tempfile::tempdir().unwrap();
    let cast = |name: &str, more: &[&str]| {
        let path = home.path().join(name);
        let arguments = ["replay", "rescue", "--speed", "1/64", "--cast", path.to_str().unwrap()];
        stdout(home.path(), &[&arguments, more].concat());
        std::fs::read_to_string(path).unwrap()
    };
    let first = cast("a.cast", &[]);
    assert_eq!(first, cast("b.cast", &["--size", "100x28"]));

    let lines = objects(&first);
    assert_eq!(
        (&lines[0]["version"], &lines[0]["width"], &lines[0]["height"]),
        (&2.into(), &100.into(), &28.into())
    );
    let mut parser = vt100::Parser::new(28, 100, 0);
    let mut before = 0.0;
    let mut halfway = String::new();
    for line in &lines[1..] {
        let time = line[0].as_f64().unwrap();
        assert!(time >= before && line[1] == "o", "{line}");
        before = time;
        parser.process(line[2].as_str().unwrap().as_bytes());
        if time < 4.0 {
            halfway = parser.screen().contents();
        }
    }
    // 27 ms at 1/64 of their speed, and two seconds of the last frame.
    assert!((3.0..5.0).contains(&before), "{before}");
    assert!(halfway.contains("step 4 of 4") || halfway.contains("In all"), "{halfway}");
    let end = parser.screen().contents();
    assert!(end.contains("answer 66, correct") && end.contains("replay ended"), "{end}");

    let small = objects(&cast("c.cast", &["--size", "80x24", "--ascii"]));
    assert_eq!(small[0]["width"], 80);
    let drawn: String = small[1..].iter().filter_map(|line| line[2].as_str()).collect();
    assert!(drawn.is_ascii());
}

#[test]
fn imports_keep_every_byte_and_skip_duplicates() {
    let home = tempfile::tempdir().unwrap();
    let two = home.path().join("two.jsonl");
    let other = rescue().replace("\"seed\":3}", "\"seed\":4}");
    assert_ne!(other, rescue());
    let other = other.replace("{\"episode\":1,", "{\"episode\":2,");
    std::fs::write(&two, rescue() + &other).unwrap();
    let import = |file: &str| stdout(home.path(), &["episodes", "import", file]);
    let message = import(RESCUE);
    assert!(message.contains("1 episode was imported, as number 1"), "{message}");
    let message = import(two.to_str().unwrap());
    assert!(
        message.contains("1 episode was imported, as number 2; 1 was already in the store"),
        "{message}"
    );
    let message = import(two.to_str().unwrap());
    assert!(message.contains("no episode was imported; 2 were already in the store"), "{message}");
    let exported = stdout(home.path(), &["episodes", "export"]);
    assert_eq!(exported, rescue() + &other);
    assert_eq!(objects(&stdout(home.path(), &["episodes", "ls", "--json"])).len(), 2);
}

#[test]
fn an_import_stores_all_episodes_or_none() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("half.jsonl");
    let good = rescue();
    let out_of_order = numbered(2).lines().rev().collect::<Vec<_>>().join("\n");
    std::fs::write(&file, format!("{good}{out_of_order}")).unwrap();
    let (code, message) = failure(home.path(), &["episodes", "import", file.to_str().unwrap()]);
    assert_eq!(code, 1);
    let line = good.lines().count() + 1;
    assert!(message.contains(&format!("half.jsonl, line {line}")), "{message}");
    assert!(message.contains("export it again"), "{message}");
    assert_eq!(stdout(home.path(), &["episodes", "ls", "--json"]), "");
}

#[test]
fn an_unfinished_episode_is_shown_and_imported() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("cut.jsonl");
    let cut: String = rescue().split_inclusive('\n').take(5).collect();
    std::fs::write(&file, &cut).unwrap();
    let path = file.to_str().unwrap();
    let shown = stdout(home.path(), &["replay", path, "--headless"]);
    assert!(shown.contains("unfinished") && shown.contains("2 × 19 = 38"), "{shown}");
    stdout(home.path(), &["episodes", "import", path]);
    assert_eq!(stdout(home.path(), &["episodes", "show", "--json", "1"]), cut);
    assert!(stdout(home.path(), &["episodes", "ls"]).contains("unfinished"));
}

#[test]
fn wrong_arguments_are_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let empty = write("empty.jsonl", "");
    let words = write("words.jsonl", "once upon a time\n");
    let newer =
        write("newer.jsonl", "{\"episode\":1,\"schema\":99,\"at_ms\":1,\"event\":\"sung\"}\n");
    let torn = write("torn.jsonl", &rescue()[..9000]);
    let missing = home.path().join("gone.jsonl");
    let nowhere = home.path().join("no/such/folder/a.cast");
    let cases: [(&[&str], i32, &str); 9] = [
        (&["replay", "resque"], 2, "choose one of benchmark, draft, fork"),
        (&["replay", missing.to_str().unwrap()], 1, "there is no such file"),
        (&["replay", &empty, "--headless"], 1, "holds no episode"),
        (&["replay", &words, "--headless"], 1, "line 1, is not an event"),
        (&["replay", &newer, "--headless"], 1, "update pointsman"),
        (&["replay", &torn, "--headless"], 1, "breaks off: remove the line"),
        (&["replay", "7", "--headless"], 1, "holds no episode 7"),
        (&["replay", "rescue"], 1, "needs a terminal: use --headless"),
        (&["replay", "rescue", "--cast", nowhere.to_str().unwrap()], 1, "cannot write"),
    ];
    for (arguments, code, words) in cases {
        let (found, message) = failure(home.path(), arguments);
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert_eq!(found, code, "{arguments:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
    }
    for arguments in
        [&["replay", "rescue", "--speed", "99"][..], &["replay", "rescue", "--size", "9x9"]]
    {
        assert_eq!(output(home.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}
