//! Features at a boundary: what a router can see without knowing the answer.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::RouterInput;
use super::text_features::{
    DIGIT_PLACES, WORD_BUCKETS, digit_feature_name, draft_text_features, flag, length_feature,
    question_features, word_feature_name,
};
use crate::episode::{Role, Step, Token};

/// The names of all features.
///
/// Statistics of a stretch of tokens, of the glimpse (`glimpse.…`) and of the last step (`last.…`):
///
/// | suffix | meaning | unit, range |
/// |---|---|---|
/// | `first_entropy` | entropy of the first token's distribution | nats, ≥ 0 |
/// | `first_top`, `first_margin` | its highest probability, and that less the second | [0, 1] |
/// | `mean_entropy`, `max_entropy` | over the tokens | nats, ≥ 0 |
/// | `mean_logprob`, `min_logprob` | of the drawn tokens | nats, ≤ 0 |
/// | `length` | number of tokens | ≥ 0 |
/// | `digit_mean_entropy`, `digit_max_entropy` | over the tokens with a digit; 0 without one | nats, ≥ 0 |
/// | `number_entropy` | highest entropy within the last number; 0 without one | nats, ≥ 0 |
/// | `number_logprob` | log-probability of the whole last number | nats, ≤ 0 |
///
/// Of the glimpse alone, over its tokens with letters (`glimpse.word_…`) and over those with neither
/// letters nor digits (`glimpse.sign_…`); 0 where there is none:
///
/// | suffix | meaning | unit, range |
/// |---|---|---|
/// | `mean_entropy`, `max_entropy` | over these tokens | nats, ≥ 0 |
/// | `min_logprob` | least of these tokens | nats, ≤ 0 |
///
/// What the glimpse says, and how it hangs together with what stands before it:
///
/// | name | meaning | range |
/// |---|---|---|
/// | `glimpse.whole` | whether it ends the step | 0 or 1 |
/// | `glimpse.digits` | share of digits among its characters | [0, 1] |
/// | `glimpse.min_digit_logprob` | least log-probability of a token with a digit; 0 without one | ≤ 0 |
/// | `glimpse.longest_number` | digits of its longest number | ≥ 0 |
/// | `glimpse.carry` | whether its first sum or difference carries or borrows | 0 or 1 |
/// | `glimpse.plus`, `glimpse.minus`, `glimpse.times`, `glimpse.divide` | whether it has that sign | 0 or 1 |
/// | `glimpse.first_number`, `glimpse.second_number`, `glimpse.last_number` | these of its numbers / 100; 0 where there is none | [0, 10] |
/// | `digits.first.ones.0` … `digits.last.tens.9` | whether the first, second, last of its numbers has this digit at the last place but none, but one: a policy can so learn sums and tables | 0 or 1 |
/// | `glimpse.new_numbers` | its numbers that stand neither in the question nor in the trace | ≥ 0 |
/// | `glimpse.uses` | numbers of the question that it is the first to use | ≥ 0 |
/// | `glimpse.skips` | numbers of the question before the last of those that are not used yet | ≥ 0 |
/// | `glimpse.jumps` | how far behind the first unused number of the question the first of those stands; −1 where there is none | ≥ −1 |
/// | `glimpse.goes_on` | whether it uses the last number of the trace | 0 or 1 |
/// | `glimpse.words_known` | share of its words that stand in the question or the trace | [0, 1] |
/// | `glimpse.repeats` | whether the trace has this very text already | 0 or 1 |
///
/// The trace, the question, and what a change of the writer would cost:
///
/// | name | meaning | range |
/// |---|---|---|
/// | `last.large` | whether the large model wrote the last step | 0 or 1 |
/// | `trace.min_logprob`, `trace.mean_logprob` | over all tokens of the small model so far | ≤ 0 |
/// | `trace.worst_step` | highest mean entropy of a step by the small model so far | nats, ≥ 0 |
/// | `trace.worst_number` | highest entropy of a digit by the small model so far | nats, ≥ 0 |
/// | `trace.step` | number of the step, from 0 | ≥ 0 |
/// | `trace.large_share` | share of steps that the large model wrote | [0, 1] |
/// | `budget.left` | share of the budget that is left; 1 without a limit | [0, 1] |
/// | `question.length` | characters of the question / 100 | ≥ 0 |
/// | `question.numbers` | numbers in the question | ≥ 0 |
/// | `question.numbers_left` | those that neither the trace nor the glimpse has used | ≥ 0 |
/// | `question.sentences` | its sentences | ≥ 0 |
/// | `story.00` … `story.63` | words of the sentence that the glimpse is about, by a hash of the word: that of the last number it is the first to use, else the next sentence | ≥ 0 |
/// | `large.unread` | characters of question and trace that the large model has not read / 100 | ≥ 0 |
pub static FEATURES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let word_counts = (0..WORD_BUCKETS).map(word_feature_name);
    let digits = DIGIT_PLACES
        .iter()
        .flat_map(|place| (0..10).map(move |digit| digit_feature_name(place, digit)));
    SCALAR_FEATURES.iter().map(|name| (*name).to_owned()).chain(word_counts).chain(digits).collect()
});

