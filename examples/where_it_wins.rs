//! Where does the policy win against a rule that spends as much? Prints a table, and writes examples of each
//! as a recording:
//!
//!     cargo run --release --example where_it_wins -- --out recordings
//!
//! The threshold of each router is the one that spends the asked share of all-large's cost on questions of
//! the split `develop`; what is counted comes from the split `test`. With `--short`, a policy that was
//! trained with a shorter glimpse stands beside them.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use indicatif::ProgressBar;
use pointsman::config::{Folders, load_preset};
use pointsman::episode::{Episode, Event, Role, Verdict};
use pointsman::evaluation::{Trial, curve};
use pointsman::recording::write_event;
use pointsman::routing::{Roster, load_policy};
use pointsman::session::{Fleet, Job, Nobody, SessionError, load_fleet};
use pointsman::tasks::arithmetic::{Problem, Split};
use pointsman::tasks::{Question, questions};

#[derive(Parser)]
struct Arguments {
    /// Questions to count on
    #[arg(short, default_value_t = 1000)]
    n: usize,
    /// Questions to find the thresholds on
    #[arg(long, default_value_t = 300)]
    develop: usize,
    #[arg(long, default_value_t = 90_000)]
    seed: u64,
    /// Cost to compare at, as a share of all-large's
    #[arg(long, default_value_t = 0.6)]
    share: f64,
    /// A policy with a shorter glimpse
    #[arg(long)]
    short: Option<String>,
    /// Folder for the recordings
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Examples of each way to win, at most.
const EXAMPLES: usize = 3;

/// Whether two episodes of a question are an example: the policy's, and another router's.
type Shows<'a> = dyn Fn(&Told, &Told) -> bool + 'a;

/// An episode, its events, and what happened in it.
struct Told {
    episode: Episode,
    events: Vec<Event>,
    tally: Tally,
}

/// Counts over the boundaries of one or many episodes.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    /// Drafts that are the first slip that matters, and how many of them were given to the large model.
    slips: usize,
    caught: usize,
    /// Right drafts before any slip, and how many of them were given to the large model.
    right: usize,
    alarms: usize,
    /// Wrong drafts that the answer does not depend on, likewise.
    idle: usize,
    idle_large: usize,
    /// Episodes with a slip in the trace, and the cost of all that came behind it.
    lost: usize,
    after: f64,
    /// Steps behind it, and how many of them the large model wrote.
    behind: usize,
    behind_large: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.slips += other.slips;
        self.caught += other.caught;
        self.right += other.right;
        self.alarms += other.alarms;
        self.idle += other.idle;
        self.idle_large += other.idle_large;
        self.lost += other.lost;
        self.after += other.after;
        self.behind += other.behind;
        self.behind_large += other.behind_large;
    }

    fn of(episode: &Episode, solution: &Problem) -> Self {
        let mut tally = Self::default();
        let mut lost = false;
        for (i, step) in episode.steps.iter().enumerate() {
            if lost {
                tally.after += step.cost(episode.started.prices);
                tally.behind += 1;
                tally.behind_large += usize::from(step.writing.model == Role::Large);
                continue;
            }
            let large = step.writing.model == Role::Large;
            let dropped = step.discarded.iter().find(|w| w.model == Role::Small);
            let draft = dropped.or(Some(&step.writing).filter(|w| w.model == Role::Small));
            if let Some(draft) = draft {
                let (right, will_do) =
                    (solution.step_is_right(i, &draft.text), solution.step_will_do(i, &draft.text));
                let (all, given) = match (right, will_do) {
                    (_, false) => (&mut tally.slips, &mut tally.caught),
                    (true, true) => (&mut tally.right, &mut tally.alarms),
                    (false, true) => (&mut tally.idle, &mut tally.idle_large),
                };
                *all += 1;
                *given += usize::from(large);
            }
            lost = !solution.step_will_do(i, &step.writing.text);
        }
        tally.lost = usize::from(lost);
        tally
    }
}

