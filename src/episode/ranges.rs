//! The ranges of an event's numbers, checked before anything computes with them.
//!
//! A recording comes from elsewhere, and one impossible number would spoil a whole training. The store keeps events as
//! they are; whoever reads a recording or learns from episodes calls these checks.

use std::ops::RangeInclusive;

use thiserror::Error;

use super::{Decision, Episode, Event, EventKind, Generation, Scoring, Started, Token, Usage};
use crate::config::InvalidPreset;

/// A number of an event that is outside its range.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{field} {reason}")]
pub struct OutOfRange {
    /// The field as in the event, such as `propensity`.
    pub field: String,
    /// The rest of the sentence: the value and the range.
    pub reason: String,
}

impl From<InvalidPreset> for OutOfRange {
    fn from(InvalidPreset { key, reason }: InvalidPreset) -> Self {
        Self { field: format!("preset.{key}"), reason }
    }
}

/// How far rounding may lead a probability out of its range, in single precision or on a server.
const ROUNDING: f64 = 0.05;
/// The end of the year 9999 in milliseconds since the Unix epoch.
const LAST_MS: f64 = 253_402_300_799_999.0;
/// The longest time of a request in milliseconds: 30 years.
const MAX_DURATION_MS: f64 = 1e12;
/// The largest number of tokens, steps or questions: no context is as long.
const MAX_COUNT: f64 = 1e9;
/// The highest price of a token: of a model with 10^18 parameters.
const MAX_PRICE: f64 = 1e18;
/// The largest feature or budget. Squares and sums of such numbers are finite.
const MAX_VALUE: f64 = 1e36;
/// The log-probability of a token that a model excludes: JSON has no −∞, and neither has a mean.
pub(crate) const MIN_LOGPROB: f32 = -1e5;
/// The smallest propensity: its inverse is a weight.
const MIN_PROPENSITY: f64 = 1e-12;

impl Event {
    /// Checks that all numbers are within their ranges.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first number outside its range.
    pub fn check_ranges(&self) -> Result<(), OutOfRange> {
        within("at_ms", self.at_ms as f64, 0.0..=LAST_MS)?;
        match &self.kind {
            EventKind::Started(started) => check_started(started),
            EventKind::Decided { step, features, p_large, threshold, propensity, .. } => {
                count("step", *step)?;
                check_choice(features.iter(), *p_large, *threshold, *propensity)
            }
            EventKind::Written { step, generation } | EventKind::Discarded { step, generation } => {
                count("step", *step)?;
                check_generation(generation)
            }
            EventKind::DraftScored { step, scoring } => {
                count("step", *step)?;
                check_scoring(scoring)
            }
            EventKind::ShadowsEvaluated { step, p_large } => {
                count("step", *step)?;
                p_large.values().try_for_each(|p| probability("p_large", *p))
            }
            EventKind::ForkPrefilled { usage, .. } => usage.check_ranges(),
            EventKind::ThresholdMoved { from, to } => {
                probability("from", *from)?;
                probability("to", *to)
            }
            EventKind::BudgetChanged { from, to } => {
                from.map_or(Ok(()), |limit| budget("from", limit))?;
                to.map_or(Ok(()), |limit| budget("to", limit))
            }
            EventKind::Redone { step } | EventKind::Bookmarked { step, .. } => count("step", *step),
            EventKind::OverrideSet { .. }
            | EventKind::OverrideCleared
            | EventKind::Paused
            | EventKind::Resumed
            | EventKind::Finished { .. }
            | EventKind::Failed { .. } => Ok(()),
        }
    }
}

impl Episode {
    /// Checks that all numbers that the fold keeps are within their ranges.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first number outside its range.
    pub fn check_ranges(&self) -> Result<(), OutOfRange> {
        check_started(&self.started)?;
        within("at_ms", self.began_ms as f64, 0.0..=LAST_MS)?;
        within("at_ms", self.last_ms as f64, 0.0..=LAST_MS)?;
        probability("threshold", self.threshold)?;
        self.budget.map_or(Ok(()), |limit| budget("budget", limit))?;
        let pending = self.discarded.iter().try_for_each(check_generation);
        pending.and_then(|()| self.scorings.iter().try_for_each(check_scoring))?;
        self.decision.iter().try_for_each(check_decision)?;
        self.steps.iter().try_for_each(|step| {
            step.decision.iter().try_for_each(check_decision)?;
            step.discarded.iter().try_for_each(check_generation)?;
            step.scorings.iter().try_for_each(check_scoring)?;
            check_generation(&step.generation)
        })
    }
}

