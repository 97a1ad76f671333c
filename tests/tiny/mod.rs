//! The tiny pair, loaded once for all tests of a file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use pointsman::config::{Folders, Preset, load_preset};
use pointsman::episode::Episode;
use pointsman::routing::{RouterRegistry, load_policy};
use pointsman::session::{EpisodeRunner, load_pair};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};

pub fn preset() -> Preset {
    let folders = Folders::below(env!("CARGO_TARGET_TMPDIR")).unwrap();
    load_preset("tiny", &folders).unwrap()
}

pub fn load() -> EpisodeRunner {
    load_pair(&preset(), &PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")).unwrap()
}

pub fn pair() -> MutexGuard<'static, EpisodeRunner> {
    static PAIR: OnceLock<Mutex<EpisodeRunner>> = OnceLock::new();
    let pair = PAIR.get_or_init(|| Mutex::new(load()));
    let mut runner = pair.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    *runner.preset_mut() = preset();
    runner
}

pub fn registry() -> RouterRegistry {
    RouterRegistry::new("tiny", Some(Arc::new(load_policy("builtin:tiny").unwrap())))
}

/// Questions of at least five operations.
pub fn long_questions(n: usize) -> Vec<Question> {
    let all = questions("arithmetic", Split::Test, 4).unwrap();
    let long = |q: &Question| q.solution.as_ref().is_some_and(|s| s.operations.len() >= 5);
    all.filter(long).take(n).collect()
}

pub fn writers(episode: &Episode) -> String {
    episode.steps.iter().map(|s| s.generation.model.letter()).collect()
}
