//! The table of actions. Keymap, help and the hints at the foot of the screen are read from it.
//! Its keys are those before a user's `keys.toml`: what is in force says the [`Keymap`](super::Keymap).

use ratatui::crossterm::event::KeyCode;

use super::key::Key;
use super::library::Deed;
use super::replay::Order;
use super::school::Lesson;
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
    Bookmark,
    /// Open the library.
    Library,
    /// Something that is done in the library.
    InLibrary(Deed),
    /// Something that only a replay can do.
    Replay(Order),
    /// Type the budget.
    Budget,
    /// Choose a threshold that was calibrated.
    Calibrations,
    /// Open the page for retraining and calibration.
    School,
    /// Something that is done there.
    AtSchool(Lesson),
    /// How the person does against the router, and where shadows disagree.
    Score,
    Presets,
    Themes,
    /// Everything that can be done, to be searched.
    Palette,
    /// From a page, a replay or a stored episode to what was on the screen before.
    Back,
    Earlier,
    Later,
    PageUp,
    PageDown,
    Follow,
    Reasons,
    /// Copy the trace to the clipboard.
    Copy,
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

/// What the screen is about, and with it the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The panes, with a session.
    Live,
    /// The panes, with a recording.
    Replay,
    /// The list of stored episodes.
    Library,
    /// Retraining and calibration.
    School,
}

impl Mode {
    pub const ALL: [Self; 4] = [Self::Live, Self::Replay, Self::Library, Self::School];
}

/// Where an action is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    /// There is something to go through line by line.
    Lines,
    /// The models are loaded.
    Session,
    /// They are, or could not be.
    Models,
    /// An episode is running or paused.
    Episode,
    /// There is an episode, open or over.
    Trace,
    /// A recording is shown.
    Replay,
    /// The library is open.
    Library,
    /// The page for retraining is open.
    School,
}

impl Place {
    /// Whether actions of this place exist in `mode`.
    pub fn is_in(self, mode: Mode) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Lines => mode != Mode::School,
            Self::Trace => matches!(mode, Mode::Live | Mode::Replay),
            Self::Session | Self::Models | Self::Episode => mode == Mode::Live,
            Self::Replay => mode == Mode::Replay,
            Self::Library => mode == Mode::Library,
            Self::School => mode == Mode::School,
        }
    }

    /// Whether there is a mode in which actions of both places exist.
    pub fn meets(self, other: Self) -> bool {
        Mode::ALL.into_iter().any(|mode| self.is_in(mode) && other.is_in(mode))
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
    row(Action::Bookmark, &[Key::plain('m')], "bookmark", "bookmark this step", Place::Episode),
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
        "up: the step before",
        Place::Lines,
    ),
    row(
        Action::Later,
        &[Key::code(KeyCode::Down), Key::plain('j')],
        "later",
        "down: the step after",
        Place::Lines,
    ),
    row(Action::PageUp, &[Key::code(KeyCode::PageUp)], "page up", "a page up", Place::Lines),
    row(
        Action::PageDown,
        &[Key::code(KeyCode::PageDown)],
        "page down",
        "a page down",
        Place::Lines,
    ),
    row(
        Action::Follow,
        &[Key::code(KeyCode::End)],
        "follow",
        "to the current step, or end",
        Place::Anywhere,
    ),
    row(Action::Reasons, &[Key::plain('w')], "why", "all that the router saw", Place::Trace),
    row(Action::Copy, &[Key::plain('y')], "copy", "copy the trace", Place::Trace),
    row(
        Action::Library,
        &[Key::plain('o'), Key::plain('/')],
        "episodes",
        "find a stored episode",
        Place::Session,
    ),
    row(
        Action::Calibrations,
        &[Key::plain('g')],
        "calibrated",
        "a calibrated threshold",
        Place::Session,
    ),
    row(Action::Budget, &[Key::plain('b')], "budget", "type a budget", Place::Session),
    row(
        Action::School,
        &[Key::plain('T')],
        "retrain",
        "retrain, calibrate, promote",
        Place::Session,
    ),
    row(
        Action::AtSchool(Lesson::Train),
        &[Key::plain('t')],
        "train",
        "train from stored episodes",
        Place::School,
    ),
    row(
        Action::AtSchool(Lesson::Collect),
        &[Key::plain('e')],
        "collect",
        "collect 500 episodes more",
        Place::School,
    ),
    row(
        Action::AtSchool(Lesson::Calibrate),
        &[Key::plain('k')],
        "calibrate",
        "calibrate the threshold",
        Place::School,
    ),
    row(
        Action::AtSchool(Lesson::Contest),
        &[Key::plain('c')],
        "contest",
        "both on 100 fresh questions",
        Place::School,
    ),
    row(
        Action::AtSchool(Lesson::Promote),
        &[Key::plain('p')],
        "promote",
        "put the new one in force",
        Place::School,
    ),
    row(
        Action::AtSchool(Lesson::Discard),
        &[Key::plain('x')],
        "discard",
        "cancel; discard the new one",
        Place::School,
    ),
    row(
        Action::AtSchool(Lesson::RollBack),
        &[Key::plain('b')],
        "roll back",
        "the one before in force again",
        Place::School,
    ),
    row(Action::Score, &[Key::plain('a')], "score", "you against the router", Place::Session),
    row(Action::Presets, &[Key::plain('P')], "presets", "choose a preset", Place::Models),
    row(
        Action::InLibrary(Deed::Open),
        &[Key::code(KeyCode::Enter)],
        "open",
        "look at, fork, compare it",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Replay),
        &[Key::plain('r'), Key::plain('p')],
        "replay",
        "replay it",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Compare),
        &[Key::plain('c')],
        "beside",
        "beside the one before",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Family),
        &[Key::plain('f')],
        "family",
        "its parents and forks",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Find),
        &[Key::plain('/')],
        "find",
        "find: pens, right, cost<2G",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Sort),
        &[Key::plain('s')],
        "sort",
        "sort by date, cost, steps",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Mark),
        &[Key::plain(' ')],
        "mark",
        "mark it: keys act on all",
        Place::Library,
    ),
    row(Action::InLibrary(Deed::Star), &[Key::plain('*')], "star", "star, or not", Place::Library),
    row(
        Action::InLibrary(Deed::Tag),
        &[Key::plain('t')],
        "tag",
        "tag it: foo, or -foo",
        Place::Library,
    ),
    row(Action::InLibrary(Deed::Note), &[Key::plain('n')], "note", "write a note", Place::Library),
    row(
        Action::InLibrary(Deed::Export),
        &[Key::plain('x')],
        "export",
        "export to a file",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Bin),
        &[Key::plain('D'), Key::code(KeyCode::Delete)],
        "delete",
        "move it to the bin",
        Place::Library,
    ),
    row(
        Action::InLibrary(Deed::Undo),
        &[Key::plain('u')],
        "undo",
        "undo the last deletion",
        Place::Library,
    ),
    row(
        Action::Palette,
        &[Key::plain(':')],
        "actions",
        "search all that can be done",
        Place::Anywhere,
    ),
    row(Action::Themes, &[Key::plain('C')], "themes", "choose a theme", Place::Anywhere),
    row(
        Action::Back,
        &[Key::code(KeyCode::Backspace), Key::code(KeyCode::Esc)],
        "back",
        "back to what was before",
        Place::Anywhere,
    ),
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
        for mode in Mode::ALL {
            let rows = ACTIONS.iter().filter(|row| row.place.is_in(mode));
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
