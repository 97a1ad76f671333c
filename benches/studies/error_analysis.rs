//! Where the policy beats a rule at the same cost. With `--out`, writes examples of each kind as recordings.
//!
//! The threshold of each router is the one whose cost on questions of the split `develop` is nearest to the requested
//! share of the cost of large alone; errors are counted on the split `test`. `--short` adds a policy that was trained
//! with a shorter draft.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use pointsman::episode::{Episode, Event, Role, StopReason, Verdict};
use pointsman::evaluation::{EvalRun, curve};
use pointsman::recording::write_event;
use pointsman::routing::{RouterRegistry, load_policy};
use pointsman::session::{EpisodeSpec, NullObserver, RunnerPool, SessionError};
use pointsman::tasks::Question;
use pointsman::tasks::arithmetic::{Problem, Split};

use crate::setup::{PolicyStudy, draw};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of questions to count on
    #[arg(short, default_value_t = 1000)]
    n: usize,
    /// Number of questions to find the thresholds on
    #[arg(long, default_value_t = 300)]
    develop: usize,
    #[arg(long, default_value_t = 90_000)]
    seed: u64,
    /// Cost to compare at, as a share of the cost of large alone
    #[arg(long, default_value_t = 0.6)]
    share: f64,
    /// A policy with a shorter draft
    #[arg(long)]
    short: Option<String>,
    /// Folder for the recordings
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Maximum number of examples of each kind.
const EXAMPLES: usize = 3;

/// Whether two episodes of a question are an example: of the policy, and of another router.
type IsExample<'a> = dyn Fn(&RecordedRun, &RecordedRun) -> bool + 'a;

/// An episode, its events, and its errors.
struct RecordedRun {
    episode: Episode,
    events: Vec<Event>,
    counts: ErrorCounts,
}

/// Counts over the boundaries of one or many episodes.
#[derive(Debug, Clone, Copy, Default)]
struct ErrorCounts {
    /// Drafts with the first harmful error, and how many of them the large model wrote again.
    step_errors: usize,
    errors_redone: usize,
    /// Correct drafts before any harmful error, and how many of them the large model wrote again.
    correct_drafts: usize,
    false_alarms: usize,
    /// Wrong drafts on which the answer does not depend, and how many of them the large model wrote again.
    harmless_errors: usize,
    harmless_redone: usize,
    /// Episodes with a harmful error in the trace, and the cost of the steps after it.
    failed_traces: usize,
    cost_after_error: f64,
    /// Steps after it, and how many of them the large model wrote.
    steps_after_error: usize,
    large_steps_after_error: usize,
}

impl ErrorCounts {
    fn add(&mut self, other: &Self) {
        self.step_errors += other.step_errors;
        self.errors_redone += other.errors_redone;
        self.correct_drafts += other.correct_drafts;
        self.false_alarms += other.false_alarms;
        self.harmless_errors += other.harmless_errors;
        self.harmless_redone += other.harmless_redone;
        self.failed_traces += other.failed_traces;
        self.cost_after_error += other.cost_after_error;
        self.steps_after_error += other.steps_after_error;
        self.large_steps_after_error += other.large_steps_after_error;
    }

    fn of(episode: &Episode, solution: &Problem) -> Self {
        let mut counts = Self::default();
        let mut lost = false;
        for (i, step) in episode.steps.iter().enumerate() {
            if lost {
                counts.cost_after_error += step.cost(episode.started.prices);
                counts.steps_after_error += 1;
                counts.large_steps_after_error += usize::from(step.generation.model == Role::Large);
                continue;
            }
            let large = step.generation.model == Role::Large;
            let dropped = step.discarded.iter().find(|w| w.model == Role::Small);
            let draft = dropped.or(Some(&step.generation).filter(|w| w.model == Role::Small));
            if let Some(draft) = draft {
                let (right, is_harmless) = (
                    solution.step_is_correct(i, &draft.text),
                    solution.step_is_acceptable(i, &draft.text),
                );
                let (all, given) = match (right, is_harmless) {
                    (_, false) => (&mut counts.step_errors, &mut counts.errors_redone),
                    (true, true) => (&mut counts.correct_drafts, &mut counts.false_alarms),
                    (false, true) => (&mut counts.harmless_errors, &mut counts.harmless_redone),
                };
                *all += 1;
                *given += usize::from(large);
            }
            lost = !solution.step_is_acceptable(i, &step.generation.text);
        }
        counts.failed_traces = usize::from(lost);
        counts
    }
}

