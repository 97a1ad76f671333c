//! Graders: what a solution answers, and whether that is the gold answer.
//!
//! Nothing here does any I/O. A grader says `undecided` rather than guess: where the gold answer is
//! a proof or a text, or cannot be read and is not repeated word for word.

mod choices;
mod commands;
mod compare;
mod compound;
mod conditions;
mod domains;
mod equations;
mod expr;
mod finding;
mod numeric;
mod parse;
mod phrases;
mod renaming;
mod scalar;
mod styling;
mod tidy;
mod token;
mod units;
mod words;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_comparing;

use crate::episode::Verdict;
use crate::tasks::arithmetic;
use expr::{Point, value};
use finding::{Found, Place, after_thought, final_answer, number};
use parse::{Reading, Value, readings};

/// How a task set's answers are graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grader {
    /// The built-in arithmetic: the number after the last `Answer:`.
    Arithmetic,
    /// GSM8K: one number.
    Number,
    /// MATH, Omni-MATH and whatever a user brings: a final answer in LaTeX or words.
    Math,
}

/// A solution, graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    pub verdict: Verdict,
    /// The answer that was found.
    pub answer: Option<String>,
    /// The gold answer, cut out of its worked solution where it came with one.
    pub gold: Option<String>,
    /// Why there is nothing to compare, where there is not.
    pub why: Option<&'static str>,
}

impl Grader {
    /// The grader of the task set of this name.
    pub fn of_task(task: &str) -> Self {
        match task {
            "arithmetic" => Self::Arithmetic,
            "gsm8k" => Self::Number,
            _ => Self::Math,
        }
    }

    /// Grades a solution. The gold answer may come with its worked solution. What a thinking model thinks before
    /// its answer is no part of it.
    pub fn grade(self, gold: Option<&str>, solution: &str) -> Grade {
        let solution = after_thought(solution);
        match self {
            Self::Arithmetic => arithmetic(gold, solution),
            Self::Number => number(gold, solution),
            Self::Math => math(gold, solution),
        }
    }

    /// The final answer of a gold text, which may be a whole worked solution.
    pub fn gold(self, text: &str) -> String {
        match self {
            Self::Arithmetic => text.trim().to_owned(),
            Self::Number => number::gold(text).map_or_else(|| text.trim().to_owned(), |a| a.text),
            Self::Math => {
                let worked =
                    final_answer(text).filter(|f| matches!(f.place, Place::Boxed | Place::Hashes));
                let inside = worked.and_then(|f| f.texts.into_iter().next());
                inside.unwrap_or_else(|| text.to_owned()).trim().to_owned()
            }
        }
    }
}

/// The answer that a solution marks as one, in a box or by the word: for a question of which nothing
/// is known.
pub fn marked_answer(solution: &str) -> Option<String> {
    let marked = |f: &Found| matches!(f.place, Place::Boxed | Place::Hashes | Place::Named);
    final_answer(solution).filter(marked).and_then(|f| f.texts.into_iter().next())
}

const NO_GOLD: &str = "there is no gold answer";
const NO_ANSWER: &str = "no answer found in the solution";
const UNMARKED: &str = "the solution has the gold answer's words, but not as its answer";
const PROSE: &str = "the gold answer is a text to be read by a person";
const UNREAD: &str = "the two answers cannot be compared";

fn arithmetic(gold: Option<&str>, solution: &str) -> Grade {
    let answer = arithmetic::final_answer(solution).map(|n| n.to_string());
    let gold = gold.map(str::to_owned);
    let (verdict, why) = match (&gold, &answer) {
        (None, _) => (Verdict::Undecided, Some(NO_GOLD)),
        (Some(_), None) => (Verdict::Wrong, Some(NO_ANSWER)),
        (Some(gold), Some(answer)) if gold == answer => (Verdict::Correct, None),
        (Some(_), Some(_)) => (Verdict::Wrong, None),
    };
    Grade { verdict, answer, gold, why }
}

fn number(gold: Option<&str>, solution: &str) -> Grade {
    let amount = gold.and_then(number::gold);
    let Some(target) = amount else {
        // No number to compare with: perhaps words.
        return math(gold, solution);
    };
    let answer = number::answer(solution);
    let (verdict, why) = match &answer {
        None => (Verdict::Wrong, Some(NO_ANSWER)),
        Some(answer) if number::same(&target, answer) => (Verdict::Correct, None),
        Some(_) => (Verdict::Wrong, None),
    };
    Grade { verdict, answer: answer.map(|a| a.text), gold: Some(target.text), why }
}

