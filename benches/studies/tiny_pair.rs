//! How good the tiny pair is, and what predicts the errors of the small model: the tables of presets/tiny/README.md.
//!
//! The questions are held out from the training of the models (split `test`). A step is wrong if the steps before it
//! are correct and it is not a correct next line.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use indicatif::ProgressBar;
use pointsman::config::{DraftLength, Folders, load_preset};
use pointsman::engine::Engine;
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::episode::{Episode, PerRole, Role, Verdict};
use pointsman::evaluation::auroc;
use pointsman::routing::{
    FeatureSpec, Opinion, Policy, Requirements, Router, RouterError, RouterInput, RouterRegistry,
    feature_spec, features, load_policy,
};
use pointsman::session::{EpisodeRunner, EpisodeSpec, NullObserver};
use pointsman::tasks::Question;
use pointsman::tasks::arithmetic::{OperationKind, Split};

use crate::setup::draw;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of questions
    #[arg(short, default_value_t = 2000)]
    n: usize,
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// A boundary: its features, and whether the small model makes an error.
struct Sample {
    features: BTreeMap<String, f64>,
    wrong: bool,
    /// The opinion of the embedded policy.
    p_large: f64,
}

/// Records the next step of the small model at every boundary, and keeps the trace correct by giving its wrong steps to
/// the large model.
struct Probe {
    policy: Policy,
    samples: Vec<Sample>,
}

impl Router for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn requirements(&self) -> Requirements {
        Requirements::draft(DraftLength::Step)
    }

    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let solution = boundary.question.solution.as_ref();
        let solution =
            solution.ok_or_else(|| RouterError::NeedsSolution(self.name().to_owned()))?;
        let steps = &boundary.episode.steps;
        let wrong = !solution.step_is_correct(steps.len(), boundary.draft.text);
        let features = features(boundary);
        let on_track =
            steps.iter().enumerate().all(|(i, s)| solution.step_is_correct(i, &s.generation.text));
        if on_track && steps.len() < solution.steps() {
            let p_large = self.policy.p_large(&features).map_err(|e| RouterError::Policy {
                name: self.policy.card.name.clone(),
                reason: e.to_string(),
            })?;
            self.samples.push(Sample { features: features.clone(), wrong, p_large });
        }
        Ok(Opinion { p_large: f64::from(u8::from(wrong)), features })
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let engine = |role: Role| -> anyhow::Result<Box<dyn Engine>> {
        Ok(Box::new(MistralEngine::load(preset.model(role), &folders.cache)?))
    };
    let engines = PerRole { small: engine(Role::Small)?, large: engine(Role::Large)? };
    let mut runner = EpisodeRunner::new(engines, preset.clone());
    let questions = draw(Split::Test, arguments.seed, arguments.n)?;

    let bar = ProgressBar::new(3 * questions.len() as u64);
    let mut run = |router: &mut dyn Router, index: usize| {
        bar.inc(1);
        let question = &questions[index];
        runner.run(EpisodeSpec::new(question, router, 0), &mut NullObserver, &mut NullObserver)
    };
    let mut by_kind: BTreeMap<OperationKind, PerRole<(usize, usize)>> = BTreeMap::new();
    let mut right = PerRole { small: 0, large: 0 };
    for role in Role::BOTH {
        let mut router = RouterRegistry::new("tiny", None).router(&format!("always-{role}"))?;
        for (index, question) in questions.iter().enumerate() {
            let episode = run(router.as_mut(), index)?;
            count(question, &episode, role, &mut by_kind);
            let correct = episode.verdict() == Some(Verdict::Correct);
            right[role] += usize::from(correct);
        }
    }
    let mut probe = Probe { policy: load_policy("builtin:tiny")?, samples: Vec::new() };
    for index in 0..questions.len() {
        run(&mut probe, index)?;
    }
    bar.finish_and_clear();

    let percent = |(hits, n): (usize, usize)| format!("{:.1} % of {n}", share(hits, n) * 100.0);
    println!("| step | small | large |\n|---|--:|--:|");
    for (kind, counts) in &by_kind {
        println!("| {kind} | {} | {} |", percent(counts.small), percent(counts.large));
    }
    let n = questions.len();
    println!(
        "| **correct answers** | {} | {} |",
        percent((right.small, n)),
        percent((right.large, n))
    );

    let wrong = probe.samples.iter().filter(|s| s.wrong).count();
    println!("\n{wrong} of the small model's {} steps are wrong.\n", probe.samples.len());
    println!("| feature | AUROC |\n|---|--:|");
    let names: BTreeSet<&String> = probe.samples.iter().flat_map(|s| s.features.keys()).collect();
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let area = |of: &dyn Fn(&Sample) -> f64| {
        auroc(&probe.samples.iter().map(|s| (of(s), s.wrong)).collect::<Vec<_>>())
    };
    // A single word bucket or digit says little.
    let is_member = |name: &str| feature_spec(name).is_some_and(FeatureSpec::is_family);
    for name in names.iter().filter(|name| !is_member(name)) {
        if let Some(area) = area(&|sample| value(sample, name)) {
            // The sign of a feature does not matter.
            println!("| {name} | {:.3} |", area.max(1.0 - area));
        }
    }
    if let Some(area) = area(&|sample| sample.p_large) {
        println!("| **the policy's p(large)** | {area:.3} |");
    }
    Ok(())
}

fn share(hits: usize, n: usize) -> f64 {
    hits as f64 / n.max(1) as f64
}

fn value(sample: &Sample, name: &str) -> f64 {
    sample.features.get(name).copied().unwrap_or(0.0)
}

/// Counts the steps of an episode up to the first wrong one.
fn count(
    question: &Question,
    episode: &Episode,
    role: Role,
    into: &mut BTreeMap<OperationKind, PerRole<(usize, usize)>>,
) {
    let Some(solution) = &question.solution else { return };
    for (i, step) in episode.steps.iter().enumerate().take(solution.steps()) {
        let right = solution.step_is_correct(i, &step.generation.text);
        let (hits, n) = &mut into.entry(solution.kind(i)).or_default()[role];
        *hits += usize::from(right);
        *n += 1;
        if !right {
            break;
        }
    }
}
