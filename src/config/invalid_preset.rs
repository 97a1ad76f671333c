//! [`InvalidPreset`]: a value of a preset that cannot be used.

use thiserror::Error;

/// A value of a preset that cannot be used. The message names the key; whoever reports it adds the file.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{key} {reason}")]
pub struct InvalidPreset {
    /// The key as the file has it, such as `routing.threshold`.
    pub key: String,
    /// The rest of the sentence, with the remedy.
    pub reason: String,
}

/// Fails for `key` unless `ok`.
pub(super) fn check(
    ok: bool,
    key: &str,
    reason: impl FnOnce() -> String,
) -> Result<(), InvalidPreset> {
    if ok { Ok(()) } else { Err(InvalidPreset { key: key.into(), reason: reason() }) }
}