impl Usage {
    /// Checks that counts and times are within their ranges.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first number outside its range.
    pub fn check_ranges(&self) -> Result<(), OutOfRange> {
        count("prefilled", self.prefilled)?;
        count("reused", self.reused)?;
        within("prefill_ms", self.prefill_ms, 0.0..=MAX_DURATION_MS)?;
        within("decode_ms", self.decode_ms, 0.0..=MAX_DURATION_MS)
    }
}

impl Token {
    /// Checks that the statistics are within their ranges, up to rounding.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first number outside its range.
    pub fn check_ranges(&self) -> Result<(), OutOfRange> {
        let &Self { logprob, entropy, top, margin, ms, .. } = self;
        within_rounded("logprob", logprob, f64::from(MIN_LOGPROB)..=0.0)?;
        within_rounded("entropy", entropy, 0.0..=1e3)?;
        within_rounded("top", top, 0.0..=1.0)?;
        within_rounded("margin", margin, 0.0..=1.0)?;
        within("ms", f64::from(ms), 0.0..=MAX_DURATION_MS)
    }
}

fn check_started(started: &Started) -> Result<(), OutOfRange> {
    started.preset.validate_numbers()?;
    for (role, price) in [("small", started.prices.small), ("large", started.prices.large)] {
        for (part, value) in
            [("read", price.read), ("cached", price.cached), ("written", price.written)]
        {
            within(&format!("prices.{role}.{part}"), value, 0.0..=MAX_PRICE)?;
        }
    }
    started.origin.as_ref().map_or(Ok(()), |origin| count("origin.index", origin.index))?;
    started.parent.as_ref().map_or(Ok(()), |parent| count("parent.step", parent.step))
}

fn check_decision(decision: &Decision) -> Result<(), OutOfRange> {
    let Decision { features, p_large, threshold, propensity, shadows, .. } = decision;
    shadows.values().try_for_each(|p| probability("p_large", *p))?;
    check_choice(features.iter(), *p_large, *threshold, *propensity)
}

fn check_choice<'a>(
    features: impl IntoIterator<Item = (&'a String, &'a f64)>,
    p_large: Option<f64>,
    threshold: f64,
    propensity: Option<f64>,
) -> Result<(), OutOfRange> {
    for (name, value) in features {
        within(&format!("features.{name}"), *value, -MAX_VALUE..=MAX_VALUE)?;
    }
    p_large.map_or(Ok(()), |p| probability("p_large", p))?;
    probability("threshold", threshold)?;
    let Some(propensity) = propensity else { return Ok(()) };
    if (MIN_PROPENSITY..=1.0).contains(&propensity) {
        return Ok(());
    }
    Err(OutOfRange {
        field: "propensity".into(),
        reason: format!("is {propensity}, but must be above 0 and at most 1"),
    })
}

fn check_generation(generation: &Generation) -> Result<(), OutOfRange> {
    generation.usage.check_ranges()?;
    generation.tokens.iter().try_for_each(Token::check_ranges)
}

fn check_scoring(scoring: &Scoring) -> Result<(), OutOfRange> {
    scoring.usage.check_ranges()?;
    scoring.tokens.iter().try_for_each(Token::check_ranges)
}

fn count(field: &str, value: usize) -> Result<(), OutOfRange> {
    within(field, value as f64, 0.0..=MAX_COUNT)
}

fn probability(field: &str, value: f64) -> Result<(), OutOfRange> {
    within(field, value, 0.0..=1.0)
}

fn budget(field: &str, value: f64) -> Result<(), OutOfRange> {
    within(field, value, 0.0..=MAX_VALUE)
}

fn within_rounded(field: &str, value: f32, range: RangeInclusive<f64>) -> Result<(), OutOfRange> {
    let value = f64::from(value);
    // An infinite value stays outside.
    let is_close = (range.start() - ROUNDING..=range.end() + ROUNDING).contains(&value);
    if is_close { Ok(()) } else { within(field, value, range) }
}

