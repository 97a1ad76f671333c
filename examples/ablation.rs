//! What does the policy live on? Prints a table:
//!
//!     pointsman collect -n 10000 --coin 0.5 --seed 9 --store ablation
//!     cargo run --release --example ablation -- --store ablation
//!
//! From the same stored episodes policies are trained that see less: a shorter glimpse, a group of features
//! less, one feature less. Each is swept over the same fresh questions.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use pointsman::config::{DraftLength, Folders, load_preset};
use pointsman::evaluation::{EvalRun, RouterRun, router_metrics};
use pointsman::routing::{FEATURES, FeatureSet, RouterRegistry};
use pointsman::session::load_runner_pool;
use pointsman::store::Store;
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use pointsman::training::{Dataset, TrainingSettings, train};

#[derive(Parser)]
struct Arguments {
    /// Folder of the episode store
    #[arg(long)]
    store: PathBuf,
    /// Fresh questions
    #[arg(short, default_value_t = 300)]
    n: usize,
    #[arg(long, default_value_t = 80_000)]
    seed: u64,
    /// What to leave out
    #[arg(long, value_delimiter = ',', default_value = "glimpses,groups,features")]
    variants: Vec<Variants>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Variants {
    Glimpses,
    Groups,
    Features,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let store = Store::open(&arguments.store)?;
    let mut pool = load_runner_pool(&preset, &folders.cache, None)?;
    let pair = pool.first().pair();
    let drawn = questions("arithmetic", Split::Test, arguments.seed)?;
    let questions: Vec<Question> = drawn.take(arguments.n).collect();

    let sets = sets(&arguments.variants);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} left {msg}")?;
    let bar = ProgressBar::new(sets.len() as u64).with_style(style);
    let mut runs: Vec<RouterRun> = Vec::new();
    let (mut baselines, mut used) = (None, 0);
    for set in &sets {
        bar.set_message(set.name.clone());
        let dataset = Dataset::read(&store, &pair, set, || ())?;
        used = dataset.dataset_counts.used;
        let mut policy = train(&dataset, set, &TrainingSettings::default(), |_| true)?;
        policy.card.name.clone_from(&set.name);
        let registry = RouterRegistry::new("tiny", Some(Arc::new(policy)));
        let mut eval_run = EvalRun {
            pool: &mut pool,
            registry: &registry,
            questions: &questions,
            seed: arguments.seed,
        };
        if baselines.is_none() {
            baselines = Some(eval_run.run_baselines(|| ())?.0);
        }
        let mut run = eval_run.run("policy", true, || ())?;
        run.router.clone_from(&set.name);
        runs.push(run);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Some(baselines) = baselines else { return Ok(()) };
    let metrics = router_metrics(&runs, &baselines, true, 2000, arguments.seed)?;
    println!(
        "Trained on the same {used} episodes, swept over the same {} questions (split `test`, seed {}).\n",
        arguments.n, arguments.seed
    );
    println!("| what the policy sees | APGR | 95 % | less than with everything | CPT 50/80/95 |");
    println!("|---|--:|--:|--:|--:|");
    for metrics in &metrics {
        let three = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{x:.3}"));
        let range = |ci: Option<[f64; 2]>| {
            ci.map_or("–".to_owned(), |[a, b]| format!("{a:.3} to {b:.3}"))
        };
        let less = match metrics.apgr_gap {
            Some(_) => format!("{} ({})", three(metrics.apgr_gap), range(metrics.apgr_gap_ci)),
            None => "–".to_owned(),
        };
        let cpt = metrics.cpt.map(|c| c.map_or("–".to_owned(), |c| format!("{:.0}", c * 100.0)));
        println!(
            "| {} | {} | {} | {less} | {} |",
            metrics.router,
            three(metrics.apgr),
            range(metrics.apgr_ci),
            cpt.join("/")
        );
    }
    Ok(())
}

/// Everything first, then what sees less.
fn sets(variants: &[Variants]) -> Vec<FeatureSet> {
    let seen = |name: String, draft_length: DraftLength, sees: &dyn Fn(&str) -> bool| FeatureSet {
        name,
        draft_length,
        features: FEATURES.iter().filter(|feature| sees(feature)).cloned().collect(),
    };
    let mut sets = vec![seen("everything, g = step".into(), DraftLength::Step, &|_| true)];
    if variants.contains(&Variants::Glimpses) {
        for n in [4, 1, 0] {
            sets.push(seen(format!("g = {n}"), DraftLength::Tokens(n), &|_| true));
        }
    }
    if variants.contains(&Variants::Groups) {
        for group in ["glimpse", "digits", "story", "last", "trace", "question", "large", "budget"]
        {
            let inside = |f: &str| f.split('.').next() == Some(group);
            sets.push(seen(format!("without `{group}.…`"), DraftLength::Step, &|f| !inside(f)));
        }
        let uncertain = ["entropy", "logprob", "_top", "_margin", "worst"];
        let numbers = |f: &str| uncertain.iter().any(|word| f.contains(word));
        sets.push(seen("without entropies and probabilities".into(), DraftLength::Step, &|f| {
            !numbers(f)
        }));
        sets.push(seen("entropies and probabilities alone".into(), DraftLength::Step, &numbers));
    }
    if variants.contains(&Variants::Features) {
        // Those that come in rows are left out as groups.
        let rows = ["story.", "digits."];
        for left in FEATURES.iter().filter(|f| !rows.iter().any(|row| f.starts_with(row))) {
            sets.push(seen(format!("without `{left}`"), DraftLength::Step, &|f| f != left));
        }
    }
    sets
}
