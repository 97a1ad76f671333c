//! The loop that binds state and view to the terminal and the session.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use ratatui::crossterm::event::Event as Input;
use ratatui::crossterm::terminal::size;
use tokio::time::sleep_until;

use super::desk::{Desk, Session};
use super::errand::Errand;
use super::message::{Effect, Message};
use super::state::State;
use super::update::update;
use super::view::View;
use crate::session::{Command, Update, now_ms};
use crate::terminal::{Clipboard, Pacer, Screen, Signal, Signals, keyboard};
use crate::theme::{Glyphs, Theme};

/// How the workbench is started.
pub struct Start {
    pub state: State,
    pub theme: Theme,
    pub glyphs: Glyphs,
    /// Draw news at most ten times a second.
    pub slow_link: bool,
    pub clipboard: Clipboard,
    /// Does what takes time, on threads of its own.
    pub desk: Arc<dyn Desk>,
}

/// How the workbench ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A person quit.
    Quit,
    /// A signal ended it, or the keyboard is gone.
    Killed,
}

/// Updates that are taken in at once, between two looks at the keyboard.
const BULK: usize = 256;

/// Runs on `screen` until a person quits, a signal ends the program, or the terminal is gone; then
/// the terminal is restored. The screen is taken before the models are loaded, so that what their
/// loading prints goes to the log. The session is told [`Command::Quit`] and its updates are dropped, so its thread
/// ends at the next token; the caller waits for it, but not for ever: a model that is still being
/// loaded cannot be interrupted.
///
/// # Errors
/// When the terminal fails.
pub async fn run(start: Start, mut screen: Screen, session: Session) -> io::Result<Ended> {
    let Start { mut state, theme, glyphs, slow_link, clipboard, desk } = start;
    let Session { mut commands, mut updates } = session;
    let mut keys = keyboard()?;
    let mut signals = Signals::listen()?;
    let mut view = View::new(theme, glyphs);
    let mut pacer = Pacer::new(slow_link);
    let mut news = Vec::with_capacity(BULK);
    let mut session_is_there = true;
    let (done, mut results) = tokio::sync::mpsc::unbounded_channel();
    let see_to = |errand: Errand| {
        let (desk, done) = (desk.clone(), done.clone());
        std::thread::spawn(move || {
            // A workbench that has ended wants no news.
            desk.run(errand, &|message| drop(done.send(message)));
        });
    };
    see_to(Errand::WatchGpu);
    pacer.answer();
    let (width, height) = size()?;
    update(&mut state, Message::Resized(width, height));
    // A replay counts its time from here.
    update(&mut state, Message::Clock(now_ms()));
    let ended = 'running: loop {
        let now = Instant::now();
        if pacer.is_due(now) {
            screen.draw(|frame| view.render(frame, &state))?;
            pacer.drawn(now);
        }
        let frame = pacer.due(now).or(state.changes_in().map(|wait| now + wait));
        let mut messages = Vec::new();
        tokio::select! {
            biased;
            key = keys.recv() => {
                let Some(input) = key else { break Ended::Killed };
                pacer.answer();
                messages.push(match input {
                    Input::Resize(width, height) => Message::Resized(width, height),
                    input => Message::Input(input),
                });
            }
            signal = signals.next() => match signal {
                Signal::End => break Ended::Killed,
                Signal::Continued => {
                    screen.retake()?;
                    let (width, height) = size()?;
                    messages.push(Message::Resized(width, height));
                    pacer.answer();
                }
            },
            count = updates.recv_many(&mut news, BULK), if session_is_there => {
                pacer.news();
                session_is_there = count > 0;
                if !session_is_there {
                    messages.push(Message::SessionGone);
                }
                messages.extend(news.drain(..).map(Message::Session));
            }
            Some(message) = results.recv() => {
                pacer.news();
                messages.push(message);
            }
            () = until(frame) => pacer.news(),
        }
        messages.push(Message::Clock(now_ms()));
        // Messages that effects give rise to come last.
        let mut at = 0;
        while at < messages.len() {
            for effect in update(&mut state, messages[at].clone()) {
                match effect {
                    // A session that is gone closes its updates, and that is shown.
                    Effect::Send(command) => drop(commands.send(command)),
                    Effect::Do(errand) => see_to(errand),
                    Effect::Dress(theme) => view.dress(*theme),
                    Effect::Restart(employment) => {
                        // It ends at the next token, and the desk waits for it.
                        let _ = commands.send(Command::Quit);
                        match desk.session(*employment) {
                            Ok(session) => {
                                Session { commands, updates } = session;
                                session_is_there = true;
                            }
                            Err(why) => messages.push(Message::Session(Update::Failed(why))),
                        }
                    }
                    Effect::Copy(text) => {
                        let copied = clipboard.sequence(&text).map_err(|why| why.to_string());
                        if let Ok(sequence) = &copied {
                            screen.send(sequence)?;
                        }
                        messages.push(Message::Copied(copied.map(drop)));
                    }
                    Effect::Scroll(by) => view.scroll(by),
                    Effect::Suspend => screen.suspend()?,
                    Effect::Quit => break 'running Ended::Quit,
                }
            }
            at += 1;
        }
    };
    // A session that has gone first needs not be told.
    let _ = commands.send(Command::Quit);
    tracing::info!("{} bytes were drawn", screen.bytes());
    Ok(ended)
}

/// Waits until then; for ever where there is nothing to wait for.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
