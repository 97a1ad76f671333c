//! The library page: what is listed, what is done to episodes, and how they are opened.

use std::sync::Arc;

use super::notices::{error, hint};
use super::{display, replay};
use crate::recording::{RecordedEpisode, ReplaySpeed};
use crate::workbench::action::PageId;
use crate::workbench::compare::Comparison;
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::job::{AnnotationChange, Job, ReadPurpose};
use crate::workbench::library::{EpisodePage, LibraryQuery, ListedEpisode, PAGE_SIZE};
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::overlay::{Overlay, PromptKind};
use crate::workbench::replay::Replay;
use crate::workbench::state::State;

/// The orders of the list, one after the other; the default is the newest first.
const SORT_ORDERS: [&str; 5] =
    ["sort:-cost", "sort:cost", "sort:-steps", "sort:-share", "sort:date"];

/// Opens the library, with what was stored since.
pub(in crate::workbench) fn open(state: &mut State) -> Vec<Effect> {
    state.open_page = Some(PageId::Library);
    refresh(state)
}

/// Lists the matches of a query.
pub(super) fn search(state: &mut State, query: &str) -> Vec<Effect> {
    state.library.query = LibraryQuery::Search(query.to_owned());
    restart_list(state)
}

/// Lists other episodes, from the first row.
fn restart_list(state: &mut State) -> Vec<Effect> {
    state.library.rows.clear();
    // Marked episodes that are not listed must not be deleted.
    state.library.marked.clear();
    state.library.selected = 0;
    refresh(state)
}

/// Lists the same episodes again.
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
    // All rows so far, so that the selection keeps its place.
    let rows = if from_start { library.rows.len().max(PAGE_SIZE) } else { PAGE_SIZE };
    vec![Effect::RunJob(Job::ListEpisodes { request_id, query, after, rows })]
}

/// A page of the list has been read.
pub(in crate::workbench) fn on_episodes_listed(
    state: &mut State,
    request_id: u64,
    from_start: bool,
    page: Result<EpisodePage, String>,
) {
    let library = &mut state.library;
    if request_id != library.request_id {
        return;
    }
    library.loading = false;
    match page {
        Ok(page) => library.add_page(page, from_start),
        Err(why) => {
            library.problem = Some(why);
            library.rows.clear();
            library.next = None;
        }
    }
}

/// Moves the selection, and fetches more rows if it comes near the last one.
pub(in crate::workbench) fn move_selection(state: &mut State, by: isize) -> Vec<Effect> {
    state.library.move_selection(by);
    if state.library.wants_more() { request_page(state, false) } else { Vec::new() }
}

/// Returns from a list of forks to the query before it; `None` if no forks are listed.
pub(super) fn leave_forks(state: &mut State) -> Option<Vec<Effect>> {
    let LibraryQuery::Forks { previous_query, .. } = &mut state.library.query else {
        return None;
    };
    state.library.query = LibraryQuery::Search(std::mem::take(previous_query));
    Some(restart_list(state))
}

/// Opens the line to type a query.
pub(in crate::workbench) fn open_search(state: &mut State) -> Vec<Effect> {
    let query = state.library.query_text().to_owned();
    state.open_prompt(PromptKind::Search, &query);
    Vec::new()
}

/// Sorts by the next order.
pub(in crate::workbench) fn sort(state: &mut State) -> Vec<Effect> {
    let (order, others): (Vec<&str>, Vec<&str>) =
        state.library.query_text().split_whitespace().partition(|word| word.starts_with("sort:"));
    let current = order.first().and_then(|now| SORT_ORDERS.iter().position(|order| order == now));
    let next = current.map_or(SORT_ORDERS.first(), |at| SORT_ORDERS.get(at + 1));
    let words: Vec<&str> = others.into_iter().chain(next.copied()).collect();
    let query = words.join(" ");
    search(state, &query)
}

/// Runs `run` for the selected episode; a hint if no episode is selected.
fn with_selected(
    state: &mut State,
    run: impl FnOnce(&mut State, u64) -> Vec<Effect>,
) -> Vec<Effect> {
    let id = |row: &ListedEpisode| row.entry.summary.id;
    match state.library.selected_row().map(id) {
        Some(id) => run(state, id),
        None => hint(state, "no episode is selected"),
    }
}

fn read(id: u64, purpose: ReadPurpose) -> Vec<Effect> {
    vec![Effect::RunJob(Job::ReadEpisode { id, purpose })]
}

/// Shows the selected episode.
pub(in crate::workbench) fn open_selected(state: &mut State) -> Vec<Effect> {
    with_selected(state, |state, id| {
        if state.live_id != Some(id) {
            return read(id, ReadPurpose::Open);
        }
        // The session's own episode need not be read.
        state.open_page = None;
        if !state.can_go_back() {
            return Vec::new();
        }
        display::close_stored(state);
        vec![Effect::Scroll(Scroll::Follow)]
    })
}

