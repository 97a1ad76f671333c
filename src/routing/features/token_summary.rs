//! Statistics of a sequence of tokens.

use crate::episode::Token;

/// What the features say of the tokens of a draft or a step. Entropies and log-probabilities are in
/// nats.
pub(super) struct TokenSummary {
    pub(super) first_entropy: f64,
    pub(super) first_probability: f64,
    pub(super) first_margin: f64,
    /// Over all tokens.
    pub(super) all: GroupSummary,
    pub(super) mean_logprob: f64,
    pub(super) length: f64,
    /// Over the tokens with a digit.
    pub(super) digits: GroupSummary,
    pub(super) number_entropy: f64,
    pub(super) number_logprob: f64,
}

impl TokenSummary {
    /// `None` for no tokens.
    pub(super) fn of(tokens: &[Token]) -> Option<Self> {
        let first = tokens.first()?;
        let number = last_number(tokens);
        Some(Self {
            first_entropy: f64::from(first.entropy),
            first_probability: f64::from(first.top),
            first_margin: f64::from(first.margin),
            all: GroupSummary::of(tokens.iter()),
            mean_logprob: mean(tokens.iter().map(|t| t.logprob)),
            length: tokens.len() as f64,
            digits: GroupSummary::of(digits(tokens)),
            number_entropy: max_or_zero(number.iter().map(|t| t.entropy)),
            number_logprob: number.iter().map(|t| f64::from(t.logprob)).sum(),
        })
    }
}

/// Statistics of some of the tokens; 0 if there are none.
pub(super) struct GroupSummary {
    pub(super) mean_entropy: f64,
    pub(super) max_entropy: f64,
    pub(super) min_logprob: f64,
}

impl GroupSummary {
    pub(super) fn of<'a>(tokens: impl Iterator<Item = &'a Token> + Clone) -> Self {
        Self {
            mean_entropy: mean(tokens.clone().map(|t| t.entropy)),
            max_entropy: max_or_zero(tokens.clone().map(|t| t.entropy)),
            min_logprob: -max_or_zero(tokens.map(|t| -t.logprob)),
        }
    }
}

/// The mean; 0 if there are no values.
pub(super) fn mean(values: impl Iterator<Item = f32>) -> f64 {
    let (mut sum, mut n) = (0.0, 0_u32);
    for value in values {
        sum += f64::from(value);
        n += 1;
    }
    sum / f64::from(n.max(1))
}

/// The largest of values that are not negative; 0 if there are none.
pub(super) fn max_or_zero(values: impl Iterator<Item = f32>) -> f64 {
    f64::from(values.fold(0.0, f32::max))
}

pub(super) fn has_digit(token: &Token) -> bool {
    token.text.contains(|c: char| c.is_ascii_digit())
}

pub(super) fn digits(tokens: &[Token]) -> impl Iterator<Item = &Token> + Clone {
    tokens.iter().filter(|t| has_digit(t))
}

/// The tokens of the last run of tokens with digits.
fn last_number(tokens: &[Token]) -> &[Token] {
    let Some(end) = tokens.iter().rposition(has_digit) else { return &[] };
    let start = tokens[..end].iter().rposition(|t| !has_digit(t)).map_or(0, |gap| gap + 1);
    &tokens[start..=end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_known_tokens() {
        let token = |text: &str, logprob: f32, entropy: f32| Token {
            id: 0,
            text: text.into(),
            logprob,
            entropy,
            top: 0.9,
            margin: 0.8,
            ms: 0.0,
        };
        let tokens = [
            token("Pens", -0.5, 0.3),
            token(" ", -0.1, 0.1),
            token("1", -0.2, 0.4),
            token("2", -0.7, 0.6),
        ];
        let summary = TokenSummary::of(&tokens).unwrap();
        for (value, expected) in [
            (summary.first_entropy, 0.3),
            (summary.first_probability, 0.9),
            (summary.all.mean_entropy, 0.35),
            (summary.all.min_logprob, -0.7),
            (summary.digits.max_entropy, 0.6),
            (summary.digits.mean_entropy, 0.5),
            (summary.number_logprob, -0.9),
            (summary.length, 4.0),
        ] {
            assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
        }
        assert!(TokenSummary::of(&[]).is_none());
    }
}
