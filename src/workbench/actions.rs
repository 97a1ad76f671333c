//! The table of actions. Keymap, help and the hints at the foot of the screen are read from it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::replay::{self, Order};
use super::state::{Link, State};
use crate::episode::Status;
use crate::recording::{Landmark, Way};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Run,
    Pause,
    Step,
    SmallNext,
    LargeNext,
    SmallOn,
    LargeOn,
    Release,
    ThresholdUp,
    ThresholdDown,
    ThresholdUpFine,
    ThresholdDownFine,
    Draw,
    Type,
    Stop,
    /// Something that only a replay can do.
    Replay(Order),
    Earlier,
    Later,
    PageUp,
    PageDown,
    Follow,
    Reasons,
    Help,
    Suspend,
    Quit,
}

/// Where an action is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    /// The models are loaded.
    Session,
    /// An episode is running or paused.
    Episode,
    /// There is an episode, open or over.
    Trace,
    /// A recording is shown.
    Replay,
}

impl Place {
    /// Whether actions of this place exist in a replay, or at live models.
    pub fn is_in(self, replay: bool) -> bool {
        match self {
            Self::Anywhere | Self::Trace => true,
            Self::Session | Self::Episode => !replay,
            Self::Replay => replay,
        }
    }

    /// Why an action of this place is not valid now, with the remedy; nothing where it is.
    pub fn refusal(self, state: &State) -> Option<&'static str> {
        match (self, &state.link) {
            (Self::Anywhere, _) => None,
            (Self::Trace, _) if state.run.is_some() => None,
            (Self::Trace, _) => Some("there are no steps yet"),
            (Self::Replay, Link::Replay(_)) => None,
            (Self::Replay, _) => Some("this is no replay: `pointsman replay` shows one"),
            (_, Link::Replay(_)) => {
                Some("this is a replay, nothing in it can be changed: ? shows its keys, q ends it")
            }
            (_, Link::Loading(_)) => Some("the models are still being loaded"),
            (_, Link::Failed(_)) => Some("the session is over: press q to quit"),
            (Self::Session, Link::Ready) => None,
            (Self::Episode, Link::Ready) if state.open().is_some() => None,
            (Self::Episode, Link::Ready) => {
                Some("no episode is running: press d to draw a question, i to type one")
            }
        }
    }
}

/// One action.
#[derive(Debug)]
pub struct Row {
    pub action: Action,
    /// Its keys, the one to name first.
    pub keys: &'static [Key],
    /// One or two words, for hints.
    pub name: &'static str,
    /// A few words for the help; at most 28 columns.
    pub help: &'static str,
    pub place: Place,
}

/// A key with its modifiers. Shift is part of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub KeyCode, pub KeyModifiers);

impl Key {
    const fn plain(c: char) -> Self {
        Self(KeyCode::Char(c), KeyModifiers::NONE)
    }

