//! `pointsman eval --stored`: what every threshold would have given, from the store alone.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::error::{CommandResult, Context};
use super::options::CommonArgs;
use super::progress_bar::bar;
use super::{CommandStatus, output, policy_lookup};
use crate::config::{Folders, Preset};
use crate::evaluation::{OffPolicyEstimate, OffPolicyLog};
use crate::store::Store;
use crate::training::{Dataset, logged_episodes};

/// Estimates the policy's curve at its own quantiles.
///
/// # Errors
/// When there is no policy, or the store cannot be read.
pub fn run(
    json: bool,
    preset: &Preset,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let store = Store::open(&common.store(folders))?;
    let registry = policy_lookup::registry(common, preset, Some(&store))?;
    registry.router("policy")?;
    let policy = registry.policy().context("there is no policy")?;
    let card = &policy.card;
    let reading = bar(store.len(), "reading")?;
    let dataset = Dataset::read(&store, &card.pair, &card.set, || reading.inc(1));
    reading.finish_and_clear();
    let dataset = dataset?;
    let dataset_counts = dataset.dataset_counts;
    let others = dataset_counts.user
        + dataset_counts.forks
        + dataset_counts.ungraded
        + dataset_counts.unusable
        + dataset_counts.other_models;
    // What it was trained on would flatter it.
    let (fresh, seen): (Vec<_>, Vec<_>) =
        dataset.trajectories.into_iter().partition(|t| t.began_ms > card.created_ms);
    let log = OffPolicyLog::new(&logged_episodes(&fresh, policy)?);
    eprintln!(
        "policy {}: {} episodes with drawn choices, {} of which cannot be weighted; left out: {} older than the policy, {others} others",
        card.name,
        fresh.iter().filter(|t| t.explored).count(),
        log.left_out(),
        seen.len()
    );
    let estimates = log.curve(&card.quantiles);
    if json {
        for estimate in &estimates {
            output::print_line(&serde_json::to_string(estimate)?)?;
        }
        return Ok(CommandStatus::Success);
    }
    output::print_line(&table(&estimates, card.cost_unit))?;
    Ok(CommandStatus::Success)
}

/// One row a threshold; costs as a share of `unit`.
fn table(estimates: &[OffPolicyEstimate], unit: f64) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "threshold",
        "accuracy",
        "95 %",
        "cost share",
        "95 %",
        "effective episodes",
        "",
    ]);
    let dash = || "–".to_owned();
    let percent = |x: f64| format!("{:.1} %", x * 100.0);
    let range = |[a, b]: [f64; 2]| format!("{:.1}–{:.1}", a * 100.0, b * 100.0);
    let share = |cost: f64| cost / unit;
    for estimate in estimates {
        table.add_row([
            format!("{:.4}", estimate.threshold),
            estimate.accuracy.map_or_else(dash, percent),
            estimate.accuracy_ci.map_or_else(dash, range),
            estimate.cost.map_or_else(dash, |cost| percent(share(cost))),
            estimate.cost_ci.map_or_else(dash, |ci| range(ci.map(share))),
            format!("{:.0}", estimate.effective),
            if estimate.supported { String::new() } else { "not supported".into() },
        ]);
    }
    for column in 0..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
