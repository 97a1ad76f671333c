//! Messages to changes and effects. Pure: no I/O, no clock.
//!
//! | file | what it changes |
//! |---|---|
//! | `compare`, `fork` | what is to be different in a fork, and the comparison of two episodes; a fork's start |
//! | `menu`, `prompt` | lists to choose from; lines that are typed |
//! | `training_page` | retraining and calibration |
//! | `library` | the list of stored episodes, and what comes from it to the screen |
//! | `explanation` | when reasons are asked for |
//! | `replay` | a recording in place of a session |
//! | `threshold` | the threshold |

mod compare;
mod explanation;
mod fork;
mod library;
mod menu;
mod prompt;
pub(super) mod replay;
mod threshold;
mod training_page;

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui_textarea::{TextArea, WrapMode};

use super::actions::{Action, ActionScope, Mode};
use super::availability::unavailable_reason;
use super::displayed_episode::DisplayedEpisode;
use super::job::Job;
use super::key::Key;
use super::menu::MenuKind;
use super::message::{Effect, Message, Scroll};
use super::state::{Notice, Overlay, Page, PromptKind, SessionStatus, State};
use super::transcript::transcript;
use crate::episode::{EpisodeStatus, Event, EventKind, OverrideScope, Role};
use crate::session::{Command, SessionUpdate};
use crate::tasks::Question;

/// Lines that a page key scrolls the help by.
const HELP_PAGE: usize = 10;

/// Changes the state by a message and says what is to be done.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = handle(state, message);
    effects.extend(explanation::request(state));
    effects
}

fn handle(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Clock(now_ms) => {
            if state.replay.is_some() {
                replay::advance_clock(state, now_ms);
            } else if !state.reduced_motion {
                state.now_ms = now_ms;
            }
            Vec::new()
        }
        Message::QuestionDrawn(question) => ask_new_question(state, question),
        Message::Resized(width, height) => {
            state.size = Some((width, height));
            Vec::new()
        }
        Message::Gpu(memory) => {
            state.gpu = Some(memory);
            Vec::new()
        }
        Message::Explained(boundary, contributions) => {
            explanation::on_explained(state, boundary, contributions);
            Vec::new()
        }
        Message::ThresholdEstimates(estimates) => {
            threshold::on_estimates(state, estimates);
            Vec::new()
        }
        Message::EpisodesListed { request_id, from_start, page } => {
            library::on_episodes_listed(state, request_id, from_start, page)
        }
        Message::EpisodeRead(purpose, outcome) => library::on_episode_read(state, purpose, outcome),
        Message::ChangeSaved(outcome) => library::on_change_saved(state, outcome),
        Message::MenuLoaded(menu) => menu::on_menu_loaded(state, menu),
        Message::ThemeLoaded(Ok(theme)) => vec![Effect::SetTheme(theme)],
        Message::ThemeLoaded(Err(why)) => {
            state.notice = Some(Notice::Error(format!("{why}; the theme stays")));
            Vec::new()
        }
        Message::PresetLoaded(chosen) => menu::on_preset_loaded(state, chosen),
        Message::PolicyLoaded(step, registry) => menu::on_policy_loaded(state, step, registry),
        Message::Training(update) => training_page::on_update(state, update),
        Message::Promoted(outcome) => training_page::on_promoted(state, outcome),
        Message::UserScored(Ok(score)) => {
            if let Overlay::Score(shown) = &mut state.overlay {
                *shown = Some(score);
            }
            Vec::new()
        }
        Message::UserScored(Err(why)) => {
            state.overlay = Overlay::None;
            state.notice = Some(Notice::Error(why));
            Vec::new()
        }
        Message::Copied(outcome) => {
            state.notice = Some(match outcome {
                // It gives no answer.
                Ok(()) => Notice::Hint("the trace was sent to the terminal to be copied".into()),
                Err(why) => Notice::Error(why),
            });
            Vec::new()
        }
        Message::SessionGone => {
            if !matches!(state.session_status, SessionStatus::Failed(_) | SessionStatus::None) {
                state.session_status =
                    SessionStatus::Failed("it ended without a word; the log may say why".into());
            }
            Vec::new()
        }
        Message::Session(update) => on_session_update(state, update),
        Message::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => on_key(state, key),
        Message::Input(Input::Paste(text)) => on_paste(state, &text),
        Message::Input(_) => Vec::new(),
    }
}

