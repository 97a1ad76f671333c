//! Episodes: events, and what is computed from them.
//!
//! An episode is the list of its events; steps, totals and scores are folded from that list by
//! [`Episode::apply`], live and in replay alike. Nothing here does I/O, reads a clock or draws at
//! random.

mod event;
mod fold;
mod ledger;
mod preview;
#[cfg(test)]
pub(crate) mod samples;
mod shadows;

pub use crate::role::{PerRole, Role};
pub use event::{
    Decider, Event, EventKind, FinishReason, ModelRecord, Origin, OverrideScope, Parent, Reading,
    SCHEMA, Started, StopReason, Token, Usage, Verdict, Writing,
};
pub use fold::{Decision, Episode, FoldError, Status, Step, role_at};
pub use ledger::{Account, Ledger};
pub use preview::Preview;
pub use shadows::{Agreement, Disagreement, agreements, disagreements};