impl RecordedRun {
    fn is_correct(&self) -> bool {
        self.episode.verdict() == Some(Verdict::Correct)
    }

    fn cost(&self) -> f64 {
        self.episode.ledger.cost()
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let PolicyStudy { registry, mut pool, .. } = PolicyStudy::load("builtin:tiny")?;
    let develop = draw(Split::Develop, arguments.seed, arguments.develop)?;
    let questions = draw(Split::Test, arguments.seed, arguments.n)?;
    let mut routers: Vec<(&str, &str, RouterRegistry)> =
        ["policy", "confidence", "gmm", "entropy"].map(|n| (n, n, registry.clone())).into();
    if let Some(short) = &arguments.short {
        let policy = Arc::new(load_policy(short)?);
        routers.push((
            "policy, shorter draft",
            "policy",
            RouterRegistry::new("tiny", Some(policy)),
        ));
    }

    let bar = ProgressBar::new((routers.len() * (develop.len() + questions.len())) as u64);
    let mut runs: Vec<(&str, Vec<RecordedRun>)> = Vec::new();
    for (label, name, registry) in &routers {
        let mut eval_run =
            EvalRun { pool: &mut pool, registry, questions: &develop, seed: arguments.seed };
        let (baselines, _) = eval_run.run_baselines(|| ())?;
        let swept = eval_run.run(name, true, || bar.inc(1))?;
        let grid: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 1000.0).collect();
        let points = curve(swept.sweeps(), &baselines, &grid)?;
        let far = |share: Option<f64>| (share.unwrap_or(f64::MAX) - arguments.share).abs();
        let nearest = points.iter().min_by(|a, b| far(a.cost_share).total_cmp(&far(b.cost_share)));
        let threshold = nearest.context("there are no questions")?.threshold;
        let episodes = run_at_threshold(
            &mut pool,
            registry,
            name,
            threshold,
            &questions,
            arguments.seed,
            || bar.inc(1),
        )?;
        runs.push((label, episodes));
    }
    let mut large = 0.0;
    let mut eval_run = EvalRun {
        pool: &mut pool,
        registry: &registry,
        questions: &questions,
        seed: arguments.seed,
    };
    for outcome in eval_run.run_baselines(|| ())?.0.large {
        large += outcome.cost;
    }
    bar.finish_and_clear();
    print(&runs, large);
    if let Some(folder) = &arguments.out {
        record(&runs, folder)?;
    }
    Ok(())
}

fn run_at_threshold(
    pool: &mut RunnerPool,
    registry: &RouterRegistry,
    name: &str,
    threshold: f64,
    questions: &[Question],
    seed: u64,
    progress: impl Fn(),
) -> anyhow::Result<Vec<RecordedRun>> {
    let mut preset = pool.first().preset().clone();
    name.clone_into(&mut preset.routing.router);
    preset.routing.threshold = threshold;
    let before = pool.first().preset().clone();
    pool.set_preset(&preset);
    let mut all: Vec<Option<RecordedRun>> = questions.iter().map(|_| None).collect();
    let work = |runner: &mut pointsman::session::EpisodeRunner, i: usize| {
        let mut router = registry.router(name)?;
        let spec = EpisodeSpec::new(&questions[i], router.as_mut(), seed.wrapping_add(i as u64));
        let mut events = Vec::new();
        let episode = runner.run(spec, &mut events, &mut NullObserver)?;
        let counts = questions[i]
            .solution
            .as_ref()
            .map(|s| ErrorCounts::of(&episode, s))
            .unwrap_or_default();
        Ok::<_, SessionError>(RecordedRun { episode, events, counts })
    };
    pool.for_each_index(questions.len(), work, |i, one| {
        all[i] = Some(one);
        progress();
        Ok(())
    })?;
    pool.set_preset(&before);
    Ok(all.into_iter().flatten().collect())
}

