//! The command line: one file a subcommand. Headless commands are peers of the workbench, built on
//! the same session.

mod atomic_file;
mod calibrate;
mod collect;
mod doctor;
mod episodes;
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
use thiserror::Error;

use crate::config::{ConfigError, FileError, Folders};
use crate::engine::EngineError;
use crate::library::QueryError;
use crate::recording::RecordingError;
use crate::routing::RouterError;
use crate::session::{ForkError, SessionError};
use crate::store::Store;
use crate::tasks::TaskError;
use options::CommonArgs;
use policy_lookup::PolicyLookupError;

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

/// A question without a word in it.
#[derive(Debug, Error)]
#[error("the question is empty: give a text")]
struct EmptyQuestion;

/// An option of the workbench before a subcommand, which would not see it.
#[derive(Debug, Error)]
#[error("{option} before `{subcommand}` is for the workbench alone: put it behind `{subcommand}`")]
struct MisplacedOption {
    option: String,
    subcommand: String,
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
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // It may repeat what a file or a server says.
            eprintln!("pointsman: {}", output::strip_control_chars(&format!("{error:#}")));
            ExitCode::from(if is_usage_error(&error) { 2 } else { 1 })
        }
    }
}

/// The command line. What clap itself refuses ends the program here.
///
/// # Errors
/// When an option stands where nothing would read it.
fn parse() -> anyhow::Result<Arguments> {
    let matches = Arguments::command().get_matches();
    check_option_positions(&matches)?;
    Ok(Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

/// Whether each option stands where it is read: the workbench's own are none of a subcommand's.
fn check_option_positions(matches: &ArgMatches) -> Result<(), MisplacedOption> {
    let Some(subcommand) = matches.subcommand_name() else { return Ok(()) };
    let workbench = workbench::WorkbenchArgs::augment_args(clap::Command::new(""));
    let misplaced = workbench.get_arguments().find(|option| {
        matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
    });
    misplaced.map_or(Ok(()), |option| {
        let option = format!("--{}", option.get_long().unwrap_or_default());
        Err(MisplacedOption { option, subcommand: subcommand.to_owned() })
    })
}

fn dispatch(arguments: Arguments) -> anyhow::Result<CommandStatus> {
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
        Some(Subcommands::Collect(args)) => collect::run(args, common, &folders),
        Some(Subcommands::Train(args)) => train::run(args, common, &folders),
        Some(Subcommands::Calibrate(args)) => calibrate::run(args, common, &folders),
        Some(Subcommands::Policy(args)) => policy::run(args, common, &folders),
        Some(Subcommands::Models(args)) => models::run(args, common, &folders),
        Some(Subcommands::Doctor) => doctor::run(common, &folders),
        Some(Subcommands::Print(args)) => print::run(args, common, &folders),
    }
}

/// Whether the fault lies in the command line or the configuration.
fn is_usage_error(error: &anyhow::Error) -> bool {
    error.is::<ConfigError>()
        || error.downcast_ref().is_some_and(TaskError::is_usage_error)
        || error.is::<RouterError>()
        || error.is::<FileError>()
        || error.is::<EmptyQuestion>()
        || error.is::<MisplacedOption>()
        || error.is::<fork::UntrustedApiKey>()
        || matches!(error.downcast_ref(), Some(RecordingError::Unknown { .. }))
        || error.is::<QueryError>()
        || error.is::<episodes::TagArgsError>()
        || error.is::<print::UnknownSubcommand>()
        || error.is::<task_args::NoUnseenQuestions>()
        || error.is::<models::NothingToFetch>()
        || matches!(
            error.downcast_ref(),
            Some(
                PolicyLookupError::Router(_)
                    | PolicyLookupError::Unknown(_)
                    | PolicyLookupError::NotStored(_)
            )
        )
        || matches!(error.downcast_ref(), Some(SessionError::Router(_) | SessionError::Fork(_)))
        || error.is::<ForkError>()
        || error.downcast_ref().is_some_and(EngineError::is_preset_error)
}

/// Whether the reader of our output went away, as `| head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
