//! The library: what is listed, what is done to episodes, and how they come to the screen.

use std::sync::Arc;

use super::{hint, replay};
use crate::recording::{RecordedEpisode, ReplaySpeed};
use crate::workbench::actions::Action;
use crate::workbench::compare::Comparison;
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::job::{AnnotationChange, Job, ReadPurpose};
use crate::workbench::library::{EpisodePage, LibraryAction, LibraryQuery, PAGE_SIZE};
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::replay::Replay;
use crate::workbench::state::{Notice, Overlay, Page, PromptKind, State};

/// Rows of a page.
const PAGE_ROWS: isize = 15;

/// Orders in which episodes are sorted, one after the other.
const SORT_ORDERS: [&str; 5] =
    ["sort:-cost", "sort:cost", "sort:-steps", "sort:-share", "sort:date"];

/// Opens the library.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.page = Page::Library;
    // What happened since it was open last is looked for.
    refresh(state)
}

/// Looks for what a query asks.
pub(super) fn search(state: &mut State, query: &str) -> Vec<Effect> {
    state.library.query = LibraryQuery::Search(query.to_owned());
    restart_list(state)
}

/// Looks for something else, from its first row.
fn restart_list(state: &mut State) -> Vec<Effect> {
    state.library.rows.clear();
    // What is not listed any more shall not be deleted with what is.
    state.library.marked.clear();
    state.library.selected = 0;
    refresh(state)
}

/// Looks for the list's first stretch.
fn refresh(state: &mut State) -> Vec<Effect> {
    state.library.request_id += 1;
    state.library.problem = None;
    request_page(state, true)
}

fn request_page(state: &mut State, from_start: bool) -> Vec<Effect> {
    let library = &mut state.library;
    library.loading = true;
    let after = library.next.filter(|_| !from_start);
    let (request_id, query) = (library.request_id, library.query.clone());
    // One who is far down stays there.
    let rows = if from_start { library.rows.len().max(PAGE_SIZE) } else { PAGE_SIZE };
    vec![Effect::RunJob(Job::ListEpisodes { request_id, query, after, rows })]
}

/// What was listed has come.
pub(super) fn on_episodes_listed(
    state: &mut State,
    request_id: u64,
    from_start: bool,
    page: Result<EpisodePage, String>,
) -> Vec<Effect> {
    let library = &mut state.library;
    if request_id != library.request_id {
        return Vec::new();
    }
    library.loading = false;
    match page {
        Ok(stretch) => library.add_page(stretch, from_start),
        Err(why) => {
            library.problem = Some(why);
            library.rows.clear();
            library.next = None;
        }
    }
    Vec::new()
}

/// Whether the library took the action.
pub(super) fn on_action(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    let by = match action {
        Action::Previous => -1,
        Action::Next => 1,
        Action::PageUp => -PAGE_ROWS,
        Action::PageDown => PAGE_ROWS,
        Action::Follow => isize::MAX,
        Action::Quit => return Some(back(state)),
        Action::Library(action) => return Some(run_action(state, action)),
        _ => return None,
    };
    state.library.move_selection(by);
    Some(if state.library.wants_more() { request_page(state, false) } else { Vec::new() })
}

/// To what was on the screen before.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if !state.can_go_back() {
        state.selected = None;
        return vec![Effect::Scroll(Scroll::Follow)];
    }
    if state.page == Page::Library
        && let LibraryQuery::Forks { previous_query, .. } = &mut state.library.query
    {
        state.library.query = LibraryQuery::Search(std::mem::take(previous_query));
        return restart_list(state);
    }
    if state.page != Page::Episode {
        state.page = Page::Episode;
        return Vec::new();
    }
    state.replay = None;
    state.displayed = state.background.take();
    state.selected = None;
    // It was opened from there.
    state.page = Page::Library;
    vec![Effect::Scroll(Scroll::Follow)]
}

/// Makes room on the screen: the session's episode steps aside, a stored one goes.
pub(super) fn move_to_background(state: &mut State) {
    if state.displayed.as_ref().is_some_and(|displayed| state.is_live(displayed)) {
        state.background = state.displayed.take();
    }
    state.displayed = None;
    state.replay = None;
    state.page = Page::Episode;
    state.selected = None;
}

