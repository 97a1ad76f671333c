//! What a list shows of an episode, without reading its events.

use serde::{Deserialize, Serialize};

use super::Annotations;
use crate::episode::{Decider, Episode, EpisodeStatus, FinishReason, Parent, Role, Verdict};

/// Version of [`EpisodeSummary`]. A stored summary of another version is ignored and folded again from the events.
const VERSION: u32 = 4;

/// Summary and annotations of an episode: one row of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpisodeEntry {
    /// What the events say.
    #[serde(flatten)]
    pub summary: EpisodeSummary,
    /// What the user says.
    #[serde(flatten)]
    pub annotations: Annotations,
}

/// One episode in short, folded from its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeSummary {
    version: u32,
    /// The episode's number in the store.
    pub id: u64,
    /// Time of the first event, milliseconds since the Unix epoch.
    pub began_ms: u64,
    /// Time of the last event, milliseconds since the Unix epoch.
    pub last_ms: u64,
    /// The question's text.
    pub question: String,
    /// Name of the task set; `None` if the user typed the question.
    pub task: Option<String>,
    /// The question's place in the task set, see [`crate::episode::Origin::index`].
    pub index: Option<usize>,
    /// The collection of training episodes that it belongs to, if any.
    pub collection: Option<String>,
    /// Name of the preset.
    pub preset: String,
    /// Name of the router that the episode started with.
    pub router: String,
    /// Trained policies that decided in it, in the order of their first decision.
    pub policies: Vec<String>,
    /// For a fork, the episode and step that it started from.
    pub parent: Option<Parent>,
    /// Tokens in the trace.
    pub tokens: usize,
    /// Number of steps that another model wrote than the step before.
    pub switches: usize,
    /// Steps whose model the user chose.
    pub user_steps: usize,
    /// Steps in the trace.
    pub steps: usize,
    /// Steps that the large model wrote.
    pub large_steps: usize,
    /// Cost in the unit of the prices.
    pub cost: f64,
    /// The part of the cost that the large model caused.
    pub large_cost: f64,
    /// Whether and how it ended.
    pub end: EpisodeEnd,
}

/// Whether and how an episode ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum EpisodeEnd {
    /// It is running, or the program was killed while it was.
    Unfinished,
    /// It ended without an error.
    Finished {
        /// The answer that the grader extracted; `None` if it found none.
        answer: Option<String>,
        /// Whether the answer is correct.
        verdict: Verdict,
        /// Why the episode ended.
        reason: FinishReason,
    },
    /// An error ended it.
    Failed {
        /// The error as a sentence.
        error: String,
    },
}

impl EpisodeSummary {
    /// The summary of episode `id`.
    pub fn of(id: u64, episode: &Episode) -> Self {
        let started = &episode.started;
        let deciders = || episode.steps.iter().filter_map(|s| s.decision.as_ref()).map(|d| &d.by);
        let mut policies: Vec<String> = Vec::new();
        for decider in deciders() {
            if let Decider::Policy(name) = decider
                && !policies.contains(name)
            {
                policies.push(name.clone());
            }
        }
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
            policies,
            parent: started.parent.clone(),
            tokens: episode.ledger.kept_tokens(),
            switches: episode.switches(),
            user_steps: deciders().filter(|by| **by == Decider::User).count(),
            steps: episode.steps.len(),
            large_steps: episode.steps.iter().filter(|s| s.generation.model == Role::Large).count(),
            cost: episode.ledger.cost(),
            large_cost: episode.ledger.cost_of(Role::Large),
            end: match &episode.status {
                EpisodeStatus::Running | EpisodeStatus::Paused => EpisodeEnd::Unfinished,
                EpisodeStatus::Finished { answer, verdict, reason } => EpisodeEnd::Finished {
                    answer: answer.clone(),
                    verdict: *verdict,
                    reason: *reason,
                },
                EpisodeStatus::Failed(error) => EpisodeEnd::Failed { error: error.clone() },
            },
        }
    }

    /// The large model's share of the cost, in [0, 1]; 0 if nothing was spent.
    pub fn large_cost_share(&self) -> f64 {
        if self.cost > 0.0 { self.large_cost / self.cost } else { 0.0 }
    }

    /// Whether `json` is a summary of an older version.
    pub(super) fn is_older(json: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        serde_json::from_slice(json).is_ok_and(|Version { version }| version < VERSION)
    }

    /// The summary in `json`; `None` if it is empty, or of another version.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(|s: &Self| s.version == VERSION)
    }
}
