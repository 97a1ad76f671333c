//! The grader of GSM8K: one number.
//!
//! Where a solution's answer is looked for, first to last: the last `#### N`, `\boxed{…}` or `<answer>`, or what is
//! called the final answer behind a box; after the last `answer is` and the like; the last sentence with a number,
//! read as `sentence_number` says.

use super::answer_labels::{corrected_answer, is_abbreviated, text_after_label};
use super::answer_tags::tagged;
use super::boxes::boxes;
use super::number_spans::{NumericAnswer, number_spans, without_markup};
use super::sentence_number::{number_in_raw_sentence, number_in_sentence, number_in_words};
use super::solution_end::own_solution;
use super::trailing_remarks::without_remarks;

/// The number of a gold answer: after its `####`, or the text itself.
pub(crate) fn gold_number(answer: &str) -> Option<NumericAnswer> {
    let marked = answer.rsplit_once("####").map(|(_, tail)| tail);
    let text = without_markup(marked.unwrap_or(answer));
    let number_spans = number_spans(&text);
    let spot = if marked.is_some() { number_spans.first() } else { number_spans.last() };
    spot.map(|spot| NumericAnswer::of(&text, spot))
}

/// The final number of a solution.
pub(crate) fn solution_number(solution: &str) -> Option<NumericAnswer> {
    let text = own_solution(solution);
    let marked = [after_hashes(text), last_box(text), in_tag(text)].into_iter().flatten();
    if let Some((_, amount)) = marked.max_by_key(|(at, _)| *at) {
        return Some(amount);
    }
    if let Some(named) = text_after_label(text) {
        let segment = first_sentence(named);
        let before = without_markup(&text[..text.len() - named.len()]);
        let amount = number_in_raw_sentence(segment, true, &before)
            .or_else(|| number_in_words(&without_markup(segment)));
        if amount.is_some() {
            return amount;
        }
    }
    let text = without_remarks(text);
    last_sentence(text).or_else(|| number_in_words(&without_markup(text)))
}

/// The number stated by the last sentence that has one, as written.
pub(crate) fn last_stated_number(text: &str) -> Option<String> {
    let digits = last_sentence(text).filter(|a| a.text.contains(|c: char| c.is_ascii_digit()));
    digits.map(|amount| amount.text)
}

/// The number of the last sentence that has one.
fn last_sentence(text: &str) -> Option<NumericAnswer> {
    let stops = text.match_indices(". ").filter(|(at, _)| !is_abbreviated(&text[..*at]));
    let ends = stops.chain(text.match_indices("! ")).map(|(at, _)| at + 1);
    let mut begins: Vec<usize> =
        ends.chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    begins.push(0);
    begins.sort_unstable();
    let mut end = text.len();
    let mut last = true;
    for begin in begins.into_iter().rev() {
        let sentence = &text[begin..end];
        end = begin;
        let clean = without_markup(sentence);
        if !number_spans(&clean).is_empty() {
            return number_in_raw_sentence(sentence, false, &without_markup(&text[..begin]));
        }
        let words = number_in_words(&clean).filter(|_| last && has_state_verb(&clean));
        if words.is_some() {
            return words;
        }
        last &= sentence.trim().is_empty();
    }
    None
}

/// Whether a sentence has a linking verb.
fn has_state_verb(sentence: &str) -> bool {
    let verbs = ["has", "have", "is", "are", "left", "remain", "needs", "makes"];
    let mut words = sentence.split(|c: char| !c.is_alphabetic());
    words.any(|word| verbs.contains(&word)) && !sentence.contains(" one ")
}

/// The number of the last `####` that is an answer and not a heading, and its position.
fn after_hashes(text: &str) -> Option<(usize, NumericAnswer)> {
    text.rmatch_indices("####").find_map(|(at, mark)| {
        let rest = text[at + mark.len()..].trim_start_matches(['#', ' ', '\t', ':', '*', '\n']);
        let line = rest.lines().next().unwrap_or("");
        let (number, words) = line.split_once(['.', ')']).unwrap_or((line, ""));
        let listed = !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
            && words.starts_with(' ')
            && words.trim().starts_with(|c: char| c.is_alphabetic());
        let heading = listed || line.trim_start().starts_with(|c: char| c.is_alphabetic());
        let clean = without_markup(line);
        (!heading)
            .then(|| number_in_sentence(&clean, true, ""))
            .flatten()
            .map(|amount| (at, amount))
    })
}

/// The number in the last box, or the final answer after it, and its position.
fn last_box(text: &str) -> Option<(usize, NumericAnswer)> {
    let boxes = boxes(text);
    let last = boxes.last()?;
    let rest = &text[last.end..];
    if let Some(value) = corrected_answer(rest) {
        let amount = number_in_raw_sentence(first_sentence(value), true, "");
        return amount.map(|amount| (text.len() - value.len(), amount));
    }
    if let Some(amount) = calculated_after_box(rest) {
        return Some((last.end, amount));
    }
    let clean = without_markup(last.inside);
    let scaled = number_spans(&clean).into_iter().find(|spot| spot.values.len() > 1);
    let worked_out =
        crate::grading::constant::constant_value(last.inside).filter(|_| scaled.is_none());
    let amount = match worked_out {
        Some(value) => NumericAnswer { text: last.inside.to_owned(), values: vec![value] },
        None => number_in_sentence(&clean, false, "").or_else(|| number_in_words(&clean))?,
    };
    Some((last.begin, amount))
}

/// A result that the sentence calculates after its box: `\boxed{9} eggs and so 9 × 2 = 18`.
fn calculated_after_box(rest: &str) -> Option<NumericAnswer> {
    let sentence = without_markup(first_sentence(rest));
    let so =
        [" so ", " thus ", " therefore "].iter().filter_map(|word| sentence.find(word)).min()?;
    let tail = &sentence[so..];
    tail.contains('=').then(|| number_in_sentence(tail, false, "")).flatten()
}

/// The number in the last answer tag, and its position.
fn in_tag(text: &str) -> Option<(usize, NumericAnswer)> {
    let (at, inside) = tagged(text)?;
    let value = text_after_label(inside).unwrap_or(inside);
    let amount = number_in_raw_sentence(value, true, "")
        .or_else(|| number_in_words(&without_markup(value)))?;
    Some((at, amount))
}

/// The first sentence of a text; after a heading, its first line.
fn first_sentence(text: &str) -> &str {
    let text = text.trim_start();
    let line = text.lines().next().unwrap_or("");
    let end = line
        .match_indices(['.', '?', '!', '。'])
        .find(|(i, mark)| {
            let after = &line[i + mark.len()..];
            let ends = after.is_empty() || *mark == "。" || after.starts_with(char::is_whitespace);
            ends && !is_abbreviated(&line[..*i])
        })
        .map(|(i, _)| i);
    &line[..end.unwrap_or(line.len())]
}

/// Whether the number of a solution equals the gold one. A number with more decimals than a gold one with at
/// least two may round to it.
pub(crate) fn same_number(gold: &NumericAnswer, answer: &NumericAnswer) -> bool {
    let Some(target) = gold.values.first() else { return false };
    let places = gold.text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let rounds = |v: f64| {
        let scale = 10_f64.powi(places.min(12) as i32);
        places >= 2 && (v * scale).round() == (target * scale).round()
    };
    let equal = |v: f64| (v - target).abs() <= 1e-9 * target.abs().max(1.0);
    answer.values.iter().any(|v| equal(*v) || (rounds(*v) && answer.text.len() > gold.text.len()))
}
