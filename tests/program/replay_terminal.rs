//! `pointsman replay` in a pseudo-terminal.

use std::path::Path;

use pointsman::recording::{find_recording, write_event};

use crate::pty::PtySession;

#[test]
fn a_recording_is_played_and_searched() {
    let home = tempfile::tempdir().unwrap();
    let rescue = find_recording("rescue", Path::new("/nowhere")).unwrap().remove(0);
    let mut lines = Vec::new();
    for id in [4, 5] {
        for event in &rescue.events {
            write_event(&mut lines, id, event).unwrap();
        }
    }
    let file = home.path().join("two.jsonl");
    std::fs::write(&file, lines).unwrap();

    let arguments = ["replay", file.to_str().unwrap(), "--speed", "1/16"];
    let mut session = PtySession::start(home.path(), &arguments, 80, 24);
    let text = session.wait_until_shown("replay ended");
    assert!(text.contains("answer 66, correct") && text.contains("episode 1 of 2"), "{text}");
    session.assert_idle();

    session.press("g");
    session.wait_until_shown("step 1 of 4");
    session.press("t");
    let text = session.wait_until_shown("large by policy");
    assert!(text.contains("step 3 of 4") && text.contains("replay paused"), "{text}");
    session.assert_idle();
    session.press("L");
    session.wait_until_shown("nothing in a replay can be changed");
    session.press("?");
    session.wait_until_shown("to the next switch");
    session.press("\x1b");
    session.wait_for("the panes again", |text| !text.contains("to the next switch"));
    session.press("\t");
    session.wait_until_shown("episode 2 of 2");
    session.press(" ");
    session.wait_until_shown("replay ended");
    session.press("q");
    assert!(session.end().success());
    session.assert_restored();
    assert!(!home.path().join("data").exists(), "no store is created");
    assert!(!home.path().join("cache").exists(), "no model is unpacked");
}

#[test]
fn an_embedded_recording_is_played_over_a_slow_link() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["replay", "rescue", "--slow-link", "--ascii", "--theme", "mono"];
    let mut session = PtySession::start(home.path(), &arguments, 100, 28);
    let text = session.wait_until_shown("answer 66, correct");
    assert!(text.is_ascii(), "{text}");
    session.press("q");
    assert!(session.end().success());
}
