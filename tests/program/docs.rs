//! The commands of README.md and docs/*.md work as they are written.
//!
//! A fenced `sh` block is run, in order, in a folder and a `POINTSMAN_HOME` of its file's own. The line before
//! its fence may say `<!-- slow -->`, to run it with `POINTSMAN_SLOW=1` only, or `<!-- not run: reason -->`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const README_MAX_LINES: usize = 150;
const README_MAX_COLUMNS: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    None,
    Slow,
    NotRun,
}

/// A fenced block.
#[derive(Debug)]
struct Block {
    /// Line of its fence, from 1.
    line: usize,
    language: String,
    marker: Marker,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// README.md, CONTRIBUTING.md and docs/*.md.
fn files() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    files.push(root().join("README.md"));
    files.push(root().join("CONTRIBUTING.md"));
    files.sort();
    files
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut before = "";
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                let marker = match before {
                    "<!-- slow -->" => Marker::Slow,
                    line if line.starts_with("<!-- not run: ") => Marker::NotRun,
                    _ => Marker::None,
                };
                let (line, language) = (index + 1, language.to_owned());
                open = Some(Block { line, language, marker, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
        before = line;
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

fn command(home: &Path, program: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_pointsman"));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command
        .current_dir(home)
        .env("PATH", format!("{}:{path}", binary.parent().unwrap().display()))
        .env("HOME", home)
        .env("POINTSMAN_HOME", home.join("pointsman"))
        .stdin(Stdio::null());
    command
}

/// Runs the commands of a file, and reads its presets.
fn check(name: &str) {
    let home = tempfile::tempdir().unwrap();
    let slow = std::env::var_os("POINTSMAN_SLOW").is_some();
    for block in blocks(&read(&root().join(name))) {
        let place = format!("{name}, line {}", block.line);
        match block.language.as_str() {
            "sh" if block.marker == Marker::None || (slow && block.marker == Marker::Slow) => {
                let script = block.text.replace("cargo run --release -- ", "pointsman ");
                let output = command(home.path(), "bash")
                    .args(["-euo", "pipefail", "-c", &script])
                    .output()
                    .unwrap();
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{place}: {}\n{error}", block.text);
            }
            "toml" if block.text.contains("[small]") => {
                let file = home.path().join("documented.toml");
                std::fs::write(&file, &block.text).unwrap();
                let output = command(home.path(), "pointsman")
                    .args(["print", "config", "--preset", "documented.toml"])
                    .output()
                    .unwrap();
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{place}: {error}");
            }
            _ => {}
        }
    }
}

#[test]
fn commands_of_the_readme() {
    check("README.md");
}

#[test]
fn commands_of_the_guide() {
    check("docs/guide.md");
}

#[test]
fn commands_about_models_and_servers() {
    check("docs/models.md");
    check("docs/remote.md");
}

#[test]
fn commands_about_tasks() {
    check("docs/tasks.md");
}

#[test]
fn commands_about_policies() {
    check("docs/policy.md");
}

#[test]
fn commands_of_the_other_pages() {
    check("docs/measurements.md");
    check("docs/architecture.md");
    check("CONTRIBUTING.md");
}

#[test]
fn every_block_says_what_it_is() {
    for file in files() {
        for block in blocks(&read(&file)) {
            let known = ["sh", "toml", "text", "rust", "json", "bibtex"];
            let language = block.language.as_str();
            let place = format!("{}, line {}", file.display(), block.line);
            assert!(known.contains(&language), "{place}: `{language}` is no known language");
            assert!(
                block.marker == Marker::None || language == "sh",
                "{place}: only commands are marked"
            );
        }
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    for file in files() {
        let text = read(&file);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path =
                if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            assert!(path.exists(), "{}: {target} is missing", file.display());
            let slug =
                |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            let has = |text: &str| text.lines().any(|l| l.starts_with('#') && slug(l) == heading);
            assert!(
                heading.is_empty() || has(&read(&path)),
                "{}: {target} has no such heading",
                file.display()
            );
        }
    }
}

#[test]
fn the_readme_is_short() {
    let readme = read(&root().join("README.md"));
    assert!(readme.lines().count() <= README_MAX_LINES);
    for (index, line) in readme.lines().enumerate() {
        let columns = line.chars().count();
        assert!(columns <= README_MAX_COLUMNS, "line {} has {columns} columns", index + 1);
    }
}
