//! `pointsman collect`: episodes to learn from, with logged propensities.

use std::sync::Arc;

use clap::Args;

use super::fleet::fleet;
use super::options::{Common, probability};
use super::progress::bar;
use super::tasks::{TaskArgs, sample, tell};
use super::{Outcome, policies};
use crate::config::{Folders, Glimpse, Preset};
use crate::episode::{Episode, Verdict};
use crate::routing::Roster;
use crate::session::{Fleet, check_router};
use crate::store::Store;
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;
use crate::training::{Collected, Plan, collect, exploring};

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
    #[arg(long, default_value_t = 0.0, value_name = "0..1", value_parser = probability)]
    pub coin: f64,

    /// Episodes at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
}

/// Writes the episodes that the store lacks.
///
/// # Errors
/// When the configuration is invalid, or an episode cannot be run or stored.
pub fn run(args: CollectArgs, common: &Common, folders: &Folders) -> anyhow::Result<Outcome> {
    let mut preset = common.preset(folders)?;
    if preset.routing.router != "policy" {
        // A whole step serves the training of policies with any glimpse; a shorter one does not.
        preset.routing.glimpse.get_or_insert(Glimpse::Step);
    }
    crate::routing::known(std::slice::from_ref(&preset.routing.router))?;
    let set = args.tasks.open(args.split, Split::Develop)?;
    let asked = sample(&set, common.seed, args.n as usize);
    let store = Store::open(&common.store(folders))?;
    let roster = policies::roster(common, &preset, Some(&store))?;
    check_router(roster.router(&preset.routing.router)?.as_ref(), &preset, &asked)?;
    let mut fleet = fleet(&preset, folders, args.jobs)?;
    policies::warn_of_strangers(&roster, fleet.first());
    let round = Round {
        preset: &preset,
        router: &preset.routing.router,
        coin: args.coin,
        name: format!("{} {} seed {}", set.name(), set.part(), common.seed),
        seed: common.seed,
    };
    let collected = round.collect(&mut fleet, &roster, &store, &asked)?;
    eprintln!(
        "{} episodes written, {} were there, in {}",
        collected.written,
        collected.there,
        common.store(folders).display()
    );
    Ok(Outcome::Done)
}

/// One collection.
pub struct Round<'a> {
    pub preset: &'a Preset,
    pub router: &'a str,
    pub coin: f64,
    /// Of the questions; the router and the coin come to it.
    pub name: String,
    pub seed: u64,
}

impl Round<'_> {
    /// Writes what the store lacks, and shows how far it is.
    ///
    /// # Errors
    /// When the coin is no probability, or an episode cannot be run or stored.
    pub fn collect(
        &self,
        fleet: &mut Fleet,
        roster: &Roster,
        store: &Store,
        questions: &[Question],
    ) -> anyhow::Result<Collected> {
        let policy = roster.policy().filter(|_| self.router == "policy");
        let exploring = exploring(self.preset, self.router, policy.map(Arc::as_ref), self.coin);
        exploring.validate().map_err(crate::config::ConfigError::Options)?;
        fleet.set(&exploring);
        let who = match policy {
            // Not its name: a policy that is trained again from the same episodes has another one.
            Some(policy) => format!("policy {}", policy.digest()?),
            None => self.router.to_owned(),
        };
        let glimpse = exploring.routing.glimpse.map_or(String::new(), |g| format!(" glimpse {g}"));
        let plan = Plan {
            name: format!("{} {who} {}{glimpse} coin {}", self.preset.name, self.name, self.coin),
            router: self.router.to_owned(),
            seed: self.seed,
        };
        let bar = bar(questions.len(), "episodes")?;
        let correct = std::cell::Cell::new((0_u32, 0_u32));
        let collected =
            collect(fleet, roster, store, &plan, questions, |done, episode: Option<&Episode>| {
                bar.set_position(done as u64);
                match episode {
                    None => bar.reset_eta(),
                    Some(episode) => {
                        let (hits, n) = correct.get();
                        let hit = u32::from(episode.verdict() == Some(Verdict::Correct));
                        correct.set((hits + hit, n + 1));
                        bar.set_message(format!(
                            "· {:.0} % right",
                            100.0 * f64::from(hits + hit) / f64::from(n + 1)
                        ));
                    }
                }
            });
        bar.finish_and_clear();
        fleet.set(self.preset);
        let collected = collected?;
        tell(&collected.skipped);
        Ok(collected)
    }
}
