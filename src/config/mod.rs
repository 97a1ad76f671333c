//! Configuration: presets, folders, files embedded in the binary.

mod preset;

pub use preset::{
    Budget, DeviceChoice, Dtype, Glimpse, ModelConfig, Preset, Prices, Prompt, Routing, Sampling,
    Steps, Switching, WhenSpent,
};
