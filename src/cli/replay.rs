//! `pointsman replay`: a recorded episode in the workbench, as text, or as a film. No model is
//! loaded.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use thiserror::Error;

use super::options::Common;
use super::outfile::OutFile;
use super::workbench::{LookArgs, show};
use super::{Outcome, episodes, style};
use crate::config::Folders;
use crate::episode::{Episode, Status, Verdict};
use crate::recording::{self, Episodes, Player, Recorded, Speed};
use crate::store::{Annotations, Store};
use crate::terminal::{Screen, TerminalError};
use crate::theme::{Glyphs, Theme};
use crate::workbench::{self, Keymap, MINIMUM, NoDesk, Replay, Session, Start, State, View};

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A recording (a .jsonl file, or `-` for standard input), the number of a stored episode, or
    /// the name of a recording inside the program; without it, those names are listed
    #[arg(value_name = "FILE|ID|NAME")]
    what: Option<String>,

    /// Print the trace step by step instead of opening the workbench
    #[arg(long)]
    headless: bool,

    /// How many times as fast as it was: 1/64 to 16, or `instant`
    /// [default: 1; with --headless, instant]
    #[arg(long, value_name = "X")]
    speed: Option<Speed>,

    /// Write an asciicast of the workbench instead, which `asciinema play FILE` shows
    #[arg(long, value_name = "FILE", conflicts_with = "headless")]
    cast: Option<PathBuf>,

    /// Columns and rows of the cast
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "100x28", requires = "cast")]
    size: Size,

    #[command(flatten)]
    look: LookArgs,
}

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(u16, u16);

/// A size that a cast cannot have.
#[derive(Debug, Error)]
#[error("`{0}` is no size: give columns and rows from 80x24 to 500x200, such as 100x28")]
struct SizeError(String);

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let parts = text.split_once('x').and_then(|(columns, rows)| {
            Some((columns.trim().parse().ok()?, rows.trim().parse().ok()?))
        });
        match parts {
            Some((columns @ ..=500, rows @ ..=200))
                if columns >= MINIMUM.0 && rows >= MINIMUM.1 =>
            {
                Ok(Self(columns, rows))
            }
            _ => Err(SizeError(text.to_owned())),
        }
    }
}

/// Replays a recording.
///
/// # Errors
/// When there is no such recording or it cannot be used, the output cannot be written, or there is
/// no terminal.
pub fn run(
    args: ReplayArgs,
    common: &Common,
    folders: &Folders,
    log: PathBuf,
) -> anyhow::Result<Outcome> {
    let folder = folders.recordings();
    let Some(what) = &args.what else {
        list(&folder)?;
        return Ok(Outcome::Done);
    };
    let (source, recorded) = find(what, &folder, common, folders)?;
    if args.headless {
        return print(&recorded, args.speed.unwrap_or(Speed::Instant));
    }
    let speed = args.speed.unwrap_or(Speed::Times(1.0));
    let replay = Replay::new(source, recorded, speed).context("the recording holds no episode")?;
    match &args.cast {
        Some(path) => cast(replay, path, &args, folders),
        None => watch(replay, &args.look, folders, log),
    }
}

/// The episodes that the command line names, and what to call them.
fn find(
    what: &str,
    folder: &Path,
    common: &Common,
    folders: &Folders,
) -> anyhow::Result<(String, Vec<Recorded>)> {
    if what == "-" {
        let name = "standard input";
        return Ok((name.into(), Episodes::new(name, std::io::stdin().lock()).into_vec()?));
    }
    let Ok(id) = what.parse::<u64>() else {
        let name = Path::new(what).file_name().map_or(what.into(), |name| name.to_string_lossy());
        return Ok((name.into_owned(), recording::find(what, folder)?));
    };
    let store = Store::open(&common.store(folders))?;
    let (events, episode) = (store.events(id)?, store.episode(id)?);
    let recorded = Recorded { id, line: 1, events, json: Vec::new(), episode };
    Ok((format!("episode {id}"), vec![recorded]))
}

