//! Which number of a sentence is its answer.
//!
//! Of a sentence that calculates, what follows its last `=`. Of another, what is bold; the number that the last
//! calculation before it came to; the last number of its last clause that does not stand in a tail such as
//! `for 5 days` or `after eating 3`, in brackets, or in a remark such as `which is 60%`.

use super::formula_spans::truncated;
use super::itemized_totals::itemized_total;
use super::linking_verbs::has_verb;
use super::number_spans::{NumberSpan, NumericAnswer, number_spans, without_markup};
use crate::grading::words;

/// Words that begin a tail without a verb.
const TAIL_PREPOSITIONS: [&str; 18] = [
    " for ",
    " in ",
    " with ",
    " by ",
    " from ",
    " out of ",
    " over ",
    " of ",
    " on ",
    " among ",
    " at ",
    " than ",
    " per ",
    " to ",
    " within ",
    " during ",
    " across ",
    " between ",
];

/// Words that begin a tail with a verb, or a remark.
const TAIL_CLAUSES: [&str; 15] = [
    " after ",
    " when ",
    " as ",
    " if ",
    " before ",
    " while ",
    " excluding ",
    " including ",
    ", i.e. ",
    ", that is ",
    ", ie ",
    " even though ",
    " although ",
    " assuming ",
    " plus another ",
];

/// Words that begin a new clause.
const CLAUSE_STARTS: [&str; 17] = [
    ", so ",
    " so ",
    "; ",
    " therefore ",
    " thus ",
    ", leaving ",
    " which means ",
    " meaning ",
    ", giving ",
    " which leaves ",
    ", and ",
    ", but ",
    ", then ",
    " for a total of ",
    " hence ",
    " making ",
    " for a total cost of ",
];

/// In a longer sentence, only its start or its end counts.
const MAX_LENGTH: usize = 1500;

/// The end of the text, at most this many bytes.
fn suffix(text: &str, longest: usize) -> &str {
    let mut begin = text.len().saturating_sub(longest);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    &text[begin..]
}

/// The number of a sentence before anything is removed from it.
pub(crate) fn number_in_raw_sentence(
    raw: &str,
    direct: bool,
    before: &str,
) -> Option<NumericAnswer> {
    let raw = if direct { truncated(raw, MAX_LENGTH) } else { suffix(raw, MAX_LENGTH) };
    bold_number(raw).or_else(|| number_in_sentence(&without_markup(raw), direct, before))
}

/// The first bold number outside labels, if the sentence does not continue to calculate.
fn bold_number(raw: &str) -> Option<NumericAnswer> {
    let parts: Vec<&str> = raw.split("**").collect();
    let labels = ["step", "part", "case", "day", "week", "question", "problem", "example", "note"];
    for i in (1..parts.len().saturating_sub(1)).step_by(2) {
        let (before, inside, after) = (parts[i - 1], parts[i], parts[i + 1]);
        let lower = inside.trim().to_lowercase();
        let label = lower.ends_with(':')
            || after.trim_start().starts_with(':')
            || labels.iter().any(|label| lower.starts_with(label));
        let inner = before.ends_with(|c: char| c.is_ascii_digit())
            || after.starts_with(|c: char| c.is_ascii_digit());
        let clean = without_markup(inside);
        if !label && !inner && !number_spans(&clean).is_empty() && !after.contains('=') {
            return number_in_sentence(&clean, true, "");
        }
    }
    None
}

