//! The workbench in a pseudo-terminal: drawing, input, signals, and restoring the terminal.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portable_pty::{CommandBuilder, PtySize};

use crate::pty::PtySession;

#[test]
fn a_question_is_answered_and_stored() {
    let home = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(home.path(), &["--seed", "3"], 80, 24);
    session.wait_until_shown("answer 66, correct");
    assert!(session.parser.lock().unwrap().screen().alternate_screen());
    session.assert_idle();
    session.press("?");
    session.wait_until_shown("next step");
    session.press("\x1b");
    // After a resize everything is drawn again.
    session.master.resize(PtySize { rows: 50, cols: 200, ..PtySize::default() }).unwrap();
    session.parser.lock().unwrap().screen_mut().set_size(50, 200);
    session.wait_for("wide screen", |text| {
        text.contains("Answer:") && text.lines().any(|line| line.chars().count() > 180)
    });
    session.press("q");
    assert!(session.end().success());
    session.assert_restored();

    let store = pointsman::store::Store::open(&home.path().join("data/store")).unwrap();
    let all: Vec<_> = store.summaries().map(Result::unwrap).collect();
    assert_eq!(all.len(), 1);
    assert!(matches!(all[0].end, pointsman::store::EpisodeEnd::Finished { .. }), "{:?}", all[0]);
}

#[test]
fn a_question_is_pasted_and_typed() {
    let home = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(home.path(), &["--idle"], 100, 30);
    session.wait_until_shown("ready");
    session.press("i");
    session.press("\x1b[200~Ava has 37 pens. She buys 4 boxes of 12 pens.\x1b[201~");
    session.wait_until_shown("She buys 4 boxes of 12 pens.");
    session.press(" How many pens does Ava have?\r");
    session.wait_until_shown("Answer:");
    session.press("q");
    assert!(session.end().success());

    let store = pointsman::store::Store::open(&home.path().join("data/store")).unwrap();
    let episode = store.episode(1).unwrap();
    assert!(episode.started.question.ends_with("How many pens does Ava have?"));
    assert_eq!(episode.started.gold, None);
}

#[test]
fn a_trace_is_copied_through_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(home.path(), &["replay", "rescue"], 80, 24);
    session.wait_until_shown("answer 66, correct");
    session.press("y");
    session.wait_until_shown("sent to the terminal");
    let copied = session.parser.lock().unwrap().callbacks().0.clone();
    let text = String::from_utf8(STANDARD.decode(&copied[0]).unwrap()).unwrap();
    assert!(text.starts_with("Finn has 25 apples."), "{text}");
    assert!(text.contains("large: ") && text.ends_with("Answer: 66, correct\n"), "{text}");
    assert_eq!(copied.len(), 1);
    session.press("q");
    assert!(session.end().success());

    let arguments = ["replay", "rescue", "--no-clipboard"];
    let mut session = PtySession::start(home.path(), &arguments, 80, 24);
    session.wait_until_shown("answer 66, correct");
    session.press("y");
    session.wait_until_shown("because of --no-clipboard");
    assert!(session.parser.lock().unwrap().callbacks().0.is_empty());
    session.press("q");
    assert!(session.end().success());
}

#[test]
fn the_terminal_is_restored_after_signals() {
    let signals = [
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGUSR1, "SIGUSR1"),
    ];
    for (signal, name) in signals {
        let home = tempfile::tempdir().unwrap();
        let mut session = PtySession::start(home.path(), &[], 80, 24);
        session.wait_until_shown("trace");
        session.signal(signal);
        let status = session.end();
        assert!(!status.success(), "{name}: {status:?}");
        session.assert_restored();
        // The store is unlocked and undamaged.
        let store = pointsman::store::Store::open(&home.path().join("data/store")).unwrap();
        assert!(store.summaries().all(|summary| summary.is_ok()));
    }
}

