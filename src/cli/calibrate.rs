//! `pointsman calibrate`: a threshold for a target accuracy or cost.

use clap::{ArgGroup, Args};

use super::error::{CommandError, CommandResult};
use super::open_store;
use super::options::{CommonArgs, parse_cost_share, parse_open_probability};
use super::progress_bar::{bar, counted};
use super::runner_pool::load_pool;
use super::stdio::note;
use super::task_args::{TaskArgs, unseen_questions};
use super::{CommandStatus, output, policy_lookup};
use crate::config::Folders;
use crate::evaluation::{CALIBRATION_QUESTIONS, CONFIDENCE, CalibrationRun, calibration_seed};
use crate::routing::{Calibration, CalibrationTarget, Provenance, router_name};
use crate::session::check_router;
use crate::tasks::Split;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("target").required(true).args(["target_accuracy", "target_cost"])))]
pub(super) struct CalibrateArgs {
    /// Share of the large model's accuracy to keep: at most 1 minus this share of all questions may be
    /// answered wrong although the large model alone answers them right
    #[arg(long, value_name = "0..1", value_parser = parse_open_probability)]
    target_accuracy: Option<f64>,

    /// Mean cost to keep to, as a share of always-large's
    #[arg(long, value_name = "SHARE", value_parser = parse_cost_share)]
    target_cost: Option<f64>,

    /// Probability with which the target accuracy is kept
    #[arg(long, default_value_t = CONFIDENCE, value_name = "0..1", value_parser = parse_open_probability)]
    confidence: f64,

    /// Number of fresh questions to calibrate on
    #[arg(short, default_value_t = CALIBRATION_QUESTIONS, value_parser = clap::value_parser!(u32).range(20..))]
    n: u32,

    #[command(flatten)]
    tasks: TaskArgs,

    /// Part of the task set: train, develop or test [default: develop; all of a file given with --data]
    #[arg(long)]
    split: Option<Split>,

    /// Episodes to run at once [default: as many as help]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,
}

/// Finds a threshold on fresh questions, and stores it.
///
/// # Errors
/// If there is no policy, an episode cannot be run, or the store fails.
pub(super) fn run(
    args: &CalibrateArgs,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let preset = common.preset(folders)?;
    let store = open_store::for_writing(common, folders)?;
    let registry = policy_lookup::registry(common, &preset, Some(&store))?;
    let router = registry.router(router_name::POLICY)?;
    let seed = calibration_seed(common.seed);
    let set = args.tasks.open(args.split, Split::Develop)?;
    let questions = unseen_questions(&set, &store, seed, args.n as usize)?;
    check_router(router.as_ref(), &preset, &questions)?;
    let target = match (args.target_accuracy, args.target_cost) {
        (Some(accuracy), _) => {
            CalibrationTarget::Accuracy { accuracy, confidence: args.confidence }
        }
        (None, Some(share)) => CalibrationTarget::Cost { share },
        (None, None) => return Err(CommandError::usage("give --target-accuracy or --target-cost")),
    };
    let mut pool = load_pool(&preset, folders, args.jobs)?;
    policy_lookup::warn_if_models_differ(&registry, pool.first());
    let mut calibration_run = CalibrationRun {
        pool: &mut pool,
        registry: &registry,
        questions: &questions,
        task_set: set.name(),
        seed,
    };
    let bar = bar(calibration_run.total(), "questions")?;
    let found = calibration_run.calibrate(target, || counted(&bar));
    bar.finish_and_clear();
    let Some(found) = found? else {
        note!(
            "pointsman: no threshold meets the target on these {} questions: use more with -n, or aim lower",
            questions.len()
        );
        return Ok(CommandStatus::Failure);
    };
    if let Some([low, high]) = found.cost_share_ci {
        note!("95 % interval of the cost share: {:.1}–{:.1} %", low * 100.0, high * 100.0);
    }
    let calibration = found.calibration;
    store.save_calibration(&calibration)?;
    output::print_line(&describe_calibration(&calibration, &calibration.provenance))?;
    Ok(CommandStatus::Success)
}

/// A calibration in a line, and whether it still holds.
pub(super) fn describe_calibration(calibration: &Calibration, now: &Provenance) -> String {
    format!(
        "threshold {:.4} for {} · {:.1} % correct at {:.1} % of the cost on {} questions of {} (seed {}) · {}",
        calibration.threshold,
        calibration.target,
        calibration.accuracy * 100.0,
        calibration.cost_share * 100.0,
        calibration.n,
        calibration.provenance.tasks,
        calibration.seed,
        calibration.state(now)
    )
}
