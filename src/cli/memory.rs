//! Whether models fit into the memory that is free.

use std::collections::BTreeMap;
use std::path::Path;

use super::output::bytes;
use crate::config::{DeviceChoice, ModelConfig, Preset};
use crate::engine::gpu::{Driver, GpuMemory};
use crate::engine::model_info;
use crate::role::Role;

/// Which memory a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemoryKind {
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
    /// That of a model; nothing for one behind an address.
    pub fn of(config: &ModelConfig) -> Option<Self> {
        let on_gpu = cfg!(any(feature = "cuda", feature = "metal"));
        let auto = config.device == DeviceChoice::Auto;
        let here = if on_gpu && auto { Self::Gpu } else { Self::Ram };
        config.remote.is_none().then_some(here)
    }

    /// Bytes that are free; nothing where that is not known.
    pub fn free(self) -> Option<u64> {
        match self {
            Self::Gpu => {
                // With several GPUs, or some that are hidden, it is for the engine to say which it takes.
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

/// Bytes that both models of a preset will take together, about, in each memory that they take any of; what is
/// not known of a model is not counted.
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

/// Whether both models of a preset fit into what is free, as far as that is known.
///
/// # Errors
/// When they do not; the reason is the rest of a sentence.
pub fn check_memory(preset: &Preset, cache: &Path) -> Result<(), String> {
    let too_much =
        |(memory, needed): &(MemoryKind, u64)| memory.free().is_some_and(|f| *needed > f);
    let found = required_memory(preset, cache).into_iter().find(too_much);
    found.map_or(Ok(()), |(memory, needed)| {
        Err(format!("they take about {}", describe_memory(memory, needed)))
    })
}

/// How often both models of a preset fit into what is free; nothing where that is not known.
pub fn copies_that_fit(preset: &Preset, cache: &Path) -> Option<usize> {
    let times = |(memory, needed): (MemoryKind, u64)| Some(memory.free()? / needed.max(1));
    let times =
        required_memory(preset, cache).into_iter().map(times).collect::<Option<Vec<u64>>>()?;
    times.into_iter().min().and_then(|times| usize::try_from(times).ok())
}

/// What is told while the models of a preset are loaded: the memory that they will take, where it is known.
pub fn loading_message(preset: &Preset, cache: &Path) -> String {
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
