//! Whether `kill -9` at a random moment of every command that writes loses anything.
//!
//! Each round starts a command in a copy of a prepared home, kills it after a random part of the time that it takes
//! when it is left alone, and compares the store with what was there before and with what the command acknowledged.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use pointsman::store::Store;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of kills
    #[arg(short, default_value_t = 200)]
    n: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Every command that writes to the store, with the episodes that it may delete.
const COMMANDS: [(&[&str], &[u64]); 15] = [
    (&["run", "--json", "--seed", "7"], &[]),
    (&["fork", "1", "--step", "2", "--model", "large", "--json"], &[]),
    (&["collect", "-n", "40", "--seed", "9"], &[]),
    (&["train", "--iterations", "2"], &[]),
    (&["episodes", "tag", "1", "2", "+hard"], &[]),
    (&["episodes", "note", "1", "a note"], &[]),
    (&["episodes", "star", "1", "2"], &[]),
    (&["episodes", "rm", "1", "2"], &[]),
    (&["episodes", "undo"], &[]),
    (&["episodes", "restore", "3"], &[]),
    (&["episodes", "trash", "empty"], &[3, 4]),
    (&["episodes", "import", "episodes.jsonl"], &[]),
    (&["policy", "promote", "tiny-1", "--force"], &[]),
    (&["policy", "rollback"], &[]),
    (&["calibrate", "--target-accuracy", "0.7", "-n", "40"], &[]),
];

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let prepared = tempfile::tempdir()?;
    prepare(prepared.path())?;
    let mut random = ChaCha8Rng::seed_from_u64(arguments.seed);
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header([
        "command",
        "kills",
        "while it ran",
        "acknowledged events",
        "lost",
        "notices",
    ]);
    for (index, (command, may_delete)) in COMMANDS.iter().enumerate() {
        let kills =
            arguments.n / COMMANDS.len() + usize::from(index < arguments.n % COMMANDS.len());
        let undisturbed = duration(prepared.path(), command)?;
        let mut row = Counts::default();
        for _ in 0..kills {
            let delay = undisturbed.mul_f64(random.random_range(0.0..1.0));
            kill_once(prepared.path(), command, may_delete, delay, &mut row)
                .with_context(|| format!("{} after {delay:?}", command.join(" ")))?;
        }
        table.add_row([
            format!("`{}`", command.join(" ")),
            kills.to_string(),
            row.while_running.to_string(),
            row.acknowledged.to_string(),
            row.lost.to_string(),
            row.notices.to_string(),
        ]);
    }
    println!("{table}");
    Ok(())
}

#[derive(Default)]
struct Counts {
    /// Kills that came before the command had ended.
    while_running: usize,
    /// Events that a command printed, or that were in the store before.
    acknowledged: usize,
    lost: usize,
    /// Sentences about interrupted records.
    notices: usize,
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.env("POINTSMAN_HOME", home).current_dir(home).args(arguments).stdin(Stdio::null());
    command
}

fn complete(home: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = command(home, arguments).output()?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A store with collected episodes, some in the trash, a trained and promoted policy, and a recording.
fn prepare(home: &Path) -> anyhow::Result<()> {
    complete(home, &["collect", "--router", "random", "--coin", "0.5", "-n", "80"])?;
    complete(home, &["train", "--iterations", "2"])?;
    complete(home, &["policy", "promote", "tiny-1", "--force"])?;
    complete(home, &["episodes", "rm", "3", "4"])?;
    complete(home, &["episodes", "export", "5", "6", "--out", "episodes.jsonl"])
}

fn duration(prepared: &Path, arguments: &[&str]) -> anyhow::Result<Duration> {
    let home = tempfile::tempdir()?;
    copy(prepared, home.path())?;
    let began = Instant::now();
    command(home.path(), arguments).output()?;
    Ok(began.elapsed())
}

fn kill_once(
    prepared: &Path,
    arguments: &[&str],
    may_delete: &[u64],
    delay: Duration,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    copy(prepared, home.path())?;
    let path = home.path().join("data/store");
    let before = events(&Store::open_read_only(&path)?)?;
    let mut child =
        command(home.path(), arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    std::thread::sleep(delay);
    counts.while_running += usize::from(child.try_wait()?.is_none());
    let acknowledged = kill(&mut child)?;

    let reading = Store::open_read_only(&path)?;
    counts.notices += reading.notices().len();
    drop(reading);
    let store = Store::open(&path)?;
    let after = events(&store)?;
    for (id, all) in &before {
        counts.acknowledged += all.len();
        if !may_delete.contains(id) && after.get(id) != Some(all) {
            counts.lost += all.len();
        }
    }
    for line in acknowledged {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        let Some(id) = event["episode"].as_u64() else { continue };
        counts.acknowledged += 1;
        let stored = after.get(&id).map_or(&[][..], Vec::as_slice);
        let is_stored = stored.iter().any(|json| {
            serde_json::from_str::<serde_json::Value>(json).is_ok_and(|stored| {
                stored["at_ms"] == event["at_ms"] && stored["event"] == event["event"]
            })
        });
        counts.lost += usize::from(!is_stored);
    }
    let next = store.next_episode_id()?;
    if after.keys().any(|id| *id >= next) {
        bail!("the id {next} is given twice");
    }
    Ok(())
}

/// Kills the process and returns the complete lines that it printed.
fn kill(child: &mut Child) -> anyhow::Result<Vec<String>> {
    child.kill()?;
    let stdout = child.stdout.take().context("no standard output")?;
    child.wait()?;
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok).collect::<Vec<_>>();
    // The last line may be cut off.
    lines.pop();
    Ok(lines)
}

/// The events of all episodes, with those in the trash.
fn events(store: &Store) -> anyhow::Result<BTreeMap<u64, Vec<String>>> {
    let listed = store.summaries().map(|summary| summary.map(|summary| summary.id));
    let mut ids = listed.collect::<Result<Vec<u64>, _>>()?;
    ids.extend(store.trashed()?.into_iter().map(|(id, _)| id));
    ids.into_iter().map(|id| Ok((id, store.events_json(id)?))).collect()
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
