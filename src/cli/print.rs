//! `pointsman print`: the current configuration, reference tables, and files for other programs.

use clap::{Args, Command, Subcommand};
use clap_complete::Shell;

use super::error::{CommandError, CommandResult, CommandStatus, Context};
use super::options::CommonArgs;
use super::reference::Reference;
use super::{help, output};
use crate::config::Folders;
use crate::workbench::Keymap;

#[derive(Debug, Args)]
pub(super) struct PrintArgs {
    #[command(subcommand)]
    command: PrintCommand,
}

#[derive(Debug, Subcommand)]
enum PrintCommand {
    /// The keys of the workbench, with the changes of your `keys.toml`
    Keys {
        /// As a `keys.toml` to start from, instead of Markdown
        #[arg(long)]
        toml: bool,
    },
    /// The preset as this command line would use it, as a preset file, and the folders in use
    Config,
    /// A man page, in roff: `pointsman print man | man -l -`
    Man {
        /// A command, such as `eval` or `episodes ls` [default: pointsman itself]
        command: Vec<String>,
    },
    /// Completions for a shell
    Completions { shell: Shell },
    /// A reference table of the manual, in Markdown
    Reference { name: Reference },
}

/// Prints what was asked for.
///
/// # Errors
/// If the user's configuration is invalid, the command does not exist, or the output cannot be written.
pub(super) fn run(
    args: PrintArgs,
    mut pointsman: Command,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let text = match args.command {
        PrintCommand::Keys { toml } => {
            let keys = Keymap::load(&folders.keys())?;
            if toml { keys.to_toml() } else { keys.to_markdown() }
        }
        PrintCommand::Config => config(common, folders)?,
        PrintCommand::Man { command } => man(&command, pointsman)?,
        PrintCommand::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut pointsman, "pointsman", &mut out);
            String::from_utf8(out).context("the completions are not UTF-8")?
        }
        PrintCommand::Reference { name } => name.to_markdown(folders)?,
    };
    output::print_line(text.trim_end())?;
    Ok(CommandStatus::Success)
}

/// The current preset, after comments that name the folders.
fn config(common: &CommonArgs, folders: &Folders) -> CommandResult<String> {
    let mut preset = common.preset(folders)?;
    // A preset is called like its file. With this preset's name it would share its policies.
    preset.name.clear();
    let places = [
        ("presets", folders.presets()),
        ("themes", folders.themes()),
        ("keys", folders.keys()),
        ("store", common.store(folders)),
        ("cache", folders.cache.clone()),
        ("log", folders.state.join(super::logging::LOG_FILE)),
    ];
    let places = places.iter().map(|(what, path)| {
        let note = if path.exists() { "" } else { " (does not exist)" };
        format!("# {what}: {}{note}", path.display())
    });
    let places = places.collect::<Vec<_>>().join("\n");
    let preset = toml::to_string(&preset).context("the preset cannot be written as TOML")?;
    Ok(format!(
        "# preset {}, as this command line would use it\n{places}\n\n{preset}",
        common.preset
    ))
}

fn man(words: &[String], mut all: Command) -> CommandResult<String> {
    // Gives each command the global options and its full name.
    all.build();
    let mut command = &all;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            let (name, known) = (words.join(" "), help::command_names(&all).join(", "));
            CommandError::usage(format!("there is no command `{name}`: use one of {known}"))
        })?;
    }
    let command = command.clone();
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out)?;
    String::from_utf8(out).context("the man page is not UTF-8")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    /// The words of every command, `pointsman` itself included.
    fn all_commands(command: &Command, words: &[String]) -> Vec<Vec<String>> {
        let mut all = vec![words.to_vec()];
        for subcommand in command.get_subcommands() {
            let words = [words, &[subcommand.get_name().to_owned()]].concat();
            all.extend(all_commands(subcommand, &words));
        }
        all
    }

    #[test]
    fn man_pages_name_only_man_pages_that_can_be_printed() {
        let commands = all_commands(&Arguments::command(), &[]);
        let name = |words: &[String]| [&["pointsman".to_owned()], words].concat().join("-");
        let printed: BTreeSet<String> = commands.iter().map(|words| name(words)).collect();
        let mut named = BTreeSet::new();
        for words in &commands {
            let page = man(words, Arguments::command()).unwrap().replace("\\-", "-");
            let references = page.split_whitespace().filter_map(|word| word.strip_suffix("(1)"));
            named.extend(references.map(str::to_owned));
        }
        assert!(named.contains("pointsman-episodes-ls"), "{named:?}");
        assert_eq!(named.difference(&printed).collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(man(&["evel".to_owned()], Arguments::command()).is_err());
    }
}
