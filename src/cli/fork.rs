//! `pointsman fork`: runs an episode again from one of its steps and compares both.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::episode_printer::{EpisodePrinter, Printed};
use super::error::{CommandError, CommandResult, CommandStatus};
use super::open_store;
use super::options::CommonArgs;
use super::{memory, output, policy_lookup, store_sink};
use crate::config::{Folders, Preset, foreign_path, may_send_key, without_foreign_policy};
use crate::episode::{Decider, Episode, EpisodeStatus, Role, Step};
use crate::session::{EpisodeSpec, Fork, check_router, load_pair};
use crate::tasks::Question;
use crate::terminal::with_stdout_discarded;

/// Width of the table, in columns.
const TABLE_WIDTH: u16 = 110;

#[derive(Debug, Args)]
pub(super) struct ForkArgs {
    /// Number of the episode
    pub(super) id: u64,

    /// First step to write again, numbered as in `episodes show`
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) step: u64,

    /// Model that writes this step, whatever the router says
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<RoleArg>,

    /// Print the events of the new episode, one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RoleArg {
    Small,
    Large,
}

impl From<RoleArg> for Role {
    fn from(model: RoleArg) -> Self {
        match model {
            RoleArg::Small => Self::Small,
            RoleArg::Large => Self::Large,
        }
    }
}

/// Runs the fork, stores it and prints both episodes from their first difference on.
///
/// # Errors
/// If the episode or step does not exist, or a model, the router or the store fails.
pub(super) fn run(
    args: &ForkArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    if let Some(name) = &common.router {
        crate::routing::check_router_name(name)?;
    }
    let store = open_store::for_writing(common, folders)?;
    let parent = Arc::new(store.episode(args.id)?);
    let preset = &parent.started.preset;
    check_api_keys(args.id, preset, common, folders)?;
    check_models(args.id, preset, common, folders)?;
    let preset = &without_foreign_policy(preset, &common.preset(folders)?, folders);
    let name = common.router.as_ref().unwrap_or(&preset.routing.router);
    let registry = policy_lookup::registry_as_decided(
        common,
        preset,
        crate::training::deciding_policy(&parent),
        &store,
    )?;
    let mut router = registry.router(name)?;
    let shadows = registry.shadows(&preset.routing.shadows)?;
    let step = usize::try_from(args.step).unwrap_or(usize::MAX) - 1;
    let fork = Fork {
        model: args.model.map(Role::from),
        threshold: common.threshold,
        draft_length: common.draft,
        budget: common.budget,
        ..Fork::new(args.id, parent.clone(), step)
    };
    let question = Question::of_started(&parent.started);
    let forked = fork.preset(router.as_ref())?;
    check_router(router.as_ref(), &forked, std::slice::from_ref(&question))?;
    // Others may write while the models load.
    drop(store);
    memory::print_remarks(preset, &folders.cache);
    let mut runner = with_stdout_discarded(|| load_pair(preset, &folders.cache))??;
    let store = open_store::for_writing(common, folders)?;
    let mut printer = EpisodePrinter::new(if args.json { Printed::Json } else { Printed::Nothing });
    let spec = EpisodeSpec { shadows, ..EpisodeSpec::fork(&question, router.as_mut(), fork) };
    let result = runner.run(spec, &mut store_sink::StoreSink(&store), &mut printer);
    let child = printer.finish(result)?;
    if !args.json {
        for line in comparison_lines((args.id, &parent), (printer.id(), &child)) {
            output::print_line(&line)?;
        }
    }
    Ok(CommandStatus::Success)
}

/// Checks that no model is used that only the episode names: its preset may come from somebody else.
///
/// # Errors
/// A usage error if the episode's preset names another file or server.
fn check_models(
    episode: u64,
    preset: &Preset,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<()> {
    // A policy can be replaced, and `registry_as_decided` says how.
    let mut models = preset.clone();
    models.routing.policy = None;
    let Some(foreign) = foreign_path(&models, &common.preset(folders)?, folders) else {
        return Ok(());
    };
    Err(CommandError::usage(format!(
        "episode {episode} names {} as its {}, which none of your presets does, so it is not used: if it is yours, add it to a preset in {}, or name one with --preset",
        output::strip_control_chars(&foreign.path),
        foreign.key,
        folders.presets().display()
    )))
}

/// Checks that API keys go only to addresses in the user's presets: the preset of an imported episode is not trusted.
///
/// # Errors
/// A usage error if the episode's preset sends one elsewhere.
fn check_api_keys(
    episode: u64,
    preset: &Preset,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<()> {
    for role in Role::BOTH {
        let model = preset.model(role);
        let variable = model.remote.as_ref().and_then(|remote| remote.key_env.clone());
        let Some(variable) = variable else { continue };
        if !may_send_key(model, &common.preset(folders)?, folders) {
            let address = output::strip_control_chars(&model.source);
            let folder = folders.presets();
            return Err(CommandError::usage(format!(
                "the {role} model of episode {episode} is at {address} and needs the key in {variable}, which none of your presets sends there: if the address is yours, add it to a preset in {}, or name one with --preset",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// Both episodes, step by step from the first difference on.
fn comparison_lines(parent: (u64, &Episode), child: (u64, &Episode)) -> Vec<String> {
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
            lines.push(format!("{same}, {} of them shared", child.inherited_steps));
            let mut table = Table::new();
            table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(TABLE_WIDTH).set_header([
                "step".to_owned(),
                format!("episode {parent_id}"),
                format!("episode {child_id}"),
            ]);
            for at in first..parent.steps.len().max(child.steps.len()) {
                let cell =
                    |episode: &Episode| episode.steps.get(at).map_or(String::new(), step_cell);
                table.add_row([(at + 1).to_string(), cell(parent), cell(child)]);
            }
            table.add_row([String::new(), describe_ending(parent), describe_ending(child)]);
            let cost = |episode: &Episode| format!("cost {}", output::si(episode.ledger.cost()));
            table.add_row([String::new(), cost(parent), cost(child)]);
            if let Some(column) = table.column_mut(0) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            lines.push(table.trim_fmt());
        }
    }
    if parent.first_difference(child).is_none() {
        let costs = both.map(|episode| output::si(episode.ledger.cost()));
        lines.push(format!("cost {} and {}", costs[0], costs[1]));
    }
    let ledger = &child.ledger;
    if ledger.fork_prefill_cost() > 0.0 {
        lines.push(format!(
            "not included: the shared steps were read again, {} tokens by the small model and {} by the large one, cost {}",
            ledger.fork_prefill.small,
            ledger.fork_prefill.large,
            output::si(ledger.fork_prefill_cost())
        ));
    }
    lines
}

/// A step: its model, its text, and p(large).
fn step_cell(step: &Step) -> String {
    let text = output::strip_control_chars(step.generation.text.trim());
    let decision = step.decision.as_ref();
    let by_user = decision.is_some_and(|d| d.by == Decider::User);
    let p = decision.and_then(|d| d.p_large).map_or(String::new(), |p| format!("  p {p:.2}"));
    format!("{}{} {text}{p}", step.generation.model.letter(), if by_user { "*" } else { " " })
}

fn describe_ending(episode: &Episode) -> String {
    match &episode.status {
        EpisodeStatus::Running | EpisodeStatus::Paused => "unfinished".into(),
        EpisodeStatus::Finished { answer, verdict, reason } => {
            output::describe_ending(answer.as_deref(), None, *verdict, *reason)
        }
        EpisodeStatus::Failed(error) => format!("failed: {}", output::strip_control_chars(error)),
    }
}
