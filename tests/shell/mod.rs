//! The binary as a shell runs it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The command, with all its folders below `home`.
pub fn pointsman(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.env("POINTSMAN_HOME", home).args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn output(home: &Path, arguments: &[&str]) -> Output {
    pointsman(home, arguments).output().expect("the binary runs")
}

/// Standard output of a command that must succeed.
pub fn stdout(home: &Path, arguments: &[&str]) -> String {
    let output = output(home, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Exit code and the one sentence of a command that must fail.
pub fn failure(home: &Path, arguments: &[&str]) -> (i32, String) {
    let output = output(home, arguments);
    assert!(output.stdout.is_empty(), "results go to standard output, errors do not");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code().expect("an exit code"), errors)
}

/// JSON objects, one a line.
pub fn objects(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}
