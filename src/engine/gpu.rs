//! NVIDIA GPUs of this machine, as their driver's library tells of them; it is looked for at run time.

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

/// A GPU. What the driver does not tell is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    pub name: String,
    pub memory: Option<GpuMemory>,
    /// Compute capability, such as (9, 0).
    pub capability: Option<(i32, i32)>,
}

/// Bytes of a GPU's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuMemory {
    /// By all programs.
    pub used: u64,
    pub total: u64,
}

impl GpuMemory {
    /// Bytes that are free.
    pub fn free(self) -> u64 {
        self.total.saturating_sub(self.used)
    }
}

/// The driver's library.
pub struct Driver(Nvml);

impl Driver {
    /// Opens it.
    ///
    /// # Errors
    /// When there is no driver, or it does not work; the reason is the rest of a sentence.
    pub fn open() -> Result<Self, String> {
        Nvml::init().map(Self).map_err(|error| match error {
            NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => {
                "no NVIDIA driver is here".into()
            }
            error => format!("the NVIDIA driver does not work ({error})"),
        })
    }

    /// Its version.
    pub fn version(&self) -> Option<String> {
        self.0.sys_driver_version().ok()
    }

    /// The GPUs, in the driver's order.
    pub fn gpus(&self) -> Vec<Gpu> {
        let devices = (0..self.0.device_count().unwrap_or(0)).map(|index| {
            let device = self.0.device_by_index(index).ok()?;
            let capability = device.cuda_compute_capability().ok();
            Some(Gpu {
                name: device.name().unwrap_or_else(|_| "unnamed".into()),
                memory: device.memory_info().ok().map(of_info),
                capability: capability.map(|found| (found.major, found.minor)),
            })
        });
        devices.flatten().collect()
    }

    /// Memory of the first GPU, which is the one that models are loaded on.
    pub fn memory(&self) -> Option<GpuMemory> {
        self.0.device_by_index(0).ok()?.memory_info().ok().map(of_info)
    }
}

fn of_info(info: nvml_wrapper::struct_wrappers::device::MemoryInfo) -> GpuMemory {
    GpuMemory { used: info.used, total: info.total }
}
