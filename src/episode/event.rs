//! The events of an episode, as the store and recordings hold them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Generation, PerRole, Role, Scoring, Usage, feature_names};
use crate::config::{Preset, Prices};
use crate::grading::Verdict;

/// Version of the event format. Events of this and every earlier version are read; newer ones are refused.
///
/// | version | what it brought |
/// |---|---|
/// | 2 | [`EventKind::DraftScored`], [`Started::collection`] |
/// | 3 | [`EventKind::Redone`], [`EventKind::ShadowsEvaluated`], [`EventKind::ForkPrefilled`], shadow routers in the preset |
/// | 4 | remote models; separate prices for tokens read, cached and written |
/// | 5 | prompts in the model's chat template; the preset's end of thinking and repetition guard |
/// | 6 | plainer names, of events, fields and preset keys; the former names are read as aliases |
pub const SCHEMA: u32 = 6;

/// One event: what happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Version of the format that it was written in, from 1 to [`SCHEMA`].
    pub schema: u32,
    /// When it happened: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// An event in the current format.
    pub fn new(at_ms: u64, kind: EventKind) -> Self {
        Self { schema: SCHEMA, at_ms, kind }
    }
}

/// What happened. Steps are counted from 0.
///
/// In JSON the field `event` holds the kind in snake case, next to the fields below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The episode began. Always the first event, and only the first.
    Started(Box<Started>),
    /// At the boundary before a step, a model was chosen to write it.
    Decided {
        /// The step that the model is to write.
        step: usize,
        /// Inputs of the router by name; empty if it uses none.
        #[serde(default, deserialize_with = "feature_names::deserialize_values")]
        features: BTreeMap<String, f64>,
        /// The router's p(large), in [0, 1]; `None` if no router was asked.
        p_large: Option<f64>,
        /// The current threshold, in [0, 1].
        threshold: f64,
        /// Probability with which the logged choice was made, in (0, 1]: 1 for a deterministic router, `None`
        /// for an override.
        propensity: Option<f64>,
        /// The chosen model.
        choice: Role,
        /// Who chose it.
        by: Decider,
    },
    /// A model wrote a step, which is now part of the trace. A kept draft is its beginning.
    Written {
        /// The step.
        step: usize,
        /// The step's text, tokens and usage.
        #[serde(flatten)]
        generation: Generation,
    },
    /// A draft of a step was discarded. It is charged all the same.
    Discarded {
        /// The step that it was a draft of.
        step: usize,
        /// The draft's text, tokens and usage.
        #[serde(flatten)]
        generation: Generation,
    },
    /// A model scored the draft that the other one wrote. The tokens are charged.
    #[serde(alias = "judged")]
    DraftScored {
        /// The step that it is a draft of.
        step: usize,
        /// The draft's statistics under the scoring model.
        #[serde(flatten)]
        scoring: Scoring,
    },
    /// Shadow routers, which do not choose, evaluated the boundary before a step.
    #[serde(alias = "shadowed")]
    ShadowsEvaluated {
        /// The step after the boundary.
        step: usize,
        /// p(large), in [0, 1], by the router's name; a router without an estimate is missing. The preset holds
        /// the routers' thresholds.
        #[serde(alias = "opinions")]
        p_large: BTreeMap<String, f64>,
    },
    /// The user took back the last written step; the other model writes it again. Whatever was written of the
    /// step after it is void, but stays charged.
    #[serde(alias = "taken_back")]
    Redone {
        /// The step that is written again.
        step: usize,
    },
    /// In a fork, a model read the shared steps again, to continue as the parent would have. Not charged: the
    /// same episode in one run would not have read them twice.
    #[serde(alias = "reread")]
    ForkPrefilled {
        /// The model that read them.
        model: Role,
        /// Tokens read, and the time.
        #[serde(flatten)]
        usage: Usage,
    },
    /// The user moved the threshold.
    ThresholdMoved {
        /// The threshold before, in [0, 1].
        from: f64,
        /// The threshold from now on, in [0, 1].
        to: f64,
    },
    /// The user changed the budget.
    BudgetChanged {
        /// The budget before, in the unit of the prices; `None` if there was no limit.
        from: Option<f64>,
        /// The budget from now on; `None` for no limit.
        to: Option<f64>,
    },
    /// The user overrode the router.
    OverrideSet {
        /// The model that is to write instead.
        model: Role,
        /// For how long.
        scope: OverrideScope,
    },
    /// The user gave the choice back to the router.
    OverrideCleared,
    /// The episode was paused.
    Paused,
    /// The episode was resumed.
    Resumed,
    /// The user bookmarked a step. May come after the end.
    Bookmarked {
        /// The step.
        step: usize,
        /// The user's note; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// The episode ended without an error. The last event, except for bookmarks.
    Finished {
        /// The answer that the task set's grader extracted; `None` if it found none.
        answer: Option<String>,
        /// Whether the answer is correct.
        verdict: Verdict,
        /// Why the episode ended.
        reason: FinishReason,
    },
    /// An error ended the episode. The last event, except for bookmarks.
    Failed {
        /// The error as a sentence.
        error: String,
    },
}

