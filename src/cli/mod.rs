//! The command line: one file a subcommand. Headless commands are peers of the workbench, built on
//! the same session.

mod atomic_file;
mod calibrate;
mod collect;
mod doctor;
mod episodes;
mod error;
mod eval;
mod eval_stored;
mod explain;
mod fork;
mod grade;
mod jobs;
mod logging;
mod memory;
mod models;
mod options;
mod output;
mod policy;
mod policy_lookup;
mod print;
mod progress_bar;
mod replay;
mod run;
mod runner_pool;
mod store_sink;
mod task_args;
mod train;
mod workbench;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Folders;
use crate::store::Store;
use error::{CommandError, CommandResult};
use options::CommonArgs;

/// A terminal workbench for stepwise model routing: two language models in one process, and a
/// router that chooses which of them writes the next step.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, max_term_width = 100)]
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
    /// Reason about one question without a screen
    Run(run::RunArgs),
    /// Run an episode anew from one of its steps, with something changed, and compare the two
    ///
    /// The episode gives question, seed, models and settings. --router, --policy, --threshold, --draft
    /// and --budget change what it says; --seed has no say, and --preset only vouches for where a key is sent.
    Fork(fork::ForkArgs),
    /// Compare routers: accuracy, cost, tokens and time on the same questions
    Eval(eval::EvalArgs),
    /// Grade solutions that a file has: correct, wrong or undecided
    Grade(grade::GradeArgs),
    /// Write episodes to learn from, with logged propensities; goes on where it was left
    Collect(collect::CollectArgs),
    /// Train a new policy from stored episodes
    Train(train::TrainArgs),
    /// Find a threshold for an accuracy, with a guarantee, or for a cost
    Calibrate(calibrate::CalibrateArgs),
    /// List, show, promote, roll back and export policies
    Policy(policy::PolicyArgs),
    /// Tell why a step of a stored episode went to its model: how far each feature pushed
    #[command(alias = "why")]
    Explain(explain::ExplainArgs),
    /// Show a recording again: in the workbench, as text, or as a film; needs no model
    Replay(replay::ReplayArgs),
    /// List, show, tag, delete, export and import stored episodes
    Episodes(episodes::EpisodesArgs),
    /// List, fetch and check the models of the presets
    Models(models::ModelsArgs),
    /// Check terminal, models and store: what works, what does not, what to do
    Doctor,
    /// Print the keys or the configuration in force, manual pages, or completions for a shell
    Print(print::PrintArgs),
}

/// How a command ended.
pub enum CommandStatus {
    Success,
    /// It ran, and what it found is not all right.
    Failure,
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    match parse().and_then(dispatch) {
        Ok(CommandStatus::Success) => ExitCode::SUCCESS,
        Ok(CommandStatus::Failure) => ExitCode::from(1),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // The message may quote a file or a server.
            eprintln!("pointsman: {}", output::strip_control_chars(&error.to_string()));
            ExitCode::from(error.class().exit_code())
        }
    }
}

/// The command line. What clap itself refuses ends the program here.
///
/// # Errors
/// When an option stands where nothing would read it.
fn parse() -> CommandResult<Arguments> {
    let matches = Arguments::command().get_matches();
    check_option_positions(&matches)?;
    Ok(Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
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
    let logging = logging::start(&folders)?;
    let common = &arguments.common;
    match arguments.command {
        None => workbench::run(arguments.workbench, common, &folders, logging),
        Some(Subcommands::Run(args)) => run::run(args, common, &folders),
        Some(Subcommands::Fork(args)) => fork::run(args, common, &folders),
        Some(Subcommands::Replay(args)) => replay::run(args, common, &folders, logging),
        Some(Subcommands::Eval(args)) => eval::run(args, common, &folders),
        Some(Subcommands::Grade(args)) => grade::run(&args),
        Some(Subcommands::Episodes(args)) => {
            episodes::run(args, &Store::open(&common.store(&folders))?)?;
            Ok(CommandStatus::Success)
        }
        Some(Subcommands::Explain(args)) => explain::run(&args, common, &folders),
        Some(Subcommands::Collect(args)) => collect::run(&args, common, &folders),
        Some(Subcommands::Train(args)) => train::run(&args, common, &folders),
        Some(Subcommands::Calibrate(args)) => calibrate::run(&args, common, &folders),
        Some(Subcommands::Policy(args)) => policy::run(args, common, &folders),
        Some(Subcommands::Models(args)) => models::run(args, common, &folders),
        Some(Subcommands::Doctor) => doctor::run(common, &folders),
        Some(Subcommands::Print(args)) => print::run(args, common, &folders),
    }
}