impl Told {
    fn right(&self) -> bool {
        self.episode.verdict() == Some(Verdict::Correct)
    }

    fn cost(&self) -> f64 {
        self.episode.ledger.cost()
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let roster = Roster::new("tiny", Some(Arc::new(load_policy("builtin:tiny")?)));
    let mut fleet = load_fleet(&preset, &folders.cache, None)?;
    let draw = |split, seed, n| -> anyhow::Result<Vec<Question>> {
        Ok(questions("arithmetic", split, seed)?.take(n).collect())
    };
    let develop = draw(Split::Develop, arguments.seed, arguments.develop)?;
    let asked = draw(Split::Test, arguments.seed, arguments.n)?;
    let mut routers: Vec<(&str, &str, Roster)> =
        ["policy", "confidence", "gmm", "entropy"].map(|n| (n, n, roster.clone())).into();
    if let Some(short) = &arguments.short {
        let policy = Arc::new(load_policy(short)?);
        routers.push(("policy, shorter glimpse", "policy", Roster::new("tiny", Some(policy))));
    }

    let bar = ProgressBar::new((routers.len() * (develop.len() + asked.len())) as u64);
    let mut told: Vec<(&str, Vec<Told>)> = Vec::new();
    for (label, name, roster) in &routers {
        let mut trial =
            Trial { fleet: &mut fleet, roster, questions: &develop, seed: arguments.seed };
        let (ends, _) = trial.ends(|| ())?;
        let swept = trial.run(name, true, || bar.inc(1))?;
        let grid: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 1000.0).collect();
        let points = curve(swept.sweeps(), &ends, &grid)?;
        let far = |share: Option<f64>| (share.unwrap_or(f64::MAX) - arguments.share).abs();
        let nearest = points.iter().min_by(|a, b| far(a.cost_share).total_cmp(&far(b.cost_share)));
        let threshold = nearest.context("there are no questions")?.threshold;
        let episodes =
            run(&mut fleet, roster, name, threshold, &asked, arguments.seed, || bar.inc(1))?;
        told.push((label, episodes));
    }
    let mut large = 0.0;
    let mut trial =
        Trial { fleet: &mut fleet, roster: &roster, questions: &asked, seed: arguments.seed };
    for outcome in trial.ends(|| ())?.0.large {
        large += outcome.cost;
    }
    bar.finish_and_clear();
    print(&told, large);
    if let Some(folder) = &arguments.out {
        record(&told, folder)?;
    }
    Ok(())
}

fn run(
    fleet: &mut Fleet,
    roster: &Roster,
    name: &str,
    threshold: f64,
    asked: &[Question],
    seed: u64,
    progress: impl Fn(),
) -> anyhow::Result<Vec<Told>> {
    let mut preset = fleet.first().preset().clone();
    preset.routing.router = name.to_owned();
    preset.routing.threshold = threshold;
    let before = fleet.first().preset().clone();
    fleet.set(&preset);
    let mut all: Vec<Option<Told>> = asked.iter().map(|_| None).collect();
    let work = |conductor: &mut pointsman::session::Conductor, i: usize| {
        let mut router = roster.router(name)?;
        let job = Job::new(&asked[i], router.as_mut(), seed.wrapping_add(i as u64));
        let mut tape = Vec::new();
        let episode = conductor.run(job, &mut tape, &mut Nobody)?;
        let tally = asked[i].solution.as_ref().map(|s| Tally::of(&episode, s)).unwrap_or_default();
        Ok::<_, SessionError>(Told { episode, events: tape, tally })
    };
    fleet.each(asked.len(), work, |i, one| {
        all[i] = Some(one);
        progress();
        Ok(())
    })?;
    fleet.set(&before);
    Ok(all.into_iter().flatten().collect())
}

