//! Finds the final answer in a solution.
//!
//! Nothing counts behind the solution's own end (see `next_question`). What is looked for, first to last; the first
//! that is there counts:
//!
//! 1. the last `\boxed{…}` or `\fbox{…}`, alone or joined with those before it that make one list with it; behind
//!    it only a formula or number that is called the final answer;
//! 2. the last `<answer>…</answer>` or `"answer": …`; a last line `#### …`;
//! 3. what follows the last `answer is`, `answer:`, `final answer` and the like, unless that is a remark on an
//!    answer before it, or the label of the whole response;
//! 4. the whole text, where it is one short line: the answer alone; a first line like that, and its explanation;
//! 5. what a last sentence says that begins with `therefore` or the like, or has its formula next to an `is`;
//! 6. the last formula, or what is bold in the last lines;
//! 7. the last number; where there is none, the words that a last sentence ends with.

use super::boxes::{boxed, boxes};
use super::closing;
use super::digits::{cleaned, spots};
use super::formulas::{
    Formula, formulas, is_direct, last_side, outside_formulas, prefix, spans, tidied, words_outside,
};
use super::names::{after_name, conclusion, corrected, sentence};
use super::next_question::own_part;
use super::number::stated_last;
use super::remarks::without_remarks;
use super::tags::tagged;
use crate::tasks::grading::{phrases, words};

/// Where an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Boxed,
    Hashes,
    Named,
    Whole,
    Formula,
    Number,
}

/// An answer as the solution has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub place: Place,
    /// Ways to cut it out, the likeliest first; at least one.
    pub texts: Vec<String>,
}

/// The final answer of a solution.
pub fn final_answer(solution: &str) -> Option<Found> {
    let text = own_part(solution);
    let found = |place, texts: Vec<String>| {
        let texts: Vec<String> = texts.into_iter().filter(|t| !t.trim().is_empty()).collect();
        (!texts.is_empty()).then_some(Found { place, texts })
    };
    let end = without_remarks(text);
    found(Place::Named, corrected_texts(text))
        .or_else(|| found(Place::Boxed, boxed(text)))
        .or_else(|| {
            found(Place::Named, tagged(text).map_or_else(Vec::new, |(_, inside)| tag_texts(inside)))
        })
        .or_else(|| found(Place::Hashes, hashes(text).into_iter().collect()))
        .or_else(|| found(Place::Named, named(text)))
        .or_else(|| found(Place::Whole, whole(text)))
        .or_else(|| found(Place::Formula, concluded(end)))
        .or_else(|| found(Place::Formula, last_formula(end)))
        .or_else(|| found(Place::Number, stated_last(end).into_iter().collect()))
        .or_else(|| found(Place::Number, last_words(end)))
}

/// What a solution calls its final answer behind its last box.
fn corrected_texts(text: &str) -> Vec<String> {
    let rest = boxes(text).last().map(|last| &text[last.end..]);
    let Some(value) = rest.and_then(corrected) else { return Vec::new() };
    let mut texts = ways(sentence(value));
    texts.retain(|t| !words::is_plain(t));
    texts
}

/// The last sentence of a text, without its full stop.
fn last_sentence(text: &str) -> &str {
    let end = text.trim_end().rsplit("\n\n").next().unwrap_or("").trim_end_matches(['.', ' ']);
    let formulas = spans(end);
    let outside = |at: usize| !formulas.iter().any(|f| f.begin < at && at + 1 < f.end);
    let begin = [". ", ".$ ", ".\n", "\n", "? ", "! "].iter().filter_map(|mark| {
        Some(end.rmatch_indices(mark).find(|(at, _)| outside(*at))?.0 + mark.len())
    });
    end[begin.max().unwrap_or(0)..].trim()
}

