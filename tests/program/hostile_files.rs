//! Files and names that are not what they seem: devices, pipes, paths in a recording, escape sequences, numbers that
//! cannot be right.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::copy_folder::copy_folder;
use crate::shell::{failure, objects, output, stdout};

type Change = fn(&mut Value);

const TINY: &str = include_str!("../../presets/tiny.toml");
const RESCUE: &str = include_str!("../../recordings/rescue.jsonl");

/// A pipe that nobody writes to: opening it would wait for ever.
fn pipe(home: &Path, name: &str) -> PathBuf {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let bytes = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the path is a valid C string.
    assert_eq!(unsafe { libc::mkfifo(bytes.as_ptr(), 0o600) }, 0);
    path
}

/// The one line that a failing command prints.
fn sentence(home: &Path, arguments: &[&str]) -> String {
    let (code, message) = failure(home, arguments);
    assert!(code == 1 || code == 2, "{arguments:?}: {code} {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{arguments:?}: {message}");
    message
}

/// Events as the lines of a recording.
fn lines(events: &[Value]) -> String {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

/// The recording after a change of one of its events, which `select` picks.
fn changed(select: &str, change: impl Fn(&mut Value)) -> String {
    let mut events = objects(RESCUE);
    let event = events.iter_mut().find(|event| event["event"] == select).unwrap();
    change(event);
    lines(&events)
}

fn write(home: &Path, name: &str, text: &str) -> String {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn only_regular_files_are_opened() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let fifo = pipe(home, "waits.jsonl");
    let fifo = fifo.to_str().unwrap();
    let preset = pipe(home, "waits.toml");
    let preset = preset.to_str().unwrap();
    let policy = pipe(home, "waits.safetensors");
    let policy = policy.to_str().unwrap();
    let folder = home.to_str().unwrap();
    for file in ["/dev/zero", fifo, folder] {
        for arguments in [
            &["replay", file][..],
            &["replay", file, "--headless"],
            &["episodes", "import", file],
            &["grade", "--tasks", "gsm8k", file],
            &["eval", "--tasks", "mine", "--data", file],
            &["run", "--tasks", file],
        ] {
            let message = sentence(home, arguments);
            assert!(message.contains(file), "{arguments:?}: {message}");
        }
    }
    for arguments in [
        &["run", "--preset", preset, "1 + 1?"][..],
        &["replay", "rescue", "--svg", "/dev/null", "--theme", preset],
        &["run", "--policy", policy, "1 + 1?"],
        &["run", "--policy", "/dev/zero", "1 + 1?"],
        &["run", "--preset", "/dev/zero", "1 + 1?"],
    ] {
        sentence(home, arguments);
    }
    pipe(home, "config/presets/mine.toml");
    assert!(sentence(home, &["run", "--preset", "mine"]).contains("not a regular file"));
    pipe(home, "config/recordings/mine.jsonl");
    assert!(sentence(home, &["replay", "mine"]).contains("not a regular file"));
    // A model that is a pipe, and a folder whose configuration is one.
    let model = pipe(home, "model/config.json");
    for source in [fifo, model.parent().unwrap().to_str().unwrap()] {
        let text = TINY.replace("builtin:tiny/large", source);
        let path = write(home, "piped.toml", &text);
        let checked = output(home, &["models", "check", &path]);
        assert_eq!(checked.status.code(), Some(1), "{source}");
    }
}

#[test]
fn impossible_numbers_are_not_imported() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let cases: [(&str, Change); 6] = [
        ("started", |event| event["prices"]["large"] = (-5.0).into()),
        ("started", |event| event["preset"]["routing"]["threshold"] = 1e308.into()),
        ("decided", |event| event["propensity"] = 0.into()),
        ("decided", |event| event["propensity"] = (-1).into()),
        ("decided", |event| event["p_large"] = 7.5.into()),
        ("written", |event| event["prefilled"] = u64::MAX.into()),
    ];
    for (select, change) in cases {
        let path = write(home, "bad.jsonl", &changed(select, change));
        for arguments in [&["episodes", "import", &path][..], &["replay", &path, "--headless"]] {
            let message = sentence(home, arguments);
            assert!(
                message.contains("impossible number") && message.contains("line "),
                "{message}"
            );
        }
    }
    assert!(!stdout(home, &["episodes", "ls"]).contains("pens"));
}

#[test]
fn a_recording_opens_no_file_that_the_user_has_not_named() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let fifo = pipe(home, "waits");
    let fifo = fifo.to_str().unwrap();
    let changes: [(&str, &str); 3] =
        [("small", "source"), ("large", "source"), ("large", "tokenizer")];
    for (id, (role, key)) in (1..).zip(changes) {
        let text = changed("started", |event| {
            event["preset"][role][key] = fifo.into();
            event["at_ms"] = (1000 + id).into();
        });
        stdout(home, &["episodes", "import", &write(home, "foreign.jsonl", &text)]);
        let message = sentence(home, &["fork", &id.to_string(), "--step", "1"]);
        let expected = format!("names {fifo} as its {role}.{key}");
        assert!(message.contains(&expected) && message.contains("--preset"), "{message}");
    }
    // A policy is looked for in the store instead.
    let text = changed("started", |event| {
        event["preset"]["routing"]["policy"] = fifo.into();
        event["preset"]["routing"]["router"] = "policy".into();
    });
    let text = text.replace("{\"rule\":", "{\"policy\":");
    stdout(home, &["episodes", "import", &write(home, "foreign.jsonl", &text)]);
    let message = sentence(home, &["explain", "4", "1"]);
    assert!(message.contains("--policy"), "{message}");
    let message = sentence(home, &["fork", "4", "--step", "1"]);
    assert!(message.contains("--policy"), "{message}");
}

