//! The library on the screen: what was asked for, what was found so far, and where one is in it.

use std::collections::BTreeSet;

use crate::library::PageCursor;
use crate::store::EpisodeEntry;

/// Episodes that are fetched at a time.
pub(super) const PAGE_SIZE: usize = 100;
/// Rows before the last one that is there at which more are fetched.
const PREFETCH_ROWS: usize = 40;

/// What can be done in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryAction {
    /// Put it into the panes.
    Open,
    Replay,
    /// Beside the episode that is in the panes.
    Compare,
    /// Its parents, and all their forks.
    ShowForks,
    Search,
    Sort,
    ToggleMark,
    ToggleStar,
    Tag,
    Note,
    Export,
    Delete,
    UndoDelete,
}

/// An episode in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedEpisode {
    pub entry: EpisodeEntry,
    /// Forks between it and the first of its family; 0 in a list that is no tree.
    pub depth: usize,
    /// When it began, in the person's time zone: `11-25 07:21`.
    pub began: String,
}

/// What is listed.
#[derive(Debug, Clone, PartialEq)]
pub enum LibraryQuery {
    /// What a query finds, in the language of [`crate::library::Query`].
    Search(String),
    /// The parents of the episode `of`, and all their forks; `before` is the query to go back to.
    Forks { of: u64, previous_query: String },
}

impl Default for LibraryQuery {
    fn default() -> Self {
        Self::Search(String::new())
    }
}

/// A stretch of the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EpisodePage {
    pub rows: Vec<ListedEpisode>,
    /// Episodes on the way that could not be read.
    pub unreadable: usize,
    /// Where the list goes on; absent at its end.
    pub next: Option<PageCursor>,
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Library {
    pub query: LibraryQuery,
    pub rows: Vec<ListedEpisode>,
    pub unreadable: usize,
    pub next: Option<PageCursor>,
    /// Why nothing could be looked for.
    pub problem: Option<String>,
    /// The row that one is at.
    pub selected: usize,
    pub marked: BTreeSet<u64>,
    /// Number of the last request; answers to older ones are dropped.
    pub request_id: u64,
    /// Whether an answer is on its way.
    pub loading: bool,
}

impl Library {
    /// The row that one is at.
    pub fn selected_row(&self) -> Option<&ListedEpisode> {
        self.rows.get(self.selected)
    }

    /// The episodes that a deed is done to: the marked ones, else the one that one is at.
    pub fn target_ids(&self) -> Vec<u64> {
        if self.marked.is_empty() {
            self.selected_row().map(|row| row.entry.summary.id).into_iter().collect()
        } else {
            self.marked.iter().copied().collect()
        }
    }

    /// Moves by that many rows.
    pub(super) fn move_selection(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Whether more rows should be fetched.
    pub(super) fn wants_more(&self) -> bool {
        !self.loading && self.next.is_some() && self.selected + PREFETCH_ROWS >= self.rows.len()
    }

    /// Takes in a stretch, which is the first one where `from_start`.
    pub(super) fn add_page(&mut self, stretch: EpisodePage, from_start: bool) {
        if from_start {
            let id = |row: &ListedEpisode| row.entry.summary.id;
            let here = self.selected_row().map(id);
            self.rows.clear();
            self.unreadable = 0;
            self.rows.extend(stretch.rows);
            // One stays at the same episode where it is still there, else at the same row.
            self.selected =
                self.rows.iter().position(|row| Some(id(row)) == here).unwrap_or(self.selected);
            self.move_selection(0);
        } else {
            self.rows.extend(stretch.rows);
        }
        self.unreadable += stretch.unreadable;
        self.next = stretch.next;
    }
}
