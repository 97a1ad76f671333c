//! Loads a GGUF file for a CPU.
//!
//! mistral.rs's builder computes the attention of GGUF files in f16 on a CPU, which is neither exact nor fast there, and
//! has no setting for that. Its loader has one.

use std::path::Path;
use std::sync::Arc;

use mistralrs::core::{
    AddModelConfig, DefaultSchedulerMethod, DeviceMapSetting, EngineConfig, GGUFLoaderBuilder,
    GGUFSpecificConfig, Pipeline, SchedulerConfig, TokenSource,
};
use mistralrs::{Device, ModelDType};
use tokio::sync::Mutex;

/// What a model's engine is built from.
pub(super) type EngineParts = (Arc<Mutex<dyn Pipeline>>, SchedulerConfig, AddModelConfig);

/// Loads the file at `path`, with the tokenizer of the folder `tokenizer` if there is one.
pub(super) fn load_gguf_for_cpu(
    path: &Path,
    tokenizer: Option<&Path>,
    dtype: ModelDType,
    cache_entries: Option<usize>,
) -> anyhow::Result<EngineParts> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let loader = GGUFLoaderBuilder::new(
        None,
        tokenizer.map(|folder| folder.display().to_string()),
        folder.display().to_string(),
        vec![file.into_owned()],
        GGUFSpecificConfig { topology: None },
        false,
        None,
    );
    let pipeline = loader.build().load_model_from_hf(
        None,
        TokenSource::None,
        &dtype,
        &Device::Cpu,
        true,
        // The automatic one does not know models with experts.
        DeviceMapSetting::dummy(),
        None,
        None,
    )?;
    let scheduler =
        SchedulerConfig::DefaultScheduler { method: DefaultSchedulerMethod::Fixed(1.try_into()?) };
    let engine = EngineConfig {
        no_prefix_cache: cache_entries.is_none(),
        prefix_cache_n: cache_entries.unwrap_or_default(),
        ..EngineConfig::default()
    };
    Ok((pipeline, scheduler, AddModelConfig::new(engine)))
}
