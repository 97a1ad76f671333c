//! The graders on real questions, where these are present.

mod real_questions;

use std::io::Write;

#[test]
fn real_gold_answers_are_right_themselves_and_wrong_for_others() {
    let folder = match real_questions::folder() {
        Ok(folder) => folder,
        Err(reason) => {
            // Not by way of the harness, which would hide it.
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
            return;
        }
    };
    for (set, format, counts) in real_questions::table(&folder) {
        println!(
            "{set:8} {format:26} {:6} correct {:6} wrong {:3} undecided",
            counts.correct, counts.wrong, counts.undecided
        );
        assert!(counts.mismatches.is_empty(), "{set}, {format}: {:#?}", counts.mismatches);
        assert!(counts.correct > 0, "{set}, {format}: nothing was graded");
    }
}
