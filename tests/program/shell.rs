//! Runs the binary as a shell does.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The command, with all its folders in `home`.
pub(crate) fn pointsman(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.env("POINTSMAN_HOME", home).args(arguments).stdin(Stdio::null());
    command
}

/// Runs the command to its end.
pub(crate) fn output(home: &Path, arguments: &[&str]) -> Output {
    pointsman(home, arguments).output().expect("the binary runs")
}

/// The standard output of a command that must succeed.
pub(crate) fn stdout(home: &Path, arguments: &[&str]) -> String {
    let output = output(home, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The exit code and message of a command that must fail.
pub(crate) fn failure(home: &Path, arguments: &[&str]) -> (i32, String) {
    let output = output(home, arguments);
    assert!(output.stdout.is_empty(), "results go to standard output, errors do not");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code().expect("an exit code"), errors)
}

/// JSON lines.
pub(crate) fn objects(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
