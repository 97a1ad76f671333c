//! The list of stored episodes.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::workbench::action::{Action, PageId};
use crate::workbench::handlers::{library, navigation};
use crate::workbench::library::LibraryAction;
use crate::workbench::message::Effect;
use crate::workbench::page::{Hints, Page};
use crate::workbench::state::State;
use crate::workbench::view;
use crate::workbench::view::episode::EpisodePanes;
use crate::workbench::view::render_context::RenderContext;

/// Rows of a page key.
const PAGE_ROWS: isize = 15;

const HINTS: Hints = &[
    (Action::Library(LibraryAction::Open), "open"),
    (Action::Library(LibraryAction::Replay), "replay"),
    (Action::Library(LibraryAction::Search), "find"),
    (Action::Library(LibraryAction::Sort), "sort"),
    (Action::Back, "back"),
    (Action::Library(LibraryAction::Tag), "tag"),
    (Action::Library(LibraryAction::Delete), "delete"),
    (Action::Library(LibraryAction::UndoDelete), "undo"),
    (Action::Library(LibraryAction::ShowForks), "forks"),
    (Action::Library(LibraryAction::Export), "export"),
];

/// The list of stored episodes.
pub(super) struct LibraryPage;

impl Page for LibraryPage {
    fn id(&self) -> PageId {
        PageId::Library
    }

    fn name(&self) -> &'static str {
        "library"
    }

    fn render(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        state: &State,
        _: &mut EpisodePanes,
        ctx: RenderContext<'_>,
    ) {
        view::library::render(frame, area, state, ctx);
    }

    fn hints(&self, _: &State) -> Hints {
        HINTS
    }

    fn handle(&self, state: &mut State, action: Action) -> Option<Vec<Effect>> {
        let by = match action {
            Action::Previous => -1,
            Action::Next => 1,
            Action::PageUp => -PAGE_ROWS,
            Action::PageDown => PAGE_ROWS,
            Action::Follow => isize::MAX,
            Action::Quit => return Some(navigation::back(state)),
            _ => return None,
        };
        Some(library::move_selection(state, by))
    }
}
