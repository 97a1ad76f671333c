//! Answers that are phrases: yes or no, who wins, which numbers.

use crate::episode::Verdict;

use super::words;

/// The verdict on an answer in words, where a rule for phrases gives one.
pub fn judged(gold: &str, text: &str) -> Option<Verdict> {
    extremes(gold, text).or_else(|| yes_or_no(gold, text)).or_else(|| winner(gold, text))
}

/// The number that is called the least and the one that is called the most.
fn least_and_most(text: &str) -> Option<(String, String)> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty());
    let kinds: Vec<bool> = words
        .filter_map(|w| match w {
            "min" | "minimum" | "least" | "smallest" => Some(false),
            "max" | "maximum" | "greatest" | "largest" => Some(true),
            _ => None,
        })
        .collect();
    let numbers: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
    match (kinds.as_slice(), numbers.as_slice()) {
        ([false, true], [a, b]) | ([true, false], [b, a]) => Some(((*a).into(), (*b).into())),
        _ => None,
    }
}

/// `4 (minimum), 9 (maximum)` is not `9 (minimum), 4 (maximum)`.
fn extremes(gold: &str, text: &str) -> Option<Verdict> {
    let (gold, answer) = (least_and_most(gold)?, least_and_most(text)?);
    Some(if gold == answer { Verdict::Correct } else { Verdict::Wrong })
}

/// What a text that begins with yes or no says, and whether it stops there or goes on after a comma.
fn begins_with(text: &str) -> Option<(bool, bool)> {
    let plain = words::plain(text);
    let yes = match plain.split(' ').next()? {
        "yes" => true,
        "no" => false,
        _ => return None,
    };
    if matches!(plain.split(' ').nth(1), Some("yes" | "no")) {
        return None;
    }
    let lower = text.to_lowercase();
    let word = if yes { "yes" } else { "no" };
    let behind = &lower[lower.find(word)? + word.len()..];
    let ends = behind.trim_start_matches(['}', ' ', '$', '*']);
    let apart = ends.is_empty() || ends.starts_with([',', '.', ';', ':', '!', '-', '—', '–']);
    Some((yes, apart))
}

/// Yes or no, whatever follows.
fn yes_or_no(gold: &str, text: &str) -> Option<Verdict> {
    let (expected, true) = begins_with(gold)? else { return None };
    if let Some((said, apart)) = begins_with(text) {
        // `No such number exists` is a no, and may be a yes where the question asks whether none does.
        return Some(match (said == expected, apart) {
            (true, _) => Verdict::Correct,
            (false, true) => Verdict::Wrong,
            (false, false) => Verdict::Undecided,
        });
    }
    let plain = words::plain(text);
    if !expected && matches!(plain.as_str(), "does not exist" | "do not exist" | "not possible") {
        return Some(Verdict::Correct);
    }
    (words::is_plain(text) && plain.contains(' ')
        || matches!(plain.as_str(), "impossible" | "possible" | "never" | "always"))
    .then_some(Verdict::Undecided)
}

/// A name, and that this one wins.
fn winner(gold: &str, text: &str) -> Option<Verdict> {
    let (name, said) = (words::plain(gold), words::plain(text));
    let named = !name.is_empty() && name.split(' ').count() <= 3;
    if !named || !words::is_plain(gold) || !words::is_plain(text) {
        return None;
    }
    let rest = said.strip_prefix(&name)?.strip_prefix(' ')?;
    const WINS: &[&str] = &[
        "wins",
        "win",
        "always wins",
        "will win",
        "can win",
        "can always win",
        "has winning strategy",
        "has a winning strategy",
        "have a winning strategy",
        "wins game",
        "is winner",
        "only",
        "can guarantee a win",
        "is answer",
        "is correct",
        "is correct answer",
    ];
    let mut words = rest.split(' ');
    let most = words.next() == Some("is")
        && words.next().is_some_and(|w| w.len() > 4 && w.ends_with("est"))
        && words.all(|w| w.len() > 2 && w != "not" && w != "but");
    (most || WINS.contains(&rest)).then_some(Verdict::Correct)
}

/// The verdict on the description of a set of numbers: `n odd`, `\text{all odd integers}`.
pub fn described(gold: &str, text: &str) -> Option<Verdict> {
    let said = words::plain(gold);
    if !words::says_something(&said) || !said.contains(' ') || words::says_none(&said) {
        return None;
    }
    let (gold, answer) = (core(gold), core(text));
    if gold.is_empty() {
        return None;
    }
    if gold == answer {
        return Some(Verdict::Correct);
    }
    let parity = |core: &[String]| matches!(core, [one] if one == "odd" || one == "even");
    if parity(&gold) && parity(&answer) {
        return Some(Verdict::Wrong);
    }
    Some(Verdict::Undecided)
}

/// What the words say, without those that are in every such description.
fn core(text: &str) -> Vec<String> {
    let text = text.replace("\\leq", " le ").replace("\\le", " le ").replace('≤', " le ");
    let text = text.replace("\\geq", " ge ").replace("\\ge", " ge ").replace('≥', " ge ");
    const COMMON: &[&str] = &[
        "all", "every", "any", "each", "integer", "integers", "number", "numbers", "value",
        "values", "of", "for", "such", "that", "is", "are", "where", "with", "n", "k", "m", "x",
        "p", "a", "quad", "be", "must",
    ];
    words::plain(&text)
        .split(' ')
        .filter(|w| !w.is_empty() && !COMMON.contains(w))
        .map(str::to_owned)
        .collect()
}
