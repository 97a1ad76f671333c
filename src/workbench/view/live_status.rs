//! The status line of a session and its episode.
//!
//! ```text
//!  running · tiny · policy · t 0.50 · you 0 of 3 · 1.2 s · store ok
//! ```

use ratatui::style::Style;
use ratatui::text::Span;

use super::render_context::RenderContext;
use super::text::{StatusPart, format_duration, sanitize, truncate_to_width};
use crate::episode::{EpisodeStatus, FinishReason, OverrideScope, Verdict};
use crate::workbench::state::{SessionStatus, State};

/// The parts of the status line.
pub(in crate::workbench) fn status_parts(state: &State, ctx: RenderContext<'_>) -> Vec<StatusPart> {
    let plain = |weight: u8, text: String| StatusPart { weight, span: Span::raw(text) };
    let (text, style) = status_text(state, ctx);
    let mut parts = vec![StatusPart { weight: 9, span: Span::styled(text, style) }];
    parts.push(plain(4, sanitize(&state.preset_shown().name, ctx.glyphs)));
    parts.push(plain(5, sanitize(&state.preset_shown().routing.router, ctx.glyphs)));
    let threshold = match state.active.pending_threshold() {
        Some(to) => format!("t {:.2}{}{to:.2}", state.threshold_now(), ctx.symbols.to),
        None => format!("t {:.2}", state.threshold_now()),
    };
    parts.push(plain(8, threshold));
    if let Some(memory) = state.gpu {
        let [used, total] = [memory.used, memory.total].map(|bytes| bytes as f64 / 1e9);
        parts.push(plain(3, format!("gpu {used:.1} of {total:.0} GB")));
    }
    if state.background.as_ref().is_some_and(|displayed| !displayed.is_over()) {
        parts.push(StatusPart {
            weight: 7,
            span: Span::styled("another is running", ctx.theme.warning),
        });
    }
    if let Some(displayed) = &state.displayed {
        let live = state.is_live(displayed);
        if let (Some((model, scope)), false) =
            (displayed.episode.active_override.filter(|_| live), displayed.is_over())
        {
            let reach = match scope {
                OverrideScope::NextStep => "next",
                OverrideScope::FromHereOn => "from here",
            };
            let text = format!("you: {model} {reach}");
            parts.push(StatusPart { weight: 7, span: Span::styled(text, ctx.theme.user) });
        }
        let (user, all) = displayed.user_decisions();
        parts.push(plain(6, format!("you {user} of {all}")));
        parts.push(plain(3, format_duration(state.elapsed_ms().unwrap_or_default() as f64)));
        if live {
            // Events reach the screen once they are in the store.
            parts.push(plain(2, "store ok".into()));
        } else {
            parts.push(StatusPart { weight: 8, span: Span::styled("stored", ctx.theme.warning) });
        }
        parts.push(plain(1, format!("episode {}", displayed.id)));
    }
    parts
}

/// The status of the session or the episode, in few words.
fn status_text(state: &State, ctx: RenderContext<'_>) -> (String, Style) {
    let theme = ctx.theme;
    let displayed = match (&state.session_status, &state.displayed) {
        (SessionStatus::Loading(_), _) => return ("loading".into(), theme.warning),
        (SessionStatus::Failed(_), _) => return ("session over".into(), theme.bad),
        (SessionStatus::Ready, _) if state.starting => return ("starting".into(), theme.good),
        (SessionStatus::Ready | SessionStatus::None, None) => return ("ready".into(), theme.good),
        (SessionStatus::Ready | SessionStatus::None, Some(displayed)) => displayed,
    };
    let live = state.is_live(displayed);
    match displayed.status() {
        EpisodeStatus::Running | EpisodeStatus::Paused if !live => {
            ("unfinished".into(), theme.warning)
        }
        EpisodeStatus::Running => ("running".into(), theme.good),
        EpisodeStatus::Paused if displayed.is_pausing() => ("pausing".into(), theme.warning),
        EpisodeStatus::Paused => ("paused".into(), theme.warning),
        EpisodeStatus::Failed(_) => ("failed".into(), theme.bad),
        EpisodeStatus::Finished { reason: FinishReason::Cancelled, .. } => {
            ("stopped".into(), theme.warning)
        }
        EpisodeStatus::Finished { answer, verdict, .. } => {
            let (sign, style) = match verdict {
                Verdict::Correct => (ctx.symbols.right, theme.good),
                Verdict::Wrong => (ctx.symbols.wrong, theme.bad),
                Verdict::Undecided => ("", theme.text),
            };
            let answer = answer.as_deref().map(|answer| sanitize(answer, ctx.glyphs));
            let answer = truncate_to_width(
                &answer.unwrap_or_else(|| "finished".into()),
                20,
                ctx.symbols.more,
            );
            let word = match verdict {
                Verdict::Correct => " correct",
                Verdict::Wrong => " wrong",
                Verdict::Undecided => "",
            };
            (format!("{sign} {answer}{word}").trim_start().to_owned(), style)
        }
    }
}
