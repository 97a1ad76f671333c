//! Answers that are phrases: yes or no, who wins, which numbers.

use super::verdict::Verdict;

use super::words;

/// The verdict on an answer in words, if a rule for phrases applies.
pub(super) fn phrase_verdict(gold: &str, text: &str) -> Option<Verdict> {
    min_max_verdict(gold, text)
        .or_else(|| yes_no_verdict(gold, text))
        .or_else(|| winner_verdict(gold, text))
        .or_else(|| letters_verdict(gold, text))
        .or_else(|| number_set_verdict(gold, text))
}

/// The number that is called the least and the one that is called the most.
fn min_and_max(text: &str) -> Option<(String, String)> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty());
    let kinds: Vec<bool> = words
        .filter_map(|w| match w {
            "min" | "minimum" | "least" | "smallest" => Some(false),
            "max" | "maximum" | "greatest" | "largest" => Some(true),
            _ => None,
        })
        .collect();
    // With their signs and decimals: -4 is not 4.
    let figure = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | '/');
    let digits = |n: &&str| n.contains(|c: char| c.is_ascii_digit());
    let numbers: Vec<&str> = lower
        .split(|c: char| !figure(c))
        .filter(digits)
        .map(|n| n.trim_end_matches(['.', '-', '/']))
        .collect();
    match (kinds.as_slice(), numbers.as_slice()) {
        ([false, true], [a, b]) | ([true, false], [b, a]) => Some(((*a).into(), (*b).into())),
        _ => None,
    }
}

/// `4 (minimum), 9 (maximum)` is not `9 (minimum), 4 (maximum)`.
fn min_max_verdict(gold: &str, text: &str) -> Option<Verdict> {
    let (gold, answer) = (min_and_max(gold)?, min_and_max(text)?);
    Some(if gold == answer { Verdict::Correct } else { Verdict::Wrong })
}

