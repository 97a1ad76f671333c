//! [`EngineError`]: why a model cannot be loaded or used.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::context_limit::ContextLimit;
use crate::episode::OutOfRange;
use crate::exit::{ClassifiedError, ErrorClass};

/// Why a model could not be loaded or failed later. Each message is a sentence that names the model and the remedy.
#[derive(Debug, Error)]
pub enum EngineError {
    /// `source` names nothing that exists.
    #[error(
        "model `{0}`: no such folder or file, and not a Hugging Face id: check `source` in the preset"
    )]
    NotFound(String),
    /// A model folder lacks a file.
    #[error(
        "model folder {0} has no {1}: a model needs config.json, tokenizer.json and safetensors"
    )]
    Incomplete(PathBuf, &'static str),
    /// A part of a model's weights is missing.
    #[error("{0} is missing: the model is incomplete; copy or download it again")]
    MissingShard(PathBuf),
    /// A model of the hub is not, or not completely, in the local cache.
    #[error(
        "model {0} is not in the local cache of the Hugging Face hub: `pointsman models fetch {0}` downloads it; if you mean a folder or a file, {path} does not exist",
        path = absolute(.0)
    )]
    NotFetched(String),
    /// mistral.rs does not support the architecture.
    #[error("model {name} has the unsupported architecture {found}: use one of {known}")]
    Architecture {
        /// The model.
        name: String,
        /// Its architecture.
        found: String,
        /// The supported architectures, separated by commas.
        known: String,
    },
    /// The model would fail later, or compute something else than its authors intend.
    #[error("model {name} is refused: {reason}")]
    Refused {
        /// The model.
        name: String,
        /// Why, and the remedy: the rest of a sentence.
        reason: String,
    },
    /// Neither the model nor the preset has a tokenizer.
    #[error(
        "model {0} has no tokenizer: set `tokenizer` in the preset to a folder or a Hugging Face id with tokenizer.json"
    )]
    NoTokenizer(String),
    /// The preset's `tokenizer` is a hub id that is not in the local cache.
    #[error(
        "the tokenizer {tokenizer} of model {model} is not in the local cache of the Hugging Face hub: `pointsman models fetch` with the preset's name downloads it; if you mean a folder, {path} does not exist",
        path = absolute(.tokenizer)
    )]
    TokenizerNotFetched {
        /// The model.
        model: String,
        /// Its `tokenizer` in the preset.
        tokenizer: String,
    },
    /// The preset's `tokenizer` names nothing that exists.
    #[error(
        "the tokenizer `{tokenizer}` of model {model}: no such folder, and not a Hugging Face id: check `tokenizer` in the preset"
    )]
    TokenizerNotFound {
        /// The model.
        model: String,
        /// Its `tokenizer` in the preset.
        tokenizer: String,
    },
    /// The preset's `tokenizer` is a folder without tokenizer.json.
    #[error("the folder {0} has no tokenizer.json: check `tokenizer` in the preset")]
    NoTokenizerFile(PathBuf),
    /// `prompt.chat` is set, but the model has no chat template.
    #[error(
        "model {0} has no chat template: set this model's `prompt`, including special tokens, or remove prompt.chat"
    )]
    NoTemplate(String),
    /// A model inside the binary cannot be written to the cache folder.
    #[error(
        "cannot unpack a model of the binary to {path}: {reason}; free space there or make it writable, or set XDG_CACHE_HOME or POINTSMAN_HOME to another folder"
    )]
    Unpack {
        /// The file that was being written.
        path: PathBuf,
        /// The system's message.
        reason: String,
    },
    /// A file of the model cannot be read or is broken.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// mistral.rs rejects the model, or its chat template fails.
    #[error("cannot load model {name}: {reason}")]
    Load {
        /// The model.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The cost of a remote model's tokens is unknown.
    #[error(
        "model {name} has neither a parameter count nor a price: set `parameters` or `price` in the preset"
    )]
    NoPrice {
        /// The model.
        name: String,
    },
    /// The engine failed while it was generating.
    #[error("model {name} stopped working: {reason}")]
    Crashed {
        /// The model.
        name: String,
        /// What happened.
        reason: String,
    },
    /// The statistics of a token cannot be right, as after weights that are damaged.
    #[error(
        "model {name} reports an impossible number for token {position} of the text ({reason}): its weights are damaged or its number format is too narrow; copy or download it again, or set dtype = \"f32\" in the preset"
    )]
    ImpossibleNumber {
        /// The model.
        name: String,
        /// The token's place in the whole text, counted from 1.
        position: usize,
        /// The number and its range.
        reason: OutOfRange,
    },
    /// The token counts or times of a request cannot be right.
    #[error("model {name} reports an impossible number ({reason}): use another server or model")]
    ImpossibleUsage {
        /// The model.
        name: String,
        /// The number and its range.
        reason: OutOfRange,
    },
    /// The prefix fills the context.
    #[error(
        "the prompt has {tokens} tokens, but the context of model {name} only {context}{}",
        limit.map_or(": shorten the question or use another model".into(), |limit| format!(
            ", because {}",
            limit.reason()
        ))
    )]
    PromptTooLong {
        /// Number of tokens of the prefix.
        tokens: usize,
        /// The model.
        name: String,
        /// Tokens of its context that can be used.
        context: usize,
        /// Why these are fewer than the model's configuration says.
        limit: Option<ContextLimit>,
    },
    /// The environment variable with the server's key is missing or unusable.
    #[error(
        "model {name} needs a key, and {variable} {reason}: set that variable, or name another one as `key_env` in the preset"
    )]
    ApiKey {
        /// The model.
        name: String,
        /// The environment variable.
        variable: String,
        /// What is wrong with it: the rest of a sentence.
        reason: &'static str,
    },
    /// The server of a remote model cannot be reached, refuses the request, or replies with something unusable.
    #[error("model {name} at {address}: {reason}")]
    Remote {
        /// The model.
        name: String,
        /// The server's address, as in the preset.
        address: String,
        /// What happened, and the remedy.
        reason: String,
    },
    /// A remote model was asked to score a text.
    #[error(
        "model {0} is a remote model, which cannot score drafts: use a model in this process, or another router"
    )]
    CannotScoreText(String),
    /// A scripted engine has no output left.
    #[error("the script of model {0} has no further step")]
    ScriptEnd(String),
}

