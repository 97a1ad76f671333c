//! Whether models fit into the memory that is free.

use std::path::Path;

use super::style;
use crate::config::{DeviceChoice, ModelConfig, Preset};
use crate::engine::gpu::{Driver, GpuMemory};
use crate::engine::inventory;
use crate::role::Role;

/// Which memory a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    Machine,
    Gpu,
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

/// Whether both models of a preset fit into what is free.
///
/// # Errors
/// When they do not, or it is not known; the reason is the rest of a sentence.
pub fn room_for(preset: &Preset, cache: &Path) -> Result<(), String> {
    for memory in [Memory::Machine, Memory::Gpu] {
        let models = Role::BOTH.map(|role| preset.model(role));
        let mut models = models.into_iter().filter(|m| Memory::of(m) == Some(memory)).peekable();
        if models.peek().is_none() {
            continue;
        }
        let mut needed = 0;
        for model in models {
            let found = inventory(model, cache).map_err(|e| e.to_string())?;
            needed += found.memory.ok_or_else(|| {
                format!("nobody knows how much memory {} takes", style::plain(model.label()))
            })?;
        }
        let free = memory.free().ok_or("nobody knows how much memory is free")?;
        if needed > free {
            let [needed, free] = [needed, free].map(|bytes| style::si(bytes as f64));
            return Err(format!("they take about {needed}B of memory, of which {free}B are free"));
        }
    }
    Ok(())
}
