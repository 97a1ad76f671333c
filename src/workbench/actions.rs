//! The table of actions. Keymap, help and the hints at the foot of the screen are read from it.
//! Its keys are those before a user's `keys.toml`: what is in force says the [`Keymap`](super::Keymap).

use ratatui::crossterm::event::KeyCode;

use super::key::Key;
use super::library::LibraryAction;
use super::replay::ReplayAction;
use super::training_page::TrainingAction;
use crate::recording::{Direction, JumpTarget};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Run,
    Pause,
    Step,
    SmallNext,
    LargeNext,
    SmallFromHere,
    LargeFromHere,
    ClearOverride,
    Redo,
    Fork,
    Compare,
    Differences,
    ThresholdUp,
    ThresholdDown,
    ThresholdUpFine,
    ThresholdDownFine,
    Threshold,
    DrawQuestion,
    TypeQuestion,
    Stop,
    Bookmark,
    /// Open the library.
    OpenLibrary,
    /// Something that is done in the library.
    Library(LibraryAction),
    /// Something that only a replay can do.
    Replay(ReplayAction),
    /// Type the budget.
    Budget,
    /// Choose a threshold that was calibrated.
    Calibrations,
    /// Open the page for retraining and calibration.
    OpenTraining,
    /// Something that is done there.
    Training(TrainingAction),
    /// How the person does against the router, and where shadows disagree.
    UserScore,
    Presets,
    Themes,
    /// Everything that can be done, to be searched.
    Palette,
    /// From a page, a replay or a stored episode to what was on the screen before.
    Back,
    Previous,
    Next,
    PageUp,
    PageDown,
    Follow,
    ToggleWhy,
    /// Copy the trace to the clipboard.
    CopyTrace,
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
    Training,
}

impl Mode {
    pub const ALL: [Self; 4] = [Self::Live, Self::Replay, Self::Library, Self::Training];
}

/// Where an action is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionScope {
    Anywhere,
    /// There is something to go through line by line.
    Scrollable,
    /// The models are loaded.
    SessionReady,
    /// They are, or could not be.
    SessionReadyOrFailed,
    /// An episode is running or paused.
    OpenEpisode,
    /// There is an episode, open or over.
    AnyEpisode,
    /// A recording is shown.
    Replay,
    /// The library is open.
    Library,
    /// The page for retraining is open.
    Training,
}

impl ActionScope {
    /// Whether actions of this place exist in `mode`.
    pub fn exists_in(self, mode: Mode) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Scrollable => mode != Mode::Training,
            Self::AnyEpisode => matches!(mode, Mode::Live | Mode::Replay),
            Self::SessionReady | Self::SessionReadyOrFailed | Self::OpenEpisode => {
                mode == Mode::Live
            }
            Self::Replay => mode == Mode::Replay,
            Self::Library => mode == Mode::Library,
            Self::Training => mode == Mode::Training,
        }
    }

    /// Whether there is a mode in which actions of both places exist.
    pub fn overlaps(self, other: Self) -> bool {
        Mode::ALL.into_iter().any(|mode| self.exists_in(mode) && other.exists_in(mode))
    }
}

/// One action.
#[derive(Debug)]
pub struct ActionSpec {
    pub action: Action,
    /// Its keys, the one to name first.
    pub keys: &'static [Key],
    /// One or two words, for hints.
    pub name: &'static str,
    /// A few words for the help; at most 28 columns.
    pub help: &'static str,
    pub scope: ActionScope,
}

const fn spec(
    action: Action,
    keys: &'static [Key],
    name: &'static str,
    help: &'static str,
    scope: ActionScope,
) -> ActionSpec {
    ActionSpec { action, keys, name, help, scope }
}