/// What the last sentence concludes.
fn concluded(text: &str) -> Vec<String> {
    let last = last_sentence(text);
    let stated = || {
        let before = &last[..last.len() - value_part(last).0.len()];
        (before.ends_with(" is ") || before.ends_with(" are ")).then_some(last)
    };
    let said = conclusion(last).or_else(stated).filter(|_| !last.contains("**"));
    let Some(rest) = said else { return Vec::new() };
    let rest = Some(without_aside(rest)).filter(|head| !spans(head).is_empty()).unwrap_or(rest);
    let found = spans(rest);
    if found.is_empty() {
        return match spots(rest).as_slice() {
            _ if conclusion(last).is_none() => Vec::new(),
            _ if plain_tail(rest).is_some() => plain_tail(rest).into_iter().collect(),
            [] => {
                let said = word_head(rest).or_else(|| word_tail(rest));
                let sure = said.as_ref().is_some_and(|word| phrases::are_names(word, word));
                let formula = if sure { Vec::new() } else { last_formula(text) };
                said.into_iter().chain(formula).collect()
            }
            [only] => vec![rest[only.begin..only.end].to_owned()],
            _ => closing::in_raw(rest, false, "")
                .filter(|_| !is_irrational(rest))
                .map(|a| a.text)
                .into_iter()
                .collect(),
        };
    }
    let mut texts = ways(rest);
    let short = |t: &str| words_outside(t) <= 3 || t.contains(", ") && long_words(t) <= 3;
    texts.retain(|t| !t.contains('$') && short(t));
    if !value_part(rest).1 {
        let last: Vec<String> =
            found.last().map(|f| settled(tidied(f.inside))).into_iter().collect();
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
    let tail = tidied(tail);
    (tail.split_whitespace().count() <= 3 && words::is_plain(&tail)).then_some(tail)
}

/// The name that a sentence says the most of: `Evelyn has the greatest speed`, `Evelyn is our answer`.
fn word_head(sentence: &str) -> Option<String> {
    let (name, rest) = sentence.split_once(' ')?;
    let said = ["has the ", "is the ", "had the ", "was the ", "is our answer"];
    let known =
        name.starts_with(|c: char| c.is_uppercase()) && !["It", "This", "That"].contains(&name);
    (known && said.iter().any(|s| rest.starts_with(s)) && words::is_plain(name))
        .then(|| tidied(name))
}

/// The name or the few words that a last sentence without numbers ends with.
fn last_words(text: &str) -> Vec<String> {
    let line = text.trim_end().lines().next_back().unwrap_or("");
    let sentence = line.trim_end_matches('.').rsplit(". ").next().unwrap_or("");
    word_tail(sentence).into_iter().collect()
}

/// How many words of more than one letter a text has; the `2i` of a formula is none.
fn long_words(text: &str) -> usize {
    let outside = outside_formulas(text);
    outside.split_whitespace().filter(|w| w.len() > 1 && w.chars().all(char::is_alphabetic)).count()
}

/// The formula without marks that ends a sentence: `the point is (3, 4)`.
fn plain_tail(sentence: &str) -> Option<String> {
    let (_, tail) = [" is ", " are ", " at "]
        .iter()
        .filter_map(|link| sentence.rsplit_once(link))
        .next_back()?;
    let tail = tidied(tail);
    let words = tail.split(|c: char| !c.is_alphabetic()).any(|w| w.chars().count() > 1);
    let formula =
        tail.contains(['^', '+', '(', '=', '/']) && tail.contains(|c: char| c.is_ascii_digit());
    (formula && !words).then_some(tail)
}

/// Ways to read what a tag holds.
fn tag_texts(inside: &str) -> Vec<String> {
    let whole = tidied(&inside.replace("\\\\", "\\"));
    let value = after_name(inside).unwrap_or(inside);
    match spans(value).as_slice() {
        [_, .., last] => vec![whole, tidied(last.inside)],
        _ if words_outside(value) > 1 => [vec![whole], ways(sentence(value))].concat(),
        _ => vec![whole],
    }
}

/// What follows the last `####` that is no heading.
fn hashes(text: &str) -> Option<String> {
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

/// Ways to cut out what follows the last words that name an answer.
fn named(text: &str) -> Vec<String> {
    let Some(segment) = after_name(text) else { return Vec::new() };
    let items = items(segment);
    if items.len() > 1 {
        return vec![items.join(", ")];
    }
    ways(sentence(segment))
}

/// The items of a list that a text begins with, where each is a formula or a number alone.
fn items(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).take_while(|line| !line.is_empty()) {
        let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let item = ["- ", "* ", "• "].iter().find_map(|mark| line.strip_prefix(mark));
        let item =
            item.or_else(|| numbered.strip_prefix(". ").filter(|_| numbered.len() < line.len()));
        let Some(item) = item.filter(|item| is_direct(item) && words_outside(item) == 0) else {
            return Vec::new();
        };
        found.push(tidied(item));
    }
    found
}

/// Ways to cut the answer out of a sentence that gives it, the likeliest first. What is only said beside it, as in
/// `$4$, since $3$ fails`, is no answer.
fn ways(sentence: &str) -> Vec<String> {
    let head = without_aside(sentence);
    let part = value_part(head).0;
    let found = spans(part);
    let mut texts = of_part(part, &found);
    // **Evelyn** is the fastest: the first mark is gone with the label.
    let bold = head
        .split_once("**")
        .filter(|(_, rest)| !rest.contains("**"))
        .map(|(bold, _)| tidied(bold));
    texts.splice(0..0, bold.filter(|b| !b.is_empty()));
    let choice = ["option ", "choice "].iter().find_map(|word| {
        let (begin, letter) = (texts[0].get(..word.len())?, texts[0].get(word.len()..)?);
        begin.eq_ignore_ascii_case(word).then(|| letter.to_owned())
    });
    texts.splice(0..0, choice);
    texts.push(tidied(head));
    // What is said beside a name is of no use.
    let counts = head.contains(|c: char| c.is_ascii_digit() || c == '$' || c == '\\');
    texts.extend((counts || head.len() == sentence.len()).then(|| tidied(sentence)));
    texts.extend(clause(head).filter(|_| found.is_empty() || !is_direct(part)));
    let sides: Vec<String> =
        texts.iter().take(1).filter(|t| !lists_unknowns(t)).filter_map(|t| last_side(t)).collect();
    texts.extend(sides);
    // A factorial, or joy.
    let calm = texts.first().and_then(|t| t.strip_suffix('!')).map(str::to_owned);
    texts.extend(calm);
    texts.dedup();
    texts
}

/// The likeliest ways to read the part of a sentence that has the value.
fn of_part(part: &str, found: &[Formula<'_>]) -> Vec<String> {
    let tidy = tidied(part);
    let lead = spots(part).into_iter().next().filter(|spot| spot.begin == 0);
    let counted =
        lead.filter(|spot| part[spot.end..].trim_start().starts_with(char::is_alphabetic));
    let counted = counted.map(|spot| part[..spot.end].to_owned());
    let formula = |f: &Formula<'_>| tidied(f.inside);
    match found {
        [] => {
            let several = part.contains(" or ") || is_tuple(part);
            let number =
                || closing::in_sentence(&cleaned(part), true, "").map(|amount| amount.text);
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
                between.is_empty() || words::joins(between)
            });
            let joined = joined.then(|| listed.join(", "));
            let either = part.trim_start().to_lowercase().starts_with("either");
            let one =
                if is_direct(part) { found.first().map(formula) } else { Some(formula(last)) };
            let one = one.filter(|_| joined.is_none() && !either);
            [joined, one, Some(tidy)].into_iter().flatten().collect()
        }
    }
}

