//! When each token and each event of an episode happened.
//!
//! Events have a time stamp, tokens only the time since the previous token. A draft is written from the boundary on, so
//! the times of its tokens are added up from there. Tokens after the choice are counted back from the event that holds
//! them. The features of the decision say how long the draft was.

use crate::episode::{Event, EventKind, Role, Token, draft_length};
use crate::routing::Opinion;

/// Longest wait in a replay while the episode is paused or over, in milliseconds.
const MAX_PAUSE_MS: f64 = 1500.0;
/// Longest wait in a replay at any other time, in milliseconds: the machine may have slept.
const MAX_GAP_MS: f64 = 10_000.0;

/// Something that happened, as a live session reports it.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplayItem<'a> {
    /// An event.
    Event(&'a Event),
    /// A token as it was sampled, before the event that holds it.
    Token {
        /// The model that wrote it.
        model: Role,
        /// The token.
        token: &'a Token,
    },
    /// The router's opinion at a boundary, before the decision.
    Opinion {
        /// The step after the boundary, counted from 0.
        step: usize,
        /// p(large) and the features that it was computed from.
        opinion: Opinion,
    },
}

/// An item of the timeline: its time, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimelineEntry {
    /// Original time, in milliseconds since the episode began.
    pub(super) real_ms: f64,
    /// Time in the replay, where long pauses are shortened.
    pub(super) at_ms: f64,
    /// What happened.
    pub(super) source: ItemSource,
}

/// Where an item comes from. The order is that of items of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ItemSource {
    /// Token `.1` of event `.0`.
    Token(usize, usize),
    /// The opinion that led to the decision in that event.
    Opinion(usize),
    /// That event.
    Event(usize),
}

impl TimelineEntry {
    /// The item itself; `None` if `events` is not the list that the timeline was made from.
    pub(super) fn item<'a>(&self, events: &'a [Event]) -> Option<ReplayItem<'a>> {
        match self.source {
            ItemSource::Event(index) => Some(ReplayItem::Event(events.get(index)?)),
            ItemSource::Token(index, token) => match &events.get(index)?.kind {
                EventKind::Written { generation, .. } | EventKind::Discarded { generation, .. } => {
                    let token = generation.tokens.get(token)?;
                    Some(ReplayItem::Token { model: generation.model, token })
                }
                _ => None,
            },
            ItemSource::Opinion(index) => match &events.get(index)?.kind {
                EventKind::Decided { step, p_large: Some(p_large), features, .. } => {
                    let opinion = Opinion { p_large: *p_large, features: features.clone() };
                    Some(ReplayItem::Opinion { step: *step, opinion })
                }
                _ => None,
            },
        }
    }
}

/// All items of an episode in the order in which they happened. Events keep their order even if their times do not.
pub(super) fn timeline(events: &[Event]) -> Vec<TimelineEntry> {
    let mut step = StepTiming::default();
    let mut entries = Vec::new();
    let began = events.first().map_or(0, |event| event.at_ms);
    let mut now = 0.0_f64;
    for (index, event) in events.iter().enumerate() {
        // The clock may have been set back.
        now = now.max(event.at_ms.saturating_sub(began) as f64);
        match &event.kind {
            EventKind::Decided { p_large, features, .. } => {
                step.decided = Some((now, index));
                // A router that uses no draft records no length.
                step.draft_length = draft_length(features).unwrap_or(0);
                if p_large.is_some() {
                    step.opinion = Some(index);
                }
            }
            EventKind::DraftScored { .. } => step.draft_ready_at = now,
            EventKind::Discarded { generation, .. } => {
                step.place_draft_tokens(&mut entries, index, &generation.tokens, now);
                step.written_from = now;
            }
            EventKind::Written { generation, .. } => {
                let rest = step.post_decision_tokens(&generation.tokens, generation.model, now);
                step.place_draft_tokens(&mut entries, index, &generation.tokens[..rest.first], now);
                entries.extend(rest.entries(index));
                step.place_opinion(&mut entries);
                step = StepTiming::at(now);
            }
            _ => {}
        }
        entries.push(UnplacedEntry {
            real_ms: now,
            before: index,
            source: ItemSource::Event(index),
        });
    }
    step.place_opinion(&mut entries);
    entries.sort_by(|a, b| {
        let time = a.real_ms.total_cmp(&b.real_ms);
        time.then(a.before.cmp(&b.before)).then(a.source.cmp(&b.source))
    });
    shorten_pauses(entries, events)
}

/// An item before sorting. Among items of the same time, it comes before the event `before`, or is that event.
struct UnplacedEntry {
    real_ms: f64,
    before: usize,
    source: ItemSource,
}

