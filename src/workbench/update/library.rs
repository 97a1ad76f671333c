//! The library: what is listed, what is done to episodes, and how they come to the screen.

use std::sync::Arc;

use super::{hint, replay};
use crate::recording::{Recorded, Speed};
use crate::workbench::actions::Action;
use crate::workbench::compare::Compare;
use crate::workbench::errand::{Change, Errand, Purpose};
use crate::workbench::library::{Deed, PAGE as LIST, Sought, Stretch};
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::onscreen::Run;
use crate::workbench::replay::Replay;
use crate::workbench::state::{Asked, Notice, Overlay, Page, State};

/// Rows of a page.
const PAGE: isize = 15;

/// Orders in which episodes are sorted, one after the other.
const ORDERS: [&str; 5] = ["sort:-cost", "sort:cost", "sort:-steps", "sort:-share", "sort:date"];

/// Opens the library.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.page = Page::Library;
    // What happened since it was open last is looked for.
    look(state)
}

/// Looks for what a query asks.
pub(super) fn look_for(state: &mut State, query: &str) -> Vec<Effect> {
    state.library.sought = Sought::Query(query.to_owned());
    look_anew(state)
}

/// Looks for something else, from its first row.
fn look_anew(state: &mut State) -> Vec<Effect> {
    state.library.rows.clear();
    // What is not listed any more shall not be deleted with what is.
    state.library.marked.clear();
    state.library.at = 0;
    look(state)
}

/// Looks for the list's first stretch.
fn look(state: &mut State) -> Vec<Effect> {
    state.library.ticket += 1;
    state.library.problem = None;
    find(state, true)
}

fn find(state: &mut State, anew: bool) -> Vec<Effect> {
    let library = &mut state.library;
    library.waits = true;
    let after = library.next.filter(|_| !anew);
    let (ticket, sought) = (library.ticket, library.sought.clone());
    // One who is far down stays there.
    let rows = if anew { library.rows.len().max(LIST) } else { LIST };
    vec![Effect::Do(Errand::Find { ticket, sought, after, rows })]
}

/// What was listed has come.
pub(super) fn found(
    state: &mut State,
    ticket: u64,
    anew: bool,
    found: Result<Stretch, String>,
) -> Vec<Effect> {
    let library = &mut state.library;
    if ticket != library.ticket {
        return Vec::new();
    }
    library.waits = false;
    match found {
        Ok(stretch) => library.take(stretch, anew),
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
        Action::Earlier => -1,
        Action::Later => 1,
        Action::PageUp => -PAGE,
        Action::PageDown => PAGE,
        Action::Follow => isize::MAX,
        Action::Quit => return Some(back(state)),
        Action::InLibrary(deed) => return Some(obey(state, deed)),
        _ => return None,
    };
    state.library.step(by);
    Some(if state.library.wants_more() { find(state, false) } else { Vec::new() })
}

/// To what was on the screen before.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if !state.can_go_back() {
        state.selected = None;
        return vec![Effect::Scroll(Scroll::Follow)];
    }
    if state.page == Page::Library
        && let Sought::Family { before, .. } = &mut state.library.sought
    {
        state.library.sought = Sought::Query(std::mem::take(before));
        return look_anew(state);
    }
    if state.page != Page::Panes {
        state.page = Page::Panes;
        return Vec::new();
    }
    state.player = None;
    state.run = state.aside.take();
    state.selected = None;
    // It was opened from there.
    state.page = Page::Library;
    vec![Effect::Scroll(Scroll::Follow)]
}

/// Makes room on the screen: the session's episode steps aside, a stored one goes.
pub(super) fn step_aside(state: &mut State) {
    if state.run.as_ref().is_some_and(|run| state.is_of_session(run)) {
        state.aside = state.run.take();
    }
    state.run = None;
    state.player = None;
    state.page = Page::Panes;
    state.selected = None;
}

