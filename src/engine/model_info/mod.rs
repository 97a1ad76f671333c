//! What is known of a model before it is loaded, from the headers of its files.
//!
//! | file | content |
//! |---|---|
//! | `info` | [`ModelInfo`], and whether a model can be loaded |
//! | `inspect` | [`model_info()`]: reads the files that a preset names |
//! | `folder`, `gguf` | safetensors folders and GGUF files |
//! | `architectures` | the architectures that mistral.rs supports |
//! | `memory` | an estimate of the memory that a loaded model needs |
//! | `tokenizer` | where the tokenizer is |

mod architectures;
mod folder;
mod gguf;
mod info;
mod inspect;
mod memory;
mod tensor_header;
mod tokenizer;

pub use info::{ModelInfo, ModelLocation};
pub use inspect::model_info;
pub(super) use inspect::{chat_template, count_parameters, digest};
pub use memory::KV_TOKENS;
pub use tokenizer::TokenizerLocation;
pub(super) use tokenizer::tokenizer_folder;
