//! What the glimpse says, read against the question and the trace.

use std::collections::BTreeSet;

use crate::tasks::arithmetic::carries_in;

/// Which numbers of the question are used: each number of the trace, then of the glimpse, uses the
/// first one of the question that is alike and not used yet.
pub(super) fn question_features(
    question: &str,
    trace: &str,
    draft: &str,
    put: &mut impl FnMut(&str, f64),
) {
    let question_numbers: Vec<&str> = numbers(question).collect();
    let mut used = vec![false; question_numbers.len()];
    let mut use_numbers = |text: &str| {
        let mut places = Vec::new();
        for number in numbers(text) {
            let place =
                question_numbers.iter().zip(&used).position(|(n, used)| *n == number && !used);
            if let Some(place) = place {
                used[place] = true;
                places.push(place);
            }
        }
        (places, used.iter().position(|used| !used).unwrap_or(question_numbers.len()))
    };
    let (_, next) = use_numbers(trace);
    let (places, _) = use_numbers(draft);
    let focus = places.iter().max().copied().unwrap_or(next);
    let mut word_counts = [0.0; WORD_BUCKETS];
    let sentence = sentence(question, &question_numbers, focus).to_lowercase();
    words(&sentence).for_each(|word| word_counts[word_bucket(word)] += 1.0);
    // Most buckets are empty, and what is not there is read as 0.
    for (at, count) in word_counts.into_iter().enumerate().filter(|(_, count)| *count > 0.0) {
        put(&word_feature_name(at), count);
    }
    put("question.numbers", question_numbers.len() as f64);
    put("question.numbers_left", used.iter().filter(|used| !**used).count() as f64);
    put("question.sentences", question.matches(['.', '?', '!']).count() as f64);
    if draft.is_empty() {
        return;
    }
    put("glimpse.uses", places.len() as f64);
    let last = places.iter().max().copied().unwrap_or(0);
    put("glimpse.skips", used[..last].iter().filter(|used| !**used).count() as f64);
    put("glimpse.jumps", places.first().map_or(-1.0, |first| *first as f64 - next as f64));
}

/// The sentence that the number at `place` of `question_numbers` stands in; the last one behind all numbers.
fn sentence<'a>(question: &'a str, question_numbers: &[&str], place: usize) -> &'a str {
    let start = question.as_ptr() as usize;
    // The numbers are slices of the question.
    let at = question_numbers.get(place).map_or(question.len(), |n| n.as_ptr() as usize - start);
    let ends = |c: char| matches!(c, '.' | '?' | '!');
    let (before, after) = question.split_at(at);
    let before = if after.is_empty() { before.trim_end_matches(ends) } else { before };
    let from = before.rfind(ends).map_or(0, |end| end + 1);
    let to = after.find(ends).map_or(question.len(), |end| at + end);
    &question[from..to]
}

/// Buckets of `story.…`.
pub(super) const WORD_BUCKETS: usize = 64;

/// The name of a word_bucket's feature.
pub(super) fn word_feature_name(word_bucket: usize) -> String {
    format!("story.{word_bucket:02}")
}

/// Where `digits.…` looks: the last place of a number and the last but one, of three numbers.
pub(super) const DIGIT_PLACES: [&str; 6] =
    ["first.ones", "first.tens", "second.ones", "second.tens", "last.ones", "last.tens"];

/// The name of a digit's feature.
pub(super) fn digit_feature_name(place: &str, digit: u8) -> String {
    format!("digits.{place}.{digit}")
}

/// A word's word_bucket (FNV-1a).
fn word_bucket(word: &str) -> usize {
    let hash = |h: u32, byte: u8| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    word.bytes().fold(0x811C_9DC5, hash) as usize % WORD_BUCKETS
}

