//! Selection, scrolling, pages, help.

use super::notices::hint;
use super::{display, library};
use crate::workbench::action::{Action, PageId};
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::job::Job;
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::overlay::Overlay;
use crate::workbench::state::State;
use crate::workbench::transcript::transcript;

/// Lines that a page key scrolls the help by.
const HELP_PAGE: usize = 10;

/// Selects the previous step.
pub(in crate::workbench) fn previous(state: &mut State) -> Vec<Effect> {
    select(state, |step| step.saturating_sub(1))
}

/// Selects the next step.
pub(in crate::workbench) fn next(state: &mut State) -> Vec<Effect> {
    select(state, |step| step + 1)
}

/// Selects a step by the step in view; past the last one, follows the current step again.
fn select(state: &mut State, to: fn(usize) -> usize) -> Vec<Effect> {
    let last = state.displayed.as_ref().and_then(DisplayedEpisode::last_step);
    let (Some(step), Some(last)) = (state.step_in_view(), last) else {
        return hint(state, "there are no steps yet");
    };
    let to = to(step);
    if to >= last {
        return follow(state);
    }
    state.selected = Some(to);
    Vec::new()
}

/// Scrolls a page up.
pub(in crate::workbench) fn page_up(_: &mut State) -> Vec<Effect> {
    vec![Effect::Scroll(Scroll::PageUp)]
}

/// Scrolls a page down.
pub(in crate::workbench) fn page_down(_: &mut State) -> Vec<Effect> {
    vec![Effect::Scroll(Scroll::PageDown)]
}

/// Follows the current step.
pub(in crate::workbench) fn follow(state: &mut State) -> Vec<Effect> {
    state.selected = None;
    vec![Effect::Scroll(Scroll::Follow)]
}

/// Gives the features the whole side of the screen, or not.
pub(in crate::workbench) fn toggle_why(state: &mut State) -> Vec<Effect> {
    state.why_expanded = !state.why_expanded;
    Vec::new()
}

/// Copies the trace.
pub(in crate::workbench) fn copy_trace(state: &mut State) -> Vec<Effect> {
    state.displayed.iter().map(|displayed| Effect::Copy(transcript(displayed))).collect()
}

/// Compares the user with the router.
pub(in crate::workbench) fn user_score(state: &mut State) -> Vec<Effect> {
    state.overlay = Overlay::Score(None);
    vec![Effect::RunJob(Job::ScoreUser)]
}

/// Returns from a page, a replay or a stored episode; from the live episode to its current step.
pub(in crate::workbench) fn back(state: &mut State) -> Vec<Effect> {
    if !state.can_go_back() {
        return follow(state);
    }
    if state.open_page == Some(PageId::Library)
        && let Some(effects) = library::leave_forks(state)
    {
        return effects;
    }
    if state.open_page.take().is_some() {
        return Vec::new();
    }
    display::close_stored(state);
    // Replays and stored episodes are opened from there.
    state.open_page = Some(PageId::Library);
    vec![Effect::Scroll(Scroll::Follow)]
}

/// Shows the keys.
pub(in crate::workbench) fn help(state: &mut State) -> Vec<Effect> {
    state.overlay = Overlay::Help(0);
    Vec::new()
}

/// Scrolls the help; false if the action does not.
pub(in crate::workbench) fn scroll_help(
    state: &mut State,
    top: usize,
    action: Option<Action>,
) -> bool {
    let to = match action {
        Some(Action::Previous) => top.saturating_sub(1),
        Some(Action::Next) => top + 1,
        Some(Action::PageUp) => top.saturating_sub(HELP_PAGE),
        Some(Action::PageDown) => top + HELP_PAGE,
        _ => return false,
    };
    state.overlay = Overlay::Help(to);
    true
}

/// Suspends the process.
pub(in crate::workbench) fn suspend(_: &mut State) -> Vec<Effect> {
    vec![Effect::Suspend]
}

/// Ends the program; leaves a replay that was opened from the library.
pub(in crate::workbench) fn quit(state: &mut State) -> Vec<Effect> {
    if state.replay.is_some() && state.can_go_back() { back(state) } else { vec![Effect::Quit] }
}
