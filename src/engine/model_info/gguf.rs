//! GGUF files: their header.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use candle_core::quantized::gguf_file;

use super::config_json::CACHE_BLOCK;
use super::info::{ModelInfo, ModelLocation};
use super::memory::KvCacheShape;
use super::tensor_header::{TensorHeader, count_elements};
use super::tokenizer::{TOKENIZER_FILE, TokenizerLocation, tokenizer_folder};
use crate::config::ModelConfig;
use crate::engine::chat::ChatTemplate;
use crate::engine::context_limit::{LimitCause, UsableContext};
use crate::engine::error::{EngineError, one_line};
use crate::engine::model_files::has_extension;
use crate::user_file;

/// Bytes of an element that mistral.rs holds unquantized: f32.
const F32_BYTES: u64 = 4;

/// Reads a file's header, and checks that the file is as long as the header says.
pub(super) fn read_header(path: &Path) -> Result<gguf_file::Content, EngineError> {
    let mut file = user_file::open(path).map_err(|e| EngineError::unreadable_file(path, &e))?;
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
            shape: info.shape.dims().iter().map(|&n| n as u64).collect(),
            format: format!("{:?}", info.ggml_dtype),
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
        "token_embd.weight" if is_tied => tensor.elements() * F32_BYTES + tensor.bytes,
        "token_embd.weight" => tensor.elements() * F32_BYTES,
        _ if tensor.shape.len() == 1 => tensor.elements() * F32_BYTES,
        _ => tensor.bytes,
    };
    let context = usable_context(number);
    let embedding = content.tensor_infos.get("token_embd.weight");
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
        context: context.tokens,
        context_limit: context.limit,
        vocabulary: embedding.and_then(|info| info.shape.dims().first()).map(|&n| n as u64),
        refusal: problem(&content, architecture.as_deref().unwrap_or_default()),
        tokenizer: match &config.tokenizer {
            Some(_) => folder.map(|folder| TokenizerLocation::File(folder.join(TOKENIZER_FILE))),
            None => has_tokenizer.then_some(TokenizerLocation::InGguf),
        },
        template: template.map(|found| found.origin().to_owned()),
        memory: kv_cache_shape(number)
            .map(|shape| weights.saturating_add(shape.bytes(context.tokens, config, F32_BYTES))),
        architecture,
    })
}

/// How many tokens of context mistral.rs computes as the model's authors do.
fn usable_context(number: impl Fn(&str) -> Option<u64>) -> UsableContext {
    let Some(declared) = number("context_length") else {
        return UsableContext { tokens: None, limit: None };
    };
    let in_blocks = declared - declared % CACHE_BLOCK;
    let limits = [
        (number("attention.sliding_window").filter(|n| *n > 0), LimitCause::SlidingWindow),
        // The first block is always there.
        (Some(in_blocks).filter(|n| *n > 0), LimitCause::CacheBlocks),
    ];
    UsableContext::new(declared, &limits)
}

/// Why mistral.rs would compute something else than the model's authors: a clause with the remedy.
fn problem(content: &gguf_file::Content, architecture: &str) -> Option<String> {
    let metadata = |key: &str| content.metadata.get(&format!("{architecture}.{key}"));
    let scaling = metadata("rope.scaling.type").and_then(|value| value.to_string().ok());
    let factor = metadata("rope.scaling.factor").and_then(|value| value.to_f32().ok());
    if metadata("expert_count").and_then(|value| value.to_u32().ok()).is_some_and(|n| n > 0) {
        return Some(
            "mistral.rs cannot load the experts of GGUF files: use the model's safetensors with `quantize_bits`, or run it on a server (table `remote`)".into(),
        );
    }
    let tensors = content.tensor_infos.keys();
    let ignored = if let Some(name) = tensors.filter(|name| is_ignored(name, architecture)).min() {
        format!("tensor {name}")
    } else {
        let kind = scaling.filter(|kind| *kind != "none" && factor != Some(1.0))?;
        format!("RoPE scaling ({kind})")
    };
    Some(format!(
        "mistral.rs ignores the {ignored} of GGUF files, which changes every token: use the model's safetensors with `quantize_bits`, or run it on a server (table `remote`)"
    ))
}

/// Whether mistral.rs does not read this tensor, although it changes the result.
fn is_ignored(tensor: &str, architecture: &str) -> bool {
    tensor.starts_with("rope_f") || (architecture != "qwen2" && has_extension(tensor, "bias"))
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