/// The number of a sentence; `direct` says that the sentence follows a label. Of several numbers, the result of the
/// last calculation `before` it is chosen: in `he earned 10 dollars for
/// 50 minutes` after `50 × 0.2 = 10`, that is 10.
pub(crate) fn number_in_sentence(text: &str, direct: bool, before: &str) -> Option<NumericAnswer> {
    let text = &without_brackets(&with_equals_signs(without_reasons(before_denial(text))));
    let number_spans = number_spans(text);
    let (first, last) = (number_spans.first()?, number_spans.last()?);
    if let Some(total) = itemized_total(text, &number_spans) {
        return Some(NumericAnswer::of(text, total));
    }
    let equals = text.rfind('=');
    if direct
        && starts_with_number(text, first)
        && !calculates(text, first, equals)
        && !states_later(text, &number_spans, before)
    {
        return Some(NumericAnswer::of(text, first));
    }
    let Some(equals) = equals else {
        let head = before_breakdown(text);
        return stated_number(head, &self::number_spans(head), before);
    };
    let Some(result) = number_spans.iter().find(|s| s.begin > equals) else {
        return Some(NumericAnswer::of(text, last));
    };
    // `= 160 minutes, or 2 hours and 40 minutes`
    if comparison_start(&text[result.begin..])
        .is_some_and(|at| self::number_spans(&text[result.end..result.begin + at]).is_empty())
    {
        return Some(NumericAnswer::of(text, result));
    }
    let after = &text[result.end..last.end.max(result.end)];
    let sum = |s: &str| [" + ", " × ", " * ", " - ", " x ", " / "].iter().any(|op| s.contains(op));
    let ahead: Vec<&NumberSpan> = number_spans.iter().filter(|s| s.end <= equals).collect();
    if let [only] = ahead.as_slice()
        && sum(after)
        && !after.contains([',', ';', '.'])
    {
        // $30 = $20 + $10
        return Some(NumericAnswer::of(text, only));
    }
    let goes_on = [",", ";", ". ", " so ", " thus ", " therefore ", " which ", "+", "×"];
    if !goes_on.iter().any(|mark| after.contains(mark)) {
        return Some(NumericAnswer::of(text, result));
    }
    let rest = &text[result.end..];
    if sum(rest) {
        Some(NumericAnswer::of(text, last))
    } else {
        stated_number(rest, &self::number_spans(rest), before)
    }
}

/// A sentence without the explanation of its number: `it takes 6 hours: 2 for …, and 4 for …`.
fn before_breakdown(text: &str) -> &str {
    let account = text.split_once(": ").filter(|(said, account)| {
        let count = number_spans(account).len();
        let counts = account.trim_start_matches('$').starts_with(|c: char| c.is_ascii_digit());
        counts
            && count > 1
            && account.contains(" and ")
            && !number_spans(said).is_empty()
            && has_verb(said)
    });
    account.map_or(text, |(said, _)| said)
}

/// Whether only words such as `about` precede the first number.
fn starts_with_number(text: &str, first: &NumberSpan) -> bool {
    let before = &text[..first.begin];
    let about = ["about", "approximately", "a total of", "exactly", "equal to", "just", "only"];
    let bare = about.iter().fold(before.to_lowercase(), |b, word| b.replace(word, ""));
    bare.chars().all(|c| !c.is_alphanumeric() && c != '=')
}

/// Whether the first number begins a calculation.
fn calculates(text: &str, first: &NumberSpan, equals: Option<usize>) -> bool {
    equals.filter(|e| *e >= first.end).is_some_and(|e| {
        let between = text[first.end..e].trim();
        let operators = between.contains(['+', '-', '*', '/', '×', '÷', '^', '²', '³', '(', '%'])
            || between.starts_with('x')
            || between.contains(" x ")
            || ["times", "plus", "minus", "squared", "divided"].iter().any(|w| between.contains(w));
        between.is_empty() || operators || between == "dozen" || !number_spans(between).is_empty()
    })
}

/// Whether a later number of a sentence is the last result, introduced by a verb.
fn states_later(text: &str, spots: &[NumberSpan], before: &str) -> bool {
    let Some(first) = spots.first() else { return false };
    let (clause, _) = last_clause(text);
    if clause > first.end
        && (has_verb(&text[first.end..clause]) || text[..clause].ends_with(" total of"))
    {
        return true;
    }
    let Some(result) = restated_result(spots, before) else { return false };
    result.values != first.values
        && has_verb(&text[first.end..result.begin])
        && !spots
            .iter()
            .any(|s| s.begin < result.begin && s.begin > first.begin && s.values == first.values)
}

