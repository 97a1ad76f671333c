//! Lists the episodes of a store, and prints the newest one step by step.
//!
//!     cargo run --release --example read_store [-- STORE]

#![allow(clippy::print_stdout, reason = "an example prints what it finds")]

use std::path::PathBuf;

use pointsman::config::Folders;
use pointsman::store::{EpisodeEnd, Store};

fn main() -> anyhow::Result<()> {
    let path = match std::env::args_os().nth(1) {
        Some(path) => PathBuf::from(path),
        None => Folders::find()?.data.join("store"),
    };
    // One process at a time can have a store open: close the workbench first.
    let store = Store::open(&path)?;
    println!("{} episodes in {}", store.len(), path.display());

    let mut newest = None;
    for summary in store.summaries() {
        let summary = summary?;
        let end = match &summary.end {
            EpisodeEnd::Finished { verdict, .. } => format!("{verdict:?}"),
            EpisodeEnd::Failed { error } => error.clone(),
            EpisodeEnd::Unfinished => "unfinished".to_owned(),
        };
        println!("{:>6}  {:10} {:2} steps  {}", summary.id, end, summary.steps, summary.question);
        newest = Some(summary.id);
    }

    // An episode is the fold of its events; `store.events` returns these.
    if let Some(id) = newest {
        let episode = store.episode(id)?;
        println!("\nepisode {id}: {}", episode.started.question);
        for step in &episode.steps {
            let by = step.decision.as_ref().map(|decision| format!("{:?}", decision.by));
            let text = step.generation.text.trim_end();
            println!("{:5}  {text}  ({})", step.generation.model, by.unwrap_or_default());
        }
        println!("cost {:.3e}", episode.ledger.cost());
    }
    Ok(())
}
