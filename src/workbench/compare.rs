//! Another episode beside the displayed one.

use std::sync::Arc;

use crate::episode::Episode;

/// The other episode, and how the two are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The other episode's number.
    pub id: u64,
    /// The other episode.
    pub episode: Arc<Episode>,
    /// Leave out the steps that are the same.
    pub only_differences: bool,
    /// Lines scrolled past.
    pub top: usize,
}

impl Comparison {
    /// A comparison with episode number `id`, from the first step.
    pub fn new(id: u64, episode: Arc<Episode>) -> Self {
        Self { id, episode, only_differences: false, top: 0 }
    }

    /// Scrolls by `lines`, down if positive; the view stops at the end.
    pub(super) fn scroll(&mut self, lines: isize) {
        self.top = self.top.saturating_add_signed(lines);
    }
}
