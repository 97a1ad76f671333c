//! Files from elsewhere, changed at random: each is read, or refused in one sentence; nothing panics or hangs.

use std::path::Path;

use pointsman::config::{Folders, load_preset};
use pointsman::engine::model_info;
use pointsman::library::{LocalCalendar, Query};
use pointsman::recording::{RecordedEpisode, RecordingError, RecordingReader, ReplaySpeed};
use pointsman::routing::{Policy, load_policy};
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

/// The number of changed files, `n` times `POINTSMAN_FUZZ_FACTOR` if that is set: more of them find more.
fn rounds(n: usize) -> usize {
    let factor = std::env::var("POINTSMAN_FUZZ_FACTOR").ok();
    n * factor.map_or(1, |factor| factor.parse().expect("POINTSMAN_FUZZ_FACTOR is a number"))
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
    for _ in 0..rounds(600) {
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
    for round in 0..rounds(120) {
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

#[test]
fn changed_settings_are_used_or_refused() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::below(home.path()).unwrap();
    let path = home.path().join("file.toml");
    let name = path.to_str().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let preset = include_bytes!("../../presets/tiny.toml");
    let theme = include_bytes!("../../themes/default.toml");
    let keys = b"pause = [\"p\", \"space\"]\nquit = [\"q\", \"ctrl-q\"]\nhelp = [\"?\"]\n";
    for _ in 0..rounds(300) {
        std::fs::write(&path, mutated(preset, &mut rng)).unwrap();
        match load_preset(name, &folders) {
            Ok(preset) => preset.validate().unwrap(),
            Err(error) => check_sentence(&error.to_string()),
        }
        std::fs::write(&path, mutated(theme, &mut rng)).unwrap();
        if let Err(error) = Theme::load(name, &folders.themes()) {
            check_sentence(&error.to_string());
        }
        std::fs::write(&path, mutated(keys, &mut rng)).unwrap();
        if let Err(error) = Keymap::load(&path) {
            check_sentence(&error.to_string());
        }
    }
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
    for _ in 0..rounds(400) {
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
    for round in 0..rounds(150) {
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
    for _ in 0..rounds(2000) {
        let text = String::from_utf8_lossy(&mutated(original, &mut rng)).into_owned();
        if let Err(error) = Query::parse(&text, &calendar) {
            // It may quote a line break of the query.
            check_sentence(&error.to_string().replace('\n', " "));
        }
    }
}
