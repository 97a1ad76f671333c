//! Model folders: `config.json` and the headers of safetensors files.

use std::fs;
use std::path::Path;

use candle_core::safetensors::MmapedSafetensors;
use serde_json::Value;

use super::info::{ModelInfo, ModelLocation};
use super::memory::{KvCacheShape, bytes_per_element, weight_bytes};
use super::tensor_header::{TensorHeader, count_elements};
use super::tokenizer::{TOKENIZER_FILE, TokenizerLocation};
use crate::config::ModelConfig;
use crate::engine::chat::ChatTemplate;
use crate::engine::error::{EngineError, one_line};
use crate::engine::model_files::weight_files;
use crate::user_file::{self, MAX_MODEL_SETTINGS};

/// The tensors of a folder's safetensors files.
pub(super) fn tensors(folder: &Path) -> Result<Vec<TensorHeader>, EngineError> {
    let mut tensors = Vec::new();
    for path in weight_files(folder)? {
        // SAFETY: the mapping is read here and dropped. If another process truncates the file meanwhile, loading the
        // model would fail as well.
        let mapped = unsafe { MmapedSafetensors::new(&path) };
        let mapped = mapped.map_err(|e| {
            let why = one_line(&e);
            EngineError::unreadable(
                &path,
                format!(
                    "invalid or incomplete safetensors file ({why}): copy or download it again"
                ),
            )
        })?;
        tensors.extend(mapped.tensors().iter().map(|(name, view)| TensorHeader {
            name: name.clone(),
            elements: view.shape().iter().map(|&n| n as u64).product(),
            dimensions: view.shape().len(),
            bytes: view.data().len() as u64,
        }));
    }
    Ok(tensors)
}

/// What a model folder's files say.
pub(super) fn folder_info(
    folder: &Path,
    location: ModelLocation,
    config: &ModelConfig,
) -> Result<ModelInfo, EngineError> {
    let path = folder.join("config.json");
    let text = user_file::read_text(&path, MAX_MODEL_SETTINGS)
        .map_err(|e| EngineError::unreadable(&path, e))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|e| {
        EngineError::unreadable(&path, format!("invalid JSON ({e}): copy or download it again"))
    })?;
    let tensors = tensors(folder)?;
    let element = bytes_per_element(config);
    let tensor_memory = |tensor: &TensorHeader| match tensor.dimensions {
        // In-situ quantization changes the matrices of the layers only.
        2 if !tensor.name.contains("embed") => weight_bytes(tensor.elements, config),
        _ => tensor.elements * element,
    };
    let context = metadata["max_position_embeddings"].as_u64();
    let weights: u64 = tensors.iter().map(tensor_memory).sum();
    let tokenizer = folder.join(TOKENIZER_FILE);
    Ok(ModelInfo {
        bytes: Some(folder_size(folder)?),
        parameters: Some(count_elements(&tensors)),
        architecture: metadata["architectures"][0].as_str().map(str::to_owned),
        context,
        tokenizer: tokenizer.is_file().then_some(TokenizerLocation::File(tokenizer)),
        template: ChatTemplate::from_folder(folder).map(|found| found.origin().to_owned()),
        memory: kv_cache_shape(&metadata)
            .map(|shape| weights.saturating_add(shape.bytes(context, config, element))),
        location,
    })
}

fn kv_cache_shape(metadata: &Value) -> Option<KvCacheShape> {
    let number = |key: &str| metadata[key].as_u64();
    let heads = number("num_attention_heads");
    let head_size = number("head_dim").or_else(|| Some(number("hidden_size")? / heads?.max(1)))?;
    Some(KvCacheShape {
        layers: number("num_hidden_layers")?,
        kv_heads: number("num_key_value_heads").or(heads)?,
        head_size,
    })
}

/// Bytes of the files in a folder; links are followed.
fn folder_size(folder: &Path) -> Result<u64, EngineError> {
    let entries = fs::read_dir(folder).map_err(|e| EngineError::unreadable(folder, e))?;
    let sizes = entries.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
    Ok(sizes.filter(fs::Metadata::is_file).map(|m| m.len()).sum())
}