impl ClassifiedError for EngineError {
    fn class(&self) -> ErrorClass {
        match self {
            // The preset, or an environment variable that it names, has to be corrected.
            Self::NotFound(_)
            | Self::TokenizerNotFound { .. }
            | Self::NoTokenizerFile(_)
            | Self::NoPrice { .. }
            | Self::ApiKey { .. } => ErrorClass::Usage,
            _ => ErrorClass::Failure,
        }
    }
}

impl EngineError {
    /// [`EngineError::Unreadable`] for a file.
    pub(super) fn unreadable(path: &Path, reason: impl Display) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: one_line(&reason) }
    }

    /// [`EngineError::Unreadable`] for a file that cannot be opened or read.
    pub(super) fn unreadable_file(path: &Path, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::PermissionDenied => "you may not read it: change its permissions".into(),
            _ => error.to_string(),
        };
        Self::unreadable(path, reason)
    }
}

/// A dependency's message on one line, without the backtrace that candle appends if `RUST_BACKTRACE` is set.
pub(super) fn one_line(message: &dyn Display) -> String {
    let text = message.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("0: "));
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Where a relative path leads, for messages.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backtraces_of_dependencies_are_dropped() {
        let candle =
            "unsupported dtype\n   for   rope\n\n   0: candle_core::error::Error::bt\n   1: main";
        assert_eq!(one_line(&candle), "unsupported dtype for rope");
        let error = EngineError::unreadable(Path::new("m.gguf"), candle);
        assert_eq!(error.to_string(), "m.gguf: unsupported dtype for rope");
    }
}
