//! `pointsman explain`: how far each feature pushed p(large) at a step of a stored episode.

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::error::{CommandResult, CommandStatus, Context};
use super::open_store;
use super::options::CommonArgs;
use super::stdio::note;
use super::{output, policy_lookup};
use crate::config::{Folders, Preset, without_foreign_policy};
use crate::episode::{Decider, Decision, Episode};
use crate::routing::{Contributions, contributions, router_name, rule_contributions};
use crate::store::Store;

/// Largest difference of two values of p(large) that count as equal: they are stored as decimals and computed in
/// single precision.
const P_TOLERANCE: f64 = 1e-4;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Number of the episode
    id: u64,
    /// Number of the step, from 1
    step: usize,
    /// Number of features to list; the others are summed up
    #[arg(short = 'n', long, default_value_t = 12, value_name = "N")]
    features: usize,
    /// List the features of a family (`words`, `digits`) one by one
    #[arg(long, alias = "rows")]
    ungrouped: bool,
    /// Print one JSON object with all parts
    #[arg(long)]
    json: bool,
}

/// Prints the choice and what each feature contributed to it.
///
/// # Errors
/// If the episode, the step or the policy does not exist, or no router was asked at this step.
pub(super) fn run(
    args: &ExplainArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let store = open_store::for_reading(common, folders)?;
    let episode = store.episode(args.id)?;
    let steps = episode.steps.len();
    let step = args.step.checked_sub(1).and_then(|at| episode.steps.get(at));
    let step = step.with_context(|| match steps {
        0 => format!("episode {} has no steps", args.id),
        _ => format!("episode {} has no step {}: its steps are 1 to {steps}", args.id, args.step),
    })?;
    let decision = step
        .decision
        .as_ref()
        .with_context(|| format!("step {} has no recorded choice", args.step))?;
    let p_large = decision.p_large.with_context(|| {
        format!(
            "no router was asked at step {}: {} chose",
            args.step,
            describe_decider(&decision.by)
        )
    })?;
    // The episode may come from somebody else, so a file that only it names is not opened.
    let preset = without_foreign_policy(&episode.started.preset, &common.preset(folders)?, folders);
    let parts = contributions_of(&episode, &preset, decision, p_large, common, &store)?;
    let shown = if args.ungrouped { parts.clone() } else { parts.by_family() };
    if args.json {
        output::print_json(&shown)?;
        return Ok(CommandStatus::Success);
    }
    let (threshold, choice) = (decision.threshold, decision.choice);
    output::print_line(&format!(
        "step {}: {choice} by {} · p(large) {p_large:.3} · threshold {threshold:.3} · {:.3} {}\n",
        args.step,
        describe_decider(&decision.by),
        (p_large - threshold).abs(),
        if p_large >= threshold { "above it: large" } else { "below it: small" },
    ))?;
    output::print_line(&table(&shown, decision, args.features))?;
    if shown.parts.len() > 1 {
        output::print_line(&format!("\n{}", Contributions::METHOD))?;
    }
    Ok(CommandStatus::Success)
}

fn describe_decider(by: &Decider) -> String {
    match by {
        Decider::Policy(name) => format!("policy {}", output::strip_control_chars(name)),
        Decider::Rule(name) => output::strip_control_chars(name),
        Decider::User => "you".into(),
        Decider::Budget => "the spent budget".into(),
        Decider::Exploration => "a random draw".into(),
    }
}

/// Contributions by the policy, if a policy decided or the command line names one, else by the rule.
fn contributions_of(
    episode: &Episode,
    preset: &Preset,
    decision: &Decision,
    p_large: f64,
    common: &CommonArgs,
    store: &Store,
) -> CommandResult<Contributions> {
    let router = match &decision.by {
        Decider::Rule(name) => name,
        _ => &preset.routing.router,
    };
    if router != router_name::POLICY && common.policy.is_none() {
        return Ok(rule_contributions(router, p_large));
    }
    let decided_by = match &decision.by {
        Decider::Policy(name) => Some(name.as_str()),
        _ => crate::training::deciding_policy(episode),
    };
    let registry = policy_lookup::registry_as_decided(common, preset, decided_by, store)?;
    registry.router(router_name::POLICY)?;
    let policy = registry.policy().context("no policy is available: name one with --policy")?;
    let parts = contributions(policy, &decision.features)?;
    if (parts.p_large - p_large).abs() > P_TOLERANCE {
        note!(
            "pointsman: policy {} gives p(large) {:.3} for these features, not the recorded {p_large:.3}: another router decided here",
            policy.card.name,
            parts.p_large
        );
    }
    Ok(parts)
}

/// One row for each part, with the feature's value if it has one.
fn table(all: &Contributions, decision: &Decision, n: usize) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    let (parts, rest) = all.largest(n);
    table.add_row(["baseline".to_owned(), String::new(), format!("{:.3}", all.base)]);
    for part in parts {
        let value = decision.features.get(&part.name).map_or(String::new(), |v| format!("{v:.3}"));
        table.add_row([
            output::strip_control_chars(&part.name),
            value,
            format!("{:+.3}", part.contribution),
        ]);
    }
    let others = all.parts.len() - parts.len();
    if others > 0 {
        table.add_row([format!("{others} others"), String::new(), format!("{rest:+.3}")]);
    }
    table.add_row(["p(large)".to_owned(), String::new(), format!("{:.3}", all.p_large)]);
    for column in 1..3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
