//! `pointsman run`: one episode, printed.

use std::io::{Read, Write};

use clap::Args;

use super::error::{CommandError, CommandResult, CommandStatus, Context};
use super::open_store;
use super::options::{CommonArgs, ShadowArgs};
use super::task_args::TaskArgs;
use super::{output, policy_lookup, store_sink};
use crate::config::Folders;
use crate::episode::{
    Episode, Event, EventKind, Role, ShadowAgreement, Token, agreements, disagreements,
};
use crate::recording::write_event;
use crate::routing::Opinion;
use crate::session::{Command, EpisodeObserver, EpisodeSpec, check_router, load_pair};
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;
use crate::terminal::with_stdout_to_stderr;

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
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            Question::from_user(text)
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
    let mut runner = with_stdout_to_stderr(|| load_pair(&preset, &folders.cache))??;
    let store = open_store::for_writing(common, folders)?;
    policy_lookup::warn_if_models_differ(&registry, &runner);
    let mut printer = Printer { json: args.json, output_error: None };
    let spec = EpisodeSpec { shadows, ..EpisodeSpec::new(&question, router.as_mut(), common.seed) };
    let result = runner.run(spec, &mut store_sink::StoreSink(&store), &mut printer);
    if let Some(error) = printer.output_error {
        return Err(error.into());
    }
    let episode = result?;
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

/// Prints an episode as it happens.
struct Printer {
    json: bool,
    output_error: Option<std::io::Error>,
}

impl Printer {
    fn line(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
            self.output_error.get_or_insert(error);
        }
    }

    fn show(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Started(started) => {
                let question = output::strip_control_chars(&started.question);
                self.line(&format!("{question}\n"));
            }
            EventKind::Written { step, generation } => {
                let text = output::strip_control_chars(generation.text.trim_end());
                self.line(&format!("{:>3} {}  {text}", step + 1, generation.model.letter()));
            }
            EventKind::Finished { answer, verdict, reason } => {
                let ended = output::describe_ending(answer.as_deref(), None, *verdict, *reason);
                self.line(&format!("\n{ended}"));
            }
            _ => {}
        }
    }
}

impl EpisodeObserver for Printer {
    fn poll(&mut self) -> Option<Command> {
        // The reader of standard output went away.
        self.output_error.is_some().then_some(Command::Stop)
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn on_event(&mut self, id: u64, event: Event) {
        if self.json {
            let mut out = std::io::stdout().lock();
            if let Err(error) = write_event(&mut out, id, &event).and_then(|()| out.flush()) {
                self.output_error.get_or_insert(error);
            }
        } else {
            self.show(&event);
        }
    }

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}

    fn on_notice(&mut self, text: &str) {
        eprintln!("pointsman: {text}");
    }
}
