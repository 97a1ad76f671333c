//! GGUF files: their header.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use candle_core::quantized::gguf_file;

use super::info::{ModelInfo, ModelLocation};
use super::memory::KvCacheShape;
use super::tensor_header::{TensorHeader, count_elements};
use super::tokenizer::{TOKENIZER_FILE, TokenizerLocation, tokenizer_folder};
use crate::config::ModelConfig;
use crate::engine::chat::ChatTemplate;
use crate::engine::error::{EngineError, one_line};
use crate::user_file;

/// Bytes of an element that mistral.rs holds unquantized: f32.
const F32_BYTES: u64 = 4;

/// Reads a file's header, and checks that the file is as long as the header says.
pub(super) fn read_header(path: &Path) -> Result<gguf_file::Content, EngineError> {
    let mut file = user_file::open(path).map_err(|e| EngineError::unreadable(path, e))?;
    let length = file.metadata().map_err(|e| EngineError::unreadable(path, e))?.len();
    let broken = |reason: &dyn Display| {
        let reason = one_line(reason);
        EngineError::unreadable(
            path,
            format!("invalid or incomplete GGUF file ({reason}): copy or download it again"),
        )
    };
    let content = gguf_file::Content::read(&mut file).map_err(|e| broken(&e))?;
    let ends = content.tensor_infos.values().map(|info| {
        let blocks = info.shape.elem_count() / info.ggml_dtype.block_size();
        content.tensor_data_offset + info.offset + (blocks * info.ggml_dtype.type_size()) as u64
    });
    match ends.max() {
        Some(end) if end > length => {
            Err(broken(&format!("{length} bytes, but its tensors end at {end}")))
        }
        _ => Ok(content),
    }
}

/// The tensors of a file.
pub(super) fn tensors(content: &gguf_file::Content) -> Vec<TensorHeader> {
    let header = |(name, info): (&String, &gguf_file::TensorInfo)| {
        let elements = info.shape.elem_count();
        let bytes = elements / info.ggml_dtype.block_size() * info.ggml_dtype.type_size();
        TensorHeader {
            name: name.clone(),
            elements: elements as u64,
            dimensions: info.shape.rank(),
            bytes: bytes as u64,
        }
    };
    content.tensor_infos.iter().map(header).collect()
}

/// The chat template of the folder that the preset names as `tokenizer`, else the one in the file.
pub(super) fn chat_template(
    tokenizer_folder: Option<&Path>,
    content: &gguf_file::Content,
) -> Option<ChatTemplate> {
    let embedded = || {
        let metadata = &content.metadata;
        let source = metadata.get("tokenizer.chat_template")?.to_string().ok()?;
        let token = |name: &str| {
            let id = metadata.get(&format!("tokenizer.ggml.{name}_token_id"))?.to_u32().ok()?;
            let vocabulary = metadata.get("tokenizer.ggml.tokens")?.to_vec().ok()?;
            vocabulary.get(id as usize)?.to_string().ok().cloned()
        };
        let [bos, eos] = ["bos", "eos"].map(|name| token(name).unwrap_or_default());
        Some(ChatTemplate::new(source.clone(), "the GGUF file", bos, eos))
    };
    tokenizer_folder.and_then(ChatTemplate::from_folder).or_else(embedded)
}

/// What a file's header says.
pub(super) fn gguf_info(path: &Path, config: &ModelConfig) -> Result<ModelInfo, EngineError> {
    let content = read_header(path)?;
    let metadata = &content.metadata;
    let text = |key: &str| metadata.get(key).and_then(|v| v.to_string().ok()).cloned();
    let architecture = text("general.architecture");
    let number = |key: &str| {
        let value = metadata.get(&format!("{}.{key}", architecture.as_deref()?))?;
        value.to_u64().ok().or_else(|| value.to_u32().ok().map(u64::from))
    };
    let tensors = tensors(&content);
    let is_tied = !content.tensor_infos.contains_key("output.weight");
    // mistral.rs holds vectors and the embedding as f32, and a tied embedding also as it is in the file.
    let tensor_memory = |tensor: &TensorHeader| match tensor.name.as_str() {
        "token_embd.weight" if is_tied => tensor.elements * F32_BYTES + tensor.bytes,
        "token_embd.weight" => tensor.elements * F32_BYTES,
        _ if tensor.dimensions == 1 => tensor.elements * F32_BYTES,
        _ => tensor.bytes,
    };
    let context = number("context_length");
    let weights: u64 = tensors.iter().map(tensor_memory).sum();
    let has_tokenizer = text("tokenizer.ggml.model").is_some();
    // A missing tokenizer folder is reported later; here it must not hide the rest.
    let folder = tokenizer_folder(config).ok().flatten();
    let template = chat_template(folder.as_deref(), &content);
    let bytes = fs::metadata(path).map_err(|e| EngineError::unreadable(path, e))?.len();
    Ok(ModelInfo {
        location: ModelLocation::File(path.to_owned()),
        bytes: Some(bytes),
        parameters: Some(count_elements(&tensors)),
        context,
        tokenizer: match &config.tokenizer {
            Some(_) => folder.map(|folder| TokenizerLocation::File(folder.join(TOKENIZER_FILE))),
            None => has_tokenizer.then_some(TokenizerLocation::InGguf),
        },
        template: template.map(|found| found.origin().to_owned()),
        memory: kv_cache_shape(number)
            .map(|shape| weights.saturating_add(shape.bytes(context, config, F32_BYTES))),
        architecture,
    })
}

fn kv_cache_shape(number: impl Fn(&str) -> Option<u64>) -> Option<KvCacheShape> {
    let heads = number("attention.head_count");
    let head_size = number("attention.key_length")
        .or_else(|| Some(number("embedding_length")? / heads?.max(1)))?;
    Some(KvCacheShape {
        layers: number("block_count")?,
        kv_heads: number("attention.head_count_kv").or(heads)?,
        head_size,
    })
}
