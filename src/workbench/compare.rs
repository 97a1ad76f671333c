//! Another episode beside the one on the screen.

use std::sync::Arc;

use crate::episode::Episode;

/// What stands beside the episode on the screen, and how it is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The other episode's number.
    pub id: u64,
    pub episode: Arc<Episode>,
    /// Leave out the steps that are the same.
    pub only_differences: bool,
    /// Lines scrolled past.
    pub top: usize,
}

impl Comparison {
    /// Beside episode number `id`, from its beginning.
    pub fn new(id: u64, episode: Arc<Episode>) -> Self {
        Self { id, episode, only_differences: false, top: 0 }
    }

    /// Scrolls by `lines`, down where positive; the view stops at the end.
    pub fn scroll(&mut self, lines: isize) {
        self.top = self.top.saturating_add_signed(lines);
    }
}
