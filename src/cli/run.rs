//! `pointsman run`: one episode, printed.

use clap::Args;

use super::episode_printer::{EpisodePrinter, Printed};
use super::error::{CommandError, CommandResult, CommandStatus, Context};
use super::open_store;
use super::options::{CommonArgs, ShadowArgs};
use super::task_args::TaskArgs;
use super::{memory, output, policy_lookup, store_sink};
use crate::config::Folders;
use crate::episode::{Episode, ShadowAgreement, agreements, disagreements};
use crate::session::{EpisodeSpec, check_router, load_pair};
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;
use crate::terminal::with_stdout_discarded;
use crate::user_file::{self, MAX_QUESTION};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The question; `-` reads it from standard input [default: the first of --tasks]
    pub(super) question: Option<String>,

    #[command(flatten)]
    pub(super) tasks: TaskArgs,

    /// Part of the task set: train, develop or test [default: test; all of a file given with --data]
    #[arg(long)]
    pub(super) split: Option<Split>,

    #[command(flatten)]
    pub(super) shadows: ShadowArgs,

    /// Print the events, one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs one episode, stores it and prints it while it runs.
///
/// # Errors
/// If the configuration is invalid, or a model, the router or the store fails.
pub(super) fn run(
    args: &RunArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let mut preset = common.preset(folders)?;
    let name = preset.routing.router.clone();
    let question = match args.question.as_deref() {
        Some("-") => {
            let text = user_file::read_text_to_limit(std::io::stdin().lock(), MAX_QUESTION);
            Question::from_user(text.context("cannot read standard input")?)
        }
        Some(text) => Question::from_user(text),
        None => {
            let set = args.tasks.open(args.split, Split::Test)?;
            set.questions(common.seed).next().context("the task set has no questions")?
        }
    };
    if question.text.trim().is_empty() {
        return Err(CommandError::usage("the question is empty: give some text"));
    }
    // Before anything is opened.
    crate::routing::check_router_name(&name)?;
    args.shadows.apply_to(&mut preset)?;
    let store = open_store::for_writing(common, folders)?;
    let registry = policy_lookup::registry(common, &preset, Some(&store))?;
    let mut router = registry.router(&name)?;
    let shadows = registry.shadows(&preset.routing.shadows)?;
    check_router(router.as_ref(), &preset, std::slice::from_ref(&question))?;
    // Others may write while the models load.
    drop(store);
    memory::print_remarks(&preset, &folders.cache);
    let mut runner = with_stdout_discarded(|| load_pair(&preset, &folders.cache))??;
    let store = open_store::for_writing(common, folders)?;
    policy_lookup::warn_if_models_differ(&registry, &runner);
    let mut printer = EpisodePrinter::new(if args.json { Printed::Json } else { Printed::Text });
    let spec = EpisodeSpec { shadows, ..EpisodeSpec::new(&question, router.as_mut(), common.seed) };
    let result = runner.run(spec, &mut store_sink::StoreSink(&store), &mut printer);
    let episode = printer.finish(result)?;
    if !args.json {
        for line in shadow_lines(&episode) {
            output::print_line(&line)?;
        }
    }
    Ok(CommandStatus::Success)
}

/// A line for each shadow: how often it agreed, and where it did not.
fn shadow_lines(episode: &Episode) -> Vec<String> {
    let differing = disagreements(episode);
    let line = |(shadow, agreement): (String, ShadowAgreement)| {
        let differences = differing.iter().filter(|d| d.router == shadow).map(|d| {
            format!("step {} {} (p {:.2}, t {:.2})", d.step + 1, d.shadow_choice.letter(), d.p, d.t)
        });
        let differences = differences.collect::<Vec<_>>().join(", ");
        let instead = if differences.is_empty() { "" } else { "; its other choices: " };
        format!(
            "shadow {shadow} agreed at {} of {} steps{instead}{differences}",
            agreement.agreed, agreement.compared
        )
    };
    agreements([episode]).into_iter().map(line).collect()
}
