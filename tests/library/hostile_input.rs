//! Files from elsewhere, changed at random: each is read, or refused in one sentence; nothing panics or hangs.

use std::path::Path;
use std::time::{Duration, Instant};

use pointsman::config::{Folders, load_preset};
use pointsman::engine::model_info;
use pointsman::episode::Verdict;
use pointsman::grading::Grader;
use pointsman::library::{LocalCalendar, Query};
use pointsman::recording::{RecordedEpisode, RecordingError, RecordingReader, ReplaySpeed};
use pointsman::routing::{Policy, load_policy};
use pointsman::store::Store;
use pointsman::tasks::{
    OnBadLine, QuestionFilter, Split as Part, TaskError, TaskSet, TaskSetRequest,
};
use pointsman::theme::{Glyphs, Theme};
use pointsman::workbench::{Keymap, Replay, View, replay_svg};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::copy_folder::copy_folder;

/// Numbers and texts that programs stumble over.
const HOSTILE: [&str; 16] = [
    "-1",
    "0",
    "7.5",
    "1e308",
    "-1e308",
    "1e999",
    "NaN",
    "null",
    "18446744073709551615",
    "[]",
    "{}",
    "\"\"",
    "\"/dev/zero\"",
    "\"\\u001b[2J\\u202e\"",
    "\"\u{301}\u{301}\u{301}\"",
    "true",
];

/// Numbers the changed files: `n` of them, and more for as long as `POINTSMAN_FUZZ_SECONDS` says.
fn rounds(n: usize) -> impl Iterator<Item = usize> {
    let seconds = std::env::var("POINTSMAN_FUZZ_SECONDS").ok();
    let seconds = seconds.map_or(0, |seconds| seconds.parse().expect("a number of seconds"));
    let (start, duration) = (Instant::now(), Duration::from_secs(seconds));
    (0..).take_while(move |round| *round < n || start.elapsed() < duration)
}

/// A file with some bytes changed, removed, repeated or inserted, or with a value replaced.
fn mutated(file: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..bytes.len().max(1));
        let end = (at + rng.random_range(1..40)).min(bytes.len());
        match rng.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < end => drop(bytes.drain(at..end)),
            2 => {
                let part = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, part);
            }
            3 => drop(bytes.splice(at..at, (0..8).map(|_| rng.random()).collect::<Vec<u8>>())),
            4 => bytes.truncate(at),
            _ => replace_value(&mut bytes, at, rng),
        }
    }
    bytes
}

/// Replaces the number after `at`, or the text, by a hostile one.
fn replace_value(bytes: &mut Vec<u8>, at: usize, rng: &mut ChaCha8Rng) {
    let is_number = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
    let Some(start) = (at..bytes.len()).find(|i| bytes[*i].is_ascii_digit()) else { return };
    let start = (0..=start).rev().take_while(|i| is_number(&bytes[*i])).last().unwrap_or(start);
    let length = bytes[start..].iter().take_while(|b| is_number(b)).count();
    let value = HOSTILE.choose(rng).expect("the list is not empty");
    bytes.splice(start..start + length, value.bytes());
}

/// Every message is one line without control characters of its own, and says something.
fn check_sentence(message: &str) {
    assert!(message.len() > 10 && !message.contains('\n'), "{message:?}");
    assert!(!message.contains("panicked"), "{message}");
}

fn read_recording(bytes: &[u8]) -> Result<Vec<RecordedEpisode>, RecordingError> {
    RecordingReader::new("file.jsonl", bytes).into_vec()
}

#[test]
fn changed_recordings_are_read_or_refused() {
    let original = include_bytes!("../../recordings/rescue.jsonl");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut accepted, mut refused) = (0, 0);
    for _ in rounds(600) {
        match read_recording(&mutated(original, &mut rng)) {
            Ok(all) => {
                accepted += 1;
                assert!(all.iter().all(|r| r.episode.check_ranges().is_ok()));
                // The whole way to a picture, for some of them.
                if accepted % 10 == 0 {
                    draw(all);
                }
            }
            Err(error) => {
                refused += 1;
                check_sentence(&error.to_string());
            }
        }
    }
    assert!(accepted > 10 && refused > 10, "{accepted} accepted, {refused} refused");
}

