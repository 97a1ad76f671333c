//! The command line: one file for each command. Commands and workbench run episodes through the same session.

mod atomic_file;
mod calibrate;
mod collect;
mod doctor;
mod episode_printer;
mod episodes;
mod error;
mod eval;
mod eval_stored;
mod explain;
mod fork;
mod grade;
mod help;
mod jobs;
mod logging;
mod markdown;
mod memory;
mod models;
mod open_store;
mod options;
mod output;
mod policy;
mod policy_lookup;
mod print;
mod progress_bar;
mod reader_watch;
mod reference;
mod replay;
mod run;
mod runner_pool;
mod stdio;
mod store_sink;
mod task_args;
mod train;
mod workbench;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Folders;
use crate::safe_text::safe_text;
use error::{CommandError, CommandResult, CommandStatus};
use options::CommonArgs;
use stdio::note;

/// A terminal workbench for stepwise model routing: two language models in one process, and a
/// router that chooses which of them writes the next step.
#[derive(Debug, Parser)]
#[command(
    name = "pointsman",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = help::page_list()
)]
struct Arguments {
    #[command(flatten)]
    common: CommonArgs,

    #[command(subcommand)]
    command: Option<Subcommands>,

    #[command(flatten)]
    workbench: workbench::WorkbenchArgs,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Run one episode and print it, without a screen
    Run(run::RunArgs),
    /// Run an episode again from one of its steps, with something changed, and compare the two
    ///
    /// Question, seed, models and settings are the episode's. --router, --policy, --threshold, --draft and
    /// --budget override its settings. --seed has no effect, and --preset only approves the files and servers
    /// of the models, and the address that an API key is sent to.
    Fork(fork::ForkArgs),
    /// Compare routers on the same questions: accuracy, cost, tokens and time
    Eval(eval::EvalArgs),
    /// Grade the solutions in a file: correct, wrong or undecided
    Grade(grade::GradeArgs),
    /// Record episodes to train on, with propensities; an interrupted collection is continued
    Collect(collect::CollectArgs),
    /// Train a new policy from stored episodes
    Train(train::TrainArgs),
    /// Find the threshold for a target accuracy, with a guarantee, or for a target cost
    Calibrate(calibrate::CalibrateArgs),
    /// List, show, promote, roll back and export policies
    Policy(policy::PolicyArgs),
    /// Explain the choice at a step of a stored episode: how far each feature pushed p(large)
    #[command(alias = "why")]
    Explain(explain::ExplainArgs),
    /// Replay a recording in the workbench, as text, as a film or as a picture; needs no model
    Replay(replay::ReplayArgs),
    /// List, show, tag, delete, export and import stored episodes
    Episodes(episodes::EpisodesArgs),
    /// List, fetch and check the models of the presets
    Models(models::ModelsArgs),
    /// Check the terminal, the models and the store, with a remedy for each problem
    Doctor,
    /// Print keys, the current configuration, reference tables, man pages or shell completions
    Print(print::PrintArgs),
    /// Show the help of a command, or a page of the manual
    Help(help::HelpArgs),
}

/// Parses the command line and runs the command.
///
/// The exit code is 0 on success, else that of the error's [`ErrorClass`](crate::exit::ErrorClass). A command whose
/// reader has gone ends early: with 0 if it only prints, with 1 if it leaves other work undone.
pub fn main() -> ExitCode {
    let mut code_without_reader = 0;
    let result = parse().and_then(|arguments| {
        code_without_reader = arguments.command.as_ref().map_or(0, Subcommands::watch_reader);
        dispatch(arguments)
    });
    match result {
        Ok(CommandStatus::Success) => ExitCode::SUCCESS,
        Ok(CommandStatus::Failure) => ExitCode::from(1),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(_) if reader_watch::is_gone() => {
            reader_watch::report(code_without_reader);
            ExitCode::from(code_without_reader)
        }
        Err(error) => {
            // The message may quote a file or a server.
            note!("pointsman: {}", output::strip_control_chars(&error.to_string()));
            ExitCode::from(error.class().exit_code())
        }
    }
}

