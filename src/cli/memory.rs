//! Whether models fit into the memory that is free.

use std::collections::BTreeMap;
use std::path::Path;

use super::style;
use crate::config::{DeviceChoice, ModelConfig, Preset};
use crate::engine::gpu::{Driver, GpuMemory};
use crate::engine::inventory;
use crate::role::Role;

/// Which memory a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Memory {
    Machine,
    Gpu,
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Machine => "memory",
            Self::Gpu => "the GPU's memory",
        })
    }
}

impl Memory {
    /// That of a model; nothing for one behind an address.
    pub fn of(config: &ModelConfig) -> Option<Self> {
        let on_gpu = cfg!(any(feature = "cuda", feature = "metal"));
        let auto = config.device == DeviceChoice::Auto;
        let here = if on_gpu && auto { Self::Gpu } else { Self::Machine };
        config.remote.is_none().then_some(here)
    }

    /// Bytes that are free; nothing where that is not known.
    pub fn free(self) -> Option<u64> {
        match self {
            Self::Gpu => Driver::open().ok()?.memory().map(GpuMemory::free),
            Self::Machine => {
                let text = std::fs::read_to_string("/proc/meminfo").ok()?;
                let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
                let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
                Some(kilobytes * 1024)
            }
        }
    }
}

/// Bytes that both models of a preset will take together, about, in each memory that they take any of.
///
/// # Errors
/// When that is not known of a model; the reason is the rest of a sentence.
fn needs(preset: &Preset, cache: &Path) -> Result<BTreeMap<Memory, u64>, String> {
    let mut needs = BTreeMap::new();
    for role in Role::BOTH {
        let model = preset.model(role);
        let Some(memory) = Memory::of(model) else { continue };
        let found = inventory(model, cache).map_err(|e| e.to_string())?;
        *needs.entry(memory).or_default() += found.memory.ok_or_else(|| {
            format!("nobody knows how much memory {} takes", style::plain(model.label()))
        })?;
    }
    Ok(needs)
}

/// Whether both models of a preset fit into what is free.
///
/// # Errors
/// When they do not, or it is not known; the reason is the rest of a sentence.
pub fn room_for(preset: &Preset, cache: &Path) -> Result<(), String> {
    for (memory, needed) in needs(preset, cache)? {
        let free = memory.free().ok_or("nobody knows how much memory is free")?;
        if needed > free {
            return Err(format!("they take about {}", told(memory, needed)));
        }
    }
    Ok(())
}

/// What is told while the models of a preset are loaded: the memory that they will take, where it is known.
pub fn loading(preset: &Preset, cache: &Path) -> String {
    let needs = needs(preset, cache).unwrap_or_default();
    let parts = needs.into_iter().map(|(memory, needed)| told(memory, needed));
    match parts.collect::<Vec<_>>().join(", and about ") {
        parts if parts.is_empty() => "loading the models".into(),
        parts => format!("loading the models, about {parts}"),
    }
}

fn told(memory: Memory, needed: u64) -> String {
    let bytes = |n: u64| format!("{}B", style::si(n as f64));
    let free = memory.free().map(|free| format!(", of which {} are free", bytes(free)));
    format!("{} of {memory}{}", bytes(needed), free.unwrap_or_default())
}