fn print(told: &[(&str, Vec<Told>)], large: f64) {
    println!(
        "| router | t | right | cost share | slips caught | right drafts redone | wrong but idle drafts redone | chains lost | steps behind the slip written by the large model | spent on one behind it |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (label, all) in told {
        let n = all.len().max(1) as f64;
        let mut sum = Tally::default();
        all.iter().for_each(|told| sum.add(&told.tally));
        let of = |part: usize, whole: usize| {
            if whole == 0 {
                "–".to_owned()
            } else {
                format!("{:.1} % of {whole}", 100.0 * part as f64 / whole as f64)
            }
        };
        // With a shorter glimpse a draft that was dropped is no whole step: nothing is known of it.
        let whole = all.iter().all(|t| {
            t.episode.steps.iter().all(|s| {
                s.discarded.iter().all(|w| w.stop != pointsman::episode::StopReason::Glimpse)
            })
        });
        let drafts = |part, all| if whole { of(part, all) } else { "–".to_owned() };
        let spent: f64 = all.iter().map(Told::cost).sum();
        println!(
            "| {label} | {:.3} | {:.1} % | {:.1} % | {} | {} | {} | {} | {} | {:.1} % of all-large |",
            all.first().map_or(0.0, |t| t.episode.threshold),
            100.0 * all.iter().filter(|t| t.right()).count() as f64 / n,
            100.0 * spent / large,
            drafts(sum.caught, sum.slips),
            drafts(sum.alarms, sum.right),
            drafts(sum.idle_large, sum.idle),
            sum.lost,
            of(sum.behind_large, sum.behind),
            100.0 * sum.after / sum.lost.max(1) as f64 / (large / n),
        );
    }
}

/// Examples of each way to win: the policy's episode, then the other's.
fn record(told: &[(&str, Vec<Told>)], folder: &Path) -> anyhow::Result<()> {
    let of = |label: &str| told.iter().find(|t| t.0.starts_with(label)).map(|t| &t.1);
    let policy = of("policy").context("the policy has not run")?;
    let pairs = |label: &str| -> Vec<(&Told, &Told)> {
        let other = told.iter().skip(1).find(|t| t.0.starts_with(label));
        other.map_or_else(Vec::new, |(_, other)| policy.iter().zip(other).collect())
    };
    let long = |t: &Told| t.episode.steps.len() >= 4;
    // As dear as the other's at most, and right for a slip that was caught.
    let catches = |a: &Told, b: &Told| {
        long(a) && a.right() && !b.right() && a.tally.caught > 0 && a.cost() <= b.cost()
    };
    let gives_up = |a: &Told, b: &Told| {
        let both_lost = a.tally.lost > 0 && a.tally.behind >= 3 && b.tally.lost > 0;
        both_lost && a.tally.behind_large < b.tally.behind_large
    };
    let spares = |a: &Told, b: &Told| {
        a.right() && a.tally.idle > 0 && a.tally.idle_large == 0 && b.tally.idle_large > 0
    };
    let cases: [(&str, &str, &Shows); 4] = [
        ("weak-signals", "confidence", &catches),
        ("lost-chain", "confidence", &gives_up),
        ("what-matters", "confidence", &spares),
        ("glimpse", "policy", &catches),
    ];
    std::fs::create_dir_all(folder)?;
    for (name, other, shows) in cases {
        let found = pairs(other).into_iter().filter(|(a, b)| shows(a, b)).take(EXAMPLES);
        let told: Vec<&Told> = found.flat_map(|(a, b)| [a, b]).collect();
        println!("\n{name}: {} examples", told.len() / 2);
        if told.is_empty() {
            continue;
        }
        let path = folder.join(format!("{name}.jsonl"));
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let mut out = BufWriter::new(file);
        for (id, told) in (1..).zip(told) {
            for event in &told.events {
                write_event(&mut out, id, event)?;
            }
        }
    }
    Ok(())
}
