//! An episode, with a session.

use super::unavailable_on_episode;
use crate::episode::EpisodeStatus;
use crate::workbench::action::{Action, ActionScope, PageId};
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::page::{Hints, Page};
use crate::workbench::state::{SessionStatus, State};

const NO_SESSION: Hints = &[(Action::Quit, "quit")];

const SESSION_FAILED: Hints = &[(Action::Presets, "presets"), (Action::Quit, "quit")];

const LOADING: Hints = &[(Action::Quit, "quit"), (Action::Help, "keys")];

const EPISODE_PAUSED: Hints = &[
    (Action::Pause, "resume"),
    (Action::Step, "one step"),
    (Action::SmallNext, "small next"),
    (Action::LargeNext, "large next"),
    (Action::ClearOverride, "router"),
    (Action::ThresholdUp, "threshold"),
];

const EPISODE_RUNNING: Hints = &[
    (Action::Pause, "pause"),
    (Action::SmallNext, "small next"),
    (Action::LargeNext, "large next"),
    (Action::ThresholdUp, "threshold"),
    (Action::Stop, "stop"),
    (Action::DrawQuestion, "new question"),
];

const STORED_EPISODE: Hints = &[
    (Action::Back, "back"),
    (Action::Fork, "fork"),
    (Action::Previous, "look at steps"),
    (Action::Run, "ask again"),
    (Action::OpenLibrary, "episodes"),
];

const NO_EPISODE: Hints = &[
    (Action::DrawQuestion, "draw a question"),
    (Action::TypeQuestion, "type one"),
    (Action::Help, "keys"),
    (Action::Quit, "quit"),
];

const EPISODE_OVER: Hints = &[
    (Action::DrawQuestion, "draw a question"),
    (Action::TypeQuestion, "type one"),
    (Action::Run, "run again"),
    (Action::Fork, "fork"),
    (Action::OpenLibrary, "episodes"),
    (Action::Quit, "quit"),
];

/// An episode, with a session.
pub(super) struct LivePage;

impl Page for LivePage {
    fn id(&self) -> PageId {
        PageId::Live
    }

    fn name(&self) -> &'static str {
        "live"
    }

    fn hints(&self, state: &State) -> Hints {
        match &state.session_status {
            SessionStatus::None => NO_SESSION,
            SessionStatus::Failed(_) => SESSION_FAILED,
            SessionStatus::Loading(_) => LOADING,
            SessionStatus::Ready => match state.open_episode().map(DisplayedEpisode::status) {
                Some(EpisodeStatus::Paused) => EPISODE_PAUSED,
                Some(_) => EPISODE_RUNNING,
                None if state.can_go_back() => STORED_EPISODE,
                None if state.displayed.is_none() => NO_EPISODE,
                None => EPISODE_OVER,
            },
        }
    }

    fn unavailable_reason(&self, scope: ActionScope, state: &State) -> Option<String> {
        unavailable_on_episode(scope, state, || needs_session(scope, state))
    }
}

/// Why an action that needs the session is not available.
fn needs_session(scope: ActionScope, state: &State) -> Option<String> {
    let (why, keys): (_, &[(Action, &str)]) = match (&state.session_status, scope) {
        (SessionStatus::Loading(_), _) => ("the models are still being loaded", &[]),
        (SessionStatus::Failed(_), ActionScope::SessionReadyOrFailed)
        | (SessionStatus::Ready, ActionScope::SessionReadyOrFailed | ActionScope::SessionReady) => {
            return None;
        }
        (SessionStatus::Failed(_) | SessionStatus::None, _) => (
            "the session is over",
            &[(Action::Presets, "to choose another preset"), (Action::Quit, "to quit")],
        ),
        (SessionStatus::Ready, _) if state.open_episode().is_some() => return None,
        (SessionStatus::Ready, _) if state.can_go_back() => (
            "this is a stored episode",
            &[(Action::Fork, "to fork it"), (Action::Back, "to go back")],
        ),
        (SessionStatus::Ready, _) => (
            "no episode is running",
            &[(Action::DrawQuestion, "to draw a question"), (Action::TypeQuestion, "to type one")],
        ),
    };
    Some(format!("{why}{}", state.keys.key_hints(keys)))
}