/// Those that do not come in rows.
const SCALAR_FEATURES: [&str; 62] = [
    "glimpse.first_entropy",
    "glimpse.first_top",
    "glimpse.first_margin",
    "glimpse.mean_entropy",
    "glimpse.max_entropy",
    "glimpse.mean_logprob",
    "glimpse.min_logprob",
    "glimpse.length",
    "glimpse.digit_mean_entropy",
    "glimpse.digit_max_entropy",
    "glimpse.number_entropy",
    "glimpse.number_logprob",
    "glimpse.word_mean_entropy",
    "glimpse.word_max_entropy",
    "glimpse.word_min_logprob",
    "glimpse.sign_mean_entropy",
    "glimpse.sign_max_entropy",
    "glimpse.sign_min_logprob",
    "glimpse.whole",
    "glimpse.digits",
    "glimpse.min_digit_logprob",
    "glimpse.longest_number",
    "glimpse.carry",
    "glimpse.plus",
    "glimpse.minus",
    "glimpse.times",
    "glimpse.divide",
    "glimpse.first_number",
    "glimpse.second_number",
    "glimpse.last_number",
    "glimpse.new_numbers",
    "glimpse.uses",
    "glimpse.skips",
    "glimpse.jumps",
    "glimpse.goes_on",
    "glimpse.words_known",
    "glimpse.repeats",
    "last.first_entropy",
    "last.first_top",
    "last.first_margin",
    "last.mean_entropy",
    "last.max_entropy",
    "last.mean_logprob",
    "last.min_logprob",
    "last.length",
    "last.digit_mean_entropy",
    "last.digit_max_entropy",
    "last.number_entropy",
    "last.number_logprob",
    "last.large",
    "trace.min_logprob",
    "trace.mean_logprob",
    "trace.worst_step",
    "trace.worst_number",
    "trace.step",
    "trace.large_share",
    "budget.left",
    "question.length",
    "question.numbers",
    "question.numbers_left",
    "question.sentences",
    "large.unread",
];

/// Everything that is known at a boundary, by the names of [`FEATURES`]. Statistics of what is not
/// there (a glimpse of length 0, the step before the first) are left out; a policy reads 0 for
/// them.
pub fn features(boundary: &RouterInput<'_>) -> BTreeMap<String, f64> {
    let RouterInput { episode, question, draft, .. } = boundary;
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: f64| {
        all.insert(name.to_owned(), value);
    };
    let trace = episode.text();
    let before = format!("{} {trace}", question.text);
    if !draft.tokens.is_empty() {
        token_statistics("draft", &draft.tokens, &mut put);
        put("draft.complete", flag(draft.complete));
        draft_text_features(&draft.text, &before, &trace, &mut put);
        let least = digits(&draft.tokens).map(|t| f64::from(t.logprob)).fold(0.0, f64::min);
        put("glimpse.min_digit_logprob", least);
        let word = |t: &&Token| t.text.contains(char::is_alphabetic) && !has_digit(t);
        token_group_statistics("draft.word", draft.tokens.iter().filter(word), &mut put);
        let sign = |t: &&Token| !t.text.contains(char::is_alphanumeric);
        token_group_statistics("draft.sign", draft.tokens.iter().filter(sign), &mut put);
    }
    if let Some(last) = episode.steps.last() {
        token_statistics("last", &last.generation.tokens, &mut put);
        put("last.large", flag(last.generation.model == Role::Large));
    }
    let by_small: Vec<&Step> =
        episode.steps.iter().filter(|s| s.generation.model == Role::Small).collect();
    let small_logprobs: Vec<f64> =
        by_small.iter().flat_map(|s| &s.generation.tokens).map(|t| f64::from(t.logprob)).collect();
    if !small_logprobs.is_empty() {
        put("trace.min_logprob", small_logprobs.iter().copied().fold(0.0, f64::min));
        put("trace.mean_logprob", small_logprobs.iter().sum::<f64>() / small_logprobs.len() as f64);
        let worst = |of: fn(&[Token]) -> f64| {
            by_small.iter().map(|s| of(&s.generation.tokens)).fold(0.0, f64::max)
        };
        put("trace.worst_step", worst(|tokens| mean(tokens.iter().map(|t| t.entropy))));
        put("trace.worst_number", worst(|tokens| max_or_zero(digits(tokens).map(|t| t.entropy))));
    }
    put("trace.step", episode.steps.len() as f64);
    put("trace.large_share", episode.share_of(Role::Large));
    let left = episode.budget.map_or(1.0, |limit| {
        if limit > 0.0 { (1.0 - episode.ledger.cost() / limit).clamp(0.0, 1.0) } else { 0.0 }
    });
    put("budget.left", left);
    put("question.length", length_feature(&question.text));
    question_features(&question.text, &trace, &draft.text, &mut put);
    let last_large = episode.steps.iter().rposition(|s| s.generation.model == Role::Large);
    let unread = &episode.steps[last_large.map_or(0, |last| last + 1)..];
    let prompt = if last_large.is_none() { length_feature(&question.text) } else { 0.0 };
    put(
        "large.unread",
        prompt + unread.iter().map(|s| length_feature(&s.generation.text)).sum::<f64>(),
    );
    all
}

