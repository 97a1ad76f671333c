//! Answers in words: when two say the same, and which words are units, numbers or prose.

/// Words of two or three letters that are no product of variables.
pub fn is_short_word(lower: &str) -> bool {
    const WORDS: &[&str] = &[
        "no", "yes", "odd", "and", "or", "the", "all", "not", "is", "of", "per", "one", "two",
        "six", "ten", "red", "day", "men", "if", "for", "are", "has", "mod", "dne", "to", "on",
        "am", "pm", "usd",
    ];
    WORDS.contains(&lower)
}

/// Units of two or three letters, as they follow a number.
pub fn is_short_unit(run: &str) -> bool {
    const UNITS: &[&str] = &[
        "cm", "mm", "km", "ft", "in", "kg", "mg", "lb", "lbs", "mph", "hr", "hrs", "min", "sec",
        "sq", "yd", "oz", "mi", "ml", "mL", "rad", "kph", "Hz",
    ];
    UNITS.contains(&run)
}

/// Whether a text joins the items of a list.
pub fn joins(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "and" | "or" | "and/or" | ", and" | ", or")
}

/// Whether words say what a number is, rather than of what it is one.
pub fn says_something(text: &str) -> bool {
    const SAYING: &[&str] = &[
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
    words.into_iter().any(|w| SAYING.contains(&w.to_lowercase().as_str()))
}

/// Whether words begin a condition on what stands before them: `where`, `for all`.
pub fn is_condition(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("").to_lowercase();
    matches!(first.as_str(), "for" | "where" | "if" | "when" | "with" | "such" | "whenever" | "as")
}

/// A text as words are compared: small letters and digits, without punctuation, articles and what
/// only wraps it.
pub fn plain(text: &str) -> String {
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
    // An article, and no letter that was chosen.
    let article = |i: usize| words[i] == "a" && words.get(i + 1).is_some_and(|w| w.len() > 2);
    let kept: Vec<&str> = (0..words.len()).filter(|i| !article(*i)).map(|i| words[i]).collect();
    kept.join(" ")
}

/// Whether two answers in words say the same.
pub fn same(gold: &str, answer: &str) -> bool {
    let original = (gold, answer);
    let (gold, answer) = (plain(gold), plain(answer));
    gold == answer
        || gold.replace(' ', "") == answer.replace(' ', "")
        || meaning(&gold).is_some_and(|m| meaning(&answer) == Some(m))
        || singular(&gold) == singular(&answer)
        || several(original.0).is_some_and(|names| several(original.1) == Some(names))
}

/// The names of a list, sorted: `Alice and Bob`.
fn several(text: &str) -> Option<Vec<String>> {
    let spaced = text.replace(" and ", ",");
    let mut names: Vec<String> = spaced.split(',').map(plain).filter(|n| !n.is_empty()).collect();
    names.sort();
    (names.len() > 1).then_some(names)
}

/// The number that some words begin with, before what is counted: `seven dollars`.
pub fn counted(text: &str) -> Option<f64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let parts = ["hal", "third", "quarter", "fourth", "fifth", "sixth", "eighth", "tenth", "perc"];
    if words.iter().any(|w| parts.iter().any(|p| w.to_lowercase().starts_with(p))) {
        return None;
    }
    let longest = words.len().min(6);
    (1..=longest).rev().find_map(|n| number(&words[..n].join(" ")))
}

/// Whether a text is words and figures only, with at least one letter: no formula.
pub fn is_plain(text: &str) -> bool {
    let text = text.replace("\\text", "").replace("\\mbox", "").replace("\\ ", " ");
    let mild = |c: char| c.is_alphanumeric() || c.is_whitespace() || "{}.,:;'!$".contains(c);
    text.chars().all(mild) && text.chars().any(char::is_alphabetic)
}

/// Whether a time of the day is before noon, where it says so.
pub fn before_noon(text: &str) -> Option<bool> {
    let plain = plain(text);
    let last = plain.rsplit(' ').next()?;
    let ends =
        |half: &str| last.strip_suffix(half).is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
    match (ends("am"), ends("pm")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Whether one of two plain texts has every word of the other in its order, and more.
pub fn one_holds_the_other(gold: &str, answer: &str) -> bool {
    let (gold, answer) = (plain(gold), plain(answer));
    let holds = |long: &str, short: &str| {
        let (long, short) = (format!(" {long} "), format!(" {short} "));
        short.len() > 2 && long.contains(&short)
    };
    holds(&gold, &answer) || holds(&answer, &gold)
}

fn singular(text: &str) -> &str {
    text.strip_suffix('s').unwrap_or(text)
}

/// What a phrase means where several are in use.
fn meaning(text: &str) -> Option<&'static str> {
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
        | "emptyset"
        | "no real solution"
        | "no real solutions"
        | "no answer" => "none",
        "yes" | "true" => "yes",
        "no" | "false" => "no",
        "all real numbers" | "all reals" | "reals" | "real numbers" => "reals",
        "infinity" | "infinite" | "infty" | "infinitely many" => "infinite",
        _ => return None,
    })
}

/// A whole number in words, up to the millions.
pub fn number(text: &str) -> Option<f64> {
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
        } else if let Some(scale) = scale(word).filter(|_| any) {
            total += part * scale;
            part = 0.0;
        } else {
            return None;
        }
        any = true;
    }
    any.then_some(total + part)
}

/// What a word multiplies the number before it with.
pub fn scale(word: &str) -> Option<f64> {
    Some(match word {
        "thousand" => 1e3,
        "million" => 1e6,
        "billion" => 1e9,
        "trillion" => 1e12,
        _ => return None,
    })
}

/// Whether a gold answer is a text to be read by a person: a proof, or several sentences.
pub fn is_prose(gold: &str) -> bool {
    let lower = gold.to_lowercase();
    let says = ["proof", "prove", "see solution", "see the solution", "closed form", "q.e.d"];
    if says.iter().any(|s| lower.contains(s)) || lower.trim().is_empty() {
        return true;
    }
    let mut depth = 0_usize;
    let mut outside = String::new();
    // Commands are no words, what `\text{…}` holds is.
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
