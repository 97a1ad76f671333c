//! `pointsman eval`: routers compared on the same questions and seeds.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::atomic_file::AtomicFile;
use super::error::{CommandError, CommandResult};
use super::options::CommonArgs;
use super::progress_bar::bar;
use super::runner_pool::load_pool;
use super::task_args::{TaskArgs, first_questions};
use super::{CommandStatus, eval_stored, output, policy_lookup};
use crate::config::{DraftLength, Folders, Preset};
use crate::evaluation::{EvalRun, RouterMetrics, RouterRun, metrics_table, plot, router_metrics};
use crate::routing::{RouterError, RouterRegistry};
use crate::session::check_router;
use crate::tasks::TaskSet;
use crate::tasks::arithmetic::Split;

/// Routers that are compared where none are named.
const DEFAULT_ROUTERS: [&str; 6] =
    ["policy", "entropy", "confidence", "always-small", "always-large", "oracle"];

#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Number of questions
    #[arg(short, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,

    /// Routers, with commas between them, each with a draft of its own where one is named
    /// (`confidence:4`); the others are compared with the first [default: policy where there is
    /// one, entropy, confidence, always-small, always-large, and oracle where the task set has
    /// solutions; none that these models cannot serve]
    #[arg(long, value_delimiter = ',', value_name = "NAME[:GLIMPSE]")]
    pub routers: Option<Vec<RouterArg>>,

    /// Part of the task set: train, develop or test [default: test; all of a file given with --data]
    #[arg(long)]
    pub split: Option<Split>,

    /// Only at the threshold in force: no curve, and a fifth of the time
    #[arg(long, alias = "point")]
    pub no_curve: bool,

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
        "no_curve", "svg", "curves", "routers", "n", "split", "jobs", "resamples",
        "tasks", "data", "level", "subject", "on_bad_line",
    ])]
    pub stored: bool,

    /// One JSON object a router (with --stored, a threshold), instead of a table
    #[arg(long)]
    pub json: bool,
}

/// A router to compare.
#[derive(Debug, Clone)]
pub struct RouterArg {
    pub name: String,
    /// The preset's, else its own, where absent.
    pub draft: Option<DraftLength>,
}

impl RouterArg {
    /// The preset that it is run with.
    fn preset(&self, preset: &Preset) -> Preset {
        let mut own = preset.clone();
        own.routing.draft_length = self.draft.or(preset.routing.draft_length);
        own
    }
}

impl FromStr for RouterArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, draft) = match text.split_once(':') {
            None => (text, None),
            Some((name, draft)) => (name, Some(draft.parse::<DraftLength>()?)),
        };
        Ok(Self { name: name.to_owned(), draft })
    }
}

/// Runs all routers over the questions and prints what they achieved.
///
/// # Errors
/// When the configuration is invalid, or a model or a router fails.
pub fn run(args: EvalArgs, common: &CommonArgs, folders: &Folders) -> CommandResult<CommandStatus> {
    let preset = common.preset(folders)?;
    if args.stored {
        return eval_stored::run(args.json, &preset, common, folders);
    }
    for path in [&args.svg, &args.curves].into_iter().flatten() {
        AtomicFile::check_writable(path)?;
    }
    let set = args.tasks.open(args.split, Split::Test)?;
    let questions = first_questions(&set, common.seed, args.n as usize);
    let named = args.routers.as_deref().unwrap_or_default();
    let mut names: Vec<String> = named.iter().map(|router| router.name.clone()).collect();
    if args.routers.is_none() {
        names.extend(DEFAULT_ROUTERS.map(str::to_owned));
    }
    let registry = policy_lookup::registry_for(common, &preset, folders, &names)?;
    let check_compatible = |router: &RouterArg| {
        let own = router.preset(&preset);
        check_router(registry.router(&router.name)?.as_ref(), &own, &questions)
    };
    let routers: Vec<RouterArg> = match args.routers {
        Some(named) => {
            named.iter().try_for_each(check_compatible)?;
            named
        }
        None => default_routers(&registry, &set, check_compatible),
    };
    let n = questions.len();
    let mut pool = load_pool(&preset, folders, args.jobs)?;
    policy_lookup::warn_if_models_differ(&registry, pool.first());
    let mut eval_run =
        EvalRun { pool: &mut pool, registry: &registry, questions: &questions, seed: common.seed };

    let baseline_bar = bar(2 * questions.len(), "both models")?;
    let (baselines, baseline_runs) = eval_run.run_baselines(|| baseline_bar.inc(1))?;
    baseline_bar.finish_and_clear();
    let mut runs: Vec<RouterRun> = Vec::new();
    let mut failure = None;
    for router in &routers {
        let name = &router.name;
        if let Some(run) = baseline_runs.iter().find(|run| run.router == *name) {
            runs.push(run.clone());
            continue;
        }
        if failure.is_some() {
            continue;
        }
        eval_run.pool.set_preset(&router.preset(&preset));
        let bar = bar(questions.len(), name)?;
        let run = eval_run.run(name, !args.no_curve, || bar.inc(1));
        bar.finish_and_clear();
        match run {
            Ok(run) => runs.push(run),
            // What those before it achieved took its time, and is told.
            Err(error) => {
                failure = Some(CommandError::from(error).context(format!("router {name}")));
            }
        }
    }
    if runs.is_empty()
        && let Some(error) = failure
    {
        return Err(error);
    }
    let metrics =
        router_metrics(&runs, &baselines, !args.no_curve, args.resamples as usize, common.seed)?;
    if args.json {
        for metrics in &metrics {
            output::print_line(&serde_json::to_string(metrics)?)?;
        }
    } else {
        output::print_line(&metrics_table(&metrics))?;
    }
    if let Some(error) = failure {
        return Err(error);
    }
    if let Some(path) = &args.svg {
        let title =
            format!("{} · {n} questions of {} · seed {}", preset.name, set.name(), common.seed);
        let svg = plot(&metrics, &title).map_err(CommandError::failure)?;
        AtomicFile::write(path, svg.as_bytes())?;
    }
    if let Some(path) = &args.curves {
        AtomicFile::write(path, &serde_json::to_vec_pretty(&curves(&metrics))?)?;
    }
    Ok(CommandStatus::Success)
}

/// The usual routers that can be compared here. That a pair of one's own has no policy before one is trained, and
/// that an oracle needs solutions, is in the help; what else keeps one out is told.
fn default_routers(
    registry: &RouterRegistry,
    set: &TaskSet,
    check_compatible: impl Fn(&RouterArg) -> Result<(), RouterError>,
) -> Vec<RouterArg> {
    let can = |name: &&str| match *name {
        "oracle" => set.has_solutions(),
        "policy" => registry.policy().is_some(),
        _ => true,
    };
    let candidates = DEFAULT_ROUTERS
        .into_iter()
        .filter(can)
        .map(|name| RouterArg { name: name.to_owned(), draft: None });
    let is_compatible = |router: &RouterArg| match check_compatible(router) {
        Ok(()) => true,
        Err(reason) => {
            eprintln!("pointsman: without {}: {reason}", router.name);
            false
        }
    };
    candidates.filter(is_compatible).collect()
}

fn curves(metrics: &[RouterMetrics]) -> serde_json::Value {
    let curve = |metrics: &RouterMetrics| serde_json::json!({"router": metrics.router, "curve": metrics.curve});
    metrics.iter().map(curve).collect()
}
