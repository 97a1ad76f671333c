//! Which inputs the policy needs:
//!
//!     pointsman collect -n 10000 --coin 0.5 --seed 9 --store ablation
//!     cargo bench --bench studies -- ablation --store "$PWD/ablation"
//!
//! Trains policies on the same stored episodes with fewer inputs: a shorter draft, without a group of features,
//! without one feature. Each is evaluated at every threshold on the same fresh questions.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use pointsman::config::{DraftLength, Folders, load_preset};
use pointsman::evaluation::{EvalRun, MetricValue, RouterRun, router_metrics};
use pointsman::routing::{FEATURES, FeatureSet, RouterRegistry};
use pointsman::session::load_runner_pool;
use pointsman::store::Store;
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use pointsman::training::{Dataset, TrainingSettings, train};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of the episode store
    #[arg(long)]
    store: PathBuf,
    /// Number of fresh questions
    #[arg(short, default_value_t = 300)]
    n: usize,
    #[arg(long, default_value_t = 80_000)]
    seed: u64,
    /// Inputs to leave out
    #[arg(long, value_delimiter = ',', default_value = "drafts,groups,features")]
    variants: Vec<Variants>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Variants {
    Drafts,
    Groups,
    Features,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
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
        let mut policy = train(&dataset, set, &TrainingSettings::default(), |_| ())?;
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
        "Trained on the same {used} episodes, evaluated on the same {} questions (split `test`, seed {}).\n",
        arguments.n, arguments.seed
    );
    println!("| input | APGR | 95 % | difference to all inputs | CPT 50/80/95 |");
    println!("|---|--:|--:|--:|--:|");
    for metrics in &metrics {
        let dash = || "–".to_owned();
        let three = |m: Option<MetricValue>| m.map_or_else(dash, |m| format!("{:.3}", m.value));
        let range = |m: Option<MetricValue>| {
            m.and_then(|m| m.ci).map_or_else(dash, |[a, b]| format!("{a:.3} to {b:.3}"))
        };
        let gap = match metrics.apgr_gap {
            Some(_) => format!("{} ({})", three(metrics.apgr_gap), range(metrics.apgr_gap)),
            None => dash(),
        };
        let percent = |m: MetricValue| format!("{:.0}", m.value * 100.0);
        let cpt = metrics.cpt.map(|cpt| cpt.map_or_else(dash, percent));
        println!(
            "| {} | {} | {} | {gap} | {} |",
            metrics.router,
            three(metrics.apgr),
            range(metrics.apgr),
            cpt.join("/")
        );
    }
    Ok(())
}

/// All features first, then the reduced sets.
fn sets(variants: &[Variants]) -> Vec<FeatureSet> {
    let set = |name: String, draft_length: DraftLength, has: &dyn Fn(&str) -> bool| FeatureSet {
        name,
        draft_length,
        features: FEATURES.iter().filter(|feature| has(feature)).cloned().collect(),
    };
    let mut sets = vec![set("all, draft = step".into(), DraftLength::Step, &|_| true)];
    if variants.contains(&Variants::Drafts) {
        for n in [4, 1, 0] {
            sets.push(set(format!("draft = {n}"), DraftLength::Tokens(n), &|_| true));
        }
    }
    if variants.contains(&Variants::Groups) {
        for group in ["draft", "digits", "words", "last", "trace", "question", "large", "budget"] {
            let inside = |f: &str| f.split('.').next() == Some(group);
            sets.push(set(format!("without `{group}.…`"), DraftLength::Step, &|f| !inside(f)));
        }
        let uncertain = ["entropy", "logprob", "_top", "_margin", "worst"];
        let numbers = |f: &str| uncertain.iter().any(|word| f.contains(word));
        sets.push(set("without entropies and probabilities".into(), DraftLength::Step, &|f| {
            !numbers(f)
        }));
        sets.push(set("entropies and probabilities alone".into(), DraftLength::Step, &numbers));
    }
    if variants.contains(&Variants::Features) {
        // Numbered features are left out as groups only.
        let rows = ["words.", "digits."];
        for left in FEATURES.iter().filter(|f| !rows.iter().any(|row| f.starts_with(row))) {
            sets.push(set(format!("without `{left}`"), DraftLength::Step, &|f| f != left));
        }
    }
    sets
}