fn obey(state: &mut State, deed: Deed) -> Vec<Effect> {
    match deed {
        Deed::Find => return state.ask(Asked::Query, &query(state)),
        Deed::Sort => {
            let words = query(state);
            let (order, others): (Vec<&str>, Vec<&str>) =
                words.split_whitespace().partition(|word| word.starts_with("sort:"));
            let at = order.first().and_then(|now| ORDERS.iter().position(|order| order == now));
            let next = at.map_or(ORDERS.first(), |at| ORDERS.get(at + 1));
            let words: Vec<&str> = others.into_iter().chain(next.copied()).collect();
            return look_for(state, &words.join(" "));
        }
        Deed::Undo => return vec![Effect::Do(Errand::Undo)],
        _ => {}
    }
    let Some(here) = state.library.here() else {
        return hint(state, "there is no episode here");
    };
    let (id, annotations) = (here.entry.summary.id, here.entry.annotations.clone());
    let chosen = state.library.chosen();
    let read = |purpose| vec![Effect::Do(Errand::Read { id, purpose })];
    match deed {
        // The session's own episode needs not be read.
        Deed::Open if state.live == Some(id) => {
            state.page = Page::Panes;
            let effects = if state.can_go_back() { back(state) } else { Vec::new() };
            state.page = Page::Panes;
            effects
        }
        Deed::Open => read(Purpose::Open),
        Deed::Replay => read(Purpose::Replay),
        Deed::Compare => match &state.run {
            Some(run) if run.id != id => read(Purpose::Compare),
            _ => hint(state, "open one episode first, then compare another one with it"),
        },
        Deed::Family => {
            let before = query(state);
            state.library.sought = Sought::Family { of: id, before };
            state.library.marked.clear();
            look(state)
        }
        Deed::Mark => {
            let library = &mut state.library;
            if !library.marked.remove(&id) {
                library.marked.insert(id);
            }
            library.step(1);
            Vec::new()
        }
        Deed::Star => {
            let change = Change::Starred(!annotations.starred);
            vec![Effect::Do(Errand::Annotate { ids: chosen, change })]
        }
        Deed::Tag => state.ask(Asked::Tag(chosen), ""),
        Deed::Note => state.ask(Asked::Note(id), &annotations.note),
        Deed::Export => {
            let name = match chosen.as_slice() {
                [one] => format!("episode-{one}.jsonl"),
                _ => "episodes.jsonl".to_owned(),
            };
            state.ask(Asked::Export(chosen), &name)
        }
        Deed::Bin => {
            state.library.marked.clear();
            vec![Effect::Do(Errand::Bin(chosen))]
        }
        Deed::Find | Deed::Sort | Deed::Undo => Vec::new(),
    }
}

/// The query in force, or before a family was listed.
fn query(state: &State) -> String {
    match &state.library.sought {
        Sought::Query(query) => query.clone(),
        Sought::Family { before, .. } => before.clone(),
    }
}

/// A change was kept, or not.
pub(super) fn kept(state: &mut State, outcome: Result<String, String>) -> Vec<Effect> {
    state.notice = Some(match outcome {
        Ok(text) => Notice::Hint(text),
        Err(why) => Notice::Trouble(why),
    });
    if state.page == Page::Library { look(state) } else { Vec::new() }
}

/// An episode was read.
pub(super) fn read(
    state: &mut State,
    purpose: Purpose,
    outcome: Result<Box<Recorded>, String>,
) -> Vec<Effect> {
    let recorded = match outcome {
        Ok(recorded) => *recorded,
        Err(why) => {
            state.notice = Some(Notice::Trouble(why));
            return Vec::new();
        }
    };
    match purpose {
        Purpose::Compare => {
            state.page = Page::Panes;
            state.overlay = Overlay::Compare(Compare::new(recorded.id, Arc::new(recorded.episode)));
            Vec::new()
        }
        Purpose::Open => {
            step_aside(state);
            state.run = Some(Run::stored(recorded.id, recorded.episode));
            vec![Effect::Scroll(Scroll::Follow)]
        }
        Purpose::Replay => {
            let source = format!("episode {}", recorded.id);
            match Replay::new(source, vec![recorded], Speed::Times(1.0)) {
                Some(recording) => {
                    step_aside(state);
                    state.player = Some(Box::new(recording));
                    replay::show(state);
                    vec![Effect::Scroll(Scroll::Follow)]
                }
                None => Vec::new(),
            }
        }
    }
}
