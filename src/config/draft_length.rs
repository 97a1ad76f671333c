//! [`DraftLength`]: how much of the next step the small model writes before the router decides.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much of the next step the small model writes before the router decides: in files a number of tokens or the word
/// `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DraftLengthText", into = "DraftLengthText")]
pub enum DraftLength {
    /// This many tokens; 0 for no draft.
    Tokens(usize),
    /// The whole step.
    Step,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum DraftLengthText {
    Number(usize),
    Word(String),
}

impl TryFrom<DraftLengthText> for DraftLength {
    type Error = String;

    fn try_from(text: DraftLengthText) -> Result<Self, String> {
        match text {
            DraftLengthText::Number(n) => Ok(Self::Tokens(n)),
            DraftLengthText::Word(word) => word.parse(),
        }
    }
}

impl From<DraftLength> for DraftLengthText {
    fn from(draft_length: DraftLength) -> Self {
        match draft_length {
            DraftLength::Tokens(n) => Self::Number(n),
            DraftLength::Step => Self::Word("step".into()),
        }
    }
}

impl FromStr for DraftLength {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "step" => Ok(Self::Step),
            n => n.parse().map(Self::Tokens).map_err(|_| {
                format!("draft `{n}` is neither a number of tokens nor the word `step`")
            }),
        }
    }
}

impl fmt::Display for DraftLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(n) => write!(f, "{n}"),
            Self::Step => f.write_str("step"),
        }
    }
}