/// The last of these numbers that is the result of the last calculation in `before`.
fn restated_result<'a>(spots: &'a [NumberSpan], before: &str) -> Option<&'a NumberSpan> {
    let result = self::number_spans(last_result(before)?).into_iter().next()?;
    spots.iter().rev().find(|spot| spot.values == result.values)
}

/// The text from the result of its last calculation on.
fn last_result(before: &str) -> Option<&str> {
    before.get(before.rfind('=')? + 1..)
}

/// The number that a sentence states without a calculation.
fn stated_number(text: &str, spots: &[NumberSpan], before: &str) -> Option<NumericAnswer> {
    let last = spots.last()?;
    let clause = last_clause(text);
    if let Some(amount) = number_word(clause.1) {
        return Some(amount);
    }
    if ends_in_sum(text, spots) {
        return Some(NumericAnswer::of(text, last));
    }
    let main = main_clause(clause.1);
    let main = clause.0 + main.0..clause.0 + main.0 + main.1.len();
    let within = |s: &&NumberSpan| main.start <= s.begin && s.end <= main.end && !is_past(text, s);
    let chosen = spots.iter().rev().find(within).unwrap_or(last);
    let here = spots.iter().position(|s| s.begin >= clause.0).map_or(spots, |i| &spots[i..]);
    let leads_on = |between: &str| has_verb(between) && !between.contains(" and ");
    let result = restated_result(here, before)
        .filter(|r| r.begin >= chosen.begin || !leads_on(&text[r.end..chosen.begin]));
    let Some(result) = result else { return Some(NumericAnswer::of(text, chosen)) };
    // `She earns $18 (9 eggs at $2). So she makes $18 by selling 9 eggs.`
    let number = &text[chosen.begin..chosen.end];
    let together = result.begin < chosen.begin && text[result.end..chosen.begin].contains(" and ");
    if !together && !contains_number(before, number) {
        return Some(NumericAnswer::of(text, chosen));
    }
    let behind = last_result(before)
        .and_then(|rest| rest.split_once(['\n', '.']))
        .map_or("", |(_, rest)| rest);
    let restated = contains_number(behind, number);
    Some(NumericAnswer::of(text, if restated { chosen } else { result }))
}

/// Whether a text contains this number.
fn contains_number(text: &str, number: &str) -> bool {
    let digits = number.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    text.match_indices(digits).any(|(at, _)| {
        !digit(text[..at].chars().next_back()) && !digit(text[at + digits.len()..].chars().next())
    })
}

/// Whether more follows than the last operand of a sum: `3 of his + 2 of hers make 5`.
fn ends_in_sum(text: &str, spots: &[NumberSpan]) -> bool {
    let operator = [" + ", " * ", " × ", " / ", " - ", " – ", " x "]
        .iter()
        .filter_map(|op| text.rfind(op))
        .max();
    operator.is_some_and(|at| {
        spots.iter().filter(|s| s.begin > at).count() > 1 && spots.iter().any(|s| s.end <= at)
    })
}

/// Whether a number says how long ago something was.
fn is_past(text: &str, spot: &NumberSpan) -> bool {
    text[spot.end..].split_whitespace().nth(1).is_some_and(|w| w.trim_matches(['.', ',']) == "ago")
}

/// The last clause of a sentence with a number, in digits or words, and its start.
fn last_clause(text: &str) -> (usize, &str) {
    let mut begins: Vec<usize> = CLAUSE_STARTS
        .iter()
        .flat_map(|mark| text.match_indices(mark).map(|(at, mark)| at + mark.len() - 1))
        .collect();
    begins.push(0);
    begins.sort_unstable();
    let mut end = text.len();
    for begin in begins.into_iter().rev() {
        let clause = &text[begin..end.max(begin)];
        if !number_spans(clause).is_empty() || begin > 0 && number_word(clause).is_some() {
            return (begin, clause);
        }
        end = begin;
    }
    (0, text)
}

