//! `collect`, `train`, `policy` and `calibrate`.

use std::time::{Duration, Instant};

use pointsman::routing::Policy;
use pointsman::store::Store;

use crate::collected::{COLLECTED, collected_home};
use crate::shell::{failure, objects, output, pointsman, stdout};

const COLLECT: [&str; 8] =
    ["collect", "--router", "random", "--coin", "0.5", "-n", "80", "--seed=5"];

#[test]
fn a_killed_collection_is_resumed() {
    let home = tempfile::tempdir().unwrap();
    let mut child = pointsman(home.path(), &COLLECT).spawn().unwrap();
    let path = home.path().join("data/store");
    // Kill it once it has stored episodes.
    let deadline = Instant::now() + Duration::from_secs(120);
    while std::fs::metadata(path.join("log/000001.log")).map_or(0, |m| m.len()) < 100_000 {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = finished_indices(&path);
    assert!((1..80).contains(&before.len()), "{} were written", before.len());

    let message = output(home.path(), &COLLECT);
    let message = String::from_utf8(message.stderr).unwrap();
    let expected =
        format!("{} episodes written, {} already stored", 80 - before.len(), before.len());
    assert!(message.contains(&expected), "{message}");
    let mut after = finished_indices(&path);
    after.sort_unstable();
    assert_eq!(after, (0..80).collect::<Vec<_>>(), "each question once");
}

/// Indices in the task set of the finished episodes.
fn finished_indices(store: &std::path::Path) -> Vec<usize> {
    let store = Store::open(store).unwrap();
    let summaries = store.summaries().map(Result::unwrap);
    let done = summaries.filter(|s| matches!(s.end, pointsman::store::EpisodeEnd::Finished { .. }));
    done.filter_map(|s| s.index).collect()
}

#[test]
fn a_policy_is_trained_shown_promoted_used_and_rolled_back() {
    let home = collected_home();
    let run = |arguments: &[&str]| stdout(home.path(), arguments);
    // Not used: one model throughout, decisions of an oracle, and other prices.
    run(&["run", "--router", "always-small"]);
    run(&["run", "--router", "oracle"]);
    let preset = home.path().join("dear.toml");
    let text = include_str!("../../presets/tiny.toml")
        .replace("[large]", "price = 1.0\n\n[large]\nprice = 20.0");
    std::fs::write(&preset, text).unwrap();
    run(&["run", "--router", "random", "--preset", preset.to_str().unwrap()]);
    let run_train = output(home.path(), &["train", "--iterations", "3", "--seed", "8"]);
    let trained = String::from_utf8(run_train.stdout).unwrap();
    let used = format!("{COLLECTED} episodes");
    assert!(trained.contains("tiny-1") && trained.contains(&used), "{trained}");
    let counts = String::from_utf8(run_train.stderr).unwrap();
    let left = "2 unusable, 0 damaged, 1 of other models or settings";
    assert!(counts.contains(left), "{counts}");
    assert!(trained.contains("policy promote tiny-1"), "{trained}");

    // The same seed and episodes give the same weights.
    run(&["train", "--iterations", "3", "--seed", "8"]);
    let file = |name: &str| {
        let out = home.path().join(format!("{name}.safetensors"));
        run(&["policy", "export", name, "--out", out.to_str().unwrap()]);
        let policy = Policy::from_bytes(&std::fs::read(&out).unwrap()).unwrap();
        (out, policy.digest().unwrap())
    };
    let (first, digest) = file("tiny-1");
    assert_eq!(file("tiny-2").1, digest);

    run(&["run", "--router", "policy"]);
    let by_shipped = objects(&run(&["episodes", "ls", "--json", "-n", "1"]));
    run(&["policy", "promote", "--force", "tiny-2"]);
    let list = run(&["policy", "ls"]);
    let star = list.lines().find(|l| l.contains('*')).unwrap();
    assert!(star.contains("tiny-2"), "{list}");
    let question = ["run", "--json", "--router", "policy"];
    let by = |printed: &str| {
        let decided = objects(printed).into_iter().find(|e| e["event"] == "decided").unwrap();
        decided["by"]["policy"].as_str().unwrap().to_owned()
    };
    assert_eq!(by(&run(&question)), "tiny-2");
    let named = [&question[..], &["--policy", first.to_str().unwrap()]].concat();
    assert_eq!(by(&run(&named)), "tiny-1", "an explicit file wins");

    // The policy that decided explains the decision, whichever is promoted now.
    let id = by_shipped[0]["id"].to_string();
    let why = output(home.path(), &["explain", &id, "1"]);
    assert!(why.status.success() && why.stderr.is_empty(), "{why:?}");

    // A policy equal to the promoted one is not better.
    let contest = output(
        home.path(),
        &["policy", "promote", "tiny-1", "-n", "20", "--jobs", "1", "--split", "test"],
    );
    assert_eq!(contest.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&contest.stderr).contains("is not promoted"));
    assert!(String::from_utf8_lossy(&contest.stdout).contains("gain +0.000"));

    // A policy is valid for its models only.
    let twins = home.path().join("twins.toml");
    let text = include_str!("../../presets/tiny.toml").replace("tiny/large\"", "tiny/small\"");
    std::fs::write(&twins, text).unwrap();
    let twins = twins.to_str().unwrap();
    let promote = ["policy", "promote", "tiny-1", "-n", "20", "--jobs", "1", "--preset", twins];
    let (_, message) = failure(home.path(), &promote);
    assert!(message.contains("trained for other models"), "{message}");

    let rolled = run(&["policy", "rollback"]);
    assert!(!rolled.contains("tiny-2"), "{rolled}");
    let (code, message) = failure(home.path(), &["policy", "rollback"]);
    assert_eq!(code, 1);
    assert!(message.contains("no policy was promoted"), "{message}");
}

