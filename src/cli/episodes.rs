//! `pointsman episodes`: what the store holds.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::{import, style};
use crate::episode::{Account, Decider, Episode, Role, Status, Step};
use crate::recording::write_json;
use crate::store::{End, Store, Summary};

#[derive(Debug, Args)]
pub struct EpisodesArgs {
    #[command(subcommand)]
    command: EpisodesCommand,
}

#[derive(Debug, Subcommand)]
enum EpisodesCommand {
    /// List all episodes, oldest first
    Ls {
        /// One JSON object an episode
        #[arg(long)]
        json: bool,
    },
    /// Show an episode: its trace, who wrote each step and why, what it cost
    Show {
        /// Number of the episode
        id: u64,
        /// Its events instead, one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Take the episodes of a recording into the store, under new numbers; those that are there
    /// already are skipped
    Import {
        /// The recording, as `export` and `pointsman run --json` write them
        file: PathBuf,
    },
    /// Write episodes as a recording: their events, one JSON object a line
    Export {
        /// Numbers of the episodes; all of them where none is given
        ids: Vec<u64>,
        /// File to write [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// When an episode is missing or cannot be read, or the output cannot be written.
pub fn run(args: EpisodesArgs, store: &Store) -> anyhow::Result<()> {
    match args.command {
        EpisodesCommand::Ls { json } => list(store, json),
        EpisodesCommand::Show { id, json: true } => export(store, &[id], std::io::stdout().lock()),
        EpisodesCommand::Show { id, json: false } => {
            show(id, &store.episode(id)?, |_| ())?;
            Ok(())
        }
        EpisodesCommand::Import { file } => import::run(&file, store),
        EpisodesCommand::Export { ids, out } => {
            let ids = if ids.is_empty() { all(store)? } else { distinct(ids) };
            let Some(path) = out else {
                return export(store, &ids, std::io::stdout().lock());
            };
            let failed = || format!("cannot write {}", path.display());
            let file = File::create(&path).with_context(failed)?;
            export(store, &ids, &file).with_context(failed)?;
            file.sync_all().with_context(failed)?;
            eprintln!("{} episodes written to {}", ids.len(), path.display());
            Ok(())
        }
    }
}

fn all(store: &Store) -> anyhow::Result<Vec<u64>> {
    store.list().map(|summary| Ok(summary?.id)).collect()
}

fn distinct(ids: Vec<u64>) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

fn export(store: &Store, ids: &[u64], out: impl Write) -> anyhow::Result<()> {
    let mut out = BufWriter::new(out);
    for &id in ids {
        for json in store.json(id)? {
            write_json(&mut out, id, &json)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn list(store: &Store, json: bool) -> anyhow::Result<()> {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_header(["id", "end", "steps", "large", "cost", "router", "question"]);
    let mut damaged = 0;
    for summary in store.list() {
        match summary {
            Ok(summary) if json => style::line(&serde_json::to_string(&summary)?)?,
            Ok(summary) => drop(table.add_row(row(&summary))),
            Err(error) => {
                damaged += 1;
                eprintln!("pointsman: {error}");
            }
        }
    }
    if !json {
        for column in [0, 2, 3, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let text = if store.is_empty() {
            "no episodes yet: `pointsman run` writes one".to_owned()
        } else {
            table.trim_fmt()
        };
        style::line(&text)?;
    }
    anyhow::ensure!(damaged == 0, "{damaged} episodes could not be read; the others are listed");
    Ok(())
}

fn row(summary: &Summary) -> [String; 7] {
    let end = match &summary.end {
        End::Unfinished => "unfinished".to_owned(),
        End::Finished { answer, verdict, .. } => {
            format!("{} {verdict:?}", answer.as_deref().unwrap_or("–")).to_lowercase()
        }
        End::Failed { .. } => "failed".to_owned(),
    };
    let question = style::plain(&summary.question);
    let mut short: String = question.chars().take(48).collect();
    if short.len() < question.len() {
        short.push('…');
    }
    [
        summary.id.to_string(),
        end,
        summary.steps.to_string(),
        summary.large_steps.to_string(),
        style::si(summary.cost),
        summary.router.clone(),
        short,
    ]
}

/// Prints an episode: models, question, steps, end, cost. `before` is called before each step.
///
/// # Errors
/// When standard output refuses.
pub fn show(id: u64, episode: &Episode, mut before: impl FnMut(usize)) -> std::io::Result<()> {
    let started = &episode.started;
    let preset = &started.preset;
    style::line(&format!(
        "episode {id} · preset {} · router {} · threshold {} · seed {}",
        preset.name, preset.routing.router, preset.routing.threshold, started.seed
    ))?;
    if let Some(parent) = &started.parent {
        style::line(&format!(
            "forked from episode {} at step {}",
            parent.episode,
            parent.step + 1
        ))?;
    }
    for role in Role::BOTH {
        let model = &started.models[role];
        style::line(&format!(
            "{role:>5}: {} · {} parameters · price {} a token · {}",
            model.name,
            style::si(model.parameters as f64),
            style::si(started.prices[role]),
            model.digest
        ))?;
    }
    style::line(&format!("\n{}\n", style::plain(&started.question)))?;
    for (index, step) in episode.steps.iter().enumerate() {
        before(index);
        style::line(&step_line(index, step))?;
    }
    style::line(&match &episode.status {
        Status::Running | Status::Paused => {
            "\nunfinished: it was running when the program ended".into()
        }
        Status::Finished { answer, verdict, reason } => {
            let answer = style::plain(answer.as_deref().unwrap_or("none"));
            let gold =
                started.gold.as_ref().map_or(String::new(), |gold| format!(" (gold {gold})"));
            format!("\nanswer {answer}{gold} · {verdict:?} · {reason:?}").to_lowercase()
        }
        Status::Failed(error) => format!("\nfailed: {}", style::plain(error)),
    })?;
    for role in Role::BOTH {
        let Account { prefilled, reused, kept, discarded, .. } = episode.ledger.accounts[role];
        style::line(&format!(
            "{role:>5}: {kept} tokens kept, {discarded} discarded, {prefilled} prefilled, \
             {reused} reused · cost {}",
            style::si(episode.ledger.cost_of(role))
        ))?;
    }
    Ok(())
}

fn step_line(index: usize, step: &Step) -> String {
    let text = style::plain(step.writing.text.trim_end());
    let why = step.decision.as_ref().map_or(String::new(), |decision| {
        let p = decision.p_large.map_or("   –".into(), |p| format!("{p:.2}"));
        let by = match &decision.by {
            Decider::Policy(name) | Decider::Rule(name) => name,
            Decider::Person => "person",
            Decider::Budget => "budget",
            Decider::Exploration => "exploration",
        };
        format!("p(large) {p}  {by}")
    });
    format!("{:>3} {}  {text:<44} {why}", index + 1, step.writing.model.mark())
}
