//! Features at a boundary: what a router can see without knowing the answer.

use std::collections::BTreeMap;

use super::Boundary;
use crate::episode::{Role, Token};
use crate::tasks::arithmetic::carries_in;

/// Statistics of a stretch of tokens, by name.
///
/// | suffix | meaning | unit, range |
/// |---|---|---|
/// | `first_entropy` | entropy of the first token's distribution | nats, ≥ 0 |
/// | `first_top`, `first_margin` | its highest probability, and that less the second | [0, 1] |
/// | `mean_entropy`, `max_entropy` | over the tokens | nats, ≥ 0 |
/// | `mean_logprob`, `min_logprob` | of the drawn tokens | nats, ≤ 0 |
/// | `length` | number of tokens | ≥ 0 |
fn statistics(prefix: &str, tokens: &[Token], into: &mut BTreeMap<String, f64>) {
    let Some(first) = tokens.first() else { return };
    let n = tokens.len() as f64;
    let mean = |f: fn(&Token) -> f32| tokens.iter().map(|t| f64::from(f(t))).sum::<f64>() / n;
    let most =
        |f: fn(&Token) -> f32| tokens.iter().map(|t| f64::from(f(t))).fold(f64::MIN, f64::max);
    let mut put = |name: &str, value: f64| into.insert(format!("{prefix}.{name}"), value);
    put("first_entropy", f64::from(first.entropy));
    put("first_top", f64::from(first.top));
    put("first_margin", f64::from(first.margin));
    put("mean_entropy", mean(|t| t.entropy));
    put("max_entropy", most(|t| t.entropy));
    put("mean_logprob", mean(|t| t.logprob));
    put("min_logprob", -most(|t| -t.logprob));
    put("length", n);
}

/// Everything that is known at a boundary: statistics of the glimpse (`glimpse.…`) and of the last
/// step (`last.…`, see [`statistics`]), and of the trace:
///
/// | name | meaning | range |
/// |---|---|---|
/// | `glimpse.whole` | whether the glimpse ends the step | 0 or 1 |
/// | `glimpse.digits` | share of digits among its characters | [0, 1] |
/// | `glimpse.min_digit_logprob` | least log-probability of a token with a digit; 0 without one | ≤ 0 |
/// | `glimpse.longest_number` | digits of its longest number | ≥ 0 |
/// | `glimpse.carry` | whether its first sum or difference carries or borrows | 0 or 1 |
/// | `glimpse.times`, `glimpse.divide` | whether it multiplies, divides | 0 or 1 |
/// | `last.large` | whether the large model wrote the last step | 0 or 1 |
/// | `trace.min_logprob`, `trace.mean_logprob` | over all tokens of the small model so far | ≤ 0 |
/// | `trace.step` | number of the step, from 0 | ≥ 0 |
/// | `trace.large_share` | share of steps that the large model wrote | [0, 1] |
/// | `budget.left` | share of the budget that is left; 1 without a limit | [0, 1] |
/// | `question.length` | characters of the question / 100 | ≥ 0 |
pub fn features(boundary: &Boundary<'_>) -> BTreeMap<String, f64> {
    let Boundary { episode, question, glimpse } = boundary;
    let mut all = BTreeMap::new();
    statistics("glimpse", &glimpse.tokens, &mut all);
    if !glimpse.tokens.is_empty() {
        let digits = glimpse.text.chars().filter(char::is_ascii_digit).count();
        let longest = glimpse.text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        let has = |signs: &[char]| f64::from(u8::from(glimpse.text.contains(signs)));
        let length = glimpse.text.chars().count().max(1);
        all.insert("glimpse.whole".into(), f64::from(u8::from(glimpse.whole)));
        all.insert("glimpse.digits".into(), digits as f64 / length as f64);
        let figures =
            glimpse.tokens.iter().filter(|t| t.text.contains(|c: char| c.is_ascii_digit()));
        let least = figures.map(|t| f64::from(t.logprob)).fold(0.0, f64::min);
        all.insert("glimpse.min_digit_logprob".into(), least);
        all.insert("glimpse.longest_number".into(), longest.unwrap_or(0) as f64);
        all.insert("glimpse.carry".into(), f64::from(u8::from(carries_in(&glimpse.text))));
        all.insert("glimpse.times".into(), has(&['×', '*']));
        all.insert("glimpse.divide".into(), has(&['÷', '/']));
    }
    if let Some(last) = episode.steps.last() {
        statistics("last", &last.writing.tokens, &mut all);
        let large = last.writing.model == Role::Large;
        all.insert("last.large".into(), f64::from(u8::from(large)));
    }
    let own: Vec<f64> = episode
        .steps
        .iter()
        .filter(|s| s.writing.model == Role::Small)
        .flat_map(|s| s.writing.tokens.iter().map(|t| f64::from(t.logprob)))
        .collect();
    if !own.is_empty() {
        all.insert("trace.min_logprob".into(), own.iter().copied().fold(0.0, f64::min));
        all.insert("trace.mean_logprob".into(), own.iter().sum::<f64>() / own.len() as f64);
    }
    all.insert("trace.step".into(), episode.steps.len() as f64);
    all.insert("trace.large_share".into(), episode.share_of(Role::Large));
    let left = episode.budget.map_or(1.0, |limit| {
        if limit > 0.0 { (1.0 - episode.ledger.cost() / limit).clamp(0.0, 1.0) } else { 0.0 }
    });
    all.insert("budget.left".into(), left);
    all.insert("question.length".into(), question.text.chars().count() as f64 / 100.0);
    all
}
