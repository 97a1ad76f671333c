//! What a list shows of an episode.

use serde::{Deserialize, Serialize};

use crate::episode::{Episode, FinishReason, Role, Status, Verdict};

/// Version of [`Summary`]: one of another version is folded anew.
const VERSION: u32 = 2;

/// One episode in short. Everything here is folded from its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    version: u32,
    pub id: u64,
    /// First and last event, milliseconds since the Unix epoch.
    pub began_ms: u64,
    pub last_ms: u64,
    pub question: String,
    /// The task set, where it came from one.
    pub task: Option<String>,
    /// Its place in the task set, where it came from one.
    pub index: Option<usize>,
    /// The collection that it was written for, if any.
    pub collection: Option<String>,
    pub preset: String,
    pub router: String,
    pub steps: usize,
    /// Of those, written by the large model.
    pub large_steps: usize,
    /// In the unit of the models' prices.
    pub cost: f64,
    pub end: End,
}

/// How an episode ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// It is running, or the program was killed while it was.
    Unfinished,
    Finished {
        answer: Option<String>,
        verdict: Verdict,
        reason: FinishReason,
    },
    Failed {
        error: String,
    },
}

impl Summary {
    /// The summary of episode `id`.
    pub fn of(id: u64, episode: &Episode) -> Self {
        let started = &episode.started;
        Self {
            version: VERSION,
            id,
            began_ms: episode.began_ms,
            last_ms: episode.last_ms,
            question: started.question.clone(),
            task: started.origin.as_ref().map(|origin| origin.task.clone()),
            index: started.origin.as_ref().map(|origin| origin.index),
            collection: started.collection.clone(),
            preset: started.preset.name.clone(),
            router: started.preset.routing.router.clone(),
            steps: episode.steps.len(),
            large_steps: episode.steps.iter().filter(|s| s.writing.model == Role::Large).count(),
            cost: episode.ledger.cost(),
            end: match &episode.status {
                Status::Running | Status::Paused => End::Unfinished,
                Status::Finished { answer, verdict, reason } => {
                    End::Finished { answer: answer.clone(), verdict: *verdict, reason: *reason }
                }
                Status::Failed(error) => End::Failed { error: error.clone() },
            },
        }
    }

    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(|s: &Self| s.version == VERSION)
    }
}
