//! The trace: every step with its writer, the text that is being written, and the outcome.
//!
//! ```text
//! ▸ 1 S ╎ Pens bought: 4 × 12 = 48           11 tok · 84 ms
//!   2 L*┃ In all: 37 + 48 = 85               11 tok · 230 ms
//!   3 ✗   After losing 18: 85 - 17
//!   3 L ┃ After losing 18: 85▌
//! ```
//! `*` marks a step whose writer the user chose, `✗` a draft that was not kept.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::render_context::{RenderContext, draw_lines};
use super::text::{format_duration, sanitize, wrap};
use crate::episode::{
    Decider, Decision, Episode, EpisodeStatus, FinishReason, Role, Step, Verdict,
};
use crate::workbench::action::Action;
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::message::Scroll;
use crate::workbench::state::{SessionStatus, State};

/// Columns left of the text.
const GUTTER: usize = 8;
/// Columns right of the text, for tokens and time.
const STATS_COLUMNS: usize = 18;
/// Width of the pane from which they are shown.
const STATS_MIN_WIDTH: usize = 70;

/// Wrapped steps and how far they are scrolled.
#[derive(Default)]
pub(super) struct TracePane {
    /// What the lines were wrapped for: episode, when it began, width in columns, redone steps.
    wrapped_for: (u64, u64, usize, usize),
    steps: Vec<Vec<String>>,
    /// Number of lines up to the end of each step.
    ends: Vec<usize>,
    /// The first line in view; `None` to follow the end.
    first: Option<usize>,
    total: usize,
    height: usize,
    selected: Option<usize>,
}

impl TracePane {
    pub(super) fn scroll(&mut self, by: Scroll) {
        let page = self.height.saturating_sub(2).max(1);
        let last = self.total.saturating_sub(self.height);
        let at = self.first.unwrap_or(last);
        self.first = match by {
            Scroll::Follow => None,
            Scroll::PageUp => Some(at.saturating_sub(page)),
            Scroll::PageDown => Some(at + page).filter(|&at| at < last),
        };
    }

    pub(super) fn render(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        state: &State,
        ctx: RenderContext<'_>,
    ) {
        let Some(displayed) = &state.displayed else {
            let block = ctx.pane("trace");
            let inner = block.inner(area);
            frame.render_widget(block, area);
            return draw_lines(frame.buffer_mut(), inner, welcome(state, inner.width.into(), ctx));
        };
        let inner = ctx.pane("").inner(area);
        let columns = usize::from(inner.width);
        let stats = columns >= STATS_MIN_WIDTH;
        let width = columns.saturating_sub(GUTTER + if stats { STATS_COLUMNS } else { 0 }).max(1);
        self.wrap_steps(displayed, width, ctx);
        let live = state.replay().is_some() || state.is_live(displayed);
        let tail = live_lines(displayed, width, (state.selected.is_none(), live), ctx);

        let written = self.ends.last().copied().unwrap_or(0);
        self.total = written + tail.len();
        self.height = inner.height.into();
        self.show_selected(state.selected);
        let last = self.total.saturating_sub(self.height);
        let first = self.first.map_or(last, |first| first.min(last));

        let mut title = vec![Span::raw("trace")];
        if first < last {
            let below = last - first;
            title.push(Span::styled(
                format!(" {} {below} more lines below, End follows", ctx.symbols.dot),
                ctx.theme.warning,
            ));
        }
        frame.render_widget(ctx.pane(Line::from(title)), area);

        let rows = (first..written).map(|line| {
            let step = self.ends.partition_point(|&end| end <= line);
            let start = if step == 0 { 0 } else { self.ends[step - 1] };
            let selected = state.selected == Some(step);
            let stats = stats.then_some(width);
            self.step_line(&displayed.episode.steps[step], step, line - start, selected, stats, ctx)
        });
        let rest = tail.into_iter().skip(first.saturating_sub(written));
        draw_lines(frame.buffer_mut(), inner, rows.chain(rest));
    }

