//! Jobs: slow work, which runs on other threads. Their answers are messages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::explanation::BoundaryId;
use super::library::LibraryQuery;
use super::menu::MenuKind;
use super::training_page::TrainingAction;
use crate::library::PageCursor;
use crate::routing::PairFingerprint;
use crate::session::RoutingConfig;
use crate::store::Tag;
use crate::training::Candidate;

/// Slow work.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// Draw a question of the task set: [`super::Message::QuestionDrawn`].
    DrawQuestion,
    /// Report the memory in use of the GPU whenever it changes, as long as the workbench runs:
    /// [`super::Message::Gpu`]. Ends at once without a GPU.
    WatchGpu,
    /// Compute the contribution of each feature to p(large): [`super::Message::Explained`].
    Explain {
        /// The active preset with its routers.
        routing: Arc<RoutingConfig>,
        /// The boundary that the features are of.
        boundary: BoundaryId,
        /// The features by name.
        features: BTreeMap<String, f64>,
    },
    /// Estimate accuracy and cost by threshold from the recordings:
    /// [`super::Message::ThresholdEstimates`].
    EstimateThreshold(Arc<RoutingConfig>),
    /// List episodes: [`super::Message::EpisodesListed`]. A job with a higher request id ends it.
    ListEpisodes {
        /// Number of the request, repeated in the answer.
        request_id: u64,
        /// Which episodes.
        query: LibraryQuery,
        /// Where the page begins; `None` for the first page.
        after: Option<PageCursor>,
        /// Rows of the page, at most.
        rows: usize,
    },
    /// Read an episode: [`super::Message::EpisodeRead`].
    ReadEpisode {
        /// Its number.
        id: u64,
        /// What it is for.
        purpose: ReadPurpose,
    },
    /// Annotate episodes: [`super::Message::ChangeSaved`].
    Annotate {
        /// Their numbers.
        ids: Vec<u64>,
        /// The annotation.
        change: AnnotationChange,
    },
    /// Move episodes to the trash: [`super::Message::ChangeSaved`].
    MoveToTrash(Vec<u64>),
    /// Undo the last deletion: [`super::Message::ChangeSaved`].
    UndoDelete,
    /// List what can be chosen: [`super::Message::MenuLoaded`].
    LoadMenu {
        /// Which list.
        kind: MenuKind,
        /// The active preset with its routers.
        routing: Arc<RoutingConfig>,
        /// The models, if the list depends on them.
        pair: Option<Box<PairFingerprint>>,
    },
    /// Load a theme: [`super::Message::ThemeLoaded`].
    LoadTheme(String),
    /// Load a preset and its policy: [`super::Message::PresetLoaded`].
    LoadPreset(String),
    /// Load the policy of a fork: [`super::Message::PolicyLoaded`].
    LoadPolicy {
        /// The active preset with its routers.
        routing: Arc<RoutingConfig>,
        /// Name of the policy.
        name: String,
        /// The step to fork at, from 0.
        step: usize,
    },
    /// Train, collect, calibrate or test: [`super::Message::Training`], several times.
    RunTraining {
        /// Its number; later ones have higher numbers.
        number: u64,
        /// What to do.
        action: TrainingAction,
        /// The active preset with its routers.
        routing: Arc<RoutingConfig>,
        /// The models.
        pair: Box<PairFingerprint>,
        /// The candidate, if there is one.
        candidate: Option<Arc<Candidate>>,
    },
    /// Cancel the [`Job::RunTraining`] of that number. If it has ended, this has no effect: a later
    /// one has another number.
    CancelTraining(u64),
    /// Route with the candidate: [`super::Message::Promoted`].
    Promote {
        /// The active preset with its routers.
        routing: Arc<RoutingConfig>,
        /// The new policy.
        candidate: Arc<Candidate>,
    },
    /// Undo the last promotion for the preset: [`super::Message::Promoted`].
    RollBack(Arc<RoutingConfig>),
    /// Delete the candidate of that number.
    DiscardCandidate(u64),
    /// Compare the user with the router: [`super::Message::UserScored`].
    ScoreUser,
    /// Write episodes to a new file: [`super::Message::ChangeSaved`].
    Export {
        /// Their numbers.
        ids: Vec<u64>,
        /// The file, which must not exist.
        path: PathBuf,
    },
}

/// What an episode is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPurpose {
    /// To show it.
    Open,
    /// To play it.
    Replay,
    /// To compare it with the displayed episode.
    Compare,
}

/// An annotation of episodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnnotationChange {
    /// With or without a star.
    Starred(bool),
    /// Add or remove a tag.
    Tag {
        /// The tag.
        tag: Tag,
        /// Added if true.
        added: bool,
    },
    /// Replace the note.
    Note(String),
}
