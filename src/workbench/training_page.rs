//! Retraining and calibration on the screen: what is under way, and what came of it.

use std::sync::Arc;

use crate::training::Candidate;

/// Episodes that are collected at a time.
pub const COLLECT_BATCH: usize = 500;

/// What can be done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingAction {
    /// Train a policy from the store.
    Train,
    /// Write episodes to learn from.
    Collect,
    /// Find a threshold for the policy in force.
    Calibrate,
    /// Have the new policy and the one in force answer the same fresh questions.
    PromotionTest,
    /// Put the new policy in force.
    Promote,
    /// Cancel what is under way, else drop the new policy.
    Discard,
    /// Put the policy in force that was before the last promotion.
    RollBack,
}

/// The page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingPage {
    pub running: Option<TrainingProgress>,
    /// A policy that was trained and is neither promoted nor discarded.
    pub candidate: Option<Arc<Candidate>>,
    /// Whether the candidate won a contest; nothing where none was held.
    pub passed: Option<bool>,
    /// A person was told that it did not, and asked to say it again.
    pub promotion_warned: bool,
    /// What happened, the last at the end.
    pub log: Vec<String>,
}

/// Something under way.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingProgress {
    pub action: TrainingAction,
    pub done: usize,
    /// 0 where it is not known yet.
    pub total: usize,
    /// How it stands.
    pub text: String,
}

/// TrainingUpdate from there.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainingUpdate {
    Progress(TrainingProgress),
    CandidateTrained(Arc<Candidate>),
    /// Something came to its end; what to tell.
    Finished(String),
    /// A contest did; what to tell, and whether the candidate won.
    PromotionTested(String, bool),
    /// Something could not be done, or was cancelled.
    Failed(String),
}
