//! `pointsman run`: one episode without a screen.

use std::io::{Read, Write};

use anyhow::Context;
use clap::Args;

use super::options::{Common, Shadows};
use super::tasks::TaskArgs;
use super::{EmptyQuestion, Outcome, journal, policies, style};
use crate::config::Folders;
use crate::episode::{
    Agreement, Episode, Event, EventKind, Role, Token, agreements, disagreements,
};
use crate::recording::write_event;
use crate::routing::Opinion;
use crate::session::{Audience, Command, Job, check_router, load_pair};
use crate::store::Store;
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;
use crate::terminal::quiet;

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The question; `-` reads it from standard input; without one, the first of --tasks is taken
    pub question: Option<String>,

    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Part of the task set: train, develop or test [default: test; all of a file given with --data]
    #[arg(long)]
    pub split: Option<Split>,

    #[command(flatten)]
    pub shadows: Shadows,

    /// Print the events, one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Runs one episode, stores it and prints it as it goes.
///
/// # Errors
/// When the configuration is invalid, or a model, the router or the store fails.
pub fn run(args: RunArgs, common: &Common, folders: &Folders) -> anyhow::Result<Outcome> {
    let mut preset = common.preset(folders)?;
    let name = preset.routing.router.clone();
    let question = match args.question.as_deref() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            Question::typed(text)
        }
        Some(text) => Question::typed(text),
        None => {
            let set = args.tasks.open(args.split, Split::Test)?;
            set.questions(common.seed).next().context("the task set is empty")?
        }
    };
    if question.text.trim().is_empty() {
        return Err(EmptyQuestion.into());
    }
    // Known or not is said before anything is opened.
    crate::routing::known(std::slice::from_ref(&name))?;
    args.shadows.enter(&mut preset)?;
    let store = Store::open(&common.store(folders))?;
    let roster = policies::roster(common, &preset, Some(&store))?;
    let mut router = roster.router(&name)?;
    let shadows = roster.shadows(&preset.routing.shadows)?;
    check_router(router.as_ref(), &preset, std::slice::from_ref(&question))?;
    let mut conductor = quiet(|| load_pair(&preset, &folders.cache))??;
    policies::warn_of_strangers(&roster, &conductor);
    let mut printer = Printer { json: args.json, broken: None };
    let job = Job { shadows, ..Job::new(&question, router.as_mut(), common.seed) };
    let result = conductor.run(job, &mut journal::Kept(&store), &mut printer);
    if let Some(error) = printer.broken {
        return Err(error.into());
    }
    let episode = result?;
    if !args.json {
        for line in of_shadows(&episode) {
            style::line(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// How far each shadow agreed, and where not; a line each.
fn of_shadows(episode: &Episode) -> Vec<String> {
    let elsewhere = disagreements(episode);
    let line = |(shadow, agreement): (String, Agreement)| {
        let where_not = elsewhere.iter().filter(|d| d.router == shadow).map(|d| {
            format!("step {} {} (p {:.2}, t {:.2})", d.step + 1, d.would.mark(), d.p, d.t)
        });
        let where_not = where_not.collect::<Vec<_>>().join(", ");
        let instead = if where_not.is_empty() { "" } else { "; it would have given " };
        format!(
            "shadow {shadow} agreed at {} of {} steps{instead}{where_not}",
            agreement.agreed, agreement.of
        )
    };
    agreements([episode]).into_iter().map(line).collect()
}

/// Prints an episode as it happens.
struct Printer {
    json: bool,
    broken: Option<std::io::Error>,
}

impl Printer {
    fn line(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
            self.broken.get_or_insert(error);
        }
    }

    fn show(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Started(started) => {
                let question = style::plain(&started.question);
                self.line(&format!("{question}\n"));
            }
            EventKind::Written { step, writing } => {
                let text = style::plain(writing.text.trim_end());
                self.line(&format!("{:>3} {}  {text}", step + 1, writing.model.mark()));
            }
            EventKind::Finished { answer, verdict, reason } => {
                let ended = style::ending(answer.as_deref(), None, *verdict, *reason);
                self.line(&format!("\n{ended}"));
            }
            _ => {}
        }
    }
}

impl Audience for Printer {
    fn poll(&mut self) -> Option<Command> {
        // Nobody reads any more: there is nobody to run it for.
        self.broken.is_some().then_some(Command::Stop)
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn event(&mut self, id: u64, event: &Event) {
        if self.json {
            let mut out = std::io::stdout().lock();
            if let Err(error) = write_event(&mut out, id, event).and_then(|()| out.flush()) {
                self.broken.get_or_insert(error);
            }
        } else {
            self.show(event);
        }
    }

    fn token(&mut self, _: Role, _: &Token) {}

    fn opinion(&mut self, _: usize, _: &Opinion) {}

    fn refuse(&mut self, _: &str) {}

    fn remark(&mut self, text: &str) {
        eprintln!("pointsman: {text}");
    }
}
