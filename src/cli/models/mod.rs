//! `pointsman models`: what the presets' models are, where they are, and whether they work here.

mod check;
mod fetch;
mod list;
mod throughput;

use clap::{Args, Subcommand};

use super::CommandStatus;
use super::options::CommonArgs;
use crate::cli::error::CommandResult;
use crate::config::{ConfigError, Folders, Preset};
use crate::engine::ModelLocation;

#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// List the models of all presets: where each is, its size, and the memory that it takes
    ///
    /// Nothing is loaded. The memory is an estimate: the weights as they are held, and the KV cache of 4096
    /// tokens.
    Ls {
        /// Print a JSON object a line, a line a model
        #[arg(long)]
        json: bool,
    },
    /// Fetch models from the Hugging Face hub into its cache, where they are loaded from
    ///
    /// A download that broke off or was killed goes on where it was. Size and, for weights, SHA-256 are
    /// compared with the hub's. HF_TOKEN gives access to private and gated models, and is kept nowhere; HF_HOME
    /// says where the cache is, HF_ENDPOINT names a mirror.
    Fetch {
        /// Presets, by name or file, ids such as Qwen/Qwen3-8B, or owner/name/file.gguf [default: the one of --preset]
        #[arg(value_name = "PRESET|MODEL")]
        what: Vec<String>,
        /// Print a JSON object a line, a line a model
        #[arg(long)]
        json: bool,
    },
    /// Load the models of a preset: whether they work, how fast, and whether they work together
    Check {
        /// Preset, by name or file [default: the one of --preset]
        // Not called `preset`: that is the option's name, which clap would take for the same.
        #[arg(value_name = "PRESET")]
        name: Option<String>,
        /// Load a model even if there seems to be too little memory
        #[arg(long)]
        force: bool,
        /// Print a JSON object a line: one for each model, one for the pair
        #[arg(long)]
        json: bool,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// When a preset cannot be read, a model cannot be fetched, or the output cannot be written.
pub fn run(
    args: ModelsArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    match args.command {
        ModelsCommand::Ls { json } => list::run(json, folders),
        ModelsCommand::Fetch { what, json } => fetch::run(&what, json, common, folders),
        ModelsCommand::Check { name, force, json } => {
            check::run(&preset_named(common, name, folders)?, force, json, folders)
        }
    }
}

/// The preset of this name, or the one of the command line, with the command line's changes.
fn preset_named(
    common: &CommonArgs,
    name: Option<String>,
    folders: &Folders,
) -> Result<Preset, ConfigError> {
    let preset = name.unwrap_or_else(|| common.preset.clone());
    CommonArgs { preset, ..common.clone() }.preset(folders)
}

/// A place's word in JSON.
fn location_word(place: &ModelLocation) -> &'static str {
    match place {
        ModelLocation::Embedded(_) => "binary",
        ModelLocation::Folder(_) => "folder",
        ModelLocation::File(_) => "file",
        ModelLocation::HubCache(_) => "hub-cache",
        ModelLocation::NotFetched => "not-here",
        ModelLocation::Remote => "remote",
    }
}
