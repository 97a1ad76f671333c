//! The log.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::Folders;
use crate::engine::end_logger_threads;

/// The log's name in the folder of the user's state.
pub const LOG_FILE: &str = "pointsman.log";

/// Opens the log and sends all tracing there. Returns its path; `/dev/null` where the folder takes
/// no file, since a missing log is no reason not to work.
///
/// # Errors
/// When not even that can be opened.
pub fn start(folders: &Folders) -> std::io::Result<PathBuf> {
    let wanted = folders.state.join(LOG_FILE);
    let open = |path: &PathBuf| OpenOptions::new().create(true).append(true).open(path);
    let _ = std::fs::create_dir_all(&folders.state);
    let (path, file) = match open(&wanted) {
        Ok(file) => (wanted, file),
        Err(_) => {
            let nowhere = PathBuf::from("/dev/null");
            let file = open(&nowhere)?;
            (nowhere, file)
        }
    };
    // mistral.rs warns at every restart of its engine; there is one after each episode.
    let filter = EnvFilter::try_from_env("POINTSMAN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("error,pointsman=info"));
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let subscriber = Registry::default().with(end_logger_threads()).with(lines.with_filter(filter));
    // Only a second call in one process can fail here, and then the first one stands.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(path)
}
