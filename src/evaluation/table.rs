//! Router metrics as a table.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::{MetricValue, RouterMetrics};

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

/// What the columns of [`metrics_table`] mean: pairs of heading and explanation.
pub const COLUMN_LEGEND: [(&str, &str); 13] = [
    ("draft", "tokens that the small model writes before the choice: a number, or the whole step"),
    ("threshold", "the large model writes a step if p(large) is at least this"),
    ("accuracy", "share of questions answered correctly"),
    ("95 %", "interval of the value to its left, by bootstrap over the questions"),
    ("cost share", "mean cost of an episode as a share of always-large's"),
    ("PGR", "performance gap recovered: 0 is as accurate as always-small, 1 as always-large"),
    ("APGR", "average PGR over all cost shares; a coin toss between the two models has 0.5"),
    ("APGR gap to first", "APGR of the first router minus this one's, paired by question"),
    ("CPT 50/80/95", "lowest cost share (%) at which PGR reaches 0.5, 0.8 and 0.95"),
    ("ΔIBC", "gain in accuracy per cost over always-small, relative to always-large's, minus 1"),
    ("tokens", "mean per episode: kept of the small and of the large model, and discarded"),
    ("prefilled", "mean tokens per episode that a model had to read anew"),
    ("–", "undefined, such as PGR if the large model is not more accurate than the small one"),
];

/// One row per router, in Markdown.
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
    let with = |metric: Option<MetricValue>, text: &dyn Fn(f64) -> String| {
        metric.map_or_else(dash, |m| text(m.value))
    };
    let percent = |x: f64| format!("{:.1} %", x * 100.0);
    let three = |x: f64| format!("{x:.3}");
    let range = |metric: Option<MetricValue>, digits: usize, scale: f64| {
        let ci = metric.and_then(|m| m.ci);
        ci.map_or_else(dash, |[a, b]| format!("{:.digits$}–{:.digits$}", a * scale, b * scale))
    };
    let apgr_gap = metrics.apgr_gap.map_or_else(dash, |gap| match gap.ci {
        Some([a, b]) => format!("{:.3} ({a:.3}–{b:.3})", gap.value),
        None => three(gap.value),
    });
    let cpt = metrics.cpt.map(|cpt| with(cpt, &|share| format!("{:.0}", share * 100.0))).join("/");
    let tokens = &metrics.tokens;
    let mut tokens_cell =
        format!("{:.1}/{:.1}/{:.1}", tokens.small, tokens.large, tokens.discarded);
    if tokens.scored > 0.0 {
        tokens_cell = format!("{tokens_cell} +{:.1} scored", tokens.scored);
    }
    [
        metrics.router.clone(),
        metrics.draft_length.to_string(),
        format!("{:.2}", metrics.threshold),
        with(metrics.accuracy, &percent),
        range(metrics.accuracy, 1, 100.0),
        with(metrics.cost_share, &percent),
        with(metrics.pgr, &three),
        with(metrics.apgr, &three),
        range(metrics.apgr, 3, 1.0),
        apgr_gap,
        cpt,
        with(metrics.delta_ibc, &|x| format!("{x:+.2}")),
        tokens_cell,
        format!("{:.1}", tokens.prefilled),
        format!("{:.2}", metrics.switches),
        format!("{:.1}", metrics.total_seconds),
    ]
}
