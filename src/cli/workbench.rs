//! `pointsman` without a subcommand: the workbench.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::Args;

use super::error::{CommandResult, Context};
use super::jobs::{JobRunner, QuestionSource, with_scale};
use super::open_store;
use super::options::{CommonArgs, ShadowArgs};
use super::task_args::TaskArgs;
use super::{CommandStatus, policy_lookup};
use crate::config::Folders;
use crate::session::RoutingConfig;
use crate::tasks::arithmetic::Split;
use crate::terminal::{Clipboard, Screen};
use crate::theme::{Glyphs, Theme};
use crate::workbench::{
    self, ExitReason, InitialState, Keymap, SessionHandle, State, WorkbenchConfig,
};

/// How long to wait for the session's thread to end: more than the time of a token.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How the screen looks.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct DisplayArgs {
    /// Theme: a name, or a TOML file [default: `default`, or `mono` if `NO_COLOR` is set]
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) theme: Option<String>,

    /// Draw with ASCII characters only
    #[arg(long)]
    pub(super) ascii: bool,

    /// Draw at most ten times a second; keys are answered at once
    #[arg(long)]
    pub(super) slow_link: bool,

    /// Show text by whole steps, and move clocks only with them
    #[arg(long)]
    pub(super) reduced_motion: bool,

    /// Never ask the terminal to copy (OSC 52)
    #[arg(long)]
    pub(super) no_clipboard: bool,
}

impl DisplayArgs {
    /// The characters to draw with.
    pub(super) fn glyphs(&self) -> Glyphs {
        if self.ascii {
            Glyphs::Ascii
        } else {
            Glyphs::detect(|variable| std::env::var(variable).ok())
        }
    }

    /// How to copy.
    pub(super) fn clipboard(&self) -> Clipboard {
        if self.no_clipboard {
            Clipboard::Off
        } else {
            Clipboard::detect(|variable| std::env::var(variable).ok())
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct WorkbenchArgs {
    #[command(flatten)]
    pub(super) display: DisplayArgs,

    /// Start without a question
    #[arg(long)]
    pub(super) idle: bool,

    #[command(flatten)]
    pub(super) shadows: ShadowArgs,

    #[command(flatten)]
    pub(super) tasks: TaskArgs,
}

/// Opens the workbench and asks a first question of the task set.
///
/// # Errors
/// If the configuration is invalid, the store cannot be opened, or there is no terminal.
pub(super) fn run(
    args: WorkbenchArgs,
    common: &CommonArgs,
    folders: &Folders,
    log: &Path,
) -> CommandResult<CommandStatus> {
    let mut preset = common.preset(folders)?;
    crate::routing::check_router_name(&preset.routing.router)?;
    args.shadows.apply_to(&mut preset)?;
    let theme = Theme::load_for_terminal(args.display.theme.as_deref(), &folders.themes())?;
    let keys = Keymap::load(&folders.keys())?;
    let set = args.tasks.open(None, Split::Test)?;
    let mut questions = set.questions(common.seed);
    let first = if args.idle { None } else { questions.next() };
    let path = common.store(folders);
    let store = Arc::new(open_store::for_writing(common, folders)?);
    let registry = policy_lookup::registry(common, &preset, Some(&store))?;
    registry.router(&preset.routing.router)?;
    registry.shadows(&preset.routing.shadows)?;

    let routing = RoutingConfig { preset, registry };
    let source = QuestionSource { args: args.tasks, name: set.name().to_owned(), questions };
    let job_runner = Arc::new(JobRunner::new(store, folders.clone(), common.seed, source));

    // The screen is entered before the models are loaded: the output of their loading goes to the
    // log.
    let screen = Screen::enter(log)?;
    let session =
        job_runner.spawn_session(&routing).context("cannot start the session's thread")?;
    let mut state = State::new(InitialState {
        routing: with_scale(routing),
        first_question: first,
        seed: common.seed,
        store: path.display().to_string(),
        keys,
    });
    state.reduced_motion = args.display.reduced_motion;
    let start = WorkbenchConfig {
        state,
        theme,
        glyphs: args.display.glyphs(),
        slow_link: args.display.slow_link,
        clipboard: args.display.clipboard(),
        executor: job_runner.clone(),
    };
    let ended = show(start, screen, session);
    if let Some(thread) = job_runner.take_session_thread() {
        join_with_timeout(thread);
    }
    ended
}

/// Shows the workbench until it ends.
///
/// # Errors
/// If the terminal cannot be read or written.
pub(super) fn show(
    start: WorkbenchConfig,
    screen: Screen,
    session: SessionHandle,
) -> CommandResult<CommandStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    Ok(match runtime.block_on(workbench::run(start, screen, session))? {
        ExitReason::Quit => CommandStatus::Success,
        ExitReason::Terminated => CommandStatus::Failure,
    })
}

/// Waits for the session's thread, but not for ever: the loading of a model cannot be interrupted,
/// and everything else is in the store.
fn join_with_timeout(thread: JoinHandle<()>) {
    let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
    while !thread.is_finished() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    if thread.is_finished() && thread.join().is_err() {
        tracing::error!("the session's thread panicked");
    }
}
