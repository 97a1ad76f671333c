//! Routers: what chooses the writer of the next step.

mod features;
mod rules;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::config::Glimpse;
use crate::episode::{Decider, Episode, Role, Token};
use crate::tasks::Question;

pub use features::features;
pub use rules::{NAMES, by_name};

/// What a router may look at.
pub struct Boundary<'a> {
    /// The episode so far; its next step is the one to decide about.
    pub episode: &'a Episode,
    pub question: &'a Question,
    /// The glimpse; empty where the router asked for none.
    pub glimpse: &'a Glance,
}

/// The beginning of the next step as the small model would write it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glance {
    pub text: String,
    pub tokens: Vec<Token>,
    /// Whether the step ends with it.
    pub whole: bool,
}

/// A router's opinion at a boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Probability that the large model should write the next step, in [0, 1].
    pub p_large: f64,
    /// What it was computed from.
    pub features: BTreeMap<String, f64>,
}

/// Chooses at a boundary, by a probability that the threshold is compared with.
pub trait Router: Send {
    /// How it is called on the command line.
    fn name(&self) -> &str;

    /// Who decides, for the record.
    fn decider(&self) -> Decider {
        Decider::Rule(self.name().to_owned())
    }

    /// The model that it always chooses, whatever the threshold; nothing for a router that weighs.
    fn pinned(&self) -> Option<Role> {
        None
    }

    /// The glimpse that suits it best; a preset may ask for another.
    fn glimpse(&self) -> Glimpse;

    /// Whether it can only decide about questions whose solution is known.
    fn needs_solution(&self) -> bool {
        false
    }

    /// Its opinion.
    ///
    /// # Errors
    /// When it lacks what it needs.
    fn opinion(&mut self, boundary: &Boundary<'_>) -> Result<Opinion, RouterError>;
}

/// Why a router cannot be had or cannot decide.
#[derive(Debug, Error)]
pub enum RouterError {
    #[error("there is no router `{0}`: use one of {list}", list = NAMES.join(", "))]
    Unknown(String),
    #[error(
        "router {0} needs the gold solution of a task: take a question of --tasks arithmetic or another router"
    )]
    NeedsSolution(String),
    #[error("router {0} needs a glimpse of at least {1}: set --glimpse {1} or more")]
    NeedsGlimpse(&'static str, usize),
}
