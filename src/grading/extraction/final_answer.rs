//! Finds the final answer in a solution.
//!
//! Text after the end of the solution (see `solution_end`) is ignored. These are tried in order; the first match
//! counts:
//!
//! 1. the last `\boxed{…}` or `\fbox{…}`, alone or joined with preceding ones that form a list with it; or a
//!    formula or number after it that is labelled as the final answer;
//! 2. the last `<answer>…</answer>` or `"answer": …`; a last line `#### …`;
//! 3. the text after the last `answer is`, `answer:`, `final answer` and the like, unless it is a remark about an
//!    earlier answer, or labels the whole response;
//! 4. the whole text, if it is one short line, or a short first line followed by an explanation;
//! 5. the conclusion of a last sentence that begins with `therefore` or the like, or has a formula next to an `is`;
//! 6. the last formula, or bold text in the last lines;
//! 7. the last number; without one, the words that end the last sentence.

use super::answer_labels::{
    after_conclusion_word, corrected_answer, first_sentence_or_formula, text_after_label,
};
use super::answer_tags::tagged;
use super::boxes::{boxed_answers, boxes};
use super::formula_spans::{
    Formula, formula_spans, formula_texts, last_side_of_chain, outside_formulas, starts_with_value,
    strip_decoration, truncated, words_outside,
};
use super::number_spans::{number_spans, without_markup};
use super::numeric_answer::last_stated_number;
use super::sentence_number;
use super::solution_end::own_solution;
use super::trailing_remarks::without_remarks;
use crate::grading::{phrases, words};

/// Where an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerSource {
    Boxed,
    HashLine,
    Labeled,
    WholeText,
    Formula,
    Number,
}

/// An answer found in a solution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExtractedAnswer {
    pub(crate) source: AnswerSource,
    /// Candidates for its text, the likeliest first; at least one.
    pub(crate) candidates: Vec<String>,
}

/// The final answer of a solution.
pub(crate) fn final_answer(solution: &str) -> Option<ExtractedAnswer> {
    let text = own_solution(solution);
    let found = |source, candidates: Vec<String>| {
        let candidates: Vec<String> =
            candidates.into_iter().filter(|t| !t.trim().is_empty()).collect();
        (!candidates.is_empty()).then_some(ExtractedAnswer { source, candidates })
    };
    let end = without_remarks(text);
    found(AnswerSource::Labeled, corrected_texts(text))
        .or_else(|| found(AnswerSource::Boxed, boxed_answers(text)))
        .or_else(|| {
            found(
                AnswerSource::Labeled,
                tagged(text).map_or_else(Vec::new, |(_, inside)| tag_texts(inside)),
            )
        })
        .or_else(|| found(AnswerSource::HashLine, hash_line(text).into_iter().collect()))
        .or_else(|| found(AnswerSource::Labeled, labeled_candidates(text)))
        .or_else(|| found(AnswerSource::WholeText, whole_text(text)))
        .or_else(|| found(AnswerSource::Formula, concluding_candidates(end)))
        .or_else(|| found(AnswerSource::Formula, last_formula(end)))
        .or_else(|| found(AnswerSource::Number, last_stated_number(end).into_iter().collect()))
        .or_else(|| found(AnswerSource::Number, last_words(end)))
}

/// The labelled final answer after the last box.
fn corrected_texts(text: &str) -> Vec<String> {
    let rest = boxes(text).last().map(|last| &text[last.end..]);
    let Some(value) = rest.and_then(corrected_answer) else { return Vec::new() };
    let mut texts = answer_candidates(first_sentence_or_formula(value));
    texts.retain(|t| !words::is_plain_text(t));
    texts
}

/// The last sentence of a text, without its full stop.
fn last_sentence(text: &str) -> &str {
    let end = text.trim_end().rsplit("\n\n").next().unwrap_or("").trim_end_matches(['.', ' ']);
    let formulas = formula_spans(end);
    let outside = |at: usize| !formulas.iter().any(|f| f.begin < at && at + 1 < f.end);
    let begin = [". ", ".$ ", ".\n", "\n", "? ", "! "].iter().filter_map(|mark| {
        Some(end.rmatch_indices(mark).find(|(at, _)| outside(*at))?.0 + mark.len())
    });
    end[begin.max().unwrap_or(0)..].trim()
}

