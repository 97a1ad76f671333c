//! Whether models fit into the free memory.

use std::collections::BTreeMap;
use std::path::Path;

use super::output::bytes;
use super::stdio::note;
use crate::config::{DeviceChoice, ModelConfig, Preset};
use crate::engine::gpu::{Driver, GpuMemory};
use crate::engine::{EngineKind, model_info};
use crate::role::Role;

/// The memory that a model is loaded into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MemoryKind {
    Ram,
    Gpu,
}

impl std::fmt::Display for MemoryKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ram => "memory",
            Self::Gpu => "the GPU's memory",
        })
    }
}

impl MemoryKind {
    /// The memory of a model; `None` for a remote one.
    pub(super) fn of(config: &ModelConfig) -> Option<Self> {
        let on_gpu = cfg!(any(feature = "cuda", feature = "metal"));
        let auto = config.device == DeviceChoice::Auto;
        let here = if on_gpu && auto { Self::Gpu } else { Self::Ram };
        EngineKind::of(config).is_local().then_some(here)
    }

    /// Free bytes; `None` if unknown.
    pub(super) fn free(self) -> Option<u64> {
        match self {
            Self::Gpu => {
                // With several or hidden GPUs, only the engine knows which one it uses.
                let hidden = std::env::var_os("CUDA_VISIBLE_DEVICES").is_some();
                let gpus = Driver::open().ok()?.gpus();
                let [only] = gpus.as_slice() else { return None };
                only.memory.filter(|_| !hidden).map(GpuMemory::free)
            }
            Self::Ram => {
                let text = std::fs::read_to_string("/proc/meminfo").ok()?;
                let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
                let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
                Some(kilobytes * 1024)
            }
        }
    }
}

/// Reports what is done differently from what the preset or the models' configurations say.
pub(super) fn print_remarks(preset: &Preset, cache: &Path) {
    for model in Role::BOTH.map(|role| preset.model(role)) {
        let found = model_info(model, cache).ok();
        for remark in found.map(|found| found.remarks(model)).unwrap_or_default() {
            note!("pointsman: model {}: {remark}", model.label());
        }
    }
}

/// Estimated bytes that the models of a preset need in each memory. A model of unknown size is not counted.
fn required_memory(preset: &Preset, cache: &Path) -> BTreeMap<MemoryKind, u64> {
    let mut needs = BTreeMap::new();
    for role in Role::BOTH {
        let model = preset.model(role);
        let found = model_info(model, cache).ok().and_then(|found| found.memory);
        if let (Some(memory), Some(needed)) = (MemoryKind::of(model), found) {
            *needs.entry(memory).or_default() += needed;
        }
    }
    needs
}

/// Checks that the models of a preset fit into the free memory, if both sizes are known.
///
/// # Errors
/// If they do not. The reason continues a sentence: "they need about 12 GB of memory…".
pub(super) fn check_memory(preset: &Preset, cache: &Path) -> Result<(), String> {
    let too_much =
        |(memory, needed): &(MemoryKind, u64)| memory.free().is_some_and(|f| *needed > f);
    let found = required_memory(preset, cache).into_iter().find(too_much);
    found.map_or(Ok(()), |(memory, needed)| {
        Err(format!("they need about {}", describe_memory(memory, needed)))
    })
}

/// How many copies of the preset's models fit into the free memory; `None` if unknown.
pub(super) fn copies_that_fit(preset: &Preset, cache: &Path) -> Option<usize> {
    let times = |(memory, needed): (MemoryKind, u64)| Some(memory.free()? / needed.max(1));
    let times =
        required_memory(preset, cache).into_iter().map(times).collect::<Option<Vec<u64>>>()?;
    times.into_iter().min().and_then(|times| usize::try_from(times).ok())
}

/// The message while the models of a preset are loading, with the memory that they need if it is known.
pub(super) fn loading_message(preset: &Preset, cache: &Path) -> String {
    let parts = required_memory(preset, cache)
        .into_iter()
        .map(|(memory, needed)| describe_memory(memory, needed));
    match parts.collect::<Vec<_>>().join(", and about ") {
        parts if parts.is_empty() => "loading the models".into(),
        parts => format!("loading the models, about {parts}"),
    }
}

fn describe_memory(memory: MemoryKind, needed: u64) -> String {
    let free = memory.free().map(|free| format!(", of which {} are free", bytes(free)));
    format!("{} of {memory}{}", bytes(needed), free.unwrap_or_default())
}