fn run_action(state: &mut State, action: LibraryAction) -> Vec<Effect> {
    match action {
        LibraryAction::Search => return state.open_prompt(PromptKind::Search, &query_text(state)),
        LibraryAction::Sort => {
            let words = query_text(state);
            let (order, others): (Vec<&str>, Vec<&str>) =
                words.split_whitespace().partition(|word| word.starts_with("sort:"));
            let at =
                order.first().and_then(|now| SORT_ORDERS.iter().position(|order| order == now));
            let next = at.map_or(SORT_ORDERS.first(), |at| SORT_ORDERS.get(at + 1));
            let words: Vec<&str> = others.into_iter().chain(next.copied()).collect();
            return search(state, &words.join(" "));
        }
        LibraryAction::UndoDelete => return vec![Effect::RunJob(Job::UndoDelete)],
        _ => {}
    }
    let Some(here) = state.library.selected_row() else {
        return hint(state, "there is no episode here");
    };
    let (id, annotations) = (here.entry.summary.id, here.entry.annotations.clone());
    let chosen = state.library.target_ids();
    let read = |purpose| vec![Effect::RunJob(Job::ReadEpisode { id, purpose })];
    match action {
        // The session's own episode needs not be read.
        LibraryAction::Open if state.live_id == Some(id) => {
            state.page = Page::Episode;
            let effects = if state.can_go_back() { back(state) } else { Vec::new() };
            state.page = Page::Episode;
            effects
        }
        LibraryAction::Open => read(ReadPurpose::Open),
        LibraryAction::Replay => read(ReadPurpose::Replay),
        LibraryAction::Compare => match &state.displayed {
            Some(displayed) if displayed.id != id => read(ReadPurpose::Compare),
            _ => hint(state, "open one episode first, then compare another one with it"),
        },
        LibraryAction::ShowForks => {
            let previous_query = query_text(state);
            state.library.query = LibraryQuery::Forks { of: id, previous_query };
            state.library.marked.clear();
            refresh(state)
        }
        LibraryAction::ToggleMark => {
            let library = &mut state.library;
            if !library.marked.remove(&id) {
                library.marked.insert(id);
            }
            library.move_selection(1);
            Vec::new()
        }
        LibraryAction::ToggleStar => {
            let change = AnnotationChange::Starred(!annotations.starred);
            vec![Effect::RunJob(Job::Annotate { ids: chosen, change })]
        }
        LibraryAction::Tag => state.open_prompt(PromptKind::Tag(chosen), ""),
        LibraryAction::Note => state.open_prompt(PromptKind::Note(id), &annotations.note),
        LibraryAction::Export => {
            let name = match chosen.as_slice() {
                [one] => format!("episode-{one}.jsonl"),
                _ => "episodes.jsonl".to_owned(),
            };
            state.open_prompt(PromptKind::Export(chosen), &name)
        }
        LibraryAction::Delete => {
            state.library.marked.clear();
            vec![Effect::RunJob(Job::MoveToTrash(chosen))]
        }
        LibraryAction::Search | LibraryAction::Sort | LibraryAction::UndoDelete => Vec::new(),
    }
}

/// The query in force, or before a family was listed.
fn query_text(state: &State) -> String {
    match &state.library.query {
        LibraryQuery::Search(query) => query.clone(),
        LibraryQuery::Forks { previous_query, .. } => previous_query.clone(),
    }
}

/// A change was kept, or not.
pub(super) fn on_change_saved(state: &mut State, outcome: Result<String, String>) -> Vec<Effect> {
    state.notice = Some(match outcome {
        Ok(text) => Notice::Hint(text),
        Err(why) => Notice::Error(why),
    });
    if state.page == Page::Library { refresh(state) } else { Vec::new() }
}

/// An episode was read.
pub(super) fn on_episode_read(
    state: &mut State,
    purpose: ReadPurpose,
    outcome: Result<Box<RecordedEpisode>, String>,
) -> Vec<Effect> {
    let recorded = match outcome {
        Ok(recorded) => *recorded,
        Err(why) => {
            state.notice = Some(Notice::Error(why));
            return Vec::new();
        }
    };
    match purpose {
        ReadPurpose::Compare => {
            state.page = Page::Episode;
            state.overlay =
                Overlay::Compare(Comparison::new(recorded.id, Arc::new(recorded.episode)));
            Vec::new()
        }
        ReadPurpose::Open => {
            move_to_background(state);
            state.displayed = Some(DisplayedEpisode::stored(recorded.id, recorded.episode));
            vec![Effect::Scroll(Scroll::Follow)]
        }
        ReadPurpose::Replay => {
            let source = format!("episode {}", recorded.id);
            match Replay::new(source, vec![recorded], ReplaySpeed::Times(1.0)) {
                Some(recording) => {
                    move_to_background(state);
                    state.replay = Some(Box::new(recording));
                    replay::sync_display(state);
                    vec![Effect::Scroll(Scroll::Follow)]
                }
                None => Vec::new(),
            }
        }
    }
}
