//! Features at a boundary: what a router can see without knowing the answer.
//!
//! Every feature is a row of one table, [`feature_specs`]: `draft`, `trace` and `question` hold the
//! rows of their subject. [`features`] evaluates all rows on one [`FeatureInput`], which computes
//! once what several of them need.

mod draft;
mod question;
mod text;
mod token_summary;
mod trace;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use self::draft::DraftInput;
use self::question::QuestionInput;
use self::trace::TraceInput;
use super::RouterInput;
use crate::engine::TokenStats;

/// A feature, or a family of features that are computed together.
pub struct FeatureSpec {
    /// Its name. For a family, the part before the first dot of its members' names.
    pub name: &'static str,
    /// Its unit; empty for a number without one.
    pub unit: &'static str,
    /// The values it can have.
    pub range: &'static str,
    /// What it is, in one line.
    pub meaning: &'static str,
    /// The token statistics of the small model that it is computed from.
    pub needs: TokenStats,
    values: Values,
}

#[derive(Clone, Copy)]
enum Values {
    /// `None` if the boundary does not have it, such as a statistic of the last step before the
    /// first.
    Single(fn(&FeatureInput<'_>) -> Option<f64>),
    Family {
        size: usize,
        member: fn(usize) -> String,
        /// The members that are not 0.
        values: fn(&FeatureInput<'_>) -> Vec<(usize, f64)>,
    },
}

type Value = fn(&FeatureInput<'_>) -> Option<f64>;

/// Constructors by kind of quantity: each implies unit, range and what the engine has to report.
impl FeatureSpec {
    const fn single(
        name: &'static str,
        (unit, range, needs): (&'static str, &'static str, TokenStats),
        meaning: &'static str,
        value: Value,
    ) -> Self {
        Self { name, unit, range, meaning, needs, values: Values::Single(value) }
    }

    const fn entropy(name: &'static str, meaning: &'static str, value: Value) -> Self {
        Self::single(name, ("nats", "≥ 0", TokenStats::Distribution), meaning, value)
    }

    const fn logprob(name: &'static str, meaning: &'static str, value: Value) -> Self {
        Self::single(name, ("nats", "≤ 0", TokenStats::Logprobs), meaning, value)
    }

    const fn probability(name: &'static str, meaning: &'static str, value: Value) -> Self {
        Self::single(name, ("", "[0, 1]", TokenStats::Logprobs), meaning, value)
    }

    const fn flag(name: &'static str, meaning: &'static str, value: Value) -> Self {
        Self::single(name, ("", "0 or 1", TokenStats::None), meaning, value)
    }

    const fn share(name: &'static str, meaning: &'static str, value: Value) -> Self {
        Self::single(name, ("", "[0, 1]", TokenStats::None), meaning, value)
    }

    const fn count(name: &'static str, meaning: &'static str, value: Value) -> Self {
        Self::single(name, ("", "≥ 0", TokenStats::None), meaning, value)
    }

    /// A length in hundreds of characters.
    const fn length(name: &'static str, meaning: &'static str, value: Value) -> Self {
        Self::single(name, ("100 characters", "≥ 0", TokenStats::None), meaning, value)
    }

    /// The names of its features: its own, or those of a family's members.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match self.values {
            Values::Single(_) => vec![self.name.to_owned()],
            Values::Family { size, member, .. } => (0..size).map(member).collect(),
        }
    }

    /// The subject that it belongs to: the part of its name before the first dot.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// Whether it is a family of features.
    #[must_use]
    pub fn is_family(&self) -> bool {
        matches!(self.values, Values::Family { .. })
    }

    fn has(&self, feature: &str) -> bool {
        match self.values {
            Values::Single(_) => self.name == feature,
            Values::Family { .. } => {
                feature.split_once('.').is_some_and(|(family, _)| family == self.name)
            }
        }
    }
}

/// What the features are computed from.
struct FeatureInput<'a> {
    draft: Option<DraftInput<'a>>,
    trace: TraceInput<'a>,
    question: QuestionInput<'a>,
}

impl<'a> FeatureInput<'a> {
    fn new(boundary: &'a RouterInput<'a>) -> Self {
        let RouterInput { episode, question, draft, .. } = boundary;
        let trace = episode.text();
        Self {
            draft: DraftInput::new(*draft, &question.text, &trace),
            question: QuestionInput::new(&question.text, &trace, draft.text),
            trace: TraceInput::new(episode, &question.text),
        }
    }

    /// The draft; `None` if the router asked for none.
    fn draft(&self) -> Option<&DraftInput<'a>> {
        self.draft.as_ref()
    }
}

/// The table of all features.
pub fn feature_specs() -> impl Iterator<Item = &'static FeatureSpec> {
    let singles = draft::FEATURES.iter().chain(&trace::FEATURES).chain(&question::FEATURES);
    singles.chain([&question::WORDS, &draft::DIGITS])
}

/// The row that a feature belongs to.
#[must_use]
pub fn feature_spec(feature: &str) -> Option<&'static FeatureSpec> {
    feature_specs().find(|spec| spec.has(feature))
}

/// The names of all features, in the order of the table.
pub static FEATURES: LazyLock<Vec<String>> =
    LazyLock::new(|| feature_specs().flat_map(FeatureSpec::names).collect());

