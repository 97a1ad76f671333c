//! The table of actions. Keymap, help and the hints at the foot of the screen are read from it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Link, State};
use crate::episode::Status;

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
}

impl Place {
    /// Why an action of this place is not valid now, with the remedy; nothing where it is.
    pub fn refusal(self, state: &State) -> Option<&'static str> {
        match (self, &state.link) {
            (Self::Anywhere, _) => None,
            (Self::Trace, _) if state.run.is_some() => None,
            (Self::Trace, _) => Some("there are no steps yet"),
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

/// The action of a key.
pub fn action_of(key: Key) -> Option<&'static Row> {
    ACTIONS.iter().find(|row| row.keys.contains(&key))
}

/// What is worth a hint now, most useful first.
pub fn hints(state: &State) -> &'static [(Action, &'static str)] {
    match (&state.link, state.open().map(|run| &run.episode.status)) {
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
        let keys: Vec<Key> = ACTIONS.iter().flat_map(|row| row.keys).copied().collect();
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key), "{key} is bound twice");
        }
    }

    #[test]
    fn keys_are_named_as_people_know_them() {
        let names: Vec<String> = [Key::plain('S'), Key::control('z'), Key::plain(' ')]
            .iter()
            .map(Key::to_string)
            .collect();
        assert_eq!(names, ["S", "Ctrl-Z", "space"]);
    }
}
