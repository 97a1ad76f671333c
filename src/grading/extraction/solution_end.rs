//! Finds the end of a solution: what a model writes after it is not part of the answer.
//!
//! A base model continues with the next question of its examples or with end-of-turn markers, or repeats itself until
//! it is truncated in the middle of a word.

use super::answer_labels::{after_conclusion_word, first_labeled_answer};
use super::boxes::boxes;
use super::formula_spans::truncated;

/// End-of-turn markers that a server let through.
const END_OF_TURN: [&str; 19] = [
    "<|im_end|>",
    "<|im_start|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|start_header_id|>",
    "<|end|>",
    "<|user|>",
    "<|assistant|>",
    "<|return|>",
    "<end_of_turn>",
    "<start_of_turn>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<|end_of_solution|>",
    "</s>",
    "[INST]",
    "<eos>",
];

/// Phrases that models are trained to end with.
const CLOSING_PHRASE: &str = "I hope it is correct.";

/// The text after the thoughts of a thinking model.
pub(crate) fn after_thinking(solution: &str) -> &str {
    const ENDS: [&str; 5] = [
        "</think>",
        "</thinking>",
        "</thought>",
        "<|end_of_thought|>",
        "<|channel|>final<|message|>",
    ];
    let behind = ENDS.iter().filter_map(|end| Some(solution.rfind(end)? + end.len())).max();
    let said = behind.map(|at| &solution[at..]).filter(|rest| !rest.trim().is_empty());
    said.unwrap_or(solution)
}

/// The part of a text that answers the question.
pub(crate) fn own_solution(solution: &str) -> &str {
    let text = before_turn_ends(after_thinking(solution));
    let text = before_next_question(text);
    let text = without_cut_off_repeat(without_drawing(text.trim_end()));
    text.strip_suffix(CLOSING_PHRASE).unwrap_or(text).trim_end()
}

/// The text up to the first end-of-turn marker that follows other text.
fn before_turn_ends(text: &str) -> &str {
    let mut text = text.trim_start();
    while let Some(rest) = END_OF_TURN.iter().find_map(|mark| text.strip_prefix(mark)) {
        text = rest.strip_prefix("assistant").unwrap_or(rest).trim_start();
    }
    let ends = END_OF_TURN.iter().filter_map(|mark| text.find(mark));
    // `<s>…</s>` strikes something out.
    let ends = ends.filter(|at| !text[*at..].starts_with("</s>") || !text[..*at].contains("<s>"));
    &text[..ends.min().unwrap_or(text.len())]
}

/// The text before the first question that the model invented. An answer, marked or calculated, must precede it.
fn before_next_question(text: &str) -> &str {
    let text = match text.find(CLOSING_PHRASE).map(|at| at + CLOSING_PHRASE.len()) {
        Some(end)
            if first_labeled_answer(&text[..end]).is_some()
                && !takes_back(text[end..].trim_start()) =>
        {
            &text[..end]
        }
        _ => text,
    };
    let answered = first_answer(text).unwrap_or(text.len());
    let (mut own, mut shown) = (Vec::new(), WorkShown::default());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        if let Some(question_label) = question_label(line) {
            let apart = !question_label.needs_gap || text[..begin].ends_with("\n\n");
            let done = begin >= answered && apart || shown.allows_next_question(&question_label);
            if done && !(question_label.numbered && own.contains(&question_label.word)) {
                return before_rule(&text[..begin]);
            }
            own.extend(
                Some(question_label.word).filter(|_| question_label.numbered && begin < answered),
            );
        }
        shown.read(line);
    }
    before_examples(text)
}

/// Evidence of an answer in a solution without a marked one.
#[derive(Default)]
struct WorkShown {
    worked_out: bool,
    concluded: bool,
}

impl WorkShown {
    fn read(&mut self, line: &str) {
        let digit = |c: char| c.is_ascii_digit();
        self.worked_out |= has_calculation(line);
        self.concluded |= after_conclusion_word(line).is_some_and(|said| said.contains(digit));
    }

    /// Whether that is enough for a line of this kind to begin another question.
    fn allows_next_question(&self, label: &QuestionLabel) -> bool {
        match label.word {
            "q" | "question" | "human" | "user" => self.worked_out || self.concluded,
            "problem" => self.concluded && !label.numbered,
            _ => false,
        }
    }
}

/// The end of the first marked answer.
fn first_answer(text: &str) -> Option<usize> {
    let boxed = boxes(text).iter().find(|b| b.closed).map(|b| b.end);
    [boxed, first_hashes(text).map(|(_, end)| end), first_labeled_answer(text)]
        .into_iter()
        .flatten()
        .min()
}

/// The start of the first `#### 5` and the end of its line.
fn first_hashes(text: &str) -> Option<(usize, usize)> {
    text.match_indices("####").map(|(at, mark)| (at, at + mark.len())).find_map(|(at, behind)| {
        let line = text[behind..].lines().next().unwrap_or("");
        let value = line.trim_start_matches([' ', '$', '-', '*', '\\']);
        value.starts_with(|c: char| c.is_ascii_digit()).then_some((at, behind + line.len()))
    })
}

/// The text without a trailing `---`.
fn before_rule(text: &str) -> &str {
    let text = text.trim_end();
    text.strip_suffix("---").map_or(text, str::trim_end)
}

