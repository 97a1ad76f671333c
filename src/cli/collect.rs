//! `pointsman collect`: episodes to learn from, with logged propensities.

use std::sync::Arc;

use clap::Args;

use super::error::CommandResult;
use super::options::{CommonArgs, parse_probability};
use super::progress_bar::bar;
use super::runner_pool::load_pool;
use super::task_args::{TaskArgs, first_questions, report_skipped};
use super::{CommandStatus, policy_lookup};
use crate::config::{DraftLength, Folders, Preset};
use crate::episode::{Episode, Verdict};
use crate::routing::RouterRegistry;
use crate::session::{RunnerPool, check_router};
use crate::store::Store;
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;
use crate::training::{CollectionPlan, CollectionResult, collect, exploration_preset};

#[derive(Debug, Args)]
pub struct CollectArgs {
    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Number of episodes
    #[arg(short, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,

    /// Part of the task set: train, develop or test [default: develop; all of a file given with --data]
    #[arg(long)]
    pub split: Option<Split>,

    /// Probability that a coin makes a choice, rather than the episode's random threshold
    #[arg(long, default_value_t = 0.0, value_name = "0..1", value_parser = parse_probability)]
    pub coin: f64,

    /// Episodes at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
}

/// Writes the episodes that the store lacks.
///
/// # Errors
/// When the configuration is invalid, or an episode cannot be run or stored.
pub fn run(
    args: CollectArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let mut preset = common.preset(folders)?;
    if preset.routing.router != "policy" {
        // A whole step serves the training of policies with any glimpse; a shorter one does not.
        preset.routing.draft_length.get_or_insert(DraftLength::Step);
    }
    crate::routing::check_router_names(std::slice::from_ref(&preset.routing.router))?;
    let set = args.tasks.open(args.split, Split::Develop)?;
    let questions = first_questions(&set, common.seed, args.n as usize);
    let store = Store::open(&common.store(folders))?;
    let registry = policy_lookup::registry(common, &preset, Some(&store))?;
    check_router(registry.router(&preset.routing.router)?.as_ref(), &preset, &questions)?;
    let mut pool = load_pool(&preset, folders, args.jobs)?;
    policy_lookup::warn_if_models_differ(&registry, pool.first());
    let collection = Collection {
        preset: &preset,
        router: &preset.routing.router,
        coin: args.coin,
        name: format!("{} {} seed {}", set.name(), set.split_name(), common.seed),
        seed: common.seed,
    };
    let collected = collection.collect(&mut pool, &registry, &store, &questions)?;
    eprintln!(
        "{} episodes written, {} were there, in {}",
        collected.written,
        collected.already_stored,
        common.store(folders).display()
    );
    Ok(CommandStatus::Success)
}

/// One collection.
pub struct Collection<'a> {
    pub preset: &'a Preset,
    pub router: &'a str,
    pub coin: f64,
    /// Of the questions; the router and the coin come to it.
    pub name: String,
    pub seed: u64,
}

impl Collection<'_> {
    /// Writes what the store lacks, and shows how far it is.
    ///
    /// # Errors
    /// When the coin is no probability, or an episode cannot be run or stored.
    pub fn collect(
        &self,
        pool: &mut RunnerPool,
        registry: &RouterRegistry,
        store: &Store,
        questions: &[Question],
    ) -> CommandResult<CollectionResult> {
        let policy = registry.policy().filter(|_| self.router == "policy");
        let exploration_preset =
            exploration_preset(self.preset, self.router, policy.map(Arc::as_ref), self.coin);
        exploration_preset.validate().map_err(crate::config::ConfigError::CommandLine)?;
        pool.set_preset(&exploration_preset);
        let router_id = match policy {
            // Not its name: a policy that is trained again from the same episodes has another one.
            Some(policy) => format!("policy {}", policy.digest()?),
            None => self.router.to_owned(),
        };
        let draft_length = exploration_preset
            .routing
            .draft_length
            .map_or(String::new(), |g| format!(" draft {g}"));
        let plan = CollectionPlan {
            name: format!(
                "{} {router_id} {}{draft_length} coin {}",
                self.preset.name, self.name, self.coin
            ),
            router: self.router.to_owned(),
            seed: self.seed,
        };
        let bar = bar(questions.len(), "episodes")?;
        let correct_and_total = std::cell::Cell::new((0_u32, 0_u32));
        let collected =
            collect(pool, registry, store, &plan, questions, |done, episode: Option<&Episode>| {
                bar.set_position(done as u64);
                match episode {
                    None => bar.reset_eta(),
                    Some(episode) => {
                        let (hits, n) = correct_and_total.get();
                        let hit = u32::from(episode.verdict() == Some(Verdict::Correct));
                        correct_and_total.set((hits + hit, n + 1));
                        bar.set_message(format!(
                            "· {:.0} % right",
                            100.0 * f64::from(hits + hit) / f64::from(n + 1)
                        ));
                    }
                }
            });
        bar.finish_and_clear();
        pool.set_preset(self.preset);
        let collected = collected?;
        report_skipped(&collected.skipped);
        Ok(collected)
    }
}