fn on_session_update(state: &mut State, update: SessionUpdate) -> Vec<Effect> {
    match update {
        SessionUpdate::Loading(what) => state.session_status = SessionStatus::Loading(what),
        SessionUpdate::Ready => {
            state.session_status = SessionStatus::Ready;
            if state.question.is_some() {
                return ask_question(state, false);
            }
        }
        SessionUpdate::Event { id, event } => on_event(state, id, &event),
        SessionUpdate::Opinion { step, opinion } => {
            if let Some(displayed) = live_episode(state) {
                displayed.opinion = Some((step, opinion));
            }
        }
        // The event that follows has the whole step.
        SessionUpdate::Token { .. } if state.reduced_motion => {}
        SessionUpdate::Token { model, token } => {
            if let Some(displayed) = live_episode(state) {
                displayed.push_token(model, &token);
            }
        }
        SessionUpdate::Notice(text) => state.notice = Some(Notice::Hint(text)),
        SessionUpdate::Refused(reason) => {
            state.starting = false;
            state.pending_threshold = None;
            state.notice = Some(Notice::Error(reason));
        }
        SessionUpdate::SinkFailed(reason) => {
            state.starting = false;
            state.pending_threshold = None;
            if let Some(displayed) = live_episode(state) {
                displayed.in_flight = None;
                displayed.opinion = None;
                // No event says so: there is no room for one.
                displayed.episode.status = EpisodeStatus::Failed(reason.clone());
            }
            state.notice = Some(Notice::Error(reason));
        }
        SessionUpdate::SessionFailed(reason) => {
            state.starting = false;
            state.session_status = SessionStatus::Failed(reason);
        }
    }
    Vec::new()
}

/// The episode that the session is at, on the screen or aside.
fn live_episode(state: &mut State) -> Option<&mut DisplayedEpisode> {
    let live = state.live_id;
    let shown = state.displayed.as_mut().filter(|_| state.replay.is_none());
    state.background.as_mut().or(shown).filter(|displayed| Some(displayed.id) == live)
}

fn on_event(state: &mut State, id: u64, event: &Event) {
    if state.replay.is_none() {
        state.now_ms = state.now_ms.max(event.at_ms);
    }
    let folded = match live_episode(state).filter(|displayed| displayed.id == id) {
        Some(displayed) => displayed.apply(event),
        None => DisplayedEpisode::start(id, event).map(|displayed| {
            // A fork's own threshold is for the fork only.
            if displayed.episode.started.parent.is_none() {
                state.threshold = displayed.episode.threshold;
            }
            state.live_id = Some(id);
            state.starting = false;
            state.pending_threshold = None;
            if state.replay.is_some() {
                state.background = Some(displayed);
            } else {
                state.background = None;
                compare::display_new_episode(state, displayed);
                state.selected = None;
            }
        }),
    };
    if let Err(error) = folded {
        state.notice = Some(Notice::Error(format!("episode {id} cannot be shown: {error}")));
    }
    if let EventKind::ThresholdMoved { to, .. } = event.kind {
        let forked =
            live_episode(state).is_some_and(|displayed| displayed.episode.started.parent.is_some());
        if !forked {
            state.threshold = to;
        }
        if state.pending_threshold == Some(to) {
            state.pending_threshold = None;
        }
    }
}

/// Asks another question than that of the episode on the screen.
fn ask_new_question(state: &mut State, question: Question) -> Vec<Effect> {
    // A stored episode would be taken for what is asked.
    let stored = state.displayed.as_ref().is_some_and(|displayed| !state.is_live(displayed));
    if stored && state.page == Page::Episode {
        library::move_to_background(state);
    }
    state.question = Some(question);
    ask_question(state, false)
}

/// Asks the question of the state.
fn ask_question(state: &mut State, paused: bool) -> Vec<Effect> {
    // What is on the screen is asked, also where it comes from the store.
    let stored = state.displayed.as_ref().filter(|displayed| !state.is_live(displayed));
    if let Some(displayed) = stored {
        state.question = Some(Question::of_started(&displayed.episode.started));
    }
    let Some(question) = state.question.clone() else {
        return vec![Effect::RunJob(Job::DrawQuestion)];
    };
    state.starting = true;
    let ask = Command::Ask { question, router: None, seed: state.seed, paused };
    vec![Effect::SendCommand(ask), Effect::Scroll(Scroll::Follow)]
}

