//! What is known of a model before it is loaded, from the headers of its files.
//!
//! | file | content |
//! |---|---|
//! | `info` | [`ModelInfo`], and whether a model can be loaded |
//! | `inspect` | [`model_info()`]: reads the files that a preset names |
//! | `folder`, `gguf` | safetensors folders and GGUF files |
//! | `config_json` | the content of `config.json` |
//! | `families` | the supported architectures and their tensors |
//! | `memory` | the number format, and an estimate of the memory that a loaded model needs |
//! | `tokenizer` | where the tokenizer is |

mod config_json;
mod families;
mod folder;
mod gguf;
mod info;
mod inspect;
mod memory;
mod tensor_header;
mod tokenizer;

pub(super) use config_json::{CONFIG_FILE, ConfigJson};
pub use families::{GGUF_ARCHITECTURES, SUPPORTED_ARCHITECTURES};
pub use info::{ModelInfo, ModelLocation};
pub use inspect::model_info;
pub(super) use inspect::{chat_template, digest};
pub use memory::KV_TOKENS;
pub(super) use memory::{is_on_cpu, loaded_dtype};
pub use tokenizer::TokenizerLocation;
pub(super) use tokenizer::tokenizer_folder;
