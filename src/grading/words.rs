//! Answers in words: when two are the same, and which words are units, numbers or prose.

/// Words of two or three letters that are not products of variables.
pub(super) fn is_short_word(lower: &str) -> bool {
    const WORDS: &[&str] = &[
        "no", "yes", "odd", "and", "or", "the", "all", "not", "is", "of", "per", "one", "two",
        "six", "ten", "red", "day", "men", "if", "for", "are", "has", "mod", "dne", "to", "on",
        "am", "pm", "usd",
    ];
    WORDS.contains(&lower)
}

/// Units of two or three letters, as they follow a number.
pub(super) fn is_short_unit(run: &str) -> bool {
    const UNITS: &[&str] = &[
        "cm", "mm", "km", "ft", "in", "kg", "mg", "lb", "lbs", "mph", "hr", "hrs", "min", "sec",
        "sq", "yd", "oz", "mi", "ml", "mL", "rad", "kph", "Hz",
    ];
    UNITS.contains(&run)
}

/// Whether a text joins the items of a list.
pub(super) fn is_conjunction(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "and" | "or" | "and/or" | ", and" | ", or")
}

/// Whether words describe a number, rather than name its unit.
pub(super) fn is_descriptive(text: &str) -> bool {
    const DESCRIPTIVE: &[&str] = &[
        "all",
        "every",
        "any",
        "each",
        "odd",
        "even",
        "prime",
        "primes",
        "divisible",
        "multiple",
        "multiples",
        "integer",
        "integers",
        "positive",
        "negative",
        "nonnegative",
        "natural",
        "perfect",
        "power",
        "powers",
        "except",
        "not",
        "no",
        "only",
        "exists",
        "exist",
        "such",
        "that",
        "whose",
        "both",
        "either",
        "neither",
        "constant",
        "composite",
        "arbitrary",
        "real",
    ];
    let words = text.split(|c: char| !c.is_alphabetic());
    words.into_iter().any(|w| DESCRIPTIVE.contains(&w.to_lowercase().as_str()))
}

/// Whether words only introduce or stress an answer: `the only solution is`.
pub(super) fn is_filler(text: &str) -> bool {
    const FILLERS: &[&str] = &[
        "the",
        "only",
        "just",
        "a",
        "an",
        "solution",
        "solutions",
        "is",
        "are",
        "answer",
        "answers",
        "value",
        "values",
        "point",
        "points",
        "center",
        "centre",
        "vertex",
        "focus",
        "at",
        "we",
        "get",
        "have",
        "thus",
        "so",
        "hence",
        "therefore",
        "coordinates",
        "pair",
        "pairs",
        "triple",
        "ordered",
        "namely",
        "possible",
        "i.e",
        "ie",
        "its",
        "equation",
        "function",
        "functions",
        "final",
        "constant",
        "all",
    ];
    let mut words = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';'))
        .map(|w| w.trim_matches('.'))
        .filter(|w| !w.is_empty())
        .peekable();
    // `all n` has a meaning.
    let quantified = text.trim().eq_ignore_ascii_case("all");
    !quantified
        && words.peek().is_some()
        && words.all(|w| FILLERS.contains(&w.to_lowercase().as_str()))
}

/// Whether words begin a condition on the preceding text: `where`, `for all`.
pub(super) fn is_condition(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("").to_lowercase();
    matches!(first.as_str(), "for" | "where" | "if" | "when" | "with" | "such" | "whenever" | "as")
}

/// Whether words begin one of several cases: `if`, `otherwise`.
pub(super) fn begins_case(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("").to_lowercase();
    matches!(first.as_str(), "if" | "when" | "whenever" | "otherwise")
}

/// Whether words mean all real numbers.
pub(super) fn means_all_reals(text: &str) -> bool {
    const OTHERS: &[&str] =
        &["all", "any", "every", "the", "number", "numbers", "value", "values", "of", "for", "x"];
    let mut real = false;
    let mut all = false;
    let known = text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).all(|w| {
        let lower = w.to_lowercase();
        real |= matches!(lower.as_str(), "real" | "reals");
        all |= matches!(lower.as_str(), "all" | "any" | "every");
        matches!(lower.as_str(), "real" | "reals") || OTHERS.contains(&lower.as_str())
    });
    known && real && all
}

/// Whether words before a number change its meaning: `at most`, `not`.
pub(super) fn changes_number_meaning(text: &str) -> bool {
    const CHANGING: &[&str] = &[
        "not",
        "most",
        "least",
        "less",
        "more",
        "than",
        "except",
        "without",
        "over",
        "under",
        "power",
        "powers",
        "multiple",
        "multiples",
        "divisors",
        "factors",
        "divisible",
    ];
    text.split(|c: char| !c.is_alphabetic()).any(|w| CHANGING.contains(&w.to_lowercase().as_str()))
}

