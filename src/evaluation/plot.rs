//! Accuracy-cost curves as an SVG picture.

use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, IntoFont, LineSeries, Palette, Palette99,
    SVGBackend, WHITE,
};
use plotters::style::{BLACK, RGBColor};

use super::RouterMetrics;

/// The curves of `metrics` in one SVG picture: accuracy over cost share, with a line for each router
/// and a dot at its operating threshold.
///
/// # Errors
/// If the picture cannot be drawn; the error is a sentence.
pub fn plot(metrics: &[RouterMetrics], title: &str) -> Result<String, String> {
    let mut svg = String::new();
    draw(metrics, title, &mut svg).map_err(|e| format!("the plot cannot be drawn: {e}"))?;
    Ok(svg)
}

fn draw(
    metrics: &[RouterMetrics],
    title: &str,
    svg: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    // In the order of the thresholds, not sorted by cost: the cost need not be monotone.
    let points = |metrics: &RouterMetrics| -> Vec<(f64, f64)> {
        let on_curve = metrics.curve.iter().filter_map(|p| Some((p.cost_share?, p.accuracy)));
        let mut points: Vec<_> = on_curve.collect();
        points.dedup();
        points
    };
    let operating = |metrics: &RouterMetrics| {
        metrics
            .cost_share
            .zip(metrics.accuracy)
            .map(|(share, accuracy)| (share.value, accuracy.value))
    };
    let all: Vec<(f64, f64)> = metrics
        .iter()
        .flat_map(|metrics| points(metrics).into_iter().chain(operating(metrics)))
        .collect();
    let most = all.iter().map(|p| p.0).fold(1.0, f64::max);
    let least = all.iter().map(|p| p.1).fold(1.0, f64::min);
    let low = (least * 20.0).floor() / 20.0;
    let area = SVGBackend::with_string(svg, (900, 560)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18).into_font())
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..most.min(1.3), low..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(RGBColor(240, 240, 240))
        .bold_line_style(RGBColor(225, 225, 225))
        .x_desc("cost, as a share of always-large's")
        .y_desc("accuracy")
        .x_label_formatter(&|x| format!("{:.0} %", x * 100.0))
        .y_label_formatter(&|y| format!("{:.0} %", y * 100.0))
        .draw()?;
    for (i, metrics) in metrics.iter().enumerate() {
        let colour = Palette99::pick(i).to_rgba();
        let points = points(metrics);
        let width = if i == 0 { 3 } else { 2 };
        let style = colour.stroke_width(width);
        let name = metrics.apgr.map_or_else(
            || metrics.router.clone(),
            |apgr| format!("{} (APGR {:.3})", metrics.router, apgr.value),
        );
        // A router without a curve has only the dot.
        let dot = move |at: (f64, f64)| Circle::new(at, 4, colour.filled());
        let dots = chart.draw_series(operating(metrics).map(dot))?;
        let mark = move |(x, y)| Circle::new((x + 9, y), 4, colour.filled());
        if points.len() < 2 {
            dots.label(name).legend(mark);
        } else {
            chart.draw_series(LineSeries::new(points, style))?.label(name).legend(move |(x, y)| {
                plotters::element::PathElement::new(vec![(x, y), (x + 18, y)], style)
            });
        }
    }
    chart
        .configure_series_labels()
        .position(plotters::chart::SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    drop(chart);
    Ok(())
}
