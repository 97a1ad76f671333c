//! What a query asks, and whether an episode is such a one.

use crate::episode::Verdict;
use crate::store::{EpisodeEnd, EpisodeEntry, Tag};

/// What to look for, and in which order to show it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// All of them must hold; none asks for every episode.
    pub clauses: Vec<Clause>,
    /// Newest first where it is absent.
    pub sort: Option<Sort>,
}

/// A part of a query that holds or does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// It must not hold.
    pub negated: bool,
    /// One of them is enough. There are several where an episode can have but one: `right wrong`
    /// asks for those that have a verdict.
    pub alternatives: Vec<Predicate>,
}

/// One question about an episode. Texts are in small letters and compared without regard to them.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// The question has this in it.
    Question(String),
    /// Something has this name.
    NameField(NameField, String),
    EpisodeOutcome(EpisodeOutcome),
    Number(NumericField, CompareOp, f64),
    /// It began at or after `from_ms` and before `until_ms`, milliseconds since the Unix epoch.
    StartedBetween {
        from_ms: u64,
        until_ms: u64,
    },
    Tag(Tag),
    Starred,
    /// The note has this in it.
    Note(String),
    /// A person chose the writer of a step.
    User,
    /// It is a fork of this episode.
    Parent(u64),
    /// The trace has this in it; the only test that needs the events.
    Trace(String),
}

/// What has a name that must be given whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameField {
    Task,
    Router,
    /// One of the policies that decided in it.
    Policy,
    Preset,
    Collection,
}

/// How an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpisodeOutcome {
    Correct,
    Wrong,
    /// It ended, and nobody can tell.
    Undecided,
    Unfinished,
    Failed,
}

/// What can be compared and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumericField {
    /// When it began: milliseconds since the Unix epoch.
    Date,
    /// In the unit of the models' prices.
    Cost,
    /// The large model's share of the cost, in [0, 1].
    LargeCostShare,
    Steps,
    /// Steps that the large model wrote.
    LargeSteps,
    Switches,
    /// Tokens written and kept.
    Tokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// The order of a list. Of equals, the newest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub by: NumericField,
    /// The largest first.
    pub descending: bool,
}

impl Query {
    /// Whether `entry` is what is asked for. `trace` gives its text, and is only called where all
    /// other tests hold and one is about the trace.
    ///
    /// # Errors
    /// When `trace` fails.
    pub fn matches<E>(
        &self,
        entry: &EpisodeEntry,
        trace: impl FnOnce() -> Result<String, E>,
    ) -> Result<bool, E> {
        let holds = |deep: bool, trace: &str| {
            let mut clauses = self.clauses.iter().filter(|clause| clause.needs_trace() == deep);
            clauses.all(|clause| clause.matches(entry, trace))
        };
        if !holds(false, "") {
            return Ok(false);
        }
        if !self.needs_traces() {
            return Ok(true);
        }
        Ok(holds(true, &trace()?.to_lowercase()))
    }

    /// Whether episodes must be read to answer it, which takes long.
    pub fn needs_traces(&self) -> bool {
        self.clauses.iter().any(Clause::needs_trace)
    }
}

impl Clause {
    fn needs_trace(&self) -> bool {
        self.alternatives.iter().any(|test| matches!(test, Predicate::Trace(_)))
    }

    fn matches(&self, entry: &EpisodeEntry, trace: &str) -> bool {
        self.alternatives.iter().any(|test| test.matches(entry, trace)) != self.negated
    }
}

impl Predicate {
    /// Whether an episode can have but one of its kind.
    pub(super) fn is_single_valued(&self) -> bool {
        match self {
            Self::NameField(name, _) => *name != NameField::Policy,
            Self::EpisodeOutcome(_) | Self::Parent(_) => true,
            _ => false,
        }
    }

    /// Whether both ask for the same of an episode.
    pub(super) fn same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NameField(one, _), Self::NameField(other, _)) => one == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// `trace` in small letters.
    fn matches(&self, entry: &EpisodeEntry, trace: &str) -> bool {
        let (summary, annotations) = (&entry.summary, &entry.annotations);
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        match self {
            Self::Question(part) => has(&summary.question, part),
            Self::NameField(name, wanted) => {
                let is = |text: &String| text.to_lowercase() == *wanted;
                match name {
                    NameField::Task => summary.task.as_ref().is_some_and(is),
                    NameField::Router => is(&summary.router),
                    NameField::Policy => summary.policies.iter().any(is),
                    NameField::Preset => is(&summary.preset),
                    NameField::Collection => summary.collection.as_ref().is_some_and(is),
                }
            }
            Self::EpisodeOutcome(outcome) => EpisodeOutcome::of(&summary.end) == *outcome,
            Self::Number(quantity, comparison, number) => {
                comparison.matches(quantity.of(entry), *number)
            }
            Self::StartedBetween { from_ms, until_ms } => {
                (*from_ms..*until_ms).contains(&summary.began_ms)
            }
            Self::Tag(tag) => annotations.tags.contains(tag),
            Self::Starred => annotations.starred,
            Self::Note(part) => has(&annotations.note, part),
            Self::User => summary.user_steps > 0,
            Self::Parent(id) => summary.parent.as_ref().is_some_and(|p| p.episode == *id),
            Self::Trace(part) => trace.contains(part),
        }
    }
}

impl EpisodeOutcome {
    /// What an episode came to.
    pub fn of(end: &EpisodeEnd) -> Self {
        match end {
            EpisodeEnd::Unfinished => Self::Unfinished,
            EpisodeEnd::Failed { .. } => Self::Failed,
            EpisodeEnd::Finished { verdict: Verdict::Correct, .. } => Self::Correct,
            EpisodeEnd::Finished { verdict: Verdict::Wrong, .. } => Self::Wrong,
            EpisodeEnd::Finished { verdict: Verdict::Undecided, .. } => Self::Undecided,
        }
    }
}

impl NumericField {
    /// Its value for an episode.
    pub fn of(self, entry: &EpisodeEntry) -> f64 {
        let summary = &entry.summary;
        match self {
            Self::Date => summary.began_ms as f64,
            Self::Cost => summary.cost,
            Self::LargeCostShare => summary.large_cost_share(),
            Self::Steps => summary.steps as f64,
            Self::LargeSteps => summary.large_steps as f64,
            Self::Switches => summary.switches as f64,
            Self::Tokens => summary.tokens as f64,
        }
    }
}

impl CompareOp {
    fn matches(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::Equal => value == limit,
            Self::AtLeast => value >= limit,
            Self::More => value > limit,
        }
    }
}
