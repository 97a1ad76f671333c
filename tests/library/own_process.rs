//! Tests that measure their process, and so need one of their own.

use std::process::Command;

/// Set in the process that runs the test alone.
const ALONE: &str = "POINTSMAN_TEST_ALONE";

/// Runs `body` in a new process of this binary. `test` is the path of the calling test, such as `engine::memory`.
pub(crate) fn in_own_process(test: &str, body: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Resident memory of this process in MiB; `None` if the system does not report it.
pub(crate) fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
