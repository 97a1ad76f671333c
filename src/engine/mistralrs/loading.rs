//! Loads a model with mistral.rs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mistralrs::core::Pipeline;
use mistralrs::model_builder_trait::{
    build_gguf_pipeline, build_model_from_pipeline, build_text_pipeline,
};
use mistralrs::{
    GgufModelBuilder, IsqBits, MemoryGpuConfig, Model, ModelDType, PagedAttentionConfig,
    PagedAttentionMetaBuilder, TextModelBuilder,
};
use tokenizers::Tokenizer;

use super::gguf_pipeline::load_gguf_for_cpu;
use super::model_folder::model_folder;
use crate::config::{DeviceChoice, Dtype, ModelConfig};
use crate::engine::model_info::{is_on_cpu, loaded_dtype};

/// Tokens of a page of the paged KV cache.
///
/// mistral.rs 0.8.1 mishandles a page of which exactly one token is new. A prefix of such a length is sent without its
/// last token, and the sampler returns that token first.
pub(super) const PAGE_TOKENS: usize = 32;

/// Entries of the prefix cache on a CPU, and on a GPU, whose memory is scarcer. Each entry is a full copy of keys and
/// values, and only the newest texts are continued.
const CPU_CACHE_ENTRIES: usize = 16;
const GPU_CACHE_ENTRIES: usize = 4;

/// A loaded model and what the engine needs of its metadata.
pub(super) struct LoadedModel {
    pub(super) model: Model,
    pub(super) tokenizer: Option<Arc<Tokenizer>>,
    pub(super) end_of_text: Vec<u32>,
    /// Context length in tokens.
    pub(super) context: usize,
    /// Whether it computes on the CPU.
    pub(super) is_on_cpu: bool,
    pub(super) runtime: tokio::runtime::Runtime,
}

/// The files to load. They are local: given an id, mistral.rs would download missing files unverified.
pub(super) enum ModelSource {
    /// A folder with config.json, tokenizer.json and safetensors.
    Folder(PathBuf),
    /// A GGUF file.
    Gguf {
        path: PathBuf,
        /// The folder of a tokenizer that replaces the one in the file.
        tokenizer: Option<PathBuf>,
    },
}

/// Loads a model and starts its engine.
pub(super) fn load_model(
    config: &ModelConfig,
    source: &ModelSource,
    has_prefix_cache: bool,
) -> anyhow::Result<LoadedModel> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("pointsman-engine")
        .enable_all()
        .build()?;
    let is_on_gpu =
        config.device != DeviceChoice::Cpu && cfg!(any(feature = "cuda", feature = "metal"));
    let entries = if is_on_gpu { GPU_CACHE_ENTRIES } else { CPU_CACHE_ENTRIES };
    let cache_entries = has_prefix_cache.then_some(entries);
    let (model, metadata) = runtime.block_on(async {
        let (pipeline, scheduler, engine) = match source {
            ModelSource::Gguf { path, tokenizer } if is_on_cpu(config) => {
                let dtype = match config.dtype {
                    Dtype::F16 => ModelDType::F16,
                    _ => ModelDType::F32,
                };
                load_gguf_for_cpu(path, tokenizer.as_deref(), dtype, cache_entries)?
            }
            ModelSource::Gguf { path, tokenizer } => {
                let builder = gguf_builder(config, path, tokenizer.as_deref(), cache_entries)?;
                build_gguf_pipeline(builder).await?
            }
            ModelSource::Folder(folder) => {
                let linked = model_folder(folder)?;
                let builder = text_builder(config, linked.path(), cache_entries)?;
                build_text_pipeline(builder).await?
            }
        };
        let metadata = PipelineMetadata::of(&pipeline).await;
        let model = build_model_from_pipeline(pipeline, scheduler, engine).await;
        anyhow::Ok((model, metadata))
    })?;
    let PipelineMetadata { tokenizer, end_of_text, context, is_on_cpu } = metadata;
    Ok(LoadedModel { model, tokenizer, end_of_text, context, is_on_cpu, runtime })
}

/// The builder for a GPU.
fn gguf_builder(
    config: &ModelConfig,
    path: &Path,
    tokenizer: Option<&Path>,
    cache_entries: Option<usize>,
) -> anyhow::Result<GgufModelBuilder> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut builder = GgufModelBuilder::new(folder.display(), vec![file])
        .with_throughput_logging()
        .with_prefix_cache_n(cache_entries);
    if let Some(tokenizer) = tokenizer {
        builder = builder.with_tok_model_id(tokenizer.display());
    }
    if let Some(paged_attention) = paged_attention(config)? {
        builder = builder.with_paged_attn(paged_attention);
    }
    Ok(builder)
}

fn text_builder(
    config: &ModelConfig,
    folder: &Path,
    cache_entries: Option<usize>,
) -> anyhow::Result<TextModelBuilder> {
    let mut builder = TextModelBuilder::new(folder.display())
        .with_dtype(match loaded_dtype(config) {
            Dtype::Auto => ModelDType::Auto,
            Dtype::F32 => ModelDType::F32,
            Dtype::F16 => ModelDType::F16,
            Dtype::Bf16 => ModelDType::BF16,
        })
        .with_throughput_logging()
        .with_prefix_cache_n(cache_entries);
    if let Some(paged_attention) = paged_attention(config)? {
        builder = builder.with_paged_attn(paged_attention);
    }
    if let Some(bits) = config.quantize_bits {
        builder = builder.with_auto_isq(match bits {
            2 => IsqBits::Two,
            3 => IsqBits::Three,
            4 => IsqBits::Four,
            5 => IsqBits::Five,
            6 => IsqBits::Six,
            8 => IsqBits::Eight,
            other => anyhow::bail!("quantize_bits is {other}, but must be 2, 3, 4, 5, 6 or 8"),
        });
    }
    if config.device == DeviceChoice::Cpu {
        builder = builder.with_force_cpu();
    }
    Ok(builder)
}

/// The paged KV cache that the preset asks for. mistral.rs ignores it without a GPU.
fn paged_attention(config: &ModelConfig) -> anyhow::Result<Option<PagedAttentionConfig>> {
    let pages = |context: usize| {
        let memory = MemoryGpuConfig::ContextSize(context.next_multiple_of(PAGE_TOKENS));
        PagedAttentionMetaBuilder::default()
            .with_block_size(PAGE_TOKENS)
            .with_gpu_memory(memory)
            .build()
    };
    config.paged_context.map(pages).transpose()
}

/// What the engine needs to know of a pipeline.
struct PipelineMetadata {
    tokenizer: Option<Arc<Tokenizer>>,
    end_of_text: Vec<u32>,
    context: usize,
    is_on_cpu: bool,
}

impl PipelineMetadata {
    async fn of(pipeline: &tokio::sync::Mutex<dyn Pipeline>) -> Self {
        let pipeline = pipeline.lock().await;
        let metadata = pipeline.get_metadata();
        Self {
            tokenizer: pipeline.tokenizer(),
            end_of_text: metadata.eos_tok.clone(),
            context: metadata.max_seq_len,
            is_on_cpu: pipeline.device().is_cpu(),
        }
    }
}

/// The message of a panic.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "mistral.rs panicked while loading it".into())
}
