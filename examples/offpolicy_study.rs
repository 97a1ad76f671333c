//! Does the store foretell what a threshold would give? Prints a table:
//!
//!     cargo run --release --example offpolicy_study
//!
//! The tiny pair's policy writes episodes under one random threshold each, as `pointsman collect`
//! does; the curve that is estimated from them is compared with fresh episodes at every threshold, on other questions.

use std::sync::Arc;

use clap::Parser;
use indicatif::ProgressBar;
use pointsman::config::{Exploration, Folders, load_preset};
use pointsman::evaluation::{Log, Trial, curve};
use pointsman::routing::{Roster, load_policy};
use pointsman::session::{Job, Nobody, SessionError, load_fleet};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use pointsman::training::{Dataset, logged};

#[derive(Parser)]
struct Arguments {
    /// Policy: a file, or one inside the binary
    #[arg(long, default_value = "builtin:tiny")]
    policy: String,
    /// Episodes under a random threshold
    #[arg(short, default_value_t = 2000)]
    n: usize,
    /// Fresh questions
    #[arg(long, default_value_t = 2000)]
    fresh: usize,
    #[arg(long, default_value_t = 70_000)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let policy = Arc::new(load_policy(&arguments.policy)?);
    let roster = Roster::new("tiny", Some(policy.clone()));
    let mut fleet = load_fleet(&preset, &folders.cache, None)?;
    let draw = |seed, n| -> anyhow::Result<Vec<Question>> {
        Ok(questions("arithmetic", Split::Test, seed)?.take(n).collect())
    };

    let seed = arguments.seed;
    let asked = draw(seed, arguments.n)?;
    let mut exploring = preset.clone();
    exploring.routing.exploration =
        Some(Exploration { quantiles: policy.card.quantiles.clone(), coin: 0.0 });
    fleet.set(&exploring);
    let bar = ProgressBar::new((arguments.n + 3 * arguments.fresh) as u64);
    let mut dataset = Dataset::default();
    let run = |conductor: &mut pointsman::session::Conductor, i: usize| {
        let mut router = roster.router("policy")?;
        let job = Job::new(&asked[i], router.as_mut(), seed.wrapping_add(i as u64));
        conductor.run(job, &mut Nobody, &mut Nobody)
    };
    fleet.each(asked.len(), run, |_, episode| {
        dataset.add(&episode, &policy.card.models, &policy.card.set);
        bar.inc(1);
        Ok::<(), SessionError>(())
    })?;
    fleet.set(&preset);
    let log = Log::new(&logged(&dataset.trajectories, &policy)?);

    let fresh = draw(seed + 1, arguments.fresh)?;
    let mut trial = Trial { fleet: &mut fleet, roster: &roster, questions: &fresh, seed: seed + 1 };
    let (ends, _) = trial.ends(|| bar.inc(1))?;
    let swept = trial.run("policy", true, || bar.inc(1))?;
    bar.finish_and_clear();
    let points = curve(swept.sweeps(), &ends, &policy.card.quantiles)?;
    let unit = ends.large.iter().map(|o| o.cost).sum::<f64>() / fresh.len().max(1) as f64;

    println!(
        "| threshold | fresh accuracy | estimated | 95 % | fresh cost | estimated | 95 % | effective | |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|---|");
    let (mut supported, mut accuracies, mut costs) = (0, 0, 0);
    let percent = |x: f64| format!("{:.1} %", x * 100.0);
    let inside = |x: f64, [low, high]: [f64; 2]| (low..=high).contains(&x);
    for point in &points {
        let estimate = log.estimate(point.threshold);
        let (Some(accuracy), Some(accuracy_ci), Some(cost), Some(cost_ci)) =
            (estimate.accuracy, estimate.accuracy_ci, estimate.cost, estimate.cost_ci)
        else {
            println!(
                "| {:.4} | {} | – | – | – | – | – | 0 | not supported |",
                point.threshold,
                percent(point.accuracy)
            );
            continue;
        };
        let hits = [inside(point.accuracy, accuracy_ci), inside(point.cost, cost_ci)];
        if estimate.supported {
            supported += 1;
            accuracies += usize::from(hits[0]);
            costs += usize::from(hits[1]);
        }
        let range = |[a, b]: [f64; 2]| format!("{:.1}–{:.1}", a * 100.0, b * 100.0);
        let note = match (estimate.supported, hits) {
            (false, _) => "not supported",
            (true, [true, true]) => "",
            (true, [false, true]) => "accuracy outside",
            (true, [true, false]) => "cost outside",
            (true, [false, false]) => "both outside",
        };
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
    println!(
        "\n{supported} of {} thresholds are supported; the fresh accuracy lies within the estimate's interval at {accuracies} of them, the fresh cost at {costs}.",
        points.len()
    );
    Ok(())
}
