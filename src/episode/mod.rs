//! Episodes: events, and what is computed from them.
//!
//! An episode is the list of its events; steps, totals and scores are folded from that list by
//! [`Episode::apply`], live and in replay alike. Nothing here does I/O, reads a clock or draws at
//! random.

mod event;
#[cfg(test)]
pub(crate) mod fixtures;
mod fold;
mod ledger;
mod next_step_cost;
mod shadows;

pub use crate::grading::Verdict;
pub use crate::role::{PerRole, Role};
pub use event::{
    Decider, Event, EventKind, FinishReason, Generation, ModelRecord, Origin, OverrideScope,
    Parent, SCHEMA, Scoring, Started, StopReason, Token, Usage,
};
pub use fold::{Decision, Episode, EpisodeStatus, FoldError, Step, apply_threshold};
pub use ledger::{Ledger, UsageTotals};
pub use next_step_cost::NextStepCost;
pub use shadows::{ShadowAgreement, ShadowDisagreement, agreements, disagreements};
