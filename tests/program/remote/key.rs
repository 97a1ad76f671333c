//! The key of a server comes from the environment, and is sent to that server only.

use std::fs;
use std::path::Path;

use super::server::{Server, ServerFault};
use super::{FULL_CAPABILITIES, Role, preset, remote_model};
use crate::shell::{failure, objects, output, pointsman, stdout};

const KEY: &str = "sk-V3ry5ecret";

/// Writes a preset with a remote large model, and adds it to the arguments.
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

/// All files in a folder that contain these bytes.
fn files_containing(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_containing(&path, bytes));
        } else if fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn the_key_is_sent_to_the_server_and_stored_nowhere() {
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
    let working = with_key();
    let message = String::from_utf8_lossy(&working.stderr).into_owned();
    assert!(working.status.success(), "{message}");
    let events = objects(&String::from_utf8(working.stdout.clone()).unwrap());
    assert!(events.len() > 3);
    let authorization = format!("Bearer {KEY}");
    assert_eq!(server.received()[0].authorization.as_deref(), Some(authorization.as_str()));
    // Some servers repeat the key in their errors.
    let echo = "{\"error\":{\"message\":\"Incorrect API key provided: sk-V3ry5ecret.\"}}";
    server.queue_faults([ServerFault::Refuse(401, "", echo), ServerFault::Refuse(500, "", echo)]);
    let (refused, down) = (with_key(), with_key());
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    let remedy = "it rejects the key (401: Incorrect API key provided: …): check the environment variable POINTSMAN_TEST_KEY";
    assert!(message.contains(remedy), "{message}");
    for shown in [&working, &refused, &down] {
        for text in [&shown.stdout, &shown.stderr] {
            assert!(!String::from_utf8_lossy(text).contains(KEY));
        }
    }
    assert_eq!(files_containing(home.path(), KEY.as_bytes()), Vec::<String>::new());
    // The name of the variable is stored as plain text, so the search above would have found the key.
    assert!(!files_containing(home.path(), b"POINTSMAN_TEST_KEY").is_empty());
    let exported = stdout(home.path(), &["episodes", "export", "1"]);
    assert!(exported.contains("POINTSMAN_TEST_KEY") && !exported.contains(KEY));
}

#[test]
fn a_missing_key_is_reported_with_its_variable() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let line = arguments(home.path(), &server, &["run", "--seed", "3"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let (code, message) = failure(home.path(), &line);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("needs a key, and POINTSMAN_TEST_KEY is not set"), "{message}");
    assert!(server.received().is_empty());
}

#[test]
fn a_fork_of_an_import_sends_the_key_only_to_addresses_of_own_presets() {
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
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), server.received().len()), (Some(2), asked), "{message}");
    assert!(
        message.contains(&server.source) && message.contains("POINTSMAN_TEST_KEY"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");

    // The same address in a preset of the user allows it.
    let own = theirs.path().join("remote.toml");
    let allowed = fork(&["--preset", own.to_str().unwrap()]);
    assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
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
fn finished_routers_are_printed_before_the_error_of_another() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let with_key = |arguments: &[&str]| {
        let line = self::arguments(home.path(), &server, arguments);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY).output().unwrap()
    };
    assert!(with_key(&["run", "--seed", "3"]).status.success());
    let alone = server.received().len();
    // The first router is answered, the next one is not.
    server.queue_faults(vec![ServerFault::Die(usize::MAX); alone]);
    server.queue_faults(vec![ServerFault::HangUp; 9]);
    let output = with_key(&[
        "eval",
        "--json",
        "--no-curve",
        "-n",
        "1",
        "--seed",
        "3",
        "--jobs",
        "1",
        "--routers",
        "always-large,first-k,always-small",
    ]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("router first-k: question 1 of arithmetic (“"), "{message}");
    assert!(message.contains("cannot be reached"), "{message}");
    let scores = objects(&String::from_utf8(output.stdout).unwrap());
    let names: Vec<&str> = scores.iter().map(|s| s["router"].as_str().unwrap()).collect();
    assert_eq!(names, ["always-large", "always-small"]);
}

#[test]
fn doctor_checks_the_server() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let line = arguments(home.path(), &server, &["doctor"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let found = |command: &mut std::process::Command| {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find(|line| line.contains("large model")).unwrap().to_owned()
    };
    let working = found(pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY));
    assert!(working.starts_with("ok") && working.contains("answered after"), "{working}");
    assert!(working.contains("reports the log-probabilities of its tokens"), "{working}");
    server.queue_faults([ServerFault::Refuse(503, "", "busy")]);
    let failing = found(pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY));
    assert!(
        failing.starts_with("error") && failing.contains("down or overloaded (503: busy)"),
        "{failing}"
    );
    assert!(!output(home.path(), &line).status.success(), "no key");
}

#[test]
fn models_check_includes_remote_models() {
    let server = Server::start(Role::Large, FULL_CAPABILITIES);
    let home = tempfile::tempdir().unwrap();
    let line = arguments(home.path(), &server, &["models", "check", "--json"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let found = |command: &mut std::process::Command| {
        objects(&String::from_utf8(command.output().unwrap().stdout).unwrap())
    };
    let working = found(pointsman(home.path(), &line).env("POINTSMAN_TEST_KEY", KEY));
    assert_eq!((&working[1]["location"], &working[1]["loads"]), (&"remote".into(), &true.into()));
    assert_eq!(working[1]["token_stats"], "the log-probabilities");
    assert_eq!(working[2]["works"], true, "{working:?}");
    let failing = found(&mut pointsman(home.path(), &line));
    assert!(failing[1]["error"].as_str().unwrap().contains("POINTSMAN_TEST_KEY is not set"));
    assert_eq!(failing.len(), 2, "the pair is not checked if one model fails");
}
