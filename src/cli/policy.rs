//! `pointsman policy`: the policies of the store, and which one is current.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::atomic_file::AtomicFile;
use super::calibrate::describe_calibration;
use super::error::{CommandError, CommandResult, Context};
use super::open_store;
use super::options::CommonArgs;
use super::progress_bar::{bar, counted};
use super::runner_pool::load_pool;
use super::stdio::note;
use super::task_args::{TaskArgs, unseen_questions};
use super::{CommandStatus, output};
use crate::config::{Folders, Preset};
use crate::episode::Role;
use crate::evaluation::{calibrations, policy_provenance};
use crate::routing::{Calibration, Policy, router_name};
use crate::session::load_pair;
use crate::store::Store;
use crate::tasks::Split;
use crate::terminal::with_stdout_discarded;
use crate::training::{
    PromotionTest, StoredPolicy, check_routers, current_policy, list_policies, promotion_seed,
    roll_back, stored_policy,
};

#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// List the policies; a star marks the current one
    Ls,
    /// Show how a policy was trained, and its calibrated thresholds [default: the current policy]
    Show { name: Option<String> },
    /// Make a policy the current one, if it beats the current one in a promotion test on fresh questions
    Promote(PromoteArgs),
    /// Undo the last promotion
    Rollback,
    /// Write a policy to a file, for --policy and for other stores
    Export {
        name: String,
        /// File to write
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
        /// Give it another name in the file
        #[arg(long = "as", value_name = "NAME")]
        rename: Option<String>,
    },
}

impl PolicyCommand {
    fn writes(&self) -> bool {
        matches!(self, Self::Promote(_) | Self::Rollback)
    }
}

