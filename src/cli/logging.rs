//! The log file.

use std::path::PathBuf;
use std::sync::Mutex;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::Folders;
use crate::engine::end_logger_threads;
use crate::private_file::{append_private, create_private_folder};

/// Name of the log in the user's state folder.
pub(super) const LOG_FILE: &str = "pointsman.log";

/// Opens the log and sends all tracing to it. Returns its path, or `/dev/null` if the folder is not writable:
/// pointsman works without a log.
///
/// # Errors
/// If `/dev/null` cannot be opened either.
pub(super) fn start(folders: &Folders) -> std::io::Result<PathBuf> {
    let wanted = folders.state.join(LOG_FILE);
    let _ = create_private_folder(&folders.state);
    let (path, file) = if let Ok(file) = append_private(&wanted) {
        (wanted, file)
    } else {
        let nowhere = PathBuf::from("/dev/null");
        let file = append_private(&nowhere)?;
        (nowhere, file)
    };
    // mistral.rs reports the request that empties its cache after each episode; other failures are returned.
    let filter = EnvFilter::try_from_env("POINTSMAN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("error,pointsman=info,mistralrs_core::engine=off"));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        // It would report a full disk on standard error, and panic if that is full too.
        .log_internal_errors(false)
        .with_writer(Mutex::new(file));
    let subscriber = Registry::default().with(end_logger_threads()).with(lines.with_filter(filter));
    // Fails only if a subscriber is set already, which then stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(path)
}
