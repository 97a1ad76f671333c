//! Where a model's tokenizer is.

use std::path::{Path, PathBuf};

use crate::config::ModelConfig;
use crate::engine::error::EngineError;
use crate::engine::hub;

/// The file name of a tokenizer.
pub(super) const TOKENIZER_FILE: &str = "tokenizer.json";

/// Where a model's tokenizer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenizerLocation {
    /// A `tokenizer.json`.
    File(PathBuf),
    /// The GGUF file itself.
    InGguf,
}

/// The folder with the tokenizer that the preset names for a GGUF file; `None` if it names none.
///
/// # Errors
/// If the named tokenizer does not exist or is not downloaded.
pub(in crate::engine) fn tokenizer_folder(
    config: &ModelConfig,
) -> Result<Option<PathBuf>, EngineError> {
    let Some(source) = config.tokenizer.as_deref() else { return Ok(None) };
    let folder = Path::new(source);
    if folder.is_dir() {
        return if folder.join(TOKENIZER_FILE).is_file() {
            Ok(Some(folder.to_owned()))
        } else {
            Err(EngineError::NoTokenizerFile(folder.to_owned()))
        };
    }
    let (model, tokenizer) = (config.label().to_owned(), source.to_owned());
    if !hub::is_hub_id(source) {
        return Err(EngineError::TokenizerNotFound { model, tokenizer });
    }
    let file = hub::cached_file(source, TOKENIZER_FILE);
    let folder = file.as_deref().and_then(Path::parent).map(Path::to_owned);
    folder.map(Some).ok_or(EngineError::TokenizerNotFetched { model, tokenizer })
}
