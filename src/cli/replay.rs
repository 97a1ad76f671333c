//! `pointsman replay`: a recorded episode in the workbench, as text, a film or a picture. No model is
//! loaded.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use thiserror::Error;

use super::atomic_file::AtomicFile;
use super::error::{CommandError, CommandResult, CommandStatus, Context};
use super::open_store;
use super::options::CommonArgs;
use super::stdio::note;
use super::workbench::{DisplayArgs, show};
use super::{episodes, output};
use crate::config::Folders;
use crate::episode::{Episode, EpisodeStatus, Verdict};
use crate::recording::{self, Player, RecordedEpisode, RecordingReader, ReplaySpeed};
use crate::store::Annotations;
use crate::terminal::{Screen, TerminalError};
use crate::theme::{Glyphs, Theme};
use crate::workbench::{
    self, Keymap, MINIMUM_SIZE, NullExecutor, Replay, SessionHandle, State, View, WorkbenchConfig,
};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// A recording (a .jsonl file, or `-` for standard input), the number of a stored episode, or the
    /// name of an embedded recording [default: list those names]
    #[arg(value_name = "FILE|ID|NAME")]
    source: Option<String>,

    /// Print the trace step by step instead of opening the workbench
    #[arg(long)]
    headless: bool,

    /// Speed, as a multiple of the original: 1/64 to 16, or `instant`
    /// [default: 1; with --headless, instant]
    #[arg(long, value_name = "X")]
    speed: Option<ReplaySpeed>,

    /// Write an asciicast of the workbench, which `asciinema play FILE` plays
    #[arg(long, value_name = "FILE", conflicts_with = "headless")]
    cast: Option<PathBuf>,

    /// Write a picture of the workbench instead, as SVG
    #[arg(long, value_name = "FILE", conflicts_with_all = ["headless", "cast", "speed"])]
    svg: Option<PathBuf>,

    /// With --svg: the boundary before this step of the first episode, from 1 [default: the end]
    #[arg(long, value_name = "STEP", requires = "svg")]
    at: Option<usize>,

    /// Columns and rows of the cast or the picture
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "100x28")]
    size: CastSize,

    #[command(flatten)]
    display: DisplayArgs,
}

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CastSize(u16, u16);

/// Why a text is not a valid size of the workbench.
#[derive(Debug, Error)]
#[error("`{0}` is not a valid size: give columns and rows from 80x24 to 500x200, such as 100x28")]
struct CastSizeError(String);

impl FromStr for CastSize {
    type Err = CastSizeError;

    fn from_str(text: &str) -> Result<Self, CastSizeError> {
        let parts = text.split_once('x').and_then(|(columns, rows)| {
            Some((columns.trim().parse().ok()?, rows.trim().parse().ok()?))
        });
        match parts {
            Some((columns @ ..=500, rows @ ..=200))
                if columns >= MINIMUM_SIZE.0 && rows >= MINIMUM_SIZE.1 =>
            {
                Ok(Self(columns, rows))
            }
            _ => Err(CastSizeError(text.to_owned())),
        }
    }
}

/// Replays a recording.
///
/// # Errors
/// If the recording does not exist or is invalid, the output cannot be written, or a terminal is needed and
/// missing.
pub(super) fn run(
    args: &ReplayArgs,
    common: &CommonArgs,
    folders: &Folders,
    log: &Path,
) -> CommandResult<CommandStatus> {
    let folder = folders.recordings();
    let Some(source) = &args.source else {
        list(&folder)?;
        return Ok(CommandStatus::Success);
    };
    let (source, recorded) = find_recording(source, &folder, common, folders)?;
    if args.headless {
        return print_episodes(&recorded, args.speed.unwrap_or(ReplaySpeed::Instant));
    }
    let speed = args.speed.unwrap_or(ReplaySpeed::Times(1.0));
    let replay = Replay::new(source, recorded, speed).context("the recording has no episode")?;
    match (&args.cast, &args.svg) {
        (Some(path), _) => write_cast(replay, path, args, folders),
        (None, Some(path)) => write_svg(replay, path, args, folders),
        (None, None) => open_workbench(replay, &args.display, folders, log),
    }
}