/// Whether words contain a negation.
pub(super) fn has_negation(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic())
        .any(|w| matches!(w.to_lowercase().as_str(), "not" | "no" | "never" | "impossible"))
}

/// Whether words mean all integers of a kind, before their condition.
pub(super) fn means_all_integers(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower.split_whitespace();
    words.next() == Some("all")
        && words.all(|w| {
            matches!(
                w,
                "integers" | "positive" | "nonnegative" | "natural" | "numbers" | "values" | "of"
            )
        })
}

/// Whether words begin a reason.
pub(super) fn begins_reason(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("").to_lowercase();
    matches!(first.as_str(), "since" | "because" | "as" | "given" | "note" | "see")
}

/// The normal form in which words are compared: lower case, without punctuation, articles and wrapping.
pub(super) fn normalized(text: &str) -> String {
    let mut lower = text.to_lowercase();
    for (from, to) in [
        ("\\textbf", " "),
        ("\\textit", " "),
        ("\\textrm", " "),
        ("\\text", " "),
        ("\\mbox", " "),
        ("\\mathrm", " "),
        ("a.m.", "am"),
        ("p.m.", "pm"),
        ("\\$", "$"),
        ("\\%", "%"),
    ] {
        lower = lower.replace(from, to);
    }
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '+' | '-' | '/' | '.');
    let spaced: String = lower.chars().map(|c| if kept(c) { c } else { ' ' }).collect();
    let words: Vec<&str> = spaced
        .split_whitespace()
        .map(|w| w.trim_matches(['.', '-', '/']))
        .filter(|w| !w.is_empty() && !matches!(*w, "the" | "an" | "and"))
        .collect();
    // An article, not a chosen letter.
    let article = |i: usize| words[i] == "a" && words.get(i + 1).is_some_and(|w| w.len() > 2);
    let kept: Vec<&str> = (0..words.len()).filter(|i| !article(*i)).map(|i| words[i]).collect();
    kept.join(" ")
}

/// Whether two answers in words are the same.
pub(super) fn same_words(gold: &str, answer: &str) -> bool {
    let original = (gold, answer);
    let (gold, answer) = (normalized(gold), normalized(answer));
    let (gold, answer) = (without_preposition(gold), without_preposition(answer));
    gold == answer
        || date_in_order(&gold) == date_in_order(&answer)
        || numbers_in_digits(&gold) == numbers_in_digits(&answer)
        || gold.replace(' ', "") == answer.replace(' ', "")
        || canonical_meaning(&gold).is_some_and(|m| canonical_meaning(&answer) == Some(m))
        || singular(&gold) == singular(&answer)
        || without_noun(&gold) == without_noun(&answer)
        || name_list(original.0).is_some_and(|names| name_list(original.1) == Some(names))
}

/// `on Tuesday`: the day.
fn without_preposition(text: String) -> String {
    let short = ["on ", "in ", "it is "].iter().find_map(|start| text.strip_prefix(start));
    short.map(str::to_owned).unwrap_or(text)
}

/// The text with numbers as digits: `two lines`, `June 20th`.
fn numbers_in_digits(text: &str) -> String {
    let figure = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let ordinal = matches!(&word[digits.len()..], "st" | "nd" | "rd" | "th");
        match number_from_words(word) {
            Some(n) => n.to_string(),
            None if ordinal && !digits.is_empty() => digits.to_owned(),
            None => word.to_owned(),
        }
    };
    text.split(' ').map(figure).collect::<Vec<_>>().join(" ")
}

/// A date in canonical order: `20 June` is `June 20`.
fn date_in_order(text: &str) -> String {
    const MONTHS: &str =
        "january february march april may june july august september october november december";
    let mut words: Vec<&str> = text.split(' ').collect();
    if words.len() == 2 && words.iter().any(|w| MONTHS.split(' ').any(|m| m == *w)) {
        words.sort_unstable();
    }
    words.join(" ")
}

/// Whether a plain text means that there are none.
pub(super) fn says_none(plain: &str) -> bool {
    const KNOWN: &[&str] = &[
        "such",
        "solution",
        "solutions",
        "integer",
        "integers",
        "real",
        "positive",
        "natural",
        "number",
        "numbers",
        "value",
        "values",
        "function",
        "functions",
        "polynomial",
        "polynomials",
        "exist",
        "exists",
        "root",
        "roots",
        "triples",
        "pairs",
        "prime",
        "primes",
        "satisfying",
        "answer",
        "n",
        "x",
    ];
    let rest = ["there is no ", "there are no ", "there exist no ", "there exists no ", "no "]
        .iter()
        .find_map(|start| plain.strip_prefix(start));
    rest.is_some_and(|rest| rest.split(' ').all(|w| KNOWN.contains(&w)))
}

/// The names of a list, sorted: `Alice and Bob`.
fn name_list(text: &str) -> Option<Vec<String>> {
    let spaced = text.replace(" and ", ",");
    let mut names: Vec<String> =
        spaced.split(',').map(normalized).filter(|n| !n.is_empty()).collect();
    names.sort();
    (names.len() > 1).then_some(names)
}

