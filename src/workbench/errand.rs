//! Work that takes time or touches the disk: it is done beside the loop, and what comes of it is a message.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::library::Sought;
use super::menu::List;
use super::reasons::Boundary;
use super::school::{Lesson, Newcomer};
use crate::config::Preset;
use crate::library::Cursor;
use crate::routing::Pair;
use crate::store::Tag;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Errand {
    /// Draw a question of the task set: [`super::Message::Drawn`].
    Draw,
    /// Tell what of the GPU's memory is taken, whenever that changes, for as long as the workbench runs:
    /// [`super::Message::Gpu`]. Without a GPU it is over at once.
    WatchGpu,
    /// Compute how far each of these features pushed: [`super::Message::Explained`].
    Explain { boundary: Boundary, features: BTreeMap<String, f64> },
    /// Read what the store says of thresholds: [`super::Message::Outlook`].
    LookAhead,
    /// List episodes: [`super::Message::Found`] with the same ticket. A request with a higher one ends it.
    Find { ticket: u64, sought: Sought, after: Option<Cursor>, rows: usize },
    /// Read an episode: [`super::Message::Read`].
    Read { id: u64, purpose: Purpose },
    /// Note something about episodes: [`super::Message::Kept`].
    Annotate { ids: Vec<u64>, change: Change },
    /// Move episodes to the bin: [`super::Message::Kept`].
    Bin(Vec<u64>),
    /// Undo the last deletion: [`super::Message::Kept`].
    Undo,
    /// Make a list to choose from: [`super::Message::Menu`]. Of thresholds, as they hold for this preset and pair.
    Choices(List, Option<Box<(Preset, Pair)>>),
    /// Load a theme: [`super::Message::Theme`].
    Theme(String),
    /// Load a preset and its policy: [`super::Message::Preset`].
    Preset(String),
    /// Put the policy in force that was before the last promotion for that preset: [`super::Message::Promoted`].
    RollBack(String),
    /// Fetch the policy of that name to fork with at that step: [`super::Message::Hired`].
    Hire { name: String, step: usize },
    /// Train, collect, calibrate or hold a contest for that pair of models: [`super::Message::School`], several times.
    Learn { lesson: Lesson, preset: Box<Preset>, pair: Box<Pair>, newcomer: Option<Arc<Newcomer>> },
    /// End what [`Errand::Learn`] has under way.
    Cancel,
    /// Put a new policy in force: [`super::Message::Promoted`].
    Promote { preset: String, newcomer: Arc<Newcomer> },
    /// Delete a new policy.
    Discard(u64),
    /// How the person does against the router: [`super::Message::Scored`].
    Score,
    /// Write episodes to a file that does not exist yet: [`super::Message::Kept`].
    Export { ids: Vec<u64>, path: PathBuf },
}

/// What an episode is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Open,
    Replay,
    Compare,
}

/// What a person says of episodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Starred(bool),
    Tag { tag: Tag, given: bool },
    Note(String),
}
