//! `pointsman policy`: the policies of the store, and which one is in force.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::atomic_file::AtomicFile;
use super::calibrate::{calibrations, describe_calibration, provenance_now};
use super::error::{CommandError, CommandResult, Context};
use super::options::CommonArgs;
use super::policy_lookup::{active_policy, parse_policy, promotion_seed, stored_policy_with_id};
use super::progress_bar::bar;
use super::runner_pool::load_pool;
use super::task_args::{TaskArgs, unseen_questions};
use super::train::describe_digests;
use super::{CommandStatus, output};
use crate::config::{Folders, Preset};
use crate::routing::{Calibration, Policy, RouterRegistry};
use crate::session::{check_router, load_pair};
use crate::store::Store;
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;
use crate::terminal::with_stdout_to_stderr;
use crate::training::run_promotion_test;

#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// List the stored policies; a star marks the one in force
    Ls,
    /// Show what a policy is made of [default: the one in force]
    Show { name: Option<String> },
    /// Put a policy in force, if it beats the present one on fresh episodes
    Promote {
        name: String,
        #[command(flatten)]
        tasks: TaskArgs,
        /// Part of the task set: train, develop or test [default: develop; all of a file given with --data]
        #[arg(long)]
        split: Option<Split>,
        /// Questions of the contest
        #[arg(short, default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..))]
        n: u32,
        /// Episodes at once [default: as many as help]
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
        jobs: Option<u32>,
        /// Without a contest
        #[arg(long, alias = "anyway")]
        force: bool,
    },
    /// Put the policy in force that was before
    Rollback,
    /// Write a policy as a file, for --policy and for another store
    Export {
        name: String,
        /// File to write
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
        /// Another name for it
        #[arg(long = "as", value_name = "NAME")]
        rename: Option<String>,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// When a policy is missing or cannot be read, or the contest cannot be held.
pub fn run(
    args: PolicyArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let preset = common.preset(folders)?;
    let store = Store::open(&common.store(folders))?;
    match args.command {
        PolicyCommand::Ls => list(&store, &preset)?,
        PolicyCommand::Show { name } => {
            let policy = match &name {
                Some(name) => stored_policy_with_id(&store, name)?.1,
                None => active_policy(&preset, Some(&store))?
                    .with_context(|| format!("there is no policy for preset {}", preset.name))?,
            };
            show(&policy, &calibrations(&store, &policy)?, &preset, folders)?;
        }
        PolicyCommand::Promote { name, tasks, split, n, jobs, force } => {
            let (id, candidate) = stored_policy_with_id(&store, &name)?;
            let current = active_policy(&preset, Some(&store))?.filter(|_| !force);
            if let Some(current) = current {
                if current.card.name == name {
                    eprintln!("policy {name} is in force already");
                    return Ok(CommandStatus::Success);
                }
                let seed = promotion_seed(common.seed, &store, &preset.name, id)?;
                let set = tasks.open(split, Split::Develop)?;
                let questions = unseen_questions(&set, &store, seed, n as usize)?;
                let test = PromotionTest { questions: &questions, seed, jobs };
                if !test.passes(candidate, current, &preset, folders)? {
                    eprintln!(
                        "pointsman: policy {name} stays out of force: the interval of its lead is not above 0; ask more questions with -n, or promote it --anyway"
                    );
                    return Ok(CommandStatus::Failure);
                }
            }
            store.promote(&preset.name, id)?;
            output::print_line(&format!("policy {name} is in force for preset {}", preset.name))?;
            if preset.routing.router != "policy" {
                eprintln!(
                    "pointsman: preset {} has router = \"{}\": set \"policy\" there, or give --router policy, to have it choose",
                    preset.name, preset.routing.router
                );
            }
        }
        PolicyCommand::Rollback => {
            if store.roll_back(&preset.name)?.is_none() {
                return Err(CommandError::failure(format!(
                    "no policy was promoted for preset {}: the one of the preset is in force",
                    preset.name
                )));
            }
            let active = active_policy(&preset, Some(&store))?;
            let active = active.map_or_else(
                || "no policy".into(),
                |policy| format!("policy {}", policy.card.name),
            );
            output::print_line(&format!("{active} is in force for preset {}", preset.name))?;
        }
        PolicyCommand::Export { name, out, rename } => {
            let (_, mut policy) = stored_policy_with_id(&store, &name)?;
            policy.card.calibrations = calibrations(&store, &policy)?;
            policy.card.name = rename.unwrap_or(policy.card.name);
            AtomicFile::write(&out, &policy.to_bytes()?)?;
            eprintln!("policy {name} written to {}", out.display());
        }
    }
    Ok(CommandStatus::Success)
}

/// Fresh questions on which two policies are compared.
struct PromotionTest<'a> {
    questions: &'a [Question],
    seed: u64,
    /// Episodes at once; as many as help where absent.
    jobs: Option<u32>,
}

