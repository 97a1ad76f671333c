//! The table of actions. Keymap, help and the hints at the foot of the screen are read from it.
//! Its keys are those before a user's `keys.toml`: what is in force says the [`Keymap`](super::Keymap).

use ratatui::crossterm::event::KeyCode;

use super::key::Key;
use super::replay::Order;
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
    Redo,
    Fork,
    Compare,
    Differences,
    ThresholdUp,
    ThresholdDown,
    ThresholdUpFine,
    ThresholdDownFine,
    Threshold,
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

impl Action {
    /// Its name in `keys.toml`: that of the variant, and of what it holds, in kebab case, so that
    /// `ThresholdUp` is `threshold-up`. To rename a variant breaks files.
    pub fn name(self) -> String {
        let mut name = String::new();
        for c in format!("{self:?}").chars().filter(char::is_ascii_alphabetic) {
            if c.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    }
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

    /// Whether there is a mode in which actions of both places exist.
    pub fn meets(self, other: Self) -> bool {
        [false, true].into_iter().any(|replay| self.is_in(replay) && other.is_in(replay))
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
    row(Action::Redo, &[Key::plain('R')], "redo", "last step, other model", Place::Episode),
    row(Action::Fork, &[Key::plain('f')], "fork", "fork at the step in view", Place::Session),
    row(
        Action::Compare,
        &[Key::plain('c')],
        "compare",
        "beside the episode before",
        Place::Session,
    ),
    row(
        Action::Differences,
        &[Key::plain('v')],
        "differences",
        "only where they differ",
        Place::Session,
    ),
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
        "threshold up, finer",
        Place::Session,
    ),
    row(
        Action::ThresholdDownFine,
        &[Key::plain('{')],
        "finer down",
        "threshold down, finer",
        Place::Session,
    ),
    row(Action::Threshold, &[Key::plain('t')], "threshold", "type a threshold", Place::Session),
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
    fn actions_have_names_of_their_own() {
        assert_eq!(Action::ThresholdUpFine.name(), "threshold-up-fine");
        let names: Vec<String> = ACTIONS.iter().map(|row| row.action.name()).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "{name} is there twice");
        }
    }
}
