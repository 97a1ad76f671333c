//! [`ModelInfo`], and whether a model can be loaded.

use std::fmt;
use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

use super::architectures::{GGUF_ARCHITECTURES, SAFETENSORS_ARCHITECTURES};
use super::tokenizer::{TokenizerLocation, tokenizer_folder};
use crate::config::ModelConfig;
use crate::engine::error::{EngineError, one_line};

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
    /// Context length in tokens.
    pub context: Option<u64>,
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
            _ => &SAFETENSORS_ARCHITECTURES,
        };
        if let Some(found) = self.architecture.as_deref().filter(|found| !known.contains(found)) {
            return Err(EngineError::Architecture {
                name: config.label().to_owned(),
                found: found.to_owned(),
                known: known.join(", "),
            });
        }
        match (&self.tokenizer, &self.location) {
            (_, ModelLocation::Remote) | (Some(TokenizerLocation::InGguf), _) => Ok(None),
            (Some(TokenizerLocation::File(path)), _) => {
                let tokenizer = Tokenizer::from_file(path).map_err(|e| {
                    let why = one_line(&e);
                    EngineError::unreadable(
                        path,
                        format!("invalid tokenizer ({why}): export or download it again"),
                    )
                })?;
                Ok(Some(tokenizer.get_vocab_size(true)))
            }
            (None, _) => {
                // Reports a tokenizer that the preset names and that is missing more precisely.
                tokenizer_folder(config)?;
                Err(EngineError::NoTokenizer(config.label().to_owned()))
            }
        }
    }
}
