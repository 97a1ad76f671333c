//! What can be done now, and why something cannot.

use super::actions::{Action, ActionScope};
use super::library::LibraryAction;
use super::replay::{Replay, ReplayAction};
use super::state::{Overlay, Page, SessionStatus, State};
use super::training_page::TrainingAction;
use crate::episode::EpisodeStatus;
use crate::recording::{Direction, JumpTarget};

/// Why an action of this place is not valid now, with the remedy; nothing where it is.
pub(super) fn unavailable_reason(scope: ActionScope, state: &State) -> Option<String> {
    let (why, ways): (_, &[(Action, &str)]) = match (scope, &state.session_status) {
        (ActionScope::Anywhere, _) => return None,
        (ActionScope::Scrollable | ActionScope::Library, _) if state.page == Page::Library => {
            return None;
        }
        (ActionScope::Training, _) if state.page == Page::Training => return None,
        (ActionScope::Training, _) => {
            ("this is done on the page for retraining", &[(Action::OpenTraining, "to open it")])
        }
        (ActionScope::Library, _) => {
            ("the library is not open", &[(Action::OpenLibrary, "to open it")])
        }
        (ActionScope::AnyEpisode | ActionScope::Scrollable, _) if state.displayed.is_some() => {
            return None;
        }
        (ActionScope::AnyEpisode | ActionScope::Scrollable, _) => ("there are no steps yet", &[]),
        (ActionScope::Replay, _) if state.replay().is_some() => return None,
        (ActionScope::Replay, _) => ("this is no replay, `pointsman replay` shows one", &[]),
        (_, SessionStatus::None) => (
            "this is a replay, nothing in it can be changed",
            &[(Action::Help, "for its keys"), (Action::Quit, "to end it")],
        ),
        _ if state.replay().is_some() => (
            "this is a replay, nothing in it can be changed",
            &[(Action::Help, "for its keys"), (Action::Back, "to leave it")],
        ),
        (_, SessionStatus::Loading(_)) => ("the models are still being loaded", &[]),
        (ActionScope::SessionReadyOrFailed, SessionStatus::Failed(_) | SessionStatus::Ready) => {
            return None;
        }
        (_, SessionStatus::Failed(_)) => (
            "the session is over",
            &[(Action::Presets, "to choose another preset"), (Action::Quit, "to quit")],
        ),
        (ActionScope::SessionReady, SessionStatus::Ready) => return None,
        (ActionScope::OpenEpisode, SessionStatus::Ready) if state.open_episode().is_some() => {
            return None;
        }
        (ActionScope::OpenEpisode, SessionStatus::Ready) if state.can_go_back() => (
            "this is a stored episode",
            &[(Action::Fork, "to fork it"), (Action::Back, "to go back")],
        ),
        (ActionScope::OpenEpisode, SessionStatus::Ready) => (
            "no episode is running",
            &[(Action::DrawQuestion, "to draw a question"), (Action::TypeQuestion, "to type one")],
        ),
    };
    Some(format!("{why}{}", state.keys.key_hints(ways)))
}

/// What is worth a hint now, most useful first.
pub(super) fn hints(state: &State) -> &'static [(Action, &'static str)] {
    if matches!(state.overlay, Overlay::Compare(_)) {
        return COMPARE_HINTS;
    }
    match state.page {
        Page::Library => return LIBRARY_HINTS,
        Page::Training => return TRAINING_HINTS,
        Page::Episode => {}
    }
    if let Some(replay) = state.replay() {
        return replay_hints(replay);
    }
    match (&state.session_status, state.open_episode().map(|run| &run.episode.status)) {
        (SessionStatus::None, _) => &[(Action::Quit, "quit")],
        (SessionStatus::Failed(_), _) => &[(Action::Presets, "presets"), (Action::Quit, "quit")],
        (SessionStatus::Loading(_), _) => &[(Action::Quit, "quit"), (Action::Help, "keys")],
        (SessionStatus::Ready, Some(EpisodeStatus::Paused)) => &[
            (Action::Pause, "resume"),
            (Action::Step, "one step"),
            (Action::SmallNext, "small next"),
            (Action::LargeNext, "large next"),
            (Action::ClearOverride, "router"),
            (Action::ThresholdUp, "threshold"),
        ],
        (SessionStatus::Ready, Some(_)) => &[
            (Action::Pause, "pause"),
            (Action::SmallNext, "small next"),
            (Action::LargeNext, "large next"),
            (Action::ThresholdUp, "threshold"),
            (Action::Stop, "stop"),
            (Action::DrawQuestion, "new question"),
        ],
        (SessionStatus::Ready, None) if state.can_go_back() => &[
            (Action::Back, "back"),
            (Action::Fork, "fork"),
            (Action::Previous, "look at steps"),
            (Action::Run, "ask again"),
            (Action::OpenLibrary, "episodes"),
        ],
        (SessionStatus::Ready, None) if state.displayed.is_none() => &[
            (Action::DrawQuestion, "draw a question"),
            (Action::TypeQuestion, "type one"),
            (Action::Help, "keys"),
            (Action::Quit, "quit"),
        ],
        (SessionStatus::Ready, None) => &[
            (Action::DrawQuestion, "draw a question"),
            (Action::TypeQuestion, "type one"),
            (Action::Run, "run again"),
            (Action::Fork, "fork"),
            (Action::OpenLibrary, "episodes"),
            (Action::Quit, "quit"),
        ],
    }
}

