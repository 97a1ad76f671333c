//! Actions by name: what a key can do, and where. The functions that carry them out are in
//! `actions`, above the state.

use super::key::Key;
use super::library::LibraryAction;
use super::replay::ReplayAction;
use super::training_page::TrainingAction;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Resume the episode, or ask its question again.
    Run,
    /// Pause or resume.
    Pause,
    /// Write one step, then pause.
    Step,
    /// The small model writes the next step.
    SmallNext,
    /// The large model writes the next step.
    LargeNext,
    /// The small model writes every step from here on.
    SmallFromHere,
    /// The large model writes every step from here on.
    LargeFromHere,
    /// The router chooses again.
    ClearOverride,
    /// The other model writes the last step anew.
    Redo,
    /// Fork at the step in view.
    Fork,
    /// Compare with the previous episode.
    Compare,
    /// Compare, without the steps that are the same.
    Differences,
    /// Raise the threshold.
    ThresholdUp,
    /// Lower the threshold.
    ThresholdDown,
    /// Raise the threshold a little.
    ThresholdUpFine,
    /// Lower the threshold a little.
    ThresholdDownFine,
    /// Type a threshold.
    Threshold,
    /// Draw a question of the task set.
    DrawQuestion,
    /// Type a question.
    TypeQuestion,
    /// Stop the episode.
    Stop,
    /// Mark the step for replays.
    Bookmark,
    /// Open the library.
    OpenLibrary,
    /// An action of the library page.
    Library(LibraryAction),
    /// An action of the replay page.
    Replay(ReplayAction),
    /// Type the budget.
    Budget,
    /// Choose a calibrated threshold.
    Calibrations,
    /// Open the training page.
    OpenTraining,
    /// An action of the training page.
    Training(TrainingAction),
    /// Compare the user with the router, and list where the shadow routers disagree.
    UserScore,
    /// Choose a preset.
    Presets,
    /// Choose a theme.
    Themes,
    /// Search all actions.
    Palette,
    /// Return from a page, a replay or a stored episode.
    Back,
    /// The previous row or step.
    Previous,
    /// The next row or step.
    Next,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Return to the current step, or to the end of a list.
    Follow,
    /// Give the whole side of the screen to the features of the step in view.
    ToggleWhy,
    /// Copy the trace to the clipboard.
    CopyTrace,
    /// Show the keys.
    Help,
    /// Suspend the process.
    Suspend,
    /// Leave a replay or a page, or end the program.
    Quit,
}

/// A page of the workbench: it fills the screen above the status line and has keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageId {
    /// An episode, with a session.
    Live,
    /// A recording.
    Replay,
    /// The list of stored episodes.
    Library,
    /// Training, calibration and promotion of policies.
    Training,
}

impl PageId {
    /// All pages.
    pub const ALL: [Self; 4] = [Self::Live, Self::Replay, Self::Library, Self::Training];
}

/// Where an action exists, and what it needs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionScope {
    /// Every page; needs nothing.
    Anywhere,
    /// The pages with rows to scroll.
    Scrollable,
    /// The live page, once the models are loaded.
    SessionReady,
    /// The live page, once the models are loaded or could not be loaded.
    SessionReadyOrFailed,
    /// The live page, while an episode is running or paused.
    OpenEpisode,
    /// The live page and replays, if there is an episode, open or over.
    AnyEpisode,
    /// One page; needs nothing.
    On(PageId),
}

impl ActionScope {
    /// Whether actions of this scope exist on `page`.
    pub fn exists_on(self, page: PageId) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Scrollable => page != PageId::Training,
            Self::AnyEpisode => matches!(page, PageId::Live | PageId::Replay),
            Self::On(own) => page == own,
            Self::SessionReady | Self::SessionReadyOrFailed | Self::OpenEpisode => {
                page == PageId::Live
            }
        }
    }

    /// Whether actions of both scopes exist on some page, so that they need different keys.
    pub fn overlaps(self, other: Self) -> bool {
        PageId::ALL.into_iter().any(|page| self.exists_on(page) && other.exists_on(page))
    }
}

/// What is known of an action without the state: its names, its default keys, its help.
#[derive(Debug, PartialEq, Eq)]
pub struct ActionSpec {
    /// The action.
    pub action: Action,
    /// Its name in `keys.toml`. Files depend on it: a new name needs the old one in
    /// `former_names`.
    pub name: &'static str,
    /// Names of earlier versions, which `keys.toml` may still use.
    pub former_names: &'static [&'static str],
    /// Its default keys; hints name the first.
    pub keys: &'static [Key],
    /// One or two words, for hints.
    pub label: &'static str,
    /// A few words for the help, at most 28 columns.
    pub help: &'static str,
    /// Where it exists.
    pub scope: ActionScope,
}

impl ActionSpec {
    /// Whether `name` is its name in `keys.toml`, or was.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.former_names.contains(&name)
    }
}