#[test]
fn a_threshold_is_calibrated_and_goes_stale() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| stdout(home.path(), arguments);
    let calibrated =
        run(&["calibrate", "--target-accuracy", "0.6", "--confidence", "0.8", "-n", "24"]);
    assert!(calibrated.contains("threshold 0.") && calibrated.contains("holds"), "{calibrated}");
    let cost = run(&["calibrate", "--target-cost", "0.9", "-n", "24"]);
    assert!(cost.contains("at most 90 %"), "{cost}");
    let shown = run(&["policy", "show"]);
    assert!(shown.contains(calibrated.trim()) && shown.contains(cost.trim()), "{shown}");

    // Another prompt makes the calibrations stale.
    let preset = home.path().join("tiny.toml");
    let text = include_str!("../../presets/tiny.toml").replace("{question}\\n", "Q: {question}\\n");
    std::fs::write(&preset, text).unwrap();
    let shown = run(&["policy", "show", "--preset", preset.to_str().unwrap()]);
    assert!(shown.contains("STALE: the prompts"), "{shown}");

    let never = ["calibrate", "--target-accuracy", "0.999", "-n", "20"];
    let (code, message) = failure(home.path(), &never);
    assert_eq!(code, 1);
    assert!(message.contains("no threshold meets the target"), "{message}");
}

#[test]
fn a_policy_of_other_models_gives_a_warning() {
    let home = tempfile::tempdir().unwrap();
    let preset = home.path().join("swapped.toml");
    let text = include_str!("../../presets/tiny.toml").replace("tiny/large", "tiny/small");
    std::fs::write(&preset, text).unwrap();
    let warning = |preset: &str| {
        let run = output(home.path(), &["run", "--preset", preset, "--json"]);
        assert!(run.status.success());
        String::from_utf8(run.stderr).unwrap()
    };
    assert!(warning(preset.to_str().unwrap()).contains("trained for other models"));
    assert_eq!(warning("tiny"), "");
}

#[test]
fn wrong_policies_and_arguments_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let broken = home.path().join("broken.safetensors");
    std::fs::write(&broken, b"no weights").unwrap();
    let model =
        concat!(env!("CARGO_MANIFEST_DIR"), "/presets/tiny/small/model.safetensors").to_owned();
    let cases: [(&[&str], i32, &str); 13] = [
        (
            &["run", "--router", "policy", "--policy", broken.to_str().unwrap()],
            2,
            "broken.safetensors",
        ),
        (&["run", "--router", "policy", "--policy", &model], 2, "model.safetensors"),
        (&["run", "--router", "policy", "--policy", "tiny-9"], 2, "no policy `tiny-9`"),
        (&["train"], 1, "too few"),
        (&["collect", "--coin", "1.5"], 2, "coin"),
        (&["calibrate", "--target-accuracy", "1.5"], 2, "--target-accuracy"),
        (&["calibrate", "--target-cost", "2"], 2, "above 0 and below 2"),
        (&["train", "--target-cost", "nan"], 2, "above 0 and below 2"),
        (&["train", "--rounds", "1", "--coin", "2"], 2, "from 0 to 1"),
        (&["train", "--without-features", "zzz"], 2, "leaves out no feature"),
        // Arguments without effect are refused.
        (&["train", "-n", "9"], 2, "--rounds"),
        (&["train", "--tasks", "gsm8k"], 2, "--rounds"),
        (&["eval", "--stored", "--routers", "entropy"], 2, "cannot be used with"),
    ];
    for (arguments, code, words) in cases {
        let (found, message) = failure(home.path(), arguments);
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert_eq!(found, code, "{arguments:?}: {message}");
    }
}
