//! `pointsman train`: a new policy from stored episodes.

use std::sync::Arc;

use clap::{ArgGroup, Args};

use super::collect::collect;
use super::error::CommandResult;
use super::open_store;
use super::options::{CommonArgs, parse_cost_share, parse_probability};
use super::progress_bar::bar;
use super::runner_pool::load_pool;
use super::stdio::note;
use super::task_args::{TaskArgs, first_questions};
use super::{CommandStatus, output, reader_watch};
use crate::config::{DraftLength, Folders, Preset};
use crate::episode::Role;
use crate::episode::feature_names;
use crate::routing::{DatasetCounts, FEATURES, FeatureSet, Policy, RouterRegistry};
use crate::session::RunnerPool;
use crate::store::Store;
use crate::tasks::{Split, TaskSet};
use crate::training::{
    COIN, CollectionPlan, CollectionRequest, TrainingJob, TrainingProgress, TrainingSettings,
    TrainingStage,
};

/// Ids of the options that only affect how episodes are collected.
const COLLECT_OPTIONS: [&str; 9] =
    ["n", "tasks", "data", "level", "subject", "on_bad_line", "split", "coin", "jobs"];

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("collecting").args(COLLECT_OPTIONS).multiple(true).requires("rounds")))]
pub(super) struct TrainArgs {
    /// Rounds of collecting and training; 0 trains from the episodes that the store has
    #[arg(long, default_value_t = 0)]
    rounds: u32,

    /// Episodes to collect in each round
    #[arg(short, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,

    #[command(flatten)]
    tasks: TaskArgs,

    /// Part of the task set to collect from: train, develop or test [default: develop; all of a file given with --data]
    #[arg(long)]
    split: Option<Split>,

    /// Probability that a coin toss makes a choice while a policy collects; in the first round, which
    /// has no policy, it is 0.5
    #[arg(long, default_value_t = COIN, value_name = "0..1", value_parser = parse_probability)]
    coin: f64,

    /// Mean cost to train for, as a share of always-large's [default: a fixed price of cost]
    #[arg(long, value_name = "SHARE", value_parser = parse_cost_share)]
    target_cost: Option<f64>,

    /// Rounds of the optimizer
    #[arg(long, alias = "steps", default_value_t = TrainingSettings::default().rounds, value_parser = parse_iterations)]
    iterations: usize,

    /// Leave out the features whose names begin with this
    #[arg(long, alias = "without", value_name = "PREFIX", value_parser = parse_feature_prefix)]
    without_features: Option<String>,

    /// Episodes to run at once while collecting [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,
}

/// Trains a policy, and stores it.
///
/// # Errors
/// If the configuration is invalid, there are too few episodes to learn from, or a model or the store
/// fails.
pub(super) fn run(
    args: &TrainArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let mut preset = common.preset(folders)?;
    let draft_length = preset.routing.draft_length.unwrap_or(DraftLength::Step);
    preset.routing.draft_length = Some(draft_length);
    let set = match &args.without_features {
        Some(prefix) => FeatureSet::without(prefix, draft_length),
        None => FeatureSet::full(draft_length),
    };
    // Opened before the models are loaded, so that errors are reported at once.
    let tasks =
        (args.rounds > 0).then(|| args.tasks.open(args.split, Split::Develop)).transpose()?;
    let store = open_store::for_writing(common, folders)?;
    let jobs = if args.rounds == 0 { Some(1) } else { args.jobs };
    let mut pool = load_pool(&preset, folders, jobs)?;
    let set = set.restricted_to(pool.first().token_stats(Role::Small));
    let mut session =
        TrainingSession { args, preset: &preset, set, store: &store, pool, seed: common.seed };
    let Some(tasks) = tasks else {
        session.train()?;
        return Ok(CommandStatus::Success);
    };
    let mut policy = None;
    for round in 0..args.rounds {
        session.collect(&tasks, round, policy.take())?;
        policy = Some(Arc::new(session.train()?));
    }
    Ok(CommandStatus::Success)
}

fn parse_iterations(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "it must be a number of at least 1".into())
}

