//! Reads the files of the model that a preset names.

use std::path::Path;

use super::folder::folder_info;
use super::gguf::{self, gguf_info};
use super::info::{ModelInfo, ModelLocation};
use super::memory::weight_bytes;
use super::tokenizer::tokenizer_folder;
use crate::config::ModelConfig;
use crate::engine::chat::ChatTemplate;
use crate::engine::error::EngineError;
use crate::engine::hub;
use crate::engine::kind::{EngineKind, LocatedModel, Runtime, locate};
use crate::engine::model_files::{hash_file_ends, weight_files};

/// What is known of a model without loading it. A model of the binary is unpacked below `cache`.
///
/// # Errors
/// If `source` names nothing that exists, or a file is missing or broken. It is not an
/// error if a model of the hub is not downloaded.
pub fn model_info(config: &ModelConfig, cache: &Path) -> Result<ModelInfo, EngineError> {
    if EngineKind::of(config).runtime != Runtime::InProcess {
        return Ok(info_without_files(ModelLocation::Remote, config));
    }
    match locate(config, cache) {
        Ok(LocatedModel::Embedded(path)) => {
            folder_info(&path, ModelLocation::Embedded(path.clone()), config)
        }
        Ok(LocatedModel::Folder(path)) => {
            folder_info(&path, ModelLocation::Folder(path.clone()), config)
        }
        Ok(LocatedModel::HubSnapshot(path)) => {
            folder_info(&path, ModelLocation::HubCache(path.clone()), config)
        }
        Ok(LocatedModel::Gguf(path)) => gguf_info(&path, config),
        Err(EngineError::NotFetched(_)) => {
            Ok(info_without_files(ModelLocation::NotFetched, config))
        }
        Err(error) => Err(error),
    }
}

/// What the preset says of a model whose files are not on this machine.
fn info_without_files(location: ModelLocation, config: &ModelConfig) -> ModelInfo {
    // The memory of a GGUF file depends on its quantization, which only its header says.
    let is_estimable =
        location == ModelLocation::NotFetched && hub::hub_file(&config.source).is_none();
    let parameters = config.parameters.filter(|_| is_estimable);
    ModelInfo {
        location,
        bytes: None,
        parameters: config.parameters,
        architecture: None,
        context: None,
        context_limit: None,
        vocabulary: None,
        refusal: None,
        tokenizer: None,
        template: None,
        memory: parameters.map(|n| weight_bytes(n, config)),
    }
}

/// The chat template of a model, if it has one.
///
/// # Errors
/// If a GGUF file is broken, or the tokenizer that the preset names for it is missing.
pub(in crate::engine) fn chat_template(
    config: &ModelConfig,
    located: &LocatedModel,
) -> Result<Option<ChatTemplate>, EngineError> {
    Ok(match located {
        LocatedModel::Embedded(folder)
        | LocatedModel::Folder(folder)
        | LocatedModel::HubSnapshot(folder) => ChatTemplate::from_folder(folder),
        LocatedModel::Gguf(path) => {
            let folder = tokenizer_folder(config)?;
            gguf::chat_template(folder.as_deref(), &gguf::read_header(path)?)
        }
    })
}

/// A fingerprint of the weights: 16 hexadecimal digits of a hash over names, lengths, and the first and last MiB of
/// each file; for a hub model `hub:` and its id.
///
/// # Errors
/// If a file cannot be read.
pub(in crate::engine) fn digest(
    config: &ModelConfig,
    located: &LocatedModel,
) -> Result<String, EngineError> {
    let files = match located {
        LocatedModel::Embedded(folder) | LocatedModel::Folder(folder) => weight_files(folder)?,
        LocatedModel::Gguf(path) => vec![path.clone()],
        LocatedModel::HubSnapshot(_) => return Ok(format!("hub:{}", config.source)),
    };
    let mut hasher = blake3::Hasher::new();
    for path in files {
        hash_file_ends(&path, &mut hasher).map_err(|e| EngineError::unreadable(&path, e))?;
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}
