//! Work that takes time or touches the disk: it is done beside the loop, and what comes of it is a message.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::library::Sought;
use super::message::Message;
use super::reasons::Boundary;
use crate::library::Cursor;
use crate::store::Tag;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Errand {
    /// Draw a question of the task set: [`Message::Drawn`].
    Draw,
    /// Compute how far each of these features pushed: [`Message::Explained`].
    Explain { boundary: Boundary, features: BTreeMap<String, f64> },
    /// Read what the store says of thresholds: [`Message::Outlook`].
    LookAhead,
    /// List episodes: [`Message::Found`] with the same ticket. A request with a higher one ends it.
    Find { ticket: u64, sought: Sought, after: Option<Cursor> },
    /// Read an episode: [`Message::Read`].
    Read { id: u64, purpose: Purpose },
    /// Note something about episodes: [`Message::Kept`].
    Annotate { ids: Vec<u64>, change: Change },
    /// Move episodes to the bin: [`Message::Kept`].
    Bin(Vec<u64>),
    /// Undo the last deletion: [`Message::Kept`].
    Undo,
    /// Write episodes to a file that does not exist yet: [`Message::Kept`].
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

/// Who does errands. Each is done on a thread of its own.
pub trait Desk: Send + Sync {
    /// Does an errand, and tells what comes of it: nothing, one message or several.
    fn run(&self, errand: Errand, tell: &dyn Fn(Message));
}

/// A desk that does nothing: for a recording without a store.
pub struct NoDesk;

impl Desk for NoDesk {
    fn run(&self, _: Errand, _: &dyn Fn(Message)) {}
}
