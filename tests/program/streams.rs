//! Commands whose standard output or standard error is closed, or on a full disk.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use pointsman::episode::FinishReason;
use pointsman::store::{EpisodeEnd, Store};

use crate::collected::{COLLECTED, collected_home};
use crate::shell::pointsman;

/// How long a command may take; generous, since the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Commands in a home with collected episodes, and the files `rows.jsonl` and `episodes.jsonl` in the folder.
const COMMANDS: [&[&str]; 48] = [
    &["--help"],
    &["--version"],
    &["--nonsense"],
    &["run", "--help"],
    &["run", "--nonsense"],
    &["help"],
    &["help", "guide"],
    &["print", "keys"],
    &["print", "keys", "--toml"],
    &["print", "config"],
    &["print", "man"],
    &["print", "completions", "bash"],
    &["print", "reference", "routers"],
    &["doctor"],
    &["models", "ls"],
    &["models", "ls", "--json"],
    &["models", "check"],
    &["models", "check", "--json"],
    &["run", "--seed", "3"],
    &["run", "--seed", "3", "--json"],
    &["run", "--seed", "3", "--shadow", "entropy"],
    &["run", "--tasks", "nowhere.jsonl"],
    &["fork", "1", "--step", "1", "--model", "large"],
    &["fork", "1", "--step", "1", "--json"],
    &["explain", "1", "1"],
    &["explain", "1", "1", "--json"],
    &["eval", "-n", "3", "--no-curve", "--resamples", "100"],
    &["eval", "-n", "3", "--routers", "entropy", "--resamples", "100", "--json"],
    &["eval", "--stored"],
    &["grade", "rows.jsonl", "--tasks", "math500"],
    &["grade", "rows.jsonl", "--tasks", "math500", "--json"],
    &["collect", "-n", "2", "--seed", "77"],
    &["train", "--iterations", "2"],
    &["policy", "show", "tiny-1"],
    &["policy", "ls"],
    &["policy", "show"],
    &["policy", "promote", "tiny-1", "--force"],
    &["replay", "rescue", "--headless"],
    &["replay", "1", "--headless"],
    &["replay", "rescue", "--cast", "film.cast"],
    &["episodes", "ls"],
    &["episodes", "ls", "--json"],
    &["episodes", "show", "1"],
    &["episodes", "show", "1", "--json"],
    &["episodes", "tag", "1", "+seen"],
    &["episodes", "export"],
    &["episodes", "export", "--out", "all.jsonl"],
    &["episodes", "import", "episodes.jsonl"],
];

/// A state of a stream that takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// A pipe whose reader has gone.
    Closed,
    /// A file on a full disk.
    Full,
}

impl Broken {
    fn stream(self) -> Stdio {
        match self {
            Self::Closed => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                writer.into()
            }
            Self::Full => full().into(),
        }
    }
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").expect("Linux has it")
}

/// What a command left: its exit code, and what its working streams have.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

/// Runs a command to its end, however its streams are.
fn end(home: &Path, arguments: &[&str], out: Option<Broken>, err: Option<Broken>) -> Ended {
    let mut command = pointsman(home, arguments);
    command.current_dir(home);
    let (mut kept_out, mut kept_err) =
        (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let stream = |broken: Option<Broken>, kept: &File| match broken {
        Some(broken) => broken.stream(),
        None => kept.try_clone().unwrap().into(),
    };
    command.stdout(stream(out, &kept_out)).stderr(stream(err, &kept_err));
    let status = wait(&mut command);
    let text = |file: &mut File| {
        let mut text = String::new();
        std::io::Seek::rewind(file).unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    };
    let code = status.code().unwrap_or_else(|| panic!("{arguments:?}, {out:?}, {err:?}: {status}"));
    Ended { code, out: text(&mut kept_out), err: text(&mut kept_err) }
}

fn wait(command: &mut Command) -> ExitStatus {
    wait_for(&mut command.spawn().unwrap())
}

fn wait_for(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the command does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A home with collected episodes and the files of [`COMMANDS`].
fn home() -> tempfile::TempDir {
    let home = collected_home();
    let row = "{\"solution\": \"So the answer is \\\\boxed{4}.\", \"answer\": \"4\"}\n";
    std::fs::write(home.path().join("rows.jsonl"), row).unwrap();
    let exported = end(home.path(), &["episodes", "export", "3"], None, None).out;
    std::fs::write(home.path().join("episodes.jsonl"), exported).unwrap();
    home
}

#[test]
fn every_command_ends_whatever_becomes_of_its_output() {
    let home = home();
    for arguments in COMMANDS {
        let run = |out, err| end(home.path(), arguments, out, err);
        let whole = run(None, None);
        assert!(whole.code <= 2, "{arguments:?}: {whole:?}");
        let prints = !whole.out.is_empty();

        let closed = run(Some(Broken::Closed), None);
        assert!(closed.code <= whole.code.max(1), "{arguments:?} | true: {closed:?}");
        assert!(!closed.err.contains("Broken pipe"), "{arguments:?} | true: {closed:?}");

        let full = run(Some(Broken::Full), None);
        let (code, names_it) = (full.code, full.err.contains("standard output"));
        assert_eq!(
            (code == 1, names_it),
            (prints || whole.code == 1, prints),
            "{arguments:?} > full: {full:?}"
        );

        for broken in [Broken::Closed, Broken::Full] {
            let silent = run(None, Some(broken));
            assert_eq!(
                silent.code, whole.code,
                "{arguments:?}, standard error {broken:?}: {silent:?}"
            );
            assert_eq!(!silent.out.is_empty(), prints, "{arguments:?}, standard error {broken:?}");
        }
        run(Some(Broken::Full), Some(Broken::Closed));
    }
    // None of them has left the store locked, or an episode that cannot be read.
    let store = Store::open(&home.path().join("data/store")).unwrap();
    assert!(store.len() > COLLECTED);
    assert!(store.summaries().all(|summary| summary.is_ok()));
}

#[test]
fn long_commands_end_when_their_reader_has_gone() {
    let home = collected_home();
    // Each would take hours.
    let commands: [(&[&str], i32); 4] = [
        (&["eval", "-n", "1000000", "--no-curve"], 0),
        (&["collect", "-n", "1000000"], 1),
        (&["calibrate", "--target-cost", "0.5", "-n", "1000000"], 1),
        (&["train", "--iterations", "1000000000"], 1),
    ];
    for (arguments, code) in commands {
        let ended = end(home.path(), arguments, Some(Broken::Closed), None);
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
    }
    Store::open(&home.path().join("data/store")).unwrap();
}

#[test]
fn an_episode_ends_with_the_reader_of_its_first_line() {
    for arguments in [&["run", "--router", "always-small"][..], &["run", "--json"]] {
        let home = tempfile::tempdir().unwrap();
        let mut child = pointsman(home.path(), arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut String::new()).unwrap();
        drop(lines);
        assert!(wait_for(&mut child).success(), "{arguments:?}");
        let store = Store::open(&home.path().join("data/store")).unwrap();
        // It may have come to its end before.
        let end = store.summaries().next().unwrap().unwrap().end;
        let EpisodeEnd::Finished { reason, .. } = end else { panic!("{arguments:?}: {end:?}") };
        assert!(matches!(reason, FinishReason::Cancelled | FinishReason::Answered), "{reason:?}");
    }
}