impl EventKind {
    /// Whether this event ends the episode.
    pub fn ends_episode(&self) -> bool {
        matches!(self, Self::Finished { .. } | Self::Failed { .. })
    }
}

/// Everything that an episode starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The question's text.
    pub question: String,
    /// Where the question came from; `None` if the user typed it.
    pub origin: Option<Origin>,
    /// The gold answer, if the task set has one.
    pub gold: Option<String>,
    /// The preset as used, including the options of the command line.
    pub preset: Preset,
    /// Both models as loaded.
    pub models: PerRole<ModelRecord>,
    /// Prices per token of both models, in one unit.
    pub prices: Prices,
    /// Seed of the sampling and of random choices.
    pub seed: u64,
    /// The collection of training episodes that it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// For a fork, the episode and step that it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

/// A question's place in a task set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the task set.
    pub task: String,
    /// Seed that the questions were drawn with.
    pub seed: u64,
    /// For the built-in arithmetic, the question's place in the order of the seed; for a file, its row. From 0.
    pub index: usize,
}

/// A model as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Its name in the preset.
    pub name: String,
    /// Fingerprint of its files, including the chat template; for a remote model, the server's address and the
    /// model's name there.
    pub digest: String,
    /// Number of parameters; 0 if unknown, as for a remote model, which has a price instead.
    pub parameters: u64,
}

/// The episode and step that a fork starts from.
///
/// After [`EventKind::Started`] the fork repeats the parent's events of the shared steps: what was decided,
/// written, discarded and scored, with the usage of the original run and the time of the copy. A fork can
/// therefore be read without its parent, and its ledger compares with that of a complete run. A decision of the
/// user stays the user's. Overrides, pauses, bookmarks and moves of the threshold are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Number of the parent in the store.
    pub episode: u64,
    /// The first step that the two do not share, counted from 0.
    pub step: usize,
}

/// Who chose the model for a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// A trained policy, by its id.
    Policy(String),
    /// A handcrafted router, by its name.
    Rule(String),
    /// The user, by an override.
    #[serde(alias = "person")]
    User,
    /// The budget, which was spent.
    Budget,
    /// Chance: the choice was drawn at random to collect training data.
    Exploration,
}

/// How long an override lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideScope {
    /// For the next step only.
    NextStep,
    /// Until it is cleared.
    FromHereOn,
}