/// The number in words of a clause without digits: `she has four left`, `none are left`.
fn number_word(clause: &str) -> Option<NumericAnswer> {
    if clause.contains(|c: char| c.is_ascii_digit())
        || !has_verb(clause) && !clause.contains("left")
    {
        return None;
    }
    number_in_words(clause).filter(|amount| amount.values != [1.0])
}

/// A clause without its tail, and its start: a tail may come first.
fn main_clause(clause: &str) -> (usize, &str) {
    const LINKS: &[&str] = &["therefore", "thus", "so", "hence", "then", "finally", "and", "but"];
    if let Some(at) = counted_ways(clause) {
        return (at, &clause[at..]);
    }
    let begin = clause.find(|c: char| c.is_ascii_digit()).unwrap_or(clause.len());
    let mut opening = clause[..begin].split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty());
    let word = opening.find(|w| !LINKS.contains(&w.to_lowercase().as_str())).unwrap_or("");
    let opening = format!(" {} ", word.to_lowercase());
    let leads =
        TAIL_PREPOSITIONS.contains(&opening.as_str()) || TAIL_CLAUSES.contains(&opening.as_str());
    // `In 12 months he pays 1080, at 90 a month`: the clause itself is before the comma.
    let head = clause.find(", ").map_or("", |at| &clause[..at]);
    if TAIL_PREPOSITIONS.contains(&opening.as_str())
        && let Some(stated) = number_spans(head).get(1)
        && has_verb(&head[begin.min(head.len())..stated.begin])
    {
        let (offset, main) = main_clause(&clause[stated.begin..]);
        return (stated.begin + offset, main);
    }
    if leads || opening == " since " || opening.ends_with("ing ") {
        let behind = clause
            .find(", ")
            .map(|at| at + 2)
            .filter(|at| !number_spans(&clause[*at..]).is_empty());
        return behind.map_or((0, clause), |at| {
            let (offset, main) = main_clause(&clause[at..]);
            (at + offset, main)
        });
    }
    let clause = comparison_start(clause).map_or(clause, |at| &clause[..at]);
    let has_number = |at: usize| !number_spans(&clause[..at]).is_empty();
    let mut cuts: Vec<usize> = Vec::new();
    // After a comma the sentence continues.
    let ends =
        |tail: &str| tail.split_once(", ").is_none_or(|(_, rest)| number_spans(rest).is_empty());
    for mark in TAIL_CLAUSES {
        let tails = clause.match_indices(mark).filter(|(at, mark)| {
            let tail = &clause[at + mark.len()..];
            // `the sum of 4 and 5, i.e. 9` gives its result only there.
            let told = mark.contains("i.e") && number_spans(&clause[..*at]).len() > 1;
            ends(tail) && !told && (number_spans(tail).len() < 2 || !has_verb(tail))
        });
        cuts.extend(tails.map(|(at, _)| at));
    }
    for mark in TAIL_PREPOSITIONS {
        let at_tail = clause.match_indices(mark).map(|(at, mark)| (at, &clause[at + mark.len()..]));
        let tails = at_tail.filter(|(at, tail)| {
            let goal = mark == " to " && clause[..*at].contains(" more ");
            let verb = has_verb(tail) && !goal && !(mark == " of " && names_whole(tail));
            ends(tail) && !verb && !is_not_a_tail(mark, &clause[..*at], tail)
        });
        cuts.extend(tails.map(|(at, _)| at));
    }
    let every = clause.match_indices(" every ").map(|(at, _)| at);
    cuts.extend(every.filter(|at| !clause[*at..].contains([',', ';'])));
    cuts.extend(remark_start(clause));
    cuts.sort_unstable();
    let cut = cuts.into_iter().find(|at| has_number(*at));
    (0, &clause[..cut.unwrap_or(clause.len())])
}

