//! `pointsman policy`: the policies of the store, and which one is in force.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::calibrate::{calibrations, described, ground};
use super::fleet::fleet;
use super::options::Common;
use super::outfile::OutFile;
use super::policies::{contest_seed, in_force, numbered, read};
use super::progress::bar;
use super::tasks::{TaskArgs, unseen};
use super::train::digests;
use super::{Outcome, style};
use crate::config::{Folders, Preset};
use crate::routing::{Calibration, Policy, Roster};
use crate::session::{check_router, load_pair};
use crate::store::Store;
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;
use crate::terminal::quiet;
use crate::training::contest;

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
        #[arg(long)]
        anyway: bool,
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
pub fn run(args: PolicyArgs, common: &Common, folders: &Folders) -> anyhow::Result<Outcome> {
    let preset = common.preset(folders)?;
    let store = Store::open(&common.store(folders))?;
    match args.command {
        PolicyCommand::Ls => list(&store, &preset)?,
        PolicyCommand::Show { name } => {
            let policy = match &name {
                Some(name) => numbered(&store, name)?.1,
                None => in_force(&preset, Some(&store))?
                    .with_context(|| format!("there is no policy for preset {}", preset.name))?,
            };
            show(&policy, &calibrations(&store, &policy)?, &preset, folders)?;
        }
        PolicyCommand::Promote { name, tasks, split, n, jobs, anyway } => {
            let (number, challenger) = numbered(&store, &name)?;
            let champion = in_force(&preset, Some(&store))?.filter(|_| !anyway);
            if let Some(champion) = champion {
                if champion.card.name == name {
                    eprintln!("policy {name} is in force already");
                    return Ok(Outcome::Done);
                }
                let seed = contest_seed(common.seed, &store, &preset.name, number)?;
                let set = tasks.open(split, Split::Develop)?;
                let asked = unseen(&set, &store, seed, n as usize)?;
                let contest = Contest { questions: &asked, seed, jobs };
                if !contest.is_won_by(challenger, champion, &preset, folders)? {
                    eprintln!(
                        "pointsman: policy {name} stays out of force: the interval of its lead is not above 0; ask more questions with -n, or promote it --anyway"
                    );
                    return Ok(Outcome::Unwell);
                }
            }
            store.promote(&preset.name, number)?;
            style::line(&format!("policy {name} is in force for preset {}", preset.name))?;
            if preset.routing.router != "policy" {
                eprintln!(
                    "pointsman: preset {} has router = \"{}\": set \"policy\" there, or give --router policy, to have it choose",
                    preset.name, preset.routing.router
                );
            }
        }
        PolicyCommand::Rollback => {
            anyhow::ensure!(
                store.roll_back(&preset.name)?.is_some(),
                "no policy was promoted for preset {}: the one of the preset is in force",
                preset.name
            );
            let now = in_force(&preset, Some(&store))?;
            let now = now.map_or_else(
                || "no policy".into(),
                |policy| format!("policy {}", policy.card.name),
            );
            style::line(&format!("{now} is in force for preset {}", preset.name))?;
        }
        PolicyCommand::Export { name, out, rename } => {
            let (_, mut policy) = numbered(&store, &name)?;
            policy.card.calibrations = calibrations(&store, &policy)?;
            policy.card.name = rename.unwrap_or(policy.card.name);
            OutFile::write(&out, &policy.to_bytes()?)?;
            eprintln!("policy {name} written to {}", out.display());
        }
    }
    Ok(Outcome::Done)
}

/// Fresh questions on which two policies are compared.
struct Contest<'a> {
    questions: &'a [Question],
    seed: u64,
    /// Episodes at once; as many as help where absent.
    jobs: Option<u32>,
}