/// What a text says, against everything `before` it and the `trace` in particular.
pub(super) fn draft_text_features(
    text: &str,
    before: &str,
    trace: &str,
    put: &mut impl FnMut(&str, f64),
) {
    let digit_count = text.chars().filter(char::is_ascii_digit).count();
    put("glimpse.digits", digit_count as f64 / text.chars().count().max(1) as f64);
    put("glimpse.longest_number", numbers(text).map(str::len).max().unwrap_or(0) as f64);
    put("glimpse.carry", flag(carries_in(text)));
    put("glimpse.plus", flag(text.contains('+')));
    put("glimpse.minus", flag(text.contains(['-', '−'])));
    put("glimpse.times", flag(text.contains(['×', '*'])));
    put("glimpse.divide", flag(text.contains(['÷', '/'])));
    let all: Vec<&str> = numbers(text).collect();
    let operands = [("first", all.first()), ("second", all.get(1)), ("last", all.last())];
    for ((name, number), places) in operands.into_iter().zip(DIGIT_PLACES.chunks(2)) {
        put(&format!("glimpse.{name}_number"), number.map_or(0.0, |n| number_value(n)));
        let Some(number) = number else { continue };
        for (digit, place) in number.bytes().rev().zip(places) {
            put(&digit_feature_name(place, digit - b'0'), 1.0);
        }
    }
    let known: BTreeSet<&str> = numbers(before).collect();
    put("glimpse.new_numbers", numbers(text).filter(|n| !known.contains(n)).count() as f64);
    let last = numbers(trace).last();
    put("glimpse.goes_on", flag(last.is_some_and(|last| numbers(text).any(|n| n == last))));
    let lower = before.to_lowercase();
    let known: BTreeSet<&str> = words(&lower).collect();
    let own = text.to_lowercase();
    let (mut all, mut met) = (0, 0);
    for word in words(&own) {
        all += 1;
        met += usize::from(known.contains(word));
    }
    put("glimpse.words_known", f64::from(met as u32) / f64::from(all.max(1) as u32));
    put("glimpse.repeats", flag(!text.trim().is_empty() && trace.contains(text.trim())));
}

/// A number's value / 100, at most 10.
fn number_value(number: &str) -> f64 {
    // More digits than fit a float are many.
    number.parse::<f64>().unwrap_or(f64::MAX).min(1000.0) / 100.0
}

pub(super) fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

pub(super) fn length_feature(text: &str) -> f64 {
    text.chars().count() as f64 / 100.0
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(question: &str, trace: &str, draft: &str) -> BTreeMap<String, f64> {
        let mut all = BTreeMap::new();
        question_features(question, trace, draft, &mut |name: &str, value| {
            all.insert(name.to_owned(), value);
        });
        all
    }

    #[test]
    fn numbers_are_used_in_the_order_of_the_question() {
        let question = "Ava has 12 pens. She loses 5 pens. She finds 12 pens. How many now?";
        let first = read(question, "", "Pens: 12 - 5 = 7");
        assert_eq!((first["question.numbers"], first["question.numbers_left"]), (3.0, 1.0));
        assert_eq!(
            (first["glimpse.uses"], first["glimpse.skips"], first["glimpse.jumps"]),
            (2.0, 0.0, 0.0)
        );
        // The second 12 is another one.
        let second = read(question, "Pens: 12 - 5 = 7\n", "Pens: 7 + 12 = 19");
        assert_eq!((second["glimpse.uses"], second["question.numbers_left"]), (1.0, 0.0));
        let skipping = read(question, "", "Pens: 12 + 12 = 24");
        assert_eq!((skipping["glimpse.skips"], skipping["question.sentences"]), (1.0, 4.0));
        assert_eq!(read(question, "", "Pens left")["glimpse.jumps"], -1.0);
        assert!(!read(question, "", "").contains_key("glimpse.uses"), "nothing was seen");
    }

    #[test]
    fn the_sentence_is_that_of_the_number() {
        let question = "Ava has 12 pens. She loses 5 pens! How many now?";
        let question_numbers: Vec<&str> = numbers(question).collect();
        assert_eq!(sentence(question, &question_numbers, 0), "Ava has 12 pens");
        assert_eq!(sentence(question, &question_numbers, 1), " She loses 5 pens");
        assert_eq!(sentence(question, &question_numbers, 2), " How many now?");
        assert_eq!(sentence("", &[], 0), "");
        // Words count once each time they occur, whatever word_bucket they share.
        let word_counts: f64 = read(question, "", "12 - 5 = 7")
            .iter()
            .filter(|(name, _)| name.starts_with("story."))
            .map(|(_, count)| count)
            .sum();
        assert_eq!(word_counts, 3.0, "she loses pens");
    }

    #[test]
    fn digits_stand_at_their_places() {
        let mut all = BTreeMap::new();
        draft_text_features("Pens: 108 - 5 = 103", "", "", &mut |name: &str, value| {
            all.insert(name.to_owned(), value);
        });
        let digits: Vec<&str> =
            all.keys().filter_map(|name| name.strip_prefix("digits.")).collect();
        let wanted =
            ["first.ones.8", "first.tens.0", "last.ones.3", "last.tens.0", "second.ones.5"];
        assert_eq!(digits, wanted, "5 has no tens");
        assert_eq!((all["glimpse.first_number"], all["glimpse.last_number"]), (1.08, 1.03));
    }
}