#[test]
fn the_terminal_is_restored_after_a_panic() {
    // The test runs itself, in a terminal, as a program that enters the screen and panics.
    const LOG: &str = "POINTSMAN_TEST_LOG";
    if let Some(log) = std::env::var_os(LOG) {
        let _screen = pointsman::terminal::Screen::enter(Path::new(&log)).unwrap();
        panic!("as planned");
    }
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["terminal::the_terminal_is_restored_after_a_panic", "--exact", "--nocapture"]);
    command.env(LOG, home.path().join("log"));
    let mut session = PtySession::spawn(home.path(), command, 80, 24);
    session.wait_until_shown("as planned");
    assert!(!session.end().success());
    session.assert_restored();
}

#[test]
fn it_is_suspended_and_continued() {
    // Ctrl-Z needs a shell with job control.
    let home = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_pointsman");
    let script = format!("set -m; '{binary}' --seed 3; echo stopped; read -r; fg; echo over");
    let mut session = PtySession::shell(home.path(), &script, 80, 24);
    session.wait_until_shown("Answer:");
    session.press("\x1a");
    session.wait_until_shown("stopped");
    assert!(!session.parser.lock().unwrap().screen().alternate_screen());
    session.press("\r");
    session.wait_until_shown("Answer:");
    assert!(session.parser.lock().unwrap().screen().alternate_screen());
    session.press("q");
    session.wait_until_shown("over");
    assert!(session.end().success());
    session.assert_restored();
}

#[test]
fn a_terminal_that_does_not_read_does_not_hold_the_end_up() {
    let signals = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];
    for signal in std::iter::once(None).chain(signals.map(Some)) {
        let home = tempfile::tempdir().unwrap();
        let mut session = PtySession::start(home.path(), &["--seed", "3"], 100, 30);
        session.wait_until_shown("trace");
        session.stop_reading();
        match signal {
            Some(signal) => session.signal(signal),
            None => session.press("q"),
        }
        let status = session.end_unread();
        assert_eq!(status.success(), signal.is_none(), "{signal:?}: {status:?}");
        session.assert_restored();
        // The store is free.
        pointsman::store::Store::open(&home.path().join("data/store")).unwrap();
    }
}

#[test]
fn the_program_ends_with_its_terminal() {
    for keys in ["", "j", "?jk\x1b[A"] {
        let home = tempfile::tempdir().unwrap();
        let mut session = PtySession::start(home.path(), &["--idle"], 100, 30);
        session.wait_until_shown("ready");
        session.press(keys);
        let status = session.hang_up();
        assert_eq!(status.exit_code(), 1, "with the keys {keys:?} pending: {status:?}");
        let log = std::fs::read_to_string(home.path().join("state/pointsman.log")).unwrap();
        assert!(!log.contains("panicked"), "{log}");
    }
}

#[test]
fn a_window_of_any_size_is_drawn() {
    let home = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(home.path(), &["--idle"], 100, 30);
    session.wait_until_shown("ready");
    for (rows, cols) in [(32767, 32767), (65535, 1), (1, 65535), (0, 0), (1, 1), (30, 100)] {
        session.master.resize(PtySize { rows, cols, ..PtySize::default() }).unwrap();
        // Each size is drawn before the next one.
        session.assert_idle();
    }
    session.wait_until_shown("ready");
    session.press("q");
    assert!(session.end().success());
    session.assert_restored();
}

#[test]
fn it_is_suspended_from_outside() {
    let home = tempfile::tempdir().unwrap();
    let (binary, file) = (env!("CARGO_BIN_EXE_pointsman"), home.path().join("pid"));
    let script = format!(
        "set -m; bash -c 'echo $$ > {file}; exec {binary} --idle'; echo stopped; read -r; fg; echo over",
        file = file.display()
    );
    let mut session = PtySession::shell(home.path(), &script, 80, 24);
    session.wait_until_shown("ready");
    let pid: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    // SAFETY: a signal to our own grandchild.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTSTP) }, 0);
    session.wait_until_shown("stopped");
    session.assert_restored();
    session.press("\r");
    session.wait_until_shown("ready");
    session.press("q");
    session.wait_until_shown("over");
    assert!(session.end().success());
    session.assert_restored();
}

#[test]
fn without_a_terminal_it_names_the_headless_command() {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .env("POINTSMAN_HOME", home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains("pointsman run"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}
