//! The headless commands: `run`, `eval`, `grade`, `why`, `print`, `doctor`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use pointsman::store::Store;
use serde_json::Value;

use crate::shell::{failure, objects as events, output, pointsman, stdout};

const QUESTION: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens. She gives away 18 pens. \
                        How many pens does Ava have?";

/// The events without clock times.
fn without_times(mut events: Vec<Value>) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, _| !key.ends_with("ms") && key != "episode");
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    events.iter_mut().for_each(strip);
    events
}

#[test]
fn a_question_is_solved_stored_shown_and_exported() {
    let home = tempfile::tempdir().unwrap();
    let printed = stdout(home.path(), &["run", "--json", "--router", "always-large", QUESTION]);
    let events = events(&printed);
    assert_eq!(events[0]["event"], "started");
    let last = events.last().unwrap();
    assert_eq!((last["event"].as_str(), last["answer"].as_str()), (Some("finished"), Some("67")));

    let list = stdout(home.path(), &["episodes", "ls"]);
    assert!(list.contains("67 undecided") && list.contains("Ava has 37 pens"), "{list}");
    let shown = stdout(home.path(), &["episodes", "show", "1"]);
    assert!(shown.contains("4 × 12 = 48") && shown.contains("answer 67"), "{shown}");
    assert_eq!(stdout(home.path(), &["episodes", "show", "--json", "1"]), printed);
    let file = home.path().join("all.jsonl");
    stdout(home.path(), &["episodes", "export", "--out", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed);
    // A failed export leaves the file alone.
    let missing = ["episodes", "export", "1", "9", "--out", file.to_str().unwrap()];
    let (code, message) = failure(home.path(), &missing);
    assert!(code == 1 && message.contains("holds no episode 9"), "{message}");
    assert!(!message.contains("cannot write"), "{message}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed);
}

#[test]
fn why_explains_a_decision() {
    let home = tempfile::tempdir().unwrap();
    stdout(home.path(), &["run", "--router", "policy", QUESTION]);
    let explained = stdout(home.path(), &["explain", "1", "1"]);
    assert!(
        explained.starts_with("step 1: ") && explained.contains("the shares add up"),
        "{explained}"
    );
    let all = &events(&stdout(home.path(), &["explain", "1", "1", "--json", "--ungrouped"]))[0];
    let number = |value: &Value| value.as_f64().unwrap();
    let parts = all["parts"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["name"].as_str().unwrap().starts_with("words.")));
    let sum: f64 = parts.iter().map(|part| number(&part["contribution"])).sum();
    let difference = number(&all["p_large"]) - number(&all["base"]);
    assert!((sum - difference).abs() < 0.005, "{sum} {difference}");
    let events = events(&stdout(home.path(), &["episodes", "show", "--json", "1"]));
    let decided = events.iter().find(|event| event["event"] == "decided").unwrap();
    assert!((number(&decided["p_large"]) - number(&all["p_large"])).abs() < 1e-4);

    stdout(home.path(), &["run", "--router", "entropy", QUESTION]);
    let explained = stdout(home.path(), &["explain", "2", "1"]);
    assert!(explained.contains("draft.first_entropy"), "{explained}");
    stdout(home.path(), &["run", "--router", "always-small", QUESTION]);
    let (code, refused) = failure(home.path(), &["explain", "1", "99"]);
    assert_eq!(code, 1);
    assert!(refused.contains("episode 1 has no step 99: its steps are 1 to 4"), "{refused}");
}

#[test]
fn the_same_seed_gives_the_same_episode() {
    let home = tempfile::tempdir().unwrap();
    let preset = home.path().join("warm.toml");
    let warm = include_str!("../../presets/tiny.toml")
        .replace("temperature = 0.0", "temperature = 1.5")
        .replace("threshold = 0.5", "threshold = 0.9");
    std::fs::write(&preset, warm).unwrap();
    let run = |seed: &str| {
        let preset = preset.to_str().unwrap();
        let printed =
            stdout(home.path(), &["run", "--json", "--preset", preset, "--seed", seed, QUESTION]);
        without_times(events(&printed))
    };
    let first = run("5");
    assert_eq!(first, run("5"));
    let texts =
        |events: &[Value]| -> Vec<Value> { events.iter().map(|e| e["text"].clone()).collect() };
    assert_ne!(texts(&first), texts(&run("6")), "another seed draws other tokens");
}

#[test]
fn any_question_is_answered() {
    let home = tempfile::tempdir().unwrap();
    let long = "Zoe has 5 pens. ".repeat(60);
    for question in ["?", "привет, 世界 🚂", "\u{7}\u{0301}", "1\n2\n3", &long] {
        let lines = stdout(home.path(), &["run", "--json", question]);
        assert_eq!(events(&lines).last().unwrap()["event"], "finished", "{question}");
    }
    // A question longer than the context is refused.
    let endless = "Zoe has 5 pens. ".repeat(4000);
    let output = output(home.path(), &["run", &endless]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("context"), "{errors}");
}

#[test]
fn a_kill_loses_no_printed_event() {
    let home = tempfile::tempdir().unwrap();
    let mut unfinished = 0;
    for _ in 0..20 {
        let mut child = pointsman(home.path(), &["run", "--json", "--router", "always-large"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut seen = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let written = event["event"] == "written";
            seen.push(event);
            if written {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let list = events(&stdout(home.path(), &["episodes", "ls", "--json"]));
        let last = list.first().unwrap();
        let id = last["id"].to_string();
        let stored = events(&stdout(home.path(), &["episodes", "show", "--json", &id]));
        assert_eq!(stored[..seen.len()], seen, "printed events are in the store");
        assert!(last["steps"].as_u64().unwrap() >= 1);
        unfinished += usize::from(last["end"]["end"] == "unfinished");
        if unfinished == 3 {
            return;
        }
    }
    panic!("the episode ended before the kill 18 times of 20");
}

#[test]
fn others_read_a_store_in_use_and_writers_wait() {
    let home = tempfile::tempdir().unwrap();
    stdout(home.path(), &["run", "--seed", "3"]);
    let path = home.path().join("data/store");
    let held = Store::open(&path).unwrap();
    let reading: [&[&str]; 8] = [
        &["episodes", "ls"],
        &["episodes", "show", "1"],
        &["episodes", "export"],
        &["episodes", "trash", "ls"],
        &["policy", "ls"],
        &["explain", "1", "1"],
        &["replay", "1", "--headless"],
        &["eval", "-n", "1"],
    ];
    for arguments in reading {
        stdout(home.path(), arguments);
    }
    for arguments in [&["run", QUESTION][..], &["episodes", "star", "1"], &["policy", "rollback"]] {
        let (code, message) = failure(home.path(), &[arguments, &["--store-wait", "0"]].concat());
        assert_eq!(code, 1);
        assert!(message.contains("in use by another pointsman (process "), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    // Eight writers at once: each waits for its turn.
    let writers: Vec<_> = (0..8)
        .map(|seed| {
            let seed = seed.to_string();
            let arguments = ["run", "--seed", &seed, "--store-wait", "600"];
            pointsman(home.path(), &arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    drop(held);
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let episodes = events(&stdout(home.path(), &["episodes", "ls", "--json"]));
    assert_eq!(episodes.len(), 9);
}

#[test]
fn wrong_arguments_are_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let cases: [(&[&str], i32, &str); 15] = [
        (
            &["--tasks", "gsm8k", "--data", "x", "eval", "-n", "9"],
            2,
            "--tasks before `eval` applies to the workbench only",
        ),
        (
            &["--idle", "replay", "rescue"],
            2,
            "--idle before `replay` applies to the workbench only",
        ),
        (&["eval", "-n", "1", "--svg", "/no/x.svg"], 1, "cannot write /no/x.svg: No such file"),
        (&["run", "--router", "nobody", "x"], 2, "there is no router `nobody`"),
        (&["run", "--preset", "nothing", "x"], 2, "there is no preset `nothing`"),
        (&["run", "--preset", "nothing.toml", "x"], 2, "nothing.toml"),
        (&["run", "--threshold", "1.5", "x"], 2, "threshold"),
        (&["run", "--router", "oracle", "x"], 2, "needs the gold solution"),
        (&["run", "  "], 2, "the question is empty"),
        (&["eval", "--tasks", "gsm9k"], 2, "there is no task set `gsm9k`"),
        (&["eval", "--data", "x.jsonl"], 2, "leave out --data"),
        (&["run", "--tasks", "gsm8k", "--data", "/no/x.jsonl"], 2, "cannot read /no/x.jsonl"),
        (&["collect", "--tasks", "math500"], 2, "only a test part"),
        (&["grade", "--tasks", "gsm8k", "/no/x.jsonl"], 2, "cannot read /no/x.jsonl"),
        (&["episodes", "show", "9"], 1, "holds no episode 9"),
    ];
    for (arguments, code, words) in cases {
        let (found, message) = failure(home.path(), arguments);
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert_eq!(found, code, "{arguments:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
    }
}

#[test]
fn active_keys_and_settings_are_printed() {
    let home = tempfile::tempdir().unwrap();
    let keys = stdout(home.path(), &["print", "keys", "--toml"]);
    assert!(keys.contains("pause = [\"space\"]"), "{keys}");
    let folder = home.path().join("config");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("keys.toml"), "# mine\npause = [\"F5\"]\n").unwrap();
    let keys = stdout(home.path(), &["print", "keys"]);
    assert!(keys.contains("| `F5` | `pause` | pause, resume |"), "{keys}");

    let config = stdout(home.path(), &["print", "config", "--threshold", "0.25"]);
    assert!(config.contains("threshold = 0.25"), "{config}");
    let file = home.path().join("mine.toml");
    std::fs::write(&file, &config).unwrap();
    let again = stdout(home.path(), &["print", "config", "--preset", file.to_str().unwrap()]);
    let body = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
    assert_eq!(body(&again), body(&config), "the printed preset can be loaded");
    // It has the name of the file: policies and calibrations belong to a name.
    let run = ["run", "--json", "--preset", file.to_str().unwrap(), QUESTION];
    assert_eq!(events(&stdout(home.path(), &run))[0]["preset"]["name"], "mine");

    let page = stdout(home.path(), &["print", "man"]);
    assert!(page.contains(".TH") && page.contains("pointsman\\-eval"), "{page}");
    let page = stdout(home.path(), &["print", "man", "explain"]);
    assert!(page.contains("pointsman-explain"), "{page}");
    let (code, refused) = failure(home.path(), &["print", "man", "evel"]);
    assert!(
        code == 2 && refused.contains("there is no command `evel`: use one of run, "),
        "{refused}"
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(home.path(), &["print", "completions", shell]).contains("pointsman"));
    }
}

#[test]
fn wrong_keys_are_refused_before_the_workbench_starts() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("config");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("keys.toml"), "# mine\nstop = [\"q\"]\n").unwrap();
    for command in [&["print", "keys"][..], &[]] {
        let (code, refused) = failure(home.path(), command);
        assert_eq!(code, 2);
        let sentence = "keys.toml, line 2, column 9: key `q` is bound to both `quit` and `stop`: \
                        choose another for one of them";
        assert!(refused.contains(sentence), "{refused}");
    }
}

#[test]
fn a_broken_model_is_reported_with_its_file() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("model");
    std::fs::create_dir(&folder).unwrap();
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets/tiny/small").join(name);
        std::fs::copy(source, folder.join(name)).unwrap();
    }
    let preset = home.path().join("broken.toml");
    let text = include_str!("../../presets/tiny.toml");
    let text = text.replace("builtin:tiny/small", folder.to_str().unwrap());
    std::fs::write(&preset, text).unwrap();
    let arguments = ["run", "--preset", preset.to_str().unwrap(), "x"];
    let (code, message) = failure(home.path(), &arguments);
    assert_eq!(code, 1);
    assert!(message.contains(folder.to_str().unwrap()), "{message}");

    // Other errors are reported before the models are loaded.
    let preset_path = preset.to_str().unwrap();
    let questions = home.path().join("questions.jsonl");
    std::fs::write(&questions, GSM8K).unwrap();
    let data = questions.to_str().unwrap();
    for (arguments, words) in [
        (&["run", "--router", "oracle", "x"][..], "needs the gold solution"),
        (&["eval", "--tasks", data, "--routers", "entropy,oracle"], "needs the gold solution"),
        (&["eval", "--routers", "entropy,policy:4"], "was trained for a draft of step"),
        (&["collect", "--router", "entropy", "--draft", "0"], "needs a draft of at least 1"),
        (&["train", "--rounds", "1", "--tasks", "nowhere"], "there is no task set `nowhere`"),
    ] {
        let arguments = [arguments, &["--preset", preset_path]].concat();
        let (code, message) = failure(home.path(), &arguments);
        assert!(code == 2 && message.contains(words), "{arguments:?}: {code} {message}");
    }
    let text = std::fs::read_to_string(&preset).unwrap();
    let nowhere = home.path().join("nowhere.toml");
    std::fs::write(&nowhere, text.replace(folder.to_str().unwrap(), "/no/where")).unwrap();
    let (code, message) =
        failure(home.path(), &["run", "--preset", nowhere.to_str().unwrap(), "x"]);
    assert!(code == 2 && message.contains("model `/no/where`: no such"), "{code} {message}");

    std::fs::write(folder.join("model.safetensors"), b"not weights").unwrap();
    let (code, message) = failure(home.path(), &arguments);
    assert_eq!(code, 1);
    assert!(message.contains("model.safetensors"), "{message}");
}

#[test]
fn routers_are_compared_on_the_same_questions() {
    let home = tempfile::tempdir().unwrap();
    let routers = "policy,always-small,always-large,entropy,random,first-k,gmm,judge,oracle";
    let printed =
        stdout(home.path(), &["eval", "-n", "60", "--seed", "7", "--json", "--routers", routers]);
    let scores = events(&printed);
    let names: Vec<&str> = scores.iter().map(|s| s["router"].as_str().unwrap()).collect();
    assert_eq!(names.join(","), routers);
    let of = |name: &str, field: &str| {
        scores.iter().find(|s| s["router"] == name).unwrap()[field].as_f64().unwrap()
    };
    // The gap that makes routing worthwhile; presets/tiny/README.md has exact figures.
    assert!((0.2..=0.7).contains(&of("always-small", "accuracy")), "{printed}");
    assert!(of("always-large", "accuracy") >= 0.9, "{printed}");
    assert!(of("oracle", "accuracy") >= of("always-large", "accuracy") - 0.02, "{printed}");
    assert!(of("oracle", "cost_share") <= 0.65, "{printed}");
    assert!(of("always-small", "cost_share") <= 0.15, "{printed}");
}

#[test]
fn doctor_finds_no_problem_with_the_tiny_pair() {
    let home = tempfile::tempdir().unwrap();
    let found = stdout(home.path(), &["doctor"]);
    assert!(found.contains("small model") && found.contains("large model"), "{found}");
    assert!(found.lines().all(|line| line.starts_with("ok ")), "{found}");
}

/// Questions in the format of GSM8K.
const GSM8K: &str = r#"{"question": "Ava has 3 pens and 4 books. How many things?", "answer": "3 + 4 = <<3+4=7>>7\n#### 7"}
{"question": "Ben has 10 nuts and eats 4. How many nuts are left?", "answer": "10 - 4 = 6\n#### 6"}
{"question": "Cleo buys 5 bags of 1,000 beads. How many beads?", "answer": "5 x 1,000\n#### 5,000"}
"#;

#[test]
fn questions_of_a_file_are_graded_by_the_rules_of_their_task_set() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("questions.jsonl");
    std::fs::write(&file, GSM8K).unwrap();
    let set = ["--tasks", "gsm8k", "--data", file.to_str().unwrap()];

    let printed = stdout(home.path(), &[&["run", "--json"], &set[..]].concat());
    let printed = events(&printed);
    let (first, last) = (&printed[0], printed.last().unwrap());
    assert_eq!(first["origin"]["task"], "gsm8k");
    let gold = first["gold"].as_str().unwrap();
    assert!(["7", "6", "5,000"].contains(&gold), "{gold}");
    assert!(["correct", "wrong"].contains(&last["verdict"].as_str().unwrap()), "{last}");

    // A larger collection continues the smaller one.
    let collect = |n: &str| {
        let arguments = [&["collect", "-n", n, "--jobs", "1", "--router", "random"], &set[..]];
        let run = output(home.path(), &arguments.concat());
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stderr).unwrap()
    };
    assert!(collect("2").contains("2 episodes written, 0 already stored"));
    let all = collect("9");
    assert!(all.contains("1 episodes written, 2 already stored"), "{all}");
    assert!(all.contains("gsm8k has only 3 questions"), "{all}");

    // A question longer than the context is skipped, in later collections, too.
    let long =
        format!("{{\"question\": \"{}?\", \"answer\": \"1\"}}\n", "Zoe has 5 pens. ".repeat(4000));
    std::fs::write(&file, format!("{GSM8K}{long}")).unwrap();
    for _ in 0..2 {
        let all = collect("9");
        assert!(all.contains("0 episodes written, 3 already stored"), "{all}");
        assert!(all.contains("skipped question 4 of gsm8k (“Zoe has 5 pens. Zoe"), "{all}");
        assert!(all.contains("the context of model"), "{all}");
    }
    let failed = stdout(home.path(), &["episodes", "ls", "failed"]);
    assert!(failed.contains("no episode matches"), "{failed}");
    let eval = [&["eval", "--no-curve", "--jobs", "1"], &set[..]].concat();
    let (code, message) = failure(home.path(), &eval);
    assert!(code == 1 && message.contains("question 4 of gsm8k (“Zoe has"), "{code} {message}");
    std::fs::write(&file, GSM8K).unwrap();

    // Collected questions are not used for a calibration.
    let arguments = [&["calibrate", "--target-cost", "0.5"], &set[..]].concat();
    let (code, message) = failure(home.path(), &arguments);
    assert!(code == 2 && message.contains("every question of gsm8k"), "{code} {message}");

    // Without solutions the oracle is left out.
    let arguments =
        [&["eval", "-n", "2", "--no-curve", "--json", "--jobs", "1"], &set[..]].concat();
    let scores = events(&stdout(home.path(), &arguments));
    let names: Vec<&str> = scores.iter().map(|s| s["router"].as_str().unwrap()).collect();
    assert_eq!(names, ["policy", "entropy", "confidence", "always-small", "always-large"]);
    assert!(scores.iter().all(|s| s["n"] == 2), "{scores:?}");
}

#[test]
fn solutions_in_a_file_are_graded_line_by_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("solutions.jsonl");
    let lines = r#"{"problem": "Half?", "answer": "\\frac{1}{2}", "solution": "So \\boxed{0.5}."}
{"problem": "Half?", "answer": "\\frac{1}{2}", "solution": "So \\boxed{0.4}."}
{"problem": "Show it.", "answer": "See the solution for the proof.", "solution": "\\boxed{1}"}
{"problem": "Half?", "answer": "\\frac{1}{2}", "solution": ""}
{"problem": "Half?"}
"#;
    std::fs::write(&file, lines).unwrap();
    let path = file.to_str().unwrap();
    let (code, message) = failure(home.path(), &["grade", "--tasks", "math500", path]);
    assert!(
        code == 2 && message.contains("line 5: `answer` is not a text or a number"),
        "{message}"
    );

    let skip = ["grade", "--tasks", "math500", "--on-bad-line", "skip", path];
    let run = output(home.path(), &[&skip[..], &["--json"]].concat());
    assert!(run.status.success());
    let graded = events(&String::from_utf8(run.stdout).unwrap());
    let verdicts: Vec<&str> = graded.iter().map(|g| g["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["correct", "wrong", "undecided", "wrong"]);
    assert_eq!(
        (graded[0]["answer"].as_str(), graded[0]["gold"].as_str()),
        (Some("0.5"), Some("\\frac{1}{2}"))
    );
    assert!(graded[3]["answer"].is_null());
    let errors = String::from_utf8(run.stderr).unwrap();
    assert!(
        errors.contains("line 5") && errors.contains("1 correct, 2 wrong, 1 undecided of 4"),
        "{errors}"
    );

    let table = stdout(home.path(), &skip);
    assert!(table.contains("line 1: correct    0.5  gold \\frac{1}{2}"), "{table}");
    assert!(table.contains("no answer found") && table.contains("25.0 % correct"), "{table}");
}

#[test]
fn eval_leaves_the_policy_out_if_there_is_none() {
    let home = tempfile::tempdir().unwrap();
    let preset = home.path().join("own.toml");
    let text = include_str!("../../presets/tiny.toml")
        .replace("policy = \"builtin:tiny\"\n", "")
        .replace("router = \"policy\"", "router = \"confidence\"");
    std::fs::write(&preset, text).unwrap();
    let preset = preset.to_str().unwrap();
    let eval = ["eval", "-n", "1", "--no-curve", "--json", "--preset", preset];
    let scores = events(&stdout(home.path(), &eval));
    let names: Vec<&str> = scores.iter().map(|s| s["router"].as_str().unwrap()).collect();
    assert_eq!(names, ["entropy", "confidence", "always-small", "always-large", "oracle"]);
}

#[test]
fn help_shows_commands_and_pages() {
    let home = tempfile::tempdir().unwrap();
    let help = |topic: &[&str]| stdout(home.path(), &[&["help"], topic].concat());
    let overview = help(&[]);
    for topic in ["run ", "explain ", "help ", "guide ", "measurements "] {
        assert!(overview.lines().any(|line| line.trim_start().starts_with(topic)), "{overview}");
    }
    assert!(help(&["eval"]).contains("--routers"));
    assert!(help(&["episodes", "trash"]).contains("empty"));
    let guide = help(&["guide"]);
    assert!(guide.starts_with("Guide to the workbench\n===="), "{guide}");
    // A command and a page of the same name are both shown.
    let policy = help(&["policy"]);
    assert!(policy.contains("Usage: pointsman policy") && policy.contains("Features\n--------"));
    let (code, refused) = failure(home.path(), &["help", "guides"]);
    assert_eq!((code, refused.lines().count()), (2, 1), "{refused}");
    assert!(refused.contains("`guides`") && refused.contains("guide, models, remote"), "{refused}");
}

#[test]
fn reference_tables_are_markdown() {
    let home = tempfile::tempdir().unwrap();
    for name in ["keys", "routers", "features", "tasks", "presets", "themes"] {
        let table = stdout(home.path(), &["print", "reference", name]);
        let mut lines = table.lines();
        assert!(lines.next().unwrap().starts_with("| "), "{table}");
        assert!(lines.next().unwrap().starts_with("|---|"), "{table}");
        assert!(lines.count() > 4, "{table}");
    }
}

#[test]
fn only_the_owner_can_read_store_and_log() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("state/pointsman.log");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    std::fs::write(&log, "written by an earlier version\n").unwrap();
    stdout(home.path(), &["run", "--seed", "3"]);
    for path in ["state/pointsman.log", "data/store", "data/store/log", "data/store/index"] {
        let mode = std::fs::metadata(home.path().join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
}
