//! What is known of a model before it is loaded, from its files' headers alone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file;
use candle_core::safetensors::MmapedSafetensors;
use serde_json::Value;
use tokenizers::Tokenizer;

use super::chat::ChatTemplate;
use super::model_files::{unreadable, weight_files};
use super::source::{BUILTIN, LocatedModel, locate};
use super::{EngineError, hub};
use crate::config::{Dtype, ModelConfig};

/// Tokens of KV cache that [`ModelInfo::memory`] makes room for, or the model's context where that is shorter.
pub const KV_TOKENS: u64 = 4096;

/// Where a model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelLocation {
    /// Inside the binary; the folder is where it was unpacked.
    Embedded(PathBuf),
    Folder(PathBuf),
    /// A GGUF file.
    File(PathBuf),
    /// A snapshot in the hub's cache.
    HubCache(PathBuf),
    /// On the hub; not, or not wholly, in its cache here.
    NotFetched,
    /// Behind an address.
    Remote,
}

impl ModelLocation {
    /// The folder or the file, where it is here.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Embedded(path) | Self::Folder(path) | Self::File(path) | Self::HubCache(path) => {
                Some(path)
            }
            Self::NotFetched | Self::Remote => None,
        }
    }
}

impl std::fmt::Display for ModelLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Embedded(_) => "inside the binary",
            Self::Folder(_) => "folder",
            Self::File(_) => "file",
            Self::HubCache(_) => "hub cache",
            Self::NotFetched => "not here",
            Self::Remote => "behind an address",
        })
    }
}

/// Where a model's tokenizer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenizerLocation {
    File(PathBuf),
    /// In the GGUF file itself.
    InGguf,
}

/// A model before it is loaded. What is not known is absent.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    pub location: ModelLocation,
    /// Bytes on disk, of weights, configuration and tokenizer.
    pub bytes: Option<u64>,
    /// Counted in the files, else as the preset says.
    pub parameters: Option<u64>,
    /// As `config.json` or the GGUF file names it.
    pub architecture: Option<String>,
    /// Tokens of context.
    pub context: Option<u64>,
    pub tokenizer: Option<TokenizerLocation>,
    /// The file that has the chat template, which frames the question where the preset says `chat`.
    pub template: Option<String>,
    /// Bytes that the loaded model will take, about: weights as they are held in memory, and the KV cache of
    /// [`KV_TOKENS`] tokens. Copies that a prefix cache keeps come on top. Of a model that is not here, the
    /// weights alone, by the preset's number of parameters.
    pub memory: Option<u64>,
}

/// Architectures that mistral.rs can run from safetensors, as `config.json` names them.
const ARCHITECTURES: [&str; 21] = [
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "MixtralForCausalLM",
    "GemmaForCausalLM",
    "Gemma2ForCausalLM",
    "PhiForCausalLM",
    "Phi3ForCausalLM",
    "PhiMoEForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
    "Qwen3MoeForCausalLM",
    "Qwen3NextForCausalLM",
    "Starcoder2ForCausalLM",
    "DeepseekV2ForCausalLM",
    "DeepseekV3ForCausalLM",
    "Glm4ForCausalLM",
    "Glm4MoeForCausalLM",
    "Glm4MoeLiteForCausalLM",
    "SmolLM3ForCausalLM",
    "GraniteMoeHybridForCausalLM",
    "GptOssForCausalLM",
];

/// Architectures that it can run from GGUF.
const GGUF_ARCHITECTURES: [&str; 8] =
    ["llama", "mistral3", "phi2", "phi3", "starcoder2", "qwen2", "qwen3", "qwen3moe"];

impl ModelInfo {
    /// What a preset says of a model whose files are not here.
    fn without_files(location: ModelLocation, config: &ModelConfig) -> Self {
        // How a GGUF file is quantized, its name tells people alone.
        let told = location == ModelLocation::NotFetched && hub::hub_file(&config.source).is_none();
        let weights = config.parameters.filter(|_| told);
        Self {
            location,
            bytes: None,
            parameters: config.parameters,
            architecture: None,
            context: None,
            tokenizer: None,
            template: None,
            memory: weights.map(|n| memory_bytes(n, config)),
        }
    }

