//! What a page of the workbench is.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::action::{Action, ActionScope, PageId};
use super::message::Effect;
use super::state::State;
use super::view::episode::EpisodePanes;
use super::view::live_status;
use super::view::render_context::RenderContext;
use super::view::text::StatusPart;

/// Actions worth a hint at the foot of the screen, the most useful first, each with a word or two.
pub(super) type Hints = &'static [(Action, &'static str)];

/// A page: what fills the screen above the status line, its keys, hints and availability. The
/// pages are the rows of [`super::pages::PAGES`].
pub(super) trait Page: Sync {
    /// Its id, which the scopes of actions name.
    fn id(&self) -> PageId;

    /// Its name, for the user.
    fn name(&self) -> &'static str;

    /// Draws it; by default the displayed episode. `panes` keeps the wrapped lines of the episode
    /// between frames.
    fn render(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        state: &State,
        panes: &mut EpisodePanes,
        ctx: RenderContext<'_>,
    ) {
        panes.render(frame, area, state, ctx);
    }

    /// The parts of the status line; by default those of the session.
    fn status(&self, state: &State, ctx: RenderContext<'_>) -> Vec<StatusPart> {
        live_status::status_parts(state, ctx)
    }

    /// The hints at the foot of the screen.
    fn hints(&self, state: &State) -> Hints;

    /// Why actions of this scope are not available now, with the remedy; `None` if they are.
    fn unavailable_reason(&self, _scope: ActionScope, _state: &State) -> Option<String> {
        None
    }

    /// Handles an action in the page's own way; `None` leaves it to the action's handler.
    fn handle(&self, _state: &mut State, _action: Action) -> Option<Vec<Effect>> {
        None
    }
}