#[derive(Debug, Args)]
struct PromoteArgs {
    name: String,
    #[command(flatten)]
    tasks: TaskArgs,
    /// Part of the task set: train, develop or test [default: develop; all of a file given with --data]
    #[arg(long)]
    split: Option<Split>,
    /// Number of questions of the promotion test
    #[arg(short, default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..))]
    n: u32,
    /// Episodes to run at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,
    /// Skip the promotion test
    #[arg(long, alias = "anyway")]
    force: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// If a policy does not exist or cannot be read, or the promotion test cannot be run.
pub(super) fn run(
    args: PolicyArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let preset = common.preset(folders)?;
    let store = if args.command.writes() {
        open_store::for_writing(common, folders)?
    } else {
        open_store::for_reading(common, folders)?
    };
    match args.command {
        PolicyCommand::Ls => list(&store, &preset)?,
        PolicyCommand::Show { name } => {
            let policy = match &name {
                Some(name) => stored_policy(&store, name)?.policy,
                None => current_policy(&preset, Some(&store))?
                    .with_context(|| format!("there is no policy for preset {}", preset.name))?,
            };
            show(&policy, &calibrations(&store, &policy)?, &preset, folders)?;
        }
        PolicyCommand::Promote(args) => {
            return promote(&args, &store, &preset, common, folders);
        }
        PolicyCommand::Rollback => {
            let current = roll_back(&preset, &store)?.map_or_else(
                || "no policy".into(),
                |policy| format!("policy {}", policy.card.name),
            );
            output::print_line(&format!("preset {} now uses {current}", preset.name))?;
        }
        PolicyCommand::Export { name, out, rename } => export(&store, &name, &out, rename)?,
    }
    Ok(CommandStatus::Success)
}

fn promote(
    args: &PromoteArgs,
    store: &Store,
    preset: &Preset,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let name = &args.name;
    let candidate = stored_policy(store, name)?;
    let id = candidate.id;
    if let Some(current) = current_policy(preset, Some(store))?.filter(|_| !args.force) {
        if current.card.name == *name {
            note!("policy {name} is already the current one");
            return Ok(CommandStatus::Success);
        }
        if !is_better(args, candidate, current, store, preset, common, folders)? {
            note!(
                "pointsman: policy {name} is not promoted: the interval of its gain is not above 0; use more questions with -n, or skip the test with --force"
            );
            return Ok(CommandStatus::Failure);
        }
    }
    store.promote(&preset.name, id)?;
    output::print_line(&format!("preset {} now uses policy {name}", preset.name))?;
    if preset.routing.router != router_name::POLICY {
        note!(
            "pointsman: preset {} has router = \"{}\": set \"policy\" there, or give --router policy, to use the policy",
            preset.name,
            preset.routing.router
        );
    }
    Ok(CommandStatus::Success)
}

/// Runs the promotion test.
fn is_better(
    args: &PromoteArgs,
    candidate: StoredPolicy,
    current: Policy,
    store: &Store,
    preset: &Preset,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<bool> {
    let seed = promotion_seed(common.seed, store, &preset.name, candidate.id)?;
    let set = args.tasks.open(args.split, Split::Develop)?;
    let questions = unseen_questions(&set, store, seed, args.n as usize)?;
    let (candidate, current) = (Arc::new(candidate.policy), Arc::new(current));
    check_routers([&candidate, &current], preset, &questions)?;
    let mut pool = load_pool(preset, folders, args.jobs)?;
    let test = PromotionTest { pool: &mut pool, candidate, current, questions: &questions, seed };
    let bar = bar(test.total(), "promotion test")?;
    let result = test.run(|| counted(&bar));
    bar.finish_and_clear();
    let result = result?;
    // The promotion does not depend on its printing; the line after it reports an error of standard output.
    let _ = output::print_line(&result.to_string());
    Ok(result.is_passed())
}

fn export(store: &Store, name: &str, out: &Path, rename: Option<String>) -> CommandResult<()> {
    let mut policy = stored_policy(store, name)?.policy;
    policy.card.calibrations = calibrations(store, &policy)?;
    policy.card.name = rename.unwrap_or(policy.card.name);
    AtomicFile::write(out, &policy.to_bytes()?)?;
    note!("policy {name} written to {}", out.display());
    Ok(())
}

fn list(store: &Store, preset: &Preset) -> CommandResult<()> {
    let current = current_policy(preset, Some(store))?.map(|policy| policy.card.name);
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["", "policy", "features", "episodes", "λ", "parents"]);
    let mut unreadable = 0;
    for listed in list_policies(preset, store)? {
        let card = match listed {
            Ok((_, policy)) => policy.card,
            Err(error) => {
                unreadable += 1;
                note!("pointsman: {error}");
                continue;
            }
        };
        let star = if Some(&card.name) == current.as_ref() { "*" } else { "" };
        table.add_row([
            star.into(),
            card.name,
            card.set.name,
            card.dataset_counts.used.to_string(),
            format!("{:.2}", card.multiplier),
            if card.parents.is_empty() { "–".into() } else { card.parents.join(" ") },
        ]);
    }
    for column in [3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    output::print_line(&table.trim_fmt())?;
    if unreadable > 0 {
        return Err(CommandError::failure(format!(
            "{unreadable} policies could not be read; the others are listed"
        )));
    }
    Ok(())
}

fn show(
    policy: &Policy,
    calibrations: &[Calibration],
    preset: &Preset,
    folders: &Folders,
) -> CommandResult<()> {
    output::print_line(&describe(policy)?)?;
    if calibrations.is_empty() {
        output::print_line("no calibrated threshold: `pointsman calibrate` finds one")?;
        return Ok(());
    }
    let runner = with_stdout_discarded(|| load_pair(preset, &folders.cache))??;
    for calibration in calibrations {
        let now = policy_provenance(policy, &runner, &calibration.provenance.tasks)?;
        output::print_line(&describe_calibration(calibration, &now))?;
    }
    Ok(())
}

/// What a policy's card says, in lines.
fn describe(policy: &Policy) -> candle_core::Result<String> {
    let card = &policy.card;
    let counts = &card.dataset_counts;
    let target = card.target_cost.map_or_else(
        || "a fixed price of cost".into(),
        |share| format!("{:.0} % of always-large's cost", share * 100.0),
    );
    let parents = if card.parents.is_empty() { "none".into() } else { card.parents.join(", ") };
    let digests = Role::BOTH.map(|role| format!("{role} {}", card.pair.models[role])).join(", ");
    let mut lines = vec![
        format!("policy {} · weights {} · seed {}", card.name, policy.digest()?, card.seed),
        format!(
            "trained on {} episodes (left out: {} with choices by the user, {} forks, {} ungraded, {} unusable, {} damaged, {} of other models or settings) for {target}, λ {:.3}",
            counts.used,
            counts.user,
            counts.forks,
            counts.ungraded,
            counts.unusable,
            counts.invalid,
            counts.other_models,
            card.multiplier
        ),
        format!("parents: {parents}"),
        format!("models: {digests}"),
        format!(
            "features: {} ({}), {} in all",
            card.set.name,
            card.set_hash,
            card.set.features.len()
        ),
        format!("quartiles of p(large): {}", describe_quartiles(&card.quantiles)),
    ];
    lines.extend(card.mixture.map(|mixture| {
        format!(
            "mixture for router gmm: unsure {:.0} % around {:.3}, sure around {:.3}, on −ln(−mean log-probability)",
            mixture.unsure.weight * 100.0,
            mixture.unsure.mean,
            mixture.sure.mean
        )
    }));
    Ok(lines.join("\n"))
}

/// Minimum, quartiles and maximum.
fn describe_quartiles(quantiles: &[f64]) -> String {
    let last = quantiles.len().saturating_sub(1);
    let at = |quarter: usize| quantiles.get(last * quarter / 4).copied().unwrap_or(0.0);
    [0, 1, 2, 3, 4].map(|quarter| format!("{:.3}", at(quarter))).join(" ")
}