fn math(gold: Option<&str>, solution: &str) -> Grade {
    let gold = gold.map(|gold| Grader::Math.gold(gold)).filter(|gold| !gold.is_empty());
    let found = final_answer(solution);
    let answer = found.as_ref().and_then(|f| f.texts.first().cloned());
    let Some(gold) = gold else {
        return Grade { verdict: Verdict::Undecided, answer, gold: None, why: Some(NO_GOLD) };
    };
    let (verdict, answer, why) = match &found {
        _ if words::is_prose(&gold) => {
            let same = found.iter().flat_map(|f| &f.texts).any(|t| words::same(&gold, t));
            let verdict = if same { Verdict::Correct } else { Verdict::Undecided };
            (verdict, answer, (!same).then_some(PROSE))
        }
        None if in_passing(&gold, solution) => (Verdict::Undecided, None, Some(UNMARKED)),
        None => (Verdict::Wrong, None, Some(NO_ANSWER)),
        Some(found) => {
            let (verdict, text) = judged(&gold, found);
            let why = (verdict == Verdict::Undecided).then_some(UNREAD);
            (verdict, Some(text), why)
        }
    };
    Grade { verdict, answer, gold: Some(gold), why }
}

/// The verdict on what was found, and the text that it rests on.
fn judged(gold: &str, found: &Found) -> (Verdict, String) {
    let golds = readings(gold);
    let verdicts: Vec<Verdict> =
        found.texts.iter().map(|text| compared(gold, &golds, text, found.place)).collect();
    for wanted in [Verdict::Correct, Verdict::Undecided] {
        if let Some(at) = verdicts.iter().position(|v| *v == wanted) {
            return (wanted, found.texts[at].clone());
        }
    }
    (Verdict::Wrong, found.texts.first().cloned().unwrap_or_default())
}

fn compared(gold: &str, golds: &[Reading], text: &str, place: Place) -> Verdict {
    let both_plain = words::is_plain(gold) && words::is_plain(text);
    if let Some(verdict) = phrases::judged(gold, text) {
        return verdict;
    }
    let choice = choices::same(gold, text);
    if bare(gold) == bare(text) || choice == Some(true) || both_plain && words::same(gold, text) {
        return Verdict::Correct;
    }
    if choice == Some(false) {
        return Verdict::Wrong;
    }
    let halves = (words::before_noon(gold), words::before_noon(text));
    if let (Some(g), Some(a)) = halves
        && g != a
    {
        return Verdict::Wrong;
    }
    let mut answers = readings(text);
    answers.extend(choices::behind(text).map(readings).unwrap_or_default());
    let mut results = Vec::new();
    for g in golds {
        for a in &answers {
            results.push(compare::same(g, a));
        }
    }
    if results.contains(&Some(true)) {
        return Verdict::Correct;
    }
    let word = golds.iter().any(|g| matches!(g.value, Value::Words(_)));
    if word || golds.is_empty() {
        if words::same(gold, text) {
            return Verdict::Correct;
        }
        if let Some(verdict) = phrases::described(gold, text) {
            return verdict;
        }
        // Part of the words, or words that were not marked as an answer: a person must tell.
        let unmarked =
            matches!(place, Place::Formula | Place::Number) && !phrases::are_names(gold, text);
        let apart = !golds.is_empty() && !unmarked && !words::one_holds_the_other(gold, text);
        return if apart { Verdict::Wrong } else { Verdict::Undecided };
    }
    if answers.is_empty() {
        // What cannot be read is no number, but it may be another way to write a formula.
        let number =
            golds.iter().any(|g| matches!(&g.value, Value::Scalar(e) if e.literal().is_some()));
        return if number && !styling::has_unknown(text) {
            Verdict::Wrong
        } else {
            Verdict::Undecided
        };
    }
    // A formula, and words for it.
    let described = answers.iter().all(|a| matches!(a.value, Value::Words(_)))
        && words::says_something(text)
        && !golds.iter().any(compare::is_constant_reading);
    let apart = results.contains(&Some(false)) && !results.contains(&None) && !described;
    if apart { Verdict::Wrong } else { Verdict::Undecided }
}

/// Whether a gold answer in words occurs at the end of a solution that marks no answer.
fn in_passing(gold: &str, solution: &str) -> bool {
    let end = solution.trim_end().rsplit("\n\n").next().unwrap_or("");
    words::is_plain(gold) && words::one_holds_the_other(gold, end)
}

/// An answer without what only changes its looks.
fn bare(text: &str) -> String {
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
    // Cases, and what only leads to their conditions.
    out.replace("\\text{if}", "").replace("\\text{for}", "").replace(",&", "&")
}

/// The number that a text without variables is worth.
fn constant(text: &str) -> Option<f64> {
    let point = Point { variable: &|_| f64::NAN, degree: 1.0, log_base: 10.0 };
    readings(text).iter().find_map(|reading| match &reading.value {
        Value::Scalar(e) => value(e, &point).filter(|z| z.im == 0.0).map(|z| z.re),
        Value::Relation(sides, _) => {
            value(sides.last()?, &point).filter(|z| z.im == 0.0).map(|z| z.re)
        }
        _ => None,
    })
}