impl Subcommands {
    /// Watches the reader of standard output for a command that may take long. Returns the exit code if the command
    /// ends because the reader has gone: 1 if its purpose is not what it prints.
    fn watch_reader(&self) -> u8 {
        let code = match self {
            // Changes to stored episodes are completed.
            Self::Episodes(_) => return 0,
            Self::Collect(_)
            | Self::Train(_)
            | Self::Calibrate(_)
            | Self::Policy(_)
            | Self::Models(_) => 1,
            _ => 0,
        };
        reader_watch::start(code);
        code
    }
}

/// Parses the command line; a syntax error ends the program here, with clap's message, and so does `--help`.
fn parse() -> CommandResult<Arguments> {
    let matches =
        Arguments::command().try_get_matches().or_else(|answer| print_help_or_error(&answer))?;
    check_option_positions(&matches)?;
    Ok(Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

/// Prints what clap answers, and ends the program. A message may quote an argument, such as the name of a file; it loses
/// its colours if the argument is not safe to show.
///
/// # Errors
/// If standard output cannot be written.
fn print_help_or_error(answer: &clap::Error) -> CommandResult<ArgMatches> {
    let plain = answer.render().to_string();
    if answer.use_stderr() && safe_text(&plain) != plain {
        note!("{}", plain.trim_end());
        std::process::exit(answer.exit_code());
    }
    match answer.print() {
        Err(error) if !answer.use_stderr() => Err(stdio::name_stdout(&error).into()),
        _ => std::process::exit(answer.exit_code()),
    }
}

/// Refuses options of the workbench before a subcommand, which would silently ignore them.
fn check_option_positions(matches: &ArgMatches) -> CommandResult<()> {
    let Some(subcommand) = matches.subcommand_name() else { return Ok(()) };
    let workbench = workbench::WorkbenchArgs::augment_args(clap::Command::new(""));
    let misplaced = workbench.get_arguments().find(|option| {
        matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
    });
    misplaced.map_or(Ok(()), |option| {
        let option = option.get_long().unwrap_or_default();
        Err(CommandError::usage(format!(
            "--{option} before `{subcommand}` applies to the workbench only: put it after `{subcommand}`"
        )))
    })
}

fn dispatch(arguments: Arguments) -> CommandResult<CommandStatus> {
    let folders = Folders::find()?;
    let log = logging::start(&folders)?;
    let common = &arguments.common;
    match arguments.command {
        None => workbench::run(arguments.workbench, common, &folders, &log),
        Some(Subcommands::Run(args)) => run::run(&args, common, &folders),
        Some(Subcommands::Fork(args)) => fork::run(&args, common, &folders),
        Some(Subcommands::Replay(args)) => replay::run(&args, common, &folders, &log),
        Some(Subcommands::Eval(args)) => eval::run(&args, common, &folders),
        Some(Subcommands::Grade(args)) => grade::run(&args),
        Some(Subcommands::Episodes(args)) => {
            episodes::run(args, common, &folders)?;
            Ok(CommandStatus::Success)
        }
        Some(Subcommands::Explain(args)) => explain::run(&args, common, &folders),
        Some(Subcommands::Collect(args)) => collect::run(&args, common, &folders),
        Some(Subcommands::Train(args)) => train::run(&args, common, &folders),
        Some(Subcommands::Calibrate(args)) => calibrate::run(&args, common, &folders),
        Some(Subcommands::Policy(args)) => policy::run(args, common, &folders),
        Some(Subcommands::Models(args)) => models::run(args, common, &folders),
        Some(Subcommands::Doctor) => doctor::run(common, &folders),
        Some(Subcommands::Print(args)) => print::run(args, Arguments::command(), common, &folders),
        Some(Subcommands::Help(args)) => help::run(&args, Arguments::command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn former_words_still_work() {
        let lines: [&[&str]; 9] = [
            &["why", "3", "2", "--rows", "-n", "5", "--json"],
            &["run", "--glimpse", "4", "x"],
            &["fork", "3", "--step", "2", "--glimpse", "step"],
            &["eval", "--point"],
            &["train", "--steps", "9", "--without", "story"],
            &["policy", "promote", "tiny-2", "--anyway"],
            &["models", "check", "--anyway"],
            &["episodes", "bin", "ls"],
            &["episodes", "bin", "empty"],
        ];
        for line in lines {
            let line = [&["pointsman"], line].concat();
            if let Err(error) = Arguments::try_parse_from(&line) {
                panic!("{line:?}: {error}");
            }
        }
    }
}