/// The conclusion of the last sentence.
fn concluding_candidates(text: &str) -> Vec<String> {
    let last = last_sentence(text);
    let stated = || {
        let before = &last[..last.len() - value_part(last).0.len()];
        (before.ends_with(" is ") || before.ends_with(" are ")).then_some(last)
    };
    let said = after_conclusion_word(last).or_else(stated).filter(|_| !last.contains("**"));
    let Some(rest) = said else { return Vec::new() };
    let rest =
        Some(without_aside(rest)).filter(|head| !formula_spans(head).is_empty()).unwrap_or(rest);
    let found = formula_spans(rest);
    if found.is_empty() {
        return match number_spans(rest).as_slice() {
            _ if after_conclusion_word(last).is_none() => Vec::new(),
            _ if plain_tail(rest).is_some() => plain_tail(rest).into_iter().collect(),
            [] => {
                let said = word_head(rest).or_else(|| word_tail(rest));
                let sure =
                    said.as_ref().is_some_and(|word| phrases::are_single_word_answers(word, word));
                let formula = if sure { Vec::new() } else { last_formula(text) };
                said.into_iter().chain(formula).collect()
            }
            [only] => vec![rest[only.begin..only.end].to_owned()],
            _ => sentence_number::number_in_raw_sentence(rest, false, "")
                .filter(|_| !is_irrational(rest))
                .map(|a| a.text)
                .into_iter()
                .collect(),
        };
    }
    let mut texts = answer_candidates(rest);
    let short = |t: &str| words_outside(t) <= 3 || t.contains(", ") && long_words(t) <= 3;
    texts.retain(|t| !t.contains('$') && short(t));
    if !value_part(rest).1 {
        let last: Vec<String> =
            found.last().map(|f| chain_result(strip_decoration(f.inside))).into_iter().collect();
        let listed = texts.first().is_some_and(|t| lists_unknowns(t));
        texts = match found.len() {
            1 => last,
            _ if listed => texts,
            _ => [texts, last].concat(),
        };
    }
    texts
}

/// The few words that a sentence ends with: `the function is odd`.
fn word_tail(sentence: &str) -> Option<String> {
    let (_, tail) = [" is ", " are ", " on a "]
        .iter()
        .filter_map(|link| sentence.rsplit_once(link))
        .min_by_key(|t| t.1.len())?;
    let tail = strip_decoration(tail);
    (tail.split_whitespace().count() <= 3 && words::is_plain_text(&tail)).then_some(tail)
}

/// The name that a sentence singles out: `Evelyn has the greatest speed`, `Evelyn is our answer`.
fn word_head(sentence: &str) -> Option<String> {
    let (name, rest) = sentence.split_once(' ')?;
    let said = ["has the ", "is the ", "had the ", "was the ", "is our answer"];
    let known =
        name.starts_with(|c: char| c.is_uppercase()) && !["It", "This", "That"].contains(&name);
    (known && said.iter().any(|s| rest.starts_with(s)) && words::is_plain_text(name))
        .then(|| strip_decoration(name))
}

/// The name or the few words that a last sentence without numbers ends with.
fn last_words(text: &str) -> Vec<String> {
    let line = text.trim_end().lines().next_back().unwrap_or("");
    let sentence = line.trim_end_matches('.').rsplit(". ").next().unwrap_or("");
    word_tail(sentence).into_iter().collect()
}

/// The number of words with more than one letter; the `2i` of a formula does not count.
fn long_words(text: &str) -> usize {
    let outside = outside_formulas(text);
    outside.split_whitespace().filter(|w| w.len() > 1 && w.chars().all(char::is_alphabetic)).count()
}

/// The formula without delimiters that ends a sentence: `the point is (3, 4)`.
fn plain_tail(sentence: &str) -> Option<String> {
    let (_, tail) = [" is ", " are ", " at "]
        .iter()
        .filter_map(|link| sentence.rsplit_once(link))
        .next_back()?;
    let tail = strip_decoration(tail);
    let words = tail.split(|c: char| !c.is_alphabetic()).any(|w| w.chars().count() > 1);
    let formula =
        tail.contains(['^', '+', '(', '=', '/']) && tail.contains(|c: char| c.is_ascii_digit());
    (formula && !words).then_some(tail)
}

/// Candidates for the content of a tag.
fn tag_texts(inside: &str) -> Vec<String> {
    let whole = strip_decoration(&inside.replace("\\\\", "\\"));
    let value = text_after_label(inside).unwrap_or(inside);
    match formula_spans(value).as_slice() {
        [_, .., last] => vec![whole, strip_decoration(last.inside)],
        _ if words_outside(value) > 1 => {
            [vec![whole], answer_candidates(first_sentence_or_formula(value))].concat()
        }
        _ => vec![whole],
    }
}

