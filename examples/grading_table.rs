//! How the graders do on real questions: each gold answer against itself, in several dresses, and
//! against others'.
//!
//! `cargo run --release --example grader_table` reads `../shared/data`, or `$POINTSMAN_SHARED_DATA`.

#[path = "../tests/real_questions/mod.rs"]
mod real_questions;

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

fn main() -> anyhow::Result<()> {
    let folder = real_questions::folder().map_err(anyhow::Error::msg)?;
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["set", "solution", "correct", "wrong", "undecided", "not as it should be"]);
    let mut mismatches = Vec::new();
    for (set, format, counts) in real_questions::table(&folder) {
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
    mismatches.iter().for_each(|line| println!("{line}"));
    Ok(())
}