    /// Wraps the steps that have come since the last frame, or all after a resize.
    fn wrap_steps(&mut self, displayed: &DisplayedEpisode, width: usize, ctx: RenderContext<'_>) {
        // Two episodes of a recording may have the same number.
        let began_ms = displayed.episode.began_ms;
        if (self.wrapped_for.0, self.wrapped_for.1) != (displayed.id, began_ms) {
            self.first = None;
        }
        // A redone step has another text.
        let wrapped_for = (displayed.id, began_ms, width, displayed.episode.redo_count);
        if self.wrapped_for != wrapped_for {
            self.wrapped_for = wrapped_for;
            self.steps.clear();
            self.ends.clear();
        }
        // A replay may have gone back.
        self.steps.truncate(displayed.episode.steps.len());
        self.ends.truncate(displayed.episode.steps.len());
        for step in &displayed.episode.steps[self.steps.len()..] {
            let mut wrapped = wrap(&step.generation.text, width, ctx.glyphs);
            if wrapped.is_empty() {
                wrapped.push(String::new());
            }
            let before = self.ends.last().copied().unwrap_or(0);
            self.ends.push(before + wrapped.len());
            self.steps.push(wrapped);
        }
    }

    /// Scrolls a newly selected step into view.
    fn show_selected(&mut self, selected: Option<usize>) {
        if self.selected == selected {
            return;
        }
        self.selected = selected;
        let Some(&end) = selected.and_then(|step| self.ends.get(step)) else {
            self.first = None;
            return;
        };
        let start = end - selected.map_or(0, |step| self.steps[step].len());
        let last = self.total.saturating_sub(self.height);
        let first = self.first.unwrap_or(last).min(last);
        if start < first {
            self.first = Some(start);
        } else if end > first + self.height {
            self.first = Some(end - self.height);
        }
    }

    /// One line of a written step; with tokens and time right of column `stats`.
    fn step_line(
        &self,
        step: &Step,
        index: usize,
        line: usize,
        selected: bool,
        stats: Option<usize>,
        ctx: RenderContext<'_>,
    ) -> Line<'_> {
        let role = step.generation.model;
        let mut spans = if line == 0 {
            gutter(index, Some(role), is_by_user(step.decision.as_ref()), selected, ctx)
        } else {
            vec![Span::raw(" ".repeat(GUTTER - 2))]
        };
        spans.push(Span::styled(format!("{} ", ctx.bar(role)), ctx.role(role)));
        let text = self.steps[index][line].as_str();
        let style = if selected { ctx.theme.selected } else { Style::new() };
        spans.push(Span::styled(text, style));
        if let (0, Some(width)) = (line, stats) {
            let usage = &step.generation.usage;
            let stats = format!(
                "{} tok {} {}",
                step.generation.tokens.len(),
                ctx.symbols.dot,
                format_duration(usage.prefill_ms + usage.decode_ms)
            );
            let gap = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text));
            spans.push(Span::raw(" ".repeat(gap)));
            spans.push(Span::styled(format!("{stats:>STATS_COLUMNS$}"), ctx.theme.muted));
        }
        Line::from(spans)
    }
}

fn is_by_user(decision: Option<&Decision>) -> bool {
    decision.is_some_and(|decision| decision.by == Decider::User)
}

/// Selection, number, writer, and whether the user chose it; all but the bar.
fn gutter<'a>(
    index: usize,
    role: Option<Role>,
    by_user: bool,
    selected: bool,
    ctx: RenderContext<'_>,
) -> Vec<Span<'a>> {
    let select = if selected { ctx.symbols.selected } else { " " };
    let style = role.map_or(ctx.theme.muted, |role| ctx.role(role));
    vec![
        Span::styled(select, ctx.theme.warning),
        Span::styled(format!("{:>2} ", index + 1), ctx.theme.muted),
        Span::styled(role.map_or('?', Role::letter).to_string(), style),
        Span::styled(if by_user { "*" } else { " " }, ctx.theme.user),
    ]
}

