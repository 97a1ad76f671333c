//! Updates from the session.

use super::display;
use super::episode::ask_question;
use super::notices::{error, hint};
use crate::episode::{Event, EventKind};
use crate::session::SessionUpdate;
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::message::Effect;
use crate::workbench::state::{SessionStatus, State};

/// An update from the session.
pub(in crate::workbench) fn on_update(state: &mut State, update: SessionUpdate) -> Vec<Effect> {
    match update {
        SessionUpdate::Loading(what) => state.session_status = SessionStatus::Loading(what),
        SessionUpdate::Ready => {
            state.session_status = SessionStatus::Ready;
            if state.question.is_some() {
                return ask_question(state, false);
            }
        }
        SessionUpdate::Event { id, event } => on_event(state, id, &event),
        SessionUpdate::Opinion { step, opinion } => {
            if let Some(displayed) = live_episode(state) {
                displayed.opinion = Some((step, opinion));
            }
        }
        // The event that follows has the whole step.
        SessionUpdate::Token { .. } if state.reduced_motion => {}
        SessionUpdate::Token { model, token } => {
            if let Some(displayed) = live_episode(state) {
                displayed.push_token(model, &token);
            }
        }
        SessionUpdate::Notice(text) => return hint(state, text),
        SessionUpdate::Refused(reason) => {
            state.starting = false;
            state.active.set_pending_threshold(None);
            return error(state, reason);
        }
        SessionUpdate::SinkFailed(reason) => {
            state.starting = false;
            state.active.set_pending_threshold(None);
            if let Some(displayed) = live_episode(state) {
                displayed.fail(reason.clone());
            }
            return error(state, reason);
        }
        SessionUpdate::SessionFailed(reason) => {
            state.starting = false;
            state.session_status = SessionStatus::Failed(reason);
        }
    }
    Vec::new()
}

/// The session has closed its channel.
pub(in crate::workbench) fn on_gone(state: &mut State) {
    if !matches!(state.session_status, SessionStatus::Failed(_) | SessionStatus::None) {
        let reason = "the session ended without a message; the log may say why";
        state.session_status = SessionStatus::Failed(reason.into());
    }
}

/// The session's episode, on the screen or in the background.
fn live_episode(state: &mut State) -> Option<&mut DisplayedEpisode> {
    let live = state.live_id;
    let shown = state.displayed.as_mut().filter(|_| state.replay.is_none());
    state.background.as_mut().or(shown).filter(|displayed| Some(displayed.id) == live)
}

fn on_event(state: &mut State, id: u64, event: &Event) {
    if state.replay.is_none() {
        state.now_ms = state.now_ms.max(event.at_ms);
    }
    let folded = match live_episode(state).filter(|displayed| displayed.id == id) {
        Some(displayed) => displayed.apply(event),
        None => DisplayedEpisode::start(id, event).map(|displayed| on_start(state, displayed)),
    };
    if let Err(why) = folded {
        error(state, format!("episode {id} cannot be shown: {why}"));
    }
    if let EventKind::ThresholdMoved { to, .. } = event.kind {
        let is_fork =
            live_episode(state).is_some_and(|displayed| displayed.episode.started.parent.is_some());
        if !is_fork {
            state.active.set_threshold(to);
        }
        if state.active.pending_threshold() == Some(to) {
            state.active.set_pending_threshold(None);
        }
    }
}

fn on_start(state: &mut State, displayed: DisplayedEpisode) {
    // The threshold of a fork is for the fork only.
    if displayed.episode.started.parent.is_none() {
        state.active.set_threshold(displayed.episode.threshold);
    }
    state.live_id = Some(displayed.id);
    state.starting = false;
    state.active.set_pending_threshold(None);
    if state.replay.is_some() {
        state.background = Some(displayed);
    } else {
        state.background = None;
        display::show_new_episode(state, displayed);
        state.selected = None;
    }
}
