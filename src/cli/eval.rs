//! `pointsman eval`: compares routers on the same questions and seeds.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::atomic_file::AtomicFile;
use super::error::{CommandError, CommandResult};
use super::options::CommonArgs;
use super::progress_bar::{bar, counted};
use super::runner_pool::load_pool;
use super::stdio::note;
use super::task_args::{TaskArgs, first_questions};
use super::{CommandStatus, eval_stored, output, policy_lookup};
use crate::config::{DraftLength, Folders, Preset};
use crate::evaluation::{
    Baselines, COLUMN_LEGEND, EvalRun, RouterMetrics, RouterRun, metrics_table, plot,
    router_metrics,
};
use crate::routing::router_name::{ALWAYS_LARGE, ALWAYS_SMALL, POLICY};
use crate::routing::{RouterError, RouterRegistry, router_spec};
use crate::session::{SessionError, check_router};
use crate::tasks::{Split, TaskSet};

/// Routers that are compared by default.
const DEFAULT_ROUTERS: [&str; 6] =
    [POLICY, "entropy", "confidence", ALWAYS_SMALL, ALWAYS_LARGE, "oracle"];

#[derive(Debug, Args)]
#[command(after_long_help = legend("Columns of the table:"))]
pub(super) struct EvalArgs {
    #[command(flatten)]
    tasks: TaskArgs,

    /// Number of questions
    #[arg(short, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,

    /// Routers, separated by commas, each optionally with its own draft length (`confidence:4`); the
    /// others are compared with the first [default: policy if there is one, entropy, confidence,
    /// always-small, always-large, and oracle if the task set has solutions; except those that these
    /// models cannot serve]
    #[arg(long, value_delimiter = ',', value_name = "NAME[:DRAFT]")]
    routers: Option<Vec<RouterArg>>,

    /// Part of the task set: train, develop or test [default: test; all of a file given with --data]
    #[arg(long)]
    split: Option<Split>,

    /// Run only one threshold, that of --threshold or the preset: no curve, in a fifth of the time
    #[arg(long, alias = "point")]
    no_curve: bool,

    /// Resamples of the questions for the intervals
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,

    /// Write the curves as an SVG picture
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write the points of the curves as JSON
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,

    /// Episodes to run at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,

    /// Run nothing: estimate the policy's curve from episodes that `collect` wrote
    #[arg(long, conflicts_with_all = [
        "no_curve", "svg", "curves", "routers", "n", "split", "jobs", "resamples",
        "tasks", "data", "level", "subject", "on_bad_line",
    ])]
    stored: bool,

    /// Print one JSON object per router (with --stored, per threshold) instead of a table
    #[arg(long)]
    json: bool,
}

/// The meaning of the table's columns, a line each.
fn legend(title: &str) -> String {
    let width = COLUMN_LEGEND.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines = COLUMN_LEGEND.map(|(name, meaning)| format!("\n  {name:<width$}  {meaning}"));
    format!("{title}{}", lines.concat())
}

/// A router to compare.
#[derive(Debug, Clone)]
struct RouterArg {
    name: String,
    /// `None`: the preset's, else the router's own.
    draft: Option<DraftLength>,
}

impl RouterArg {
    /// The preset that the router is run with.
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

/// Runs all routers on the questions, and prints their metrics.
///
/// # Errors
/// If the configuration is invalid, or a model or a router fails.
pub(super) fn run(
    args: &EvalArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
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
    let routers: Vec<RouterArg> = match &args.routers {
        Some(named) => {
            named.iter().try_for_each(check_compatible)?;
            named.clone()
        }
        None => default_routers(&registry, &set, check_compatible),
    };
    let mut pool = load_pool(&preset, folders, args.jobs)?;
    policy_lookup::warn_if_models_differ(&registry, pool.first());
    let eval_run =
        EvalRun { pool: &mut pool, registry: &registry, questions: &questions, seed: common.seed };
    let (baselines, runs, failure) = run_routers(eval_run, &routers, &preset, !args.no_curve)?;
    let metrics =
        router_metrics(&runs, &baselines, !args.no_curve, args.resamples as usize, common.seed)?;
    print_metrics(&metrics, args.json)?;
    if let Some(error) = failure {
        return Err(error);
    }
    if let Some(path) = &args.svg {
        let n = questions.len();
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

/// Runs the baselines and the routers, up to the first router that fails, if any. The runs before it are
/// returned with its error: they may have taken hours.
///
/// # Errors
/// If a baseline fails, or if no router succeeds.
fn run_routers(
    mut eval_run: EvalRun<'_>,
    routers: &[RouterArg],
    preset: &Preset,
    curve: bool,
) -> CommandResult<(Baselines, Vec<RouterRun>, Option<CommandError>)> {
    let questions = eval_run.questions.len();
    let baseline_bar = bar(2 * questions, "both models")?;
    let (baselines, baseline_runs) = eval_run.run_baselines(|| counted(&baseline_bar))?;
    baseline_bar.finish_and_clear();
    let mut runs: Vec<RouterRun> = Vec::new();
    let mut failure = None;
    for router in routers {
        let name = &router.name;
        if let Some(run) = baseline_runs.iter().find(|run| run.router == *name) {
            runs.push(run.clone());
            continue;
        }
        if failure.is_some() {
            continue;
        }
        eval_run.pool.set_preset(&router.preset(preset));
        let bar = bar(questions, name)?;
        let run = eval_run.run(name, curve, || counted(&bar));
        bar.finish_and_clear();
        match run {
            Ok(run) => runs.push(run),
            Err(error) => failure = Some(router_failure(name, error)),
        }
    }
    match failure {
        Some(error) if runs.is_empty() => Err(error),
        failure => Ok((baselines, runs, failure)),
    }
}

fn router_failure(name: &str, error: SessionError) -> CommandError {
    CommandError::from(error).context(format!("router {name}"))
}

fn print_metrics(metrics: &[RouterMetrics], json: bool) -> CommandResult<()> {
    if json {
        for metrics in metrics {
            output::print_json(metrics)?;
        }
        return Ok(());
    }
    output::print_line(&metrics_table(metrics))?;
    note!("\n{}", legend("Columns:"));
    Ok(())
}

/// The default routers that can be compared here. The help says that `policy` and `oracle` may be missing;
/// other reasons are reported.
fn default_routers(
    registry: &RouterRegistry,
    set: &TaskSet,
    check_compatible: impl Fn(&RouterArg) -> Result<(), RouterError>,
) -> Vec<RouterArg> {
    let is_available = |name: &&str| {
        router_spec(name).is_some_and(|spec| {
            (set.has_solutions() || !spec.requirements.solution)
                && (registry.policy().is_some() || !spec.needs_policy())
        })
    };
    let candidates = DEFAULT_ROUTERS
        .into_iter()
        .filter(is_available)
        .map(|name| RouterArg { name: name.to_owned(), draft: None });
    let is_compatible = |router: &RouterArg| match check_compatible(router) {
        Ok(()) => true,
        Err(reason) => {
            note!("pointsman: {} is left out: {reason}", router.name);
            false
        }
    };
    candidates.filter(is_compatible).collect()
}

fn curves(metrics: &[RouterMetrics]) -> serde_json::Value {
    let curve = |m: &RouterMetrics| serde_json::json!({"router": m.router, "curve": m.curve});
    metrics.iter().map(curve).collect()
}
