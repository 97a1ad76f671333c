//! What a user does at the workbench, in a pseudo-terminal, with the tiny pair.

use std::path::Path;

use pointsman::store::Store;

use crate::collected::collected_home;
use crate::pty::PtySession;

fn store(home: &Path) -> Store {
    Store::open(&home.join("data/store")).unwrap()
}

#[test]
fn an_episode_is_overridden_forked_tagged_replayed_and_deleted() {
    let home = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(home.path(), &["--seed", "3"], 100, 30);
    // A key that comes before the end would pause this episode instead of beginning another.
    session.wait_until_shown("answer 66, correct");
    // The user overrides one step; the router decides the next.
    session.press("n");
    session.wait_until_shown("who writes this step?");
    session.press("ln");
    session.wait_for("the next boundary", |text| {
        text.contains("L*") && text.contains("who writes this step?")
    });
    session.press(" ");
    session.wait_for("the end", |text| text.contains("you 1 of 4") && text.contains("answer "));
    session.press("f");
    session.wait_until_shown("what is different?");
    session.press("l");
    // A replay has only the steps that were written when it was opened.
    session.wait_for("the end of the fork", |text| {
        text.contains("large by you") && text.contains("answer ")
    });
    session.press("c");
    session.wait_until_shown("fork of 2 at step");
    session.press("q");
    // Both are in the library; the fork shows its parent.
    session.press("o");
    session.wait_until_shown("all, newest first");
    session.wait_for("three episodes", |text| text.contains(" 3 ┐"));
    session.press("f");
    session.wait_until_shown("forks of episode 3");
    session.wait_until_shown("fork at");
    // A query finds a tag.
    session.press("thard\r");
    session.wait_until_shown("episode 3 tagged hard");
    session.press("/tag:hard\r");
    session.wait_for("one episode", |text| text.contains("tag:hard") && text.contains(" 1 ┐"));
    session.press("r");
    session.wait_until_shown("replay");
    session.wait_until_shown("step 4 of 4");
    // Back from the replay to the list and the live episode.
    session.press("q");
    session.wait_until_shown("tag:hard");
    session.press("\x7f");
    session.wait_for("the fork", |text| text.contains("large by you") && !text.contains("replay "));
    session.press("o");
    session.wait_until_shown("tag:hard");
    session.press("/\x15\r");
    session.wait_for("all of them", |text| {
        text.contains("all, newest first") && text.contains(" 3 ┐")
    });
    session.press("j\r");
    session.wait_until_shown("stored");
    session.press("\x7f");
    session.wait_until_shown("all, newest first");
    session.press("\x7f");
    session.wait_for("the fork", |text| text.contains("large by you") && !text.contains("stored"));
    // Deleted and restored.
    session.press("o/tag:hard\r");
    session.wait_for("one episode", |text| text.contains("tag:hard") && text.contains(" 1 ┐"));
    session.press("D");
    session.wait_until_shown("moved to the trash");
    session.wait_until_shown("no such episode");
    session.press("u");
    session.wait_until_shown("restored from the trash");
    session.press("/\x15nonsense:5\r");
    session.wait_until_shown("the query is wrong");
    session.press("\x03");
    assert!(session.end().success());
    session.assert_restored();

    let entry = store(home.path()).entry(3).unwrap();
    assert!(entry.annotations.tags.iter().any(|tag| tag.as_str() == "hard"));
    assert!(entry.annotations.trashed().is_none());
}

#[test]
fn a_policy_is_trained_promoted_and_rolled_back() {
    let home = collected_home();
    let mut session = PtySession::start(home.path(), &["--seed", "3"], 80, 24);
    session.wait_until_shown("Answer:");
    session.press("Tp");
    session.wait_until_shown("there is no new policy yet");
    session.press("t");
    session.wait_until_shown("tiny-1 was trained from");
    session.wait_until_shown("too few to compare");
    session.press("p");
    session.wait_until_shown("has not passed a promotion test");
    session.press("p");
    session.wait_until_shown("tiny-1 is the current policy");
    session.press("q");
    session.wait_until_shown("trace");
    session.press("d");
    session.wait_for("the new policy", |text| text.contains("by policy tiny-1"));
    session.press("Tb");
    session.wait_until_shown("tiny-0 is the current policy");
    session.press("b");
    session.wait_until_shown("no policy was promoted for preset tiny");
    session.press("q");
    session.wait_until_shown("trace");
    session.press("d");
    session.wait_for("the old policy", |text| text.contains("by policy tiny-0"));
    session.press("q");
    assert!(session.end().success());
    assert!(
        store(home.path()).promotions("tiny").unwrap().is_empty(),
        "the promotion is rolled back"
    );
}

#[test]
fn a_cancelled_training_stores_nothing() {
    let home = collected_home();
    let mut session = PtySession::start(home.path(), &["--seed", "3"], 80, 24);
    session.wait_until_shown("Answer:");
    session.press("Tt");
    session.wait_until_shown("training");
    session.press("x");
    session.wait_until_shown("nothing was kept");
    session.press("\x03");
    assert!(session.end().success());
    assert!(store(home.path()).policies().unwrap().is_empty());
}

#[test]
fn presets_and_themes_are_chosen_while_the_workbench_runs() {
    let home = tempfile::tempdir().unwrap();
    let presets = home.path().join("config/presets");
    std::fs::create_dir_all(&presets).unwrap();
    let tiny = include_str!("../../presets/tiny.toml");
    std::fs::write(presets.join("broken.toml"), tiny.replace("threshold", "treshold")).unwrap();
    let small = tiny.replace("builtin:tiny/large", "builtin:tiny/small");
    std::fs::write(presets.join("twins.toml"), small.replace("\"policy\"", "\"random\"")).unwrap();
    let absent = tiny.replace("builtin:tiny/large", "nobody/absent");
    std::fs::write(presets.join("absent.toml"), absent).unwrap();
    let mut session = PtySession::start(home.path(), &["--seed", "3"], 100, 30);
    session.wait_until_shown("Answer:");
    session.press("Pabsent");
    session.wait_until_shown("> absent");
    session.press("\r");
    session.wait_until_shown("downloads it");
    session.press("P");
    session.wait_until_shown("cannot be used");
    session.press("broken");
    session.wait_until_shown("> broken");
    session.press("\r");
    session.wait_until_shown("broken.toml");
    session.wait_until_shown("the current preset stays");
    session.press("Ptwins");
    session.wait_for("one preset", |text| text.contains("> twins") && !text.contains("qwen"));
    session.press("\r");
    session.wait_until_shown("its models are being loaded");
    session.wait_for("other models", |text| !text.contains("loading"));
    session.press("d");
    session.wait_for("an episode of the twins", |text| {
        text.contains("· twins · random") && text.contains("Answer:")
    });
    session.press(":themes\r");
    session.wait_until_shown("high-contrast");
    session.press("mono\r");
    session.wait_for("no menu", |text| !text.contains("high-contrast"));
    session.press("\x03");
    assert!(session.end().success());
    let store = store(home.path());
    let last = store.summaries().last().unwrap().unwrap();
    assert_eq!((last.id, last.preset.as_str()), (2, "twins"));
}