/// All actions, in the order of the help.
pub const ACTIONS: &[ActionSpec] = &[
    spec(
        Action::Run,
        &[Key::code(KeyCode::Enter), Key::plain('r')],
        "run",
        "resume, or ask again",
        ActionScope::SessionReady,
    ),
    spec(Action::Pause, &[Key::plain(' ')], "pause", "pause, resume", ActionScope::OpenEpisode),
    spec(
        Action::Step,
        &[Key::plain('n')],
        "step",
        "one step, then pause",
        ActionScope::SessionReady,
    ),
    spec(Action::Stop, &[Key::plain('x')], "stop", "stop the episode", ActionScope::OpenEpisode),
    spec(
        Action::Bookmark,
        &[Key::plain('m')],
        "bookmark",
        "bookmark this step",
        ActionScope::OpenEpisode,
    ),
    spec(
        Action::DrawQuestion,
        &[Key::plain('d')],
        "draw",
        "draw a new question",
        ActionScope::SessionReady,
    ),
    spec(
        Action::TypeQuestion,
        &[Key::plain('i'), Key::plain('e')],
        "type",
        "type a question",
        ActionScope::SessionReady,
    ),
    spec(
        Action::SmallNext,
        &[Key::plain('s')],
        "small",
        "small writes the next step",
        ActionScope::OpenEpisode,
    ),
    spec(
        Action::LargeNext,
        &[Key::plain('l')],
        "large",
        "large writes the next step",
        ActionScope::OpenEpisode,
    ),
    spec(
        Action::SmallFromHere,
        &[Key::plain('S')],
        "small on",
        "small from here on",
        ActionScope::OpenEpisode,
    ),
    spec(
        Action::LargeFromHere,
        &[Key::plain('L')],
        "large on",
        "large from here on",
        ActionScope::OpenEpisode,
    ),
    spec(
        Action::ClearOverride,
        &[Key::plain('p')],
        "router",
        "back to the router",
        ActionScope::OpenEpisode,
    ),
    spec(
        Action::Redo,
        &[Key::plain('R')],
        "redo",
        "last step, other model",
        ActionScope::OpenEpisode,
    ),
    spec(
        Action::Fork,
        &[Key::plain('f')],
        "fork",
        "fork at the step in view",
        ActionScope::SessionReady,
    ),
    spec(
        Action::Compare,
        &[Key::plain('c')],
        "compare",
        "beside the episode before",
        ActionScope::SessionReady,
    ),
    spec(
        Action::Differences,
        &[Key::plain('v')],
        "differences",
        "only where they differ",
        ActionScope::SessionReady,
    ),
    spec(
        Action::ThresholdUp,
        &[Key::plain('+'), Key::plain('='), Key::plain(']')],
        "threshold up",
        "threshold up: fewer large",
        ActionScope::SessionReady,
    ),
    spec(
        Action::ThresholdDown,
        &[Key::plain('-'), Key::plain('[')],
        "threshold down",
        "threshold down: more large",
        ActionScope::SessionReady,
    ),
    spec(
        Action::ThresholdUpFine,
        &[Key::plain('}')],
        "finer up",
        "threshold up, finer",
        ActionScope::SessionReady,
    ),
    spec(
        Action::ThresholdDownFine,
        &[Key::plain('{')],
        "finer down",
        "threshold down, finer",
        ActionScope::SessionReady,
    ),
    spec(
        Action::Threshold,
        &[Key::plain('t')],
        "threshold",
        "type a threshold",
        ActionScope::SessionReady,
    ),
    spec(
        Action::Replay(ReplayAction::TogglePlay),
        &[Key::plain(' ')],
        "play",
        "play, pause",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Forward),
        &[Key::code(KeyCode::Right), Key::plain('n'), Key::plain('.')],
        "step on",
        "one step on",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Back),
        &[Key::code(KeyCode::Left), Key::plain(',')],
        "step back",
        "one step back",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::SeekSelected),
        &[Key::code(KeyCode::Enter)],
        "wind",
        "wind to the selected step",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Start),
        &[Key::code(KeyCode::Home), Key::plain('g')],
        "start",
        "to the start",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::End),
        &[Key::plain('G')],
        "end",
        "to the end",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Faster),
        &[Key::plain('>')],
        "faster",
        "faster, up to instant",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Slower),
        &[Key::plain('<')],
        "slower",
        "slower",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Jump(JumpTarget::Switch, Direction::Forward)),
        &[Key::plain('t')],
        "next switch",
        "to the next switch",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Jump(JumpTarget::Switch, Direction::Back)),
        &[Key::plain('T')],
        "last switch",
        "to the switch before",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Jump(JumpTarget::Override, Direction::Forward)),
        &[Key::plain('o')],
        "next override",
        "to the next override",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Jump(JumpTarget::Override, Direction::Back)),
        &[Key::plain('O')],
        "last override",
        "to the override before",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Jump(JumpTarget::Bookmark, Direction::Forward)),
        &[Key::plain('b')],
        "next bookmark",
        "to the next bookmark",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Jump(JumpTarget::Bookmark, Direction::Back)),
        &[Key::plain('B')],
        "last bookmark",
        "to the bookmark before",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Episode(Direction::Forward)),
        &[Key::code(KeyCode::Tab)],
        "next episode",
        "next episode of the file",
        ActionScope::Replay,
    ),
    spec(
        Action::Replay(ReplayAction::Episode(Direction::Back)),
        &[Key::code(KeyCode::BackTab)],
        "last episode",
        "episode before",
        ActionScope::Replay,
    ),
    spec(
        Action::Previous,
        &[Key::code(KeyCode::Up), Key::plain('k')],
        "earlier",
        "up: the step before",
        ActionScope::Scrollable,
    ),
    spec(
        Action::Next,
        &[Key::code(KeyCode::Down), Key::plain('j')],
        "later",
        "down: the step after",
        ActionScope::Scrollable,
    ),
    spec(
        Action::PageUp,
        &[Key::code(KeyCode::PageUp)],
        "page up",
        "a page up",
        ActionScope::Scrollable,
    ),
    spec(
        Action::PageDown,
        &[Key::code(KeyCode::PageDown)],
        "page down",
        "a page down",
        ActionScope::Scrollable,
    ),
    spec(
        Action::Follow,
        &[Key::code(KeyCode::End)],
        "follow",
        "to the current step, or end",
        ActionScope::Anywhere,
    ),
    spec(
        Action::ToggleWhy,
        &[Key::plain('w')],
        "why",
        "all that the router saw",
        ActionScope::AnyEpisode,
    ),
    spec(Action::CopyTrace, &[Key::plain('y')], "copy", "copy the trace", ActionScope::AnyEpisode),
    spec(
        Action::OpenLibrary,
        &[Key::plain('o'), Key::plain('/')],
        "episodes",
        "find a stored episode",
        ActionScope::SessionReady,
    ),
    spec(
        Action::Calibrations,
        &[Key::plain('g')],
        "calibrated",
        "a calibrated threshold",
        ActionScope::SessionReady,
    ),
    spec(Action::Budget, &[Key::plain('b')], "budget", "type a budget", ActionScope::SessionReady),
    spec(
        Action::OpenTraining,
        &[Key::plain('T')],
        "retrain",
        "retrain, calibrate, promote",
        ActionScope::SessionReady,
    ),
    spec(
        Action::Training(TrainingAction::Train),
        &[Key::plain('t')],
        "train",
        "train from stored episodes",
        ActionScope::Training,
    ),
    spec(
        Action::Training(TrainingAction::Collect),
        &[Key::plain('e')],
        "collect",
        "collect 500 episodes more",
        ActionScope::Training,
    ),
    spec(
        Action::Training(TrainingAction::Calibrate),
        &[Key::plain('k')],
        "calibrate",
        "calibrate the threshold",
        ActionScope::Training,
    ),
    spec(
        Action::Training(TrainingAction::PromotionTest),
        &[Key::plain('c')],
        "contest",
        "both on 100 fresh questions",
        ActionScope::Training,
    ),
    spec(
        Action::Training(TrainingAction::Promote),
        &[Key::plain('p')],
        "promote",
        "put the new one in force",
        ActionScope::Training,
    ),
    spec(
        Action::Training(TrainingAction::Discard),
        &[Key::plain('x')],
        "discard",
        "cancel; discard the new one",
        ActionScope::Training,
    ),
    spec(
        Action::Training(TrainingAction::RollBack),
        &[Key::plain('b')],
        "roll back",
        "the one before in force again",
        ActionScope::Training,
    ),
    spec(
        Action::UserScore,
        &[Key::plain('a')],
        "score",
        "you against the router",
        ActionScope::SessionReady,
    ),
    spec(
        Action::Presets,
        &[Key::plain('P')],
        "presets",
        "choose a preset",
        ActionScope::SessionReadyOrFailed,
    ),
    spec(
        Action::Library(LibraryAction::Open),
        &[Key::code(KeyCode::Enter)],
        "open",
        "look at, fork, compare it",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Replay),
        &[Key::plain('r'), Key::plain('p')],
        "replay",
        "replay it",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Compare),
        &[Key::plain('c')],
        "beside",
        "beside the one before",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::ShowForks),
        &[Key::plain('f')],
        "family",
        "its parents and forks",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Search),
        &[Key::plain('/')],
        "find",
        "find: pens, right, cost<2G",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Sort),
        &[Key::plain('s')],
        "sort",
        "sort by date, cost, steps",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::ToggleMark),
        &[Key::plain(' ')],
        "mark",
        "mark it: keys act on all",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::ToggleStar),
        &[Key::plain('*')],
        "star",
        "star, or not",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Tag),
        &[Key::plain('t')],
        "tag",
        "tag it: foo, or -foo",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Note),
        &[Key::plain('n')],
        "note",
        "write a note",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Export),
        &[Key::plain('x')],
        "export",
        "export to a file",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::Delete),
        &[Key::plain('D'), Key::code(KeyCode::Delete)],
        "delete",
        "move it to the bin",
        ActionScope::Library,
    ),
    spec(
        Action::Library(LibraryAction::UndoDelete),
        &[Key::plain('u')],
        "undo",
        "undo the last deletion",
        ActionScope::Library,
    ),
    spec(
        Action::Palette,
        &[Key::plain(':')],
        "actions",
        "search all that can be done",
        ActionScope::Anywhere,
    ),
    spec(Action::Themes, &[Key::plain('C')], "themes", "choose a theme", ActionScope::Anywhere),
    spec(
        Action::Back,
        &[Key::code(KeyCode::Backspace), Key::code(KeyCode::Esc)],
        "back",
        "back to what was before",
        ActionScope::Anywhere,
    ),
    spec(Action::Help, &[Key::plain('?')], "keys", "these keys", ActionScope::Anywhere),
    spec(
        Action::Suspend,
        &[Key::control('z')],
        "suspend",
        "suspend, models too",
        ActionScope::Anywhere,
    ),
    spec(
        Action::Quit,
        &[Key::plain('q'), Key::control('c')],
        "quit",
        "quit; all is stored",
        ActionScope::Anywhere,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_action() {
        for mode in Mode::ALL {
            let rows = ACTIONS.iter().filter(|row| row.scope.exists_in(mode));
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
