//! `pointsman eval`: routers compared on the same questions and seeds.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::fleet::fleet;
use super::options::Common;
use super::outfile::OutFile;
use super::progress::bar;
use super::tasks::{TaskArgs, sample};
use super::{Outcome, estimate, policies, style};
use crate::config::{Folders, Glimpse, Preset};
use crate::evaluation::{Run, Score, Trial, plot, scores, table};
use crate::routing::{Roster, RouterError};
use crate::session::check_router;
use crate::tasks::TaskSet;
use crate::tasks::arithmetic::Split;

/// Routers that are compared where none are named.
const USUAL: [&str; 6] =
    ["policy", "entropy", "confidence", "always-small", "always-large", "oracle"];

#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Number of questions
    #[arg(short, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,

    /// Routers, with commas between them, each with a glimpse of its own where one is named
    /// (`confidence:4`); the others are compared with the first [default: policy where there is
    /// one, entropy, confidence, always-small, always-large, and oracle where the task set has
    /// solutions; none that these models cannot serve]
    #[arg(long, value_delimiter = ',', value_name = "NAME[:GLIMPSE]")]
    pub routers: Option<Vec<Entrant>>,

    /// Part of the task set: train, develop or test [default: test; all of a file given with --data]
    #[arg(long)]
    pub split: Option<Split>,

    /// Only at the threshold in force: no curve, and a fifth of the time
    #[arg(long)]
    pub point: bool,

    /// Resamples of the questions for the intervals
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub resamples: u32,

    /// Write the curves as a picture
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,

    /// Write the points of the curves, as JSON
    #[arg(long, value_name = "FILE")]
    pub curves: Option<PathBuf>,

    /// Episodes at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,

    /// Run nothing: estimate the policy's curve from the episodes that `collect` wrote
    #[arg(long, conflicts_with_all = [
        "point", "svg", "curves", "routers", "n", "split", "jobs", "resamples",
        "tasks", "data", "level", "subject", "on_bad_line",
    ])]
    pub stored: bool,

    /// One JSON object a router (with --stored, a threshold), instead of a table
    #[arg(long)]
    pub json: bool,
}

/// A router to compare.
#[derive(Debug, Clone)]
pub struct Entrant {
    pub name: String,
    /// The preset's, else its own, where absent.
    pub glimpse: Option<Glimpse>,
}

impl Entrant {
    /// The preset that it is run with.
    fn preset(&self, preset: &Preset) -> Preset {
        let mut own = preset.clone();
        own.routing.glimpse = self.glimpse.or(preset.routing.glimpse);
        own
    }
}

impl FromStr for Entrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, glimpse) = match text.split_once(':') {
            None => (text, None),
            Some((name, glimpse)) => (name, Some(glimpse.parse::<Glimpse>()?)),
        };
        Ok(Self { name: name.to_owned(), glimpse })
    }
}

/// Runs all routers over the questions and prints what they achieved.
///
/// # Errors
/// When the configuration is invalid, or a model or a router fails.
pub fn run(args: EvalArgs, common: &Common, folders: &Folders) -> anyhow::Result<Outcome> {
    let preset = common.preset(folders)?;
    if args.stored {
        return estimate::run(args.json, &preset, common, folders);
    }
    for path in [&args.svg, &args.curves].into_iter().flatten() {
        OutFile::check(path)?;
    }
    let set = args.tasks.open(args.split, Split::Test)?;
    let asked = sample(&set, common.seed, args.n as usize);
    let named = args.routers.as_deref().unwrap_or_default();
    let mut names: Vec<String> = named.iter().map(|entrant| entrant.name.clone()).collect();
    if args.routers.is_none() {
        names.extend(USUAL.map(str::to_owned));
    }
    let roster = policies::roster_for(common, &preset, folders, &names)?;
    let fits = |entrant: &Entrant| {
        let own = entrant.preset(&preset);
        check_router(roster.router(&entrant.name)?.as_ref(), &own, &asked)
    };
    let routers: Vec<Entrant> = match args.routers {
        Some(named) => {
            named.iter().try_for_each(fits)?;
            named
        }
        None => usual(&roster, &set, fits),
    };
    let n = asked.len();
    let mut fleet = fleet(&preset, folders, args.jobs)?;
    policies::warn_of_strangers(&roster, fleet.first());
    let mut trial =
        Trial { fleet: &mut fleet, roster: &roster, questions: &asked, seed: common.seed };

    let ended = bar(2 * asked.len(), "both models")?;
    let (ends, alone) = trial.ends(|| ended.inc(1))?;
    ended.finish_and_clear();
    let mut runs: Vec<Run> = Vec::new();
    let mut broken = None;
    for entrant in &routers {
        let name = &entrant.name;
        if let Some(run) = alone.iter().find(|run| run.router == *name) {
            runs.push(run.clone());
            continue;
        }
        if broken.is_some() {
            continue;
        }
        trial.fleet.set(&entrant.preset(&preset));
        let bar = bar(asked.len(), name)?;
        let run = trial.run(name, !args.point, || bar.inc(1));
        bar.finish_and_clear();
        match run {
            Ok(run) => runs.push(run),
            // What those before it achieved took its time, and is told.
            Err(error) => {
                broken = Some(anyhow::Error::from(error).context(format!("router {name}")));
            }
        }
    }
    if runs.is_empty()
        && let Some(error) = broken
    {
        return Err(error);
    }
    let scores = scores(&runs, &ends, !args.point, args.resamples as usize, common.seed)?;
    if args.json {
        for score in &scores {
            style::line(&serde_json::to_string(score)?)?;
        }
    } else {
        style::line(&table(&scores))?;
    }
    if let Some(error) = broken {
        return Err(error);
    }
    if let Some(path) = &args.svg {
        let title =
            format!("{} · {n} questions of {} · seed {}", preset.name, set.name(), common.seed);
        let svg = plot(&scores, &title).map_err(anyhow::Error::msg)?;
        OutFile::write(path, svg.as_bytes())?;
    }
    if let Some(path) = &args.curves {
        OutFile::write(path, &serde_json::to_vec_pretty(&curves(&scores))?)?;
    }
    Ok(Outcome::Done)
}

/// The usual routers that can be compared here. That a pair of one's own has no policy before one is trained, and
/// that an oracle needs solutions, is in the help; what else keeps one out is told.
fn usual(
    roster: &Roster,
    set: &TaskSet,
    fits: impl Fn(&Entrant) -> Result<(), RouterError>,
) -> Vec<Entrant> {
    let can = |name: &&str| match *name {
        "oracle" => set.has_solutions(),
        "policy" => roster.policy().is_some(),
        _ => true,
    };
    let entrants =
        USUAL.into_iter().filter(can).map(|name| Entrant { name: name.to_owned(), glimpse: None });
    let told = |entrant: &Entrant| match fits(entrant) {
        Ok(()) => true,
        Err(reason) => {
            eprintln!("pointsman: without {}: {reason}", entrant.name);
            false
        }
    };
    entrants.filter(told).collect()
}

fn curves(scores: &[Score]) -> serde_json::Value {
    let curve = |score: &Score| serde_json::json!({"router": score.router, "curve": score.curve});
    scores.iter().map(curve).collect()
}
