//! The table of actions. The keymap, the help, the hints, the palette and `pointsman print keys`
//! are read from it. Its keys are the defaults; the active keys, with the user's `keys.toml`,
//! are in the [`Keymap`].

use std::path::Path;

use ratatui::crossterm::event::KeyCode;

use super::action::{Action, ActionScope, ActionSpec, PageId};
use super::handlers::{
    compare, episode, library, menu, navigation, prompt, replay, threshold, training_page,
};
use super::key::Key;
use super::keymap::Keymap;
use super::library::LibraryAction;
use super::message::Effect;
use super::palette;
use super::replay::ReplayAction;
use super::state::State;
use super::training_page::TrainingAction;
use crate::config::{FileError, NamedFile};
use crate::recording::{Direction, JumpTarget};

/// An action with the function that carries it out.
#[derive(Debug)]
pub(super) struct ActionRow {
    pub(super) spec: ActionSpec,
    handler: fn(&mut State) -> Vec<Effect>,
}

/// Carries out an action that is available.
pub(super) fn run_action(state: &mut State, action: Action) -> Vec<Effect> {
    let row = ACTIONS.iter().find(|row| row.spec.action == action);
    row.map_or_else(Vec::new, |row| (row.handler)(state))
}

impl Default for Keymap {
    /// The keys of the table.
    fn default() -> Self {
        Self::new(ACTIONS.iter().map(|row| &row.spec))
    }
}

impl Keymap {
    /// The keys of the table, overridden by the file at `path`, which need not exist. An entry of
    /// the file replaces all keys of its action.
    ///
    /// # Errors
    /// If the file cannot be read or is not TOML, names an action or a key that does not exist,
    /// names an action twice, binds a key to two actions of one page, or leaves no key to quit.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        match NamedFile::at(path)? {
            Some(file) => Self::default().overridden_by(&file),
            None => Ok(Self::default()),
        }
    }
}

const ENTER: Key = Key::code(KeyCode::Enter);
const LEFT: Key = Key::code(KeyCode::Left);
const RIGHT: Key = Key::code(KeyCode::Right);
const UP: Key = Key::code(KeyCode::Up);
const DOWN: Key = Key::code(KeyCode::Down);
const PAGE_UP: Key = Key::code(KeyCode::PageUp);
const PAGE_DOWN: Key = Key::code(KeyCode::PageDown);
const HOME: Key = Key::code(KeyCode::Home);
const END: Key = Key::code(KeyCode::End);
const TAB: Key = Key::code(KeyCode::Tab);
const SHIFT_TAB: Key = Key::code(KeyCode::BackTab);
const DELETE: Key = Key::code(KeyCode::Delete);
const BACKSPACE: Key = Key::code(KeyCode::Backspace);
const ESC: Key = Key::code(KeyCode::Esc);

const fn k(c: char) -> Key {
    Key::plain(c)
}

const fn ctrl(c: char) -> Key {
    Key::control(c)
}

use ActionScope::{
    AnyEpisode, Anywhere, On, OpenEpisode, Scrollable, SessionReady, SessionReadyOrFailed,
};

const ON_REPLAY: ActionScope = On(PageId::Replay);
const ON_LIBRARY: ActionScope = On(PageId::Library);
const ON_TRAINING: ActionScope = On(PageId::Training);

/// Shorthand for rows of the replay page.
const fn jump(target: JumpTarget, direction: Direction) -> Action {
    Action::Replay(ReplayAction::Jump(target, direction))
}

/// One line of the table.
macro_rules! rows {
    ($($action:expr, $name:literal, [$($former:literal),*], [$($key:expr),*],
       $label:literal, $help:literal, $scope:expr, $handler:expr;)*) => {
        &[$(ActionRow {
            spec: ActionSpec {
                action: $action,
                name: $name,
                former_names: &[$($former),*],
                keys: &[$($key),*],
                label: $label,
                help: $help,
                scope: $scope,
            },
            handler: $handler,
        }),*]
    };
}