/// What no command may write to a terminal.
fn assert_safe(text: &str) {
    let is_unsafe = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let found = text.chars().find(|c| is_unsafe(*c));
    assert!(found.is_none(), "{found:?} in {text:?}");
    assert!(!text.contains(&"\u{301}".repeat(20)), "a flood of marks in {text:?}");
}

#[test]
fn hidden_characters_and_escape_sequences_do_not_reach_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let marks = "\u{301}".repeat(3000);
    let evil = format!(
        "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}a\u{200b}\u{2066}\u{e0041}\u{2028}\u{feff}b{marks}"
    );
    let short = "\u{1b}[2J\u{202e}\u{200b}\u{9b}x";
    let mut events = objects(RESCUE);
    for event in &mut events {
        match event["event"].as_str().unwrap() {
            "started" => {
                event["question"] = evil.as_str().into();
                event["gold"] = evil.as_str().into();
                event["preset"]["name"] = evil.as_str().into();
                event["models"]["small"]["name"] = evil.as_str().into();
            }
            "written" | "discarded" => {
                event["text"] = evil.as_str().into();
                event["tokens"][0]["text"] = evil.as_str().into();
            }
            "decided" => event["by"] = serde_json::json!({ "rule": evil }),
            "finished" => event["answer"] = evil.as_str().into(),
            _ => {}
        }
    }
    let text = lines(&events);
    let recording = write(home, "evil.jsonl", &text);
    stdout(home, &["episodes", "import", &recording]);
    write(home, &format!("config/recordings/{short}.jsonl"), &text);
    write(
        home,
        &format!("config/presets/{short}.toml"),
        &TINY.replace("builtin:tiny/large", "gone"),
    );
    let named = write(home, &format!("{short}.jsonl"), "no event\n");
    let shown: [&[&str]; 16] = [
        &["episodes", "ls"],
        &["episodes", "ls", "--json"],
        &["episodes", "show", "1"],
        &["episodes", "show", "1", "--json"],
        &["episodes", "export"],
        &["episodes", "tag", "1", "+x"],
        &["explain", "1", "1"],
        &["replay"],
        &["replay", &recording, "--headless"],
        &["models", "ls"],
        &["models", "ls", "--json"],
        &["replay", &named, "--headless"],
        &["grade", "--tasks", "gsm8k", &named],
        &["run", "--preset", short, "1 + 1?"],
        &["replay", "rescue", &named],
        &["run", "--threshold", short, "1 + 1?"],
    ];
    for arguments in shown {
        let run = output(home, arguments);
        let both = [run.stdout, run.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(!both.concat().is_empty(), "{arguments:?} prints something");
        for text in &both {
            assert_safe(text);
        }
    }
    // JSON keeps the text, as escapes.
    let exported = objects(&stdout(home, &["episodes", "export"]));
    assert_eq!(exported[0]["question"], evil.as_str());
    let out = home.join(format!("{short}-out.jsonl"));
    let run = output(home, &["episodes", "export", "--out", out.to_str().unwrap()]);
    assert!(run.status.success());
    assert_safe(std::str::from_utf8(&run.stderr).unwrap());
    let (svg, cast) = (home.join("a.svg"), home.join("a.cast"));
    stdout(home, &["replay", &recording, "--svg", svg.to_str().unwrap()]);
    assert_safe(&std::fs::read_to_string(svg).unwrap());
    stdout(home, &["replay", &recording, "--cast", cast.to_str().unwrap()]);
    let cast = std::fs::read_to_string(cast).unwrap();
    assert!(!cast.contains(['\u{202e}', '\u{200b}']) && !cast.contains(&marks[..40]));
}

#[test]
fn a_model_with_damaged_weights_fails_its_check_and_leaves_an_episode_that_can_be_read() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets/tiny/large");
    let folder = home.join("damaged");
    copy_folder(&source, &folder);
    let weights = folder.join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    // NaN in every number format.
    bytes[8 + header..].fill(0xFF);
    std::fs::write(&weights, bytes).unwrap();
    let text = TINY.replace("builtin:tiny/large", folder.to_str().unwrap());
    let preset = write(home, "damaged.toml", &text);

    let names_token = |message: &str| {
        let says = message.contains("not finite") || message.contains("impossible number");
        assert!(says && message.contains("token") && message.contains("damaged"), "{message}");
    };
    let checked = output(home, &["models", "check", &preset, "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let lines = objects(std::str::from_utf8(&checked.stdout).unwrap());
    names_token(lines[1]["error"].as_str().unwrap());

    let run = output(home, &["run", "--preset", &preset, "--router", "always-large", "1 + 1?"]);
    assert_eq!(run.status.code(), Some(1));
    names_token(std::str::from_utf8(&run.stderr).unwrap());
    assert!(stdout(home, &["episodes", "show", "1"]).contains("failed: "));
    assert!(stdout(home, &["replay", "1", "--headless"]).contains("failed: "));
}