fn draw(recorded: Vec<RecordedEpisode>) {
    let folders = Folders::below("/nonexistent").unwrap();
    let theme = Theme::load("default", &folders.themes()).unwrap();
    let replay = Replay::new("file.jsonl", recorded, ReplaySpeed::Times(1.0)).unwrap();
    let svg = replay_svg(replay, View::new(theme, Glyphs::Unicode), (100, 28), None).unwrap();
    assert!(!svg.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn changed_policies_decide_or_are_refused() {
    let policy = load_policy("builtin:tiny").unwrap();
    let original = policy.to_bytes().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (mut accepted, mut refused) = (0, 0);
    for round in rounds(120) {
        // Most of the file are weights; every other change is in the card.
        let card = 20_000.min(original.len() / 2);
        let bytes = if round % 2 == 0 {
            let mut bytes = original.clone();
            bytes[rng.random_range(card..original.len())] ^= 1 << rng.random_range(0..8);
            bytes
        } else {
            [&mutated(&original[..card], &mut rng), &original[card..]].concat()
        };
        match Policy::from_bytes(&bytes) {
            Ok(policy) => {
                accepted += 1;
                let extreme = policy.card.set.features.iter().map(|name| (name.clone(), 1e30));
                let p = policy.p_large(&extreme.collect()).unwrap();
                assert!((0.0..=1.0).contains(&p), "{p}");
            }
            Err(error) => {
                refused += 1;
                check_sentence(&error.to_string());
            }
        }
    }
    assert!(accepted > 5 && refused > 5, "{accepted} accepted, {refused} refused");
}

/// Changes a file of settings at random and reads it.
fn change_settings(
    original: &[u8],
    seed: u64,
    read: impl Fn(&str, &Folders) -> Result<(), String>,
) {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::below(home.path()).unwrap();
    let path = home.path().join("file.toml");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in rounds(300) {
        std::fs::write(&path, mutated(original, &mut rng)).unwrap();
        if let Err(message) = read(path.to_str().unwrap(), &folders) {
            check_sentence(&message);
        }
    }
}

#[test]
fn changed_presets_are_used_or_refused() {
    change_settings(include_bytes!("../../presets/tiny.toml"), 3, |name, folders| {
        let preset = load_preset(name, folders).map_err(|e| e.to_string())?;
        preset.validate().map_err(|e| format!("an accepted preset is invalid: panicked: {e}"))
    });
}

#[test]
fn changed_themes_are_used_or_refused() {
    change_settings(include_bytes!("../../themes/default.toml"), 7, |name, folders| {
        Theme::load(name, &folders.themes()).map(drop).map_err(|e| e.to_string())
    });
}

#[test]
fn changed_keys_are_used_or_refused() {
    let keys = b"pause = [\"p\", \"space\"]\nquit = [\"q\", \"ctrl-q\"]\nhelp = [\"?\"]\n";
    change_settings(keys, 8, |name, _| {
        Keymap::load(Path::new(name)).map(drop).map_err(|e| e.to_string())
    });
}

fn read_questions(path: &Path, on_bad_line: OnBadLine) -> Result<TaskSet, TaskError> {
    TaskSet::open(&TaskSetRequest {
        name: "mine".into(),
        data: Some(path.into()),
        split: None,
        default_split: Part::Test,
        filter: QuestionFilter::default(),
        on_bad_line,
    })
}

#[test]
fn changed_questions_are_read_or_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("questions.jsonl");
    let line = |i: usize| {
        format!(
            "{{\"question\": \"What is {i} + {i}?\", \"answer\": \"{}\", \"level\": {}}}\n",
            2 * i,
            i % 5 + 1
        )
    };
    let original: String = (0..20).map(line).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for _ in rounds(400) {
        std::fs::write(&path, mutated(original.as_bytes(), &mut rng)).unwrap();
        for on_bad_line in [OnBadLine::Stop, OnBadLine::Skip] {
            match read_questions(&path, on_bad_line) {
                Ok(set) => assert!(set.questions(0).all(|q| !q.text.trim().is_empty())),
                Err(error) => check_sentence(&error.to_string()),
            }
        }
    }
}

#[test]
fn changed_model_files_are_described_or_refused() {
    let home = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets/tiny/small");
    let folder = home.path().join("model");
    copy_folder(&source, &folder);
    let folders = Folders::below(home.path()).unwrap();
    let mut config = load_preset("tiny", &folders).unwrap().small;
    config.source = folder.to_str().unwrap().to_owned();
    let names = ["config.json", "tokenizer.json", "model.safetensors"];
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut described, mut refused) = (0, 0);
    for round in rounds(150) {
        let name = names[round % names.len()];
        let original = std::fs::read(source.join(name)).unwrap();
        // Only the head of the weights says anything about them.
        let head = original.len().min(4096);
        let changed = [&mutated(&original[..head], &mut rng), &original[head..]].concat();
        std::fs::write(folder.join(name), changed).unwrap();
        match model_info(&config, &folders.cache).and_then(|found| found.check_loadable(&config)) {
            Ok(_) => described += 1,
            Err(error) => {
                refused += 1;
                check_sentence(&error.to_string());
            }
        }
        std::fs::write(folder.join(name), original).unwrap();
    }
    assert!(described > 5 && refused > 5, "{described} described, {refused} refused");
}

