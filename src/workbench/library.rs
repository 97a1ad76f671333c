//! The library on the screen: what was asked for, what was found so far, and where one is in it.

use std::collections::BTreeSet;

use crate::library::Cursor;
use crate::store::Entry;

/// Episodes that are fetched at a time.
pub(super) const PAGE: usize = 100;
/// Rows before the last one that is there at which more are fetched.
const AHEAD: usize = 40;

/// What can be done in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Put it into the panes.
    Open,
    Replay,
    /// Beside the episode that is in the panes.
    Compare,
    /// Its parents, and all their forks.
    Family,
    Find,
    Sort,
    Mark,
    Star,
    Tag,
    Note,
    Export,
    Bin,
    Undo,
}

/// An episode in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub entry: Entry,
    /// Forks between it and the first of its family; 0 in a list that is no tree.
    pub depth: usize,
    /// When it began, in the person's time zone: `11-25 07:21`.
    pub began: String,
}

/// What is listed.
#[derive(Debug, Clone, PartialEq)]
pub enum Sought {
    /// What a query finds, in the language of [`crate::library::Query`].
    Query(String),
    /// The parents of the episode `of`, and all their forks; `before` is the query to go back to.
    Family { of: u64, before: String },
}

impl Default for Sought {
    fn default() -> Self {
        Self::Query(String::new())
    }
}

/// A stretch of the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stretch {
    pub rows: Vec<Listed>,
    /// Episodes on the way that could not be read.
    pub unreadable: usize,
    /// Where the list goes on; absent at its end.
    pub next: Option<Cursor>,
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Library {
    pub sought: Sought,
    pub rows: Vec<Listed>,
    pub unreadable: usize,
    pub next: Option<Cursor>,
    /// Why nothing could be looked for.
    pub problem: Option<String>,
    /// The row that one is at.
    pub at: usize,
    pub marked: BTreeSet<u64>,
    /// Number of the last request; answers to older ones are dropped.
    pub ticket: u64,
    /// Whether an answer is on its way.
    pub waits: bool,
}

impl Library {
    /// The row that one is at.
    pub fn here(&self) -> Option<&Listed> {
        self.rows.get(self.at)
    }

    /// The episodes that a deed is done to: the marked ones, else the one that one is at.
    pub fn chosen(&self) -> Vec<u64> {
        if self.marked.is_empty() {
            self.here().map(|row| row.entry.summary.id).into_iter().collect()
        } else {
            self.marked.iter().copied().collect()
        }
    }

    /// Moves by that many rows.
    pub(super) fn step(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// Whether more rows should be fetched.
    pub(super) fn wants_more(&self) -> bool {
        !self.waits && self.next.is_some() && self.at + AHEAD >= self.rows.len()
    }

    /// Takes in a stretch, which is the first one where `anew`.
    pub(super) fn take(&mut self, stretch: Stretch, anew: bool) {
        if anew {
            let id = |row: &Listed| row.entry.summary.id;
            let here = self.here().map(id);
            self.rows.clear();
            self.unreadable = 0;
            self.rows.extend(stretch.rows);
            // One stays at the same episode where it is still there, else at the same row.
            self.at = self.rows.iter().position(|row| Some(id(row)) == here).unwrap_or(self.at);
            self.step(0);
        } else {
            self.rows.extend(stretch.rows);
        }
        self.unreadable += stretch.unreadable;
        self.next = stretch.next;
    }
}
