//! Features of the draft: its tokens, and what its text says, given question and trace.

use std::collections::BTreeSet;

use super::text::{flag, numbers, words};
use super::token_summary::{GroupSummary, TokenSummary, digits, has_digit};
use super::{FeatureSpec, Values};
use crate::engine::TokenStats;
use crate::episode::Token;
use crate::routing::Draft;
use crate::tasks::arithmetic::carries_in;

pub(super) struct DraftInput<'a> {
    text: &'a str,
    complete: bool,
    tokens: TokenSummary,
    /// Tokens with letters and no digit.
    words: GroupSummary,
    /// Tokens with neither letters nor digits.
    symbols: GroupSummary,
    min_digit_logprob: f64,
    numbers: Vec<&'a str>,
    new_numbers: usize,
    uses_last_result: bool,
    words_seen: f64,
    repeats_trace: bool,
}

impl<'a> DraftInput<'a> {
    /// `None` for a draft without tokens.
    pub(super) fn new(draft: Draft<'a>, question: &str, trace: &str) -> Option<Self> {
        let Draft { text, tokens, complete } = draft;
        let is_word = |t: &&Token| t.text.contains(char::is_alphabetic) && !has_digit(t);
        let is_symbol = |t: &&Token| !t.text.contains(char::is_alphanumeric);
        let context = format!("{question} {trace}");
        let known_numbers: BTreeSet<&str> = numbers(&context).collect();
        let all_numbers: Vec<&str> = numbers(text).collect();
        let last_result = numbers(trace).last();
        Some(Self {
            text,
            complete,
            tokens: TokenSummary::of(tokens)?,
            words: GroupSummary::of(tokens.iter().filter(is_word)),
            symbols: GroupSummary::of(tokens.iter().filter(is_symbol)),
            min_digit_logprob: digits(tokens).map(|t| f64::from(t.logprob)).fold(0.0, f64::min),
            new_numbers: all_numbers.iter().filter(|n| !known_numbers.contains(*n)).count(),
            uses_last_result: last_result.is_some_and(|last| all_numbers.contains(&last)),
            numbers: all_numbers,
            words_seen: share_of_known_words(text, &context),
            repeats_trace: !text.trim().is_empty() && trace.contains(text.trim()),
        })
    }

    fn has_any(&self, symbols: &[char]) -> f64 {
        flag(self.text.contains(symbols))
    }

    fn digit_share(&self) -> f64 {
        let digits = self.text.chars().filter(char::is_ascii_digit).count();
        digits as f64 / self.text.chars().count().max(1) as f64
    }

    /// The numbers that [`DIGIT_PLACES`] looks at.
    fn operands(&self) -> [Option<&'a str>; 3] {
        [self.numbers.first(), self.numbers.get(1), self.numbers.last()]
            .map(Option::<&&str>::copied)
    }

    fn operand_value(&self, at: usize) -> f64 {
        self.operands()[at].map_or(0.0, number_value)
    }
}

/// Share of the words of `text` that `context` has, ignoring case.
fn share_of_known_words(text: &str, context: &str) -> f64 {
    let context = context.to_lowercase();
    let known: BTreeSet<&str> = words(&context).collect();
    let (mut all, mut seen) = (0_u32, 0_u32);
    for word in words(&text.to_lowercase()) {
        all += 1;
        seen += u32::from(known.contains(word));
    }
    f64::from(seen) / f64::from(all.max(1))
}

/// A number's value / 100, at most 10.
fn number_value(number: &str) -> f64 {
    // A number with too many digits for a float is large.
    number.parse::<f64>().unwrap_or(f64::MAX).min(1000.0) / 100.0
}

