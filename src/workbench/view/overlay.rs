//! Dialogs over the page: help, lines to type, the end of the session.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use ratatui_textarea::TextArea;

use super::curve;
use super::render_context::{RenderContext, draw_lines};
use super::text::{truncate_to_width, wrap};
use crate::library::FILTER_HELP;
use crate::workbench::action::{Action, ActionSpec};
use crate::workbench::key::Key;
use crate::workbench::keymap::Keymap;
use crate::workbench::overlay::{Prompt, PromptKind};
use crate::workbench::pages;
use crate::workbench::state::State;
use crate::workbench::threshold_estimates::ThresholdEstimatesState;
use crate::workbench::threshold_text::{
    describe_threshold, describe_typed, parse_threshold, requested_threshold,
};

/// Clears a box of that size in the middle and draws its frame; returns the area inside.
pub(super) fn open_dialog(
    frame: &mut Frame<'_>,
    body: Rect,
    size: (u16, u16),
    title: &str,
    ctx: RenderContext<'_>,
) -> Rect {
    let [area] = Layout::horizontal([Constraint::Length(size.0)]).flex(Flex::Center).areas(body);
    let [area] = Layout::vertical([Constraint::Length(size.1)]).flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    frame.buffer_mut().set_style(area, ctx.theme.text);
    let block = ctx.pane(title.to_owned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Columns of keys and of their help.
const KEY_COLUMNS: usize = 10;
const HELP_COLUMNS: usize = 28;

/// The actions of the page with their keys, in two columns, and the marks of the panes. From line
/// `top` on, if they do not all fit.
pub(super) fn help(
    frame: &mut Frame<'_>,
    body: Rect,
    top: usize,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let page = pages::current(state);
    let cell = |(spec, keys): (&'static ActionSpec, &[Key])| {
        [
            Span::styled(format!("{:<KEY_COLUMNS$}", key_names(keys, ctx)), ctx.theme.key),
            Span::raw(format!("{:<HELP_COLUMNS$}", spec.help)),
        ]
    };
    let cells: Vec<_> =
        state.keys.rows().filter(|(spec, _)| spec.scope.exists_on(page.id())).map(cell).collect();
    let half = cells.len().div_ceil(2);
    let line = |i: usize| cells[i].iter().chain(cells.get(half + i).into_iter().flatten());
    let mut shown: Vec<Line<'_>> = (0..half).map(|i| line(i).cloned().collect()).collect();
    shown.push(Line::default());
    let [small, large] = [ctx.symbols.small, ctx.symbols.large];
    let marks = [
        format!("S{small} small wrote it, L{large} large, * you chose, ? not decided"),
        format!(
            "{} a draft of small that was not kept; {} the threshold t",
            ctx.symbols.discarded, ctx.symbols.threshold
        ),
        "t 0.50, 79 % S: at t 0.50 small writes 79 % of the recorded steps".to_owned(),
        format!("{} 9 % of L alone: of the cost if large wrote all steps", ctx.symbols.about),
        "you 1 of 4: you chose the writer of 1 of 4 steps".to_owned(),
    ];
    shown.extend(marks.map(|text| Line::styled(text, ctx.theme.muted)));
    let height = (shown.len() as u16 + 2).min(body.height);
    let hidden = (shown.len() + 2).saturating_sub(usize::from(height));
    let more = if hidden > 0 { ": up and down show the others" } else { "" };
    let title = format!("keys of the {} page{more}", page.name());
    let inner = open_dialog(
        frame,
        body,
        ((2 * (KEY_COLUMNS + HELP_COLUMNS) + 4) as u16, height),
        &title,
        ctx,
    );
    draw_lines(frame.buffer_mut(), inner, shown.into_iter().skip(top.min(hidden)));
}

/// As many of the keys as fit, at least the first.
fn key_names(keys: &[Key], ctx: RenderContext<'_>) -> String {
    let mut text = String::new();
    for key in keys.iter().map(ToString::to_string) {
        if !text.is_empty() && text.len() + key.len() + 1 >= KEY_COLUMNS {
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&key);
    }
    truncate_to_width(&text, KEY_COLUMNS - 1, ctx.symbols.more)
}

/// The editor for a question.
pub(super) fn editor(
    frame: &mut Frame<'_>,
    body: Rect,
    area: &TextArea<'static>,
    ctx: RenderContext<'_>,
) {
    let width = (body.width - 8).min(100);
    let title = "your question: Enter asks, Alt-Enter new line, Esc cancels";
    let inner = open_dialog(frame, body, (width, 8), title, ctx);
    let mut area = area.clone();
    area.set_style(ctx.theme.text);
    area.set_cursor_line_style(ctx.theme.text);
    area.set_cursor_style(ctx.theme.cursor);
    frame.render_widget(&area, inner);
}

/// A line that is being typed.
pub(super) fn prompt(frame: &mut Frame<'_>, body: Rect, prompt: &Prompt, ctx: RenderContext<'_>) {
    let many = |ids: &[u64]| match ids {
        [one] => format!("episode {one}"),
        _ => format!("{} episodes", ids.len()),
    };
    let (title, help) = match &prompt.kind {
        PromptKind::Search => ("find episodes".to_owned(), FILTER_HELP),
        PromptKind::Tag(ids) => (format!("tag {}", many(ids)), TAGS),
        PromptKind::Note(id) => (format!("note on episode {id}"), &[][..]),
        PromptKind::Budget => ("budget of an episode".to_owned(), BUDGETS),
        PromptKind::Export(ids) => (format!("export {} to a new file", many(ids)), &[][..]),
    };
    let width = (body.width - 4).min(100);
    let mut shown = vec![Line::default(); 2];
    shown.extend(help.iter().map(|(say, means)| {
        Line::from(vec![
            Span::styled(format!("{say:<SYNTAX_COLUMNS$}"), ctx.theme.key),
            Span::styled(
                truncate_to_width(means, usize::from(width) - SYNTAX_COLUMNS - 4, ctx.symbols.more),
                ctx.theme.muted,
            ),
        ])
    }));
    let height = (shown.len() as u16 + 2).min(body.height);
    let title = format!("{title}: Enter confirms, Esc cancels");
    let inner = open_dialog(frame, body, (width, height), &title, ctx);
    draw_lines(frame.buffer_mut(), inner, shown);
    let mut area = prompt.area.as_ref().clone();
    area.set_style(ctx.theme.text);
    area.set_cursor_line_style(ctx.theme.text);
    area.set_cursor_style(ctx.theme.cursor);
    frame.render_widget(&area, Rect { height: 1, ..inner });
}

/// Columns of the examples of what can be typed.
const SYNTAX_COLUMNS: usize = 36;

/// What can be typed for a budget.
const BUDGETS: &[(&str, &str)] =
    &[("200M", "in the unit of the models' prices"), ("none", "no limit")];

/// What can be typed for a tag.
const TAGS: &[(&str, &str)] = &[("hard", "adds the tag `hard`"), ("-hard", "removes it")];

/// Rows of the typed threshold and its description.
const INPUT_ROWS: u16 = 5;

/// The threshold that is being typed, and what the recordings say about it.
pub(super) fn threshold(
    frame: &mut Frame<'_>,
    body: Rect,
    typed: &str,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let width = (body.width - 8).min(76);
    let now = || describe_threshold(state, requested_threshold(state), requested_threshold(state));
    let known = matches!(state.threshold_estimates, ThresholdEstimatesState::Loaded(_));
    let said = describe_typed(state, typed).or_else(|| known.then(now)).unwrap_or_else(|| {
        match state.scale() {
            Some(_) => "0 to 1, or the share of steps for the small model: 62 %".into(),
            None => "0 to 1; at 0 the large model writes everything".into(),
        }
    });
    let mut shown = vec![Line::from(vec![
        Span::styled("t ", ctx.theme.key),
        Span::raw(typed.to_owned()),
        Span::styled(ctx.symbols.cursor, ctx.theme.muted),
    ])];
    let said = wrap(&said, usize::from(width - 4), ctx.glyphs);
    shown.extend(said.into_iter().map(|line| Line::styled(line, ctx.theme.muted)));
    let title = "threshold: up and down move it, Enter sets it, Esc cancels";
    let curve = match &state.threshold_estimates {
        ThresholdEstimatesState::Loaded(estimates) => Some(estimates),
        _ => None,
    };
    let height = if curve.is_some() { 18.min(body.height) } else { 6 };
    let inner = open_dialog(frame, body, (width, height), title, ctx);
    draw_lines(frame.buffer_mut(), inner, shown);
    if let Some(estimates) = curve {
        let below = inner.height.saturating_sub(INPUT_ROWS);
        let area = Rect { y: inner.y + inner.height - below, height: below, ..inner };
        let at = parse_threshold(state, typed).unwrap_or_else(|| requested_threshold(state));
        curve::render(frame.buffer_mut(), area, estimates, at, ctx);
    }
}

/// What a fork can do differently.
pub(super) fn fork(
    frame: &mut Frame<'_>,
    body: Rect,
    step: usize,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let threshold = format!("the threshold now, {:.2}", state.active.threshold());
    let ways = [
        ("s", "small writes this step"),
        ("l", "large writes this step"),
        ("t", threshold.as_str()),
        ("p", "another policy"),
        ("n", "nothing: the same again"),
        ("Esc", "cancel"),
    ];
    let shown = ways.map(|(key, way)| {
        Line::from(vec![
            Span::styled(format!("{key:<5}"), ctx.theme.key),
            Span::raw(way.to_owned()),
        ])
    });
    let title = format!("fork at step {}: what is different?", step + 1);
    let inner = open_dialog(frame, body, (44, shown.len() as u16 + 2), &title, ctx);
    draw_lines(frame.buffer_mut(), inner, shown);
}

/// The session is over.
pub(super) fn failure(
    frame: &mut Frame<'_>,
    body: Rect,
    reason: &str,
    keys: &Keymap,
    ctx: RenderContext<'_>,
) {
    let width = (body.width - 8).min(90);
    let mut text: Vec<Line<'_>> = wrap(reason, usize::from(width - 4), ctx.glyphs)
        .into_iter()
        .map(|line| Line::styled(line, ctx.theme.bad))
        .collect();
    let quit = keys.primary_key(Action::Quit);
    let quit = quit.map_or_else(String::new, |key| format!(" Press {key} to quit."));
    let remedy = format!("`pointsman doctor` checks models, store and terminal.{quit}");
    text.push(Line::default());
    text.extend(wrap(&remedy, usize::from(width - 4), ctx.glyphs).into_iter().map(Line::from));
    let height = (text.len() as u16 + 2).min(body.height);
    let inner = open_dialog(frame, body, (width, height), "the session is over", ctx);
    draw_lines(frame.buffer_mut(), inner, text);
}