/// Whether a list says what each of its unknowns is: `x = 1, x = 2` is no chain of calculations.
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

/// Whether a text has a root or π, so that a number alone is only part of what it says.
fn is_irrational(text: &str) -> bool {
    text.contains(['√', 'π']) || text.contains("sqrt") || text.ends_with(" pi")
}

/// Whether a text begins with a bracket that holds no letter of a choice.
fn is_tuple(text: &str) -> bool {
    let inside = text.trim_start().strip_prefix(['(', '[', '{']).unwrap_or("");
    let choice =
        inside.starts_with(|c: char| c.is_ascii_uppercase()) && inside[1..].starts_with(')');
    !inside.is_empty() && !choice
}

/// The part of a sentence that has the value, behind its last `is` where a number or formula follows there; and
/// whether there is such a word.
fn value_part(sentence: &str) -> (&str, bool) {
    let formulas = spans(sentence);
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
        .filter(|(at, end)| outside(*at) && is_direct(&sentence[*end..]))
        .max();
    last.map_or((sentence, false), |(_, end)| (&sentence[end..], true))
}

/// A sentence up to what is only said beside its answer.
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
    let formulas = spans(sentence);
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
    let formulas = spans(sentence);
    let outside = |at: usize| !formulas.iter().any(|f| f.begin < at && at < f.end);
    let found = REASONS.iter().filter_map(|reason| sentence.find(reason)).min();
    let at = found.filter(|at| outside(*at) && !sentence[at + 2..].contains(", "));
    at.map_or(sentence, |at| &sentence[..at])
}

