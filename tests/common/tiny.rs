//! The embedded pair of tiny models, shared by the tests of a binary.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pointsman::config::{Folders, Preset, load_preset};
use pointsman::episode::Episode;
use pointsman::routing::{RouterRegistry, load_policy};
use pointsman::session::{EpisodeRunner, load_pair};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};

/// Where the weights are unpacked: once for all tests, since unpacking is atomic and keyed by content.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

pub(crate) fn preset() -> Preset {
    let folders = Folders::below(env!("CARGO_TARGET_TMPDIR")).unwrap();
    load_preset("tiny", &folders).unwrap()
}

pub(crate) fn load() -> EpisodeRunner {
    load_pair(&preset(), &cache()).unwrap()
}

/// Pairs that no test is using.
static IDLE: Mutex<Vec<EpisodeRunner>> = Mutex::new(Vec::new());

/// A loaded pair that goes back to the idle ones when it is dropped.
pub(crate) struct PairGuard(Option<EpisodeRunner>);

/// A loaded pair under the preset `tiny`. Tests that run at the same time get one each.
pub(crate) fn pair() -> PairGuard {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut runner = idle.unwrap_or_else(load);
    *runner.preset_mut() = preset();
    PairGuard(Some(runner))
}

impl Deref for PairGuard {
    type Target = EpisodeRunner;

    fn deref(&self) -> &EpisodeRunner {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl DerefMut for PairGuard {
    fn deref_mut(&mut self) -> &mut EpisodeRunner {
        self.0.as_mut().expect("there until it is dropped")
    }
}

impl Drop for PairGuard {
    fn drop(&mut self) {
        // A test that fails may leave its pair in the middle of an episode.
        if !std::thread::panicking() {
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).extend(self.0.take());
        }
    }
}

pub(crate) fn registry() -> RouterRegistry {
    RouterRegistry::new("tiny", Some(Arc::new(load_policy("builtin:tiny").unwrap())))
}

/// The first `n` questions with at least five operations.
pub(crate) fn long_questions(n: usize) -> Vec<Question> {
    let all = questions("arithmetic", Split::Test, 4).unwrap();
    let long = |q: &Question| q.solution.as_ref().is_some_and(|s| s.operations.len() >= 5);
    all.filter(long).take(n).collect()
}

/// Who wrote each step, such as `SSL`.
pub(crate) fn writers(episode: &Episode) -> String {
    episode.steps.iter().map(|s| s.generation.model.letter()).collect()
}
