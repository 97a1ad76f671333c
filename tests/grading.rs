//! The graders on real questions, where these are present.

mod shared;

use std::io::Write;

#[test]
fn real_gold_answers_are_right_themselves_and_wrong_for_others() {
    let folder = match shared::folder() {
        Ok(folder) => folder,
        Err(reason) => {
            // Not by way of the harness, which would hide it.
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
            return;
        }
    };
    for (set, dress, counts) in shared::table(&folder) {
        println!(
            "{set:8} {dress:26} {:6} correct {:6} wrong {:3} undecided",
            counts.correct, counts.wrong, counts.undecided
        );
        assert!(counts.odd.is_empty(), "{set}, {dress}: {:#?}", counts.odd);
        assert!(counts.correct > 0, "{set}, {dress}: nothing was graded");
    }
}
