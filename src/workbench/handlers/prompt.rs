//! Lines that are typed: a query, a tag, a note, a file, a budget.

use std::path::PathBuf;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::library;
use super::notices::{error, hint};
use crate::library::parse_number;
use crate::session::Command;
use crate::store::Tag;
use crate::workbench::job::{AnnotationChange, Job};
use crate::workbench::message::Effect;
use crate::workbench::overlay::{Overlay, Prompt, PromptKind};
use crate::workbench::state::State;

/// Opens the line to type a budget.
pub(in crate::workbench) fn open_budget(state: &mut State) -> Vec<Effect> {
    let limit = match state.open_episode() {
        Some(displayed) => displayed.episode.budget,
        None => state.preset().budget.limit,
    };
    let text = limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    state.open_prompt(PromptKind::Budget, &text);
    Vec::new()
}

/// A key while a line is typed.
pub(in crate::workbench) fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Overlay::Prompt(prompt) = &mut state.overlay else {
        return Vec::new();
    };
    let plain = event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if matches!(event.code, KeyCode::Char(_)) && plain {
        prompt.clear_if_fresh();
    }
    let Prompt { kind, area, replace_on_type } = prompt;
    *replace_on_type = false;
    match event.code {
        KeyCode::Esc => state.overlay = Overlay::None,
        KeyCode::Enter => {
            let (kind, text) = (kind.clone(), area.lines().concat().trim().to_owned());
            state.overlay = Overlay::None;
            return submit(state, kind, &text);
        }
        // As in a shell.
        KeyCode::Char('u') if event.modifiers.contains(KeyModifiers::CONTROL) => {
            area.delete_line_by_head();
        }
        _ => {
            area.input(event);
        }
    }
    Vec::new()
}

fn submit(state: &mut State, kind: PromptKind, text: &str) -> Vec<Effect> {
    let job = match kind {
        PromptKind::Search => return library::search(state, text),
        PromptKind::Tag(_) | PromptKind::Export(_) if text.is_empty() => return Vec::new(),
        PromptKind::Tag(ids) => {
            let (text, added) = match text.strip_prefix('-') {
                Some(text) => (text, false),
                None => (text.strip_prefix('+').unwrap_or(text), true),
            };
            match text.parse::<Tag>() {
                Ok(tag) => Job::Annotate { ids, change: AnnotationChange::Tag { tag, added } },
                Err(why) => return error(state, why.to_string()),
            }
        }
        PromptKind::Note(id) => {
            Job::Annotate { ids: vec![id], change: AnnotationChange::Note(text.to_owned()) }
        }
        PromptKind::Budget => return set_budget(state, text),
        PromptKind::Export(ids) => Job::Export { ids, path: PathBuf::from(text) },
    };
    vec![Effect::RunJob(job)]
}

/// Sets the budget of the running episode and the next ones.
fn set_budget(state: &mut State, text: &str) -> Vec<Effect> {
    let limit = parse_number(text).filter(|limit| *limit > 0.0);
    if limit.is_none() && !matches!(text, "" | "none") {
        state.open_prompt(PromptKind::Budget, text);
        return hint(state, "a budget is a number such as 200M, or `none`");
    }
    state.active.set_budget(limit);
    vec![Effect::SendCommand(Command::SetBudget(limit))]
}
