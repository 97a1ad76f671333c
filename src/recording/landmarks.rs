//! Positions of a replay that it can be moved to: boundaries, switches, overrides, bookmarks.
//!
//! A position is an index into the timeline.

use super::timeline::{ItemSource, TimelineEntry};
use crate::episode::{Event, EventKind, Role};

/// A kind of position that a replay can jump to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JumpTarget {
    /// A choice of another model than that of the step before.
    Switch,
    /// An override by the user.
    Override,
    /// A bookmarked step, once it is written.
    Bookmark,
}

/// Direction in which a replay jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To later positions.
    Forward,
    /// To earlier positions.
    Back,
}

/// An episode with its timeline, in which positions are looked up.
#[derive(Clone, Copy)]
pub(super) struct Landmarks<'a> {
    pub(super) events: &'a [Event],
    pub(super) entries: &'a [TimelineEntry],
}

impl Landmarks<'_> {
    /// The positions of a kind, in order.
    pub(super) fn of(self, target: JumpTarget) -> Vec<usize> {
        let mut found = match target {
            JumpTarget::Switch => self.switches(),
            JumpTarget::Override => {
                self.positions(|kind| matches!(kind, EventKind::OverrideSet { .. })).collect()
            }
            JumpTarget::Bookmark => self.bookmarks(),
        };
        found.sort_unstable();
        found
    }

    /// The last position before the choice for a step: the router's opinion, or the end of the step before. `None` if
    /// the step before was never written.
    pub(super) fn boundary(self, step: usize) -> Option<usize> {
        let from = match step.checked_sub(1) {
            None if self.entries.is_empty() => return None,
            None => 0,
            Some(before) => self.written(before)?,
        };
        let opinion = self.entries.iter().position(|entry| match entry.source {
            ItemSource::Opinion(index) => {
                matches!(self.events[index].kind, EventKind::Decided { step: s, .. } if s == step)
            }
            _ => false,
        });
        Some(opinion.map_or(from, |opinion| opinion.max(from)))
    }

    /// The boundaries of all written steps.
    pub(super) fn boundaries(self) -> Vec<usize> {
        let written = self.positions(|kind| matches!(kind, EventKind::Written { .. })).count();
        (0..written).filter_map(|step| self.boundary(step)).collect()
    }

    /// Positions of events of which `holds` is true.
    fn positions(self, holds: impl Fn(&EventKind) -> bool) -> impl Iterator<Item = usize> {
        self.entries.iter().enumerate().filter_map(move |(position, entry)| match entry.source {
            ItemSource::Event(index) => holds(&self.events[index].kind).then_some(position),
            _ => None,
        })
    }

    /// The position at which a step was written.
    fn written(self, step: usize) -> Option<usize> {
        let is =
            |kind: &EventKind| matches!(kind, EventKind::Written { step: s, .. } if *s == step);
        self.positions(is).next()
    }

    /// Positions at which the model changed: the choice, or the written step if no choice is recorded.
    fn switches(self) -> Vec<usize> {
        let mut writer: Option<Role> = None;
        let mut chosen: Option<(usize, Role)> = None;
        let mut found = Vec::new();
        for position in self.positions(|_| true) {
            let ItemSource::Event(index) = self.entries[position].source else { continue };
            match &self.events[index].kind {
                EventKind::Decided { choice, .. } => chosen = Some((position, *choice)),
                EventKind::Written { generation, .. } => {
                    let at = chosen.take().filter(|(_, choice)| *choice == generation.model);
                    if writer.is_some_and(|before| before != generation.model) {
                        found.push(at.map_or(position, |(at, _)| at));
                    }
                    writer = Some(generation.model);
                }
                _ => {}
            }
        }
        found
    }

    /// Positions at which bookmarked steps were written, or at which the user set the bookmark if the step never was.
    fn bookmarks(self) -> Vec<usize> {
        let mut found = Vec::new();
        for position in self.positions(|kind| matches!(kind, EventKind::Bookmarked { .. })) {
            let ItemSource::Event(index) = self.entries[position].source else { continue };
            if let EventKind::Bookmarked { step, .. } = self.events[index].kind {
                found.push(self.written(step).unwrap_or(position));
            }
        }
        found
    }
}
