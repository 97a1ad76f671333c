//! The library page: what was searched for, what was found so far, and the selected row.

use std::collections::BTreeSet;

use crate::library::PageCursor;
use crate::store::EpisodeEntry;

/// Episodes that are fetched at a time.
pub(super) const PAGE_SIZE: usize = 100;
/// More rows are fetched when the selection comes this close to the last one.
const PREFETCH_ROWS: usize = 40;

/// An action of the library page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryAction {
    /// Show the selected episode.
    Open,
    /// Play it.
    Replay,
    /// Compare it with the displayed episode.
    Compare,
    /// List its parents and all their forks.
    ShowForks,
    /// Type a query.
    Search,
    /// Sort by the next order.
    Sort,
    /// Mark it: other actions are for all marked episodes.
    ToggleMark,
    /// Add or remove a star.
    ToggleStar,
    /// Type a tag.
    Tag,
    /// Type a note.
    Note,
    /// Type the file to export to.
    Export,
    /// Move to the trash.
    Delete,
    /// Undo the last deletion.
    UndoDelete,
}

/// An episode of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedEpisode {
    /// Its summary and annotations.
    pub entry: EpisodeEntry,
    /// Number of forks between it and the first ancestor; 0 in a list that is not a tree.
    pub depth: usize,
    /// When it began, in the user's time zone: `11-25 07:21`.
    pub began: String,
}

/// Which episodes are listed.
#[derive(Debug, Clone, PartialEq)]
pub enum LibraryQuery {
    /// The matches of a query, in the language of [`crate::library::Query`].
    Search(String),
    /// The ancestors of an episode and all their forks.
    Forks {
        /// The episode.
        of: u64,
        /// The query to return to.
        previous_query: String,
    },
}

impl Default for LibraryQuery {
    fn default() -> Self {
        Self::Search(String::new())
    }
}

/// A page of the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EpisodePage {
    /// Its rows.
    pub rows: Vec<ListedEpisode>,
    /// Number of episodes between them that cannot be read.
    pub unreadable: usize,
    /// Where the next page begins; `None` at the end of the list.
    pub next: Option<PageCursor>,
}

/// The library page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Library {
    /// Which episodes are listed.
    pub query: LibraryQuery,
    /// The rows so far.
    pub rows: Vec<ListedEpisode>,
    /// Number of episodes between them that cannot be read.
    pub unreadable: usize,
    /// Where the next page begins; `None` at the end of the list.
    pub next: Option<PageCursor>,
    /// Why the search failed.
    pub problem: Option<String>,
    /// Index of the selected row.
    pub selected: usize,
    /// Numbers of the marked episodes.
    pub marked: BTreeSet<u64>,
    /// Number of the last request; answers to older ones are dropped.
    pub request_id: u64,
    /// Whether an answer is outstanding.
    pub loading: bool,
}

impl Library {
    /// The selected row.
    pub fn selected_row(&self) -> Option<&ListedEpisode> {
        self.rows.get(self.selected)
    }

    /// The text of the query; that of the previous one while forks are listed.
    pub(super) fn query_text(&self) -> &str {
        match &self.query {
            LibraryQuery::Search(query) => query,
            LibraryQuery::Forks { previous_query, .. } => previous_query,
        }
    }

    /// The episodes that an action is for: the marked ones, or the selected one.
    pub(super) fn target_ids(&self) -> Vec<u64> {
        if self.marked.is_empty() {
            self.selected_row().map(|row| row.entry.summary.id).into_iter().collect()
        } else {
            self.marked.iter().copied().collect()
        }
    }

    /// Moves the selection by that many rows.
    pub(super) fn move_selection(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Whether to fetch more rows.
    pub(super) fn wants_more(&self) -> bool {
        !self.loading && self.next.is_some() && self.selected + PREFETCH_ROWS >= self.rows.len()
    }

    /// Adds a page, which is the first one if `from_start`.
    pub(super) fn add_page(&mut self, page: EpisodePage, from_start: bool) {
        if from_start {
            let id = |row: &ListedEpisode| row.entry.summary.id;
            let here = self.selected_row().map(id);
            self.rows = page.rows;
            self.unreadable = 0;
            // The selection follows its episode; without it, it keeps its row.
            self.selected =
                self.rows.iter().position(|row| Some(id(row)) == here).unwrap_or(self.selected);
            self.move_selection(0);
        } else {
            self.rows.extend(page.rows);
        }
        self.unreadable += page.unreadable;
        self.next = page.next;
    }
}
