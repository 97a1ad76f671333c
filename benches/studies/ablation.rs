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
use pointsman::config::DraftLength;
use pointsman::engine::TokenStats;
use pointsman::evaluation::{EvalRun, MetricValue, RouterRun, router_metrics};
use pointsman::routing::{FeatureSet, FeatureSpec, RouterRegistry, feature_specs};
use pointsman::store::Store;
use pointsman::tasks::arithmetic::Split;
use pointsman::training::{Dataset, TrainingSettings, train};

use crate::setup::{draw, load_tiny_pair};

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
    let store = Store::open(&arguments.store)?;
    let (_, mut pool) = load_tiny_pair()?;
    let pair = pool.first().pair();
    let questions = draw(Split::Test, arguments.seed, arguments.n)?;

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
    let set = |name: String, draft_length: DraftLength, has: &dyn Fn(&FeatureSpec) -> bool| {
        let features =
            feature_specs().filter(|spec| has(spec)).flat_map(FeatureSpec::names).collect();
        FeatureSet { name, draft_length, features }
    };
    let mut sets = vec![set("all, draft = step".into(), DraftLength::Step, &|_| true)];
    if variants.contains(&Variants::Drafts) {
        for n in [4, 1, 0] {
            sets.push(set(format!("draft = {n}"), DraftLength::Tokens(n), &|_| true));
        }
    }
    if variants.contains(&Variants::Groups) {
        let mut groups: Vec<&str> = Vec::new();
        for spec in feature_specs() {
            if !groups.contains(&spec.group()) {
                groups.push(spec.group());
            }
        }
        for group in groups {
            let name = format!("without `{group}.…`");
            sets.push(set(name, DraftLength::Step, &|spec| spec.group() != group));
        }
        let name = "without entropies and probabilities".into();
        let has_statistics = |spec: &FeatureSpec| spec.needs != TokenStats::None;
        sets.push(set(name, DraftLength::Step, &|spec| !has_statistics(spec)));
        let name = "entropies and probabilities alone".into();
        sets.push(set(name, DraftLength::Step, &has_statistics));
    }
    if variants.contains(&Variants::Features) {
        // The members of a family are left out together only.
        for left_out in feature_specs().filter(|spec| !spec.is_family()) {
            let name = format!("without `{}`", left_out.name);
            sets.push(set(name, DraftLength::Step, &|spec| spec.name != left_out.name));
        }
    }
    sets
}