/// What is worth a hint where two episodes stand side by side.
const COMPARE_HINTS: &[(Action, &str)] = &[
    (Action::Differences, "only where they differ"),
    (Action::Next, "down"),
    (Action::Previous, "up"),
    (Action::Back, "back"),
];

/// What is worth a hint while one retrains.
const TRAINING_HINTS: &[(Action, &str)] = &[
    (Action::Training(TrainingAction::Train), "train"),
    (Action::Training(TrainingAction::Collect), "collect"),
    (Action::Training(TrainingAction::Calibrate), "calibrate"),
    (Action::Training(TrainingAction::PromotionTest), "contest"),
    (Action::Training(TrainingAction::Promote), "promote"),
    (Action::Training(TrainingAction::Discard), "discard"),
    (Action::Back, "back"),
];

/// What is worth a hint in the library.
const LIBRARY_HINTS: &[(Action, &str)] = &[
    (Action::Library(LibraryAction::Open), "open"),
    (Action::Library(LibraryAction::Replay), "replay"),
    (Action::Library(LibraryAction::Search), "find"),
    (Action::Library(LibraryAction::Sort), "sort"),
    (Action::Back, "back"),
    (Action::Library(LibraryAction::Tag), "tag"),
    (Action::Library(LibraryAction::Delete), "delete"),
    (Action::Library(LibraryAction::UndoDelete), "undo"),
    (Action::Library(LibraryAction::ShowForks), "forks"),
    (Action::Library(LibraryAction::Export), "export"),
];

/// The same while a recording is shown.
fn replay_hints(replay: &Replay) -> &'static [(Action, &'static str)] {
    const NEXT_SWITCH: Action =
        Action::Replay(ReplayAction::Jump(JumpTarget::Switch, Direction::Forward));
    const FORWARD: Action = Action::Replay(ReplayAction::Forward);
    const BACK: Action = Action::Replay(ReplayAction::Back);
    const NEXT: Action = Action::Replay(ReplayAction::Episode(Direction::Forward));
    const TOGGLE: Action = Action::Replay(ReplayAction::TogglePlay);
    const SLOWER: Action = Action::Replay(ReplayAction::Slower);
    let (at, all) = replay.position();
    match (replay.player().is_playing(), at + 1 < all) {
        (true, _) => &[
            (TOGGLE, "pause"),
            (FORWARD, "step on"),
            (BACK, "back"),
            (NEXT_SWITCH, "next switch"),
            (SLOWER, "slower"),
            (Action::Quit, "quit"),
        ],
        (false, true) => &[
            (TOGGLE, "play"),
            (FORWARD, "step on"),
            (BACK, "back"),
            (NEXT_SWITCH, "next switch"),
            (NEXT, "next episode"),
            (Action::Quit, "quit"),
        ],
        (false, false) => &[
            (TOGGLE, "play"),
            (FORWARD, "step on"),
            (BACK, "back"),
            (NEXT_SWITCH, "next switch"),
            (SLOWER, "slower"),
            (Action::Quit, "quit"),
        ],
    }
}
