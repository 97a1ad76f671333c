//! Off-policy estimates against fresh episodes.
//!
//! Episodes of the tiny pair under a random threshold each, as `pointsman collect` writes them, give an estimated
//! curve. It is compared with fresh episodes of other questions at every threshold. Neighbouring thresholds share
//! episodes, so their errors are correlated; hence several logs.

use clap::Args;
use indicatif::ProgressBar;
use pointsman::config::Exploration;
use pointsman::evaluation::{CurvePoint, EvalRun, OffPolicyLog, curve};
use pointsman::session::{EpisodeSpec, NullObserver, SessionError};
use pointsman::tasks::arithmetic::Split;
use pointsman::training::{Dataset, logged_episodes};

use crate::setup::{PolicyStudy, draw};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Policy file, or an embedded policy
    #[arg(long, default_value = "builtin:tiny")]
    policy: String,
    /// Number of episodes of one log
    #[arg(short, default_value_t = 2000)]
    n: usize,
    /// Number of logs
    #[arg(long, default_value_t = 10)]
    logs: u64,
    /// Number of fresh questions
    #[arg(long, default_value_t = 6000)]
    fresh: usize,
    #[arg(long, default_value_t = 70_000)]
    seed: u64,
}

/// Number of thresholds at which the fresh value is inside the interval of the estimate.
#[derive(Default)]
struct Hits {
    supported: usize,
    accuracy: usize,
    cost: usize,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let PolicyStudy { preset, policy, registry, mut pool } = PolicyStudy::load(&arguments.policy)?;
    let bar = ProgressBar::new(arguments.logs * arguments.n as u64 + 3 * arguments.fresh as u64);

    let fresh = draw(Split::Test, arguments.seed, arguments.fresh)?;
    let mut eval_run =
        EvalRun { pool: &mut pool, registry: &registry, questions: &fresh, seed: arguments.seed };
    let (baselines, _) = eval_run.run_baselines(|| bar.inc(1))?;
    let swept = eval_run.run("policy", true, || bar.inc(1))?;
    let points = curve(swept.sweeps(), &baselines, &policy.card.quantiles)?;
    let unit = baselines.large.iter().map(|o| o.cost).sum::<f64>() / fresh.len().max(1) as f64;

    let mut exploring = preset.clone();
    exploring.routing.exploration =
        Some(Exploration { quantiles: policy.card.quantiles.clone(), coin: 0.0 });
    pool.set_preset(&exploring);
    let mut logs = Vec::new();
    for number in 1..=arguments.logs {
        let seed = arguments.seed + number;
        let questions = draw(Split::Test, seed, arguments.n)?;
        let mut dataset = Dataset::default();
        let run = |runner: &mut pointsman::session::EpisodeRunner, i: usize| {
            let mut router = registry.router("policy")?;
            let spec =
                EpisodeSpec::new(&questions[i], router.as_mut(), seed.wrapping_add(i as u64));
            runner.run(spec, &mut NullObserver, &mut NullObserver)
        };
        pool.for_each_index(questions.len(), run, |_, episode| {
            dataset.add(&episode, &policy.card.pair, &policy.card.set);
            bar.inc(1);
            Ok::<(), SessionError>(())
        })?;
        logs.push((seed, OffPolicyLog::new(&logged_episodes(&dataset.trajectories, &policy)?)));
    }
    bar.finish_and_clear();

    for (i, (seed, log)) in logs.iter().enumerate() {
        if i == 0 {
            println!("The first log (seed {seed}), {} episodes:\n", arguments.n);
            println!(
                "| threshold | fresh accuracy | estimated | 95 % | fresh cost share | estimated | 95 % | effective | |"
            );
            println!("|--:|--:|--:|--:|--:|--:|--:|--:|---|");
        }
        let hits = compare_log(log, &points, unit, i == 0);
        if i == 0 {
            println!("\nAll logs, against the same {} fresh questions:\n", arguments.fresh);
            println!(
                "| seed | supported thresholds | fresh accuracy within the interval | fresh cost |"
            );
            println!("|--:|--:|--:|--:|");
        }
        let Hits { supported, accuracy, cost } = hits;
        println!("| {seed} | {supported} | {accuracy} | {cost} |");
    }
    Ok(())
}

/// Compares the estimates of one log with the fresh curve; with `print`, prints a row for each threshold.
fn compare_log(log: &OffPolicyLog, points: &[CurvePoint], unit: f64, print: bool) -> Hits {
    let mut hits = Hits::default();
    let percent = |x: f64| format!("{:.1} %", x * 100.0);
    let range = |[a, b]: [f64; 2]| format!("{:.1}–{:.1}", a * 100.0, b * 100.0);
    let inside = |x: f64, [low, high]: [f64; 2]| (low..=high).contains(&x);
    for point in points {
        let estimate = log.estimate(point.threshold);
        let (Some(accuracy), Some(accuracy_ci), Some(cost), Some(cost_ci)) =
            (estimate.accuracy, estimate.accuracy_ci, estimate.cost, estimate.cost_ci)
        else {
            continue;
        };
        let within = [inside(point.accuracy, accuracy_ci), inside(point.cost, cost_ci)];
        if estimate.supported {
            hits.supported += 1;
            hits.accuracy += usize::from(within[0]);
            hits.cost += usize::from(within[1]);
        }
        let note = match (estimate.supported, within) {
            (false, _) => "not supported",
            (true, [true, true]) => "",
            (true, [false, true]) => "accuracy outside",
            (true, [true, false]) => "cost outside",
            (true, [false, false]) => "both outside",
        };
        if print {
            println!(
                "| {:.4} | {} | {} | {} | {} | {} | {} | {:.0} | {note} |",
                point.threshold,
                percent(point.accuracy),
                percent(accuracy),
                range(accuracy_ci),
                percent(point.cost / unit),
                percent(cost / unit),
                range(cost_ci.map(|c| c / unit)),
                estimate.effective
            );
        }
    }
    hits
}
