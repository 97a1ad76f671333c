//! What lies over the panes: help, the editor, the end of the session.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use ratatui_textarea::TextArea;

use super::curve;
use super::ink::{Ink, lines};
use super::text::{fit, wrap};
use crate::library::FILTERS;
use crate::workbench::actions::{Action, Row};
use crate::workbench::estimates::{preview, read, sentence, wanted};
use crate::workbench::key::Key;
use crate::workbench::keymap::Keymap;
use crate::workbench::outlook::Outlooks;
use crate::workbench::state::{Asked, Prompt, State};

/// Clears a box of that size in the middle and draws its frame; returns what is inside.
pub(super) fn open(
    frame: &mut Frame<'_>,
    body: Rect,
    size: (u16, u16),
    title: &str,
    ink: Ink<'_>,
) -> Rect {
    let [area] = Layout::horizontal([Constraint::Length(size.0)]).flex(Flex::Center).areas(body);
    let [area] = Layout::vertical([Constraint::Length(size.1)]).flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    frame.buffer_mut().set_style(area, ink.theme.text);
    let block = ink.pane(title.to_owned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Columns of keys and of their help.
const KEYS: usize = 10;
const HELP: usize = 28;

/// Every action that there is in a replay, or at live models, with its keys, in two columns; what
/// the marks of the panes mean.
/// Shows them from line `top` on, where there is no room for all.
pub(super) fn help(frame: &mut Frame<'_>, body: Rect, top: usize, state: &State, ink: Ink<'_>) {
    let mode = state.mode();
    let cell = |(row, keys): (&'static Row, &[Key])| {
        [
            Span::styled(format!("{:<KEYS$}", named(keys, ink)), ink.theme.key),
            Span::raw(format!("{:<HELP$}", row.help)),
        ]
    };
    let cells: Vec<_> =
        state.keys.rows().filter(|(row, _)| row.place.is_in(mode)).map(cell).collect();
    let half = cells.len().div_ceil(2);
    let line = |i: usize| cells[i].iter().chain(cells.get(half + i).into_iter().flatten());
    let mut shown: Vec<Line<'_>> = (0..half).map(|i| Line::from_iter(line(i).cloned())).collect();
    shown.push(Line::default());
    let [small, large] = [ink.signs.small, ink.signs.large];
    let marks = [
        format!("S{small} small wrote it, L{large} large, * you chose, ? not decided"),
        format!(
            "{} a draft of small that was not kept; {} the threshold",
            ink.signs.dropped, ink.signs.threshold
        ),
    ];
    shown.extend(marks.map(|text| Line::styled(text, ink.theme.muted)));
    let height = (shown.len() as u16 + 2).min(body.height);
    let hidden = (shown.len() + 2).saturating_sub(usize::from(height));
    let title = if hidden > 0 { "keys: up and down show the others" } else { "keys" };
    let inner = open(frame, body, ((2 * (KEYS + HELP) + 4) as u16, height), title, ink);
    lines(frame.buffer_mut(), inner, shown.into_iter().skip(top.min(hidden)));
}

/// As many of the keys as there is room for, at least the first.
fn named(keys: &[Key], ink: Ink<'_>) -> String {
    let mut text = String::new();
    for key in keys.iter().map(ToString::to_string) {
        if !text.is_empty() && text.len() + key.len() + 1 >= KEYS {
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&key);
    }
    fit(&text, KEYS - 1, ink.signs.more)
}

/// The editor for a question.
pub(super) fn editor(frame: &mut Frame<'_>, body: Rect, area: &TextArea<'static>, ink: Ink<'_>) {
    let width = (body.width - 8).min(100);
    let title = "your question: Enter asks, Alt-Enter new line, Esc cancels";
    let inner = open(frame, body, (width, 8), title, ink);
    let mut area = area.clone();
    area.set_style(ink.theme.text);
    area.set_cursor_line_style(ink.theme.text);
    area.set_cursor_style(ink.theme.cursor);
    frame.render_widget(&area, inner);
}

/// A line that is being typed.
pub(super) fn prompt(frame: &mut Frame<'_>, body: Rect, prompt: &Prompt, ink: Ink<'_>) {
    let many = |ids: &[u64]| match ids {
        [one] => format!("episode {one}"),
        _ => format!("{} episodes", ids.len()),
    };
    let (title, help) = match &prompt.what {
        Asked::Query => ("find episodes".to_owned(), FILTERS),
        Asked::Tag(ids) => (format!("tag {}", many(ids)), TAGS),
        Asked::Note(id) => (format!("note on episode {id}"), &[][..]),
        Asked::Budget => ("budget of an episode".to_owned(), BUDGETS),
        Asked::Export(ids) => (format!("export {} to a new file", many(ids)), &[][..]),
    };
    let width = (body.width - 4).min(100);
    let mut shown = vec![Line::default(); 2];
    shown.extend(help.iter().map(|(say, means)| {
        Line::from(vec![
            Span::styled(format!("{say:<SAID$}"), ink.theme.key),
            Span::styled(
                fit(means, usize::from(width) - SAID - 4, ink.signs.more),
                ink.theme.muted,
            ),
        ])
    }));
    let height = (shown.len() as u16 + 2).min(body.height);
    let title = format!("{title}: Enter does it, Esc leaves it");
    let inner = open(frame, body, (width, height), &title, ink);
    lines(frame.buffer_mut(), inner, shown);
    let mut area = prompt.area.as_ref().clone();
    area.set_style(ink.theme.text);
    area.set_cursor_line_style(ink.theme.text);
    area.set_cursor_style(ink.theme.cursor);
    frame.render_widget(&area, Rect { height: 1, ..inner });
}

/// Columns of what can be typed.
const SAID: usize = 36;

/// What can be typed for a budget.
const BUDGETS: &[(&str, &str)] =
    &[("200M", "in the unit of the models' prices"), ("none", "no limit")];

/// What can be typed for a tag.
const TAGS: &[(&str, &str)] = &[("hard", "gives the tag `hard`"), ("-hard", "takes it away")];

/// Rows of the typed threshold and of what it would give.
const TYPED: u16 = 5;

/// The threshold that is being typed, and what the recordings say of it.
pub(super) fn threshold(
    frame: &mut Frame<'_>,
    body: Rect,
    typed: &str,
    state: &State,
    ink: Ink<'_>,
) {
    let width = (body.width - 8).min(76);
    let now = || sentence(state, wanted(state), wanted(state));
    let known = matches!(state.outlook, Outlooks::Known(_));
    let said =
        preview(state, typed).or_else(|| known.then(now)).unwrap_or_else(|| match state.scale() {
            Some(_) => "0 to 1, or the share of steps for the small model: 62 %".into(),
            None => "0 to 1; at 0 the large model writes everything".into(),
        });
    let mut shown = vec![Line::from(vec![
        Span::styled("t ", ink.theme.key),
        Span::raw(typed.to_owned()),
        Span::styled(ink.signs.cursor, ink.theme.muted),
    ])];
    let said = wrap(&said, usize::from(width - 4), ink.glyphs);
    shown.extend(said.into_iter().map(|line| Line::styled(line, ink.theme.muted)));
    let title = "threshold: up and down move it, Enter sets what is typed, Esc leaves it";
    let curve = match &state.outlook {
        Outlooks::Known(outlook) => Some(outlook),
        _ => None,
    };
    let height = if curve.is_some() { 18.min(body.height) } else { 6 };
    let inner = open(frame, body, (width, height), title, ink);
    lines(frame.buffer_mut(), inner, shown);
    if let Some(outlook) = curve {
        let below = inner.height.saturating_sub(TYPED);
        let area = Rect { y: inner.y + inner.height - below, height: below, ..inner };
        let at = read(state, typed).unwrap_or_else(|| wanted(state));
        curve::render(frame.buffer_mut(), area, outlook, at, ink);
    }
}

/// What can be different in a fork.
pub(super) fn fork(frame: &mut Frame<'_>, body: Rect, step: usize, state: &State, ink: Ink<'_>) {
    let threshold = format!("the threshold now, {:.2}", state.threshold);
    let ways = [
        ("s", "small writes this step"),
        ("l", "large writes this step"),
        ("t", threshold.as_str()),
        ("p", "another policy"),
        ("n", "nothing: the same again"),
        ("Esc", "leave it"),
    ];
    let shown = ways.map(|(key, way)| {
        Line::from(vec![
            Span::styled(format!("{key:<5}"), ink.theme.key),
            Span::raw(way.to_owned()),
        ])
    });
    let title = format!("fork at step {}: what is different?", step + 1);
    let inner = open(frame, body, (44, shown.len() as u16 + 2), &title, ink);
    lines(frame.buffer_mut(), inner, shown);
}

/// The session is over.
pub(super) fn failure(
    frame: &mut Frame<'_>,
    body: Rect,
    reason: &str,
    keys: &Keymap,
    ink: Ink<'_>,
) {
    let width = (body.width - 8).min(90);
    let mut text: Vec<Line<'_>> = wrap(reason, usize::from(width - 4), ink.glyphs)
        .into_iter()
        .map(|line| Line::styled(line, ink.theme.bad))
        .collect();
    let mut remedy = "`pointsman doctor` checks models, store and terminal.".to_owned();
    if let Some(key) = keys.first(Action::Quit) {
        remedy.push_str(&format!(" Press {key} to quit."));
    }
    text.push(Line::default());
    text.extend(wrap(&remedy, usize::from(width - 4), ink.glyphs).into_iter().map(Line::from));
    let height = (text.len() as u16 + 2).min(body.height);
    let inner = open(frame, body, (width, height), "the session is over", ink);
    lines(frame.buffer_mut(), inner, text);
}
