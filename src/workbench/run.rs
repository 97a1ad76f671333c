//! The loop that connects terminal, session and state.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use ratatui::crossterm::event::Event as Input;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

use super::job::Job;
use super::job_executor::{JobExecutor, SessionHandle};
use super::message::{Effect, Message};
use super::state::State;
use super::update::update;
use super::view::screen::View;
use crate::session::{Command, SessionUpdate, now_ms};
use crate::terminal::{
    Clipboard, Pacer, Screen, Signal, Signals, clamp_size, keyboard_events, window_size,
};
use crate::theme::{Glyphs, Theme};

/// How the workbench is started.
pub struct WorkbenchConfig {
    /// The first state.
    pub state: State,
    /// The theme to draw with.
    pub theme: Theme,
    /// The characters to draw with.
    pub glyphs: Glyphs,
    /// Draw at most ten times a second.
    pub slow_link: bool,
    /// How to copy.
    pub clipboard: Clipboard,
    /// Runs the jobs, each on a thread of its own.
    pub executor: Arc<dyn JobExecutor>,
}

/// How the workbench ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// The user quit.
    Quit,
    /// A signal ended it, or the terminal is gone.
    Terminated,
}

/// Session updates that are handled between two looks at the keyboard, at most.
const UPDATE_BATCH: usize = 256;

/// Runs on `screen` until the user quits, a signal ends the program, or the terminal is gone; then
/// the session gets [`Command::Quit`] and the terminal is restored. The screen is entered before
/// the models are loaded, so that the output of their loading goes to the log. The session's thread
/// ends at the next token; the caller waits for it, but not for ever: the loading of a model cannot
/// be interrupted.
///
/// # Errors
/// If the terminal cannot be read or written.
pub async fn run(
    config: WorkbenchConfig,
    mut screen: Screen,
    session: SessionHandle,
) -> io::Result<ExitReason> {
    let WorkbenchConfig { mut state, theme, glyphs, slow_link, clipboard, executor } = config;
    let mut keys = keyboard_events()?;
    let mut signals = Signals::listen()?;
    let mut pacer = Pacer::new(slow_link);
    let mut batch = Vec::with_capacity(UPDATE_BATCH);
    let (job_results, mut results): (_, UnboundedReceiver<Message>) = unbounded_channel();
    let view = View::new(theme, glyphs);
    let mut runtime =
        EffectRunner { view, clipboard, executor, job_results, session, session_open: true };
    runtime.spawn_job(Job::WatchGpu);
    pacer.request_prompt_frame();
    let (width, height) = window_size()?;
    update(&mut state, Message::Resized(width, height));
    // A replay counts its time from here.
    update(&mut state, Message::Clock(now_ms()));
    let mut messages = VecDeque::new();
    let reason = 'running: loop {
        let now = Instant::now();
        // A terminal that reads nothing gets no more frames until it does.
        let is_ready = screen.is_ready();
        if is_ready && pacer.is_due(now) {
            screen.draw(|frame| runtime.view.render(frame, &state))?;
            pacer.frame_drawn(now);
        }
        let due = pacer.next_frame_at(now).filter(|_| is_ready);
        let frame = due.or(state.time_to_next_change().map(|wait| now + wait));
        tokio::select! {
            biased;
            key = keys.recv() => {
                let Some(input) = key else { break ExitReason::Terminated };
                pacer.request_prompt_frame();
                messages.push_back(match input {
                    Input::Resize(width, height) => {
                        let (width, height) = clamp_size(width, height);
                        Message::Resized(width, height)
                    }
                    input => Message::Input(input),
                });
            }
            signal = signals.next() => match signal {
                Signal::Terminate => break ExitReason::Terminated,
                Signal::Suspend => {
                    screen.suspend()?;
                    pacer.request_prompt_frame();
                }
                Signal::Continued => {
                    screen.reacquire()?;
                    let (width, height) = window_size()?;
                    messages.push_back(Message::Resized(width, height));
                    pacer.request_prompt_frame();
                }
            },
            count = runtime.session.updates.recv_many(&mut batch, UPDATE_BATCH), if runtime.session_open => {
                pacer.request_frame();
                runtime.session_open = count > 0;
                if !runtime.session_open {
                    messages.push_back(Message::SessionGone);
                }
                messages.extend(batch.drain(..).map(Message::Session));
            }
            Some(message) = results.recv() => {
                pacer.request_frame();
                messages.push_back(message);
            }
            () = screen.wait_until_ready(), if !is_ready => {}
            () = sleep_until_frame(frame) => pacer.request_frame(),
        }
        messages.push_back(Message::Clock(now_ms()));
        // Messages from effects come last.
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut state, message) {
                if effect == Effect::Quit {
                    break 'running ExitReason::Quit;
                }
                messages.extend(runtime.run_effect(effect, &mut screen)?);
            }
        }
    };
    // A session that has ended has no receiver.
    let _ = runtime.session.commands.send(Command::Quit);
    tracing::info!("{} bytes were drawn", screen.bytes_written());
    Ok(reason)
}

/// Carries out effects.
struct EffectRunner {
    view: View,
    clipboard: Clipboard,
    executor: Arc<dyn JobExecutor>,
    /// Where the jobs send their answers.
    job_results: UnboundedSender<Message>,
    session: SessionHandle,
    /// Whether more updates may come from the session.
    session_open: bool,
}

impl EffectRunner {
    fn spawn_job(&self, job: Job) {
        let (executor, results) = (Arc::clone(&self.executor), self.job_results.clone());
        std::thread::spawn(move || {
            // A workbench that has ended needs no answer.
            executor.run(job, &|message| drop(results.send(message)));
        });
    }

    /// Carries out an effect; returns the message that it gives rise to.
    fn run_effect(&mut self, effect: Effect, screen: &mut Screen) -> io::Result<Option<Message>> {
        match effect {
            // If the session has ended, it closes its updates, and the screen says so.
            Effect::SendCommand(command) => drop(self.session.commands.send(command)),
            Effect::RunJob(job) => self.spawn_job(job),
            Effect::SetTheme(theme) => self.view.set_theme(*theme),
            Effect::RestartSession(routing) => {
                // It ends at the next token, and the executor waits for it.
                let _ = self.session.commands.send(Command::Quit);
                match self.executor.start_session(&routing) {
                    Ok(session) => {
                        self.session = session;
                        self.session_open = true;
                    }
                    Err(why) => {
                        return Ok(Some(Message::Session(SessionUpdate::SessionFailed(why))));
                    }
                }
            }
            Effect::Copy(text) => {
                let sequence = self.clipboard.sequence(&text).map_err(|why| why.to_string());
                if let Ok(sequence) = &sequence {
                    screen.write_sequence(sequence)?;
                }
                return Ok(Some(Message::Copied(sequence.map(drop))));
            }
            Effect::Scroll(by) => self.view.scroll(by),
            Effect::Suspend => screen.suspend()?,
            // The loop ends before it comes here.
            Effect::Quit => {}
        }
        Ok(None)
    }
}

/// Waits until then; for ever without an instant.
async fn sleep_until_frame(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