fn token_statistics(prefix: &str, tokens: &[Token], put: &mut impl FnMut(&str, f64)) {
    let Some(first) = tokens.first() else { return };
    let mut put = |name: &str, value: f64| put(&format!("{prefix}.{name}"), value);
    put("first_entropy", f64::from(first.entropy));
    put("first_top", f64::from(first.top));
    put("first_margin", f64::from(first.margin));
    put("mean_entropy", mean(tokens.iter().map(|t| t.entropy)));
    put("max_entropy", max_or_zero(tokens.iter().map(|t| t.entropy)));
    put("mean_logprob", mean(tokens.iter().map(|t| t.logprob)));
    put("min_logprob", -max_or_zero(tokens.iter().map(|t| -t.logprob)));
    put("length", tokens.len() as f64);
    put("digit_mean_entropy", mean(digits(tokens).map(|t| t.entropy)));
    put("digit_max_entropy", max_or_zero(digits(tokens).map(|t| t.entropy)));
    let number = last_number(tokens);
    put("number_entropy", max_or_zero(number.iter().map(|t| t.entropy)));
    put("number_logprob", number.iter().map(|t| f64::from(t.logprob)).sum());
}

fn token_group_statistics<'a>(
    prefix: &str,
    tokens: impl Iterator<Item = &'a Token> + Clone,
    put: &mut impl FnMut(&str, f64),
) {
    put(&format!("{prefix}_mean_entropy"), mean(tokens.clone().map(|t| t.entropy)));
    put(&format!("{prefix}_max_entropy"), max_or_zero(tokens.clone().map(|t| t.entropy)));
    put(&format!("{prefix}_min_logprob"), -max_or_zero(tokens.map(|t| -t.logprob)));
}

fn mean(values: impl Iterator<Item = f32>) -> f64 {
    let (mut sum, mut n) = (0.0, 0_u32);
    for value in values {
        sum += f64::from(value);
        n += 1;
    }
    sum / f64::from(n.max(1))
}

/// The largest of values that are not negative; 0 where there is none.
fn max_or_zero(values: impl Iterator<Item = f32>) -> f64 {
    f64::from(values.fold(0.0, f32::max))
}

fn has_digit(token: &Token) -> bool {
    token.text.contains(|c: char| c.is_ascii_digit())
}

fn digits(tokens: &[Token]) -> impl Iterator<Item = &Token> {
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
        let mut all = BTreeMap::new();
        token_statistics("glimpse", &tokens, &mut |name: &str, value| {
            all.insert(name.to_owned(), value);
        });
        let near = |name: &str, value: f64| {
            assert!((all[&format!("glimpse.{name}")] - value).abs() < 1e-6, "{name}: {all:?}");
        };
        near("first_entropy", 0.3);
        near("mean_entropy", 0.35);
        near("min_logprob", -0.7);
        near("digit_max_entropy", 0.6);
        near("digit_mean_entropy", 0.5);
        near("number_logprob", -0.9);
        near("length", 4.0);
        for name in all.keys() {
            assert!(FEATURES.contains(name), "{name} is documented");
        }
    }
}