fn on_paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.notice = None;
    if let Overlay::Prompt(prompt) = &mut state.overlay {
        prompt.clear_if_fresh();
        prompt.area.insert_str(text.replace(['\r', '\n'], " "));
        return Vec::new();
    }
    let line = text.replace(['\r', '\n'], " ");
    let on_a_page = state.page != Page::Episode;
    match &mut state.overlay {
        Overlay::Menu(menu) => {
            menu.filter.push_str(line.trim());
            menu.selected = 0;
            return Vec::new();
        }
        Overlay::Threshold(typed) => {
            line.trim().chars().for_each(|c| threshold::push_char(typed, c));
            return Vec::new();
        }
        _ if on_a_page => {
            return hint(state, "there is no line open to paste into");
        }
        _ => {}
    }
    if !matches!(state.overlay, Overlay::Editor(_)) {
        if let Some(reason) = unavailable_reason(ActionScope::SessionReady, state) {
            return hint(state, reason);
        }
        state.overlay = editor();
    }
    if let Overlay::Editor(area) = &mut state.overlay {
        area.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
    }
    Vec::new()
}

fn editor() -> Overlay {
    let mut area = TextArea::default();
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    Overlay::Editor(Box::new(area))
}

fn hint(state: &mut State, text: impl Into<String>) -> Vec<Effect> {
    state.notice = Some(Notice::Hint(text.into()));
    Vec::new()
}

fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    state.notice = None;
    let key = Key::from_event(&event);
    let row = state.keys.action_for_key(key, state.mode());
    let action = row.map(|row| row.action);
    // These two must work wherever one is.
    match action.filter(|_| key.1.contains(KeyModifiers::CONTROL)) {
        Some(Action::Quit) => return vec![Effect::Quit],
        Some(Action::Suspend) => return vec![Effect::Suspend],
        _ => {}
    }
    if state.is_too_small() {
        // Nobody sees what another key would do.
        let quits = action == Some(Action::Quit);
        return if quits { vec![Effect::Quit] } else { Vec::new() };
    }
    match state.overlay {
        Overlay::Editor(_) => return on_editor_key(state, event),
        Overlay::Prompt(_) => return prompt::on_key(state, event),
        Overlay::Menu(_) => return menu::on_key(state, event),
        Overlay::Score(_) => {
            state.overlay = Overlay::None;
            return Vec::new();
        }
        Overlay::Threshold(_) => return threshold::on_key(state, event.code),
        Overlay::Fork(step) => return compare::on_fork_key(state, step, event.code),
        Overlay::Compare(_) => {
            if compare::on_key(state, action) {
                return Vec::new();
            }
        }
        Overlay::Help(top) => {
            let to = match action {
                Some(Action::Previous) => Some(top.saturating_sub(1)),
                Some(Action::Next) => Some(top + 1),
                Some(Action::PageUp) => Some(top.saturating_sub(HELP_PAGE)),
                Some(Action::PageDown) => Some(top + HELP_PAGE),
                _ => None,
            };
            if let Some(to) = to {
                state.overlay = Overlay::Help(to);
                return Vec::new();
            }
            state.overlay = Overlay::None;
            // A key that closes the help does nothing else, unless it is one of the others.
            let closes = matches!(action, Some(Action::Help | Action::Quit | Action::Back));
            if closes || event.code == KeyCode::Esc {
                return Vec::new();
            }
        }
        Overlay::None => {}
    }
    let Some(row) = row else {
        let ways = state.keys.key_hints(&[(Action::Help, "for the keys")]);
        return hint(state, format!("{key} does nothing here{ways}"));
    };
    match unavailable_reason(row.scope, state) {
        Some(reason) => hint(state, reason),
        None => dispatch_action(state, row.action),
    }
}

fn on_editor_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Overlay::Editor(area) = &mut state.overlay else {
        return Vec::new();
    };
    match event.code {
        KeyCode::Esc => state.overlay = Overlay::None,
        KeyCode::Enter if event.modifiers.is_empty() => {
            let text = area.lines().join("\n").trim().to_owned();
            if text.is_empty() {
                return hint(state, "type a question first, or press Esc");
            }
            state.overlay = Overlay::None;
            return ask_new_question(state, Question::from_user(text));
        }
        KeyCode::Enter => area.insert_newline(),
        _ => {
            area.input(event);
        }
    }
    Vec::new()
}