/// The text before an unlabelled continuation in the style of its examples: `#### 5`, then a paragraph that asks or
/// reaches another `####`.
fn before_examples(text: &str) -> &str {
    let Some((_, end)) = first_hashes(text) else { return text };
    let next = text[end..].strip_prefix("\n\n").unwrap_or("");
    let asks = next.split("\n\n").next().is_some_and(|p| p.contains("? ") || p.contains("?\n"));
    let again = first_hashes(next).is_some() && !takes_back(next);
    if asks || again { &text[..end] } else { text }
}

/// Whether a paragraph retracts what precedes it.
fn takes_back(paragraph: &str) -> bool {
    let begin = truncated(paragraph.trim_start_matches(['*', '#', ' ', '(']), 24).to_lowercase();
    let words = [
        "wait",
        "but",
        "actually",
        "let me",
        "correct",
        "however",
        "hmm",
        "oops",
        "sorry",
        "note",
        "check",
        "i apolog",
        "apolog",
        "i made",
        "i think i",
        "there was",
    ];
    words.iter().any(|word| begin.starts_with(word))
}

/// Whether a line has a calculation.
fn has_calculation(line: &str) -> bool {
    line.split_once('=').is_some_and(|(before, result)| {
        before.contains(['+', '-', '*', '/', '×', '÷', 'x', '−', '–'])
            && result.contains(|c: char| c.is_ascii_digit())
    })
}

/// A line that begins another question.
struct QuestionLabel {
    word: &'static str,
    numbered: bool,
    /// Whether it must be a paragraph of its own, because solutions have such lines too.
    needs_gap: bool,
}

/// The label of another question that a line begins with: `Question:`, `## Problem 2`, `Human:`.
fn question_label(line: &str) -> Option<QuestionLabel> {
    const WORDS: [(&str, &str); 16] = [
        ("next question", "question"),
        ("next problem", "problem"),
        ("new question", "question"),
        ("new problem", "problem"),
        ("question", "question"),
        ("problem", "problem"),
        ("exercise", "exercise"),
        ("example", "example"),
        ("instruction", "instruction"),
        ("human", "human"),
        ("user", "user"),
        ("input", "input"),
        ("题目", "question"),
        ("问题", "question"),
        ("问", "question"),
        ("q", "q"),
    ];
    let bare = line.trim_start_matches(['#', '*', ' ', '_', '[']);
    let heading = line.trim_start().starts_with('#');
    if announces_another_question(bare) {
        return Some(QuestionLabel { word: "another", numbered: false, needs_gap: true });
    }
    let lower = truncated(bare, 40).to_lowercase();
    let (text, word) = WORDS.iter().find(|(text, _)| lower.starts_with(text))?;
    if bare.starts_with(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let rest = lower[text.len()..].trim_start_matches([' ', '#', '*']);
    let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let numbered = rest.starts_with(|c: char| c.is_ascii_digit());
    let dot = rest[..rest.len() - number.len()].ends_with('.');
    let rest = number.trim_start_matches(['*', '_', ']', ' ', ')']);
    let colon = rest.starts_with([':', '：']);
    let alone = rest.trim().is_empty() && (heading || numbered || line.contains("**"));
    let behind = rest.trim_start_matches([':', '.', '*', ' ', '：']);
    let fits = match *word {
        // A point of that name is followed by its coordinates.
        "q" => (colon || dot) && !behind.starts_with(['(', '$', '\\']),
        "example" => numbered && (colon || alone),
        "human" | "user" | "input" => colon,
        _ => colon || dot && numbered || alone,
    };
    fits.then_some(QuestionLabel {
        word,
        numbered,
        needs_gap: matches!(*word, "example" | "exercise"),
    })
}

/// Whether a paragraph announces another question.
fn announces_another_question(line: &str) -> bool {
    const SAYING: [&str; 6] = [
        "another one:",
        "another problem",
        "another question",
        "another example",
        "the next question",
        "the next problem",
    ];
    let begin = truncated(line, 70).to_lowercase();
    let starts = ["now", "let", "here", "next", "ok", "try", "consider"];
    starts.iter().any(|s| begin.starts_with(s)) && SAYING.iter().any(|s| begin.contains(s))
}

/// The text without a drawing at its end.
fn without_drawing(text: &str) -> &str {
    let drawing = text.strip_suffix("[/asy]").and_then(|t| t.rfind("[asy]"));
    drawing.map_or(text, |at| text[..at].trim_end())
}

/// The text without a last line or sentence that repeats the start of an earlier one: the model was truncated while
/// repeating itself.
fn without_cut_off_repeat(text: &str) -> &str {
    for mark in ["\n", ". "] {
        let Some((before, last)) = text.rsplit_once(mark) else { continue };
        let stump = last.trim();
        let mut earlier = before.rsplit(mark).map(str::trim).filter(|l| !l.is_empty()).take(12);
        let repeats = |line: &str| line.len() > stump.len() && line.starts_with(stump);
        let names = stump.starts_with("####") || stump.to_lowercase().contains("answer");
        if !stump.is_empty() && names && earlier.any(repeats) {
            return before.trim_end();
        }
    }
    text
}
