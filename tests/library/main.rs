//! The library through its API, with the real tiny pair.

mod architecture;
mod chat_templates;
mod compat;
#[path = "../common/copy_folder.rs"]
mod copy_folder;
mod engine;
mod engine_requests;
mod fork;
mod gguf;
#[path = "../common/gold_answers.rs"]
mod gold_answers;
mod grading;
mod hostile_input;
#[cfg(target_os = "linux")]
mod leaks;
mod observer;
mod own_process;
mod redo;
mod reference_gguf;
mod reference_models;
mod reference_values;
mod session;
mod store;
mod store_damage;
#[path = "../common/tiny.rs"]
mod tiny;
#[path = "../common/tiny_gguf.rs"]
mod tiny_gguf;
