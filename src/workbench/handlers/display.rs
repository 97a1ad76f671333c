//! Which episode is on the screen.

use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::state::State;

/// Shows the session's new episode. The previous one is kept for a comparison if it is the parent
/// or has the same question.
pub(super) fn show_new_episode(state: &mut State, displayed: DisplayedEpisode) {
    let started = &displayed.episode.started;
    let previous = state.displayed.take().filter(|previous| {
        started.parent.as_ref().is_some_and(|parent| parent.episode == previous.id)
            || started.question == previous.episode.started.question
    });
    state.previous = previous.map(|previous| (previous.id, previous.episode));
    state.displayed = Some(displayed);
}

/// Clears the screen for another episode: the session's episode goes to the background, a stored
/// one is dropped.
pub(super) fn move_to_background(state: &mut State) {
    if state.displayed.as_ref().is_some_and(|displayed| state.is_live(displayed)) {
        state.background = state.displayed.take();
    }
    state.displayed = None;
    state.replay = None;
    state.open_page = None;
    state.selected = None;
}

/// Closes a replay or a stored episode: the session's episode is shown again.
pub(super) fn close_stored(state: &mut State) {
    state.replay = None;
    state.displayed = state.background.take();
    state.selected = None;
}
