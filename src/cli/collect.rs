//! `pointsman collect`: writes episodes to learn from, with logged propensities.

use std::cell::Cell;
use std::sync::Arc;

use clap::Args;

use super::error::CommandResult;
use super::open_store;
use super::options::{CommonArgs, parse_probability};
use super::progress_bar::bar;
use super::runner_pool::load_pool;
use super::stdio::note;
use super::task_args::{TaskArgs, first_questions, report_skipped};
use super::{CommandStatus, policy_lookup, reader_watch};
use crate::config::Folders;
use crate::episode::{Episode, Verdict};
use crate::routing::{RouterRegistry, check_router_name};
use crate::session::{RunnerPool, check_router};
use crate::store::Store;
use crate::tasks::{Question, Split};
use crate::training::{self, CollectionPlan, CollectionRequest, CollectionResult};

#[derive(Debug, Args)]
pub(super) struct CollectArgs {
    #[command(flatten)]
    tasks: TaskArgs,

    /// Number of episodes
    #[arg(short, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,

    /// Part of the task set: train, develop or test [default: develop; all of a file given with --data]
    #[arg(long)]
    split: Option<Split>,

    /// Probability that a coin toss makes a choice, rather than the episode's random threshold
    #[arg(long, default_value_t = 0.0, value_name = "0..1", value_parser = parse_probability)]
    coin: f64,

    /// Episodes to run at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,
}

/// Writes the episodes that the store does not have yet.
///
/// # Errors
/// If the configuration is invalid, or an episode cannot be run or stored.
pub(super) fn run(
    args: &CollectArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let preset = common.preset(folders)?;
    check_router_name(&preset.routing.router)?;
    let set = args.tasks.open(args.split, Split::Develop)?;
    let questions = first_questions(&set, common.seed, args.n as usize);
    let store = open_store::for_writing(common, folders)?;
    let registry = policy_lookup::registry(common, &preset, Some(&store))?;
    let router = registry.router(&preset.routing.router)?;
    let policy = registry.policy().map(Arc::as_ref);
    let label = format!("{} {} seed {}", set.name(), set.split_name(), common.seed);
    let plan = CollectionPlan::new(CollectionRequest {
        preset: &preset,
        policy,
        coin: args.coin,
        questions: &label,
        seed: common.seed,
    })?;
    check_router(router.as_ref(), plan.preset(), &questions)?;
    let mut pool = load_pool(&preset, folders, args.jobs)?;
    policy_lookup::warn_if_models_differ(&registry, pool.first());
    let collected = collect(&mut pool, &registry, &store, &plan, &questions)?;
    note!(
        "{} episodes written, {} already stored, in {}",
        collected.written,
        collected.already_stored,
        common.store(folders).display()
    );
    Ok(CommandStatus::Success)
}

/// Runs a collection with a progress bar.
///
/// # Errors
/// If an episode cannot be run or stored.
pub(super) fn collect(
    pool: &mut RunnerPool,
    registry: &RouterRegistry,
    store: &Store,
    plan: &CollectionPlan,
    questions: &[Question],
) -> CommandResult<CollectionResult> {
    let bar = bar(questions.len(), "episodes")?;
    let correct_and_total = Cell::new((0_u32, 0_u32));
    let progress = |done: usize, episode: Option<&Episode>| {
        bar.set_position(done as u64);
        let Some(episode) = episode else {
            bar.reset_eta();
            return reader_watch::flow();
        };
        let (correct, total) = correct_and_total.get();
        let correct = correct + u32::from(episode.verdict() == Some(Verdict::Correct));
        correct_and_total.set((correct, total + 1));
        let share = 100.0 * f64::from(correct) / f64::from(total + 1);
        bar.set_message(format!("· {share:.0} % correct"));
        reader_watch::flow()
    };
    let collected = training::collect(pool, registry, store, plan, questions, progress);
    bar.finish_and_clear();
    let collected = collected?;
    report_skipped(&collected.skipped);
    Ok(collected)
}