fn print(runs: &[(&str, Vec<RecordedRun>)], large: f64) {
    println!(
        "| router | t | right | cost share | step errors redone | correct drafts redone | harmless errors redone | traces with an error | steps after the error by the large model | cost after the error |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (label, all) in runs {
        let n = all.len().max(1) as f64;
        let mut sum = ErrorCounts::default();
        for run in all {
            sum.add(&run.counts);
        }
        let of = |part: usize, whole: usize| {
            if whole == 0 {
                "–".to_owned()
            } else {
                format!("{:.1} % of {whole}", 100.0 * part as f64 / whole as f64)
            }
        };
        // A discarded draft shorter than a step cannot be graded.
        let whole = all.iter().all(|t| {
            t.episode
                .steps
                .iter()
                .all(|s| s.discarded.iter().all(|w| w.stop != StopReason::DraftLimit))
        });
        let drafts = |part, all| if whole { of(part, all) } else { "–".to_owned() };
        let spent: f64 = all.iter().map(RecordedRun::cost).sum();
        println!(
            "| {label} | {:.3} | {:.1} % | {:.1} % | {} | {} | {} | {} | {} | {:.1} % of large alone |",
            all.first().map_or(0.0, |t| t.episode.threshold),
            100.0 * all.iter().filter(|t| t.is_correct()).count() as f64 / n,
            100.0 * spent / large,
            drafts(sum.errors_redone, sum.step_errors),
            drafts(sum.false_alarms, sum.correct_drafts),
            drafts(sum.harmless_redone, sum.harmless_errors),
            sum.failed_traces,
            of(sum.large_steps_after_error, sum.steps_after_error),
            100.0 * sum.cost_after_error / sum.failed_traces.max(1) as f64 / (large / n),
        );
    }
}

/// Writes examples of each kind: the episode of the policy, then that of the other router.
fn record(runs: &[(&str, Vec<RecordedRun>)], folder: &Path) -> anyhow::Result<()> {
    let of = |label: &str| runs.iter().find(|t| t.0.starts_with(label)).map(|t| &t.1);
    let policy = of("policy").context("the policy has not run")?;
    let pairs = |label: &str| -> Vec<(&RecordedRun, &RecordedRun)> {
        let other = runs.iter().skip(1).find(|t| t.0.starts_with(label));
        other.map_or_else(Vec::new, |(_, other)| policy.iter().zip(other).collect())
    };
    let long = |t: &RecordedRun| t.episode.steps.len() >= 4;
    // Correct because an error was caught, at no higher cost.
    let catches = |a: &RecordedRun, b: &RecordedRun| {
        long(a)
            && a.is_correct()
            && !b.is_correct()
            && a.counts.errors_redone > 0
            && a.cost() <= b.cost()
    };
    let gives_up = |a: &RecordedRun, b: &RecordedRun| {
        let both_lost = a.counts.failed_traces > 0
            && a.counts.steps_after_error >= 3
            && b.counts.failed_traces > 0;
        both_lost && a.counts.large_steps_after_error < b.counts.large_steps_after_error
    };
    let spares = |a: &RecordedRun, b: &RecordedRun| {
        a.is_correct()
            && a.counts.harmless_errors > 0
            && a.counts.harmless_redone == 0
            && b.counts.harmless_redone > 0
    };
    let cases: [(&str, &str, &IsExample); 4] = [
        ("weak-signals", "confidence", &catches),
        ("lost-chain", "confidence", &gives_up),
        ("what-matters", "confidence", &spares),
        ("draft", "policy", &catches),
    ];
    std::fs::create_dir_all(folder)?;
    for (name, other, shows) in cases {
        let found = pairs(other).into_iter().filter(|(a, b)| shows(a, b)).take(EXAMPLES);
        let runs: Vec<&RecordedRun> = found.flat_map(|(a, b)| [a, b]).collect();
        println!("\n{name}: {} examples", runs.len() / 2);
        if runs.is_empty() {
            continue;
        }
        let path = folder.join(format!("{name}.jsonl"));
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let mut out = BufWriter::new(file);
        for (id, runs) in (1..).zip(runs) {
            for event in &runs.events {
                write_event(&mut out, id, event)?;
            }
        }
    }
    Ok(())
}
