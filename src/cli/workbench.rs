//! `pointsman` without a subcommand: the workbench.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use super::bureau::{Asked, Bureau, scale};
use super::options::{Common, Shadows};
use super::tasks::TaskArgs;
use super::{Outcome, policies};
use crate::config::Folders;
use crate::session::Employment;
use crate::store::Store;
use crate::tasks::arithmetic::Split;
use crate::terminal::{Clipboard, Screen};
use crate::theme::{Glyphs, Theme};
use crate::workbench::{self, Beginning, Ended, Keymap, Session, Start, State};

/// How long a session may take to end once it is told to: more than the time of a token.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the screen looks.
#[derive(Debug, Args)]
pub struct LookArgs {
    /// Theme: a name, or a TOML file [default: `default`, or `mono` where NO_COLOR is set]
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,

    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,

    /// Draw news at most ten times a second; keys are answered at once
    #[arg(long)]
    pub slow_link: bool,

    /// Show text by whole steps, and move clocks only with them
    #[arg(long)]
    pub reduced_motion: bool,

    /// Never ask the terminal to copy (OSC 52)
    #[arg(long)]
    pub no_clipboard: bool,
}

impl LookArgs {
    /// The characters to draw with.
    pub fn glyphs(&self) -> Glyphs {
        if self.ascii {
            Glyphs::Ascii
        } else {
            Glyphs::detect(|variable| std::env::var(variable).ok())
        }
    }

    /// How to copy.
    pub fn clipboard(&self) -> Clipboard {
        if self.no_clipboard {
            Clipboard::Off
        } else {
            Clipboard::detect(|variable| std::env::var(variable).ok())
        }
    }
}

#[derive(Debug, Args)]
pub struct WorkbenchArgs {
    #[command(flatten)]
    pub look: LookArgs,

    /// Start without a question
    #[arg(long)]
    pub idle: bool,

    #[command(flatten)]
    pub shadows: Shadows,

    #[command(flatten)]
    pub tasks: TaskArgs,
}

/// Opens the workbench on a first question of the task set.
///
/// # Errors
/// When the configuration is invalid, the store cannot be opened, or there is no terminal.
pub fn run(
    args: WorkbenchArgs,
    common: &Common,
    folders: &Folders,
    log: PathBuf,
) -> anyhow::Result<Outcome> {
    let mut preset = common.preset(folders)?;
    crate::routing::known(std::slice::from_ref(&preset.routing.router))?;
    args.shadows.enter(&mut preset)?;
    let theme = Theme::choose(args.look.theme.as_deref(), &folders.themes())?;
    let keys = Keymap::load(&folders.keys())?;
    let set = args.tasks.open(None, Split::Test)?;
    let mut drawn = set.questions(common.seed);
    let first = if args.idle { None } else { drawn.next() };
    let path = common.store(folders);
    let store = Arc::new(Store::open(&path)?);
    let roster = policies::roster(common, &preset, Some(&store))?;
    roster.router(&preset.routing.router)?;
    roster.shadows(&preset.routing.shadows)?;

    let scale = scale(&preset, &roster);
    let employment = Employment { preset: preset.clone(), roster };
    let asked = Asked { args: args.tasks, name: set.name().to_owned(), drawn };
    let bureau = Arc::new(Bureau::new(store, folders.clone(), common.seed, employment, asked));

    // The terminal is taken before the models are loaded: what their loading prints goes to the log.
    let screen = Screen::enter(&log)?;
    let session = bureau.start().context("cannot start the session's thread")?;
    let mut state = State::new(Beginning {
        preset,
        first,
        seed: common.seed,
        store: path.display().to_string(),
        keys,
        scale,
    });
    state.reduced_motion = args.look.reduced_motion;
    let start = Start {
        state,
        theme,
        glyphs: args.look.glyphs(),
        slow_link: args.look.slow_link,
        clipboard: args.look.clipboard(),
        desk: bureau.clone(),
    };
    let ended = show(start, screen, session);
    if let Some(thread) = bureau.take_thread() {
        part(thread);
    }
    ended
}

/// Shows the workbench until it ends.
///
/// # Errors
/// When the terminal fails.
pub fn show(start: Start, screen: Screen, session: Session) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    Ok(match runtime.block_on(workbench::run(start, screen, session))? {
        Ended::Quit => Outcome::Done,
        Ended::Killed => Outcome::Unwell,
    })
}

/// Waits for the session's thread, but not for ever: a model that is being loaded cannot be
/// interrupted, and it holds nothing that is not in the store.
fn part(thread: JoinHandle<()>) {
    let deadline = Instant::now() + PATIENCE;
    while !thread.is_finished() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    if thread.is_finished() && thread.join().is_err() {
        tracing::error!("the session's thread panicked");
    }
}
