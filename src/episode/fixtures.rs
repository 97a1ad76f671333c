//! Invented episodes for tests: prices 1 and 10, and 5 tokens prefilled for every generation.

use super::decision::DRAFT_LENGTH;
use super::{
    Decider, Episode, Event, EventKind, Generation, ModelRecord, PerRole, Role, Scoring, Started,
    StopReason, Token, Usage,
};
use crate::config::{Folders, load_preset};

pub(crate) fn started() -> Started {
    let folders = Folders::below("/nonexistent").unwrap();
    let model = ModelRecord { name: "m".into(), digest: "d".into(), parameters: 1 };
    Started {
        question: "1 + 1?".into(),
        origin: None,
        gold: Some("2".into()),
        preset: load_preset("tiny", &folders).unwrap(),
        models: PerRole { small: model.clone(), large: model },
        prices: PerRole { small: 1.0.into(), large: 10.0.into() },
        seed: 3,
        collection: None,
        parent: None,
    }
}

pub(crate) fn episode_of(started: Started, kinds: impl IntoIterator<Item = EventKind>) -> Episode {
    let first = EventKind::Started(Box::new(started));
    let events: Vec<Event> =
        std::iter::once(first).chain(kinds).map(|kind| Event::new(1, kind)).collect();
    Episode::fold(&events).unwrap().unwrap()
}

pub(crate) fn episode(kinds: impl IntoIterator<Item = EventKind>) -> Episode {
    episode_of(started(), kinds)
}

fn tokens(n: usize) -> Vec<Token> {
    let token = Token {
        id: 1,
        text: "x".into(),
        logprob: -0.5,
        entropy: 0.1,
        top: 0.6,
        margin: 0.3,
        ms: 1.0,
    };
    vec![token; n]
}

pub(crate) fn generation(model: Role, n: usize, prefilled: usize) -> Generation {
    let usage = Usage { prefilled, ..Usage::default() };
    Generation { model, text: "x".repeat(n), tokens: tokens(n), usage, stop: StopReason::Delimiter }
}

pub(crate) fn written(step: usize, model: Role, n: usize) -> EventKind {
    EventKind::Written { step, generation: generation(model, n, 5) }
}

pub(crate) fn discarded(step: usize, model: Role, n: usize) -> EventKind {
    EventKind::Discarded { step, generation: generation(model, n, 5) }
}

pub(crate) fn draft_scored(step: usize, n: usize) -> EventKind {
    let usage = Usage { prefilled: 5, ..Usage::default() };
    EventKind::DraftScored {
        step,
        scoring: Scoring { model: Role::Large, tokens: tokens(n), usage },
    }
}

pub(crate) fn shadows_evaluated(step: usize, p_large: &[(&str, f64)]) -> EventKind {
    let p_large = p_large.iter().map(|(name, p)| ((*name).to_owned(), *p)).collect();
    EventKind::ShadowsEvaluated { step, p_large }
}

/// A choice at threshold 0.5, after a draft of `draft_tokens` tokens.
pub(crate) fn decided(
    step: usize,
    p_large: Option<f64>,
    choice: Role,
    by: Decider,
    draft_tokens: usize,
) -> EventKind {
    let length = (draft_tokens > 0).then(|| (DRAFT_LENGTH.to_owned(), draft_tokens as f64));
    EventKind::Decided {
        step,
        features: length.into_iter().collect(),
        p_large,
        threshold: 0.5,
        propensity: (by != Decider::User).then_some(1.0),
        choice,
        by,
    }
}