/// The text after the last `####` that is not a heading.
fn hash_line(text: &str) -> Option<String> {
    let heading = |rest: &str| {
        let numbered = rest.split_once(['.', ')']).is_some_and(|(n, words)| {
            n.chars().all(|c| c.is_ascii_digit()) && words.starts_with(' ')
        });
        let first = rest.chars().next();
        numbered || first.is_none_or(|c| c.is_ascii_alphabetic() || c == '#')
    };
    let rests = text.rmatch_indices("####").map(|(i, h)| {
        text[i + h.len()..].lines().next().unwrap_or("").trim().trim_matches('*').trim()
    });
    rests.into_iter().find(|rest| !heading(rest)).map(str::to_owned)
}

/// Candidates for the text after the last label.
fn labeled_candidates(text: &str) -> Vec<String> {
    let Some(segment) = text_after_label(text) else { return Vec::new() };
    let list_items = list_items(segment);
    if list_items.len() > 1 {
        return vec![list_items.join(", ")];
    }
    answer_candidates(first_sentence_or_formula(segment))
}

/// The items of the list at the start of a text, if each is a formula or a number.
fn list_items(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).take_while(|line| !line.is_empty()) {
        let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let item = ["- ", "* ", "• "].iter().find_map(|mark| line.strip_prefix(mark));
        let item =
            item.or_else(|| numbered.strip_prefix(". ").filter(|_| numbered.len() < line.len()));
        let Some(item) = item.filter(|item| starts_with_value(item) && words_outside(item) == 0)
        else {
            return Vec::new();
        };
        found.push(strip_decoration(item));
    }
    found
}

/// Candidates for the answer in a sentence, the likeliest first. A reason, as in `$4$, since $3$ fails`, is not part
/// of it.
fn answer_candidates(sentence: &str) -> Vec<String> {
    let head = without_aside(sentence);
    let part = value_part(head).0;
    let found = formula_spans(part);
    let mut texts = value_candidates(part, &found);
    // **Evelyn** is the fastest: the first mark was removed with the label.
    let bold = head
        .split_once("**")
        .filter(|(_, rest)| !rest.contains("**"))
        .map(|(bold, _)| strip_decoration(bold));
    texts.splice(0..0, bold.filter(|b| !b.is_empty()));
    let choice = ["option ", "choice "].iter().find_map(|word| {
        let (begin, letter) = (texts[0].get(..word.len())?, texts[0].get(word.len()..)?);
        begin.eq_ignore_ascii_case(word).then(|| letter.to_owned())
    });
    texts.splice(0..0, choice);
    texts.push(strip_decoration(head));
    // Text beside a name is not used.
    let counts = head.contains(|c: char| c.is_ascii_digit() || c == '$' || c == '\\');
    texts.extend((counts || head.len() == sentence.len()).then(|| strip_decoration(sentence)));
    texts.extend(first_clause(head).filter(|_| found.is_empty() || !starts_with_value(part)));
    let sides: Vec<String> = texts
        .iter()
        .take(1)
        .filter(|t| !lists_unknowns(t))
        .filter_map(|t| last_side_of_chain(t))
        .collect();
    texts.extend(sides);
    // A factorial, or an exclamation.
    let without_exclamation = texts.first().and_then(|t| t.strip_suffix('!')).map(str::to_owned);
    texts.extend(without_exclamation);
    texts.dedup();
    texts
}

