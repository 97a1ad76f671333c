//! `pointsman calibrate`: a threshold for a target.

use clap::{ArgGroup, Args};

use super::error::{CommandError, CommandResult, Context};
use super::options::{CommonArgs, parse_cost_share, parse_open_probability, unseen_seed};
use super::progress_bar::bar;
use super::runner_pool::load_pool;
use super::task_args::{TaskArgs, unseen_questions};
use super::{CommandStatus, output, policy_lookup};
use crate::config::Folders;
use crate::engine::Flow;
use crate::evaluation::{Bootstrap, EvalRun, cost_target, curve, learn_then_test, misses};
use crate::routing::{Calibration, CalibrationTarget, Policy, Provenance, RouterRegistry};
use crate::session::{EpisodeRunner, RunnerPool, check_router, now_ms};
use crate::store::Store;
use crate::tasks::Question;
use crate::tasks::arithmetic::Split;

/// Resamples of the questions for the interval of a cost.
const RESAMPLES: usize = 2000;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("target").required(true).args(["target_accuracy", "target_cost"])))]
pub struct CalibrateArgs {
    /// Share of the large model's accuracy to keep: at most 1 − this of all questions may be
    /// answered wrong that the large model alone answers right
    #[arg(long, value_name = "0..1", value_parser = parse_open_probability)]
    pub target_accuracy: Option<f64>,

    /// Mean cost to keep to, as a share of always-large's
    #[arg(long, value_name = "SHARE", value_parser = parse_cost_share)]
    pub target_cost: Option<f64>,

    /// Probability with which a target accuracy is kept
    #[arg(long, default_value_t = 0.95, value_name = "0..1", value_parser = parse_open_probability)]
    pub confidence: f64,

    /// Fresh questions to calibrate on
    #[arg(short, default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..))]
    pub n: u32,

    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Part of the task set: train, develop or test [default: develop; all of a file given with --data]
    #[arg(long)]
    pub split: Option<Split>,

    /// Episodes at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
}

/// Finds a threshold on fresh episodes and keeps it in the store.
///
/// # Errors
/// When no threshold meets the target, or an episode cannot be run.
pub fn run(
    args: CalibrateArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let preset = common.preset(folders)?;
    let store = Store::open(&common.store(folders))?;
    let registry = policy_lookup::registry(common, &preset, Some(&store))?;
    let router = registry.router("policy")?;
    let policy = registry.policy().context("there is no policy")?;
    // Another seed than that of collections: training must not have seen these questions.
    let seed = unseen_seed(common.seed, 1);
    let set = args.tasks.open(args.split, Split::Develop)?;
    let questions = unseen_questions(&set, &store, seed, args.n as usize)?;
    check_router(router.as_ref(), &preset, &questions)?;
    let mut pool = load_pool(&preset, folders, args.jobs)?;
    policy_lookup::warn_if_models_differ(&registry, pool.first());
    let bar = bar(3 * questions.len(), "questions")?;
    let target = match (args.target_accuracy, args.target_cost) {
        (Some(accuracy), _) => {
            CalibrationTarget::Accuracy { accuracy, confidence: args.confidence }
        }
        (None, Some(share)) => CalibrationTarget::Cost { share },
        (None, None) => {
            return Err(CommandError::failure("give --target-accuracy or --target-cost"));
        }
    };
    let calibrated =
        calibrate(&mut pool, &registry, policy, (&questions, set.name()), seed, target, || {
            bar.inc(1)
        })?;
    bar.finish_and_clear();
    let Some((calibration, ci)) = calibrated else {
        eprintln!(
            "pointsman: no threshold meets the target on these {} questions: ask more with -n, or aim lower",
            questions.len()
        );
        return Ok(CommandStatus::Failure);
    };
    if let Some(ci) = ci {
        eprintln!("95 % of the cost share: {:.1}–{:.1} %", ci[0] * 100.0, ci[1] * 100.0);
    }
    store.save_calibration(&calibration)?;
    output::print_line(&describe_calibration(&calibration, &calibration.provenance))?;
    Ok(CommandStatus::Success)
}

