//! What can be done now, and why something cannot.

use super::actions::{Action, Place};
use super::library::Deed;
use super::replay::{Order, Replay};
use super::school::Lesson;
use super::state::{Link, Overlay, Page, State};
use crate::episode::Status;
use crate::recording::{Landmark, Way};

/// Why an action of this place is not valid now, with the remedy; nothing where it is.
pub(super) fn refusal(place: Place, state: &State) -> Option<String> {
    let (why, ways): (_, &[(Action, &str)]) = match (place, &state.link) {
        (Place::Anywhere, _) => return None,
        (Place::Lines | Place::Library, _) if state.page == Page::Library => return None,
        (Place::School, _) if state.page == Page::School => return None,
        (Place::School, _) => {
            ("this is done on the page for retraining", &[(Action::School, "to open it")])
        }
        (Place::Library, _) => ("the library is not open", &[(Action::Library, "to open it")]),
        (Place::Trace | Place::Lines, _) if state.run.is_some() => return None,
        (Place::Trace | Place::Lines, _) => ("there are no steps yet", &[]),
        (Place::Replay, _) if state.replay().is_some() => return None,
        (Place::Replay, _) => ("this is no replay, `pointsman replay` shows one", &[]),
        (_, Link::Absent) => (
            "this is a replay, nothing in it can be changed",
            &[(Action::Help, "for its keys"), (Action::Quit, "to end it")],
        ),
        _ if state.replay().is_some() => (
            "this is a replay, nothing in it can be changed",
            &[(Action::Help, "for its keys"), (Action::Back, "to leave it")],
        ),
        (_, Link::Loading(_)) => ("the models are still being loaded", &[]),
        (Place::Models, Link::Failed(_) | Link::Ready) => return None,
        (_, Link::Failed(_)) => (
            "the session is over",
            &[(Action::Presets, "to choose another preset"), (Action::Quit, "to quit")],
        ),
        (Place::Session, Link::Ready) => return None,
        (Place::Episode, Link::Ready) if state.open().is_some() => return None,
        (Place::Episode, Link::Ready) if state.can_go_back() => (
            "this is a stored episode",
            &[(Action::Fork, "to fork it"), (Action::Back, "to go back")],
        ),
        (Place::Episode, Link::Ready) => (
            "no episode is running",
            &[(Action::Draw, "to draw a question"), (Action::Type, "to type one")],
        ),
    };
    Some(format!("{why}{}", state.keys.advice(ways)))
}

/// What is worth a hint now, most useful first.
pub(super) fn hints(state: &State) -> &'static [(Action, &'static str)] {
    if matches!(state.overlay, Overlay::Compare(_)) {
        return BESIDE;
    }
    match state.page {
        Page::Library => return IN_THE_LIBRARY,
        Page::School => return AT_SCHOOL,
        Page::Panes => {}
    }
    if let Some(replay) = state.replay() {
        return of_a_replay(replay);
    }
    match (&state.link, state.open().map(|run| &run.episode.status)) {
        (Link::Absent, _) => &[(Action::Quit, "quit")],
        (Link::Failed(_), _) => &[(Action::Presets, "presets"), (Action::Quit, "quit")],
        (Link::Loading(_), _) => &[(Action::Quit, "quit"), (Action::Help, "keys")],
        (Link::Ready, Some(Status::Paused)) => &[
            (Action::Pause, "resume"),
            (Action::Step, "one step"),
            (Action::SmallNext, "small next"),
            (Action::LargeNext, "large next"),
            (Action::Release, "router"),
            (Action::ThresholdUp, "threshold"),
        ],
        (Link::Ready, Some(_)) => &[
            (Action::Pause, "pause"),
            (Action::SmallNext, "small next"),
            (Action::LargeNext, "large next"),
            (Action::ThresholdUp, "threshold"),
            (Action::Stop, "stop"),
            (Action::Draw, "new question"),
        ],
        (Link::Ready, None) if state.can_go_back() => &[
            (Action::Back, "back"),
            (Action::Fork, "fork"),
            (Action::Earlier, "look at steps"),
            (Action::Run, "ask again"),
            (Action::Library, "episodes"),
        ],
        (Link::Ready, None) if state.run.is_none() => &[
            (Action::Draw, "draw a question"),
            (Action::Type, "type one"),
            (Action::Help, "keys"),
            (Action::Quit, "quit"),
        ],
        (Link::Ready, None) => &[
            (Action::Draw, "draw a question"),
            (Action::Type, "type one"),
            (Action::Run, "run again"),
            (Action::Fork, "fork"),
            (Action::Library, "episodes"),
            (Action::Quit, "quit"),
        ],
    }
}

/// What is worth a hint where two episodes stand side by side.
const BESIDE: &[(Action, &str)] = &[
    (Action::Differences, "only where they differ"),
    (Action::Later, "down"),
    (Action::Earlier, "up"),
    (Action::Back, "back"),
];

/// What is worth a hint while one retrains.
const AT_SCHOOL: &[(Action, &str)] = &[
    (Action::AtSchool(Lesson::Train), "train"),
    (Action::AtSchool(Lesson::Collect), "collect"),
    (Action::AtSchool(Lesson::Calibrate), "calibrate"),
    (Action::AtSchool(Lesson::Contest), "contest"),
    (Action::AtSchool(Lesson::Promote), "promote"),
    (Action::AtSchool(Lesson::Discard), "discard"),
    (Action::Back, "back"),
];

/// What is worth a hint in the library.
const IN_THE_LIBRARY: &[(Action, &str)] = &[
    (Action::InLibrary(Deed::Open), "open"),
    (Action::InLibrary(Deed::Replay), "replay"),
    (Action::InLibrary(Deed::Find), "find"),
    (Action::InLibrary(Deed::Sort), "sort"),
    (Action::Back, "back"),
    (Action::InLibrary(Deed::Tag), "tag"),
    (Action::InLibrary(Deed::Bin), "delete"),
    (Action::InLibrary(Deed::Undo), "undo"),
    (Action::InLibrary(Deed::Family), "forks"),
    (Action::InLibrary(Deed::Export), "export"),
];

/// The same while a recording is shown.
fn of_a_replay(replay: &Replay) -> &'static [(Action, &'static str)] {
    const NEXT_SWITCH: Action = Action::Replay(Order::Jump(Landmark::Switch, Way::Forward));
    const FORWARD: Action = Action::Replay(Order::Forward);
    const BACK: Action = Action::Replay(Order::Back);
    const NEXT: Action = Action::Replay(Order::Episode(Way::Forward));
    const TOGGLE: Action = Action::Replay(Order::Toggle);
    const SLOWER: Action = Action::Replay(Order::Slower);
    let (at, all) = replay.place();
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
