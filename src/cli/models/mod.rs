//! `pointsman models`: lists, fetches and checks the models of the presets.

mod check;
mod fetch;
mod list;
mod throughput;

use clap::{Args, Subcommand};

use super::options::CommonArgs;
use crate::cli::error::{CommandResult, CommandStatus};
use crate::config::Folders;

pub(super) use throughput::{decode_rate, write_sample};

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// List the models of all presets: where each one is, its size, and the memory that it needs
    ///
    /// No model is loaded. The memory is an estimate: the weights in their loaded format, and a KV cache of
    /// 4096 tokens.
    Ls {
        /// Print one JSON object per model
        #[arg(long)]
        json: bool,
    },
    /// Fetch models from the Hugging Face hub into its cache
    ///
    /// An interrupted download is resumed. The size and, for weights, the SHA-256 are compared with the hub's.
    /// `HF_TOKEN` gives access to private and gated models and is not stored. `HF_HOME` sets the folder of
    /// the cache, `HF_ENDPOINT` a mirror.
    Fetch {
        /// Presets, by name or file, model ids such as Qwen/Qwen3-8B, or owner/name/file.gguf
        /// [default: the preset of --preset]
        #[arg(value_name = "PRESET|MODEL")]
        what: Vec<String>,
        /// Print one JSON object per model
        #[arg(long)]
        json: bool,
    },
    /// Load the models of a preset and test each one, its speed, and the pair
    Check {
        /// Preset, by name or file [default: the preset of --preset]
        // Not named `preset`: clap would confuse it with the global option.
        #[arg(value_name = "PRESET")]
        name: Option<String>,
        /// Load a model even if the memory seems too small
        #[arg(long, alias = "anyway")]
        force: bool,
        /// Print one JSON object per model, and one for the pair
        #[arg(long)]
        json: bool,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// If a preset cannot be read, a model cannot be fetched, or the output cannot be written.
pub(super) fn run(
    args: ModelsArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    match args.command {
        ModelsCommand::Ls { json } => list::run(json, folders),
        ModelsCommand::Fetch { what, json } => fetch::run(&what, json, common, folders),
        ModelsCommand::Check { name, force, json } => {
            check::run(&common.preset_named(name, folders)?, force, json, folders)
        }
    }
}