/// Why an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// A step gave the answer.
    Answered,
    /// A model ended its text without an answer.
    EndOfText,
    /// The trace reached the preset's number of steps.
    StepLimit,
    /// The last steps repeated each other.
    #[serde(alias = "circles")]
    RepetitionLoop,
    /// A model's context is full.
    ContextFull,
    /// The budget was spent, and the preset says to stop then.
    BudgetSpent,
    /// The user stopped it.
    Cancelled,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DraftLength;
    use crate::episode::fixtures::{self, generation};
    use crate::episode::{Episode, StopReason, Token};

    fn read(line: &str) -> EventKind {
        serde_json::from_str::<Event>(line).unwrap_or_else(|e| panic!("{line}: {e}")).kind
    }

    #[test]
    fn former_names_of_events_are_read() {
        let usage = r#""prefilled":5,"reused":2,"prefill_ms":1.5,"decode_ms":2.5"#;
        let token =
            r#"{"id":1,"text":"x","logprob":-0.5,"entropy":0.1,"top":0.6,"margin":0.3,"ms":1.0}"#;
        let read_usage = Usage { prefilled: 5, reused: 2, prefill_ms: 1.5, decode_ms: 2.5 };
        let read_token = Token {
            id: 1,
            text: "x".into(),
            logprob: -0.5,
            entropy: 0.1,
            top: 0.6,
            margin: 0.3,
            ms: 1.0,
        };
        let line = |rest: &str| format!(r#"{{"schema":5,"at_ms":7,"event":{rest}}}"#);
        let cases = [
            (
                format!(r#""judged","step":1,"model":"large","tokens":[{token}],{usage}"#),
                EventKind::DraftScored {
                    step: 1,
                    scoring: Scoring {
                        model: Role::Large,
                        tokens: vec![read_token.clone()],
                        usage: read_usage,
                    },
                },
            ),
            (
                r#""shadowed","step":1,"opinions":{"entropy":0.25}"#.to_owned(),
                EventKind::ShadowsEvaluated { step: 1, p_large: [("entropy".into(), 0.25)].into() },
            ),
            (r#""taken_back","step":1"#.to_owned(), EventKind::Redone { step: 1 }),
            (
                format!(r#""reread","model":"small",{usage}"#),
                EventKind::ForkPrefilled { model: Role::Small, usage: read_usage },
            ),
            (
                format!(
                    r#""discarded","step":1,"model":"small","text":"x","tokens":[{token}],{usage},"stop":"glimpse""#
                ),
                EventKind::Discarded {
                    step: 1,
                    generation: Generation {
                        model: Role::Small,
                        text: "x".into(),
                        tokens: vec![read_token],
                        usage: read_usage,
                        stop: StopReason::DraftLimit,
                    },
                },
            ),
            (
                r#""decided","step":1,"p_large":null,"threshold":0.5,"propensity":null,"choice":"large","by":"person""#
                    .to_owned(),
                EventKind::Decided {
                    step: 1,
                    features: BTreeMap::new(),
                    p_large: None,
                    threshold: 0.5,
                    propensity: None,
                    choice: Role::Large,
                    by: Decider::User,
                },
            ),
            (
                r#""finished","answer":"7","verdict":"correct","reason":"circles""#.to_owned(),
                EventKind::Finished {
                    answer: Some("7".into()),
                    verdict: Verdict::Correct,
                    reason: FinishReason::RepetitionLoop,
                },
            ),
        ];
        for (rest, expected) in cases {
            assert_eq!(read(&line(&rest)), expected);
        }
    }

    #[test]
    fn former_keys_of_the_preset_are_read() {
        let mut started = fixtures::started();
        started.preset.small.rendered_prompt = Some("<user>{question}".into());
        started.preset.prompt.answer_prefix = "Let us think.".into();
        started.preset.steps.thinking_end = Some("</think>".into());
        started.preset.routing.draft_length = Some(DraftLength::Step);
        let event = Event { schema: 5, at_ms: 7, kind: EventKind::Started(Box::new(started)) };
        let mut line = serde_json::to_string(&event).unwrap();
        for (new, former) in [
            ("rendered_prompt", "framed"),
            ("answer_prefix", "opening"),
            ("answer_marker", "answer"),
            ("thinking_end", "thoughts_end"),
            ("draft", "glimpse"),
        ] {
            let (new, former) = (format!("\"{new}\":"), format!("\"{former}\":"));
            assert!(line.contains(&new), "{new} in {line}");
            line = line.replace(&new, &former);
        }
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }

    #[test]
    fn an_episode_of_the_former_format_folds() {
        let started = Event::new(1, EventKind::Started(Box::new(fixtures::started())));
        let written = EventKind::Written { step: 0, generation: generation(Role::Small, 2, 5) };
        let mut lines = vec![serde_json::to_string(&started).unwrap()];
        lines.push(r#"{"schema":5,"at_ms":2,"event":"decided","step":0,"features":{},"p_large":0.9,"threshold":0.5,"propensity":null,"choice":"small","by":"person"}"#.into());
        lines.push(serde_json::to_string(&Event::new(3, written)).unwrap());
        lines.push(r#"{"schema":5,"at_ms":4,"event":"taken_back","step":0}"#.into());
        let events: Vec<Event> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let episode = Episode::fold(&events).unwrap().unwrap();
        assert!(episode.has_user_choice());
        assert_eq!((episode.redo_count, episode.discarded.len()), (1, 1));
    }
}