pub(super) static FEATURES: [FeatureSpec; 37] = [
    FeatureSpec::entropy("draft.first_entropy", "entropy of the first token's distribution", |i| {
        Some(i.draft()?.tokens.first_entropy)
    }),
    FeatureSpec::probability(
        "draft.first_probability",
        "highest probability of the first token's distribution",
        |i| Some(i.draft()?.tokens.first_probability),
    ),
    FeatureSpec::probability(
        "draft.first_margin",
        "highest minus second highest probability of the first token's distribution",
        |i| Some(i.draft()?.tokens.first_margin),
    ),
    FeatureSpec::entropy("draft.mean_entropy", "mean entropy of the tokens", |i| {
        Some(i.draft()?.tokens.all.mean_entropy)
    }),
    FeatureSpec::entropy("draft.max_entropy", "highest entropy of a token", |i| {
        Some(i.draft()?.tokens.all.max_entropy)
    }),
    FeatureSpec::logprob("draft.mean_logprob", "mean log-probability of the tokens", |i| {
        Some(i.draft()?.tokens.mean_logprob)
    }),
    FeatureSpec::logprob("draft.min_logprob", "lowest log-probability of a token", |i| {
        Some(i.draft()?.tokens.all.min_logprob)
    }),
    FeatureSpec::count("draft.length", "number of tokens", |i| Some(i.draft()?.tokens.length)),
    FeatureSpec::entropy(
        "draft.digit_mean_entropy",
        "mean entropy of the tokens with a digit; 0 without one",
        |i| Some(i.draft()?.tokens.digits.mean_entropy),
    ),
    FeatureSpec::entropy(
        "draft.digit_max_entropy",
        "highest entropy of a token with a digit; 0 without one",
        |i| Some(i.draft()?.tokens.digits.max_entropy),
    ),
    FeatureSpec::entropy(
        "draft.number_entropy",
        "highest entropy within the last number; 0 without one",
        |i| Some(i.draft()?.tokens.number_entropy),
    ),
    FeatureSpec::logprob(
        "draft.number_logprob",
        "log-probability of the whole last number; 0 without one",
        |i| Some(i.draft()?.tokens.number_logprob),
    ),
    FeatureSpec::entropy(
        "draft.word_mean_entropy",
        "mean entropy of the tokens with letters and no digit; 0 without one",
        |i| Some(i.draft()?.words.mean_entropy),
    ),
    FeatureSpec::entropy(
        "draft.word_max_entropy",
        "highest entropy of a token with letters and no digit; 0 without one",
        |i| Some(i.draft()?.words.max_entropy),
    ),
    FeatureSpec::logprob(
        "draft.word_min_logprob",
        "lowest log-probability of a token with letters and no digit; 0 without one",
        |i| Some(i.draft()?.words.min_logprob),
    ),
    FeatureSpec::entropy(
        "draft.symbol_mean_entropy",
        "mean entropy of the tokens without letters and digits; 0 without one",
        |i| Some(i.draft()?.symbols.mean_entropy),
    ),
    FeatureSpec::entropy(
        "draft.symbol_max_entropy",
        "highest entropy of a token without letters and digits; 0 without one",
        |i| Some(i.draft()?.symbols.max_entropy),
    ),
    FeatureSpec::logprob(
        "draft.symbol_min_logprob",
        "lowest log-probability of a token without letters and digits; 0 without one",
        |i| Some(i.draft()?.symbols.min_logprob),
    ),
    FeatureSpec::flag("draft.complete", "the draft is the whole step", |i| {
        Some(flag(i.draft()?.complete))
    }),
    FeatureSpec::share("draft.digits", "share of digits among its characters", |i| {
        Some(i.draft()?.digit_share())
    }),
    FeatureSpec::logprob(
        "draft.min_digit_logprob",
        "lowest log-probability of a token with a digit; 0 without one",
        |i| Some(i.draft()?.min_digit_logprob),
    ),
    FeatureSpec::count("draft.longest_number", "number of digits of its longest number", |i| {
        Some(i.draft()?.numbers.iter().map(|n| n.len()).max().unwrap_or(0) as f64)
    }),
    FeatureSpec::flag("draft.carry", "its first sum or difference carries or borrows", |i| {
        Some(flag(carries_in(i.draft()?.text)))
    }),
    FeatureSpec::flag("draft.plus", "it has a plus sign", |i| Some(i.draft()?.has_any(&['+']))),
    FeatureSpec::flag("draft.minus", "it has a minus sign", |i| {
        Some(i.draft()?.has_any(&['-', '−']))
    }),
    FeatureSpec::flag("draft.times", "it has a multiplication sign", |i| {
        Some(i.draft()?.has_any(&['×', '*']))
    }),
    FeatureSpec::flag("draft.divide", "it has a division sign", |i| {
        Some(i.draft()?.has_any(&['÷', '/']))
    }),
    operand("draft.first_number", "its first number / 100; 0 without one", |i| {
        Some(i.draft()?.operand_value(0))
    }),
    operand("draft.second_number", "its second number / 100; 0 without one", |i| {
        Some(i.draft()?.operand_value(1))
    }),
    operand("draft.last_number", "its last number / 100; 0 without one", |i| {
        Some(i.draft()?.operand_value(2))
    }),
    FeatureSpec::count(
        "draft.new_numbers",
        "how many of its numbers neither the question nor the trace has",
        |i| Some(i.draft()?.new_numbers as f64),
    ),
    FeatureSpec::count(
        "draft.numbers_used",
        "how many numbers of the question it is the first to use",
        |i| Some(i.question.draft_use()?.used as f64),
    ),
    FeatureSpec::count(
        "draft.numbers_skipped",
        "how many numbers of the question before the last of those are still unused",
        |i| Some(i.question.draft_use()?.skipped as f64),
    ),
    FeatureSpec::single(
        "draft.number_jump",
        ("", "≥ −1", TokenStats::None),
        "how many numbers after the question's first unused one the first of those comes; −1 without one",
        |i| Some(i.question.draft_use()?.jump),
    ),
    FeatureSpec::flag("draft.uses_last_result", "it has the last number of the trace", |i| {
        Some(flag(i.draft()?.uses_last_result))
    }),
    FeatureSpec::share(
        "draft.words_seen",
        "share of its words that the question or the trace has",
        |i| Some(i.draft()?.words_seen),
    ),
    FeatureSpec::flag("draft.repeats_trace", "the trace already contains this text", |i| {
        Some(flag(i.draft()?.repeats_trace))
    }),
];