/// Lines after the written steps: the current step, or the outcome.
fn live_lines(
    displayed: &DisplayedEpisode,
    width: usize,
    (current, live): (bool, bool),
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let episode = &displayed.episode;
    let mut tail = Vec::new();
    if displayed.is_over() {
        tail.push(Line::default());
        tail.extend(outcome_lines(displayed, width + GUTTER, ctx));
        return tail;
    }
    let index = episode.steps.len();
    for draft in &episode.discarded {
        let sign = Span::styled(ctx.symbols.discarded, ctx.theme.muted);
        for (i, text) in wrap(&draft.text, width, ctx.glyphs).into_iter().enumerate() {
            let number = if i == 0 { format!(" {:>2} ", index + 1) } else { " ".repeat(4) };
            tail.push(Line::from(vec![
                Span::styled(number, ctx.theme.muted),
                sign.clone(),
                Span::raw("   "),
                Span::styled(text, ctx.theme.discarded),
            ]));
        }
    }
    let decision = episode.decision.as_ref();
    let role = decision.map(|decision| decision.choice);
    let mut start = gutter(index, role, is_by_user(decision), current, ctx);
    let bar = role.map_or(Span::raw("  "), |role| {
        Span::styled(format!("{} ", ctx.bar(role)), ctx.role(role))
    });
    start.push(bar.clone());
    let text = displayed.in_flight.as_ref().map_or("", |generation| generation.text.as_str());
    let drafting = role.is_none();
    let wrapped = wrap(text, width.saturating_sub(1), ctx.glyphs);
    let style = if drafting { ctx.theme.muted } else { Style::new() };
    let cursor = Span::styled(ctx.symbols.cursor, role.map_or(style, |role| ctx.role(role)));
    if wrapped.is_empty() {
        start.push(if *displayed.status() == EpisodeStatus::Paused && drafting {
            Span::styled(pause_message(episode, live), ctx.theme.warning)
        } else {
            cursor
        });
        tail.push(Line::from(start));
        return tail;
    }
    let last = wrapped.len() - 1;
    for (i, text) in wrapped.into_iter().enumerate() {
        let mut spans = if i == 0 {
            std::mem::take(&mut start)
        } else {
            vec![Span::raw(" ".repeat(GUTTER - 2)), bar.clone()]
        };
        spans.push(Span::styled(text, style));
        if i == last {
            spans.push(cursor.clone());
        }
        tail.push(Line::from(spans));
    }
    if drafting && *displayed.status() == EpisodeStatus::Paused {
        let hint = pause_message(episode, live);
        tail.extend(wrap(&hint, width, ctx.glyphs).into_iter().map(|text| {
            Line::from(vec![Span::raw(" ".repeat(GUTTER)), Span::styled(text, ctx.theme.warning)])
        }));
    }
    tail
}

/// What a pause before a step waits for.
fn pause_message(episode: &Episode, live: bool) -> String {
    match episode.active_override {
        _ if !live => "it ended here without an answer: a fork can go on".into(),
        Some((model, _)) => format!("paused: {model} will write it, as you chose"),
        None => "paused: who writes this step?".into(),
    }
}

