//! NVIDIA GPUs of this machine, through NVML, the driver's library, which is loaded at run time.

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::MemoryInfo;

/// A GPU. What the driver does not report is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// The product name.
    pub name: String,
    /// Its memory.
    pub memory: Option<GpuMemory>,
    /// Compute capability, such as (9, 0).
    pub capability: Option<(i32, i32)>,
}

/// A GPU's memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuMemory {
    /// Used by all programs together.
    pub used: u64,
    /// Installed.
    pub total: u64,
}

impl GpuMemory {
    /// Free bytes.
    pub fn free(self) -> u64 {
        self.total.saturating_sub(self.used)
    }
}

/// The driver's library, opened.
pub struct Driver(Nvml);

impl Driver {
    /// Opens the driver's library.
    ///
    /// # Errors
    /// If there is no driver or it does not work, a clause that says so.
    pub fn open() -> Result<Self, String> {
        Nvml::init().map(Self).map_err(|error| match error {
            NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => {
                "no NVIDIA driver is installed".into()
            }
            error => format!("the NVIDIA driver does not work ({error})"),
        })
    }

    /// The driver's version.
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
                memory: device.memory_info().ok().map(|info| gpu_memory(&info)),
                capability: capability.map(|found| (found.major, found.minor)),
            })
        });
        devices.flatten().collect()
    }

    /// Memory of the first GPU, which models are loaded on.
    pub fn memory(&self) -> Option<GpuMemory> {
        self.0.device_by_index(0).ok()?.memory_info().ok().map(|info| gpu_memory(&info))
    }
}

fn gpu_memory(info: &MemoryInfo) -> GpuMemory {
    GpuMemory { used: info.used, total: info.total }
}
