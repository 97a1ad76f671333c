//! Messages to changes and effects. Pure: no I/O, no clock.
//!
//! | file | what it changes |
//! |---|---|
//! | `compare`, `fork` | what is to be different in a fork, and the comparison of two episodes; a fork's start |
//! | `menu`, `prompt` | lists to choose from; lines that are typed |
//! | `school` | retraining and calibration |
//! | `library` | the list of stored episodes, and what comes from it to the screen |
//! | `reasons` | when reasons are asked for |
//! | `replay` | a recording in place of a session |
//! | `threshold` | the threshold |

mod compare;
mod fork;
mod library;
mod menu;
mod prompt;
mod reasons;
pub(super) mod replay;
mod school;
mod threshold;

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui_textarea::{TextArea, WrapMode};

use super::actions::{Action, Mode, Place};
use super::errand::Errand;
use super::key::Key;
use super::menu::List;
use super::message::{Effect, Message, Scroll};
use super::offers::refusal;
use super::onscreen::Run;
use super::state::{Asked, Link, Notice, Overlay, Page, State};
use super::transcript::transcript;
use crate::episode::{Event, EventKind, OverrideScope, Role, Status};
use crate::session::{Command, Update};
use crate::tasks::Question;

/// Lines that a page key scrolls the help by.
const HELP_PAGE: usize = 10;

/// Changes the state by a message and says what is to be done.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = take(state, message);
    effects.extend(reasons::wanted(state));
    effects
}

fn take(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Clock(now_ms) => {
            if state.player.is_some() {
                replay::pass(state, now_ms);
            } else if !state.reduced_motion {
                state.now_ms = now_ms;
            }
            Vec::new()
        }
        Message::Drawn(question) => ask_other(state, question),
        Message::Resized(width, height) => {
            state.size = Some((width, height));
            Vec::new()
        }
        Message::Gpu(memory) => {
            state.gpu = Some(memory);
            Vec::new()
        }
        Message::Explained(boundary, contributions) => {
            reasons::told(state, boundary, contributions);
            Vec::new()
        }
        Message::Outlook(outlook) => {
            threshold::told(state, outlook);
            Vec::new()
        }
        Message::Found { ticket, anew, found } => library::found(state, ticket, anew, found),
        Message::Read(purpose, outcome) => library::read(state, purpose, outcome),
        Message::Kept(outcome) => library::kept(state, outcome),
        Message::Menu(menu) => menu::told(state, menu),
        Message::Theme(Ok(theme)) => vec![Effect::Dress(theme)],
        Message::Theme(Err(why)) => {
            state.notice = Some(Notice::Trouble(format!("{why}; the theme stays")));
            Vec::new()
        }
        Message::Preset(chosen) => menu::preset(state, chosen),
        Message::Hired(step, roster) => menu::hired(state, step, roster),
        Message::School(news) => school::told(state, news),
        Message::Promoted(outcome) => school::promoted(state, outcome),
        Message::Scored(Ok(score)) => {
            if let Overlay::Score(shown) = &mut state.overlay {
                *shown = Some(score);
            }
            Vec::new()
        }
        Message::Scored(Err(why)) => {
            state.overlay = Overlay::None;
            state.notice = Some(Notice::Trouble(why));
            Vec::new()
        }
        Message::Copied(outcome) => {
            state.notice = Some(match outcome {
                // It gives no answer.
                Ok(()) => Notice::Hint("the trace was sent to the terminal to be copied".into()),
                Err(why) => Notice::Trouble(why),
            });
            Vec::new()
        }
        Message::SessionGone => {
            if !matches!(state.link, Link::Failed(_) | Link::Absent) {
                state.link = Link::Failed("it ended without a word; the log may say why".into());
            }
            Vec::new()
        }
        Message::Session(news) => on_session(state, news),
        Message::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => on_key(state, key),
        Message::Input(Input::Paste(text)) => on_paste(state, &text),
        Message::Input(_) => Vec::new(),
    }
}

fn on_session(state: &mut State, news: Update) -> Vec<Effect> {
    match news {
        Update::Loading(what) => state.link = Link::Loading(what),
        Update::Ready => {
            state.link = Link::Ready;
            if state.question.is_some() {
                return ask(state, false);
            }
        }
        Update::Event { id, event } => on_event(state, id, &event),
        Update::Opinion { step, opinion } => {
            if let Some(run) = of_session(state) {
                run.opinion = Some((step, opinion));
            }
        }
        // The event that follows has the whole step.
        Update::Token { .. } if state.reduced_motion => {}
        Update::Token { model, token } => {
            if let Some(run) = of_session(state) {
                run.receive(model, &token);
            }
        }
        Update::Remark(text) => state.notice = Some(Notice::Hint(text)),
        Update::Refused(reason) => {
            state.starting = false;
            state.asked_threshold = None;
            state.notice = Some(Notice::Trouble(reason));
        }
        Update::Broken(reason) => {
            state.starting = false;
            state.asked_threshold = None;
            if let Some(run) = of_session(state) {
                run.in_flight = None;
                run.opinion = None;
                // No event says so: there is no room for one.
                run.episode.status = Status::Failed(reason.clone());
            }
            state.notice = Some(Notice::Trouble(reason));
        }
        Update::Failed(reason) => {
            state.starting = false;
            state.link = Link::Failed(reason);
        }
    }
    Vec::new()
}

