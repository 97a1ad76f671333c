//! Whether a new policy is better than the one in force.

use std::sync::Arc;

use thiserror::Error;

use crate::engine::Flow;
use crate::evaluation::{CurveError, Figure, Trial, scores};
use crate::routing::{Policy, Roster};
use crate::session::{Fleet, SessionError};
use crate::tasks::Question;

/// Resamples of the questions for the interval.
const RESAMPLES: usize = 2000;

/// Two policies on the same fresh questions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contest {
    /// APGR of the challenger.
    pub challenger: Option<f64>,
    /// APGR of the one in force.
    pub champion: Option<f64>,
    /// The first less the second, paired by question.
    pub lead: Option<Figure>,
}

impl Contest {
    /// Whether the whole 95 % interval of the lead is above 0.
    pub fn is_won(&self) -> bool {
        self.lead.and_then(|lead| lead.ci).is_some_and(|[low, _]| low > 0.0)
    }
}

/// Why a contest was not held.
#[derive(Debug, Error)]
pub enum ContestError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Curve(#[from] CurveError),
}

/// Runs both policies over fresh `questions` at every threshold. `progress` is told after each
/// episode's question, four times a question in all, and may end it.
///
/// # Errors
/// When an episode cannot be run, or `progress` cancels.
pub fn contest<P: Into<Flow>>(
    fleet: &mut Fleet,
    [challenger, champion]: [Arc<Policy>; 2],
    questions: &[Question],
    seed: u64,
    progress: impl Fn() -> P,
) -> Result<Contest, ContestError> {
    let name = fleet.first().preset().name.clone();
    let rosters = [challenger, champion].map(|policy| Roster::new(&name, Some(policy)));
    let mut ends = None;
    let mut runs = Vec::new();
    for roster in &rosters {
        let mut trial = Trial { fleet, roster, questions, seed };
        if ends.is_none() {
            ends = Some(trial.ends(&progress)?.0);
        }
        runs.push(trial.run("policy", true, &progress)?);
    }
    let scores = scores(&runs, &ends.unwrap_or_default(), true, RESAMPLES, seed)?;
    let lead = scores[1].behind.map(|value| Figure { value, ci: scores[1].behind_ci });
    Ok(Contest { challenger: scores[0].apgr, champion: scores[1].apgr, lead })
}
