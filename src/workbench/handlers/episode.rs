//! The running episode: questions, pauses, overrides.

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui_textarea::{TextArea, WrapMode};

use super::display;
use super::notices::hint;
use crate::episode::{EpisodeStatus, OverrideScope, Role};
use crate::session::Command;
use crate::tasks::Question;
use crate::workbench::action::Action;
use crate::workbench::job::Job;
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::overlay::Overlay;
use crate::workbench::state::State;

const JUST_ASKED: &str = "the question has just been asked";

fn send(command: Command) -> Vec<Effect> {
    vec![Effect::SendCommand(command)]
}

/// Whether the open episode is paused; `None` if no episode is open.
fn is_paused(state: &State) -> Option<bool> {
    state.open_episode().map(|displayed| *displayed.status() == EpisodeStatus::Paused)
}

/// Resumes the episode, or asks its question again.
pub(in crate::workbench) fn run(state: &mut State) -> Vec<Effect> {
    match is_paused(state) {
        _ if state.starting => hint(state, JUST_ASKED),
        Some(true) => send(Command::Resume),
        Some(false) => {
            let actions =
                [(Action::Stop, "to stop it"), (Action::DrawQuestion, "to draw a new question")];
            let keys = state.keys.key_hints(&actions);
            hint(state, format!("the episode is running{keys}"))
        }
        None => ask_question(state, false),
    }
}

/// Pauses or resumes.
pub(in crate::workbench) fn pause(state: &mut State) -> Vec<Effect> {
    send(if is_paused(state) == Some(true) { Command::Resume } else { Command::Pause })
}

/// Writes one step, then pauses.
pub(in crate::workbench) fn step(state: &mut State) -> Vec<Effect> {
    match is_paused(state) {
        _ if state.starting => hint(state, JUST_ASKED),
        Some(_) => send(Command::Step),
        None => ask_question(state, true),
    }
}

/// Stops the episode.
pub(in crate::workbench) fn stop(_: &mut State) -> Vec<Effect> {
    send(Command::Stop)
}

/// Marks the step in view.
pub(in crate::workbench) fn bookmark(state: &mut State) -> Vec<Effect> {
    let step = state.step_in_view().map_or(0, |step| step + 1);
    hint(state, format!("step {step} has a bookmark, which a replay can jump to"));
    send(Command::Bookmark(String::new()))
}

/// Draws a question.
pub(in crate::workbench) fn draw_question(_: &mut State) -> Vec<Effect> {
    vec![Effect::RunJob(Job::DrawQuestion)]
}

/// Opens the editor for a question.
pub(in crate::workbench) fn type_question(state: &mut State) -> Vec<Effect> {
    let mut area = TextArea::default();
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    state.overlay = Overlay::Editor(Box::new(area));
    Vec::new()
}

/// The small model writes the next step.
pub(in crate::workbench) fn small_next(_: &mut State) -> Vec<Effect> {
    set_override(Role::Small, OverrideScope::NextStep)
}

/// The large model writes the next step.
pub(in crate::workbench) fn large_next(_: &mut State) -> Vec<Effect> {
    set_override(Role::Large, OverrideScope::NextStep)
}

/// The small model writes every step from here on.
pub(in crate::workbench) fn small_from_here(_: &mut State) -> Vec<Effect> {
    set_override(Role::Small, OverrideScope::FromHereOn)
}

/// The large model writes every step from here on.
pub(in crate::workbench) fn large_from_here(_: &mut State) -> Vec<Effect> {
    set_override(Role::Large, OverrideScope::FromHereOn)
}

fn set_override(model: Role, scope: OverrideScope) -> Vec<Effect> {
    send(Command::SetOverride { model, scope })
}

/// The router chooses again.
pub(in crate::workbench) fn clear_override(state: &mut State) -> Vec<Effect> {
    match state.open_episode() {
        Some(displayed) if displayed.episode.active_override.is_none() => {
            hint(state, "the router chooses already")
        }
        _ => send(Command::ClearOverride),
    }
}

/// The other model writes the last step anew.
pub(in crate::workbench) fn redo(_: &mut State) -> Vec<Effect> {
    send(Command::Redo)
}

/// Asks a question other than that of the displayed episode.
pub(in crate::workbench) fn ask_new_question(state: &mut State, question: Question) -> Vec<Effect> {
    // A stored episode on the screen would have its own question asked.
    if state.stored_episode().is_some() && state.open_page.is_none() {
        display::move_to_background(state);
    }
    state.question = Some(question);
    ask_question(state, false)
}

/// Asks the question of the displayed episode, also of a stored one.
pub(in crate::workbench) fn ask_question(state: &mut State, paused: bool) -> Vec<Effect> {
    if let Some(displayed) = state.stored_episode() {
        state.question = Some(Question::of_started(&displayed.episode.started));
    }
    let Some(question) = state.question.clone() else {
        return vec![Effect::RunJob(Job::DrawQuestion)];
    };
    state.starting = true;
    let ask = Command::Ask { question, router: None, seed: state.seed, paused };
    vec![Effect::SendCommand(ask), Effect::Scroll(Scroll::Follow)]
}

/// A key while a question is typed.
pub(in crate::workbench) fn on_editor_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
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
