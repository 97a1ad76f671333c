//! `pointsman train`: a new policy from stored episodes.

use std::sync::Arc;

use clap::{ArgGroup, Args};

use super::collect::Collection;
use super::error::CommandResult;
use super::options::{CommonArgs, parse_cost_share, parse_probability};
use super::progress_bar::bar;
use super::runner_pool::load_pool;
use super::task_args::{TaskArgs, first_questions};
use super::{CommandStatus, output, policy_lookup};
use crate::config::{DraftLength, Folders, Preset};
use crate::episode::{PerRole, Role};
use crate::routing::{FEATURES, FeatureSet, Policy, RouterRegistry};
use crate::session::RunnerPool;
use crate::store::Store;
use crate::tasks::TaskSet;
use crate::tasks::arithmetic::Split;
use crate::training::{Dataset, TrainingSettings, train};

/// Options that only say how episodes are collected, by their ids.
const COLLECT_OPTIONS: [&str; 9] =
    ["n", "tasks", "data", "level", "subject", "on_bad_line", "split", "coin", "jobs"];

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("collecting").args(COLLECT_OPTIONS).multiple(true).requires("rounds")))]
pub struct TrainArgs {
    /// Rounds of collecting and training; 0 trains from what the store has
    #[arg(long, default_value_t = 0)]
    pub rounds: u32,

    /// Episodes to collect in each round
    #[arg(short, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,

    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Part of the task set to collect from: train, develop or test [default: develop; all of a file given with --data]
    #[arg(long)]
    pub split: Option<Split>,

    /// Probability that a coin makes a choice while a policy collects; it is 0.5 in the first round,
    /// where there is none
    #[arg(long, default_value_t = 0.2, value_name = "0..1", value_parser = parse_probability)]
    pub coin: f64,

    /// Train for this mean cost, as a share of always-large's [default: a fixed price of cost]
    #[arg(long, value_name = "SHARE", value_parser = parse_cost_share)]
    pub target_cost: Option<f64>,

    /// Rounds of the optimizer
    #[arg(long, alias = "steps", default_value_t = TrainingSettings::default().rounds as u32, value_parser = clap::value_parser!(u32).range(1..))]
    pub iterations: u32,

    /// Leave out the features whose names begin so
    #[arg(long, alias = "without", value_name = "PREFIX", value_parser = parse_feature_prefix)]
    pub without_features: Option<String>,

    /// Episodes at once while collecting [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
}

/// Trains, and keeps the new policy in the store.
///
/// # Errors
/// When the configuration is invalid, there is too little to learn from, or a model or the store fails.
pub fn run(
    args: TrainArgs,
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
    // Its fault, if it has one, is told before models are loaded.
    let tasks =
        (args.rounds > 0).then(|| args.tasks.open(args.split, Split::Develop)).transpose()?;
    let store = Store::open(&common.store(folders))?;
    let jobs = if args.rounds == 0 { Some(1) } else { args.jobs };
    let mut pool = load_pool(&preset, folders, jobs)?;
    let set = set.restricted_to(pool.first().token_stats(Role::Small));
    let mut session = TrainingSession {
        args: &args,
        preset: &preset,
        set,
        store: &store,
        pool,
        seed: common.seed,
    };
    let Some(tasks) = tasks else {
        let policy = session.train()?;
        output::print_line(&describe_policy(&policy))?;
        return Ok(CommandStatus::Success);
    };
    let mut policy = None;
    for round in 0..args.rounds {
        session.collect(&tasks, round, policy.take())?;
        let next = Arc::new(session.train()?);
        output::print_line(&describe_policy(&next))?;
        policy = Some(next);
    }
    Ok(CommandStatus::Success)
}

/// Reads the beginning of some features' names.
fn parse_feature_prefix(text: &str) -> Result<String, String> {
    let left_out = FEATURES.iter().filter(|name| name.starts_with(text)).count();
    if (1..FEATURES.len()).contains(&left_out) {
        Ok(text.to_owned())
    } else {
        Err("it leaves out no feature, or all of them: give the beginning of some features' names"
            .into())
    }
}

/// Everything that training takes.
struct TrainingSession<'a> {
    args: &'a TrainArgs,
    preset: &'a Preset,
    set: FeatureSet,
    store: &'a Store,
    pool: RunnerPool,
    seed: u64,
}

impl TrainingSession<'_> {
    /// Collects round `round`: the first one with choices at random, the next with the policy.
    fn collect(
        &mut self,
        set: &TaskSet,
        round: u32,
        policy: Option<Arc<Policy>>,
    ) -> CommandResult<()> {
        let args = self.args;
        let seed = self.seed.wrapping_add(u64::from(round) << 32);
        let questions = first_questions(set, seed, args.n as usize);
        let collection = Collection {
            preset: self.preset,
            router: if policy.is_some() { "policy" } else { "random" },
            // Random thresholds alone would make a choice certain once its step is known.
            coin: if policy.is_some() { args.coin } else { 0.5 },
            name: format!("{} {} seed {seed}", set.name(), set.split_name()),
            seed,
        };
        let registry = RouterRegistry::new(&self.preset.name, policy);
        let collected = collection.collect(&mut self.pool, &registry, self.store, &questions)?;
        eprintln!(
            "{} episodes written, {} were already_stored",
            collected.written, collected.already_stored
        );
        Ok(())
    }

    /// Trains from everything in the store, and keeps the policy.
    fn train(&mut self) -> CommandResult<Policy> {
        let pair = self.pool.first().pair();
        let reading = bar(self.store.len(), "reading")?;
        let dataset = Dataset::read(self.store, &pair, &self.set, || reading.inc(1));
        reading.finish_and_clear();
        let dataset = dataset?;
        let intake = &dataset.dataset_counts;
        eprintln!(
            "{} episodes to learn from; left out: {} with a person's choices, {} forks, {} ungraded, {} unusable, {} of another pair or setting",
            intake.used,
            intake.user,
            intake.forks,
            intake.ungraded,
            intake.unusable,
            intake.other_models
        );
        let settings = TrainingSettings {
            seed: self.seed,
            rounds: self.args.iterations as usize,
            target_cost: self.args.target_cost,
            ..TrainingSettings::default()
        };
        let bar = bar(settings.rounds, "training")?;
        let trained = train(&dataset, &self.set, &settings, |now| {
            bar.set_position(now.round as u64);
            bar.set_message(format!(
                "· loss {:.3} · expects {:.1} % right at {:.0} % of the cost · λ {:.2}",
                now.loss,
                now.accuracy * 100.0,
                now.cost * 100.0,
                now.multiplier
            ));
            true
        });
        // What the training came to stays to be read.
        bar.abandon();
        let mut policy = trained?;
        policy_lookup::store_policy(self.store, &self.preset.name, &pair, &mut policy)?;
        Ok(policy)
    }
}

fn describe_policy(policy: &Policy) -> String {
    let card = &policy.card;
    format!(
        "{}: {} · trained on {} episodes · λ {:.2} · not in force: `pointsman policy promote {}`",
        card.name, card.set.name, card.dataset_counts.used, card.multiplier, card.name
    )
}

/// Both models' digests.
pub fn describe_digests(models: &PerRole<String>) -> String {
    Role::BOTH.map(|role| format!("{role} {}", models[role])).join(", ")
}
