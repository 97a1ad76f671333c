//! Forks, and the comparison of two episodes.

use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;

use super::{fork, hint, menu};
use crate::episode::Role;
use crate::workbench::actions::Action;
use crate::workbench::compare::Comparison;
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::menu::MenuKind;
use crate::workbench::message::Effect;
use crate::workbench::state::{Overlay, State};

/// Lines of a page.
const PAGE_ROWS: isize = 10;

/// Puts a new episode on the screen; the one before stands beside it where they have to do with each other.
pub(super) fn display_new_episode(state: &mut State, displayed: DisplayedEpisode) {
    let started = &displayed.episode.started;
    let before = state.displayed.take().filter(|before| {
        started.parent.as_ref().is_some_and(|parent| parent.episode == before.id)
            || started.question == before.episode.started.question
    });
    state.previous = before.map(|before| (before.id, Arc::new(before.episode)));
    state.displayed = Some(displayed);
}

/// Asks what is to be different from the step in view on.
pub(super) fn open_fork_dialog(state: &mut State) -> Vec<Effect> {
    let steps = state.displayed.as_ref().map_or(0, |displayed| displayed.episode.steps.len());
    match state.step_in_view().filter(|_| steps > 0) {
        Some(step) => {
            state.overlay = Overlay::Fork(step.min(steps));
            Vec::new()
        }
        None => hint(state, "there are no steps to fork from yet"),
    }
}

/// Forks as the key says, or not.
pub(super) fn on_fork_key(state: &mut State, step: usize, key: KeyCode) -> Vec<Effect> {
    let threshold = Some(state.threshold);
    let (model, threshold) = match key {
        KeyCode::Char('s') => (Some(Role::Small), None),
        KeyCode::Char('l') => (Some(Role::Large), None),
        KeyCode::Char('n') => (None, None),
        KeyCode::Char('t') => (None, threshold),
        KeyCode::Char('p') => {
            state.overlay = Overlay::None;
            return menu::load(state, MenuKind::Policies { step });
        }
        KeyCode::Esc | KeyCode::Char('q') => {
            state.overlay = Overlay::None;
            return Vec::new();
        }
        _ => return hint(state, "press s, l, t, p or n, or Esc to leave it"),
    };
    state.overlay = Overlay::None;
    fork::send_fork(state, step, |order| {
        order.fork.model = model;
        order.fork.threshold = threshold;
    })
}

/// Shows both episodes.
pub(super) fn open(state: &mut State, only_differences: bool) -> Vec<Effect> {
    let Some((id, episode)) = state.previous.clone() else {
        let ways = state.keys.key_hints(&[(Action::Fork, "to fork this one")]);
        return hint(state, format!("there is no other episode of this question{ways}"));
    };
    state.overlay =
        Overlay::Compare(Comparison { only_differences, ..Comparison::new(id, episode) });
    Vec::new()
}

/// Whether the comparison took the action; one that it did not take closes it.
pub(super) fn on_key(state: &mut State, action: Option<Action>) -> bool {
    let Overlay::Compare(compare) = &mut state.overlay else { return false };
    match action {
        Some(Action::Differences) => {
            compare.only_differences = !compare.only_differences;
            compare.top = 0;
        }
        Some(Action::Previous) => compare.scroll(-1),
        Some(Action::Next) => compare.scroll(1),
        Some(Action::PageUp) => compare.scroll(-PAGE_ROWS),
        Some(Action::PageDown) => compare.scroll(PAGE_ROWS),
        Some(Action::Compare | Action::Follow | Action::Back | Action::Quit) => {
            state.overlay = Overlay::None
        }
        Some(Action::Help) => state.overlay = Overlay::Help(0),
        Some(_) => {
            state.overlay = Overlay::None;
            return false;
        }
        None => return false,
    }
    true
}
