//! The built binary, as a shell or a terminal runs it, and the servers it talks to.

mod cli;
mod collected;
mod compat;
#[path = "../common/copy_folder.rs"]
mod copy_folder;
mod docs;
mod fake_hub;
mod fork;
mod full_disk;
mod hostile_files;
mod library_commands;
mod model_refusals;
mod models;
mod policy_commands;
mod pty;
mod remote;
mod replay;
mod replay_terminal;
mod shell;
#[cfg(target_os = "linux")]
mod streams;
mod terminal;
#[path = "../common/tiny.rs"]
mod tiny;
#[path = "../common/tiny_gguf.rs"]
mod tiny_gguf;
mod workbench_flows;
