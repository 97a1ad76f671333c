//! The loop that binds state and view to the terminal and the session.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use ratatui::crossterm::event::Event as Input;
use ratatui::crossterm::terminal::size;
use tokio::time::sleep_until;

use super::job::Job;
use super::job_executor::{JobExecutor, SessionHandle};
use super::message::{Effect, Message};
use super::state::State;
use super::update::update;
use super::view::View;
use crate::session::{Command, SessionUpdate, now_ms};
use crate::terminal::{Clipboard, Pacer, Screen, Signal, Signals, keyboard_events};
use crate::theme::{Glyphs, Theme};

/// How the workbench is started.
pub struct WorkbenchConfig {
    pub state: State,
    pub theme: Theme,
    pub glyphs: Glyphs,
    /// Draw news at most ten times a second.
    pub slow_link: bool,
    pub clipboard: Clipboard,
    /// Does what takes time, on threads of its own.
    pub executor: Arc<dyn JobExecutor>,
}

/// How the workbench ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// A person quit.
    Quit,
    /// A signal ended it, or the keyboard is gone.
    Terminated,
}

/// Updates that are taken in at once, between two looks at the keyboard.
const UPDATE_BATCH: usize = 256;

/// Runs on `screen` until a person quits, a signal ends the program, or the terminal is gone; then
/// the terminal is restored. The screen is taken before the models are loaded, so that what their
/// loading prints goes to the log. The session is told [`Command::Quit`] and its updates are dropped, so its thread
/// ends at the next token; the caller waits for it, but not for ever: a model that is still being
/// loaded cannot be interrupted.
///
/// # Errors
/// When the terminal fails.
pub async fn run(
    start: WorkbenchConfig,
    mut screen: Screen,
    session: SessionHandle,
) -> io::Result<ExitReason> {
    let WorkbenchConfig { mut state, theme, glyphs, slow_link, clipboard, executor } = start;
    let SessionHandle { mut commands, mut updates } = session;
    let mut keys = keyboard_events()?;
    let mut signals = Signals::listen()?;
    let mut view = View::new(theme, glyphs);
    let mut pacer = Pacer::new(slow_link);
    let mut updates_batch = Vec::with_capacity(UPDATE_BATCH);
    let mut session_is_there = true;
    let (done, mut results) = tokio::sync::mpsc::unbounded_channel();
    let spawn_job = |job: Job| {
        let (executor, done) = (executor.clone(), done.clone());
        std::thread::spawn(move || {
            // A workbench that has ended wants no news.
            executor.run(job, &|message| drop(done.send(message)));
        });
    };
    spawn_job(Job::WatchGpu);
    pacer.request_prompt_frame();
    let (width, height) = size()?;
    update(&mut state, Message::Resized(width, height));
    // A replay counts its time from here.
    update(&mut state, Message::Clock(now_ms()));
    let ended = 'running: loop {
        let now = Instant::now();
        if pacer.is_due(now) {
            screen.draw(|frame| view.render(frame, &state))?;
            pacer.frame_drawn(now);
        }
        let frame = pacer.next_frame_at(now).or(state.time_to_next_change().map(|wait| now + wait));
        let mut messages = Vec::new();
        tokio::select! {
            biased;
            key = keys.recv() => {
                let Some(input) = key else { break ExitReason::Terminated };
                pacer.request_prompt_frame();
                messages.push(match input {
                    Input::Resize(width, height) => Message::Resized(width, height),
                    input => Message::Input(input),
                });
            }
            signal = signals.next() => match signal {
                Signal::Terminate => break ExitReason::Terminated,
                Signal::Continued => {
                    screen.reacquire()?;
                    let (width, height) = size()?;
                    messages.push(Message::Resized(width, height));
                    pacer.request_prompt_frame();
                }
            },
            count = updates.recv_many(&mut updates_batch, UPDATE_BATCH), if session_is_there => {
                pacer.request_frame();
                session_is_there = count > 0;
                if !session_is_there {
                    messages.push(Message::SessionGone);
                }
                messages.extend(updates_batch.drain(..).map(Message::Session));
            }
            Some(message) = results.recv() => {
                pacer.request_frame();
                messages.push(message);
            }
            () = until(frame) => pacer.request_frame(),
        }
        messages.push(Message::Clock(now_ms()));
        // Messages that effects give rise to come last.
        let mut at = 0;
        while at < messages.len() {
            for effect in update(&mut state, messages[at].clone()) {
                match effect {
                    // A session that is gone closes its updates, and that is shown.
                    Effect::SendCommand(command) => drop(commands.send(command)),
                    Effect::RunJob(job) => spawn_job(job),
                    Effect::SetTheme(theme) => view.set_theme(*theme),
                    Effect::RestartSession(routing) => {
                        // It ends at the next token, and the executor waits for it.
                        let _ = commands.send(Command::Quit);
                        match executor.start_session(*routing) {
                            Ok(session) => {
                                SessionHandle { commands, updates } = session;
                                session_is_there = true;
                            }
                            Err(why) => {
                                messages.push(Message::Session(SessionUpdate::SessionFailed(why)))
                            }
                        }
                    }
                    Effect::Copy(text) => {
                        let copied = clipboard.sequence(&text).map_err(|why| why.to_string());
                        if let Ok(sequence) = &copied {
                            screen.write_sequence(sequence)?;
                        }
                        messages.push(Message::Copied(copied.map(drop)));
                    }
                    Effect::Scroll(by) => view.scroll(by),
                    Effect::Suspend => screen.suspend()?,
                    Effect::Quit => break 'running ExitReason::Quit,
                }
            }
            at += 1;
        }
    };
    // A session that has gone first needs not be told.
    let _ = commands.send(Command::Quit);
    tracing::info!("{} bytes were drawn", screen.bytes_written());
    Ok(ended)
}

/// Waits until then; for ever where there is nothing to wait for.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