/// The values of all features at a boundary, by name. Features that the boundary does not have (those
/// of an empty draft, or of the last step before the first) are left out, and so are the members of a
/// family that are 0; a policy reads both as 0.
#[must_use]
pub fn features(boundary: &RouterInput<'_>) -> BTreeMap<String, f64> {
    let input = FeatureInput::new(boundary);
    let mut all = BTreeMap::new();
    for spec in feature_specs() {
        match spec.values {
            Values::Single(value) => {
                all.extend(value(&input).map(|value| (spec.name.to_owned(), value)));
            }
            Values::Family { member, values, .. } => {
                all.extend(values(&input).into_iter().map(|(at, value)| (member(at), value)));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{
        Episode, Event, EventKind, Generation, Role, StopReason, Usage, fixtures,
    };
    use crate::routing::Draft;
    use crate::tasks::Question;

    /// The features after `trace`, which the small model wrote as one step.
    pub(super) fn features_of(question: &str, trace: &str, draft: &str) -> BTreeMap<String, f64> {
        let started = EventKind::Started(Box::new(fixtures::started()));
        let mut episode = Episode::start(&Event::new(0, started)).unwrap();
        let tokens = |text: &str| match text {
            "" => Vec::new(),
            _ => vec![crate::episode::Token {
                id: 0,
                text: text.into(),
                logprob: -0.5,
                entropy: 0.25,
                top: 0.75,
                margin: 0.5,
                ms: 0.0,
            }],
        };
        if !trace.is_empty() {
            let generation = Generation {
                model: Role::Small,
                text: trace.into(),
                tokens: tokens(trace),
                usage: Usage::default(),
                stop: StopReason::Delimiter,
            };
            let written = EventKind::Written { step: 0, generation };
            episode.apply(&Event::new(0, written)).unwrap();
        }
        let draft_tokens = tokens(draft);
        let draft = Draft { text: draft, tokens: &draft_tokens, complete: true };
        let question = Question::from_user(question);
        features(&RouterInput {
            episode: &episode,
            question: &question,
            draft,
            scored_by_large: &[],
        })
    }

    #[test]
    fn every_feature_has_a_row_of_its_own() {
        assert_eq!(FEATURES.len(), 62 + 64 + 60);
        let mut names = FEATURES.clone();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), FEATURES.len());
        let all =
            features_of("Ava has 12 pens. She loses 5. How many?", "Pens: 12\n", "12 - 5 = 7");
        for name in all.keys() {
            assert!(FEATURES.contains(name), "{name} is in the table");
            assert!(feature_spec(name).is_some(), "{name} has a row");
        }
        for spec in feature_specs().filter(|spec| !spec.is_family()) {
            assert!(all.contains_key(spec.name), "{} has a value", spec.name);
        }
        assert!(feature_spec("draft.nothing").is_none());
    }

    #[test]
    fn what_a_boundary_lacks_is_left_out() {
        let first = features_of("Ava has 12 pens.", "", "");
        assert!(!first.keys().any(|name| name.starts_with("draft.") || name.starts_with("last.")));
        assert!(first.contains_key("trace.step") && !first.contains_key("trace.worst_step"));
    }

    /// Recordings of earlier versions hold the features under their former names.
    #[test]
    fn recorded_features_are_computed_again() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings");
        let mut compared = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let events: Vec<Event> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let starts = |e: &Event| matches!(e.kind, EventKind::Started(_));
            for episode in events.chunk_by(|_, next| !starts(next)) {
                compared += compare_with_recorded(episode);
            }
        }
        assert!(compared > 50, "{compared}");
    }

    /// Compares the features of each choice; returns the number of choices with features.
    fn compare_with_recorded(events: &[Event]) -> usize {
        let mut episode = Episode::start(&events[0]).unwrap();
        let question = Question::from_user(episode.started.question.clone());
        let mut compared = 0;
        for (at, event) in events.iter().enumerate().skip(1) {
            if let EventKind::Decided { features: recorded, by, .. } = &event.kind
                && !recorded.is_empty()
                && *by != crate::episode::Decider::User
            {
                let seen = recorded.get("draft.length").map_or(0, |n| *n as usize);
                let by_small = events[at..].iter().find_map(|event| match &event.kind {
                    EventKind::Written { generation, .. }
                    | EventKind::Discarded { generation, .. } => Some(&generation.tokens),
                    _ => None,
                });
                let tokens = by_small.map_or(&[][..], |tokens| &tokens[..seen]);
                let text: String = tokens.iter().map(|t| t.text.as_str()).collect();
                let complete = recorded.get("draft.complete") == Some(&1.0);
                let draft = Draft { text: &text, tokens, complete };
                let computed = features(&RouterInput {
                    episode: &episode,
                    question: &question,
                    draft,
                    scored_by_large: &[],
                });
                let names = |all: &BTreeMap<String, f64>| all.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(&computed), names(recorded));
                for (name, value) in &computed {
                    let difference = (value - recorded[name]).abs();
                    assert!(difference < 1e-6, "{name}: {value}, not {}", recorded[name]);
                }
                compared += 1;
            }
            episode.apply(event).unwrap();
        }
        compared
    }
}
