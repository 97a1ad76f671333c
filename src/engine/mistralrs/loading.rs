//! Making a model ready.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mistralrs::core::{Pipeline, SchedulerConfig};
use mistralrs::model_builder_trait::{
    build_gguf_pipeline, build_model_from_pipeline, build_text_pipeline,
};
use mistralrs::{
    GgufModelBuilder, IsqBits, MemoryGpuConfig, Model, ModelDType, PagedAttentionConfig,
    PagedAttentionMetaBuilder, TextModelBuilder,
};
use tokenizers::Tokenizer;

use crate::config::{DeviceChoice, Dtype, ModelConfig};

/// Tokens of a page of the paged cache. mistral.rs 0.8.1 goes wrong where exactly one token of a page is new: such
/// a prefix is sent without its last token, which is then put in the place of the first that is drawn.
pub(super) const PAGE_TOKENS: usize = 32;

/// What loading gives.
pub(super) struct LoadedModel {
    pub model: Model,
    pub tokenizer: Option<Arc<Tokenizer>>,
    pub end_of_text: Vec<u32>,
    pub context: usize,
    pub runtime: tokio::runtime::Runtime,
}

/// What is loaded. All of it is on this disk: of an id, mistral.rs would fetch what is not, unseen and unchecked.
pub(super) enum ModelSource {
    /// With config.json, tokenizer.json and safetensors.
    Folder(PathBuf),
    /// With the folder of a tokenizer that is taken rather than the file's own.
    Gguf { path: PathBuf, tokenizer: Option<PathBuf> },
}

pub(super) fn load_model(
    config: &ModelConfig,
    files: &ModelSource,
    cached: bool,
) -> anyhow::Result<LoadedModel> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("pointsman-engine")
        .enable_all()
        .build()?;
    let cpu = config.device == DeviceChoice::Cpu;
    // Each is a whole copy of keys and values, and only the newest texts are gone on with.
    let copies = if cpu || !cfg!(any(feature = "cuda", feature = "metal")) { 16 } else { 4 };
    let prefix_cache = cached.then_some(copies);
    let (model, tokenizer, end_of_text, context) = runtime.block_on(async {
        let (pipeline, scheduler, engine) = match files {
            ModelSource::Gguf { path, tokenizer } => {
                let folder = path.parent().unwrap_or(Path::new("."));
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let mut builder = GgufModelBuilder::new(folder.display(), vec![file])
                    .with_throughput_logging()
                    .with_prefix_cache_n(prefix_cache);
                if let Some(tokenizer) = tokenizer {
                    builder = builder.with_tok_model_id(tokenizer.display());
                }
                if let Some(paged_attention) = paged_attention(config)? {
                    builder = builder.with_paged_attn(paged_attention);
                }
                if cpu {
                    builder = builder.with_force_cpu();
                }
                build_gguf_pipeline(builder).await?
            }
            ModelSource::Folder(folder) => {
                let mut builder = TextModelBuilder::new(folder.display())
                    .with_dtype(match config.dtype {
                        Dtype::Auto => ModelDType::Auto,
                        Dtype::F32 => ModelDType::F32,
                        Dtype::F16 => ModelDType::F16,
                        Dtype::Bf16 => ModelDType::BF16,
                    })
                    .with_throughput_logging()
                    .with_prefix_cache_n(prefix_cache);
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
                        other => anyhow::bail!("cannot quantize to {other} bits"),
                    });
                }
                if cpu {
                    builder = builder.with_force_cpu();
                }
                build_text_pipeline(builder).await?
            }
        };
        let (tokenizer, end_of_text, context) = tokenizer_and_limits(&pipeline, &scheduler).await;
        let model = build_model_from_pipeline(pipeline, scheduler, engine).await;
        anyhow::Ok((model, tokenizer, end_of_text, context))
    })?;
    Ok(LoadedModel { model, tokenizer, end_of_text, context, runtime })
}

/// The paged cache that the preset wants; without a GPU, mistral.rs leaves it.
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

async fn tokenizer_and_limits(
    pipeline: &Arc<tokio::sync::Mutex<dyn Pipeline>>,
    _: &SchedulerConfig,
) -> (Option<Arc<Tokenizer>>, Vec<u32>, usize) {
    let pipeline = pipeline.lock().await;
    let metadata = pipeline.get_metadata();
    (pipeline.tokenizer(), metadata.eos_tok.clone(), metadata.max_seq_len)
}

/// The reason in one line, without the backtrace that candle puts behind it where `RUST_BACKTRACE` is set.
pub(super) fn one_line(reason: &str) -> String {
    let lines = reason.lines().map(str::trim).take_while(|line| !line.starts_with("0: "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "mistral.rs panicked while loading it".into())
}
