//! `pointsman` without a subcommand: the workbench.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use super::options::Common;
use super::{Outcome, journal, policies};
use crate::config::Folders;
use crate::session::{self, load_pair};
use crate::store::Store;
use crate::tasks::arithmetic::Split;
use crate::tasks::{Question, questions};
use crate::terminal::Screen;
use crate::theme::{Glyphs, Theme};
use crate::workbench::{self, Beginning, Ended, Keymap, Session, Start};

/// How long a session may take to end once it is told to: more than the time of a token.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub struct WorkbenchArgs {
    /// Theme: a name, or a TOML file [default: `default`, or `mono` where NO_COLOR is set]
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,

    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,

    /// Draw at most ten times a second
    #[arg(long)]
    pub slow_link: bool,

    /// Start without a question
    #[arg(long)]
    pub idle: bool,
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
    let preset = common.preset(folders)?;
    policies::known(std::slice::from_ref(&preset.routing.router))?;
    let theme = Theme::choose(args.theme.as_deref(), &folders.themes())?;
    let keys = Keymap::load(&folders.keys())?;
    let mut drawn = questions("arithmetic", Split::Test, common.seed)?;
    let first = if args.idle { None } else { drawn.next() };
    let path = common.store(folders);
    let store = Arc::new(Store::open(&path)?);
    let roster = policies::roster(common, &preset, Some(&store))?;
    roster.router(&preset.routing.router)?;

    // The terminal is taken before the models are loaded: what their loading prints goes to the log.
    let screen = Screen::enter(&log)?;
    let cache = folders.cache.clone();
    let wanted = preset.clone();
    let live = session::spawn(
        move || Ok(load_pair(&wanted, &cache)?),
        roster,
        Box::new(journal::Kept(store.clone())),
    )
    .context("cannot start the session's thread")?;
    let start = Start {
        beginning: Beginning {
            preset,
            first,
            seed: common.seed,
            store: path.display().to_string(),
            keys,
        },
        theme,
        glyphs: if args.ascii {
            Glyphs::Ascii
        } else {
            Glyphs::detect(|variable| std::env::var(variable).ok())
        },
        slow_link: args.slow_link,
        draw_question: Box::new(move || drawn.next().unwrap_or_else(|| Question::typed(""))),
    };
    let session = Session { commands: live.commands, updates: live.updates };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    let ended = runtime.block_on(workbench::run(start, screen, session));
    part(live.thread);
    Ok(match ended? {
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
