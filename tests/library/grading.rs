//! The graders on the gold answers of real task sets, if these are installed.

use std::io::Write;

use crate::gold_answers;

#[test]
fn gold_answers_are_correct_for_their_own_question_only() {
    let folder = match gold_answers::folder() {
        Ok(folder) => folder,
        Err(reason) => {
            // `eprintln!` would be captured and hidden.
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
            return;
        }
    };
    for (set, format, counts) in gold_answers::table(&folder) {
        println!(
            "{set:8} {format:26} {:6} correct {:6} wrong {:3} undecided",
            counts.correct, counts.wrong, counts.undecided
        );
        assert!(counts.mismatches.is_empty(), "{set}, {format}: {:#?}", counts.mismatches);
        assert!(counts.correct > 0, "{set}, {format}: nothing was graded");
    }
}
