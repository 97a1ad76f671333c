//! `pointsman fork`: an episode anew from one of its steps, beside the one it came from.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use thiserror::Error;

use super::options::Common;
use super::{Outcome, journal, policies, style};
use crate::config::{Folders, Preset, is_own_key};
use crate::episode::{Decider, Episode, Event, Role, Status, Step, Token};
use crate::recording::write_event;
use crate::routing::Opinion;
use crate::session::{Audience, Command, Fork, Job, check_router, load_pair};
use crate::store::Store;
use crate::tasks::Question;
use crate::terminal::quiet;

/// Columns of the table.
const WIDTH: u16 = 110;

#[derive(Debug, Args)]
pub struct ForkArgs {
    /// Number of the episode
    pub id: u64,

    /// The first step that is written anew, as `episodes show` counts them
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    pub step: u64,

    /// The model that writes that step, whatever the router says
    #[arg(long, value_name = "MODEL")]
    pub model: Option<Model>,

    /// Print the child's events, one JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Model {
    Small,
    Large,
}

impl From<Model> for Role {
    fn from(model: Model) -> Self {
        match model {
            Model::Small => Self::Small,
            Model::Large => Self::Large,
        }
    }
}

/// Runs the fork, stores it and shows both from their first difference on.
///
/// # Errors
/// When there is no such episode or step, or a model, the router or the store fails.
pub fn run(args: ForkArgs, common: &Common, folders: &Folders) -> anyhow::Result<Outcome> {
    if let Some(name) = &common.router {
        crate::routing::known(std::slice::from_ref(name))?;
    }
    let store = Store::open(&common.store(folders))?;
    let parent = Arc::new(store.episode(args.id)?);
    let preset = &parent.started.preset;
    check_keys(args.id, preset, common, folders)?;
    let name = common.router.as_ref().unwrap_or(&preset.routing.router);
    let roster = policies::roster_with(common, preset, policies::who_decided(&parent), &store)?;
    let mut router = roster.router(name)?;
    let shadows = roster.shadows(&preset.routing.shadows)?;
    let step = usize::try_from(args.step).unwrap_or(usize::MAX) - 1;
    let fork = Fork {
        model: args.model.map(Role::from),
        threshold: common.threshold,
        glimpse: common.glimpse,
        budget: common.budget,
        ..Fork::new(args.id, parent.clone(), step)
    };
    let question = Question::of(&parent.started);
    let forked = fork.preset(router.as_ref())?;
    check_router(router.as_ref(), &forked, std::slice::from_ref(&question))?;
    let mut conductor = quiet(|| load_pair(preset, &folders.cache))??;
    let mut witness = Witness { json: args.json, ..Witness::default() };
    let job = Job { shadows, ..Job::fork(&question, router.as_mut(), fork) };
    let result = conductor.run(job, &mut journal::Kept(&store), &mut witness);
    if let Some(error) = witness.broken {
        return Err(error.into());
    }
    let child = result?;
    if !args.json {
        for line in side_by_side((args.id, &parent), (witness.id, &child)) {
            style::line(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// A key of the user's that only a recording says where to send.
#[derive(Debug, Error)]
#[error(
    "episode {episode} has its {role} model at {address}, to be asked with the key in {variable}, and none of your presets sends that key there: if it is yours to send, put it into a preset in {folder}, or name one with --preset"
)]
pub struct ForeignKey {
    episode: u64,
    role: Role,
    address: String,
    variable: String,
    folder: PathBuf,
}

/// Whether the user's keys go only where the user's presets send them: an imported episode's preset is another's.
fn check_keys(
    episode: u64,
    preset: &Preset,
    common: &Common,
    folders: &Folders,
) -> anyhow::Result<()> {
    for role in Role::BOTH {
        let model = preset.model(role);
        let variable = model.remote.as_ref().and_then(|remote| remote.key_env.clone());
        let Some(variable) = variable else { continue };
        if !is_own_key(model, &common.preset(folders)?, folders) {
            let address = style::plain(&model.source);
            let folder = folders.presets();
            return Err(ForeignKey { episode, role, address, variable, folder }.into());
        }
    }
    Ok(())
}

/// Both episodes, step by step from the first difference on.
fn side_by_side(parent: (u64, &Episode), child: (u64, &Episode)) -> Vec<String> {
    let ((parent_id, parent), (child_id, child)) = (parent, child);
    let mut lines = Vec::new();
    let both = [parent, child];
    match parent.first_difference(child) {
        None => lines.push(format!(
            "episode {child_id} wrote the same {} steps as episode {parent_id}",
            child.steps.len()
        )),
        Some(first) => {
            let same = if first == 1 {
                "1 step is the same".into()
            } else {
                format!("{first} steps are the same")
            };
            lines.push(format!("{same}, {} of them shared", child.inherited));
            let mut table = Table::new();
            table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(WIDTH).set_header([
                "step".to_owned(),
                format!("episode {parent_id}"),
                format!("episode {child_id}"),
            ]);
            for at in first..parent.steps.len().max(child.steps.len()) {
                let cell = |episode: &Episode| episode.steps.get(at).map_or(String::new(), told);
                table.add_row([(at + 1).to_string(), cell(parent), cell(child)]);
            }
            table.add_row([String::new(), ending(parent), ending(child)]);
            let cost = |episode: &Episode| format!("cost {}", style::si(episode.ledger.cost()));
            table.add_row([String::new(), cost(parent), cost(child)]);
            if let Some(column) = table.column_mut(0) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            lines.push(table.trim_fmt());
        }
    }
    if parent.first_difference(child).is_none() {
        let costs = both.map(|episode| style::si(episode.ledger.cost()));
        lines.push(format!("cost {} and {}", costs[0], costs[1]));
    }
    let ledger = &child.ledger;
    if ledger.cost_of_rereading() > 0.0 {
        lines.push(format!(
            "beside that, reading the shared steps again took {} tokens of the small model and {} of the large one, cost {}",
            ledger.reread.small,
            ledger.reread.large,
            style::si(ledger.cost_of_rereading())
        ));
    }
    lines
}

/// A step: who wrote it, what, and what the router thought.
fn told(step: &Step) -> String {
    let text = style::plain(step.writing.text.trim());
    let decision = step.decision.as_ref();
    let person = decision.is_some_and(|d| d.by == Decider::Person);
    let p = decision.and_then(|d| d.p_large).map_or(String::new(), |p| format!("  p {p:.2}"));
    format!("{}{} {text}{p}", step.writing.model.mark(), if person { "*" } else { " " })
}

fn ending(episode: &Episode) -> String {
    match &episode.status {
        Status::Running | Status::Paused => "unfinished".into(),
        Status::Finished { answer, verdict, reason } => {
            style::ending(answer.as_deref(), None, *verdict, *reason)
        }
        Status::Failed(error) => format!("failed: {}", style::plain(error)),
    }
}

/// Notes the child's number, and prints its events where they are wanted.
#[derive(Default)]
struct Witness {
    json: bool,
    id: u64,
    broken: Option<std::io::Error>,
}

impl Audience for Witness {
    fn poll(&mut self) -> Option<Command> {
        // Nobody reads any more: there is nobody to run it for.
        self.broken.is_some().then_some(Command::Stop)
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn event(&mut self, id: u64, event: &Event) {
        self.id = id;
        if self.json {
            let mut out = std::io::stdout().lock();
            if let Err(error) = write_event(&mut out, id, event).and_then(|()| out.flush()) {
                self.broken.get_or_insert(error);
            }
        }
    }

    fn token(&mut self, _: Role, _: &Token) {}

    fn opinion(&mut self, _: usize, _: &Opinion) {}

    fn refuse(&mut self, _: &str) {}

    fn remark(&mut self, text: &str) {
        eprintln!("pointsman: {text}");
    }
}