/// The recordings that have names.
fn list(folder: &Path) -> anyhow::Result<()> {
    for name in recording::names(folder) {
        let text = match recording::find(&name, folder) {
            Ok(all) => {
                all.first().map_or_else(String::new, |first| about(&first.episode, all.len()))
            }
            Err(error) => error.to_string(),
        };
        style::line(&format!("{name:<16} {text}"))?;
    }
    style::line(
        "\n`pointsman replay NAME` shows one; `pointsman episodes ls` lists stored episodes, \
         `pointsman replay ID` shows one",
    )?;
    Ok(())
}

/// A recording in short.
fn about(first: &Episode, episodes: usize) -> String {
    let end = match &first.status {
        Status::Finished { answer, verdict, .. } => {
            let answer = answer.as_deref().unwrap_or("no answer");
            let verdict = match verdict {
                Verdict::Correct => ", right",
                Verdict::Wrong => ", wrong",
                Verdict::Undecided => "",
            };
            format!("{answer}{verdict}")
        }
        Status::Failed(_) => "failed".into(),
        Status::Running | Status::Paused => "unfinished".into(),
    };
    let many = if episodes > 1 { format!("{episodes} episodes; ") } else { String::new() };
    let question: String = first.started.question.chars().take(56).collect();
    format!("{many}{} steps, {end}: {}…", first.steps.len(), style::plain(&question))
}

/// Prints the episodes, each step when it was written.
fn print(recorded: &[Recorded], speed: Speed) -> anyhow::Result<Outcome> {
    for (index, Recorded { id, events, episode, .. }) in recorded.iter().enumerate() {
        if index > 0 {
            style::line("")?;
        }
        let mut player = Player::new(events.as_slice(), speed);
        let began = Instant::now();
        // A recording says nothing of tags and notes.
        episodes::show(*id, episode, &Annotations::default(), |step| {
            // Where the next step begins, this one stands written.
            if let (Speed::Times(times), true) = (speed, player.seek_step(step + 1)) {
                let due = Duration::from_secs_f64(player.position_ms() / times / 1000.0);
                std::thread::sleep(due.saturating_sub(began.elapsed()));
            }
        })?;
    }
    Ok(Outcome::Done)
}

/// Writes the asciicast.
fn cast(
    replay: Replay,
    path: &Path,
    args: &ReplayArgs,
    folders: &Folders,
) -> anyhow::Result<Outcome> {
    // What this terminal can show does not count.
    let theme = Theme::load(args.look.theme.as_deref().unwrap_or("default"), &folders.themes())?;
    let glyphs = if args.look.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
    let view = View::new(theme, glyphs);
    let mut file = OutFile::begin(path)?;
    workbench::film(replay, view, (args.size.0, args.size.1), BufWriter::new(&mut file))?;
    file.finish()?;
    eprintln!("`asciinema play {}` shows it", path.display());
    Ok(Outcome::Done)
}

/// Opens the workbench on it.
fn watch(
    replay: Replay,
    look: &LookArgs,
    folders: &Folders,
    log: PathBuf,
) -> anyhow::Result<Outcome> {
    let theme = Theme::choose(look.theme.as_deref(), &folders.themes())?;
    let keys = Keymap::load(&folders.keys())?;
    let screen = Screen::enter(&log).map_err(|error| match error {
        TerminalError::NoTerminal => anyhow::anyhow!(
            "a replay on the screen needs a terminal: use --headless for text, --cast FILE for a \
             film, or `ssh -t` to get one"
        ),
        other => other.into(),
    })?;
    // Nobody is at the far ends: no key of a replay is for a session.
    let (commands, _orders) = std::sync::mpsc::channel();
    let (_news, updates) = tokio::sync::mpsc::channel(1);
    let mut state = State::replaying(replay, keys);
    state.reduced_motion = look.reduced_motion;
    let start = Start {
        state,
        theme,
        glyphs: look.glyphs(),
        slow_link: look.slow_link,
        clipboard: look.clipboard(),
        desk: Arc::new(NoDesk),
    };
    show(start, screen, Session { commands, updates })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_that_the_workbench_can_have() {
        assert_eq!("100x28".parse::<Size>().unwrap(), Size(100, 28));
        for wrong in ["", "100", "79x24", "80x23", "501x24", "99999x24", "-1x24", "ax24"] {
            let message = wrong.parse::<Size>().unwrap_err().to_string();
            assert!(message.contains("80x24"), "{message}");
        }
    }
}
