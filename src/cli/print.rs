//! `pointsman print`: what is in force, and what other programs want to know of this one.

use clap::{Args, CommandFactory, Subcommand};
use clap_complete::Shell;

use super::error::{CommandError, CommandResult, Context};
use super::options::CommonArgs;
use super::{Arguments, CommandStatus, output};
use crate::config::Folders;
use crate::workbench::Keymap;

#[derive(Debug, Args)]
pub struct PrintArgs {
    #[command(subcommand)]
    command: PrintCommand,
}

#[derive(Debug, Subcommand)]
enum PrintCommand {
    /// The keys of the workbench, the user's `keys.toml` taken in
    Keys {
        /// As a `keys.toml` to start from, not as Markdown
        #[arg(long)]
        toml: bool,
    },
    /// The preset as this command line would use it, and where everything is kept; it can be put into a file
    Config,
    /// A manual page, in roff: `pointsman print man | man -l -`
    Man {
        /// Of a subcommand, not of the whole
        command: Option<String>,
    },
    /// Completions for a shell
    Completions { shell: Shell },
}

/// Prints it.
///
/// # Errors
/// When the user's configuration is invalid, there is no such subcommand, or the output cannot be written.
pub fn run(
    args: PrintArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let text = match args.command {
        PrintCommand::Keys { toml } => {
            let keys = Keymap::load(&folders.keys())?;
            if toml { keys.to_toml() } else { keys.to_markdown() }
        }
        PrintCommand::Config => config(common, folders)?,
        PrintCommand::Man { command } => man(command.as_deref())?,
        PrintCommand::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "pointsman", &mut out);
            String::from_utf8(out).context("the completions are no text")?
        }
    };
    output::print_line(text.trim_end())?;
    Ok(CommandStatus::Success)
}

/// The preset in force, below comments that say where things are.
fn config(common: &CommonArgs, folders: &Folders) -> CommandResult<String> {
    let mut preset = common.preset(folders)?;
    // The file's own name is to be its name: under this one's it would share policies with it.
    preset.name.clear();
    let places = [
        ("presets", folders.presets()),
        ("themes", folders.themes()),
        ("keys", folders.keys()),
        ("store", common.store(folders)),
        ("cache", folders.cache.clone()),
        ("logging", folders.state.join(super::logging::LOG_FILE)),
    ];
    let mut text = format!("# preset {}, as this command line would use it\n", common.preset);
    for (what, path) in places {
        let there = if path.exists() { "" } else { " (not there)" };
        text.push_str(&format!("# {what}: {}{there}\n", path.display()));
    }
    text.push('\n');
    text.push_str(&toml::to_string(&preset).context("the preset cannot be written as TOML")?);
    Ok(text)
}

fn man(name: Option<&str>) -> CommandResult<String> {
    let mut all = Arguments::command();
    // So that each subcommand knows the shared options and its whole name.
    all.build();
    let command = match name {
        None => all,
        Some(name) => {
            let found = all.find_subcommand(name).cloned();
            let known =
                || all.get_subcommands().map(|c| c.get_name()).collect::<Vec<_>>().join(", ");
            found.ok_or_else(|| {
                CommandError::usage(format!(
                    "there is no subcommand `{name}`: use one of {}",
                    known()
                ))
            })?
        }
    };
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out)?;
    String::from_utf8(out).context("the manual page is no text")
}