#[test]
fn changed_queries_are_understood_or_refused() {
    let original =
        br#"verdict:wrong tag:hard steps>3 cost<1e6 -star "two words" sort:cost router:entropy"#;
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let calendar = LocalCalendar::at(1_800_000_000_000);
    for _ in rounds(2000) {
        let text = String::from_utf8_lossy(&mutated(original, &mut rng)).into_owned();
        if let Err(error) = Query::parse(&text, &calendar) {
            // It may quote a line break of the query.
            check_sentence(&error.to_string().replace('\n', " "));
        }
    }
}

#[test]
fn changed_stores_open_or_say_what_is_lost() {
    let original = tempfile::tempdir().unwrap();
    {
        let store = Store::open(original.path()).unwrap();
        let recorded = read_recording(include_bytes!("../../recordings/rescue.jsonl")).unwrap();
        let episodes: Vec<_> = recorded.into_iter().map(|episode| episode.events).collect();
        store.add_episodes(&episodes).unwrap();
        store.annotate(&[1], |annotations| annotations.note = "a note".into()).unwrap();
    }
    let names = ["log/000001.log", "counters", "index.clean", "index/db"];
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for round in rounds(24) {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(original.path(), folder.path());
        let path = folder.path().join(names[round % names.len()]);
        let changed = mutated(&std::fs::read(&path).unwrap(), &mut rng);
        std::fs::write(&path, &changed).unwrap();
        for open in [Store::open_read_only, Store::open] {
            let store = open(folder.path()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            for id in 1..=store.len() as u64 + 1 {
                if let Err(error) = store.episode(id) {
                    check_sentence(&error.to_string());
                }
            }
            for summary in store.summaries() {
                let _ = summary.map_err(|error| check_sentence(&error.to_string()));
            }
            for notice in store.notices() {
                check_sentence(notice);
            }
        }
    }
}

#[test]
fn changed_solutions_are_graded() {
    let solutions = [
        ("\\frac{14}{3}", "So the answer is $\\boxed{\\dfrac{14}{3}}$."),
        ("x^2+2x+1", "Thus \\[f(x) = (x+1)^2 \\implies \\boxed{(x+1)^{2}}\\]"),
        ("(-\\infty, 2]\\cup[3,\\infty)", "\\boxed{x \\le 2 \\text{ or } x \\ge 3}"),
        ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "The answer is [[1,2],[3,4]]."),
        ("72", "She sold 48 / 2 = 24 clips.\n#### 72"),
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    for round in rounds(1000) {
        let (gold, solution) = solutions[round % solutions.len()];
        let change = |text: &str, rng: &mut ChaCha8Rng| {
            String::from_utf8_lossy(&mutated(text.as_bytes(), rng)).into_owned()
        };
        let (changed_gold, changed) = (change(gold, &mut rng), change(solution, &mut rng));
        for (gold, solution) in [(gold, changed.as_str()), (&changed_gold, solution)] {
            for grader in [Grader::Math, Grader::Number, Grader::Arithmetic] {
                let grade = grader.grade(Some(gold), solution);
                assert!(grade.answer.is_some() || grade.verdict != Verdict::Correct, "{solution}");
            }
        }
    }
}
