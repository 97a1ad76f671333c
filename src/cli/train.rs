//! `pointsman train`: a new policy from stored episodes.

use std::sync::Arc;

use clap::{ArgGroup, Args};

use super::collect::Round;
use super::fleet::fleet;
use super::options::{Common, probability, share};
use super::progress::bar;
use super::tasks::{TaskArgs, sample};
use super::{Outcome, policies, style};
use crate::config::{Folders, Glimpse, Preset};
use crate::episode::{PerRole, Role};
use crate::routing::{FEATURES, FeatureSet, Policy, Roster};
use crate::session::Fleet;
use crate::store::Store;
use crate::tasks::TaskSet;
use crate::tasks::arithmetic::Split;
use crate::training::{Dataset, Settings, train};

/// Options that only say how episodes are collected, by their ids.
const OF_COLLECTING: [&str; 9] =
    ["n", "tasks", "data", "level", "subject", "on_bad_line", "split", "coin", "jobs"];

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("collecting").args(OF_COLLECTING).multiple(true).requires("rounds")))]
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
    #[arg(long, default_value_t = 0.2, value_name = "0..1", value_parser = probability)]
    pub coin: f64,

    /// Train for this mean cost, as a share of always-large's [default: a fixed price of cost]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub target_cost: Option<f64>,

    /// Rounds of the optimizer
    #[arg(long, default_value_t = Settings::default().rounds as u32, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,

    /// Leave out the features whose names begin so
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    pub without: Option<String>,

    /// Episodes at once while collecting [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
}

/// Trains, and keeps the new policy in the store.
///
/// # Errors
/// When the configuration is invalid, there is too little to learn from, or a model or the store fails.
pub fn run(args: TrainArgs, common: &Common, folders: &Folders) -> anyhow::Result<Outcome> {
    let mut preset = common.preset(folders)?;
    let glimpse = preset.routing.glimpse.unwrap_or(Glimpse::Step);
    preset.routing.glimpse = Some(glimpse);
    let set = match &args.without {
        Some(prefix) => FeatureSet::without(prefix, glimpse),
        None => FeatureSet::full(glimpse),
    };
    // Its fault, if it has one, is told before models are loaded.
    let tasks =
        (args.rounds > 0).then(|| args.tasks.open(args.split, Split::Develop)).transpose()?;
    let store = Store::open(&common.store(folders))?;
    let jobs = if args.rounds == 0 { Some(1) } else { args.jobs };
    let mut fleet = fleet(&preset, folders, jobs)?;
    let set = set.known_from(fleet.first().evidence(Role::Small));
    let mut school =
        School { args: &args, preset: &preset, set, store: &store, fleet, seed: common.seed };
    let Some(tasks) = tasks else {
        let policy = school.train()?;
        style::line(&described(&policy))?;
        return Ok(Outcome::Done);
    };
    let mut policy = None;
    for round in 0..args.rounds {
        school.collect(&tasks, round, policy.take())?;
        let next = Arc::new(school.train()?);
        style::line(&described(&next))?;
        policy = Some(next);
    }
    Ok(Outcome::Done)
}

/// Reads the beginning of some features' names.
fn prefix(text: &str) -> Result<String, String> {
    let left_out = FEATURES.iter().filter(|name| name.starts_with(text)).count();
    if (1..FEATURES.len()).contains(&left_out) {
        Ok(text.to_owned())
    } else {
        Err("it leaves out no feature, or all of them: give the beginning of some features' names"
            .into())
    }
}

/// Everything that training takes.
struct School<'a> {
    args: &'a TrainArgs,
    preset: &'a Preset,
    set: FeatureSet,
    store: &'a Store,
    fleet: Fleet,
    seed: u64,
}

impl School<'_> {
    /// Collects round `round`: the first one with choices at random, the next with the policy.
    fn collect(
        &mut self,
        set: &TaskSet,
        round: u32,
        policy: Option<Arc<Policy>>,
    ) -> anyhow::Result<()> {
        let args = self.args;
        let seed = self.seed.wrapping_add(u64::from(round) << 32);
        let asked = sample(set, seed, args.n as usize);
        let round = Round {
            preset: self.preset,
            router: if policy.is_some() { "policy" } else { "random" },
            // Random thresholds alone would make a choice certain once its step is known.
            coin: if policy.is_some() { args.coin } else { 0.5 },
            name: format!("{} {} seed {seed}", set.name(), set.part()),
            seed,
        };
        let roster = Roster::new(&self.preset.name, policy);
        let collected = round.collect(&mut self.fleet, &roster, self.store, &asked)?;
        eprintln!("{} episodes written, {} were there", collected.written, collected.there);
        Ok(())
    }

    /// Trains from everything in the store, and keeps the policy.
    fn train(&mut self) -> anyhow::Result<Policy> {
        let pair = self.fleet.first().pair();
        let reading = bar(self.store.len(), "reading")?;
        let dataset = Dataset::read(self.store, &pair, &self.set, || reading.inc(1));
        reading.finish_and_clear();
        let dataset = dataset?;
        let left = &dataset.intake;
        eprintln!(
            "{} episodes to learn from; left out: {} with a person's choices, {} forks, {} ungraded, {} unweighed, {} of another pair or setting",
            left.used, left.person, left.forks, left.ungraded, left.unweighed, left.other_models
        );
        let settings = Settings {
            seed: self.seed,
            rounds: self.args.steps as usize,
            target_cost: self.args.target_cost,
            ..Settings::default()
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
        policies::keep(self.store, &self.preset.name, &pair, &mut policy)?;
        Ok(policy)
    }
}

fn described(policy: &Policy) -> String {
    let card = &policy.card;
    format!(
        "{}: {} · trained on {} episodes · λ {:.2} · not in force: `pointsman policy promote {}`",
        card.name, card.set.name, card.intake.used, card.multiplier, card.name
    )
}

/// Both models' digests.
pub fn digests(models: &PerRole<String>) -> String {
    Role::BOTH.map(|role| format!("{role} {}", models[role])).join(", ")
}
