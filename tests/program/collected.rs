//! A store of collected episodes, which several tests train from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::copy_folder::copy_folder;
use crate::shell::stdout;

/// Number of episodes in the store.
pub(crate) const COLLECTED: usize = 120;

/// A home with a copy of the store, which is collected once.
pub(crate) fn collected_home() -> TempDir {
    static STORE: OnceLock<PathBuf> = OnceLock::new();
    let store = STORE.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("collected");
        // A former run leaves its store behind.
        let _ = fs::remove_dir_all(&home);
        let n = COLLECTED.to_string();
        stdout(&home, &["collect", "-n", &n, "--coin", "0.5", "--seed", "5"]);
        home.join("data/store")
    });
    let home = tempfile::tempdir().unwrap();
    copy_folder(store, &home.path().join("data/store"));
    home
}