    /// Looks for what would keep the model from being loaded, as far as files tell, and gives the number of
    /// its tokenizer's tokens, where that has a file.
    ///
    /// # Errors
    /// When it is not here, its architecture is unknown to the engine, or its tokenizer is missing or broken.
    pub fn check_loadable(&self, config: &ModelConfig) -> Result<Option<usize>, EngineError> {
        if self.location == ModelLocation::NotFetched {
            return Err(EngineError::NotFetched(config.source.clone()));
        }
        let known: &[&str] = match self.location {
            ModelLocation::File(_) => &GGUF_ARCHITECTURES,
            _ => &ARCHITECTURES,
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
                let read = Tokenizer::from_file(path).map_err(|e| EngineError::Unreadable {
                    path: path.clone(),
                    reason: format!("it is no tokenizer ({e}): export or fetch it again"),
                })?;
                Ok(Some(read.get_vocab_size(true)))
            }
            (None, _) => {
                // One that is named and not here is another fault than none.
                tokenizer_folder(config)?;
                Err(EngineError::NoTokenizer(config.label().to_owned()))
            }
        }
    }
}

/// What is known of a model without loading it; one that is embedded in the binary is unpacked below `cache`.
///
/// # Errors
/// When there is nothing at its source, or a file is missing or broken.
pub fn model_info(config: &ModelConfig, cache: &Path) -> Result<ModelInfo, EngineError> {
    if config.remote.is_some() {
        return Ok(ModelInfo::without_files(ModelLocation::Remote, config));
    }
    let located = match locate(&config.source, cache) {
        Err(EngineError::NotFetched(_)) => {
            return Ok(ModelInfo::without_files(ModelLocation::NotFetched, config));
        }
        located => located?,
    };
    match located {
        LocatedModel::Folder(path) if config.source.starts_with(BUILTIN) => {
            folder_info(&path, ModelLocation::Embedded(path.clone()), config)
        }
        LocatedModel::Folder(path) => {
            folder_info(&path, ModelLocation::Folder(path.clone()), config)
        }
        LocatedModel::Gguf(path) => gguf_info(&path, config),
        LocatedModel::Hub { snapshot: path, .. } => {
            folder_info(&path, ModelLocation::HubCache(path.clone()), config)
        }
    }
}

/// Number of parameters, counted from the files' headers.
///
/// # Errors
/// When a file is broken.
pub(super) fn count_parameters(located: &LocatedModel) -> Result<u64, EngineError> {
    let tensors = match located {
        LocatedModel::Folder(folder) | LocatedModel::Hub { snapshot: folder, .. } => {
            safetensors(folder)?
        }
        LocatedModel::Gguf(path) => tensors_of(&gguf_header(path)?),
    };
    Ok(tensors.iter().map(|tensor| tensor.elements).sum())
}

/// A tensor as a header describes it.
struct TensorHeader {
    name: String,
    elements: u64,
    dimensions: usize,
    /// Bytes on disk.
    bytes: u64,
}

fn safetensors(folder: &Path) -> Result<Vec<TensorHeader>, EngineError> {
    let mut found = Vec::new();
    for path in weight_files(folder)? {
        // SAFETY: the mapping is read here and dropped; a file that another process shortens
        // meanwhile would fail the load of the model just the same.
        let mapped = unsafe { MmapedSafetensors::new(&path) };
        let mapped = mapped.map_err(|e| {
            unreadable(
                &path,
                &format!("it is no whole safetensors file ({e}): copy or fetch it again"),
            )
        })?;
        found.extend(mapped.tensors().iter().map(|(name, view)| TensorHeader {
            name: name.clone(),
            elements: view.shape().iter().map(|&n| n as u64).product(),
            dimensions: view.shape().len(),
            bytes: view.data().len() as u64,
        }));
    }
    Ok(found)
}