/// The episode that the session is at, on the screen or aside.
fn of_session(state: &mut State) -> Option<&mut Run> {
    let live = state.live;
    let shown = state.run.as_mut().filter(|_| state.player.is_none());
    state.aside.as_mut().or(shown).filter(|run| Some(run.id) == live)
}

fn on_event(state: &mut State, id: u64, event: &Event) {
    if state.player.is_none() {
        state.now_ms = state.now_ms.max(event.at_ms);
    }
    let folded = match of_session(state).filter(|run| run.id == id) {
        Some(run) => run.apply(event),
        None => Run::start(id, event).map(|run| {
            // A fork's own threshold is for the fork only.
            if run.episode.started.parent.is_none() {
                state.threshold = run.episode.threshold;
            }
            state.live = Some(id);
            state.starting = false;
            state.asked_threshold = None;
            if state.player.is_some() {
                state.aside = Some(run);
            } else {
                state.aside = None;
                compare::succeed(state, run);
                state.selected = None;
            }
        }),
    };
    if let Err(error) = folded {
        state.notice = Some(Notice::Trouble(format!("episode {id} cannot be shown: {error}")));
    }
    if let EventKind::ThresholdMoved { to, .. } = event.kind {
        let forked = of_session(state).is_some_and(|run| run.episode.started.parent.is_some());
        if !forked {
            state.threshold = to;
        }
        if state.asked_threshold == Some(to) {
            state.asked_threshold = None;
        }
    }
}

/// Asks another question than that of the episode on the screen.
fn ask_other(state: &mut State, question: Question) -> Vec<Effect> {
    // A stored episode would be taken for what is asked.
    let stored = state.run.as_ref().is_some_and(|run| !state.is_of_session(run));
    if stored && state.page == Page::Panes {
        library::step_aside(state);
    }
    state.question = Some(question);
    ask(state, false)
}

/// Asks the question of the state.
fn ask(state: &mut State, paused: bool) -> Vec<Effect> {
    // What is on the screen is asked, also where it comes from the store.
    let stored = state.run.as_ref().filter(|run| !state.is_of_session(run));
    if let Some(run) = stored {
        state.question = Some(Question::of(&run.episode.started));
    }
    let Some(question) = state.question.clone() else {
        return vec![Effect::Do(Errand::Draw)];
    };
    state.starting = true;
    let ask = Command::Ask { question, router: None, seed: state.seed, paused };
    vec![Effect::Send(ask), Effect::Scroll(Scroll::Follow)]
}

