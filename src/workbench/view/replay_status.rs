//! The status line of a replay: whether it plays, how fast, and how far it is.
//!
//! ```text
//!  replay playing 2x · ▇▇▇▇▇····· · 1.2 s of 3.4 s · step 3 of 7 · t 0.50 · you 0 of 3
//! ```

use ratatui::text::Span;

use super::render_context::RenderContext;
use super::text::{StatusPart, format_duration, sanitize};
use crate::workbench::replay::Replay;
use crate::workbench::state::State;

/// Cells of the bar.
const BAR: usize = 10;

/// The parts of the status line.
pub(in crate::workbench) fn status_parts(
    replay: &Replay,
    state: &State,
    ctx: RenderContext<'_>,
) -> Vec<StatusPart> {
    let plain = |weight: u8, text: String| StatusPart { weight, span: Span::raw(text) };
    let player = replay.player();
    let (word, style) = match (player.is_playing(), player.is_over()) {
        (true, _) => ("playing", ctx.theme.good),
        (false, true) => ("ended", ctx.theme.text),
        (false, false) => ("paused", ctx.theme.warning),
    };
    let text = format!("replay {word} {}", player.speed());
    let mut parts = vec![StatusPart { weight: 9, span: Span::styled(text, style) }];
    let position = if state.reduced_motion { player.last_event_ms() } else { player.position_ms() };
    let length = player.length_ms();
    let share = if length > 0.0 { position / length } else { 1.0 };
    let [filled, empty] = ctx.gauge(BAR, share, ctx.theme.title);
    parts.push(plain(5, format!("{}{}", filled.content, empty.content)));
    parts.push(plain(8, format!("{} of {}", format_duration(position), format_duration(length))));
    if let Some(displayed) = &state.displayed {
        let steps = replay.recorded().episode.steps.len();
        let step = displayed.last_step().map_or(0, |step| (step + 1).min(steps));
        parts.push(plain(7, format!("step {step} of {steps}")));
        parts.push(plain(3, format!("t {:.2}", state.threshold_now())));
        let (user, all) = displayed.user_decisions();
        parts.push(plain(2, format!("you {user} of {all}")));
    }
    let (at, all) = replay.position();
    if all > 1 {
        parts.push(plain(6, format!("episode {} of {all}", at + 1)));
    }
    parts.push(plain(1, sanitize(replay.source(), ctx.glyphs)));
    parts
}