/// The episodes that `source` names, and a title for them.
fn find_recording(
    source: &str,
    folder: &Path,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<(String, Vec<RecordedEpisode>)> {
    if source == "-" {
        let name = "standard input";
        return Ok((name.into(), RecordingReader::new(name, std::io::stdin().lock()).into_vec()?));
    }
    let Ok(id) = source.parse::<u64>() else {
        let name =
            Path::new(source).file_name().map_or(source.into(), |name| name.to_string_lossy());
        return Ok((name.into_owned(), recording::find_recording(source, folder)?));
    };
    let store = open_store::for_reading(common, folders)?;
    let (events, episode) = (store.events(id)?, store.episode(id)?);
    let recorded = RecordedEpisode { id, line: 1, events, json: Vec::new(), episode };
    Ok((format!("episode {id}"), vec![recorded]))
}

/// Lists the recordings that have names.
fn list(folder: &Path) -> CommandResult<()> {
    for name in recording::recording_names(folder) {
        let text = match recording::find_recording(&name, folder) {
            Ok(all) => {
                all.first().map_or_else(String::new, |first| summarize(&first.episode, all.len()))
            }
            Err(error) => error.to_string(),
        };
        output::print_line(&format!("{name:<16} {text}"))?;
    }
    output::print_line(
        "\n`pointsman replay NAME` replays one of these. `pointsman episodes ls` lists stored episodes, which \
         `pointsman replay ID` replays.",
    )?;
    Ok(())
}

/// A recording in one line.
fn summarize(first: &Episode, episodes: usize) -> String {
    let end = match &first.status {
        EpisodeStatus::Finished { answer, verdict, .. } => {
            let answer = answer.as_deref().unwrap_or("no answer");
            let verdict = match verdict {
                Verdict::Correct => ", correct",
                Verdict::Wrong => ", wrong",
                Verdict::Undecided => "",
            };
            format!("{answer}{verdict}")
        }
        EpisodeStatus::Failed(_) => "failed".into(),
        EpisodeStatus::Running | EpisodeStatus::Paused => "unfinished".into(),
    };
    let many = if episodes > 1 { format!("{episodes} episodes; ") } else { String::new() };
    let question: String = first.started.question.chars().take(56).collect();
    format!("{many}{} steps, {end}: {}…", first.steps.len(), output::strip_control_chars(&question))
}

/// Prints the episodes, each step at the time at which it was written.
fn print_episodes(
    recorded: &[RecordedEpisode],
    speed: ReplaySpeed,
) -> CommandResult<CommandStatus> {
    for (index, RecordedEpisode { id, events, episode, .. }) in recorded.iter().enumerate() {
        if index > 0 {
            output::print_line("")?;
        }
        let mut player = Player::new(events.as_slice(), speed);
        let began = Instant::now();
        // A recording has no tags or notes.
        episodes::show(*id, episode, &Annotations::default(), |step| {
            // This step is complete when the next one begins.
            if let (ReplaySpeed::Times(times), true) = (speed, player.seek_step(step + 1)) {
                let due = Duration::from_secs_f64(player.position_ms() / times / 1000.0);
                std::thread::sleep(due.saturating_sub(began.elapsed()));
            }
        })?;
    }
    Ok(CommandStatus::Success)
}

/// Writes the asciicast.
fn write_cast(
    replay: Replay,
    path: &Path,
    args: &ReplayArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let view = export_view(args, folders)?;
    let mut file = AtomicFile::create(path)?;
    workbench::write_asciicast(
        replay,
        view,
        (args.size.0, args.size.1),
        BufWriter::new(&mut file),
    )?;
    file.finish()?;
    note!("`asciinema play {}` plays it", path.display());
    Ok(CommandStatus::Success)
}

/// Writes the picture.
fn write_svg(
    replay: Replay,
    path: &Path,
    args: &ReplayArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let view = export_view(args, folders)?;
    let steps = replay.recorded().episode.steps.len();
    let svg = workbench::replay_svg(replay, view, (args.size.0, args.size.1), args.at);
    let svg = svg.ok_or_else(|| {
        CommandError::usage(format!("the episode has {steps} steps: give --at 1 to {steps}"))
    })?;
    AtomicFile::write(path, svg.as_bytes())?;
    Ok(CommandStatus::Success)
}

/// The view of an exported replay; it does not depend on this terminal.
fn export_view(args: &ReplayArgs, folders: &Folders) -> CommandResult<View> {
    let theme = Theme::load(args.display.theme.as_deref().unwrap_or("default"), &folders.themes())?;
    let glyphs = if args.display.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
    Ok(View::new(theme, glyphs))
}

/// Opens the workbench on the recording.
fn open_workbench(
    replay: Replay,
    display: &DisplayArgs,
    folders: &Folders,
    log: &Path,
) -> CommandResult<CommandStatus> {
    let theme = Theme::load_for_terminal(display.theme.as_deref(), &folders.themes())?;
    let keys = Keymap::load(&folders.keys())?;
    let screen = Screen::enter(log).map_err(|error| match error {
        TerminalError::NoTerminal => CommandError::failure(
            "a replay in the workbench needs a terminal: use --headless for text, --cast FILE for a film, or \
             `ssh -t` to get a terminal",
        ),
        other => other.into(),
    })?;
    // A replay has no session: the other ends of both channels are unused.
    let (commands, _command_receiver) = std::sync::mpsc::channel();
    let (_update_sender, updates) = tokio::sync::mpsc::channel(1);
    let mut state = State::replaying(replay, keys);
    state.reduced_motion = display.reduced_motion;
    let start = WorkbenchConfig {
        state,
        theme,
        glyphs: display.glyphs(),
        slow_link: display.slow_link,
        clipboard: display.clipboard(),
        executor: Arc::new(NullExecutor),
    };
    show(start, screen, SessionHandle { commands, updates })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_that_the_workbench_can_have() {
        assert_eq!("100x28".parse::<CastSize>().unwrap(), CastSize(100, 28));
        for wrong in ["", "100", "79x24", "80x23", "501x24", "99999x24", "-1x24", "ax24"] {
            let message = wrong.parse::<CastSize>().unwrap_err().to_string();
            assert!(message.contains("80x24"), "{message}");
        }
    }
}
