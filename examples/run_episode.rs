//! Answers one question with the embedded pair of tiny models and prints who wrote each step.
//!
//!     cargo run --release --example run_episode

#![allow(clippy::print_stdout, reason = "an example prints what it finds")]

use std::sync::Arc;

use anyhow::Context;
use pointsman::config::{Folders, load_preset};
use pointsman::routing::{RouterRegistry, load_policy};
use pointsman::session::{EpisodeSpec, NullObserver, load_pair};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::questions;

fn main() -> anyhow::Result<()> {
    // Everything is inside the library; the weights are unpacked into the cache folder once.
    let folders = Folders::find()?;
    let preset = load_preset("tiny", &folders)?;
    let mut runner = load_pair(&preset, &folders.cache)?;

    let policy = Arc::new(load_policy("builtin:tiny")?);
    let mut router = RouterRegistry::new("tiny", Some(policy)).router("policy")?;
    let question = questions("arithmetic", Split::Test, 3)?.next().context("no question")?;

    // The sink receives every event as it happens: a `Vec`, a `NullObserver`, or one of your own.
    let mut events = Vec::new();
    let spec = EpisodeSpec::new(&question, router.as_mut(), 1);
    let episode = runner.run(spec, &mut events, &mut NullObserver)?;

    println!("{}\n", question.text);
    for step in &episode.steps {
        let p_large = step.decision.as_ref().and_then(|decision| decision.p_large);
        let p_large = p_large.map_or("    ".to_owned(), |p| format!("{p:.2}"));
        println!("{p_large} {:5} {}", step.generation.model, step.generation.text.trim_end());
    }
    println!("\nverdict: {:?}", episode.verdict());
    println!("cost: {:.3e} floating-point operations", episode.ledger.cost());
    println!("events: {}", events.len());
    Ok(())
}
