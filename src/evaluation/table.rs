//! Scores as a table for people.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::Score;

const HEADER: [&str; 16] = [
    "router",
    "g",
    "t",
    "accuracy",
    "95 %",
    "cost share",
    "PGR",
    "APGR",
    "95 %",
    "first less this",
    "CPT 50/80/95",
    "ΔIBC",
    "small/large/dropped",
    "prefilled",
    "switches",
    "s",
];

/// One row a router, in Markdown.
pub fn table(scores: &[Score]) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(HEADER);
    for score in scores {
        table.add_row(row(score));
    }
    for column in 1..HEADER.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn row(score: &Score) -> [String; HEADER.len()] {
    let dash = || "–".to_owned();
    let percent = |x: f64| format!("{:.1} %", x * 100.0);
    let three = |x: f64| format!("{x:.3}");
    let range = |ci: Option<[f64; 2]>, digits: usize, scale: f64| {
        ci.map_or_else(dash, |[a, b]| format!("{:.digits$}–{:.digits$}", a * scale, b * scale))
    };
    let behind = score.behind.map_or_else(dash, |behind| match score.behind_ci {
        Some([a, b]) => format!("{behind:.3} ({a:.3}–{b:.3})"),
        None => three(behind),
    });
    let cpt = score.cpt.map(|c| c.map_or_else(dash, |c| format!("{:.0}", c * 100.0))).join("/");
    let tokens = &score.tokens;
    let mut dropped = format!("{:.1}/{:.1}/{:.1}", tokens.small, tokens.large, tokens.discarded);
    if tokens.judged > 0.0 {
        dropped.push_str(&format!(" +{:.1} judged", tokens.judged));
    }
    [
        score.router.clone(),
        score.glimpse.to_string(),
        format!("{:.2}", score.threshold),
        score.accuracy.map_or_else(dash, percent),
        range(score.accuracy_ci, 1, 100.0),
        score.cost_share.map_or_else(dash, percent),
        score.pgr.map_or_else(dash, three),
        score.apgr.map_or_else(dash, three),
        range(score.apgr_ci, 3, 1.0),
        behind,
        cpt,
        score.ibc.map_or_else(dash, |x| format!("{x:+.2}")),
        dropped,
        format!("{:.1}", tokens.prefilled),
        format!("{:.2}", score.switches),
        format!("{:.1}", score.wall_s),
    ]
}