/// The position of a number of ways: `2 of 9 people are chosen in 36 ways`.
fn counted_ways(clause: &str) -> Option<usize> {
    let (at, tail) = clause.rsplit_once(" in ").map(|(said, tail)| (said.len(), tail))?;
    let mut words = tail.trim_end_matches(['.', ' ']).split_whitespace();
    let number = words.next().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()));
    let count = words.clone().count();
    (number && count <= 2 && words.next_back() == Some("ways")).then_some(at)
}

/// Whether words such as `to` or `in` do not begin a tail here: `in total`, `comes to 5`, `have to pay 5`.
fn is_not_a_tail(mark: &str, before: &str, tail: &str) -> bool {
    const SPANS: [&str; 7] = ["remaining", "next", "last", "first", "past", "following", "other"];
    let last = before.split_whitespace().next_back().unwrap_or("").to_lowercase();
    let next = tail.split_whitespace().next().unwrap_or("");
    match mark {
        " in " => match next {
            "the" => !tail.split_whitespace().nth(1).is_some_and(|w| SPANS.contains(&w)),
            _ => matches!(next, "total" | "all" | "fact" | "order"),
        },
        " to " => {
            const VERBS: &[&str] = &[
                "have", "has", "had", "need", "needs", "going", "able", "want", "wants", "up",
                "equal", "due",
            ];
            !next.starts_with(|c: char| c.is_alphabetic()) || VERBS.contains(&last.as_str())
        }
        " of " => {
            matches!(last.as_str(), "total" | "sum" | "number" | "amount" | "cost" | "average")
        }
        " for " => tail.starts_with("a total"),
        _ => false,
    }
}

/// The start of a remark that repeats the number in percent or explains it: `which is 60%`.
fn remark_start(clause: &str) -> Option<usize> {
    let marks = [", which is ", " which is ", ", or ", ", excluding ", ", that is "];
    let at = marks.iter().filter_map(|mark| Some((clause.find(mark)?, mark.len()))).min()?;
    let said = &clause[at.0 + at.1..];
    let percent = said.contains('%') && !clause[..at.0].contains('%');
    let sum = [" + ", " × ", " - ", " * "].iter().any(|op| said.contains(op));
    let compares = ["more", "less", "greater", "enough"].iter().any(|w| said.starts_with(w));
    (percent || sum || compares).then_some(at.0)
}

/// Whether a tail names the whole of which the number is a part: `3 of the 12 pens are red`.
fn names_whole(tail: &str) -> bool {
    let tail = tail.strip_prefix("the ").unwrap_or(tail);
    tail.starts_with(|c: char| c.is_ascii_digit()) && number_spans(tail).len() == 1
}

/// The start of a remark that only compares or splits the number before it: `, 10 more than the first`,
/// `, 10 of which are red`, `, or 2 hours and 40 minutes`; or describes another: `than Jo, who is 12`.
fn comparison_start(clause: &str) -> Option<usize> {
    let stated = |at: usize| !number_spans(&clause[..at]).is_empty();
    let compares = |at: usize| {
        let rest = clause[at + 2..].trim_start_matches("which is ");
        let mut words = rest.split_whitespace().skip_while(|w| *w == "or");
        let number = words.next().filter(|w| w.contains(|c: char| c.is_ascii_digit()));
        let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let splits = first == "of" && matches!(second, "which" | "whom" | "them" | "these");
        let percent = first == "of" && number.is_some_and(|n| n.ends_with('%'));
        let hours = first.starts_with("hour") && second == "and" && clause.contains("minute");
        let more = matches!(first, "more" | "less" | "fewer") && second == "than";
        number.is_some() && (splits || percent && !rest.contains('=') || hours || more)
    };
    let adds = |at: usize| {
        let rest = &clause[at..];
        let with = rest.strip_prefix(", with ").filter(|r| !r.starts_with("a total"));
        with.or(rest.strip_prefix(", compared ")).is_some_and(|r| !r.contains([',', '=']))
    };
    let who = |at: usize| {
        let before = &clause[..at];
        clause[at..].starts_with(", who ")
            && [" than ", " times as "].iter().any(|word| before.contains(word))
    };
    let mut commas = clause.match_indices(", ").map(|(at, _)| at);
    commas.find(|at| (compares(*at) || adds(*at) || who(*at)) && stated(*at))
}

