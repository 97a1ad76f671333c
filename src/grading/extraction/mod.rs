//! Extracts the final answer from a solution, and its number.

mod answer_labels;
mod answer_tags;
mod boxes;
mod final_answer;
mod formula_spans;
mod itemized_totals;
mod linking_verbs;
mod number_spans;
pub(super) mod numeric_answer;
mod sentence_number;
mod solution_end;
mod trailing_remarks;

#[cfg(test)]
mod tests;

pub(super) use final_answer::{AnswerSource, ExtractedAnswer, final_answer};
pub(super) use solution_end::after_thinking;