/// The first clause of a sentence.
fn clause(sentence: &str) -> Option<String> {
    let marks = [", ", " because ", " since ", " which ", " where ", " when ", " (", " for "];
    let closed = |text: &str| {
        let count = |set: [char; 2]| text.matches(|c| set.contains(&c)).count();
        count(['(', '[']) == count([')', ']'])
    };
    let ends = marks.iter().flat_map(|mark| sentence.match_indices(mark).map(|(at, _)| at));
    let at = ends.filter(|at| *at > 0 && closed(&sentence[..*at])).min()?;
    Some(tidied(&sentence[..at]))
}

/// The last formula; in the last lines, what is bold.
fn last_formula(text: &str) -> Vec<String> {
    let end = text.trim_end().rsplit("\n\n").next().unwrap_or("");
    let line = end.lines().next_back().unwrap_or("");
    let bold: Vec<&str> = line.split("**").skip(1).step_by(2).collect();
    let direct = bold.iter().find(|b| is_direct(b)).copied();
    let last = end.rsplit_once("**").and_then(|(before, _)| before.rsplit_once("**"));
    let bold = direct.or(last.map(|(_, inside)| inside)).map(tidied);
    let valued = |bold: String| match bold.split_once(": ") {
        Some((_, value)) if is_direct(value) => tidied(value),
        _ => bold,
    };
    if let Some(bold) = bold.filter(|b| !b.is_empty() && b.len() <= 40).map(valued) {
        return vec![bold];
    }
    if let Some(tail) = plain_tail(line.trim_end_matches('.')).filter(|_| spans(line).is_empty()) {
        return vec![tail];
    }
    let found = match spans(without_reason(last_sentence(text))) {
        said if !said.is_empty() => said,
        _ => spans(text),
    };
    let Some(formula) = found.iter().rev().find(|f| !is_denied(&text[..f.begin])) else {
        return Vec::new();
    };
    vec![settled(tidied(formula.inside))]
}

/// Whether the words before a formula say that this is no answer: `and not at`.
fn is_denied(before: &str) -> bool {
    const DENIALS: [&str; 4] = [" not ", " not at ", " not equal to ", " rather than "];
    DENIALS.iter().any(|denial| before.ends_with(denial))
}

/// What a formula comes to, where it is a chain of calculations.
fn settled(formula: String) -> String {
    last_side(&formula).unwrap_or(formula)
}

/// The text itself, where it is one short line without a formula's marks: the answer alone; or a first line of that
/// kind with its explanation behind it.
fn whole(text: &str) -> Vec<String> {
    let text = text.trim();
    if let Some((first, rest)) = text.split_once("\n\n") {
        let rest = prefix(rest.trim_start_matches(['*', '#', ' ']), 20).to_lowercase();
        let explains = ["explanation", "the reason", "reason", "because", "here's why"];
        let alone = is_direct(first) && words_outside(first) <= 2 && !first.contains('\n');
        let explained = alone && explains.iter().any(|e| rest.starts_with(e));
        return if explained { ways(first) } else { Vec::new() };
    }
    const LABELS: [&str; 7] =
        ["A:", "Result:", "Solution:", "Total:", "Output:", "Answer -", "Answer —"];
    let text = LABELS.iter().find_map(|label| text.strip_prefix(label)).unwrap_or(text).trim();
    let short = text.chars().count() <= 80 && !text.contains('\n') && !text.contains(". ");
    let words = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| w.len() > 3 && !text.contains(&format!("\\{w}")))
        .count();
    let formulas = formulas(text);
    let bare =
        formulas.is_empty() || formulas.len() == 1 && outside_formulas(text).trim().is_empty();
    if !short || words > 3 || !bare || text.contains("**") || text.is_empty() {
        return Vec::new();
    }
    let mut texts = vec![plain_tail(text).unwrap_or_else(|| tidied(text))];
    texts.extend(texts.first().and_then(|t| last_side(t)));
    // `Hence she has 11`
    if text.split_whitespace().filter(|w| w.chars().all(char::is_alphabetic)).count() >= 2
        && texts.len() < 2
    {
        texts.extend(
            closing::in_raw(text, false, "")
                .filter(|_| !is_irrational(text))
                .map(|amount| amount.text),
        );
    }
    texts.extend(conclusion(text).and_then(word_tail));
    texts
}
