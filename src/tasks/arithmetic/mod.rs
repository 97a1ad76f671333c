//! The built-in task set: arithmetic word problems, endless, seeded and graded exactly.
//!
//! A problem is a short story ("Ava has 37 pens. She buys 4 boxes of 12 pens. …") and the operations that solve it, one
//! per line in the order of the story; the last line gives the answer. Because the operations are known, so is the
//! correct continuation at every step, which the step accuracy and the oracle router need. Some stories count a second
//! thing that the question does not ask about: its lines are part of the solution, but an error in them does no harm.

mod generator;
mod operation;
mod problem;
mod story;
mod vocabulary;

pub use super::Split;
pub use generator::ProblemGenerator;
pub(crate) use operation::carries_in;
pub use operation::{Operation, OperationKind, Operator, SMALL_FACT};
pub use problem::Problem;
pub use story::OperationMix;
