//! [`ModelInfo`], and whether a model can be loaded.

use std::fmt;
use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

use super::families::{GGUF_ARCHITECTURES, SUPPORTED_ARCHITECTURES};
use super::memory::loaded_dtype;
use super::tokenizer::{TokenizerLocation, tokenizer_folder};
use crate::config::ModelConfig;
use crate::engine::context_limit::ContextLimit;
use crate::engine::error::{EngineError, one_line};
use crate::user_file;

/// Where a model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelLocation {
    /// Inside the binary; the folder is where it was unpacked.
    Embedded(PathBuf),
    /// A folder with safetensors.
    Folder(PathBuf),
    /// A GGUF file.
    File(PathBuf),
    /// A snapshot in the local cache of the hub.
    HubCache(PathBuf),
    /// On the hub, and not or not completely in the local cache.
    NotFetched,
    /// On a server.
    Remote,
}

impl ModelLocation {
    /// The folder or the file; `None` if the model is not on this machine.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Embedded(path) | Self::Folder(path) | Self::File(path) | Self::HubCache(path) => {
                Some(path)
            }
            Self::NotFetched | Self::Remote => None,
        }
    }
}

impl fmt::Display for ModelLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded(_) => "inside the binary",
            Self::Folder(_) => "folder",
            Self::File(_) => "file",
            Self::HubCache(_) => "hub cache",
            Self::NotFetched => "not fetched",
            Self::Remote => "remote",
        })
    }
}

/// A model before it is loaded. What is not known is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Where it is.
    pub location: ModelLocation,
    /// Bytes on disk of weights, configuration and tokenizer.
    pub bytes: Option<u64>,
    /// Number of parameters: counted in the files, else as the preset says.
    pub parameters: Option<u64>,
    /// The architecture as `config.json` or the GGUF file names it.
    pub architecture: Option<String>,
    /// Tokens of context that can be used.
    pub context: Option<u64>,
    /// Why these are fewer than the model's configuration says.
    pub context_limit: Option<ContextLimit>,
    /// Rows of its embedding: one more than the largest id of a token that it knows.
    pub vocabulary: Option<u64>,
    /// Why the model cannot be loaded, or would compute something else than its authors intend: a clause with the
    /// remedy. Such a model is refused.
    pub refusal: Option<String>,
    /// Where its tokenizer is.
    pub tokenizer: Option<TokenizerLocation>,
    /// The file that contains the chat template.
    pub template: Option<String>,
    /// Estimated bytes of the loaded model: the weights and the KV cache of [`KV_TOKENS`](super::KV_TOKENS) tokens.
    /// Copies in a prefix cache are not included. For a model that is not downloaded: the weights alone, by the
    /// preset's number of parameters.
    pub memory: Option<u64>,
}

impl ModelInfo {
    /// What is done differently from what the preset or the model's configuration says: clauses without their subject.
    pub fn remarks(&self, config: &ModelConfig) -> Vec<String> {
        let dtype = (config.dtype != loaded_dtype(config)
            && self.location != ModelLocation::Remote)
            .then(|| {
                "it is computed in f32, because mistral.rs cannot compute bf16 on a CPU".to_owned()
            });
        dtype.into_iter().chain(self.context_limit.map(|limit| limit.to_string())).collect()
    }

    /// Looks for reasons why the model cannot be loaded, without loading it. Returns the size of the vocabulary if the
    /// tokenizer is a file.
    ///
    /// # Errors
    /// If the model is not downloaded, its architecture is not supported, or its tokenizer is missing or broken.
    pub fn check_loadable(&self, config: &ModelConfig) -> Result<Option<usize>, EngineError> {
        if self.location == ModelLocation::NotFetched {
            return Err(EngineError::NotFetched(config.source.clone()));
        }
        let known: &[&str] = match self.location {
            ModelLocation::File(_) => &GGUF_ARCHITECTURES,
            _ => &SUPPORTED_ARCHITECTURES,
        };
        if let Some(found) = self.architecture.as_deref().filter(|found| !known.contains(found)) {
            return Err(EngineError::Architecture {
                name: config.label().to_owned(),
                found: found.to_owned(),
                known: known.join(", "),
            });
        }
        if let Some(reason) = &self.refusal {
            return Err(EngineError::Refused {
                name: config.label().to_owned(),
                reason: reason.clone(),
            });
        }
        self.check_tokenizer(config)
    }

    fn check_tokenizer(&self, config: &ModelConfig) -> Result<Option<usize>, EngineError> {
        match (&self.tokenizer, &self.location) {
            (_, ModelLocation::Remote) | (Some(TokenizerLocation::InGguf), _) => Ok(None),
            (Some(TokenizerLocation::File(path)), _) => {
                user_file::open(path).map_err(|e| EngineError::unreadable_file(path, &e))?;
                let tokenizer = Tokenizer::from_file(path).map_err(|e| {
                    let why = one_line(&e);
                    EngineError::unreadable(
                        path,
                        format!("invalid tokenizer ({why}): export or download it again"),
                    )
                })?;
                let vocabulary = tokenizer.get_vocab(true);
                let largest = vocabulary.values().copied().max().map(u64::from);
                match (largest, self.vocabulary) {
                    (Some(largest), Some(rows)) if largest >= rows => Err(EngineError::Refused {
                        name: config.label().to_owned(),
                        reason: format!(
                            "its tokenizer has the token id {largest}, but its embedding only {rows} rows: use the tokenizer that belongs to the model"
                        ),
                    }),
                    _ => Ok(Some(vocabulary.len())),
                }
            }
            (None, _) => {
                // Reports a tokenizer that the preset names and that is missing more precisely.
                tokenizer_folder(config)?;
                Err(EngineError::NoTokenizer(config.label().to_owned()))
            }
        }
    }
}
