//! Scores as a table for people.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::RouterMetrics;

const HEADER: [&str; 16] = [
    "router",
    "draft",
    "threshold",
    "accuracy",
    "95 %",
    "cost share",
    "PGR",
    "APGR",
    "95 %",
    "APGR gap to first",
    "CPT 50/80/95",
    "ΔIBC",
    "tokens small/large/discarded",
    "prefilled",
    "switches",
    "seconds",
];

/// One row a router, in Markdown.
pub fn metrics_table(metrics: &[RouterMetrics]) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(HEADER);
    for metrics in metrics {
        table.add_row(row(metrics));
    }
    for column in 1..HEADER.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn row(metrics: &RouterMetrics) -> [String; HEADER.len()] {
    let dash = || "–".to_owned();
    let percent = |x: f64| format!("{:.1} %", x * 100.0);
    let three = |x: f64| format!("{x:.3}");
    let range = |ci: Option<[f64; 2]>, digits: usize, scale: f64| {
        ci.map_or_else(dash, |[a, b]| format!("{:.digits$}–{:.digits$}", a * scale, b * scale))
    };
    let apgr_gap = metrics.apgr_gap.map_or_else(dash, |apgr_gap| match metrics.apgr_gap_ci {
        Some([a, b]) => format!("{apgr_gap:.3} ({a:.3}–{b:.3})"),
        None => three(apgr_gap),
    });
    let cpt = metrics.cpt.map(|c| c.map_or_else(dash, |c| format!("{:.0}", c * 100.0))).join("/");
    let tokens = &metrics.tokens;
    let mut tokens_cell =
        format!("{:.1}/{:.1}/{:.1}", tokens.small, tokens.large, tokens.discarded);
    if tokens.scored > 0.0 {
        tokens_cell.push_str(&format!(" +{:.1} scored", tokens.scored));
    }
    [
        metrics.router.clone(),
        metrics.draft_length.to_string(),
        format!("{:.2}", metrics.threshold),
        metrics.accuracy.map_or_else(dash, percent),
        range(metrics.accuracy_ci, 1, 100.0),
        metrics.cost_share.map_or_else(dash, percent),
        metrics.pgr.map_or_else(dash, three),
        metrics.apgr.map_or_else(dash, three),
        range(metrics.apgr_ci, 3, 1.0),
        apgr_gap,
        cpt,
        metrics.delta_ibc.map_or_else(dash, |x| format!("{x:+.2}")),
        tokens_cell,
        format!("{:.1}", tokens.prefilled),
        format!("{:.2}", metrics.switches),
        format!("{:.1}", metrics.total_seconds),
    ]
}
