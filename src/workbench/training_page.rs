//! The training page: what is running, and the results.

use std::sync::Arc;

use crate::training::Candidate;

/// Number of episodes that are collected at a time.
pub const COLLECT_BATCH: usize = 500;

/// An action of the training page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingAction {
    /// Train a policy from the store: the candidate.
    Train,
    /// Collect episodes to train from.
    Collect,
    /// Find a threshold for the current policy.
    Calibrate,
    /// Test the candidate against the current policy on the same fresh questions.
    PromotionTest,
    /// Route with the candidate.
    Promote,
    /// Cancel what is running, or delete the candidate.
    Discard,
    /// Undo the last promotion.
    RollBack,
}

/// The training page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingPage {
    /// What is running.
    pub running: Option<TrainingProgress>,
    /// How many jobs were started: the number of the last one.
    pub started: u64,
    /// A policy that was trained and is neither promoted nor discarded.
    pub candidate: Option<Arc<Candidate>>,
    /// Whether the candidate passed the promotion test; `None` without a test.
    pub passed: Option<bool>,
    /// The user was warned that the candidate has not passed.
    pub promotion_warned: bool,
    /// The results, the latest last.
    pub log: Vec<String>,
}

/// The progress of what is running.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingProgress {
    /// What is running.
    pub action: TrainingAction,
    /// Units done.
    pub done: usize,
    /// Units in all; 0 if unknown.
    pub total: usize,
    /// More about it.
    pub text: String,
}

/// A report of a [`super::Job::RunTraining`].
#[derive(Debug, Clone, PartialEq)]
pub enum TrainingUpdate {
    /// Progress.
    Progress(TrainingProgress),
    /// A policy was trained.
    CandidateTrained(Arc<Candidate>),
    /// A collection or calibration has finished; its result.
    Finished(String),
    /// A promotion test has finished; its result, and whether the candidate passed.
    PromotionTested(String, bool),
    /// It failed or was cancelled; why.
    Failed(String),
}
