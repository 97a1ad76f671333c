//! `pointsman eval --stored`: the outcome of every threshold, estimated from stored episodes.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::error::{CommandResult, Context};
use super::open_store;
use super::options::CommonArgs;
use super::progress_bar::bar;
use super::stdio::note;
use super::{CommandStatus, output, policy_lookup};
use crate::config::{Folders, Preset};
use crate::evaluation::{MIN_EFFECTIVE_SAMPLE, OffPolicyEstimate, OffPolicyLog};
use crate::training::fresh_episodes;

/// Estimates the policy's accuracy-cost curve at the quantiles of its scores.
///
/// # Errors
/// If there is no policy, or the store cannot be read.
pub(super) fn run(
    json: bool,
    preset: &Preset,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let store = open_store::for_reading(common, folders)?;
    let registry = policy_lookup::registry(common, preset, Some(&store))?;
    registry.router(crate::routing::router_name::POLICY)?;
    let policy = registry.policy().context("there is no policy")?;
    let reading = bar(store.len(), "reading")?;
    let fresh = fresh_episodes(&store, policy, usize::MAX, || reading.inc(1));
    reading.finish_and_clear();
    let fresh = fresh?;
    let log = OffPolicyLog::new(&fresh.logged);
    let counts = fresh.counts;
    let others = counts.user
        + counts.forks
        + counts.ungraded
        + counts.unusable
        + counts.invalid
        + counts.other_models;
    let card = &policy.card;
    note!(
        "policy {}: {} episodes with drawn choices, {} of which cannot be weighted; left out: {} older than the policy, {others} others",
        card.name,
        fresh.logged.len(),
        log.left_out(),
        fresh.older
    );
    let estimates = log.curve(&card.quantiles);
    if json {
        for estimate in &estimates {
            output::print_json(estimate)?;
        }
        return Ok(CommandStatus::Success);
    }
    output::print_line(&table(&estimates, card.cost_unit))?;
    if estimates.iter().all(|estimate| estimate.supported) {
        return Ok(CommandStatus::Success);
    }
    note!(
        "not supported: fewer than {MIN_EFFECTIVE_SAMPLE} effective episodes are consistent with the threshold"
    );
    Ok(CommandStatus::Success)
}

/// One row per threshold; costs as a share of `unit`.
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
