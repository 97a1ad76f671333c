//! Work that takes time or touches the disk: it is done beside the loop, and what comes of it is a message.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::explanation::BoundaryId;
use super::library::LibraryQuery;
use super::menu::MenuKind;
use super::training_page::TrainingAction;
use crate::config::Preset;
use crate::library::PageCursor;
use crate::routing::PairFingerprint;
use crate::store::Tag;
use crate::training::Candidate;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// Draw a question of the task set: [`super::Message::QuestionDrawn`].
    DrawQuestion,
    /// Tell what of the GPU's memory is taken, whenever that changes, for as long as the workbench runs:
    /// [`super::Message::Gpu`]. Without a GPU it is over at once.
    WatchGpu,
    /// Compute how far each of these features pushed: [`super::Message::Explained`].
    Explain { boundary: BoundaryId, features: BTreeMap<String, f64> },
    /// Read what the store says of thresholds: [`super::Message::ThresholdEstimates`].
    EstimateThreshold,
    /// List episodes: [`super::Message::EpisodesListed`] with the same request_id. A request with a higher one ends it.
    ListEpisodes { request_id: u64, query: LibraryQuery, after: Option<PageCursor>, rows: usize },
    /// Read an episode: [`super::Message::EpisodeRead`].
    ReadEpisode { id: u64, purpose: ReadPurpose },
    /// Note something about episodes: [`super::Message::ChangeSaved`].
    Annotate { ids: Vec<u64>, change: AnnotationChange },
    /// Move episodes to the bin: [`super::Message::ChangeSaved`].
    MoveToTrash(Vec<u64>),
    /// Undo the last deletion: [`super::Message::ChangeSaved`].
    UndoDelete,
    /// Make a list to choose from: [`super::Message::MenuLoaded`]. Of thresholds, as they hold for this preset and pair.
    LoadMenu(MenuKind, Option<Box<(Preset, PairFingerprint)>>),
    /// Load a theme: [`super::Message::ThemeLoaded`].
    LoadTheme(String),
    /// Load a preset and its policy: [`super::Message::PresetLoaded`].
    LoadPreset(String),
    /// Put the policy in force that was before the last promotion for that preset: [`super::Message::Promoted`].
    RollBack(String),
    /// Fetch the policy of that name to fork with at that step: [`super::Message::PolicyLoaded`].
    LoadPolicy { name: String, step: usize },
    /// Train, collect, calibrate or hold a contest for that pair of models: [`super::Message::Training`], several times.
    RunTraining {
        action: TrainingAction,
        preset: Box<Preset>,
        pair: Box<PairFingerprint>,
        candidate: Option<Arc<Candidate>>,
    },
    /// End what [`Job::RunTraining`] has under way.
    CancelTraining,
    /// Put a new policy in force: [`super::Message::Promoted`].
    Promote { preset: String, candidate: Arc<Candidate> },
    /// Delete a new policy.
    DiscardCandidate(u64),
    /// How the person does against the router: [`super::Message::UserScored`].
    ScoreUser,
    /// Write episodes to a file that does not exist yet: [`super::Message::ChangeSaved`].
    Export { ids: Vec<u64>, path: PathBuf },
}

/// What an episode is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPurpose {
    Open,
    Replay,
    Compare,
}

/// What a person says of episodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnnotationChange {
    Starred(bool),
    Tag { tag: Tag, added: bool },
    Note(String),
}
