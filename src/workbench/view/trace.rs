//! The trace: every step with its writer, the text that is being written, and how it ended.
//!
//! ```text
//! ▸ 1 S ╎ Pens bought: 4 × 12 = 48           11 tok · 84 ms
//!   2 L*┃ In all: 37 + 48 = 85               11 tok · 230 ms
//!   3 ✗   After losing 18: 85 - 17
//!   3 L ┃ After losing 18: 85▌
//! ```
//! `*` marks a step that a person decided, `✗` a draft that was not kept.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ink::{Ink, lines};
use super::text::{duration, transcribe, wrap};
use crate::episode::{Decider, Decision, Episode, FinishReason, Role, Status, Step, Verdict};
use crate::workbench::actions::Action;
use crate::workbench::message::Scroll;
use crate::workbench::onscreen::Run;
use crate::workbench::state::{Link, State};

/// Columns left of the text.
const GUTTER: usize = 8;
/// Columns right of it, for tokens and time, from this many columns on.
const FACTS: usize = 18;
const FACTS_FROM: usize = 70;

/// Wrapped steps and how far they are scrolled.
#[derive(Default)]
pub(super) struct Trace {
    /// What the lines below were wrapped for: episode, when it began, width in columns, steps taken back.
    wrapped_for: (u64, u64, usize, usize),
    steps: Vec<Vec<String>>,
    /// Number of lines up to the end of each step.
    ends: Vec<usize>,
    /// The first line in view; the end is followed where absent.
    first: Option<usize>,
    total: usize,
    height: usize,
    selected: Option<usize>,
}

impl Trace {
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
        ink: Ink<'_>,
    ) {
        let Some(run) = &state.run else {
            let block = ink.pane("trace");
            let inner = block.inner(area);
            frame.render_widget(block, area);
            return lines(frame.buffer_mut(), inner, welcome(state, inner.width.into(), ink));
        };
        let inner = ink.pane("").inner(area);
        let columns = usize::from(inner.width);
        let facts = columns >= FACTS_FROM;
        let width = columns.saturating_sub(GUTTER + if facts { FACTS } else { 0 }).max(1);
        self.wrap_steps(run, width, ink);
        let live = state.replay().is_some() || state.is_of_session(run);
        let tail = tail(run, width, (state.selected.is_none(), live), ink);

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
                format!(" {} {below} more lines below, End follows", ink.signs.dot),
                ink.theme.warning,
            ));
        }
        frame.render_widget(ink.pane(Line::from(title)), area);

        let rows = (first..written).map(|line| {
            let step = self.ends.partition_point(|&end| end <= line);
            let start = if step == 0 { 0 } else { self.ends[step - 1] };
            let selected = state.selected == Some(step);
            let facts = facts.then_some(width);
            self.step_line(&run.episode.steps[step], step, line - start, selected, facts, ink)
        });
        let rest = tail.into_iter().skip(first.saturating_sub(written));
        lines(frame.buffer_mut(), inner, rows.chain(rest));
    }

    /// Wraps the steps that have come since the last frame, or all after a resize.
    fn wrap_steps(&mut self, run: &Run, width: usize, ink: Ink<'_>) {
        // Two episodes of a recording may have the same number.
        let began_ms = run.episode.began_ms;
        if (self.wrapped_for.0, self.wrapped_for.1) != (run.id, began_ms) {
            self.first = None;
        }
        // A step that is taken back is no longer the one that was wrapped.
        let wrapped_for = (run.id, began_ms, width, run.episode.taken_back);
        if self.wrapped_for != wrapped_for {
            self.wrapped_for = wrapped_for;
            self.steps.clear();
            self.ends.clear();
        }
        // A replay may have been wound back.
        self.steps.truncate(run.episode.steps.len());
        self.ends.truncate(run.episode.steps.len());
        for step in &run.episode.steps[self.steps.len()..] {
            let mut wrapped = wrap(&step.writing.text, width, ink.glyphs);
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

    /// One line of a written step; with tokens and time at its right where its text leaves off at
    /// column `facts`.
    fn step_line(
        &self,
        step: &Step,
        index: usize,
        line: usize,
        selected: bool,
        facts: Option<usize>,
        ink: Ink<'_>,
    ) -> Line<'_> {
        let role = step.writing.model;
        let mut spans = if line == 0 {
            gutter(index, Some(role), is_persons(step.decision.as_ref()), selected, ink)
        } else {
            vec![Span::raw(" ".repeat(GUTTER - 2))]
        };
        spans.push(Span::styled(format!("{} ", ink.bar(role)), ink.role(role)));
        let text = self.steps[index][line].as_str();
        let style = if selected { ink.theme.selected } else { Style::new() };
        spans.push(Span::styled(text, style));
        if let (0, Some(width)) = (line, facts) {
            let usage = &step.writing.usage;
            let facts = format!(
                "{} tok {} {}",
                step.writing.tokens.len(),
                ink.signs.dot,
                duration(usage.prefill_ms + usage.decode_ms)
            );
            let gap = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text));
            spans.push(Span::raw(" ".repeat(gap)));
            spans.push(Span::styled(format!("{facts:>FACTS$}"), ink.theme.muted));
        }
        Line::from(spans)
    }
}