const fn operand(name: &'static str, meaning: &'static str, value: super::Value) -> FeatureSpec {
    FeatureSpec::single(name, ("", "[0, 10]", TokenStats::None), meaning, value)
}

/// Which digits `digits.…` looks at: the ones and the tens of three numbers of the draft.
const DIGIT_PLACES: [&str; 6] =
    ["first.ones", "first.tens", "second.ones", "second.tens", "last.ones", "last.tens"];

/// From these a policy can learn tables of sums and products.
pub(super) static DIGITS: FeatureSpec = FeatureSpec {
    name: "digits",
    unit: "",
    range: "0 or 1",
    meaning: "the draft's first, second or last number has this digit as its ones or tens",
    needs: TokenStats::None,
    values: Values::Family {
        size: 10 * DIGIT_PLACES.len(),
        member: |at| format!("digits.{}.{}", DIGIT_PLACES[at / 10], at % 10),
        values: |i| i.draft().map_or_else(Vec::new, digit_values),
    },
};

fn digit_values(draft: &DraftInput<'_>) -> Vec<(usize, f64)> {
    let mut values = Vec::new();
    for (at, number) in draft.operands().into_iter().enumerate() {
        let lowest_first = number.unwrap_or_default().bytes().rev();
        for (place, digit) in lowest_first.take(2).enumerate() {
            values.push((10 * (2 * at + place) + usize::from(digit - b'0'), 1.0));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::super::tests::features_of;

    #[test]
    fn digits_have_their_places() {
        let all = features_of("", "", "Pens: 108 - 5 = 103");
        let digits: Vec<&str> =
            all.keys().filter_map(|name| name.strip_prefix("digits.")).collect();
        let wanted =
            ["first.ones.8", "first.tens.0", "last.ones.3", "last.tens.0", "second.ones.5"];
        assert_eq!(digits, wanted, "5 has no tens");
        assert_eq!((all["draft.first_number"], all["draft.last_number"]), (1.08, 1.03));
    }

    #[test]
    fn the_draft_is_compared_with_question_and_trace() {
        let question = "Ava has 12 pens. She loses 5.";
        let all = features_of(question, "Pens: 12 - 5 = 7\n", "Pens left: 7 + 3 = 10");
        assert_eq!(all["draft.new_numbers"], 2.0);
        assert_eq!(all["draft.uses_last_result"], 1.0);
        assert_eq!(all["draft.words_seen"], 0.5);
        assert_eq!((all["draft.plus"], all["draft.minus"]), (1.0, 0.0));
        assert_eq!(all["draft.repeats_trace"], 0.0);
        assert_eq!(features_of("", "a = 1\nb = 2\n", "b = 2")["draft.repeats_trace"], 1.0);
    }
}
