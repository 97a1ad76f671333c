//! Which questions of a task set are asked.

use std::str::FromStr;

use super::record::QuestionRecord;

/// What to do about a row that holds no question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnBadLine {
    /// Fail.
    #[default]
    Stop,
    /// Leave the row out, and report it in [`super::TaskSet::skipped`].
    Skip,
}

impl FromStr for OnBadLine {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "stop" => Ok(Self::Stop),
            "skip" => Ok(Self::Skip),
            other => Err(format!("`{other}` is neither stop nor skip")),
        }
    }
}

/// A range of levels, including both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelRange {
    /// The lowest level.
    pub low: f64,
    /// The highest level.
    pub high: f64,
}

impl FromStr for LevelRange {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (low, high) = s.split_once('-').unwrap_or((s, s));
        let number = |s: &str| s.trim().parse::<f64>().ok().filter(|x| x.is_finite());
        match (number(low), number(high)) {
            (Some(low), Some(high)) if low <= high => Ok(Self { low, high }),
            _ => Err(format!("`{s}` is neither a level nor a range such as 3-5")),
        }
    }
}

/// Levels and subjects of the questions that are asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuestionFilter {
    /// The levels; `None` for all.
    pub levels: Option<LevelRange>,
    /// The subjects, of which any will do, in any case; empty for all.
    pub subjects: Vec<String>,
}

impl QuestionFilter {
    pub(super) fn accepts(&self, record: &QuestionRecord) -> bool {
        let level = self.levels.is_none_or(|range| {
            record.level.is_some_and(|level| (range.low..=range.high).contains(&level))
        });
        let wanted = |s: &String| self.subjects.iter().any(|w| w.eq_ignore_ascii_case(s));
        level && (self.subjects.is_empty() || record.subjects.iter().any(wanted))
    }
}