/// Candidates in the part of a sentence that has the value.
fn value_candidates(part: &str, found: &[Formula<'_>]) -> Vec<String> {
    let tidy = strip_decoration(part);
    let lead = number_spans(part).into_iter().next().filter(|spot| spot.begin == 0);
    let counted =
        lead.filter(|spot| part[spot.end..].trim_start().starts_with(char::is_alphabetic));
    let counted = counted.map(|spot| part[..spot.end].to_owned());
    let formula = |f: &Formula<'_>| strip_decoration(f.inside);
    match found {
        [] => {
            let several = part.contains(" or ") || is_tuple(part);
            let number = || {
                sentence_number::number_in_sentence(&without_markup(part), true, "")
                    .map(|amount| amount.text)
            };
            let several = several || is_irrational(part);
            let counted = counted.or_else(|| number().filter(|_| !several));
            [Some(tidy), counted].into_iter().flatten().collect()
        }
        _ if counted.is_some() => counted.into_iter().chain([tidy]).collect(),
        [only] if words_outside(part) > 0 || !outside_formulas(part).trim().is_empty() => {
            vec![formula(only), tidy]
        }
        [_] => vec![tidy],
        [.., last] => {
            let listed: Vec<String> = found.iter().map(formula).collect();
            let joined = found.windows(2).all(|pair| {
                let between = part[pair[0].end..pair[1].begin].trim_matches([' ', ',', '.']);
                between.is_empty() || words::is_conjunction(between)
            });
            let joined = joined.then(|| listed.join(", "));
            let either = part.trim_start().to_lowercase().starts_with("either");
            let one = if starts_with_value(part) {
                found.first().map(formula)
            } else {
                Some(formula(last))
            };
            let one = one.filter(|_| joined.is_none() && !either);
            [joined, one, Some(tidy)].into_iter().flatten().collect()
        }
    }
}

/// Whether a list assigns values to unknowns: `x = 1, x = 2` is not a chain of calculations.
fn lists_unknowns(text: &str) -> bool {
    let solved = |item: &str| {
        item.split_once('=').is_some_and(|(name, value)| {
            let mut name = name.trim().chars();
            let letter = name.next().is_some_and(char::is_alphabetic);
            letter && matches!(name.next(), None | Some('_')) && !value.contains('=')
        })
    };
    text.contains(", ") && text.split(", ").all(solved)
}

/// Whether a text has a root or π, so that a number alone would be incomplete.
fn is_irrational(text: &str) -> bool {
    text.contains(['√', 'π']) || text.contains("sqrt") || text.ends_with(" pi")
}

/// Whether a text begins with a bracket other than that of a choice.
fn is_tuple(text: &str) -> bool {
    let inside = text.trim_start().strip_prefix(['(', '[', '{']).unwrap_or("");
    let choice =
        inside.starts_with(|c: char| c.is_ascii_uppercase()) && inside[1..].starts_with(')');
    !inside.is_empty() && !choice
}

/// The part of a sentence that has the value, after its last `is` that precedes a number or formula; and whether
/// there is such a word.
fn value_part(sentence: &str) -> (&str, bool) {
    let formulas = formula_spans(sentence);
    let outside = |at: usize| !formulas.iter().any(|f| f.begin < at && at < f.end);
    let links = [
        " is ",
        " are ",
        " equals ",
        " be ",
        " is: ",
        " are: ",
        ", i.e. ",
        ", i.e., ",
        ", so ",
        ", thus ",
        ", hence ",
        ", therefore ",
        " total of ",
        " we have ",
        " we get ",
        " gives ",
        " giving ",
        " a probability of ",
        " get ",
        " obtain ",
    ];
    let last = links
        .iter()
        .flat_map(|link| sentence.rmatch_indices(link).map(|(at, link)| (at, at + link.len())))
        .filter(|(at, end)| outside(*at) && starts_with_value(&sentence[*end..]))
        .max();
    last.map_or((sentence, false), |(_, end)| (&sentence[end..], true))
}

/// A sentence without text beside its answer.
fn without_aside(sentence: &str) -> &str {
    const ASIDES: [&str; 18] = [
        ", since ",
        " since ",
        ", because ",
        " because ",
        ", where ",
        ", which ",
        "; ",
        " — ",
        ", not ",
        " and not ",
        " but not ",
        " rather than ",
        ", with ",
        " (because ",
        " (since ",
        " (with ",
        " (where ",
        " (as ",
    ];
    let formulas = formula_spans(sentence);
    let outside = |at: usize| !formulas.iter().any(|f| f.begin < at && at < f.end);
    let says = |at: usize| {
        let before = &sentence[..at];
        // Of words, a name counts: `Bob, since …`.
        let name = before.starts_with(|c: char| c.is_uppercase() || c == '"')
            && before.split_whitespace().count() <= 2;
        name || formulas.iter().any(|f| f.end <= at)
            || before.contains(|c: char| c.is_ascii_digit())
    };
    let aside = ASIDES.iter().flat_map(|mark| sentence.match_indices(mark).map(|(at, _)| at));
    let first = aside.filter(|at| *at > 0 && outside(*at) && says(*at)).min();
    &sentence[..first.unwrap_or(sentence.len())]
}

/// A sentence up to the reason that it ends with: `the leg is $12$, since …`.
fn without_reason(sentence: &str) -> &str {
    const REASONS: [&str; 5] = [", since ", ", because ", " because ", " (since ", " (because "];
    let formulas = formula_spans(sentence);
    let outside = |at: usize| !formulas.iter().any(|f| f.begin < at && at < f.end);
    let found = REASONS.iter().filter_map(|reason| sentence.find(reason)).min();
    let at = found.filter(|at| outside(*at) && !sentence[at + 2..].contains(", "));
    at.map_or(sentence, |at| &sentence[..at])
}

/// The first clause of a sentence.
fn first_clause(sentence: &str) -> Option<String> {
    let marks = [", ", " because ", " since ", " which ", " where ", " when ", " (", " for "];
    let closed = |text: &str| {
        let count = |set: [char; 2]| text.matches(|c| set.contains(&c)).count();
        count(['(', '[']) == count([')', ']'])
    };
    let ends = marks.iter().flat_map(|mark| sentence.match_indices(mark).map(|(at, _)| at));
    let at = ends.filter(|at| *at > 0 && closed(&sentence[..*at])).min()?;
    Some(strip_decoration(&sentence[..at]))
}

/// The last formula, or bold text in the last lines.
fn last_formula(text: &str) -> Vec<String> {
    let end = text.trim_end().rsplit("\n\n").next().unwrap_or("");
    let line = end.lines().next_back().unwrap_or("");
    let bold: Vec<&str> = line.split("**").skip(1).step_by(2).collect();
    let direct = bold.iter().find(|b| starts_with_value(b)).copied();
    let last = end.rsplit_once("**").and_then(|(before, _)| before.rsplit_once("**"));
    let bold = direct.or(last.map(|(_, inside)| inside)).map(strip_decoration);
    let valued = |bold: String| match bold.split_once(": ") {
        Some((_, value)) if starts_with_value(value) => strip_decoration(value),
        _ => bold,
    };
    if let Some(bold) = bold.filter(|b| !b.is_empty() && b.len() <= 40).map(valued) {
        return vec![bold];
    }
    if let Some(tail) =
        plain_tail(line.trim_end_matches('.')).filter(|_| formula_spans(line).is_empty())
    {
        return vec![tail];
    }
    let found = match formula_spans(without_reason(last_sentence(text))) {
        said if !said.is_empty() => said,
        _ => formula_spans(text),
    };
    let Some(formula) = found.iter().rev().find(|f| !is_denied(&text[..f.begin])) else {
        return Vec::new();
    };
    vec![chain_result(strip_decoration(formula.inside))]
}

/// Whether the words before a formula reject it as an answer: `and not at`.
fn is_denied(before: &str) -> bool {
    const DENIALS: [&str; 4] = [" not ", " not at ", " not equal to ", " rather than "];
    DENIALS.iter().any(|denial| before.ends_with(denial))
}

/// The result of a formula that is a chain of calculations.
fn chain_result(formula: String) -> String {
    last_side_of_chain(&formula).unwrap_or(formula)
}

/// The text itself, if it is one short line without delimiters; or such a first line, followed by an explanation.
fn whole_text(text: &str) -> Vec<String> {
    let text = text.trim();
    if let Some((first, rest)) = text.split_once("\n\n") {
        let rest = truncated(rest.trim_start_matches(['*', '#', ' ']), 20).to_lowercase();
        let explains = ["explanation", "the reason", "reason", "because", "here's why"];
        let alone = starts_with_value(first) && words_outside(first) <= 2 && !first.contains('\n');
        let explained = alone && explains.iter().any(|e| rest.starts_with(e));
        return if explained { answer_candidates(first) } else { Vec::new() };
    }
    const LABELS: [&str; 7] =
        ["A:", "Result:", "Solution:", "Total:", "Output:", "Answer -", "Answer —"];
    let text = LABELS.iter().find_map(|label| text.strip_prefix(label)).unwrap_or(text).trim();
    let short = text.chars().count() <= 80 && !text.contains('\n') && !text.contains(". ");
    let words = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| w.len() > 3 && !text.contains(&format!("\\{w}")))
        .count();
    let formula_texts = formula_texts(text);
    let bare = formula_texts.is_empty()
        || formula_texts.len() == 1 && outside_formulas(text).trim().is_empty();
    if !short || words > 3 || !bare || text.contains("**") || text.is_empty() {
        return Vec::new();
    }
    let mut texts = vec![plain_tail(text).unwrap_or_else(|| strip_decoration(text))];
    texts.extend(texts.first().and_then(|t| last_side_of_chain(t)));
    // `Hence she has 11`
    if text.split_whitespace().filter(|w| w.chars().all(char::is_alphabetic)).count() >= 2
        && texts.len() < 2
    {
        texts.extend(
            sentence_number::number_in_raw_sentence(text, false, "")
                .filter(|_| !is_irrational(text))
                .map(|amount| amount.text),
        );
    }
    texts.extend(after_conclusion_word(text).and_then(word_tail));
    texts
}