/// A sentence without its parentheses, if they contain no calculation and there are numbers outside.
fn without_brackets(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (") {
        let Some((inside, behind)) = after.split_once(')') else { break };
        out.push_str(before);
        let reason =
            ["because", "since", "as ", "with ", "where "].iter().any(|w| inside.starts_with(w));
        if inside.contains(['=', '(']) && !reason || number_spans(&out).is_empty() {
            out.push_str(" (");
            out.push_str(inside);
            out.push(')');
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// A sentence with `=` in place of words for it.
fn with_equals_signs(text: &str) -> String {
    let mut out = text.to_owned();
    for words in [" equals ", " is equal to ", " gives "] {
        out = out.replace(words, " = ");
    }
    let said =
        [" times ", " squared", " plus ", " minus ", " divided by ", " multiplied by ", " dozen "];
    if !out.contains('=')
        && let Some(at) = said.iter().filter_map(|word| out.find(word)).max()
        && let Some(is) = out[at..].find(" is ")
        && out[at + is + 4..].trim_start_matches('$').starts_with(|c: char| c.is_ascii_digit())
    {
        out.replace_range(at + is..at + is + 4, " = ");
    }
    out
}

/// A sentence without the alternatives it rejects: `she has 8, not 7`.
fn before_denial(text: &str) -> &str {
    const DENIALS: [&str; 5] = [", not ", " and not ", ", rather than ", " instead of ", " (not "];
    let denial = |at: usize, mark: &str| {
        let behind = text[at + mark.len()..].trim_start_matches(['$', '*', ' ']);
        behind.starts_with(|c: char| c.is_ascii_digit()) && !number_spans(&text[..at]).is_empty()
    };
    // At most this many are examined.
    let found = DENIALS.iter().flat_map(|mark| text.match_indices(mark).take(20));
    let first = found.filter(|(at, mark)| denial(*at, mark)).map(|(at, _)| at).min();
    first.filter(|at| !text[*at..].contains('=')).map_or(text, |at| &text[..at])
}

/// A sentence up to its `because`, if a number precedes and no calculation follows.
fn without_reasons(text: &str) -> &str {
    const REASONS: [&str; 8] = [
        " because ",
        " since ",
        " as there are ",
        ", given that ",
        ", as he ",
        ", as she ",
        ", as they ",
        ", as it ",
    ];
    let reason = REASONS.iter().filter_map(|r| text.find(r));
    match reason.min() {
        Some(at) if !text[at..].contains('=') && !number_spans(&text[..at]).is_empty() => {
            &text[..at]
        }
        _ => text,
    }
}

/// A number in words, if a text has no digits.
pub(crate) fn number_in_words(text: &str) -> Option<NumericAnswer> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
    let number = (0..words.len()).rev().find_map(|end| {
        let begin = (end.saturating_sub(8)..=end)
            .find(|begin| words::number_from_words(&words[*begin..=end].join(" ")).is_some())?;
        let text = words[begin..=end].join(" ");
        let after: Vec<&str> = words[end + 1..].iter().take(3).copied().collect();
        let after = if words[end] == "and" { &after[..] } else { after.get(1..).unwrap_or(&[]) };
        let half = if after.starts_with(&["a", "half"]) { 0.5 } else { 0.0 };
        Some(NumericAnswer { values: vec![words::number_from_words(&text)? + half], text })
    });
    number.or_else(|| zero_in_words(&words))
}

/// `No apples are left`, `nothing remains`.
fn zero_in_words(words: &[&str]) -> Option<NumericAnswer> {
    let left = words.iter().any(|w| matches!(*w, "left" | "remain" | "remains" | "remaining"));
    let none =
        words.iter().find(|w| matches!(w.to_lowercase().as_str(), "no" | "none" | "nothing"));
    let none = none.filter(|_| left)?;
    Some(NumericAnswer { text: (*none).to_owned(), values: vec![0.0] })
}
