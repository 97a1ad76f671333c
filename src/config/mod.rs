//! Configuration: presets, folders, files embedded in the binary.

mod folders;
mod named_file;
mod preset;
mod preset_files;
mod price;
mod remote;
mod validate;

pub use folders::{Folders, HOME_VARIABLE};
pub use named_file::{FileError, NamedFile, file_names};
pub use preset::{
    Budget, DeviceChoice, DraftLength, Dtype, Exploration, ModelConfig, Preset, Prompt, Routing,
    Sampling, Shadow, Steps, Switching, WhenSpent,
};
pub use preset_files::{ConfigError, load_preset, may_send_key, preset_names};
pub use price::{Price, Prices};
pub use remote::{Api, ContinuationMode, Remote};
pub use validate::InvalidPreset;
