//! The accuracy-cost curve as the recordings estimate it, with the threshold on it.
//!
//! ```text
//! 96 %│                 · · ·
//!     │          · ·@
//!     │     ··
//! 60 %│ ·
//!     └────────────────────────
//!      13 %   115 % of large alone
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::render_context::RenderContext;
use crate::workbench::threshold_estimates::ThresholdEstimates;

/// Columns left of the grid.
const AXIS_COLUMNS: u16 = 6;
/// Points of the curve that are computed, at most twice as many.
const POINTS: usize = 200;

/// Draws the curve and the point of `threshold` on it; points with too few recordings are left out.
pub(super) fn render(
    buffer: &mut Buffer,
    area: Rect,
    estimates: &ThresholdEstimates,
    threshold: f64,
    ctx: RenderContext<'_>,
) {
    let marks = estimates.index.scale.marks();
    let every = (marks.len() / POINTS).max(1);
    let place = |t: f64| {
        let estimate = estimates.index.estimate(t);
        estimate.curve_point(estimates.unit).filter(|_| estimate.supported)
    };
    let points: Vec<(f64, f64)> = marks.iter().step_by(every).filter_map(|t| place(*t)).collect();
    let here = place(threshold);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = || points.iter().chain(&here).map(of);
        let (low, high) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        (low, (high - low).max(0.01))
    };
    if points.is_empty() || area.width < AXIS_COLUMNS + 20 || area.height < 5 {
        let text = Line::styled("too few recordings to estimate the curve", ctx.theme.muted);
        buffer.set_line(area.x, area.y, &text, area.width);
        return;
    }
    let ((left, width), (bottom, height)) = (range(|p| p.0), range(|p| p.1));
    let grid = Rect {
        x: area.x + AXIS_COLUMNS,
        width: area.width - AXIS_COLUMNS,
        height: area.height - 2,
        ..area
    };
    let cell = |(share, accuracy): (f64, f64)| {
        let x = (share - left) / width * f64::from(grid.width - 1);
        let y = (1.0 - (accuracy - bottom) / height) * f64::from(grid.height - 1);
        (grid.x + x.round() as u16, grid.y + y.round() as u16)
    };
    for point in &points {
        let (x, y) = cell(*point);
        buffer.set_string(x, y, ctx.symbols.dot, ctx.theme.muted);
    }
    if let Some(point) = here {
        let (x, y) = cell(point);
        buffer.set_string(x, y, "@", ctx.theme.threshold);
    }
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    for y in grid.y..grid.bottom() {
        buffer.set_string(grid.x - 1, y, ctx.symbols.threshold, ctx.theme.border);
    }
    let label = |text: String| format!("{text:>5}");
    buffer.set_string(area.x, grid.y, label(percent(bottom + height)), ctx.theme.muted);
    buffer.set_string(area.x, grid.bottom() - 1, label(percent(bottom)), ctx.theme.muted);
    let right = format!("{} of the cost of large alone", percent(left + width));
    buffer.set_string(grid.x, grid.bottom(), percent(left), ctx.theme.muted);
    let at = grid.right().saturating_sub(right.len() as u16);
    buffer.set_string(at, grid.bottom(), &right, ctx.theme.muted);
    let legend = "accuracy over cost, by the recordings; @ is this threshold";
    let room = usize::from(grid.width);
    buffer.set_stringn(grid.x, grid.bottom() + 1, legend, room, ctx.theme.muted);
}