/// Asks fresh questions, those of the task set `asked.1`, and finds the threshold that meets the target on them, with the
/// 95 % interval of the cost share where that is the target; nothing where none does. `progress` is told three times a question.
///
/// # Errors
/// When an episode cannot be run.
pub fn calibrate<P: Into<Flow>>(
    pool: &mut RunnerPool,
    registry: &RouterRegistry,
    policy: &Policy,
    questions: (&[Question], &str),
    seed: u64,
    target: CalibrationTarget,
    progress: impl Fn() -> P + Copy,
) -> CommandResult<Option<(Calibration, Option<[f64; 2]>)>> {
    let (questions, tasks) = questions;
    let mut eval_run = EvalRun { pool, registry, questions, seed };
    let (baselines, _) = eval_run.run_baselines(progress)?;
    let run = eval_run.run("policy", true, progress)?;
    // The guarantee wants thresholds that these questions had no say in.
    let thresholds = &policy.card.quantiles;
    let (threshold, ci) = match target {
        CalibrationTarget::Accuracy { accuracy, confidence } => {
            let misses = misses(run.sweeps(), &baselines.large, thresholds)?;
            let n = questions.len() as u64;
            let found = learn_then_test(&misses, n, 1.0 - accuracy, 1.0 - confidence);
            (found.map(|i| thresholds[i]), None)
        }
        CalibrationTarget::Cost { share } => {
            let bootstrap = Bootstrap::new(questions.len(), RESAMPLES, seed);
            let found = cost_target(run.sweeps(), &baselines, thresholds, share, &bootstrap)?;
            (found.map(|f| f.threshold), found.and_then(|f| f.ci))
        }
    };
    let Some(threshold) = threshold else { return Ok(None) };
    let point = curve(run.sweeps(), &baselines, &[threshold])?;
    let point = point.first().context("there are no questions")?;
    let calibration = Calibration {
        threshold,
        target,
        n: questions.len(),
        seed,
        accuracy: point.accuracy,
        cost_share: point.cost_share.unwrap_or(0.0),
        at_ms: now_ms(),
        provenance: provenance_now(policy, pool.first(), tasks)?,
    };
    Ok(Some((calibration, ci)))
}

/// What a policy stands on now.
///
/// # Errors
/// When its weights cannot be read.
pub fn provenance_now(
    policy: &Policy,
    runner: &mut EpisodeRunner,
    tasks: &str,
) -> CommandResult<Provenance> {
    Ok(Provenance::of(policy.digest()?, runner.preset(), runner.pair(), tasks))
}

/// A policy's calibrations: those in its file, then those in the store.
///
/// # Errors
/// When they cannot be read.
pub fn calibrations(store: &Store, policy: &Policy) -> CommandResult<Vec<Calibration>> {
    let digest = policy.digest()?;
    let stored: Vec<Calibration> = store.calibrations()?;
    let mut all = policy.card.calibrations.clone();
    all.extend(
        stored
            .into_iter()
            .filter(|c| c.provenance.router == digest && !policy.card.calibrations.contains(c)),
    );
    Ok(all)
}

/// What a threshold is calibrated for, in words.
pub fn describe_target(target: CalibrationTarget) -> String {
    match target {
        CalibrationTarget::Accuracy { accuracy, confidence } => format!(
            "at most {:.1} % of questions lost to all-large, with confidence {:.0} %",
            (1.0 - accuracy) * 100.0,
            confidence * 100.0
        ),
        CalibrationTarget::Cost { share } => {
            format!("at most {:.0} % of all-large's cost", share * 100.0)
        }
    }
}

/// A calibration in a line, and whether it still holds.
pub fn describe_calibration(calibration: &Calibration, now: &Provenance) -> String {
    let target = describe_target(calibration.target);
    let changed = calibration.provenance.changes_to(now);
    let state = if changed.is_empty() {
        "holds".to_owned()
    } else {
        format!("STALE: {} changed since", changed.join(", "))
    };
    format!(
        "threshold {:.4} for {target} · {:.1} % right at {:.1} % of the cost on {} questions of {} (seed {}) · {state}",
        calibration.threshold,
        calibration.accuracy * 100.0,
        calibration.cost_share * 100.0,
        calibration.n,
        calibration.provenance.tasks,
        calibration.seed
    )
}