fn on_paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.notice = None;
    if let Overlay::Prompt(prompt) = &mut state.overlay {
        prompt.begin();
        prompt.area.insert_str(text.replace(['\r', '\n'], " "));
        return Vec::new();
    }
    let line = text.replace(['\r', '\n'], " ");
    let on_a_page = state.page != Page::Panes;
    match &mut state.overlay {
        Overlay::Menu(menu) => {
            menu.typed.push_str(line.trim());
            menu.at = 0;
            return Vec::new();
        }
        Overlay::Threshold(typed) => {
            line.trim().chars().for_each(|c| threshold::type_in(typed, c));
            return Vec::new();
        }
        _ if on_a_page => {
            return hint(state, "there is no line open to paste into");
        }
        _ => {}
    }
    if !matches!(state.overlay, Overlay::Editor(_)) {
        if let Some(reason) = refusal(Place::Session, state) {
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
    let key = Key::of(&event);
    let row = state.keys.row_of(key, state.mode());
    let action = row.map(|row| row.action);
    // These two must work wherever one is.
    match action.filter(|_| key.1.contains(KeyModifiers::CONTROL)) {
        Some(Action::Quit) => return vec![Effect::Quit],
        Some(Action::Suspend) => return vec![Effect::Suspend],
        _ => {}
    }
    if state.is_cramped() {
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
                Some(Action::Earlier) => Some(top.saturating_sub(1)),
                Some(Action::Later) => Some(top + 1),
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
        let ways = state.keys.advice(&[(Action::Help, "for the keys")]);
        return hint(state, format!("{key} does nothing here{ways}"));
    };
    match refusal(row.place, state) {
        Some(reason) => hint(state, reason),
        None => act(state, row.action),
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
            return ask_other(state, Question::typed(text));
        }
        KeyCode::Enter => area.insert_newline(),
        _ => {
            area.input(event);
        }
    }
    Vec::new()
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if state.mode() == Mode::Library
        && let Some(effects) = library::on_action(state, action)
    {
        return effects;
    }
    if state.mode() == Mode::School
        && let Some(effects) = school::on_action(state, action)
    {
        return effects;
    }
    let paused = state.open().map(|run| run.episode.status == Status::Paused);
    let send = |command| vec![Effect::Send(command)];
    let take = |model, scope| send(Command::Override { model, scope });
    match action {
        Action::Run => match paused {
            _ if state.starting => hint(state, "the question has just been asked"),
            Some(true) => send(Command::Resume),
            Some(false) => {
                let ways = [(Action::Stop, "to stop it"), (Action::Draw, "to draw a new question")];
                let ways = state.keys.advice(&ways);
                hint(state, format!("it is running{ways}"))
            }
            None => ask(state, false),
        },
        Action::Pause => send(if paused == Some(true) { Command::Resume } else { Command::Pause }),
        Action::Step => match paused {
            _ if state.starting => hint(state, "the question has just been asked"),
            Some(_) => send(Command::Step),
            None => ask(state, true),
        },
        Action::Bookmark => {
            let step = state.step_in_view().map_or(0, |step| step + 1);
            state.notice = Some(Notice::Hint(format!("step {step} is marked, a replay finds it")));
            send(Command::Bookmark(String::new()))
        }
        Action::Stop => send(Command::Stop),
        Action::Draw => vec![Effect::Do(Errand::Draw)],
        Action::Type => {
            state.overlay = editor();
            Vec::new()
        }
        Action::SmallNext => take(Role::Small, OverrideScope::NextStep),
        Action::LargeNext => take(Role::Large, OverrideScope::NextStep),
        Action::SmallOn => take(Role::Small, OverrideScope::FromHereOn),
        Action::LargeOn => take(Role::Large, OverrideScope::FromHereOn),
        Action::Release => match state.open() {
            Some(run) if run.episode.taken.is_none() => hint(state, "the router has the points"),
            _ => send(Command::ClearOverride),
        },
        Action::Redo => send(Command::Redo),
        Action::Fork => compare::ask_how_to_fork(state),
        Action::Compare => compare::open(state, false),
        Action::Differences => compare::open(state, true),
        Action::ThresholdUp => threshold::shift(state, true, false),
        Action::ThresholdDown => threshold::shift(state, false, false),
        Action::ThresholdUpFine => threshold::shift(state, true, true),
        Action::ThresholdDownFine => threshold::shift(state, false, true),
        Action::Threshold => threshold::ask(state),
        Action::Earlier => select(state, false),
        Action::Later => select(state, true),
        Action::PageUp => vec![Effect::Scroll(Scroll::PageUp)],
        Action::PageDown => vec![Effect::Scroll(Scroll::PageDown)],
        Action::Follow => {
            state.selected = None;
            vec![Effect::Scroll(Scroll::Follow)]
        }
        Action::Library => library::open(state),
        // Their pages have taken them.
        Action::InLibrary(_) | Action::AtSchool(_) => Vec::new(),
        Action::Budget => {
            let limit = state.open().map_or(state.preset.budget.limit, |run| run.episode.budget);
            let text = limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
            state.ask(Asked::Budget, &text)
        }
        Action::Calibrations => menu::ask(state, List::Calibrations),
        Action::Presets => menu::ask(state, List::Presets),
        Action::Themes => menu::ask(state, List::Themes),
        Action::Palette => menu::palette(state),
        Action::School => {
            state.page = Page::School;
            Vec::new()
        }
        Action::Score => {
            state.overlay = Overlay::Score(None);
            vec![Effect::Do(Errand::Score)]
        }
        Action::Back => library::back(state),
        Action::Replay(order) => replay::obey(state, order),
        Action::Reasons => {
            state.all_reasons = !state.all_reasons;
            Vec::new()
        }
        Action::Copy => state.run.iter().map(|run| Effect::Copy(transcript(run))).collect(),
        Action::Help => {
            state.overlay = Overlay::Help(0);
            Vec::new()
        }
        Action::Suspend => vec![Effect::Suspend],
        // A replay that came from the library is left like a page.
        Action::Quit if state.player.is_some() && state.can_go_back() => library::back(state),
        Action::Quit => vec![Effect::Quit],
    }
}

/// Selects the step before or after; past the last one, the current step again.
fn select(state: &mut State, later: bool) -> Vec<Effect> {
    let (Some(step), Some(last)) =
        (state.step_in_view(), state.run.as_ref().and_then(Run::last_step))
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