/// Plays the selected episode.
pub(in crate::workbench) fn replay_selected(state: &mut State) -> Vec<Effect> {
    with_selected(state, |_, id| read(id, ReadPurpose::Replay))
}

/// Compares the selected episode with the displayed one.
pub(in crate::workbench) fn compare_selected(state: &mut State) -> Vec<Effect> {
    with_selected(state, |state, id| match &state.displayed {
        Some(displayed) if displayed.id != id => read(id, ReadPurpose::Compare),
        _ => hint(state, "open one episode first, then compare another one with it"),
    })
}

/// Lists the ancestors of the selected episode and all their forks.
pub(in crate::workbench) fn show_forks(state: &mut State) -> Vec<Effect> {
    with_selected(state, |state, id| {
        let previous_query = state.library.query_text().to_owned();
        state.library.query = LibraryQuery::Forks { of: id, previous_query };
        state.library.marked.clear();
        refresh(state)
    })
}

/// Marks the selected episode, or removes its mark.
pub(in crate::workbench) fn toggle_mark(state: &mut State) -> Vec<Effect> {
    with_selected(state, |state, id| {
        let library = &mut state.library;
        if !library.marked.remove(&id) {
            library.marked.insert(id);
        }
        library.move_selection(1);
        Vec::new()
    })
}

/// Adds a star to the episodes, or removes it.
pub(in crate::workbench) fn toggle_star(state: &mut State) -> Vec<Effect> {
    let starred = |row: &ListedEpisode| row.entry.annotations.starred;
    let change = AnnotationChange::Starred(!state.library.selected_row().is_some_and(starred));
    with_selected(state, |state, _| {
        let ids = state.library.target_ids();
        vec![Effect::RunJob(Job::Annotate { ids, change })]
    })
}

/// Opens the line to type a tag.
pub(in crate::workbench) fn open_tag(state: &mut State) -> Vec<Effect> {
    with_selected(state, |state, _| {
        state.open_prompt(PromptKind::Tag(state.library.target_ids()), "");
        Vec::new()
    })
}

/// Opens the line to type a note.
pub(in crate::workbench) fn open_note(state: &mut State) -> Vec<Effect> {
    let note = state.library.selected_row().map(|row| row.entry.annotations.note.clone());
    with_selected(state, |state, id| {
        state.open_prompt(PromptKind::Note(id), &note.unwrap_or_default());
        Vec::new()
    })
}

/// Opens the line to type the file to export to.
pub(in crate::workbench) fn open_export(state: &mut State) -> Vec<Effect> {
    with_selected(state, |state, _| {
        let ids = state.library.target_ids();
        let name = match ids.as_slice() {
            [one] => format!("episode-{one}.jsonl"),
            _ => "episodes.jsonl".to_owned(),
        };
        state.open_prompt(PromptKind::Export(ids), &name);
        Vec::new()
    })
}

/// Moves the episodes to the trash.
pub(in crate::workbench) fn delete(state: &mut State) -> Vec<Effect> {
    with_selected(state, |state, _| {
        let ids = state.library.target_ids();
        state.library.marked.clear();
        vec![Effect::RunJob(Job::MoveToTrash(ids))]
    })
}

/// Undoes the last deletion.
pub(in crate::workbench) fn undo_delete(_: &mut State) -> Vec<Effect> {
    vec![Effect::RunJob(Job::UndoDelete)]
}

/// A change was saved, or not.
pub(in crate::workbench) fn on_change_saved(
    state: &mut State,
    result: Result<String, String>,
) -> Vec<Effect> {
    match result {
        Ok(text) => hint(state, text),
        Err(why) => error(state, why),
    };
    if state.page() == PageId::Library { refresh(state) } else { Vec::new() }
}

/// An episode has been read.
pub(in crate::workbench) fn on_episode_read(
    state: &mut State,
    purpose: ReadPurpose,
    result: Result<Box<RecordedEpisode>, String>,
) -> Vec<Effect> {
    let recorded = match result {
        Ok(recorded) => *recorded,
        Err(why) => return error(state, why),
    };
    match purpose {
        ReadPurpose::Compare => {
            state.open_page = None;
            state.overlay =
                Overlay::Compare(Comparison::new(recorded.id, Arc::new(recorded.episode)));
            Vec::new()
        }
        ReadPurpose::Open => {
            display::move_to_background(state);
            state.displayed = Some(DisplayedEpisode::stored(recorded.id, recorded.episode));
            vec![Effect::Scroll(Scroll::Follow)]
        }
        ReadPurpose::Replay => {
            let source = format!("episode {}", recorded.id);
            let Some(replay) = Replay::new(source, vec![recorded], ReplaySpeed::Times(1.0)) else {
                return Vec::new();
            };
            display::move_to_background(state);
            state.replay = Some(Box::new(replay));
            replay::sync_display(state);
            vec![Effect::Scroll(Scroll::Follow)]
        }
    }
}
