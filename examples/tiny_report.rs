//! Measures the tiny pair through mistral.rs and prints the tables of presets/tiny/README.md:
//!
//!     cargo run --release --example tiny_report
//!
//! Questions are held out from the models' training (split `test`). A step counts as wrong where
//! it is not a right next line after a right beginning.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW};
use clap::Parser;
use indicatif::ProgressBar;
use pointsman::config::{Folders, Glimpse, load_preset};
use pointsman::engine::Engine;
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::episode::{Episode, PerRole, Role};
use pointsman::evaluation::auroc;
use pointsman::routing::{Boundary, Opinion, Roster, Router, RouterError, features};
use pointsman::session::{Conductor, Job, Nobody};
use pointsman::tasks::arithmetic::{Kind, Split};
use pointsman::tasks::{Question, questions};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Parser)]
struct Arguments {
    /// How many questions; half of them train the combination of all features, half test it.
    #[arg(short, default_value_t = 2000)]
    n: usize,
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// One boundary: what could be seen there, and whether the small model slips.
struct Sample {
    question: usize,
    features: BTreeMap<String, f64>,
    wrong: bool,
}

/// Notes the small model's next step at every boundary, and keeps the trace right by giving its
/// wrong steps to the large model.
#[derive(Default)]
struct Probe {
    question: usize,
    samples: Vec<Sample>,
}

impl Router for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::Step
    }

    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError> {
        let solution = boundary.question.solution.as_ref();
        let solution =
            solution.ok_or_else(|| RouterError::NeedsSolution(self.name().to_owned()))?;
        let steps = &boundary.episode.steps;
        let wrong = !solution.step_is_right(steps.len(), &boundary.glimpse.text);
        let features = features(boundary);
        let on_track =
            steps.iter().enumerate().all(|(i, s)| solution.step_is_right(i, &s.writing.text));
        if on_track && steps.len() < solution.steps() {
            let question = self.question;
            self.samples.push(Sample { question, features: features.clone(), wrong });
        }
        Ok(Opinion { p_large: f64::from(u8::from(wrong)), features })
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let engine = |role: Role| -> anyhow::Result<Box<dyn Engine>> {
        Ok(Box::new(MistralEngine::load(preset.model(role), &folders.cache)?))
    };
    let engines = PerRole { small: engine(Role::Small)?, large: engine(Role::Large)? };
    let mut conductor = Conductor::new(engines, preset.clone());
    let asked: Vec<Question> =
        questions("arithmetic", Split::Test, arguments.seed)?.take(arguments.n).collect();

    let bar = ProgressBar::new(3 * asked.len() as u64);
    let mut run = |router: &mut dyn Router, index: usize| {
        bar.inc(1);
        let question = &asked[index];
        conductor.run(Job::new(question, router, 0), &mut Nobody, &mut Nobody)
    };
    let mut by_kind: BTreeMap<Kind, PerRole<(usize, usize)>> = BTreeMap::new();
    let mut right = PerRole { small: 0, large: 0 };
    for role in Role::BOTH {
        let mut router = Roster::new("tiny", None).router(&format!("always-{role}"))?;
        for (index, question) in asked.iter().enumerate() {
            let episode = run(router.as_mut(), index)?;
            count(question, &episode, role, &mut by_kind);
            let correct = episode.verdict() == Some(pointsman::episode::Verdict::Correct);
            right[role] += usize::from(correct);
        }
    }
    let mut probe = Probe::default();
    for index in 0..asked.len() {
        probe.question = index;
        run(&mut probe, index)?;
    }
    bar.finish_and_clear();

    let percent = |(hits, n): (usize, usize)| format!("{:.1} % of {n}", share(hits, n) * 100.0);
    println!("| step | small | large |\n|---|--:|--:|");
    for (kind, counts) in &by_kind {
        println!("| {kind} | {} | {} |", percent(counts.small), percent(counts.large));
    }
    let n = asked.len();
    println!(
        "| **answer right** | {} | {} |",
        percent((right.small, n)),
        percent((right.large, n))
    );

    let wrong = probe.samples.iter().filter(|s| s.wrong).count();
    println!("\n{wrong} of the small model's {} steps are wrong.\n", probe.samples.len());
    println!("| what is read | AUROC |\n|---|--:|");
    let names: BTreeSet<&String> = probe.samples.iter().flat_map(|s| s.features.keys()).collect();
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let tested: Vec<&Sample> = probe.samples.iter().filter(|s| s.question % 2 == 1).collect();
    // A bucket of words says nothing by itself.
    for name in names.iter().filter(|name| !name.starts_with("story.")) {
        let scores = tested.iter().map(|s| (value(s, name), s.wrong)).collect::<Vec<_>>();
        if let Some(area) = auroc(&scores) {
            // Which way a statistic points is no merit of it.
            println!("| {name} | {:.3} |", area.max(1.0 - area));
        }
    }
    let glimpse: Vec<&str> = names.iter().copied().filter(|n| n.starts_with("glimpse.")).collect();
    println!("| **all of the glimpse** | {:.3} |", combined(&probe.samples, &glimpse)?);
    println!("| **all, with the trace** | {:.3} |", combined(&probe.samples, &names)?);
    Ok(())
}