fn dispatch_action(state: &mut State, action: Action) -> Vec<Effect> {
    if state.mode() == Mode::Library
        && let Some(effects) = library::on_action(state, action)
    {
        return effects;
    }
    if state.mode() == Mode::Training
        && let Some(effects) = training_page::on_action(state, action)
    {
        return effects;
    }
    let paused =
        state.open_episode().map(|displayed| displayed.episode.status == EpisodeStatus::Paused);
    let send = |command| vec![Effect::SendCommand(command)];
    let take = |model, scope| send(Command::SetOverride { model, scope });
    match action {
        Action::Run => match paused {
            _ if state.starting => hint(state, "the question has just been asked"),
            Some(true) => send(Command::Resume),
            Some(false) => {
                let ways = [
                    (Action::Stop, "to stop it"),
                    (Action::DrawQuestion, "to draw a new question"),
                ];
                let ways = state.keys.key_hints(&ways);
                hint(state, format!("it is running{ways}"))
            }
            None => ask_question(state, false),
        },
        Action::Pause => send(if paused == Some(true) { Command::Resume } else { Command::Pause }),
        Action::Step => match paused {
            _ if state.starting => hint(state, "the question has just been asked"),
            Some(_) => send(Command::Step),
            None => ask_question(state, true),
        },
        Action::Bookmark => {
            let step = state.step_in_view().map_or(0, |step| step + 1);
            state.notice = Some(Notice::Hint(format!("step {step} is marked, a replay finds it")));
            send(Command::Bookmark(String::new()))
        }
        Action::Stop => send(Command::Stop),
        Action::DrawQuestion => vec![Effect::RunJob(Job::DrawQuestion)],
        Action::TypeQuestion => {
            state.overlay = editor();
            Vec::new()
        }
        Action::SmallNext => take(Role::Small, OverrideScope::NextStep),
        Action::LargeNext => take(Role::Large, OverrideScope::NextStep),
        Action::SmallFromHere => take(Role::Small, OverrideScope::FromHereOn),
        Action::LargeFromHere => take(Role::Large, OverrideScope::FromHereOn),
        Action::ClearOverride => match state.open_episode() {
            Some(displayed) if displayed.episode.active_override.is_none() => {
                hint(state, "the router has the points")
            }
            _ => send(Command::ClearOverride),
        },
        Action::Redo => send(Command::Redo),
        Action::Fork => compare::open_fork_dialog(state),
        Action::Compare => compare::open(state, false),
        Action::Differences => compare::open(state, true),
        Action::ThresholdUp => threshold::move_by_key(state, true, false),
        Action::ThresholdDown => threshold::move_by_key(state, false, false),
        Action::ThresholdUpFine => threshold::move_by_key(state, true, true),
        Action::ThresholdDownFine => threshold::move_by_key(state, false, true),
        Action::Threshold => threshold::open_prompt(state),
        Action::Previous => select(state, false),
        Action::Next => select(state, true),
        Action::PageUp => vec![Effect::Scroll(Scroll::PageUp)],
        Action::PageDown => vec![Effect::Scroll(Scroll::PageDown)],
        Action::Follow => {
            state.selected = None;
            vec![Effect::Scroll(Scroll::Follow)]
        }
        Action::OpenLibrary => library::open(state),
        // Their pages have taken them.
        Action::Library(_) | Action::Training(_) => Vec::new(),
        Action::Budget => {
            let limit = state
                .open_episode()
                .map_or(state.preset.budget.limit, |displayed| displayed.episode.budget);
            let text = limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
            state.open_prompt(PromptKind::Budget, &text)
        }
        Action::Calibrations => menu::load(state, MenuKind::Calibrations),
        Action::Presets => menu::load(state, MenuKind::Presets),
        Action::Themes => menu::load(state, MenuKind::Themes),
        Action::Palette => menu::palette(state),
        Action::OpenTraining => {
            state.page = Page::Training;
            Vec::new()
        }
        Action::UserScore => {
            state.overlay = Overlay::Score(None);
            vec![Effect::RunJob(Job::ScoreUser)]
        }
        Action::Back => library::back(state),
        Action::Replay(action) => replay::run_action(state, action),
        Action::ToggleWhy => {
            state.why_expanded = !state.why_expanded;
            Vec::new()
        }
        Action::CopyTrace => {
            state.displayed.iter().map(|displayed| Effect::Copy(transcript(displayed))).collect()
        }
        Action::Help => {
            state.overlay = Overlay::Help(0);
            Vec::new()
        }
        Action::Suspend => vec![Effect::Suspend],
        // A replay that came from the library is left like a page.
        Action::Quit if state.replay.is_some() && state.can_go_back() => library::back(state),
        Action::Quit => vec![Effect::Quit],
    }
}

/// Selects the step before or after; past the last one, the current step again.
fn select(state: &mut State, later: bool) -> Vec<Effect> {
    let (Some(step), Some(last)) =
        (state.step_in_view(), state.displayed.as_ref().and_then(DisplayedEpisode::last_step))
    else {
        return hint(state, "there are no steps yet");
    };
    let to = if later { step + 1 } else { step.saturating_sub(1) };
    if to >= last {
        state.selected = None;
        return vec![Effect::Scroll(Scroll::Follow)];
    }
    state.selected = Some(to);
    Vec::new()
}
