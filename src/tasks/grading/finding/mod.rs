//! What a solution answers: where its final answer stands, and the number in it.

mod boxes;
mod closing;
mod digits;
mod formulas;
mod names;
mod next_question;
pub mod number;
mod parts;
mod remarks;
mod scan;
mod tags;
mod verbs;

#[cfg(test)]
mod tests;

pub use next_question::after_thought;
pub use scan::{Found, Place, final_answer};
