//! Lists to choose from, and what choosing does.

use std::sync::Arc;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::notices::{error, hint};
use super::training_page::{NO_PAIR, drop_candidate, set_routing};
use super::{fork, threshold};
use crate::routing::{RouterRegistry, router_name};
use crate::workbench::active_routing::{ActiveRouting, LoadedRouting};
use crate::workbench::job::Job;
use crate::workbench::menu::{Menu, MenuChoice, MenuKind};
use crate::workbench::message::Effect;
use crate::workbench::overlay::Overlay;
use crate::workbench::state::{SessionStatus, State};
use crate::workbench::threshold_estimates::ThresholdEstimatesState;

/// Rows of a page.
const PAGE_ROWS: isize = 10;

/// Opens the list of themes.
pub(in crate::workbench) fn themes(state: &mut State) -> Vec<Effect> {
    load(state, MenuKind::Themes)
}

/// Opens the list of presets.
pub(in crate::workbench) fn presets(state: &mut State) -> Vec<Effect> {
    load(state, MenuKind::Presets)
}

/// Opens the list of calibrated thresholds.
pub(in crate::workbench) fn calibrations(state: &mut State) -> Vec<Effect> {
    load(state, MenuKind::Calibrations)
}

/// Opens a list whose items a job loads.
pub(super) fn load(state: &mut State, kind: MenuKind) -> Vec<Effect> {
    let pair = match kind {
        MenuKind::Calibrations => match state.pair() {
            Some(pair) => Some(Box::new(pair)),
            None => return hint(state, NO_PAIR),
        },
        _ => None,
    };
    state.overlay = Overlay::Menu(Menu::loading());
    let routing = Arc::clone(state.active.config());
    vec![Effect::RunJob(Job::LoadMenu { kind, routing, pair })]
}

/// The items of a list have been loaded. Returns the keys that were typed meanwhile, to apply now.
pub(in crate::workbench) fn on_menu_loaded(
    state: &mut State,
    loaded: Result<Menu, String>,
) -> Vec<KeyEvent> {
    // The user may have closed the list.
    let Overlay::Menu(menu) = &mut state.overlay else { return Vec::new() };
    if !menu.is_loading() {
        return Vec::new();
    }
    match loaded {
        Ok(loaded) => menu.fill(loaded),
        Err(why) => {
            state.overlay = Overlay::None;
            error(state, why);
            Vec::new()
        }
    }
}

/// A key while a list is open; the choice, once one is made.
pub(in crate::workbench) fn on_key(state: &mut State, event: KeyEvent) -> Option<MenuChoice> {
    let Overlay::Menu(menu) = &mut state.overlay else { return None };
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.code == KeyCode::Esc {
        state.overlay = Overlay::None;
        return None;
    }
    let edits_filter = matches!(event.code, KeyCode::Backspace | KeyCode::Char(_));
    if menu.defer_key(event, edits_filter) {
        hint(state, "the list is loading: your keys count as soon as it is there");
        return None;
    }
    match event.code {
        KeyCode::Up => menu.move_selection(-1),
        KeyCode::Down => menu.move_selection(1),
        KeyCode::PageUp => menu.move_selection(-PAGE_ROWS),
        KeyCode::PageDown => menu.move_selection(PAGE_ROWS),
        KeyCode::Backspace => menu.edit_filter(|filter| {
            filter.pop();
        }),
        // As in a shell.
        KeyCode::Char('u') if control => menu.edit_filter(String::clear),
        KeyCode::Char(c) => menu.edit_filter(|filter| filter.push(c)),
        KeyCode::Enter => {
            let Some(choice) = menu.selected_choice().cloned() else {
                hint(state, "no item matches: delete a letter, or press Esc");
                return None;
            };
            state.overlay = Overlay::None;
            return Some(choice);
        }
        _ => {}
    }
    None
}

/// Does what the chosen item says; an action is for the caller.
pub(in crate::workbench) fn choose(state: &mut State, choice: MenuChoice) -> Vec<Effect> {
    match choice {
        MenuChoice::Action(_) => Vec::new(),
        MenuChoice::Theme(name) => vec![Effect::RunJob(Job::LoadTheme(name))],
        MenuChoice::Preset(name) => vec![Effect::RunJob(Job::LoadPreset(name))],
        MenuChoice::Threshold(to) => threshold::set_threshold(state, to),
        MenuChoice::Policy { name, step } => {
            let routing = Arc::clone(state.active.config());
            vec![Effect::RunJob(Job::LoadPolicy { routing, name, step })]
        }
    }
}

/// A preset has been loaded, or could not be.
pub(in crate::workbench) fn on_preset_loaded(
    state: &mut State,
    loaded: Result<Box<LoadedRouting>, String>,
) -> Vec<Effect> {
    let loaded = match loaded {
        Ok(loaded) => *loaded,
        Err(why) => return error(state, format!("{why}; the current preset stays")),
    };
    let (now, next) = (state.preset(), &loaded.routing.preset);
    let same_models = now.small == next.small && now.large == next.large;
    let name = &next.name;
    let text = if same_models {
        format!("preset {name} is used from the next question on")
    } else {
        format!("preset {name}: its models are being loaded")
    };
    drop_candidate(state);
    state.active = ActiveRouting::new(loaded);
    state.threshold_estimates = ThresholdEstimatesState::NotRequested;
    hint(state, text);
    if same_models {
        return set_routing(state);
    }
    // The question belongs to the former models.
    state.question = None;
    state.live_id = None;
    // Until the new session reports, the former one's status would be shown, and accept commands.
    state.session_status = SessionStatus::Loading("starting".into());
    vec![Effect::RestartSession(Arc::clone(state.active.config()))]
}

/// The policy of a fork has been loaded.
pub(in crate::workbench) fn on_policy_loaded(
    state: &mut State,
    step: usize,
    registry: Result<RouterRegistry, String>,
) -> Vec<Effect> {
    match registry {
        Ok(registry) => fork::send_fork(state, step, |request| {
            request.router = Some(router_name::POLICY.into());
            request.registry = Some(registry);
        }),
        Err(why) => error(state, why),
    }
}
