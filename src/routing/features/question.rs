//! Features of the question: its numbers, and the sentence that the next step is about.

use super::text::{length, numbers, words};
use super::{FeatureSpec, Values, trace};
use crate::engine::TokenStats;

pub(super) struct QuestionInput<'a> {
    text: &'a str,
    numbers: usize,
    numbers_left: usize,
    /// The sentence that the draft is about, or the next one.
    sentence: &'a str,
    draft_use: Option<DraftUse>,
}

/// How the draft uses the question's numbers.
pub(super) struct DraftUse {
    pub(super) used: usize,
    pub(super) skipped: usize,
    pub(super) jump: f64,
}

impl<'a> QuestionInput<'a> {
    /// Each number of the trace, then of the draft, uses up the first equal number of the question
    /// that is still unused.
    pub(super) fn new(question: &'a str, trace: &str, draft: &str) -> Self {
        let all: Vec<&str> = numbers(question).collect();
        let mut used = vec![false; all.len()];
        mark_used(&all, &mut used, trace);
        let next = used.iter().position(|used| !used).unwrap_or(all.len());
        let by_draft = mark_used(&all, &mut used, draft);
        let last = by_draft.iter().max().copied();
        let draft_use = (!draft.is_empty()).then(|| DraftUse {
            used: by_draft.len(),
            skipped: used[..last.unwrap_or(0)].iter().filter(|used| !**used).count(),
            jump: by_draft.first().map_or(-1.0, |first| *first as f64 - next as f64),
        });
        Self {
            text: question,
            numbers: all.len(),
            numbers_left: used.iter().filter(|used| !**used).count(),
            sentence: sentence(question, &all, last.unwrap_or(next)),
            draft_use,
        }
    }

    /// `None` if the draft is empty.
    pub(super) fn draft_use(&self) -> Option<&DraftUse> {
        self.draft_use.as_ref()
    }
}

/// Marks the numbers of the question that `text` is the first to use; returns their places in order
/// of use.
fn mark_used(question_numbers: &[&str], used: &mut [bool], text: &str) -> Vec<usize> {
    let mut places = Vec::new();
    for number in numbers(text) {
        let mut unused = question_numbers.iter().zip(used.iter());
        if let Some(place) = unused.position(|(n, used)| *n == number && !used) {
            used[place] = true;
            places.push(place);
        }
    }
    places
}

/// The sentence with the number at `place` of `question_numbers`; the last sentence if `place` is
/// past them.
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

pub(super) static FEATURES: [FeatureSpec; 5] = [
    FeatureSpec::length("question.length", "length of the question", |i| {
        Some(length(i.question.text))
    }),
    FeatureSpec::count("question.numbers", "how many numbers the question has", |i| {
        Some(i.question.numbers as f64)
    }),
    FeatureSpec::count(
        "question.numbers_left",
        "how many of them neither the trace nor the draft has used",
        |i| Some(i.question.numbers_left as f64),
    ),
    FeatureSpec::count("question.sentences", "how many sentences the question has", |i| {
        Some(i.question.text.matches(['.', '?', '!']).count() as f64)
    }),
    trace::UNREAD_LENGTH,
];

/// Buckets of the words.
const WORD_BUCKETS: usize = 64;

pub(super) static WORDS: FeatureSpec = FeatureSpec {
    name: "words",
    unit: "",
    range: "≥ 0",
    meaning: "words, by hash bucket, of the sentence with the last number that the draft is the first to use, else of the next sentence",
    needs: TokenStats::None,
    values: Values::Family {
        size: WORD_BUCKETS,
        member: |at| format!("words.{at:02}"),
        values: |i| word_counts(i.question.sentence),
    },
};

fn word_counts(sentence: &str) -> Vec<(usize, f64)> {
    let mut counts = [0.0; WORD_BUCKETS];
    words(&sentence.to_lowercase()).for_each(|word| counts[word_bucket(word)] += 1.0);
    counts.into_iter().enumerate().filter(|(_, count)| *count > 0.0).collect()
}

/// A word's bucket, by its FNV-1a hash.
fn word_bucket(word: &str) -> usize {
    let hash = |h: u32, byte: u8| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    word.bytes().fold(0x811C_9DC5, hash) as usize % WORD_BUCKETS
}

#[cfg(test)]
mod tests {
    use super::super::tests::features_of;
    use super::*;

    #[test]
    fn numbers_are_used_in_the_order_of_the_question() {
        let question = "Ava has 12 pens. She loses 5 pens. She finds 12 pens. How many now?";
        let first = features_of(question, "", "Pens: 12 - 5 = 7");
        assert_eq!((first["question.numbers"], first["question.numbers_left"]), (3.0, 1.0));
        let use_of = |all: &std::collections::BTreeMap<String, f64>| {
            ["draft.numbers_used", "draft.numbers_skipped", "draft.number_jump"].map(|n| all[n])
        };
        assert_eq!(use_of(&first), [2.0, 0.0, 0.0]);
        // The second 12 is another number.
        let second = features_of(question, "Pens: 12 - 5 = 7\n", "Pens: 7 + 12 = 19");
        assert_eq!((second["draft.numbers_used"], second["question.numbers_left"]), (1.0, 0.0));
        let skipping = features_of(question, "", "Pens: 12 + 12 = 24");
        assert_eq!((skipping["draft.numbers_skipped"], skipping["question.sentences"]), (1.0, 4.0));
        assert_eq!(features_of(question, "", "Pens left")["draft.number_jump"], -1.0);
        assert!(!features_of(question, "", "").contains_key("draft.numbers_used"));
    }

    #[test]
    fn the_sentence_is_that_of_the_number() {
        let question = "Ava has 12 pens. She loses 5 pens! How many now?";
        let question_numbers: Vec<&str> = numbers(question).collect();
        assert_eq!(sentence(question, &question_numbers, 0), "Ava has 12 pens");
        assert_eq!(sentence(question, &question_numbers, 1), " She loses 5 pens");
        assert_eq!(sentence(question, &question_numbers, 2), " How many now?");
        assert_eq!(sentence("", &[], 0), "");
        // A word counts each time it occurs, whatever bucket it shares.
        let word_counts: f64 = features_of(question, "", "12 - 5 = 7")
            .iter()
            .filter(|(name, _)| name.starts_with("words."))
            .map(|(_, count)| count)
            .sum();
        assert_eq!(word_counts, 3.0, "she loses pens");
    }
}
