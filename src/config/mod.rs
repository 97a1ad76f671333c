//! Configuration: presets, folders, files embedded in the binary.
//!
//! | file | content |
//! |---|---|
//! | `preset` | [`Preset`] and its smaller tables |
//! | `model_config`, `remote`, `price` | a preset's two models |
//! | `steps` | what a step is, and when an episode ends |
//! | `routing`, `draft_length` | the router and its settings |
//! | `validate`, `validate_remote` | checks beyond the types |
//! | `preset_files`, `named_file` | presets and other TOML files, by name or path |
//! | `folders` | the user's folders |

mod draft_length;
mod error;
mod folders;
mod invalid_preset;
mod model_config;
mod named_file;
mod preset;
mod preset_files;
mod price;
mod remote;
mod routing;
mod steps;
mod validate;
mod validate_remote;

pub use draft_length::DraftLength;
pub use error::ConfigError;
pub use folders::Folders;
pub use invalid_preset::InvalidPreset;
pub use model_config::{DeviceChoice, Dtype, ModelConfig};
pub use named_file::FileError;
pub(crate) use named_file::{NamedFile, file_names};
pub use preset::{Budget, Preset, Prompt, Sampling, WhenSpent};
pub(crate) use preset_files::{foreign_path, may_send_key, without_foreign_policy};
pub use preset_files::{load_preset, preset_names};
pub use price::{Price, Prices};
pub use remote::{Api, ContinuationMode, Remote};
pub use routing::{Exploration, Routing, Shadow, Switching};
pub use steps::Steps;