    const fn control(c: char) -> Self {
        Self(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    const fn code(code: KeyCode) -> Self {
        Self(code, KeyModifiers::NONE)
    }

    /// The key of an event.
    pub fn of(event: &KeyEvent) -> Self {
        Self(event.code, event.modifiers.difference(KeyModifiers::SHIFT))
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.1.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        match self.0 {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(c) if self.1.is_empty() => write!(f, "{c}"),
            KeyCode::Char(c) => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            code => write!(f, "{code}"),
        }
    }
}

const fn row(
    action: Action,
    keys: &'static [Key],
    name: &'static str,
    help: &'static str,
    place: Place,
) -> Row {
    Row { action, keys, name, help, place }
}

/// All actions, in the order of the help.
pub const ACTIONS: &[Row] = &[
    row(
        Action::Run,
        &[Key::code(KeyCode::Enter), Key::plain('r')],
        "run",
        "resume, or ask again",
        Place::Session,
    ),
    row(Action::Pause, &[Key::plain(' ')], "pause", "pause, resume", Place::Episode),
    row(Action::Step, &[Key::plain('n')], "step", "one step, then pause", Place::Session),
    row(Action::Stop, &[Key::plain('x')], "stop", "stop the episode", Place::Episode),
    row(Action::Draw, &[Key::plain('d')], "draw", "draw a new question", Place::Session),
    row(
        Action::Type,
        &[Key::plain('i'), Key::plain('e')],
        "type",
        "type a question",
        Place::Session,
    ),
    row(
        Action::SmallNext,
        &[Key::plain('s')],
        "small",
        "small writes the next step",
        Place::Episode,
    ),
    row(
        Action::LargeNext,
        &[Key::plain('l')],
        "large",
        "large writes the next step",
        Place::Episode,
    ),
    row(Action::SmallOn, &[Key::plain('S')], "small on", "small from here on", Place::Episode),
    row(Action::LargeOn, &[Key::plain('L')], "large on", "large from here on", Place::Episode),
    row(Action::Release, &[Key::plain('p')], "router", "back to the router", Place::Episode),
    row(
        Action::ThresholdUp,
        &[Key::plain('+'), Key::plain('='), Key::plain(']')],
        "threshold up",
        "threshold up: fewer large",
        Place::Session,
    ),
    row(
        Action::ThresholdDown,
        &[Key::plain('-'), Key::plain('[')],
        "threshold down",
        "threshold down: more large",
        Place::Session,
    ),
    row(
        Action::ThresholdUpFine,
        &[Key::plain('}')],
        "finer up",
        "threshold up by 0.01",
        Place::Session,
    ),
    row(
        Action::ThresholdDownFine,
        &[Key::plain('{')],
        "finer down",
        "threshold down by 0.01",
        Place::Session,
    ),
    row(Action::Replay(Order::Toggle), &[Key::plain(' ')], "play", "play, pause", Place::Replay),
    row(
        Action::Replay(Order::Forward),
        &[Key::code(KeyCode::Right), Key::plain('n'), Key::plain('.')],
        "step on",
        "one step on",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Back),
        &[Key::code(KeyCode::Left), Key::plain(',')],
        "step back",
        "one step back",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Seek),
        &[Key::code(KeyCode::Enter)],
        "wind",
        "wind to the selected step",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Start),
        &[Key::code(KeyCode::Home), Key::plain('g')],
        "start",
        "to the start",
        Place::Replay,
    ),
    row(Action::Replay(Order::End), &[Key::plain('G')], "end", "to the end", Place::Replay),
    row(
        Action::Replay(Order::Faster),
        &[Key::plain('>')],
        "faster",
        "faster, up to instant",
        Place::Replay,
    ),
    row(Action::Replay(Order::Slower), &[Key::plain('<')], "slower", "slower", Place::Replay),
    row(
        Action::Replay(Order::Jump(Landmark::Switch, Way::Forward)),
        &[Key::plain('t')],
        "next switch",
        "to the next switch",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Jump(Landmark::Switch, Way::Back)),
        &[Key::plain('T')],
        "last switch",
        "to the switch before",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Jump(Landmark::Override, Way::Forward)),
        &[Key::plain('o')],
        "next override",
        "to the next override",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Jump(Landmark::Override, Way::Back)),
        &[Key::plain('O')],
        "last override",
        "to the override before",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Jump(Landmark::Bookmark, Way::Forward)),
        &[Key::plain('b')],
        "next bookmark",
        "to the next bookmark",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Jump(Landmark::Bookmark, Way::Back)),
        &[Key::plain('B')],
        "last bookmark",
        "to the bookmark before",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Episode(Way::Forward)),
        &[Key::code(KeyCode::Tab)],
        "next episode",
        "next episode of the file",
        Place::Replay,
    ),
    row(
        Action::Replay(Order::Episode(Way::Back)),
        &[Key::code(KeyCode::BackTab)],
        "last episode",
        "episode before",
        Place::Replay,
    ),
    row(
        Action::Earlier,
        &[Key::code(KeyCode::Up), Key::plain('k')],
        "earlier",
        "select the step before",
        Place::Trace,
    ),
    row(
        Action::Later,
        &[Key::code(KeyCode::Down), Key::plain('j')],
        "later",
        "select the step after",
        Place::Trace,
    ),
    row(
        Action::PageUp,
        &[Key::code(KeyCode::PageUp)],
        "page up",
        "scroll the trace up",
        Place::Trace,
    ),
    row(
        Action::PageDown,
        &[Key::code(KeyCode::PageDown)],
        "page down",
        "scroll the trace down",
        Place::Trace,
    ),
    row(
        Action::Follow,
        &[Key::code(KeyCode::End), Key::code(KeyCode::Esc)],
        "follow",
        "back to the current step",
        Place::Anywhere,
    ),
    row(Action::Reasons, &[Key::plain('w')], "why", "all that the router saw", Place::Anywhere),
    row(Action::Help, &[Key::plain('?')], "keys", "these keys", Place::Anywhere),
    row(Action::Suspend, &[Key::control('z')], "suspend", "suspend, models too", Place::Anywhere),
    row(
        Action::Quit,
        &[Key::plain('q'), Key::control('c')],
        "quit",
        "quit; all is stored",
        Place::Anywhere,
    ),
];

/// The action of a key, in a replay or at live models. In a replay that may be one of a live
/// session, which then says why it does nothing.
pub fn action_of(key: Key, replay: bool) -> Option<&'static Row> {
    let mut rows = ACTIONS.iter().filter(|row| row.keys.contains(&key));
    let own = rows.clone().find(|row| row.place.is_in(replay));
    own.or_else(|| rows.find(|row| row.place != Place::Replay))
}

/// What is worth a hint now, most useful first.
pub fn hints(state: &State) -> &'static [(Action, &'static str)] {
    match (&state.link, state.open().map(|run| &run.episode.status)) {
        (Link::Replay(replay), _) => replay::hints(replay),
        (Link::Failed(_), _) => &[(Action::Quit, "quit")],
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
            (Action::Earlier, "look at steps"),
            (Action::Quit, "quit"),
        ],
    }
}

/// The key to name for an action.
pub fn first_key(action: Action) -> Option<Key> {
    ACTIONS.iter().find(|row| row.action == action).and_then(|row| row.keys.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_action() {
        for replay in [false, true] {
            let rows = ACTIONS.iter().filter(|row| row.place.is_in(replay));
            let keys: Vec<Key> = rows.flat_map(|row| row.keys).copied().collect();
            for (i, key) in keys.iter().enumerate() {
                assert!(!keys[..i].contains(key), "{key} is bound twice");
            }
        }
    }

    #[test]
    fn a_replay_has_keys_of_its_own_and_knows_the_others() {
        let place = |c: char, replay| action_of(Key::plain(c), replay).map(|row| row.place);
        assert_eq!(
            [place('n', false), place('n', true)],
            [Some(Place::Session), Some(Place::Replay)]
        );
        assert_eq!([place('L', false), place('L', true)], [Some(Place::Episode); 2]);
        assert_eq!([place('T', false), place('T', true)], [None, Some(Place::Replay)]);
        assert_eq!([place('w', false), place('w', true)], [Some(Place::Anywhere); 2]);
    }

    #[test]
    fn keys_are_named_as_people_know_them() {
        let keys =
            [Key::plain('S'), Key::control('z'), Key::plain(' '), Key::code(KeyCode::BackTab)];
        assert_eq!(keys.map(|key| key.to_string()), ["S", "Ctrl-Z", "space", "Shift-Tab"]);
    }
}
