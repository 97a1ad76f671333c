//! Comparisons that are true, false, or cannot be decided (`None`).

use super::value::AnswerValue;

/// Compares a gold value with an answer; `rounded` says that the gold one is approximate.
pub(super) type SameValue = fn(&AnswerValue, &AnswerValue, bool) -> Option<bool>;

/// All true, or one false, or neither.
pub(super) fn all_true(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for result in results {
        match result {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = false,
        }
    }
    known.then_some(true)
}

/// Whether values are the same, each in its place.
pub(super) fn same_in_order(
    gold: &[AnswerValue],
    answer: &[AnswerValue],
    rounded: bool,
    same: SameValue,
) -> Option<bool> {
    if gold.len() != answer.len() {
        return Some(false);
    }
    all_true(gold.iter().zip(answer).map(|(g, a)| same(g, a, rounded)))
}
