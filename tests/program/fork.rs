//! `pointsman fork` and `--shadow`, as a shell runs them.

use crate::shell::{failure, objects, stdout};

#[test]
fn episodes_are_forked_and_shadowed() {
    let home = tempfile::tempdir().unwrap();
    let ran = stdout(home.path(), &["run", "--seed", "3", "--shadow", "entropy,random@0.9"]);
    assert!(ran.contains("shadow entropy agreed at") && ran.contains("shadow random@0.9"), "{ran}");
    let same = stdout(home.path(), &["fork", "1", "--step", "3"]);
    assert!(same.contains("wrote the same"), "{same}");
    let other = stdout(home.path(), &["fork", "1", "--step", "2", "--model", "large"]);
    assert!(other.contains("episode 1") && other.contains("episode 3"), "{other}");
    assert!(other.contains("1 step is the same, 1 of them shared"), "{other}");
    assert!(other.contains("the shared steps were read again"), "{other}");
    let events = objects(&stdout(
        home.path(),
        &["fork", "3", "--step", "4", "--router", "always-small", "--json"],
    ));
    assert_eq!(events[0]["parent"], serde_json::json!({"episode": 3, "step": 3}));
    assert_eq!(events.last().unwrap()["event"], "finished");
    let shown = stdout(home.path(), &["episodes", "show", "4"]);
    assert!(shown.contains("forked from episode 3 at step 4"), "{shown}");

    let cases: [(&[&str], i32, &str); 4] = [
        (&["fork", "1", "--step", "99"], 2, "cannot be forked from"),
        (&["fork", "9", "--step", "1"], 1, "holds no episode 9"),
        (&["fork", "1", "--step", "1", "--threshold", "3"], 2, "threshold"),
        (&["run", "--shadow", "always-small", "x"], 2, "cannot be a shadow"),
    ];
    for (arguments, code, words) in cases {
        let (found, message) = failure(home.path(), arguments);
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert_eq!(found, code, "{arguments:?}: {message}");
    }
}
