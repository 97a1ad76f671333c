//! Lists to choose from, and what choosing does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::training_page::set_routing;
use super::{dispatch_action, fork, hint, threshold};
use crate::workbench::actions::Action;
use crate::workbench::availability::unavailable_reason;
use crate::workbench::job::Job;
use crate::workbench::menu::{Menu, MenuChoice, MenuItem, MenuKind};
use crate::workbench::message::{Effect, LoadedRouting};
use crate::workbench::state::{Notice, Overlay, State};
use crate::workbench::threshold_estimates::ThresholdEstimatesState;

/// Rows of a page.
const PAGE_ROWS: isize = 10;

/// Opens the list of all actions of this mode.
pub(super) fn palette(state: &mut State) -> Vec<Effect> {
    let mode = state.mode();
    let item = |(row, keys): (&'static crate::workbench::ActionSpec, &[crate::workbench::Key])| {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let label = format!("{:<15} {}", row.name, row.help);
        MenuItem { label, note: keys.join(" "), choice: MenuChoice::Action(row.action) }
    };
    let valid = state.keys.rows().filter(|(row, _)| {
        row.scope.exists_in(mode)
            && row.action != Action::Palette
            && unavailable_reason(row.scope, state).is_none()
    });
    let items = valid.map(item).collect();
    state.overlay = Overlay::Menu(Menu::new("all that can be done", items));
    Vec::new()
}

/// Asks for a list.
pub(super) fn load(state: &mut State, list: MenuKind) -> Vec<Effect> {
    let pair = match list {
        MenuKind::Calibrations => match state.pair() {
            Some(pair) => Some(Box::new((state.preset.clone(), pair))),
            None => return hint(state, super::training_page::NO_PAIR),
        },
        _ => None,
    };
    state.overlay = Overlay::Menu(Menu::loading_menu());
    vec![Effect::RunJob(Job::LoadMenu(list, pair))]
}

/// A list has come.
pub(super) fn on_menu_loaded(state: &mut State, menu: Result<Menu, String>) -> Vec<Effect> {
    // One that was left is not wanted any more.
    let Overlay::Menu(shown) = &mut state.overlay else { return Vec::new() };
    if !std::mem::take(&mut shown.loading) {
        return Vec::new();
    }
    match menu {
        Ok(menu) => {
            let filter = std::mem::take(&mut shown.filter);
            *shown = Menu { filter, ..menu };
        }
        Err(why) => {
            state.overlay = Overlay::None;
            state.notice = Some(Notice::Error(why));
        }
    }
    Vec::new()
}

/// A key while a list is open.
pub(super) fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Overlay::Menu(menu) = &mut state.overlay else { return Vec::new() };
    match event.code {
        KeyCode::Esc => state.overlay = Overlay::None,
        KeyCode::Up => menu.move_selection(-1),
        KeyCode::Down => menu.move_selection(1),
        KeyCode::PageUp => menu.move_selection(-PAGE_ROWS),
        KeyCode::PageDown => menu.move_selection(PAGE_ROWS),
        KeyCode::Backspace => {
            menu.filter.pop();
            menu.selected = 0;
        }
        // As in a shell.
        KeyCode::Char('u') if event.modifiers.contains(KeyModifiers::CONTROL) => {
            menu.filter.clear();
            menu.selected = 0;
        }
        KeyCode::Char(c) => {
            menu.filter.push(c);
            menu.selected = 0;
        }
        KeyCode::Enter => {
            if menu.loading {
                return hint(state, "the list is on its way");
            }
            let Some(choice) = menu.selected_row().cloned() else {
                return hint(state, "nothing is left to choose: delete a letter, or press Esc");
            };
            state.overlay = Overlay::None;
            return choose(state, choice);
        }
        _ => {}
    }
    Vec::new()
}

fn choose(state: &mut State, choice: MenuChoice) -> Vec<Effect> {
    match choice {
        MenuChoice::Action(action) => dispatch_action(state, action),
        MenuChoice::Theme(name) => vec![Effect::RunJob(Job::LoadTheme(name))],
        MenuChoice::Preset(name) => vec![Effect::RunJob(Job::LoadPreset(name))],
        MenuChoice::Threshold(to) => threshold::set_threshold(state, to),
        MenuChoice::Policy { name, step } => vec![Effect::RunJob(Job::LoadPolicy { name, step })],
    }
}

/// A preset was loaded, or the one in force stays.
pub(super) fn on_preset_loaded(
    state: &mut State,
    chosen: Result<Box<LoadedRouting>, String>,
) -> Vec<Effect> {
    let LoadedRouting { routing, scale } = match chosen {
        Ok(chosen) => *chosen,
        Err(why) => {
            state.notice = Some(Notice::Error(format!("{why}; the preset in force stays")));
            return Vec::new();
        }
    };
    let next = &routing.preset;
    let same = state.preset.small == next.small && state.preset.large == next.large;
    super::training_page::drop_candidate(state);
    state.threshold = next.routing.threshold;
    state.pending_threshold = None;
    state.training_scale = scale;
    state.threshold_estimates = ThresholdEstimatesState::NotRequested;
    state.preset = next.clone();
    let name = &next.name;
    state.notice = Some(Notice::Hint(if same {
        format!("preset {name} holds from the next question on")
    } else {
        format!("preset {name}: its models are being loaded")
    }));
    if same {
        return set_routing(routing);
    }
    // Another pair has not been asked anything yet.
    state.question = None;
    state.live_id = None;
    vec![Effect::RestartSession(Box::new(routing))]
}

/// A policy to fork with has come.
pub(super) fn on_policy_loaded(
    state: &mut State,
    step: usize,
    registry: Result<crate::routing::RouterRegistry, String>,
) -> Vec<Effect> {
    match registry {
        Ok(registry) => fork::send_fork(state, step, |order| {
            order.router = Some("policy".into());
            order.registry = Some(registry);
        }),
        Err(why) => {
            state.notice = Some(Notice::Error(why));
            Vec::new()
        }
    }
}
