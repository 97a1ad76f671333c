//! Queries, and whether an episode matches one.

use crate::episode::Verdict;
use crate::store::{EpisodeEnd, EpisodeEntry, Tag};

/// Which episodes to list, in which order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Conditions that must all hold; none for every episode.
    pub clauses: Vec<Clause>,
    /// The order; `None` for newest first.
    pub sort: Option<Sort>,
}

/// A condition of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// Whether none of the alternatives may hold.
    pub negated: bool,
    /// Predicates of which one must hold. There are several for a property with a single value: `correct wrong` matches
    /// both outcomes.
    pub alternatives: Vec<Predicate>,
}

/// A property of an episode. Texts are in lower case; the comparison ignores case.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// The question contains this text.
    Question(String),
    /// The field has exactly this name.
    NameField(NameField, String),
    /// The episode ended like this.
    EpisodeOutcome(EpisodeOutcome),
    /// The field compares to this number.
    Number(NumericField, CompareOp, f64),
    /// The episode began in this interval, in milliseconds since the Unix epoch.
    StartedBetween {
        /// Inclusive.
        from_ms: u64,
        /// Exclusive.
        until_ms: u64,
    },
    /// It has this tag.
    Tag(Tag),
    /// It has a star.
    Starred,
    /// The note contains this text.
    Note(String),
    /// The user chose the model of a step.
    User,
    /// It is a fork of the episode with this number.
    Parent(u64),
    /// The trace contains this text. The only predicate that needs the events.
    Trace(String),
}

/// A field with a name, which a query must give in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameField {
    /// The task set.
    Task,
    /// The router that the episode started with.
    Router,
    /// Any policy that decided in it.
    Policy,
    /// The preset.
    Preset,
    /// The collection of training episodes.
    Collection,
}

/// How an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpisodeOutcome {
    /// It finished with a correct answer.
    Correct,
    /// It finished with a wrong answer, or none.
    Wrong,
    /// It finished, but its answer cannot be graded.
    Undecided,
    /// It is running, or was interrupted.
    Unfinished,
    /// An error ended it.
    Failed,
}

/// A field with a number, by which episodes are compared and sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumericField {
    /// Time of the beginning, in milliseconds since the Unix epoch.
    Date,
    /// Cost in the unit of the prices.
    Cost,
    /// The large model's share of the cost, in [0, 1].
    LargeCostShare,
    /// Number of steps.
    Steps,
    /// Number of steps that the large model wrote.
    LargeSteps,
    /// Number of steps that another model wrote than the step before.
    Switches,
    /// Number of tokens in the trace.
    Tokens,
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

/// The order of a list. Among equals, the newest episode comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The field to sort by.
    pub by: NumericField,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl Query {
    /// Whether `entry` matches. `trace` reads the text of its trace; it is called only if the query needs it and all
    /// other conditions hold.
    ///
    /// # Errors
    /// The error of `trace`.
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

    /// Whether the query needs the events of the episodes, which takes long.
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
    /// Whether an episode has a single value for this property.
    pub(super) fn is_single_valued(&self) -> bool {
        match self {
            Self::NameField(name, _) => *name != NameField::Policy,
            Self::EpisodeOutcome(_) | Self::Parent(_) => true,
            _ => false,
        }
    }

    /// Whether both are about the same property.
    pub(super) fn same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NameField(one, _), Self::NameField(other, _)) => one == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// Whether `entry` has the property; `trace` is the text of its trace in lower case.
    fn matches(&self, entry: &EpisodeEntry, trace: &str) -> bool {
        let (summary, annotations) = (&entry.summary, &entry.annotations);
        let contains = |text: &str, part: &str| text.to_lowercase().contains(part);
        match self {
            Self::Question(part) => contains(&summary.question, part),
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
            Self::Note(part) => contains(&annotations.note, part),
            Self::User => summary.user_steps > 0,
            Self::Parent(id) => summary.parent.as_ref().is_some_and(|p| p.episode == *id),
            Self::Trace(part) => trace.contains(part),
        }
    }
}

impl EpisodeOutcome {
    /// The outcome of an episode that ended like `end`.
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
    /// The value of the field for an episode.
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
