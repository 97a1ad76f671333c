//! Parts of a task set.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Part of a task set. Unless the task set has its own parts, a hash of the question's text decides, so that parts share no
/// question with any seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Questions that models were trained on, as the tiny pair was; by the hash, 3/4 of all.
    Train,
    /// Questions for training and calibrating policies; by the hash, 1/8.
    Develop,
    /// Questions for evaluation only; by the hash, 1/8.
    Test,
}

impl Split {
    /// The part that the hash of `question` selects.
    pub fn of(question: &str) -> Self {
        match blake3::hash(question.as_bytes()).as_bytes()[0] {
            0..=191 => Self::Train,
            192..=223 => Self::Develop,
            224..=255 => Self::Test,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Train => "train",
            Self::Develop => "develop",
            Self::Test => "test",
        })
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "train" => Ok(Self::Train),
            "develop" => Ok(Self::Develop),
            "test" => Ok(Self::Test),
            other => Err(format!("`{other}` is not a split: use train, develop or test")),
        }
    }
}