/// The number at the start of words: `seven dollars`.
pub(super) fn leading_number(text: &str) -> Option<f64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let parts = ["hal", "third", "quarter", "fourth", "fifth", "sixth", "eighth", "tenth", "perc"];
    if words.iter().any(|w| parts.iter().any(|p| w.to_lowercase().starts_with(p))) {
        return None;
    }
    let longest = words.len().min(6);
    (1..=longest).rev().find_map(|n| number_from_words(&words[..n].join(" ")))
}

/// Whether a text has only words and digits, with at least one letter.
pub(super) fn is_plain_text(text: &str) -> bool {
    let text = text.replace("\\text", "").replace("\\mbox", "").replace("\\ ", " ");
    let mild = |c: char| c.is_alphanumeric() || c.is_whitespace() || "{}.,:;'!$".contains(c);
    text.chars().all(mild) && text.chars().any(char::is_alphabetic)
}

/// Whether a time of day is before noon, if the text says so.
pub(super) fn is_before_noon(text: &str) -> Option<bool> {
    let normalized = normalized(text);
    let last = normalized.rsplit(' ').next()?;
    let ends =
        |half: &str| last.strip_suffix(half).is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
    match (ends("am"), ends("pm")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Whether one of two plain texts contains all words of the other in order.
pub(super) fn one_contains_the_other(gold: &str, answer: &str) -> bool {
    let (gold, answer) = (normalized(gold), normalized(answer));
    let holds = |long: &str, short: &str| {
        let (long, short) = (format!(" {long} "), format!(" {short} "));
        short.len() > 2 && long.contains(&short)
    };
    holds(&gold, &answer) || holds(&answer, &gold)
}

/// The property in `odd function`.
fn without_noun(text: &str) -> &str {
    let kind = text.strip_suffix(" function").or_else(|| text.strip_suffix(" triangle"));
    kind.filter(|kind| !kind.contains(' ')).unwrap_or(text)
}

fn singular(text: &str) -> &str {
    text.strip_suffix('s').unwrap_or(text)
}

/// The canonical form of a phrase.
fn canonical_meaning(text: &str) -> Option<&'static str> {
    Some(match text {
        "none"
        | "no solution"
        | "no solutions"
        | "there is no solution"
        | "there are no solutions"
        | "no such number"
        | "does not exist"
        | "dne"
        | "empty set"
        | "undefined"
        | "emptyset"
        | "no real solution"
        | "no real solutions"
        | "no answer" => "none",
        _ if says_none(text) => "none",
        "yes" | "true" => "yes",
        "no" | "false" => "no",
        "reals" | "real numbers" => "reals",
        _ if means_all_reals(text) => "reals",
        "infinity" | "infinite" | "infty" | "infinitely many" => "infinite",
        _ => return None,
    })
}

/// An integer in words, up to the millions.
pub(super) fn number_from_words(text: &str) -> Option<f64> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] =
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let lower = text.to_lowercase().replace('-', " ");
    let (mut total, mut part, mut any) = (0.0, 0.0, false);
    for word in lower.split_whitespace().filter(|w| *w != "and") {
        if let Some(n) = SMALL.iter().position(|w| *w == word) {
            part += n as f64;
        } else if let Some(n) = TENS.iter().position(|w| *w == word) {
            part += (n as f64 + 2.0) * 10.0;
        } else if word == "hundred" && any {
            part *= 100.0;
        } else if let Some(multiplier) = multiplier(word).filter(|_| any) {
            total += part * multiplier;
            part = 0.0;
        } else {
            return None;
        }
        any = true;
    }
    any.then_some(total + part)
}

/// The factor that a word applies to the number before it.
pub(super) fn multiplier(word: &str) -> Option<f64> {
    Some(match word {
        "thousand" => 1e3,
        "million" => 1e6,
        "billion" => 1e9,
        "trillion" => 1e12,
        _ => return None,
    })
}

/// Whether a gold answer is prose that only a human can grade: a proof, or several sentences.
pub(super) fn is_prose(gold: &str) -> bool {
    let lower = gold.to_lowercase();
    let says = ["proof", "prove", "see solution", "see the solution", "closed form", "q.e.d"];
    if says.iter().any(|s| lower.contains(s)) || lower.trim().is_empty() {
        return true;
    }
    let mut depth = 0_usize;
    let mut outside = String::new();
    // Commands are not words; the content of `\text{…}` is.
    let mut chars = lower.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => depth = 1 - depth.min(1),
            '\\' => while chars.next_if(char::is_ascii_alphabetic).is_some() {},
            _ if depth == 0 => outside.push(if c.is_alphabetic() { c } else { ' ' }),
            _ => {}
        }
    }
    outside.split_whitespace().filter(|w| w.chars().count() >= 3).count() > 6
}