/// Parses a prefix of feature names.
fn parse_feature_prefix(text: &str) -> Result<String, String> {
    let prefix = feature_names::current_prefix(text);
    let left_out = FEATURES.iter().filter(|name| name.starts_with(&prefix)).count();
    if (1..FEATURES.len()).contains(&left_out) {
        Ok(prefix)
    } else {
        Err("it leaves out no feature, or all of them: give the beginning of some features' names"
            .into())
    }
}

/// The models, the store and the options of a training.
struct TrainingSession<'a> {
    args: &'a TrainArgs,
    preset: &'a Preset,
    set: FeatureSet,
    store: &'a Store,
    pool: RunnerPool,
    seed: u64,
}

impl TrainingSession<'_> {
    /// Collects the episodes of a round: at random without a policy, else with it.
    fn collect(
        &mut self,
        set: &TaskSet,
        round: u32,
        policy: Option<Arc<Policy>>,
    ) -> CommandResult<()> {
        let args = self.args;
        let seed = self.seed.wrapping_add(u64::from(round) << 32);
        let questions = first_questions(set, seed, args.n as usize);
        let label = format!("{} {} seed {seed}", set.name(), set.split_name());
        let plan = CollectionPlan::for_training(CollectionRequest {
            preset: self.preset,
            policy: policy.as_deref(),
            coin: args.coin,
            questions: &label,
            seed,
        })?;
        let registry = RouterRegistry::new(&self.preset.name, policy);
        let collected = collect(&mut self.pool, &registry, self.store, &plan, &questions)?;
        note!(
            "{} episodes written, {} already stored",
            collected.written,
            collected.already_stored
        );
        Ok(())
    }

    /// Trains from all episodes in the store, and stores the policy.
    fn train(&mut self) -> CommandResult<Policy> {
        let settings = TrainingSettings {
            seed: self.seed,
            rounds: self.args.iterations,
            target_cost: self.args.target_cost,
            ..TrainingSettings::default()
        };
        let pair = self.pool.first().pair();
        let job = TrainingJob {
            store: self.store,
            preset: &self.preset.name,
            pair: &pair,
            set: &self.set,
            settings: &settings,
            holdout_every: None,
        };
        let reading = bar(self.store.len(), "reading")?;
        let training = bar(settings.rounds, "training")?;
        let trained = job.run(|stage| {
            match stage {
                TrainingStage::Reading => reading.inc(1),
                TrainingStage::Read(counts) => {
                    reading.finish_and_clear();
                    note!("{}", describe_counts(&counts));
                }
                TrainingStage::Round(now) => {
                    training.set_position(now.round as u64);
                    training.set_message(format!("· {}", describe_progress(&now)));
                }
            }
            reader_watch::flow()
        });
        reading.finish_and_clear();
        // After a success the bar stays, with the statistics of the last round.
        match &trained {
            Ok(_) => training.abandon(),
            Err(_) => training.finish_and_clear(),
        }
        let policy = trained?.policy;
        let card = &policy.card;
        output::print_line(&format!(
            "{}: {} · trained on {} episodes · λ {:.2} · to use it: `pointsman policy promote {}`",
            card.name, card.set.name, card.dataset_counts.used, card.multiplier, card.name
        ))?;
        Ok(policy)
    }
}

/// A round of training, in words.
pub(super) fn describe_progress(now: &TrainingProgress) -> String {
    format!(
        "loss {:.3} · expects {:.1} % correct at {:.0} % of the cost · λ {:.2}",
        now.loss,
        now.accuracy * 100.0,
        now.cost * 100.0,
        now.multiplier
    )
}

/// How many episodes were used, and how many were left out for which reason.
pub(super) fn describe_counts(counts: &DatasetCounts) -> String {
    format!(
        "{} episodes to learn from; left out: {} with choices by the user, {} forks, {} ungraded, {} unusable, {} damaged, {} of other models or settings",
        counts.used,
        counts.user,
        counts.forks,
        counts.ungraded,
        counts.unusable,
        counts.invalid,
        counts.other_models
    )
}