/// Fails unless `value` is in `range`, which NaN never is.
fn within(field: &str, value: f64, range: RangeInclusive<f64>) -> Result<(), OutOfRange> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = range.into_inner();
    Err(OutOfRange {
        field: field.into(),
        reason: format!("is {value:e}, but must be from {low:e} to {high:e}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Price;
    use crate::episode::fixtures::{decided, generation, started, written};
    use crate::episode::{Decider, Role};

    fn error(kind: EventKind) -> String {
        Event::new(1, kind).check_ranges().expect_err("it is out of range").to_string()
    }

    /// The event with the number at `pointer` of its JSON replaced.
    fn changed(kind: EventKind, pointer: &str, value: f64) -> EventKind {
        let mut json = serde_json::to_value(Event::new(1, kind)).unwrap();
        *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.into();
        serde_json::from_value::<Event>(json).unwrap().kind
    }

    #[test]
    fn sound_events_pass() {
        let choice = decided(0, Some(0.5), Role::Small, Decider::Rule("entropy".into()), 3);
        for kind in [
            EventKind::Started(Box::new(started())),
            choice,
            written(0, Role::Small, 3),
            EventKind::BudgetChanged { from: None, to: Some(3.0) },
        ] {
            Event::new(1, kind).check_ranges().unwrap();
        }
        // Rounding in single precision.
        let rounded = changed(written(0, Role::Small, 1), "/tokens/0/logprob", 1e-6);
        Event::new(1, rounded).check_ranges().unwrap();
    }

    #[test]
    fn every_number_has_a_range() {
        let choice = || decided(0, Some(0.5), Role::Small, Decider::Rule("entropy".into()), 3);
        let step = || written(0, Role::Small, 1);
        let cases = [
            (choice(), "/propensity", &[0.0, -1.0, 1.5][..]),
            (choice(), "/p_large", &[7.5, -0.1]),
            (choice(), "/threshold", &[1e308, -1.0]),
            (choice(), "/features/draft.length", &[1e308, -1e308]),
            (step(), "/tokens/0/logprob", &[7.0, 1e300, -1e300]),
            (step(), "/tokens/0/entropy", &[-1.0, 1e30]),
            (step(), "/tokens/0/top", &[-0.5, 2.0]),
            (step(), "/tokens/0/margin", &[-0.5, 2.0]),
            (step(), "/tokens/0/ms", &[-1.0]),
            (step(), "/prefill_ms", &[-1.0, 1e300]),
            (step(), "/decode_ms", &[-1.0, 1e300]),
        ];
        for (kind, pointer, values) in cases {
            for value in values {
                let message = error(changed(kind.clone(), pointer, *value));
                let field = pointer.rsplit('/').next().unwrap();
                assert!(message.contains(field) && message.contains("but must be"), "{message}");
            }
        }
        for prefilled in [usize::MAX, 1 << 40] {
            let huge =
                EventKind::Written { step: 0, generation: generation(Role::Small, 1, prefilled) };
            assert!(error(huge).starts_with("prefilled is "));
        }
        assert!(Event::new(u64::MAX, EventKind::Paused).check_ranges().is_err());
        assert!(
            error(EventKind::Bookmarked { step: usize::MAX, note: String::new() }).contains("step")
        );
        assert!(
            error(EventKind::ThresholdMoved { from: 0.5, to: f64::NAN }).starts_with("to is NaN")
        );
        assert!(error(EventKind::BudgetChanged { from: Some(-1.0), to: None }).starts_with("from"));
    }

    #[test]
    fn prices_and_the_preset_are_checked() {
        let with = |change: fn(&mut Started)| {
            let mut started = started();
            change(&mut started);
            error(EventKind::Started(Box::new(started)))
        };
        let price = with(|s| s.prices.large = Price { read: 1.0, cached: -1.0, written: 1.0 });
        assert!(price.starts_with("prices.large.cached is -1e0"), "{price}");
        assert!(with(|s| s.prices.small = 1e308.into()).starts_with("prices.small.read"));
        let threshold = with(|s| s.preset.routing.threshold = 7.5);
        assert!(threshold.starts_with("preset.routing.threshold is 7.5"), "{threshold}");
    }

    #[test]
    fn an_episode_is_checked_as_its_events_are() {
        let kinds = |propensity: f64| {
            let choice = decided(0, Some(0.5), Role::Small, Decider::Rule("entropy".into()), 3);
            [changed(choice, "/propensity", propensity), written(0, Role::Small, 2)]
        };
        crate::episode::fixtures::episode(kinds(0.5)).check_ranges().unwrap();
        let error = crate::episode::fixtures::episode(kinds(-1.0)).check_ranges().unwrap_err();
        assert_eq!(error.field, "propensity");
    }
}