/// Times of the current step, in milliseconds since the episode began.
#[derive(Default)]
struct StepTiming {
    /// When the previous step was written.
    from: f64,
    /// When the draft and its scoring were complete.
    draft_ready_at: f64,
    /// When the choice was made, and its event.
    decided: Option<(f64, usize)>,
    /// Tokens of the draft that the choice was made after.
    draft_length: usize,
    /// The decision whose opinion is not in the timeline yet.
    opinion: Option<usize>,
    /// When the last draft was discarded.
    written_from: f64,
}

/// The tokens of a generation that were written after the choice, with their times.
struct PostDecisionTokens {
    first: usize,
    times: Vec<f64>,
}

impl PostDecisionTokens {
    fn entries(self, index: usize) -> impl Iterator<Item = UnplacedEntry> {
        self.times.into_iter().enumerate().map(move |(i, real_ms)| UnplacedEntry {
            real_ms,
            before: index,
            source: ItemSource::Token(index, self.first + i),
        })
    }
}

impl StepTiming {
    fn at(from: f64) -> Self {
        Self { from, draft_ready_at: from, written_from: from, ..Self::default() }
    }

    /// The tokens after the choice of a generation that ended `now`. The large model writes no draft.
    fn post_decision_tokens(&self, tokens: &[Token], model: Role, now: f64) -> PostDecisionTokens {
        let first = if model == Role::Small { self.draft_length.min(tokens.len()) } else { 0 };
        let from = self.decided.map_or(self.written_from, |(at, _)| at.max(self.written_from));
        let mut at = now;
        let mut times = Vec::with_capacity(tokens.len() - first);
        for token in tokens[first..].iter().rev() {
            times.push(at.max(from));
            at -= duration(token);
        }
        times.reverse();
        PostDecisionTokens { first, times }
    }

    /// Adds the tokens of event `index` that were written before the choice.
    fn place_draft_tokens(
        &mut self,
        entries: &mut Vec<UnplacedEntry>,
        index: usize,
        tokens: &[Token],
        now: f64,
    ) {
        let (limit, before) = self.decided.unwrap_or((now, index));
        let mut at = self.from.max(self.written_from);
        for (i, token) in tokens.iter().enumerate() {
            at += duration(token);
            let real_ms = at.min(limit);
            self.draft_ready_at = self.draft_ready_at.max(real_ms);
            entries.push(UnplacedEntry { real_ms, before, source: ItemSource::Token(index, i) });
        }
    }

    /// Adds the opinion: after the draft that it is based on, before the choice.
    fn place_opinion(&self, entries: &mut Vec<UnplacedEntry>) {
        if let (Some((at, before)), Some(index)) = (self.decided, self.opinion) {
            let real_ms = self.draft_ready_at.max(self.from).min(at);
            entries.push(UnplacedEntry { real_ms, before, source: ItemSource::Opinion(index) });
        }
    }
}

/// A token's time; 0 if the recorded value is negative or not finite.
fn duration(token: &Token) -> f64 {
    let ms = f64::from(token.ms);
    if ms.is_finite() { ms.max(0.0) } else { 0.0 }
}

