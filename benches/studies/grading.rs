//! The graders on real task sets: each gold answer against itself in several formats, and against other answers.
//!
//! Reads the task sets from the folder `$POINTSMAN_SHARED_DATA`.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::gold_answers;

pub(crate) fn run() -> anyhow::Result<()> {
    let folder = gold_answers::folder().map_err(anyhow::Error::msg)?;
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["set", "solution", "correct", "wrong", "undecided", "mismatches"]);
    let mut mismatches = Vec::new();
    for (set, format, counts) in gold_answers::table(&folder) {
        table.add_row([
            set.to_owned(),
            format.to_owned(),
            counts.correct.to_string(),
            counts.wrong.to_string(),
            counts.undecided.to_string(),
            counts.mismatches.len().to_string(),
        ]);
        mismatches.extend(counts.mismatches.into_iter().map(|o| format!("{set}, {format}: {o}")));
    }
    println!("{table}");
    for mismatch in &mismatches {
        println!("{mismatch}");
    }
    Ok(())
}