fn is_persons(decision: Option<&Decision>) -> bool {
    decision.is_some_and(|decision| decision.by == Decider::Person)
}

/// Selection, number, writer, and whether a person chose it; all but the bar.
fn gutter<'a>(
    index: usize,
    role: Option<Role>,
    person: bool,
    selected: bool,
    ink: Ink<'_>,
) -> Vec<Span<'a>> {
    let select = if selected { ink.signs.selected } else { " " };
    let style = role.map_or(ink.theme.muted, |role| ink.role(role));
    vec![
        Span::styled(select, ink.theme.warning),
        Span::styled(format!("{:>2} ", index + 1), ink.theme.muted),
        Span::styled(role.map_or('?', Role::mark).to_string(), style),
        Span::styled(if person { "*" } else { " " }, ink.theme.person),
    ]
}

/// Lines after the written steps: the current step, and the end.
fn tail(
    run: &Run,
    width: usize,
    (current, live): (bool, bool),
    ink: Ink<'_>,
) -> Vec<Line<'static>> {
    let episode = &run.episode;
    let mut tail = Vec::new();
    if episode.is_over() {
        tail.push(Line::default());
        tail.extend(ending(episode, width + GUTTER, ink));
        return tail;
    }
    let index = episode.steps.len();
    for draft in &episode.discarded {
        let sign = Span::styled(ink.signs.dropped, ink.theme.muted);
        for (i, text) in wrap(&draft.text, width, ink.glyphs).into_iter().enumerate() {
            let number = if i == 0 { format!(" {:>2} ", index + 1) } else { " ".repeat(4) };
            tail.push(Line::from(vec![
                Span::styled(number, ink.theme.muted),
                sign.clone(),
                Span::raw("   "),
                Span::styled(text, ink.theme.discarded),
            ]));
        }
    }
    let decision = episode.decision.as_ref();
    let role = decision.map(|decision| decision.choice);
    let mut start = gutter(index, role, is_persons(decision), current, ink);
    let bar = role.map_or(Span::raw("  "), |role| {
        Span::styled(format!("{} ", ink.bar(role)), ink.role(role))
    });
    start.push(bar.clone());
    let text = run.in_flight.as_ref().map_or("", |writing| writing.text.as_str());
    let glimpse = role.is_none();
    let wrapped = wrap(text, width.saturating_sub(1), ink.glyphs);
    let style = if glimpse { ink.theme.muted } else { Style::new() };
    let cursor = Span::styled(ink.signs.cursor, role.map_or(style, |role| ink.role(role)));
    if wrapped.is_empty() {
        start.push(if episode.status == Status::Paused && glimpse {
            Span::styled(at_the_points(episode, live), ink.theme.warning)
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
    if glimpse && episode.status == Status::Paused {
        let hint = at_the_points(episode, live);
        tail.extend(wrap(&hint, width, ink.glyphs).into_iter().map(|text| {
            Line::from(vec![Span::raw(" ".repeat(GUTTER)), Span::styled(text, ink.theme.warning)])
        }));
    }
    tail
}

/// What a pause before a step waits for.
fn at_the_points(episode: &Episode, live: bool) -> String {
    match episode.taken {
        _ if !live => "it broke off here: a fork goes on".into(),
        Some((model, _)) => format!("paused: {model} will write it, you said"),
        None => "paused: who writes this step?".into(),
    }
}

/// How the episode ended.
fn ending(episode: &Episode, width: usize, ink: Ink<'_>) -> Vec<Line<'static>> {
    let (answer, verdict, reason) = match &episode.status {
        Status::Finished { answer, verdict, reason } => (answer, verdict, reason),
        Status::Failed(error) => {
            let text = format!("failed: {error}");
            let wrapped = wrap(&text, width, ink.glyphs).into_iter();
            return wrapped.map(|line| Line::styled(line, ink.theme.bad)).collect();
        }
        Status::Running | Status::Paused => return Vec::new(),
    };
    let (sign, word, style) = match verdict {
        Verdict::Correct => (ink.signs.right, "correct", ink.theme.good),
        Verdict::Wrong => (ink.signs.wrong, "wrong", ink.theme.bad),
        Verdict::Undecided => (ink.signs.dot, "not graded", ink.theme.muted),
    };
    let answer = answer.as_deref().map_or_else(
        || "no answer".to_owned(),
        |answer| format!("answer {}", transcribe(answer, ink.glyphs)),
    );
    let mut spans = vec![Span::styled(format!(" {sign} {answer}, {word}"), style)];
    if let (Verdict::Wrong, Some(gold)) = (verdict, &episode.started.gold) {
        spans.push(Span::raw(format!(", gold {}", transcribe(gold, ink.glyphs))));
    }
    let why = match reason {
        FinishReason::Answered => "",
        FinishReason::EndOfText => "; a model ended the text",
        FinishReason::StepLimit => "; the step limit was reached",
        FinishReason::Circles => "; it went round in circles",
        FinishReason::ContextFull => "; a model's context is full",
        FinishReason::BudgetSpent => "; the budget is spent",
        FinishReason::Cancelled => "; stopped",
    };
    spans.push(Span::styled(why, ink.theme.muted));
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
            ink.theme.muted,
        ),
    ]
}

/// What stands there before the first episode.
fn welcome(state: &State, width: usize, ink: Ink<'_>) -> Vec<Line<'static>> {
    let key = |action: Action, does: &'static str| {
        let key = state.keys.first(action)?;
        Some(Line::from(vec![Span::styled(format!("  {key}  "), ink.theme.key), Span::raw(does)]))
    };
    let pair = Role::BOTH.map(|role| {
        let name = transcribe(state.preset_shown().model(role).label(), ink.glyphs);
        Line::from(vec![
            Span::styled(format!("  {}  ", role.mark()), ink.role(role)),
            Span::raw(name),
        ])
    });
    let mut lines = match &state.link {
        Link::Loading(what) => {
            let what = format!("{}{}", transcribe(what, ink.glyphs), ink.signs.more);
            let told = wrap(&what, width, ink.glyphs).into_iter();
            let mut lines: Vec<Line<'static>> = told.map(Line::from).collect();
            lines.extend(pair);
            if state.question.is_some() {
                lines.push(Line::default());
                lines.push(Line::styled(
                    "The question starts as soon as they are there.",
                    ink.theme.muted,
                ));
            }
            lines
        }
        Link::Ready if state.starting => vec![Line::from("the question is being asked")],
        Link::Ready => {
            let mut lines = vec![Line::from("No question yet."), Line::default()];
            let ways = [
                key(Action::Draw, "draw one of the task set"),
                key(Action::Type, "type your own"),
                key(Action::Help, "all keys"),
            ];
            lines.extend(ways.into_iter().flatten());
            lines.extend([Line::default(), Line::from("The models are loaded:")]);
            lines.extend(pair);
            lines
        }
        Link::Failed(_) | Link::Absent => return Vec::new(),
    };
    lines.push(Line::default());
    let store = format!("Episodes are kept in {}", transcribe(&state.store, ink.glyphs));
    lines.extend(
        wrap(&store, width, ink.glyphs).into_iter().map(|l| Line::styled(l, ink.theme.muted)),
    );
    lines
}