impl Contest<'_> {
    fn is_won_by(
        &self,
        challenger: Policy,
        champion: Policy,
        preset: &Preset,
        folders: &Folders,
    ) -> anyhow::Result<bool> {
        let Self { questions, seed, jobs } = *self;
        let names = [challenger.card.name.clone(), champion.card.name.clone()];
        let policies = [Arc::new(challenger), Arc::new(champion)];
        for policy in &policies {
            let router = Roster::new(&preset.name, Some(policy.clone())).router("policy")?;
            check_router(router.as_ref(), preset, questions)?;
        }
        let mut fleet = fleet(preset, folders, jobs)?;
        let models = &policies[0].card.pair.models;
        if *models != fleet.first().pair().models {
            anyhow::bail!(
                "policy {} was trained for other models ({}) than those of preset {}: name its own preset with --preset",
                names[0],
                digests(models),
                preset.name
            );
        }
        let bar = bar(4 * questions.len(), "contest")?;
        let result = contest(&mut fleet, policies, questions, seed, || bar.inc(1));
        bar.finish_and_clear();
        let result = result?;
        let figure = |x: Option<f64>| x.map_or_else(|| "none".into(), |x| format!("{x:.3}"));
        let lead = result.lead.map_or_else(
            || "its lead cannot be told".into(),
            |lead| match lead.ci {
                Some([low, high]) => format!("lead {:+.3} ({low:+.3} to {high:+.3})", lead.value),
                None => format!("lead {:+.3}", lead.value),
            },
        );
        style::line(&format!(
            "APGR on {} fresh questions: {} {}, {} {} · {lead}",
            questions.len(),
            names[0],
            figure(result.challenger),
            names[1],
            figure(result.champion)
        ))?;
        Ok(result.is_won())
    }
}

fn list(store: &Store, preset: &Preset) -> anyhow::Result<()> {
    let now = in_force(preset, Some(store))?.map(|policy| policy.card.name);
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["", "policy", "features", "episodes", "λ", "parents"]);
    let mut add = |policy: &Policy| {
        let card = &policy.card;
        let star = if Some(&card.name) == now.as_ref() { "*" } else { "" };
        table.add_row([
            star.into(),
            card.name.clone(),
            card.set.name.clone(),
            card.intake.used.to_string(),
            format!("{:.2}", card.multiplier),
            if card.parents.is_empty() { "–".into() } else { card.parents.join(" ") },
        ]);
    };
    let mut unreadable = 0;
    if let Some(own) = in_force(preset, None)? {
        add(&own);
    }
    for (number, file) in store.policies()? {
        match read(&file, &number.to_string()) {
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
    style::line(&table.trim_fmt())?;
    anyhow::ensure!(
        unreadable == 0,
        "{unreadable} policies could not be read; the others are listed"
    );
    Ok(())
}

fn show(
    policy: &Policy,
    calibrations: &[Calibration],
    preset: &Preset,
    folders: &Folders,
) -> anyhow::Result<()> {
    let card = &policy.card;
    let intake = &card.intake;
    let target = card.target_cost.map_or_else(
        || "a fixed price".into(),
        |share| format!("{:.0} % of all-large's cost", share * 100.0),
    );
    style::line(&format!(
        "policy {} · weights {} · seed {}",
        card.name,
        policy.digest()?,
        card.seed
    ))?;
    style::line(&format!(
        "trained on {} episodes (left out: {} with a person's choices, {} forks, {} ungraded, {} unweighed, {} of other models) for {target}, λ {:.3}",
        intake.used,
        intake.person,
        intake.forks,
        intake.ungraded,
        intake.unweighed,
        intake.other_models,
        card.multiplier
    ))?;
    let parents = if card.parents.is_empty() { "none".into() } else { card.parents.join(", ") };
    style::line(&format!("parents: {parents}"))?;
    style::line(&format!("models: {}", digests(&card.pair.models)))?;
    style::line(&format!(
        "features: {} ({}), {} in all",
        card.set.name,
        card.set_hash,
        card.set.features.len()
    ))?;
    style::line(&format!("quantiles of p(large): {}", quantiles(&card.quantiles)))?;
    if let Some(mixture) = card.mixture {
        style::line(&format!(
            "mixture for gmm: unsure {:.0} % around {:.3}, sure around {:.3} on −ln(−mean log-probability)",
            mixture.unsure.weight * 100.0,
            mixture.unsure.mean,
            mixture.sure.mean
        ))?;
    }
    if calibrations.is_empty() {
        style::line("no calibrated threshold: `pointsman calibrate` finds one")?;
        return Ok(());
    }
    let mut conductor = quiet(|| load_pair(preset, &folders.cache))??;
    for calibration in calibrations {
        let now = ground(policy, &mut conductor, &calibration.ground.tasks)?;
        style::line(&described(calibration, &now))?;
    }
    Ok(())
}

fn quantiles(all: &[f64]) -> String {
    let last = all.len().saturating_sub(1);
    let at = |share: usize| all.get(last * share / 4).copied().unwrap_or(0.0);
    [0, 1, 2, 3, 4].map(|i| format!("{:.3}", at(i))).join(" ")
}