/// How the episode ended.
fn outcome_lines(
    displayed: &DisplayedEpisode,
    width: usize,
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let episode = &displayed.episode;
    let (answer, verdict, reason) = match displayed.status() {
        EpisodeStatus::Finished { answer, verdict, reason } => (answer, verdict, reason),
        EpisodeStatus::Failed(error) => {
            let text = format!("failed: {error}");
            let wrapped = wrap(&text, width, ctx.glyphs).into_iter();
            return wrapped.map(|line| Line::styled(line, ctx.theme.bad)).collect();
        }
        EpisodeStatus::Running | EpisodeStatus::Paused => return Vec::new(),
    };
    let (sign, word, style) = match verdict {
        Verdict::Correct => (ctx.symbols.right, "correct", ctx.theme.good),
        Verdict::Wrong => (ctx.symbols.wrong, "wrong", ctx.theme.bad),
        Verdict::Undecided => (ctx.symbols.dot, "not graded", ctx.theme.muted),
    };
    let answer = answer.as_deref().map_or_else(
        || "no answer".to_owned(),
        |answer| format!("answer {}", sanitize(answer, ctx.glyphs)),
    );
    let mut spans = vec![Span::styled(format!(" {sign} {answer}, {word}"), style)];
    if let (Verdict::Wrong, Some(gold)) = (verdict, &episode.started.gold) {
        spans.push(Span::raw(format!(", gold {}", sanitize(gold, ctx.glyphs))));
    }
    let why = match reason {
        FinishReason::Answered => "",
        FinishReason::EndOfText => "; a model ended the text",
        FinishReason::StepLimit => "; the step limit was reached",
        FinishReason::RepetitionLoop => "; it repeated itself",
        FinishReason::ContextFull => "; a model's context is full",
        FinishReason::BudgetSpent => "; the budget is spent",
        FinishReason::Cancelled => "; stopped",
    };
    spans.push(Span::styled(why, ctx.theme.muted));
    let switches = episode.switches();
    let plural = |n: usize| if n == 1 { "" } else { "es" };
    let steps = episode.steps.len();
    vec![
        Line::from(spans),
        Line::styled(
            format!(
                "   {steps} step{}, {:.0} % by the large model, {switches} switch{}",
                if steps == 1 { "" } else { "s" },
                100.0 * episode.share_of(Role::Large),
                plural(switches)
            ),
            ctx.theme.muted,
        ),
    ]
}

/// What the trace says before the first episode.
fn welcome(state: &State, width: usize, ctx: RenderContext<'_>) -> Vec<Line<'static>> {
    let key = |action: Action, does: &'static str| {
        let key = state.keys.primary_key(action)?;
        Some(Line::from(vec![Span::styled(format!("  {key}  "), ctx.theme.key), Span::raw(does)]))
    };
    let pair = Role::BOTH.map(|role| {
        let name = sanitize(state.preset_shown().model(role).label(), ctx.glyphs);
        Line::from(vec![
            Span::styled(format!("  {}  ", role.letter()), ctx.role(role)),
            Span::raw(name),
        ])
    });
    let mut lines = match &state.session_status {
        SessionStatus::Loading(what) => {
            let what = format!("{}{}", sanitize(what, ctx.glyphs), ctx.symbols.more);
            let lines = wrap(&what, width, ctx.glyphs).into_iter();
            let mut lines: Vec<Line<'static>> = lines.map(Line::from).collect();
            lines.extend(pair);
            if state.question.is_some() {
                lines.push(Line::default());
                lines.push(Line::styled(
                    "The question is asked as soon as they are loaded.",
                    ctx.theme.muted,
                ));
            }
            lines
        }
        SessionStatus::Ready if state.starting => vec![Line::from("asking the question")],
        SessionStatus::Ready => {
            let mut lines = vec![Line::from("No question yet."), Line::default()];
            let ways = [
                key(Action::DrawQuestion, "draw one from the task set"),
                key(Action::TypeQuestion, "type your own"),
                key(Action::Help, "all keys"),
            ];
            lines.extend(ways.into_iter().flatten());
            lines.extend([Line::default(), Line::from("The models are loaded:")]);
            lines.extend(pair);
            lines
        }
        SessionStatus::Failed(_) | SessionStatus::None => return Vec::new(),
    };
    lines.push(Line::default());
    let store = format!("Episodes are kept in {}", sanitize(&state.store, ctx.glyphs));
    lines.extend(
        wrap(&store, width, ctx.glyphs).into_iter().map(|l| Line::styled(l, ctx.theme.muted)),
    );
    lines
}