/// Computes the times in the replay, with long waits shortened.
fn shorten_pauses(sorted: Vec<UnplacedEntry>, events: &[Event]) -> Vec<TimelineEntry> {
    let (mut before, mut at_ms, mut paused) = (0.0, 0.0, false);
    let entries = sorted.into_iter().map(|UnplacedEntry { real_ms, source, .. }| {
        let most = if paused { MAX_PAUSE_MS } else { MAX_GAP_MS };
        at_ms += (real_ms - before).clamp(0.0, most);
        before = real_ms;
        if let ItemSource::Event(index) = source {
            match &events[index].kind {
                EventKind::Resumed => paused = false,
                kind => paused |= kind.ends_episode() || matches!(kind, EventKind::Paused),
            }
        }
        TimelineEntry { real_ms, at_ms, source }
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{DRAFT_LENGTH, Generation, StopReason, Usage};
    use crate::recording::fixtures::{rescue, rescue_with_user_actions};

    fn token(ms: f32) -> Token {
        Token { id: 1, text: "x".into(), logprob: 0.0, entropy: 0.0, top: 1.0, margin: 1.0, ms }
    }

    fn generation(model: Role, ms: &[f32]) -> Generation {
        let tokens: Vec<Token> = ms.iter().copied().map(token).collect();
        let text = "x".repeat(tokens.len());
        Generation { model, text, tokens, usage: Usage::default(), stop: StopReason::Delimiter }
    }

    /// An episode that began at 1000, with these events at times since then.
    fn episode(rest: Vec<(u64, EventKind)>) -> Vec<Event> {
        let mut events = vec![Event { at_ms: 1000, ..rescue().events[0].clone() }];
        events.extend(rest.into_iter().map(|(at, kind)| Event::new(1000 + at, kind)));
        events
    }

    fn decided(step: usize, choice: Role, draft_tokens: usize) -> EventKind {
        EventKind::Decided {
            step,
            features: [(DRAFT_LENGTH.to_owned(), draft_tokens as f64)].into(),
            p_large: Some(0.5),
            threshold: 0.5,
            propensity: Some(1.0),
            choice,
            by: crate::episode::Decider::Rule("x".into()),
        }
    }

    /// Items as letters, with their times: `e`vents, `o`pinions, and tokens by their model.
    fn shape(events: &[Event]) -> Vec<(char, f64)> {
        let entries = timeline(events);
        let letter = |entry: &TimelineEntry| match entry.item(events).unwrap() {
            ReplayItem::Event(_) => 'e',
            ReplayItem::Opinion { .. } => 'o',
            ReplayItem::Token { model, .. } => model.letter(),
        };
        entries.iter().map(|entry| (letter(entry), entry.real_ms)).collect()
    }

    #[test]
    fn a_kept_draft_comes_before_the_choice_and_the_rest_after_it() {
        let kept = EventKind::Written {
            step: 0,
            generation: generation(Role::Small, &[5.0, 5.0, 30.0, 5.0]),
        };
        let events = episode(vec![(11, decided(0, Role::Small, 2)), (47, kept)]);
        assert_eq!(
            shape(&events),
            [
                ('e', 0.0),
                ('S', 5.0),
                ('S', 10.0),
                ('o', 10.0),
                ('e', 11.0),
                ('S', 42.0),
                ('S', 47.0),
                ('e', 47.0)
            ]
        );
    }

    #[test]
    fn a_discarded_draft_comes_before_the_choice_and_the_large_step_after_it() {
        let draft = generation(Role::Small, &[5.0, 7.0]);
        let events = episode(vec![
            (12, decided(0, Role::Large, 2)),
            (12, EventKind::Discarded { step: 0, generation: draft }),
            (40, EventKind::Written { step: 0, generation: generation(Role::Large, &[20.0, 8.0]) }),
        ]);
        assert_eq!(
            shape(&events),
            [
                ('e', 0.0),
                ('S', 5.0),
                ('S', 12.0),
                ('o', 12.0),
                ('e', 12.0),
                ('e', 12.0),
                ('L', 32.0),
                ('L', 40.0),
                ('e', 40.0)
            ]
        );
    }

    #[test]
    fn a_pause_at_the_boundary_comes_between_draft_and_rest() {
        let kept =
            EventKind::Written { step: 0, generation: generation(Role::Small, &[5.0, 5.0, 5.0]) };
        let events = episode(vec![
            (1, EventKind::Paused),
            (9000, EventKind::Resumed),
            (9000, decided(0, Role::Small, 2)),
            (9006, kept),
        ]);
        let times: String = shape(&events).iter().map(|(letter, _)| *letter).collect();
        assert_eq!(times, "eeSSoeeSe");
        let last = *timeline(&events).last().unwrap();
        assert_eq!((last.real_ms, last.at_ms), (9006.0, 10.0 + MAX_PAUSE_MS + 6.0));
    }

    #[test]
    fn events_keep_their_order_whatever_their_times() {
        let wild = [f32::INFINITY, -5.0, f32::NAN, 1e30];
        let mut events = episode(vec![
            (50, decided(0, Role::Small, 2)),
            (20, EventKind::Discarded { step: 0, generation: generation(Role::Small, &wild) }),
            (
                u64::MAX - 1000,
                EventKind::Written { step: 0, generation: generation(Role::Large, &wild) },
            ),
            (3, EventKind::Paused),
        ]);
        events.extend(rescue_with_user_actions().split_off(1));
        let entries = timeline(&events);
        let places = entries.iter().filter_map(|entry| match entry.source {
            ItemSource::Event(index) => Some(index),
            _ => None,
        });
        assert!(places.eq(0..events.len()));
        assert!(
            entries.windows(2).all(|w| w[0].at_ms <= w[1].at_ms && w[0].real_ms <= w[1].real_ms)
        );
        assert!(
            entries.iter().all(|entry| entry.at_ms.is_finite() && entry.item(&events).is_some())
        );
        let tokens =
            entries.iter().filter(|entry| matches!(entry.source, ItemSource::Token(..))).count();
        let written = events.iter().map(|event| match &event.kind {
            EventKind::Written { generation, .. } | EventKind::Discarded { generation, .. } => {
                generation.tokens.len()
            }
            _ => 0,
        });
        assert_eq!(tokens, written.sum::<usize>(), "every token is shown once");
        assert!(timeline(&[]).is_empty());
    }
}
