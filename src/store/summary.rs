//! What a list shows of an episode.

use serde::{Deserialize, Serialize};

use crate::episode::{Decider, Episode, EpisodeStatus, FinishReason, Parent, Role, Verdict};

/// Version of [`EpisodeSummary`]: one of another version is folded anew.
///
/// 3 brought everything from [`EpisodeSummary::policies`] to [`EpisodeSummary::user_steps`], and
/// [`EpisodeSummary::large_cost`].
const VERSION: u32 = 4;

/// One episode in short. Everything here is folded from its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeSummary {
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
    /// Trained policies that decided in it, in the order in which they came to it.
    pub policies: Vec<String>,
    /// For a fork: where it left its parent.
    pub parent: Option<Parent>,
    /// Tokens written and kept.
    pub tokens: usize,
    /// How often the writer changed from one step to the next.
    pub switches: usize,
    /// Steps whose writer a person chose.
    pub user_steps: usize,
    pub steps: usize,
    /// Of those, written by the large model.
    pub large_steps: usize,
    /// In the unit of the models' prices.
    pub cost: f64,
    /// Of that, what the large model cost.
    pub large_cost: f64,
    pub end: EpisodeEnd,
}

/// How an episode ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum EpisodeEnd {
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

    /// The large model's share of the cost, in [0, 1]; 0 where nothing was spent.
    pub fn large_cost_share(&self) -> f64 {
        if self.cost > 0.0 { self.large_cost / self.cost } else { 0.0 }
    }

    /// Whether `json` is a summary that an older program kept.
    pub(super) fn is_older(json: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        serde_json::from_slice(json).is_ok_and(|Version { version }| version < VERSION)
    }

    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(|s: &Self| s.version == VERSION)
    }
}