fn share(hits: usize, n: usize) -> f64 {
    hits as f64 / n.max(1) as f64
}

fn value(sample: &Sample, name: &str) -> f64 {
    sample.features.get(name).copied().unwrap_or(0.0)
}

/// Counts the steps of an episode up to its first wrong one.
fn count(
    question: &Question,
    episode: &Episode,
    role: Role,
    into: &mut BTreeMap<Kind, PerRole<(usize, usize)>>,
) {
    let Some(solution) = &question.solution else { return };
    for (i, step) in episode.steps.iter().enumerate().take(solution.steps()) {
        let right = solution.step_is_right(i, &step.writing.text);
        let (hits, n) = &mut into.entry(solution.kind(i)).or_default()[role];
        *hits += usize::from(right);
        *n += 1;
        if !right {
            break;
        }
    }
}

/// AUROC, on the odd questions, of a network of one hidden layer that was fitted to the even ones.
fn combined(samples: &[Sample], names: &[&str]) -> anyhow::Result<f64> {
    const HIDDEN: usize = 32;
    const EPOCHS: usize = 300;
    let device = Device::Cpu;
    let rows = |odd: bool| -> candle_core::Result<(Tensor, Vec<bool>)> {
        let part = samples.iter().filter(|s| (s.question % 2 == 1) == odd);
        let (values, wrong): (Vec<Vec<f32>>, Vec<bool>) = part
            .map(|s| (names.iter().map(|name| value(s, name) as f32).collect(), s.wrong))
            .unzip();
        let shape = (values.len(), names.len());
        Ok((Tensor::from_vec(values.concat(), shape, &device)?, wrong))
    };
    let (fit, labels) = rows(false)?;
    let (test, truth) = rows(true)?;
    let mean = fit.mean_keepdim(0)?;
    let spread = (fit.var_keepdim(0)?.sqrt()? + 1e-6)?;
    let normal = |x: &Tensor| x.broadcast_sub(&mean)?.broadcast_div(&spread);
    let (fit, test) = (normal(&fit)?, normal(&test)?);
    let labels: Vec<f32> = labels.into_iter().map(|w| f32::from(u8::from(w))).collect();
    let labels = Tensor::new(labels, &device)?.unsqueeze(1)?;

    // candle's own initialization of layers cannot be seeded on a CPU.
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut layer = |inputs: usize, outputs: usize| -> candle_core::Result<[Var; 2]> {
        let bound = 1.0 / (inputs as f32).sqrt();
        let weights = (0..inputs * outputs).map(|_| rng.random_range(-bound..bound)).collect();
        let weights = Var::from_vec::<_, f32>(weights, (outputs, inputs), &device)?;
        Ok([weights, Var::zeros(outputs, DType::F32, &device)?])
    };
    let [w1, b1] = layer(names.len(), HIDDEN)?;
    let [w2, b2] = layer(HIDDEN, 1)?;
    let linear = |w: &Var, b: &Var| Linear::new(w.as_tensor().clone(), Some(b.as_tensor().clone()));
    let (hidden, out) = (linear(&w1, &b1), linear(&w2, &b2));
    let logits = |x: &Tensor| out.forward(&hidden.forward(x)?.gelu()?);
    let settings = ParamsAdamW { lr: 3e-3, weight_decay: 0.1, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(vec![w1, b1, w2, b2], settings)?;
    for _ in 0..EPOCHS {
        let loss = candle_nn::loss::binary_cross_entropy_with_logit(&logits(&fit)?, &labels)?;
        optimizer.backward_step(&loss)?;
    }
    let scores = logits(&test)?.flatten_all()?.to_vec1::<f32>()?;
    let scores: Vec<(f64, bool)> = scores.into_iter().map(f64::from).zip(truth).collect();
    auroc(&scores).context("all steps are right, or all are wrong: ask more questions")
}
