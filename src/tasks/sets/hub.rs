//! Where task sets are on the Hugging Face hub.

use std::path::PathBuf;

use hf_hub::api::sync::ApiBuilder;

use super::TaskError;
use crate::tasks::arithmetic::Split;

/// A task set that has a place on the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubTaskSet {
    pub name: &'static str,
    repository: &'static str,
    train: Option<&'static str>,
    test: &'static str,
}

/// Every task set with a place on the hub.
pub const HUB_TASK_SETS: [HubTaskSet; 3] = [
    HubTaskSet {
        name: "gsm8k",
        repository: "openai/gsm8k",
        train: Some("main/train-00000-of-00001.parquet"),
        test: "main/test-00000-of-00001.parquet",
    },
    HubTaskSet {
        name: "math500",
        repository: "HuggingFaceH4/MATH-500",
        train: None,
        test: "test.jsonl",
    },
    HubTaskSet {
        name: "omni-math",
        repository: "KbsdJames/Omni-MATH",
        train: None,
        test: "test.jsonl",
    },
];

impl HubTaskSet {
    /// The task set of this name.
    pub fn find(name: &str) -> Option<Self> {
        HUB_TASK_SETS.into_iter().find(|known| known.name == name)
    }

    /// The file with a part of the set: from the hub's cache, else from the hub. What is there for
    /// training serves the development of policies too.
    ///
    /// # Errors
    /// When the set has no such part, or there is no network.
    pub fn fetch(&self, split: Split) -> Result<PathBuf, TaskError> {
        let file = match split {
            Split::Test => self.test,
            Split::Train | Split::Develop => {
                self.train.ok_or_else(|| TaskError::NoSuchSplit { name: self.name.into() })?
            }
        };
        let api = ApiBuilder::from_env().with_progress(false).build();
        let fetched = api.and_then(|api| api.dataset(self.repository.into()).get(file));
        fetched.map_err(|e| TaskError::Hub {
            name: self.name.into(),
            file: format!("{}/{file}", self.repository),
            reason: e.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }
}