/// All actions, in the order of the help:
/// action; name and former names in `keys.toml`; keys; label; help; scope; handler.
pub(super) const ACTIONS: &[ActionRow] = rows! {
    Action::Run, "run", [], [ENTER, k('r')], "run", "resume, or ask again", SessionReady, episode::run;
    Action::Pause, "pause", [], [k(' ')], "pause", "pause, resume", OpenEpisode, episode::pause;
    Action::Step, "step", [], [k('n')], "step", "one step, then pause", SessionReady, episode::step;
    Action::Stop, "stop", [], [k('x')], "stop", "stop the episode", OpenEpisode, episode::stop;
    Action::Bookmark, "bookmark", [], [k('m')], "bookmark", "bookmark this step", OpenEpisode, episode::bookmark;
    Action::DrawQuestion, "draw-question", ["draw"], [k('d')], "draw", "draw a new question", SessionReady, episode::draw_question;
    Action::TypeQuestion, "type-question", ["type"], [k('i'), k('e')], "type", "type a question", SessionReady, episode::type_question;
    Action::SmallNext, "small-next", [], [k('s')], "small", "small writes the next step", OpenEpisode, episode::small_next;
    Action::LargeNext, "large-next", [], [k('l')], "large", "large writes the next step", OpenEpisode, episode::large_next;
    Action::SmallFromHere, "small-from-here", ["small-on"], [k('S')], "small on", "small from here on", OpenEpisode, episode::small_from_here;
    Action::LargeFromHere, "large-from-here", ["large-on"], [k('L')], "large on", "large from here on", OpenEpisode, episode::large_from_here;
    Action::ClearOverride, "clear-override", ["release"], [k('p')], "router", "the router chooses again", OpenEpisode, episode::clear_override;
    Action::Redo, "redo", [], [k('R')], "redo", "last step, other model", OpenEpisode, episode::redo;
    Action::Fork, "fork", [], [k('f')], "fork", "fork at the step in view", SessionReady, compare::open_fork_dialog;
    Action::Compare, "compare", [], [k('c')], "compare", "compare with the previous", SessionReady, compare::open;
    Action::Differences, "differences", [], [k('v')], "differences", "only where they differ", SessionReady, compare::open_differences;
    Action::ThresholdUp, "threshold-up", [], [k('+'), k('='), k(']')], "threshold up", "threshold up: fewer large", SessionReady, threshold::up;
    Action::ThresholdDown, "threshold-down", [], [k('-'), k('[')], "threshold down", "threshold down: more large", SessionReady, threshold::down;
    Action::ThresholdUpFine, "threshold-up-fine", [], [k('}')], "finer up", "threshold up, finer", SessionReady, threshold::up_fine;
    Action::ThresholdDownFine, "threshold-down-fine", [], [k('{')], "finer down", "threshold down, finer", SessionReady, threshold::down_fine;
    Action::Threshold, "threshold", [], [k('t')], "threshold", "type a threshold", SessionReady, threshold::open_prompt;
    Action::Replay(ReplayAction::TogglePlay), "replay-play", ["replay-toggle"], [k(' ')], "play", "play, pause", ON_REPLAY, |state| replay::run_action(state, ReplayAction::TogglePlay);
    Action::Replay(ReplayAction::Forward), "replay-forward", [], [RIGHT, k('n'), k('.')], "step on", "one step on", ON_REPLAY, |state| replay::run_action(state, ReplayAction::Forward);
    Action::Replay(ReplayAction::Back), "replay-back", [], [LEFT, k(',')], "step back", "one step back", ON_REPLAY, |state| replay::run_action(state, ReplayAction::Back);
    Action::Replay(ReplayAction::SeekSelected), "replay-seek-selected", ["replay-seek"], [ENTER], "seek", "seek to the selected step", ON_REPLAY, |state| replay::run_action(state, ReplayAction::SeekSelected);
    Action::Replay(ReplayAction::Start), "replay-start", [], [HOME, k('g')], "start", "to the start", ON_REPLAY, |state| replay::run_action(state, ReplayAction::Start);
    Action::Replay(ReplayAction::End), "replay-end", [], [k('G')], "end", "to the end", ON_REPLAY, |state| replay::run_action(state, ReplayAction::End);
    Action::Replay(ReplayAction::Faster), "replay-faster", [], [k('>')], "faster", "faster, up to instant", ON_REPLAY, |state| replay::run_action(state, ReplayAction::Faster);
    Action::Replay(ReplayAction::Slower), "replay-slower", [], [k('<')], "slower", "slower", ON_REPLAY, |state| replay::run_action(state, ReplayAction::Slower);
    jump(JumpTarget::Switch, Direction::Forward), "replay-jump-switch-forward", [], [k('t')], "next switch", "to the next switch", ON_REPLAY, |state| replay::jump(state, JumpTarget::Switch, Direction::Forward);
    jump(JumpTarget::Switch, Direction::Back), "replay-jump-switch-back", [], [k('T')], "previous switch", "to the previous switch", ON_REPLAY, |state| replay::jump(state, JumpTarget::Switch, Direction::Back);
    jump(JumpTarget::Override, Direction::Forward), "replay-jump-override-forward", [], [k('o')], "next override", "to the next override", ON_REPLAY, |state| replay::jump(state, JumpTarget::Override, Direction::Forward);
    jump(JumpTarget::Override, Direction::Back), "replay-jump-override-back", [], [k('O')], "previous override", "to the previous override", ON_REPLAY, |state| replay::jump(state, JumpTarget::Override, Direction::Back);
    jump(JumpTarget::Bookmark, Direction::Forward), "replay-jump-bookmark-forward", [], [k('b')], "next bookmark", "to the next bookmark", ON_REPLAY, |state| replay::jump(state, JumpTarget::Bookmark, Direction::Forward);
    jump(JumpTarget::Bookmark, Direction::Back), "replay-jump-bookmark-back", [], [k('B')], "previous bookmark", "to the previous bookmark", ON_REPLAY, |state| replay::jump(state, JumpTarget::Bookmark, Direction::Back);
    Action::Replay(ReplayAction::Episode(Direction::Forward)), "replay-episode-forward", [], [TAB], "next episode", "next episode of the file", ON_REPLAY, |state| replay::run_action(state, ReplayAction::Episode(Direction::Forward));
    Action::Replay(ReplayAction::Episode(Direction::Back)), "replay-episode-back", [], [SHIFT_TAB], "previous episode", "previous episode of the file", ON_REPLAY, |state| replay::run_action(state, ReplayAction::Episode(Direction::Back));
    Action::Previous, "previous", ["earlier"], [UP, k('k')], "up", "up: the previous step", Scrollable, navigation::previous;
    Action::Next, "next", ["later"], [DOWN, k('j')], "down", "down: the next step", Scrollable, navigation::next;
    Action::PageUp, "page-up", [], [PAGE_UP], "page up", "a page up", Scrollable, navigation::page_up;
    Action::PageDown, "page-down", [], [PAGE_DOWN], "page down", "a page down", Scrollable, navigation::page_down;
    Action::Follow, "follow", [], [END], "follow", "to the current step, or end", Anywhere, navigation::follow;
    Action::ToggleWhy, "toggle-why", ["reasons"], [k('w')], "why", "all features of the step", AnyEpisode, navigation::toggle_why;
    Action::CopyTrace, "copy-trace", ["copy"], [k('y')], "copy", "copy the trace", AnyEpisode, navigation::copy_trace;
    Action::OpenLibrary, "open-library", ["library"], [k('o'), k('/')], "episodes", "find a stored episode", SessionReady, library::open;
    Action::Calibrations, "calibrations", [], [k('g')], "calibrated", "a calibrated threshold", SessionReady, menu::calibrations;
    Action::Budget, "budget", [], [k('b')], "budget", "type a budget", SessionReady, prompt::open_budget;
    Action::OpenTraining, "open-training", ["school"], [k('T')], "training", "train, calibrate, promote", SessionReady, training_page::open;
    Action::Training(TrainingAction::Train), "train", ["at-school-train"], [k('t')], "train", "train from stored episodes", ON_TRAINING, |state| training_page::start(state, TrainingAction::Train);
    Action::Training(TrainingAction::Collect), "collect", ["at-school-collect"], [k('e')], "collect", "collect 500 more episodes", ON_TRAINING, |state| training_page::start(state, TrainingAction::Collect);
    Action::Training(TrainingAction::Calibrate), "calibrate", ["at-school-calibrate"], [k('k')], "calibrate", "calibrate the threshold", ON_TRAINING, |state| training_page::start(state, TrainingAction::Calibrate);
    Action::Training(TrainingAction::PromotionTest), "test-candidate", ["at-school-contest"], [k('c')], "test", "test on 100 fresh questions", ON_TRAINING, training_page::test_candidate;
    Action::Training(TrainingAction::Promote), "promote", ["at-school-promote"], [k('p')], "promote", "route with the new policy", ON_TRAINING, training_page::promote;
    Action::Training(TrainingAction::Discard), "discard-candidate", ["at-school-discard"], [k('x')], "discard", "cancel; discard the new one", ON_TRAINING, training_page::discard;
    Action::Training(TrainingAction::RollBack), "roll-back", ["at-school-roll-back"], [k('b')], "roll back", "undo the last promotion", ON_TRAINING, training_page::roll_back;
    Action::UserScore, "user-score", ["score"], [k('a')], "score", "you against the router", SessionReady, navigation::user_score;
    Action::Presets, "presets", [], [k('P')], "presets", "choose a preset", SessionReadyOrFailed, menu::presets;
    Action::Library(LibraryAction::Open), "library-open", ["in-library-open"], [ENTER], "open", "look at, fork, compare it", ON_LIBRARY, library::open_selected;
    Action::Library(LibraryAction::Replay), "library-replay", ["in-library-replay"], [k('r'), k('p')], "replay", "replay it", ON_LIBRARY, library::replay_selected;
    Action::Library(LibraryAction::Compare), "library-compare", ["in-library-compare"], [k('c')], "compare", "compare with the open one", ON_LIBRARY, library::compare_selected;
    Action::Library(LibraryAction::ShowForks), "library-forks", ["in-library-family"], [k('f')], "forks", "its parents and forks", ON_LIBRARY, library::show_forks;
    Action::Library(LibraryAction::Search), "library-search", ["in-library-find"], [k('/')], "find", "find: pens, correct, cost<2G", ON_LIBRARY, library::open_search;
    Action::Library(LibraryAction::Sort), "library-sort", ["in-library-sort"], [k('s')], "sort", "sort by date, cost, steps", ON_LIBRARY, library::sort;
    Action::Library(LibraryAction::ToggleMark), "library-mark", ["in-library-mark"], [k(' ')], "mark", "mark it: keys act on marked", ON_LIBRARY, library::toggle_mark;
    Action::Library(LibraryAction::ToggleStar), "library-star", ["in-library-star"], [k('*')], "star", "star, or not", ON_LIBRARY, library::toggle_star;
    Action::Library(LibraryAction::Tag), "library-tag", ["in-library-tag"], [k('t')], "tag", "tag it: foo, or -foo", ON_LIBRARY, library::open_tag;
    Action::Library(LibraryAction::Note), "library-note", ["in-library-note"], [k('n')], "note", "write a note", ON_LIBRARY, library::open_note;
    Action::Library(LibraryAction::Export), "library-export", ["in-library-export"], [k('x')], "export", "export to a file", ON_LIBRARY, library::open_export;
    Action::Library(LibraryAction::Delete), "library-delete", ["in-library-bin"], [k('D'), DELETE], "delete", "move it to the trash", ON_LIBRARY, library::delete;
    Action::Library(LibraryAction::UndoDelete), "library-undo", ["in-library-undo"], [k('u')], "undo", "undo the last deletion", ON_LIBRARY, library::undo_delete;
    Action::Palette, "palette", [], [k(':')], "actions", "search all actions", Anywhere, palette::open;
    Action::Themes, "themes", [], [k('C')], "themes", "choose a theme", Anywhere, menu::themes;
    Action::Back, "back", [], [BACKSPACE, ESC], "back", "back to the previous screen", Anywhere, navigation::back;
    Action::Help, "help", [], [k('?')], "keys", "these keys", Anywhere, navigation::help;
    Action::Suspend, "suspend", [], [ctrl('z')], "suspend", "suspend, models too", Anywhere, navigation::suspend;
    Action::Quit, "quit", [], [k('q'), ctrl('c')], "quit", "quit; all is stored", Anywhere, navigation::quit;
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_action() {
        for page in PageId::ALL {
            let specs = ACTIONS.iter().map(|row| &row.spec);
            let keys: Vec<Key> = specs
                .filter(|spec| spec.scope.exists_on(page))
                .flat_map(|spec| spec.keys)
                .copied()
                .collect();
            for (i, key) in keys.iter().enumerate() {
                assert!(!keys[..i].contains(key), "{key} is bound twice");
            }
        }
    }

    #[test]
    fn every_name_means_one_action() {
        let names: Vec<&str> = ACTIONS
            .iter()
            .flat_map(|row| std::iter::once(&row.spec.name).chain(row.spec.former_names))
            .copied()
            .collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "{name} is there twice");
        }
    }

    #[test]
    fn help_fits_its_columns() {
        for spec in ACTIONS.iter().map(|row| &row.spec) {
            assert!(spec.help.chars().count() <= 28, "{}", spec.name);
        }
    }
}
