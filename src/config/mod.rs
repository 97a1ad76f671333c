//! Configuration: presets, folders, files embedded in the binary.

mod folders;
mod named;
mod preset;
mod presets;
mod price;
mod remote;
mod validate;

pub use folders::{Folders, HOME_VARIABLE};
pub use named::{FileError, NamedFile, names};
pub use preset::{
    Budget, DeviceChoice, Dtype, Exploration, Glimpse, ModelConfig, Preset, Prompt, Routing,
    Sampling, Shadow, Steps, Switching, WhenSpent,
};
pub use presets::{ConfigError, is_own_key, load_preset, preset_names};
pub use price::{Price, Prices};
pub use remote::{Api, Continues, Remote};
pub use validate::InvalidPreset;