impl PromotionTest<'_> {
    fn passes(
        &self,
        candidate: Policy,
        current: Policy,
        preset: &Preset,
        folders: &Folders,
    ) -> CommandResult<bool> {
        let Self { questions, seed, jobs } = *self;
        let names = [candidate.card.name.clone(), current.card.name.clone()];
        let policies = [Arc::new(candidate), Arc::new(current)];
        for policy in &policies {
            let router =
                RouterRegistry::new(&preset.name, Some(policy.clone())).router("policy")?;
            check_router(router.as_ref(), preset, questions)?;
        }
        let mut pool = load_pool(preset, folders, jobs)?;
        let models = &policies[0].card.pair.models;
        if *models != pool.first().pair().models {
            return Err(CommandError::failure(format!(
                "policy {} was trained for other models ({}) than those of preset {}: name its own preset with --preset",
                names[0],
                describe_digests(models),
                preset.name
            )));
        }
        let bar = bar(4 * questions.len(), "contest")?;
        let result = run_promotion_test(&mut pool, policies, questions, seed, || bar.inc(1));
        bar.finish_and_clear();
        let result = result?;
        let figure = |x: Option<f64>| x.map_or_else(|| "none".into(), |x| format!("{x:.3}"));
        let apgr_gain = result.apgr_gain.map_or_else(
            || "its lead cannot be told".into(),
            |apgr_gain| match apgr_gain.ci {
                Some([low, high]) => {
                    format!("apgr_gain {:+.3} ({low:+.3} to {high:+.3})", apgr_gain.value)
                }
                None => format!("apgr_gain {:+.3}", apgr_gain.value),
            },
        );
        output::print_line(&format!(
            "APGR on {} fresh questions: {} {}, {} {} · {apgr_gain}",
            questions.len(),
            names[0],
            figure(result.candidate),
            names[1],
            figure(result.current)
        ))?;
        Ok(result.is_passed())
    }
}

fn list(store: &Store, preset: &Preset) -> CommandResult<()> {
    let active = active_policy(preset, Some(store))?.map(|policy| policy.card.name);
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["", "policy", "features", "episodes", "λ", "parents"]);
    let mut add = |policy: &Policy| {
        let card = &policy.card;
        let star = if Some(&card.name) == active.as_ref() { "*" } else { "" };
        table.add_row([
            star.into(),
            card.name.clone(),
            card.set.name.clone(),
            card.dataset_counts.used.to_string(),
            format!("{:.2}", card.multiplier),
            if card.parents.is_empty() { "–".into() } else { card.parents.join(" ") },
        ]);
    };
    let mut unreadable = 0;
    if let Some(own) = active_policy(preset, None)? {
        add(&own);
    }
    for (id, file) in store.policies()? {
        match parse_policy(&file, &id.to_string()) {
            Ok(policy) => add(&policy),
            Err(error) => {
                unreadable += 1;
                eprintln!("pointsman: {error}");
            }
        }
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
    let card = &policy.card;
    let dataset_counts = &card.dataset_counts;
    let target = card.target_cost.map_or_else(
        || "a fixed price".into(),
        |share| format!("{:.0} % of all-large's cost", share * 100.0),
    );
    output::print_line(&format!(
        "policy {} · weights {} · seed {}",
        card.name,
        policy.digest()?,
        card.seed
    ))?;
    output::print_line(&format!(
        "trained on {} episodes (left out: {} with a person's choices, {} forks, {} ungraded, {} unusable, {} of other models) for {target}, λ {:.3}",
        dataset_counts.used,
        dataset_counts.user,
        dataset_counts.forks,
        dataset_counts.ungraded,
        dataset_counts.unusable,
        dataset_counts.other_models,
        card.multiplier
    ))?;
    let parents = if card.parents.is_empty() { "none".into() } else { card.parents.join(", ") };
    output::print_line(&format!("parents: {parents}"))?;
    output::print_line(&format!("models: {}", describe_digests(&card.pair.models)))?;
    output::print_line(&format!(
        "features: {} ({}), {} in all",
        card.set.name,
        card.set_hash,
        card.set.features.len()
    ))?;
    output::print_line(&format!(
        "describe_quantiles of p(large): {}",
        describe_quantiles(&card.quantiles)
    ))?;
    if let Some(mixture) = card.mixture {
        output::print_line(&format!(
            "mixture for gmm: unsure {:.0} % around {:.3}, sure around {:.3} on −ln(−mean log-probability)",
            mixture.unsure.weight * 100.0,
            mixture.unsure.mean,
            mixture.sure.mean
        ))?;
    }
    if calibrations.is_empty() {
        output::print_line("no calibrated threshold: `pointsman calibrate` finds one")?;
        return Ok(());
    }
    let mut runner = with_stdout_to_stderr(|| load_pair(preset, &folders.cache))??;
    for calibration in calibrations {
        let now = provenance_now(policy, &mut runner, &calibration.provenance.tasks)?;
        output::print_line(&describe_calibration(calibration, &now))?;
    }
    Ok(())
}

fn describe_quantiles(all: &[f64]) -> String {
    let last = all.len().saturating_sub(1);
    let at = |share: usize| all.get(last * share / 4).copied().unwrap_or(0.0);
    [0, 1, 2, 3, 4].map(|i| format!("{:.3}", at(i))).join(" ")
}
