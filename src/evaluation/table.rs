//! Scores as a table for people.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::Score;

/// One row a router, in Markdown.
pub fn table(scores: &[Score]) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "router",
        "accuracy",
        "95 %",
        "cost share",
        "steps right",
        "small",
        "large",
        "discarded",
        "prefilled",
        "reused",
        "switches",
        "s",
    ]);
    for score in scores {
        let percent = |x: f64| format!("{:.1} %", x * 100.0);
        let tokens = &score.tokens;
        table.add_row([
            score.router.clone(),
            percent(score.accuracy),
            format!("{:.1}–{:.1}", score.accuracy_ci[0] * 100.0, score.accuracy_ci[1] * 100.0),
            score.cost_share.map_or_else(|| "–".into(), percent),
            score.step_accuracy.map_or_else(|| "–".into(), percent),
            format!("{:.1}", tokens.small),
            format!("{:.1}", tokens.large),
            format!("{:.1}", tokens.discarded),
            format!("{:.1}", tokens.prefilled),
            format!("{:.1}", tokens.reused),
            format!("{:.2}", score.switches),
            format!("{:.1}", score.wall_s),
        ]);
    }
    for column in 1..12 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
