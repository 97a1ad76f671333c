//! The layers of docs/architecture.md: a module knows only those below it, and no two files import each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/`, from top to bottom.
const LAYERS: [&str; 21] = [
    "cli",
    "workbench",
    "terminal",
    "theme",
    "training",
    "evaluation",
    "session",
    "library",
    "recording",
    "store",
    "routing",
    "tasks",
    "engine",
    "episode",
    "grading",
    "config",
    "role",
    "exit",
    "safe_text",
    "user_file",
    "private_file",
];

/// Files longer than this hold more than one thing.
const MAX_LINES: usize = 600;

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files, by their path below `src/`.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![source_folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(source_folder()).unwrap().display().to_string();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The code of a file without its unit tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Whether a file has nothing but test code.
fn is_test_file(name: &str) -> bool {
    let stem = name.trim_end_matches(".rs");
    stem.ends_with("tests") || stem.ends_with("fixtures") || stem.ends_with("test_data")
}

/// The names that follow `prefix` in a text.
fn names_after<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    text.match_indices(prefix)
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .map(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

#[test]
fn a_module_knows_only_the_modules_below_it() {
    let layer = |name: &str| LAYERS.iter().position(|known| *known == name);
    let mut violations = Vec::new();
    for (file, text) in sources() {
        let module = file.split('/').next().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "main") || is_test_file(&file) {
            continue;
        }
        let own = layer(module).unwrap_or_else(|| panic!("{file}: {module} has no layer"));
        for other in names_after(&code(&text), "crate::") {
            if layer(other).is_some_and(|below| below < own) {
                violations.push(format!("{file} uses {other}, which is above {module}"));
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn no_two_files_of_a_folder_import_each_other() {
    let sources = sources();
    let mut edges: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in &sources {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        if name == "mod.rs" || is_test_file(file) {
            continue;
        }
        let code = code(text);
        let siblings = names_after(&code, "super::")
            .into_iter()
            .map(|sibling| format!("{folder}/{sibling}.rs"))
            .filter(|sibling| sibling != file && sources.contains_key(sibling));
        edges.entry(file).or_default().extend(siblings);
    }
    for start in edges.keys() {
        let mut open: Vec<&str> = edges[start].iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        while let Some(file) = open.pop() {
            assert_ne!(file, *start, "{start} imports itself by way of {seen:?}");
            if seen.insert(file)
                && let Some(next) = edges.get(file)
            {
                open.extend(next.iter().map(String::as_str));
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_it_should_be() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(file, text)| (file, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .collect();
    assert!(long.is_empty(), "split these by concept: {long:?}");
}
