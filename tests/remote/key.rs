//! The key comes from the environment and goes to the server and nowhere else.

use std::fs;
use std::path::Path;

use crate::server::{Server, ServerFault};
use crate::shell::{failure, objects, output, pointsman, stdout};
use crate::{FULL_CAPABILITIES, Role, preset, remote_model};

const KEY: &str = "sk-V3ry5ecret";

/// Writes a preset whose large model is there, and names it on a command line.
fn arguments(home: &Path, server: &Server, more: &[&str]) -> Vec<String> {
    let mut preset = preset();
    preset.large =
        remote_model(server, Role::Large, "key_env = \"POINTSMAN_TEST_KEY\"\nretries = 0");
    preset.routing.router = "always-large".into();
    let path = home.join("remote.toml");
    fs::write(&path, toml::to_string(&preset).unwrap()).unwrap();
    let path = path.to_str().unwrap();
    more.iter().chain(&["--preset", path]).map(|s| (*s).to_owned()).collect()
}

/// Every file below a folder that has these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn the_key_goes_to_the_server_and_nowhere_else() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let line = arguments(home.path(), &server, &["run", "--json", "--seed", "3"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let with_key = || {
        let mut command = pointsman(home.path(), &line);
        command
            .env("POINTSMAN_TEST_KEY", KEY)
            .env("POINTSMAN_LOG", "trace")
            .env("RUST_LOG", "trace");
        command.output().unwrap()
    };
    let well = with_key();
    let said = String::from_utf8_lossy(&well.stderr).into_owned();
    assert!(well.status.success(), "{said}");
    let events = objects(&String::from_utf8(well.stdout.clone()).unwrap());
    assert!(events.len() > 3);
    let authorization = format!("Bearer {KEY}");
    assert_eq!(server.received()[0].authorization.as_deref(), Some(authorization.as_str()));
    // Some servers repeat what they were sent.
    let echo = "{\"error\":{\"message\":\"Incorrect API key provided: sk-V3ry5ecret.\"}}";
    server.queue_faults([ServerFault::Refuse(401, "", echo), ServerFault::Refuse(500, "", echo)]);
    let (refused, down) = (with_key(), with_key());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let remedy = "it refuses the key (401: Incorrect API key provided: …): check the variable POINTSMAN_TEST_KEY";
    assert!(said.contains(remedy), "{said}");
    for shown in [&well, &refused, &down] {
        for text in [&shown.stdout, &shown.stderr] {
            assert!(!String::from_utf8_lossy(text).contains(KEY));
        }
    }
    assert_eq!(holding(home.path(), KEY.as_bytes()), Vec::<String>::new());
    // Unlike the name of its variable: the store is no compressed secret.
    assert!(!holding(home.path(), b"POINTSMAN_TEST_KEY").is_empty());
    let exported = stdout(home.path(), &["episodes", "export", "1"]);
    assert!(exported.contains("POINTSMAN_TEST_KEY") && !exported.contains(KEY));
}

#[test]
fn a_missing_key_is_named_by_its_variable() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let line = arguments(home.path(), &server, &["run", "--seed", "3"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let (code, said) = failure(home.path(), &line);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("needs a key, and POINTSMAN_TEST_KEY is not set"), "{said}");
    assert!(server.received().is_empty());
}

#[test]
fn a_key_goes_where_an_own_preset_sends_it_and_not_where_a_recording_says() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let theirs = tempfile::tempdir().unwrap();
    let line = arguments(theirs.path(), &server, &["run", "--json", "--seed", "3"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let run = pointsman(theirs.path(), &line).env("POINTSMAN_TEST_KEY", KEY).output().unwrap();
    assert!(run.status.success());
    let recording = home.path().join("theirs.jsonl");
    fs::write(&recording, run.stdout).unwrap();
    stdout(home.path(), &["episodes", "import", recording.to_str().unwrap()]);

    let asked = server.received().len();
    let fork = |more: &[&str]| {
        let fork = [&["fork", "1", "--step", "1"], more].concat();
        pointsman(home.path(), &fork).env("POINTSMAN_TEST_KEY", KEY).output().unwrap()
    };
    let refused = fork(&[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), server.received().len()), (Some(2), asked), "{said}");
    assert!(said.contains(&server.source) && said.contains("POINTSMAN_TEST_KEY"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");

    // The same preset, chosen here, vouches for it; so does one in the user's folder.
    let own = theirs.path().join("remote.toml");
    let told = fork(&["--preset", own.to_str().unwrap()]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(server.received().len() > asked);
    let folder = home.path().join("config/presets");
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string(&own).unwrap();
    let elsewhere = text.replace(&server.source, "http://127.0.0.1:9/v1");
    fs::write(folder.join("gpu.toml"), elsewhere).unwrap();
    assert_eq!(fork(&[]).status.code(), Some(2), "another address");
    fs::write(folder.join("gpu.toml"), text).unwrap();
    assert!(fork(&[]).status.success());
}

#[test]
fn routers_that_were_done_are_told_before_the_error_of_another() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let with_key = |arguments: &[&str]| {
        let line = self::arguments(home.path(), &server, arguments);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY).output().unwrap()
    };
    assert!(with_key(&["run", "--seed", "3"]).status.success());
    let alone = server.received().len();
    // The large model alone is answered, and then no one.
    server.queue_faults(vec![ServerFault::Die(usize::MAX); alone]);
    server.queue_faults(vec![ServerFault::HangUp; 9]);
    let output = with_key(&[
        "eval",
        "--json",
        "--point",
        "-n",
        "1",
        "--seed",
        "3",
        "--jobs",
        "1",
        "--routers",
        "always-large,first-k,always-small",
    ]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("router first-k: question 1 of arithmetic (“"), "{said}");
    assert!(said.contains("cannot be reached"), "{said}");
    let scores = objects(&String::from_utf8(output.stdout).unwrap());
    let names: Vec<&str> = scores.iter().map(|s| s["router"].as_str().unwrap()).collect();
    assert_eq!(names, ["always-large", "always-small"]);
}

#[test]
fn doctor_says_whether_the_server_answers() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let line = arguments(home.path(), &server, &["doctor"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let found = |command: &mut std::process::Command| {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find(|line| line.contains("large model")).unwrap().to_owned()
    };
    let well = found(pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY));
    assert!(well.starts_with("ok") && well.contains("answers after"), "{well}");
    assert!(well.contains("tells the log-probabilities of them"), "{well}");
    server.queue_faults([ServerFault::Refuse(503, "", "busy")]);
    let unwell = found(pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY));
    assert!(
        unwell.starts_with("!!") && unwell.contains("down or overloaded (503: busy)"),
        "{unwell}"
    );
    assert!(!output(home.path(), &line).status.success(), "no key");
}

#[test]
fn a_pair_of_which_one_is_behind_an_address_is_checked() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let line = arguments(home.path(), &server, &["models", "check", "--json"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let found = |command: &mut std::process::Command| {
        objects(&String::from_utf8(command.output().unwrap().stdout).unwrap())
    };
    let well = found(pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY));
    assert_eq!((&well[1]["place"], &well[1]["loads"]), (&"remote".into(), &true.into()));
    assert_eq!(well[1]["token_stats"], "the log-probabilities");
    assert_eq!(well[2]["works"], true, "{well:?}");
    let unwell = found(&mut pointsman(home.path(), &line));
    assert!(unwell[1]["error"].as_str().unwrap().contains("POINTSMAN_TEST_KEY is not set"));
    assert_eq!(unwell.len(), 2, "a pair of which one does not work is not tried");
}
