//! Model folders: `config.json` and the headers of safetensors files.

use std::fs;
use std::path::Path;

use candle_core::safetensors::MmapedSafetensors;

use super::config_json::ConfigJson;
use super::families::tensor_problem;
use super::info::{ModelInfo, ModelLocation};
use super::memory::{bytes_per_element, is_on_cpu, weight_bytes};
use super::tensor_header::{TensorHeader, count_elements};
use super::tokenizer::{TOKENIZER_FILE, TokenizerLocation};
use crate::config::ModelConfig;
use crate::engine::chat::ChatTemplate;
use crate::engine::error::{EngineError, one_line};
use crate::engine::model_files::weight_files;
use crate::user_file;

/// The tensors of a folder's safetensors files.
pub(super) fn tensors(folder: &Path) -> Result<Vec<TensorHeader>, EngineError> {
    let mut tensors = Vec::new();
    for path in weight_files(folder)? {
        // A better message than that of the mapping if the file cannot be opened.
        user_file::open(&path).map_err(|e| EngineError::unreadable_file(&path, &e))?;
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
            shape: view.shape().iter().map(|&n| n as u64).collect(),
            format: format!("{:?}", view.dtype()),
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
    let metadata = ConfigJson::read(folder)?;
    let tensors = tensors(folder)?;
    let element = bytes_per_element(config);
    let tensor_memory = |tensor: &TensorHeader| match tensor.shape.len() {
        // In-situ quantization changes the matrices of the layers only.
        2 if !tensor.name.contains("embed") => weight_bytes(tensor.elements(), config),
        _ => tensor.elements() * element,
    };
    let context = metadata.context();
    let embedding = tensors.iter().find(|tensor| tensor.name.ends_with("embed_tokens.weight"));
    let weights: u64 = tensors.iter().map(tensor_memory).sum();
    let tokenizer = folder.join(TOKENIZER_FILE);
    Ok(ModelInfo {
        bytes: Some(folder_size(folder)?),
        parameters: Some(count_elements(&tensors)),
        architecture: metadata.architecture().map(str::to_owned),
        context: context.tokens,
        context_limit: context.limit,
        vocabulary: embedding.and_then(|tensor| tensor.shape.first().copied()),
        refusal: problem(&metadata, &tensors, config),
        tokenizer: tokenizer.is_file().then_some(TokenizerLocation::File(tokenizer)),
        template: ChatTemplate::from_folder(folder).map(|found| found.origin().to_owned()),
        memory: metadata
            .kv_cache_shape()
            .map(|shape| weights.saturating_add(shape.bytes(context.tokens, config, element))),
        location,
    })
}

/// Why mistral.rs would fail or compute something else than the model's authors: a clause with the remedy.
fn problem(
    metadata: &ConfigJson,
    tensors: &[TensorHeader],
    config: &ModelConfig,
) -> Option<String> {
    quantization_problem(metadata, tensors, config)
        .or_else(|| tensor_problem(metadata, tensors))
        .or_else(|| rope_problem(metadata))
}

/// Formats of weights that are not quantized and can be loaded.
const PLAIN_FORMATS: [&str; 3] = ["F32", "F16", "BF16"];

fn quantization_problem(
    metadata: &ConfigJson,
    tensors: &[TensorHeader],
    config: &ModelConfig,
) -> Option<String> {
    let other = tensors.iter().find(|tensor| !PLAIN_FORMATS.contains(&tensor.format.as_str()));
    match (metadata.quantization(), other) {
        (None, None) => None,
        (None, Some(TensorHeader { name, format, .. })) => Some(format!(
            "its tensor {name} has the number format {format}: convert the weights to bf16, f16 or f32"
        )),
        (Some(method), None) => Some(format!(
            "its config.json says that the weights are quantized with {method}, but they are not: remove `quantization_config` from config.json"
        )),
        (Some(method), Some(_)) => is_on_cpu(config).then(|| format!(
            "its weights are quantized with {method}, which mistral.rs cannot compute on a CPU: use the model's original weights and set `quantize_bits`, or a GGUF file"
        )),
    }
}

fn rope_problem(metadata: &ConfigJson) -> Option<String> {
    let scaling = metadata.rope_scaling()?;
    let is_computed = match metadata.architecture()? {
        "LlamaForCausalLM" => matches!(scaling, "llama3" | "linear" | "dynamic"),
        "Phi3ForCausalLM" => matches!(scaling, "longrope" | "su" | "dynamic"),
        // Without effect within the original context.
        _ => scaling == "dynamic",
    };
    let trained = metadata.original_context();
    (!is_computed).then(|| format!(
        "mistral.rs ignores its RoPE scaling ({scaling}), which changes every token: run the model on a server (table `remote`), or remove `rope_scaling` from a copy of its config.json{}",
        trained.map_or_else(String::new, |n| format!(
            " and set `max_position_embeddings` to {n}, up to which it was trained without scaling"
        ))
    ))
}

/// Bytes of the files in a folder; links are followed.
fn folder_size(folder: &Path) -> Result<u64, EngineError> {
    let entries = fs::read_dir(folder).map_err(|e| EngineError::unreadable_file(folder, &e))?;
    let sizes = entries.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
    Ok(sizes.filter(fs::Metadata::is_file).map(|m| m.len()).sum())
}
