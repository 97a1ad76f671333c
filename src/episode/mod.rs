//! Episodes: events, and what is computed from them.
//!
//! An episode is the list of its events. [`Episode::apply`] folds steps, totals and state from that list, in a live
//! session and in a replay alike. This module does no I/O, reads no clock and draws nothing at random.
//!
//! | file | contents |
//! |---|---|
//! | `event` | [`Event`], [`EventKind`]: what the store and recordings hold |
//! | `generation` | [`Generation`], [`Scoring`], [`Token`], [`Usage`]: what a model wrote or scored |
//! | `decision` | [`Decision`], [`apply_threshold`] |
//! | `step` | [`Step`]: a step of the trace |
//! | `fold` | [`Episode`]: the state after the last event |
//! | `ledger` | [`Ledger`]: tokens, times and cost by model |
//! | `next_step_cost` | [`NextStepCost`]: what the next step would cost |
//! | `ranges` | [`OutOfRange`]: checks of an event's numbers |
//! | `shadows` | where shadow routers would have chosen otherwise |
//!
//! ```
//! use pointsman::config::{Folders, load_preset};
//! use pointsman::episode::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = ModelRecord { name: "m".into(), digest: "d".into(), parameters: 1 };
//! let started = Started {
//!     question: "1 + 1?".into(),
//!     origin: None,
//!     gold: Some("2".into()),
//!     preset: load_preset("tiny", &Folders::below("/nonexistent")?)?,
//!     models: PerRole { small: model.clone(), large: model },
//!     prices: PerRole { small: 1.0.into(), large: 10.0.into() },
//!     seed: 0,
//!     collection: None,
//!     parent: None,
//! };
//! let generation = Generation {
//!     model: Role::Large,
//!     text: "Answer: 2\n".into(),
//!     tokens: Vec::new(),
//!     usage: Usage { prefilled: 7, ..Usage::default() },
//!     stop: StopReason::Delimiter,
//! };
//! let events = [
//!     EventKind::Started(Box::new(started)),
//!     EventKind::Written { step: 0, generation },
//!     EventKind::Finished {
//!         answer: Some("2".into()),
//!         verdict: Verdict::Correct,
//!         reason: FinishReason::Answered,
//!     },
//! ]
//! .map(|kind| Event::new(1_800_000_000_000, kind));
//!
//! let episode = Episode::fold(&events)?.expect("the list is not empty");
//! assert_eq!(episode.text(), "Answer: 2\n");
//! assert_eq!(episode.verdict(), Some(Verdict::Correct));
//! assert_eq!(episode.ledger.cost(), 70.0);
//! # Ok(())
//! # }
//! ```

mod decision;
mod event;
pub(crate) mod feature_names;
#[cfg(test)]
pub(crate) mod fixtures;
mod fold;
mod generation;
mod ledger;
mod next_step_cost;
mod ranges;
mod shadows;
mod step;

pub use crate::grading::Verdict;
pub use crate::role::{PerRole, Role};
#[cfg(test)]
pub(crate) use decision::DRAFT_LENGTH;
pub(crate) use decision::draft_length;
pub use decision::{Decision, apply_threshold};
pub use event::{
    Decider, Event, EventKind, FinishReason, ModelRecord, Origin, OverrideScope, Parent, SCHEMA,
    Started,
};
pub use fold::{Episode, EpisodeStatus, FoldError};
pub use generation::{Generation, Scoring, StopReason, Token, Usage};
pub use ledger::{Ledger, UsageTotals};
pub use next_step_cost::NextStepCost;
pub(crate) use ranges::MIN_LOGPROB;
pub use ranges::OutOfRange;
pub use shadows::{ShadowAgreement, ShadowDisagreement, agreements, disagreements};
pub use step::Step;