fn gguf_header(path: &Path) -> Result<gguf_file::Content, EngineError> {
    let mut file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let length = file.metadata().map_err(|e| unreadable(path, &e))?.len();
    let broken = |reason: &dyn std::fmt::Display| {
        unreadable(path, &format!("it is no whole GGUF file ({reason}): copy or fetch it again"))
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

/// The chat template of a model that is here.
///
/// # Errors
/// When a GGUF file is broken, or the tokenizer that the preset names for it is not here.
pub(super) fn chat_template(
    config: &ModelConfig,
    located: &LocatedModel,
) -> Result<Option<ChatTemplate>, EngineError> {
    Ok(match located {
        LocatedModel::Folder(folder) | LocatedModel::Hub { snapshot: folder, .. } => {
            ChatTemplate::from_folder(folder)
        }
        LocatedModel::Gguf(path) => {
            let folder = tokenizer_folder(config)?;
            chat_template_of(folder.as_deref(), &gguf_header(path)?)
        }
    })
}

/// What a tokenizer is called in its folder.
const TOKENIZER: &str = "tokenizer.json";

/// The folder with the tokenizer that the preset names for a GGUF file, if it names one.
///
/// # Errors
/// When it is not here.
pub(super) fn tokenizer_folder(config: &ModelConfig) -> Result<Option<PathBuf>, EngineError> {
    let Some(source) = config.tokenizer.as_deref() else { return Ok(None) };
    let folder = Path::new(source);
    if folder.is_dir() {
        let there = folder.join(TOKENIZER).is_file();
        let there = there.then(|| Some(folder.to_owned()));
        return there.ok_or_else(|| EngineError::NoTokenizerFile(folder.to_owned()));
    }
    let (model, tokenizer) = (config.label().to_owned(), source.to_owned());
    if !hub::is_hub_id(source) {
        return Err(EngineError::TokenizerNotFound { model, tokenizer });
    }
    let cached_file = hub::cached_file(source, TOKENIZER);
    let folder =
        cached_file.as_deref().and_then(Path::parent).map(|folder| Some(folder.to_owned()));
    folder.ok_or(EngineError::TokenizerNotFetched { model, tokenizer })
}

/// The template of the folder that a GGUF file's tokenizer is taken from, else its own.
fn chat_template_of(folder: Option<&Path>, content: &gguf_file::Content) -> Option<ChatTemplate> {
    let own = || {
        let metadata = &content.metadata;
        let source = metadata.get("tokenizer.chat_template")?.to_string().ok()?;
        let token = |name: &str| {
            let id = metadata.get(&format!("tokenizer.ggml.{name}_token_id"))?.to_u32().ok()?;
            let all = metadata.get("tokenizer.ggml.tokens")?.to_vec().ok()?;
            all.get(id as usize)?.to_string().ok().cloned()
        };
        let [bos, eos] = ["bos", "eos"].map(|name| token(name).unwrap_or_default());
        Some(ChatTemplate::new(source.clone(), "the GGUF file", bos, eos))
    };
    folder.and_then(ChatTemplate::from_folder).or_else(own)
}

fn tensors_of(content: &gguf_file::Content) -> Vec<TensorHeader> {
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

/// What the KV cache of a model is made of.
struct KvCacheShape {
    layers: u64,
    kv_heads: u64,
    head_size: u64,
}

impl KvCacheShape {
    /// Bytes of keys and values for a context of `context` tokens, or of [`KV_TOKENS`]; of all pages, where
    /// there are some.
    fn bytes(&self, context: Option<u64>, config: &ModelConfig, number: u64) -> u64 {
        let alone = context.map_or(KV_TOKENS, |context| context.min(KV_TOKENS));
        let tokens = config.paged_context.map_or(alone, |pages| pages as u64);
        let token = self.layers.saturating_mul(self.kv_heads).saturating_mul(self.head_size);
        token.saturating_mul(2 * number).saturating_mul(tokens)
    }
}

/// Bytes of a number that is held as the preset says, or as the engine chooses: it has two then, on any device.
fn bytes_per_weight(config: &ModelConfig) -> u64 {
    if config.dtype == Dtype::F32 { 4 } else { 2 }
}

/// Bytes of so many weights, which are quantized where the preset says so.
fn memory_bytes(weights: u64, config: &ModelConfig) -> u64 {
    match config.quantize_bits {
        // Blocks have a scale each: about half a bit a number.
        Some(bits) => weights.saturating_mul(2 * u64::from(bits) + 1) / 16,
        None => weights.saturating_mul(bytes_per_weight(config)),
    }
}

fn folder_info(
    folder: &Path,
    location: ModelLocation,
    config: &ModelConfig,
) -> Result<ModelInfo, EngineError> {
    let path = folder.join("config.json");
    let text = fs::read_to_string(&path).map_err(|e| unreadable(&path, &e))?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|e| unreadable(&path, &format!("it is no JSON ({e}): copy or fetch it again")))?;
    let number = |key: &str| metadata[key].as_u64();
    let tensors = safetensors(folder)?;
    let heads = number("num_attention_heads");
    let attention = || {
        let size = number("head_dim").or_else(|| Some(number("hidden_size")? / heads?.max(1)))?;
        Some(KvCacheShape {
            layers: number("num_hidden_layers")?,
            kv_heads: number("num_key_value_heads").or(heads)?,
            head_size: size,
        })
    };
    let bytes_per_weight = bytes_per_weight(config);
    let tensor_memory = |tensor: &TensorHeader| match tensor.dimensions {
        2 if !tensor.name.contains("embed") => memory_bytes(tensor.elements, config),
        _ => tensor.elements * bytes_per_weight,
    };
    let context = number("max_position_embeddings");
    let weights: u64 = tensors.iter().map(tensor_memory).sum();
    let there = |name: &str| folder.join(name).is_file();
    Ok(ModelInfo {
        bytes: Some(size_of(folder)?),
        parameters: Some(tensors.iter().map(|tensor| tensor.elements).sum()),
        architecture: metadata["architectures"][0].as_str().map(str::to_owned),
        context,
        tokenizer: there(TOKENIZER).then(|| TokenizerLocation::File(folder.join(TOKENIZER))),
        template: ChatTemplate::from_folder(folder).map(|found| found.origin().to_owned()),
        memory: attention()
            .map(|a| weights.saturating_add(a.bytes(context, config, bytes_per_weight))),
        location,
    })
}

/// Bytes of the files in a folder; links are followed.
fn size_of(folder: &Path) -> Result<u64, EngineError> {
    let entries = fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    let sizes = entries.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
    Ok(sizes.filter(fs::Metadata::is_file).map(|m| m.len()).sum())
}

fn gguf_info(path: &Path, config: &ModelConfig) -> Result<ModelInfo, EngineError> {
    let content = gguf_header(path)?;
    let metadata = &content.metadata;
    let text = |key: &str| metadata.get(key).and_then(|v| v.to_string().ok()).cloned();
    let architecture = text("general.architecture");
    let number = |key: &str| {
        let value = metadata.get(&format!("{}.{key}", architecture.as_deref()?))?;
        value.to_u64().ok().or_else(|| value.to_u32().ok().map(u64::from))
    };
    let heads = number("attention.head_count");
    let attention = || {
        let size = number("attention.key_length")
            .or_else(|| Some(number("embedding_length")? / heads?.max(1)))?;
        Some(KvCacheShape {
            layers: number("block_count")?,
            kv_heads: number("attention.head_count_kv").or(heads)?,
            head_size: size,
        })
    };
    let tensors = tensors_of(&content);
    let tied = !content.tensor_infos.contains_key("output.weight");
    // Vectors and the embedding are held as f32; where the embedding serves as output, too, also as it is.
    let tensor_memory = |tensor: &TensorHeader| match tensor.name.as_str() {
        "token_embd.weight" if tied => tensor.elements * 4 + tensor.bytes,
        "token_embd.weight" => tensor.elements * 4,
        _ if tensor.dimensions == 1 => tensor.elements * 4,
        _ => tensor.bytes,
    };
    let context = number("context_length");
    let weights: u64 = tensors.iter().map(tensor_memory).sum();
    let inside = text("tokenizer.ggml.model").map(|_| TokenizerLocation::InGguf);
    // Where it is not here, whatever else the file tells is told all the same.
    let folder = tokenizer_folder(config).ok().flatten();
    let template = chat_template_of(folder.as_deref(), &content);
    let bytes = fs::metadata(path).map_err(|e| unreadable(path, &e))?.len();
    Ok(ModelInfo {
        location: ModelLocation::File(path.to_owned()),
        bytes: Some(bytes),
        parameters: Some(tensors.iter().map(|tensor| tensor.elements).sum()),
        context,
        tokenizer: match &config.tokenizer {
            Some(_) => folder.map(|folder| TokenizerLocation::File(folder.join(TOKENIZER))),
            None => inside,
        },
        template: template.map(|found| found.origin().to_owned()),
        memory: attention().map(|a| weights.saturating_add(a.bytes(context, config, 4))),
        architecture,
    })
}
