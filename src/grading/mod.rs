//! Graders: what a solution answers, and whether that is the gold answer.
//!
//! Nothing here does any I/O. A grader says `undecided` rather than guess: where the gold answer is
//! a proof or prose, or when it cannot be parsed and the solution does not repeat it word for word.
//!
//! The LaTeX tokenizer and parser are our own. The crate `mathlex` 0.4 rejects spacing commands, `\\dfrac`, tuples,
//! intervals and chained relations, and turns decimals into floats, where grading needs the digits as written.

mod compare;
mod conditions;
mod constant;
mod equations;
mod equivalence;
mod expression;
mod extraction;
mod intervals;
mod labels;
mod latex_commands;
mod latex_vocabulary;
mod multiple_choice;
mod normalize_tokens;
mod parse_compound;
mod parse_scalar;
mod parser;
mod phrases;
mod three_valued;
mod tokenizer;
mod tokens;
mod units;
mod value;
mod variable_renaming;
mod verdict;
mod words;

#[cfg(test)]
mod comparison_tests;
#[cfg(test)]
mod tests;

use extraction::{AnswerSource, ExtractedAnswer, after_thinking, final_answer, numeric_answer};
use parser::interpretations;
use value::{AnswerValue, Interpretation};
pub use verdict::{Grade, Verdict};

/// How a task set's answers are graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grader {
    /// The built-in arithmetic: the number after the last `Answer:`.
    Arithmetic,
    /// GSM8K: one number.
    Number,
    /// MATH, Omni-MATH and files of the user: a final answer in LaTeX or words.
    Math,
}

impl Grader {
    /// Grades a solution. The gold text may be a whole worked solution. The thoughts of a thinking model are
    /// ignored.
    pub fn grade(self, gold: Option<&str>, solution: &str) -> Grade {
        let solution = after_thinking(solution);
        match self {
            Self::Arithmetic => grade_arithmetic(gold, solution),
            Self::Number => grade_number(gold, solution),
            Self::Math => grade_math(gold, solution),
        }
    }

    /// The final answer of a gold text, which may be a whole worked solution.
    pub fn extract_gold(self, text: &str) -> String {
        match self {
            Self::Arithmetic => text.trim().to_owned(),
            Self::Number => {
                numeric_answer::gold_number(text).map_or_else(|| text.trim().to_owned(), |a| a.text)
            }
            Self::Math => {
                let worked = final_answer(text)
                    .filter(|f| matches!(f.source, AnswerSource::Boxed | AnswerSource::HashLine));
                let inside = worked.and_then(|f| f.candidates.into_iter().next());
                inside.unwrap_or_else(|| text.to_owned()).trim().to_owned()
            }
        }
    }
}

/// The answer that a solution marks as such, by a box or a label. For questions without a gold answer.
pub fn marked_answer(solution: &str) -> Option<String> {
    let marked = |f: &ExtractedAnswer| {
        matches!(f.source, AnswerSource::Boxed | AnswerSource::HashLine | AnswerSource::Labeled)
    };
    final_answer(solution).filter(marked).and_then(|f| f.candidates.into_iter().next())
}

const NO_GOLD: &str = "there is no gold answer";
const NO_ANSWER: &str = "no answer found in the solution";
const UNMARKED: &str = "the solution has the gold answer's words, but not as its answer";
const PROSE_GOLD: &str = "the gold answer is prose, which only a human can grade";
const INCOMPARABLE: &str = "the two answers cannot be compared";