/// Whether a text begins with yes or no, and whether it ends there or continues after a comma.
fn leading_yes_no(text: &str) -> Option<(bool, bool)> {
    let plain = words::normalized(text);
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
fn yes_no_verdict(gold: &str, text: &str) -> Option<Verdict> {
    let (expected, true) = leading_yes_no(gold)? else { return None };
    if let Some((said, apart)) = leading_yes_no(text) {
        // `No such number exists` is a no, but a yes if the question asks whether none exists.
        return Some(match (said == expected, apart) {
            (true, _) => Verdict::Correct,
            (false, true) => Verdict::Wrong,
            (false, false) => Verdict::Undecided,
        });
    }
    let plain = words::normalized(text);
    if !expected && matches!(plain.as_str(), "does not exist" | "do not exist" | "not possible") {
        return Some(Verdict::Correct);
    }
    (words::is_plain_text(text) && plain.contains(' ')
        || matches!(plain.as_str(), "impossible" | "possible" | "never" | "always"))
    .then_some(Verdict::Undecided)
}

/// Compares answers that name a winner.
fn winner_verdict(gold: &str, text: &str) -> Option<Verdict> {
    if !words::is_plain_text(gold) || !words::is_plain_text(text) {
        return None;
    }
    let (gold, answer) = (words::normalized(gold), words::normalized(text));
    let short = |name: &str| !name.is_empty() && name.split(' ').count() <= 3;
    let named = short(&gold) && answer.strip_prefix(&gold).is_some_and(says_it_wins);
    let (ours, theirs) = (winner_named(&gold), winner_named(&answer));
    let same = ours.is_some() && (ours == theirs || ours == Some(answer.as_str()));
    (named || same && ours.is_some_and(short)).then_some(Verdict::Correct)
}

/// The winner that a text names.
fn winner_named(plain: &str) -> Option<&str> {
    WINNING_PHRASES
        .iter()
        .filter_map(|wins| plain.strip_suffix(wins)?.strip_suffix(' '))
        .min_by_key(|n| n.len())
}

/// Phrases that make the name before them the winner.
const WINNING_PHRASES: [&str; 16] = [
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

/// Whether the words after a name make it the winner or the extreme.
fn says_it_wins(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(' ') else { return false };
    let mut words = rest.split(' ');
    let most = words.next() == Some("is")
        && words.next().is_some_and(|w| w.len() > 4 && w.ends_with("est"))
        && words.all(|w| w.len() > 2 && w != "not" && w != "but");
    most || WINNING_PHRASES.contains(&rest)
}

/// Whether both are single words that are an answer by themselves: names of people or days, odd, even.
pub(super) fn are_single_word_answers(gold: &str, text: &str) -> bool {
    const HEADINGS: [&str; 8] =
        ["Conclusion", "Answer", "Note", "Solution", "Step", "Therefore", "Verification", "Final"];
    let bare = |text: &str| text.replace("\\text", "").replace(['{', '}', ' ', '$', '.'], "");
    let (gold, text) = (bare(gold), bare(text));
    let name = |word: &str| {
        let lower = word.get(1..).is_some_and(|rest| rest.chars().all(char::is_lowercase));
        let capital = word.starts_with(|c: char| c.is_ascii_uppercase());
        capital && lower && word.len() > 2 && !HEADINGS.contains(&word)
    };
    let parity = |word: &str| matches!(word, "odd" | "even" | "neither");
    name(&gold) && name(&text) || parity(&gold) && parity(&text)
}

/// The letters of an answer that chooses several: `A, C`, `\text{B and D}`.
fn chosen_letters(text: &str) -> Option<Vec<String>> {
    let mut letters: Vec<String> = words::normalized(text).split(' ').map(str::to_owned).collect();
    let upper = text.contains(|c: char| ('A'..='J').contains(&c));
    let all = letters.iter().all(|w| w.len() == 1 && w.as_str() <= "j" && w.as_str() >= "a");
    letters.sort();
    letters.dedup();
    (upper && all).then_some(letters)
}

/// Several letters, and others.
fn letters_verdict(gold: &str, text: &str) -> Option<Verdict> {
    let (gold, answer) = (chosen_letters(gold)?, chosen_letters(text)?);
    (gold.len() > 1 && gold != answer).then_some(Verdict::Wrong)
}

/// A set of integers by one of its names: `\mathbb{N}`, `all positive integers n`.
fn number_set(text: &str) -> Option<&'static str> {
    let mut signs = text.replace(['$', ' ', '{', '}', '(', ')'], "").replace("\\quad", "");
    for lead in ["\\textall", "\\textforall", "\\forall", "\\text"] {
        signs = signs.strip_prefix(lead).unwrap_or(&signs).to_owned();
    }
    let set = signs.split_once("\\in").filter(|(name, _)| name.len() == 1).map(|(_, set)| set);
    match set.unwrap_or(&signs).trim_start_matches("\\mathbb") {
        "N" | "Z^+" | "Z_+" | "Z_>0" | "Z^*_+" | "N^*" if signs.contains("mathbb") => {
            return Some("positive");
        }
        "Z" if signs.contains("mathbb") => return Some("whole"),
        _ => {}
    }
    let plain = words::normalized(text);
    let words = plain.split(' ').filter(|w| w.len() > 1);
    let known = ["all", "every", "any", "for", "each"];
    match words.filter(|w| !known.contains(w)).collect::<Vec<_>>().as_slice() {
        ["positive", "integers" | "integer"] | ["natural", "numbers" | "number"] => {
            Some("positive")
        }
        ["integers" | "integer"] if plain.starts_with("all") => Some("whole"),
        _ => None,
    }
}

/// Whether two names mean the same set of integers.
fn number_set_verdict(gold: &str, text: &str) -> Option<Verdict> {
    let same = number_set(gold)? == number_set(text)?;
    same.then_some(Verdict::Correct)
}

/// The verdict on the description of a set of numbers: `n odd`, `\text{all odd integers}`.
pub(super) fn description_verdict(gold: &str, text: &str) -> Option<Verdict> {
    let said = words::normalized(gold);
    if !words::is_descriptive(&said) || !said.contains(' ') || words::says_none(&said) {
        return None;
    }
    let primes = [gold, text].iter().all(|t| words::normalized(t).split(' ').any(|w| w == "p"));
    let (mut gold, mut answer) = (key_words(gold), key_words(text));
    if primes {
        // The letter stands for these numbers.
        for core in [&mut gold, &mut answer] {
            core.retain(|w| !matches!(w.as_str(), "prime" | "primes"));
        }
    }
    if gold.is_empty() {
        return None;
    }
    if gold == answer || sorted_by_one_number(&gold) == sorted_by_one_number(&answer) {
        return Some(Verdict::Correct);
    }
    let parity = |core: &[String]| matches!(core, [one] if one == "odd" || one == "even");
    if parity(&gold) && parity(&answer) || other_remainder(&gold, &answer) {
        return Some(Verdict::Wrong);
    }
    Some(Verdict::Undecided)
}

/// Whether two congruences with the same modulus have different remainders.
fn other_remainder(gold: &[String], answer: &[String]) -> bool {
    let figures = |w: &str| w.chars().all(|c| c.is_ascii_digit());
    match (gold, answer) {
        ([g, ours, mod_g, by_g], [a, theirs, mod_a, by_a]) => {
            let congruent = g == "equiv" && a == "equiv" && mod_g == "pmod" && mod_a == "pmod";
            congruent && by_g == by_a && figures(ours) && figures(theirs) && ours != theirs
        }
        _ => false,
    }
}

/// The words in one order, where they have at most one number: `even, ge 4` is `ge 4, even`. A question on whole
/// numbers mostly means the positive ones.
fn sorted_by_one_number(core: &[String]) -> Vec<&str> {
    let mut words: Vec<&str> = core.iter().map(String::as_str).collect();
    if words.iter().filter(|w| w.contains(|c: char| c.is_ascii_digit())).count() <= 1 {
        words.sort_unstable();
    }
    if words.len() == 2 && words.iter().any(|w| matches!(*w, "odd" | "even")) {
        words.retain(|w| *w != "positive");
    }
    words
}

/// The words without those that occur in every such description.
fn key_words(text: &str) -> Vec<String> {
    let text = text.replace("\\leq", " le ").replace("\\le", " le ").replace('≤', " le ");
    let text = text.replace("\\geq", " ge ").replace("\\ge", " ge ").replace('≥', " ge ");
    const COMMON: &[&str] = &[
        "all", "every", "any", "each", "integer", "integers", "number", "numbers", "value",
        "values", "of", "for", "such", "that", "is", "are", "where", "with", "n", "k", "m", "x",
        "p", "a", "quad", "be", "must",
    ];
    words::normalized(&text)
        .split(' ')
        .filter(|w| !w.is_empty() && !COMMON.contains(w))
        .map(str::to_owned)
        .collect()
}
