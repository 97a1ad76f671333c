//! `pointsman eval`: routers compared on the same questions and seeds.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::options::Common;
use super::{Outcome, pair, style};
use crate::config::Folders;
use crate::evaluation::{relate, score, table};
use crate::routing::by_name;
use crate::tasks::arithmetic::Split;
use crate::tasks::{Question, questions};
use crate::terminal::quiet;

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Task set
    #[arg(long, default_value = "arithmetic", value_name = "SET")]
    pub tasks: String,

    /// Number of questions
    #[arg(short, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,

    /// Routers, with commas between them
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "always-small,always-large,entropy,confidence,oracle",
        value_name = "NAMES"
    )]
    pub routers: Vec<String>,

    /// Part of the task set: test, or develop
    #[arg(long, default_value = "test")]
    pub split: Split,

    /// One JSON object a router, instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Runs all routers over the questions and prints what they achieved.
///
/// # Errors
/// When the configuration is invalid, or a model or a router fails.
pub fn run(args: EvalArgs, common: &Common, folders: &Folders) -> anyhow::Result<Outcome> {
    let preset = common.preset(folders)?;
    for router in &args.routers {
        by_name(router)?;
    }
    let n = args.n as usize;
    let asked: Vec<Question> = questions(&args.tasks, args.split, common.seed)?.take(n).collect();
    let mut conductor = quiet(|| pair::load(&preset, &folders.cache))??;
    let mut scores = Vec::new();
    for router in &args.routers {
        let bar = ProgressBar::new(asked.len() as u64).with_style(
            ProgressStyle::with_template("{prefix:>14} {bar:30} {pos}/{len} {per_sec} {eta}")?
                .progress_chars("=> "),
        );
        bar.set_prefix(router.clone());
        let result = score(&mut conductor, router, &asked, common.seed, |_| bar.inc(1));
        bar.finish_and_clear();
        scores.push(result?);
    }
    relate(&mut scores);
    if args.json {
        for score in &scores {
            style::line(&serde_json::to_string(score)?)?;
        }
    } else {
        style::line(&table(&scores))?;
    }
    Ok(Outcome::Done)
}
