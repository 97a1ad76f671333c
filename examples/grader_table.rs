//! How the graders do on real questions: each gold answer against itself, in several dresses, and
//! against others'.
//!
//! `cargo run --release --example grader_table` reads `../shared/data`, or `$POINTSMAN_SHARED_DATA`.

#[path = "../tests/shared/mod.rs"]
mod shared;

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

fn main() -> anyhow::Result<()> {
    let folder = shared::folder().map_err(anyhow::Error::msg)?;
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["set", "solution", "correct", "wrong", "undecided", "not as it should be"]);
    let mut odd = Vec::new();
    for (set, dress, counts) in shared::table(&folder) {
        table.add_row([
            set.to_owned(),
            dress.to_owned(),
            counts.correct.to_string(),
            counts.wrong.to_string(),
            counts.undecided.to_string(),
            counts.odd.len().to_string(),
        ]);
        odd.extend(counts.odd.into_iter().map(|o| format!("{set}, {dress}: {o}")));
    }
    println!("{table}");
    odd.iter().for_each(|line| println!("{line}"));
    Ok(())
}
