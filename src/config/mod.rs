//! Configuration: presets, folders, files embedded in the binary.

mod folders;
mod named;
mod preset;
mod presets;
mod validate;

pub use folders::{Folders, HOME_VARIABLE};
pub use named::{FileError, NamedFile, names};
pub use preset::{
    Budget, DeviceChoice, Dtype, Exploration, Glimpse, ModelConfig, Preset, Prices, Prompt,
    Routing, Sampling, Shadow, Steps, Switching, WhenSpent,
};
pub use presets::{ConfigError, load_preset, preset_names};
pub use validate::InvalidPreset;
