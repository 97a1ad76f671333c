//! Writes recordings of the tiny pair that show one thing each.
//!
//! An override that helped and one that hurt (the episode of the policy, then the one in which the user chose one
//! step), a spent budget, and a fork (parent, then child), each with the first suitable question of the split `test`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use pointsman::config::{Folders, load_preset};
use pointsman::episode::{Decider, Episode, Event, EventKind, OverrideScope, Role, Token, Verdict};
use pointsman::recording::write_event;
use pointsman::routing::{Opinion, RouterRegistry, load_policy};
use pointsman::session::{
    Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, Fork, NullObserver, load_pair,
};
use pointsman::tasks::Question;
use pointsman::tasks::arithmetic::Split;

use crate::setup::draw;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder for the recordings
    #[arg(long)]
    out: PathBuf,
    /// Number of questions to try
    #[arg(short, default_value_t = 1000)]
    n: usize,
    #[arg(long, default_value_t = 90_000)]
    seed: u64,
    /// Threshold of the policy
    #[arg(long, default_value_t = 0.5)]
    threshold: f64,
}

/// Gives one step to a model.
struct OneStepOverride {
    step: usize,
    model: Role,
    command: Option<Command>,
}

impl OneStepOverride {
    fn new(step: usize, model: Role) -> Self {
        Self { step, model, command: None }
    }
}

impl EpisodeObserver for OneStepOverride {
    fn poll(&mut self) -> Option<Command> {
        self.command.take()
    }

    fn wait(&mut self) -> Option<Command> {
        None
    }

    fn on_event(&mut self, _: u64, event: Event) {
        let next = match &event.kind {
            EventKind::Started(_) => 0,
            EventKind::Written { step, .. } => step + 1,
            _ => return,
        };
        if next == self.step {
            let scope = OverrideScope::NextStep;
            self.command = Some(Command::SetOverride { model: self.model, scope });
        }
    }

    fn on_token(&mut self, _: Role, _: &Token) {}

    fn on_opinion(&mut self, _: usize, _: &Opinion) {}

    fn on_refused(&mut self, _: &str) {}
}

/// Runs episodes and keeps their events.
struct CaseRunner {
    runner: EpisodeRunner,
    registry: RouterRegistry,
    seed: u64,
}

type RecordedRun = (Episode, Vec<Event>);

impl CaseRunner {
    fn run(
        &mut self,
        question: &Question,
        observer: &mut dyn EpisodeObserver,
    ) -> anyhow::Result<RecordedRun> {
        let mut router = self.registry.router("policy")?;
        let mut events = Vec::new();
        let spec = EpisodeSpec::new(question, router.as_mut(), self.seed);
        let episode = self.runner.run(spec, &mut events, observer)?;
        Ok((episode, events))
    }

    fn fork(&mut self, question: &Question, fork: Fork) -> anyhow::Result<RecordedRun> {
        let mut router = self.registry.router("policy")?;
        let mut events = Vec::new();
        let spec = EpisodeSpec::fork(question, router.as_mut(), fork);
        let episode = self.runner.run(spec, &mut events, &mut NullObserver)?;
        Ok((episode, events))
    }
}

fn is_correct(run: &RecordedRun) -> bool {
    run.0.verdict() == Some(Verdict::Correct)
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folders = Folders::find()?;
    let mut preset = load_preset("tiny", &folders)?;
    preset.routing.threshold = arguments.threshold;
    let registry = RouterRegistry::new("tiny", Some(Arc::new(load_policy("builtin:tiny")?)));
    let runner = load_pair(&preset, &folders.cache)?;
    let mut cases = CaseRunner { runner, registry, seed: arguments.seed };
    let questions = draw(Split::Test, arguments.seed, arguments.n)?;
    let mut missing: Vec<&str> = vec!["override-helped", "override-hurt", "spent-budget", "fork"];
    for question in &questions {
        if missing.is_empty() {
            break;
        }
        let before = cases.run(question, &mut NullObserver)?;
        if before.0.steps.len() < 4 {
            continue;
        }
        let mut keep = |name: &'static str, runs: &[&RecordedRun]| -> anyhow::Result<()> {
            if !missing.contains(&name) {
                return Ok(());
            }
            missing.retain(|wanted| *wanted != name);
            write(&arguments.out, name, runs)
        };
        if is_correct(&before) {
            if let Some(after) = hurt(&mut cases, question, &before)? {
                keep("override-hurt", &[&before, &after])?;
            }
            if let Some(after) = spent(&mut cases, question, &before)? {
                keep("spent-budget", &[&after])?;
            }
        } else if let Some((after, step)) = helped(&mut cases, question, &before)? {
            let mut fork = Fork::new(1, before.0.clone(), step);
            fork.model = Some(Role::Large);
            let child = cases.fork(question, fork)?;
            if is_correct(&child) {
                keep("fork", &[&before, &child])?;
            }
            keep("override-helped", &[&before, &after])?;
        }
    }
    anyhow::ensure!(missing.is_empty(), "no example of {} among these", missing.join(", "));
    Ok(())
}

/// The large model writes one step of the small one, and the answer becomes correct.
fn helped(
    cases: &mut CaseRunner,
    question: &Question,
    before: &RecordedRun,
) -> anyhow::Result<Option<(RecordedRun, usize)>> {
    for (i, step) in before.0.steps.iter().enumerate() {
        if step.generation.model == Role::Small {
            let after = cases.run(question, &mut OneStepOverride::new(i, Role::Large))?;
            if is_correct(&after) {
                return Ok(Some((after, i)));
            }
        }
    }
    Ok(None)
}

/// The small model writes one step of the large one, and the answer becomes wrong.
fn hurt(
    cases: &mut CaseRunner,
    question: &Question,
    before: &RecordedRun,
) -> anyhow::Result<Option<RecordedRun>> {
    for (i, step) in before.0.steps.iter().enumerate() {
        if step.generation.model == Role::Large {
            let after = cases.run(question, &mut OneStepOverride::new(i, Role::Small))?;
            if after.0.verdict() == Some(Verdict::Wrong) {
                return Ok(Some(after));
            }
        }
    }
    Ok(None)
}

/// Half of its cost as the budget: the small model must finish the episode, and the answer is wrong.
fn spent(
    cases: &mut CaseRunner,
    question: &Question,
    before: &RecordedRun,
) -> anyhow::Result<Option<RecordedRun>> {
    cases.runner.preset_mut().budget.limit = Some(before.0.ledger.cost() / 2.0);
    let after = cases.run(question, &mut NullObserver);
    cases.runner.preset_mut().budget.limit = None;
    let after = after?;
    let by_budget = after.0.decisions().any(|(_, decision)| decision.by == Decider::Budget);
    let wrong = after.0.verdict() == Some(Verdict::Wrong);
    Ok(Some(after).filter(|_| by_budget && wrong))
}

fn write(folder: &Path, name: &str, runs: &[&RecordedRun]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.jsonl"));
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    let mut out = BufWriter::new(file);
    for (id, (_, events)) in (1..).zip(runs) {
        for event in events {
            write_event(&mut out, id, event)?;
        }
    }
    println!("{}", path.display());
    Ok(())
}
