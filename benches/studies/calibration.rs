//! Whether a calibrated threshold keeps its guarantee.
//!
//! Calibrates the policy of the tiny pair with 40 seeds, on 300 questions each, for 95 % of the large model's accuracy
//! with 95 % confidence, as `pointsman calibrate` does. The true rate of misses at a threshold is the rate on fresh
//! questions of another split.

use clap::Args;
use indicatif::ProgressBar;
use pointsman::evaluation::{BaselineOutcome, EvalRun, Sweep, learn_then_test, misses};
use pointsman::tasks::Question;
use pointsman::tasks::arithmetic::Split;

use crate::setup::{PolicyStudy, draw};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Policy file, or an embedded policy
    #[arg(long, default_value = "builtin:tiny")]
    policy: String,
    /// Number of calibrations
    #[arg(long, default_value_t = 40)]
    seeds: u64,
    /// Number of questions of one calibration
    #[arg(short, default_value_t = 300)]
    n: usize,
    /// Number of fresh questions for the true rate
    #[arg(long, default_value_t = 2000)]
    fresh: usize,
    #[arg(long, default_value_t = 0.95)]
    accuracy: f64,
    #[arg(long, default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let PolicyStudy { policy, registry, mut pool, .. } = PolicyStudy::load(&arguments.policy)?;
    let n = arguments.n;
    let all = arguments.seeds as usize * n + arguments.fresh;
    let bar = ProgressBar::new(2 * all as u64);
    let mut run =
        |questions: &[Question], seed: u64| -> anyhow::Result<(Vec<Sweep>, Vec<BaselineOutcome>)> {
            let mut eval_run = EvalRun { pool: &mut pool, registry: &registry, questions, seed };
            let large = eval_run.run("always-large", false, || bar.inc(1))?.outcomes();
            let swept = eval_run.run("policy", true, || bar.inc(1))?;
            Ok((swept.sweeps().to_vec(), large))
        };
    let thresholds = &policy.card.quantiles;
    let fresh = draw(Split::Test, 60_000, arguments.fresh)?;
    let (sweeps, large) = run(&fresh, 60_000)?;
    let truth = misses(&sweeps, &large, thresholds)?;
    let rate = |i: usize| truth[i] as f64 / arguments.fresh as f64;
    let cost = |i: usize| {
        let routed: f64 = sweeps.iter().filter_map(|s| Some(s.at(thresholds[i])?.cost)).sum();
        routed / large.iter().map(|o| o.cost).sum::<f64>()
    };

    let (alpha, delta) = (1.0 - arguments.accuracy, 1.0 - arguments.confidence);
    let mut kept = 0;
    let mut rows = Vec::new();
    for seed in 0..arguments.seeds {
        let questions = draw(Split::Develop, 50_000 + seed, n)?;
        let (sweeps, large) = run(&questions, 50_000 + seed)?;
        let missed = misses(&sweeps, &large, thresholds)?;
        let index = learn_then_test(&missed, n as u64, alpha, delta);
        // If no threshold passes, the large model writes everything and misses nothing.
        let true_rate = index.map_or(0.0, rate);
        kept += usize::from(true_rate <= alpha);
        rows.push((50_000 + seed, index.map(|i| (i, missed[i])), true_rate));
    }
    bar.finish_and_clear();
    println!("| seed | threshold | misses of {n} | true rate of misses | cost share |");
    println!("|--:|--:|--:|--:|--:|");
    for (seed, index, true_rate) in &rows {
        let (threshold, missed, share) = match index {
            Some((i, missed)) => {
                (format!("{:.4}", thresholds[*i]), missed.to_string(), cost(*i) * 100.0)
            }
            None => ("none".to_owned(), "–".to_owned(), 100.0),
        };
        println!("| {seed} | {threshold} | {missed} | {:.2} % | {share:.1} % |", true_rate * 100.0);
    }
    let n_rows = rows.len().max(1) as f64;
    let mean_rate = rows.iter().map(|row| row.2).sum::<f64>() / n_rows;
    let mean_share =
        rows.iter().map(|row| row.1.map_or(1.0, |(i, _)| cost(i))).sum::<f64>() / n_rows;
    let found = rows.iter().filter(|r| r.1.is_some()).count();
    println!(
        "\n{kept} of {} calibrations kept the rate of misses at or below {:.0} % on {} fresh questions; mean rate {:.2} %, mean cost share {:.1} %, {found} found a threshold.",
        rows.len(),
        alpha * 100.0,
        arguments.fresh,
        mean_rate * 100.0,
        mean_share * 100.0
    );
    Ok(())
}