/// The number after the last `Answer:` of a text.
pub(crate) fn last_answer_number(text: &str) -> Option<u32> {
    let (_, tail) = text.rsplit_once("Answer:")?;
    let digits: String = tail.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn grade_arithmetic(gold: Option<&str>, solution: &str) -> Grade {
    let answer = last_answer_number(solution).map(|n| n.to_string());
    let gold = gold.map(str::to_owned);
    let (verdict, why) = match (&gold, &answer) {
        (None, _) => (Verdict::Undecided, Some(NO_GOLD)),
        (Some(_), None) => (Verdict::Wrong, Some(NO_ANSWER)),
        (Some(gold), Some(answer)) if gold == answer => (Verdict::Correct, None),
        (Some(_), Some(_)) => (Verdict::Wrong, None),
    };
    Grade { verdict, answer, gold, why }
}

fn grade_number(gold: Option<&str>, solution: &str) -> Grade {
    let amount = gold.and_then(numeric_answer::gold_number);
    let Some(target) = amount else {
        // The gold answer has no number; it may be words.
        return grade_math(gold, solution);
    };
    let answer = numeric_answer::solution_number(solution);
    let (verdict, why) = match &answer {
        None => (Verdict::Wrong, Some(NO_ANSWER)),
        Some(answer) if numeric_answer::same_number(&target, answer) => (Verdict::Correct, None),
        Some(_) => (Verdict::Wrong, None),
    };
    Grade { verdict, answer: answer.map(|a| a.text), gold: Some(target.text), why }
}

fn grade_math(gold: Option<&str>, solution: &str) -> Grade {
    let gold = gold.map(|gold| Grader::Math.extract_gold(gold)).filter(|gold| !gold.is_empty());
    let found = final_answer(solution);
    let answer = found.as_ref().and_then(|f| f.candidates.first().cloned());
    let Some(gold) = gold else {
        return Grade { verdict: Verdict::Undecided, answer, gold: None, why: Some(NO_GOLD) };
    };
    let (verdict, answer, why) = match &found {
        _ if words::is_prose(&gold) => {
            let same =
                found.iter().flat_map(|f| &f.candidates).any(|t| words::same_words(&gold, t));
            let verdict = if same { Verdict::Correct } else { Verdict::Undecided };
            (verdict, answer, (!same).then_some(PROSE_GOLD))
        }
        None if mentions_gold(&gold, solution) => (Verdict::Undecided, None, Some(UNMARKED)),
        None => (Verdict::Wrong, None, Some(NO_ANSWER)),
        Some(found) => {
            let (verdict, text) = verdict_of_candidates(&gold, found);
            let why = (verdict == Verdict::Undecided).then_some(INCOMPARABLE);
            (verdict, Some(text), why)
        }
    };
    Grade { verdict, answer, gold: Some(gold), why }
}

/// The verdict on the candidates, and the candidate it is based on.
fn verdict_of_candidates(gold: &str, found: &ExtractedAnswer) -> (Verdict, String) {
    let golds = interpretations(gold);
    let verdicts: Vec<Verdict> = found
        .candidates
        .iter()
        .map(|text| compare_candidate(gold, &golds, text, found.source))
        .collect();
    for wanted in [Verdict::Correct, Verdict::Undecided] {
        if let Some(at) = verdicts.iter().position(|v| *v == wanted) {
            return (wanted, found.candidates[at].clone());
        }
    }
    (Verdict::Wrong, found.candidates.first().cloned().unwrap_or_default())
}

fn compare_candidate(
    gold: &str,
    golds: &[Interpretation],
    text: &str,
    source: AnswerSource,
) -> Verdict {
    let both_plain = words::is_plain_text(gold) && words::is_plain_text(text);
    if let Some(verdict) = phrases::phrase_verdict(gold, text) {
        return verdict;
    }
    let choice = multiple_choice::same_choice(gold, text);
    if strip_formatting(gold) == strip_formatting(text)
        || choice == Some(true)
        || both_plain && words::same_words(gold, text)
    {
        return Verdict::Correct;
    }
    if choice == Some(false) {
        return Verdict::Wrong;
    }
    let halves = (words::is_before_noon(gold), words::is_before_noon(text));
    if let (Some(g), Some(a)) = halves
        && g != a
    {
        return Verdict::Wrong;
    }
    let mut answers = interpretations(text);
    answers
        .extend(multiple_choice::text_after_choice(text).map(interpretations).unwrap_or_default());
    let mut results = Vec::new();
    for g in golds {
        for a in &answers {
            results.push(compare::same_interpretation(g, a));
        }
    }
    if results.contains(&Some(true)) {
        return Verdict::Correct;
    }
    let word = golds.iter().any(|g| matches!(g.value, AnswerValue::Words(_)));
    if word || golds.is_empty() {
        if words::same_words(gold, text) {
            return Verdict::Correct;
        }
        if let Some(verdict) = phrases::description_verdict(gold, text) {
            return verdict;
        }
        // Part of the words, or words that were not marked as an answer: only a human can decide.
        let unmarked = matches!(source, AnswerSource::Formula | AnswerSource::Number)
            && !phrases::are_single_word_answers(gold, text);
        let apart = !golds.is_empty() && !unmarked && !words::one_contains_the_other(gold, text);
        return if apart { Verdict::Wrong } else { Verdict::Undecided };
    }
    if answers.is_empty() {
        // An answer that cannot be parsed is not a number, but it may be another way to write a formula.
        let number = golds
            .iter()
            .any(|g| matches!(&g.value, AnswerValue::Scalar(e) if e.literal().is_some()));
        return if number && !latex_vocabulary::has_unknown_command(text) {
            Verdict::Wrong
        } else {
            Verdict::Undecided
        };
    }
    // The gold answer is a formula, the answer describes it in words.
    let described = answers.iter().all(|a| matches!(a.value, AnswerValue::Words(_)))
        && words::is_descriptive(text)
        && !golds.iter().any(compare::is_constant_interpretation);
    let apart = results.contains(&Some(false)) && !results.contains(&None) && !described;
    if apart { Verdict::Wrong } else { Verdict::Undecided }
}

/// Whether a gold answer in words occurs at the end of a solution that marks no answer.
fn mentions_gold(gold: &str, solution: &str) -> bool {
    let end = solution.trim_end().rsplit("\n\n").next().unwrap_or("");
    words::is_plain_text(gold) && words::one_contains_the_other(gold, end)
}

/// An answer without formatting.
fn strip_formatting(text: &str) -> String {
    let mut out = text.trim().trim_end_matches('.').to_owned();
    for drop in [
        "\\left",
        "\\right",
        "\\!",
        "\\,",
        "\\;",
        "\\:",
        "\\ ",
        "~",
        "$",
        "\\displaystyle",
        "\\quad",
    ] {
        out = out.replace(drop, "");
    }
    out = out.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac");
    let out: String = out.split_whitespace().collect();
    let out = out.replace("\\ldots", "\\dots").replace("\\cdots", "\\dots");
    // Words that introduce the condition of a case.
    out.replace("\\text{if}", "").replace("\\text{for}", "").replace(",&", "&")
}
