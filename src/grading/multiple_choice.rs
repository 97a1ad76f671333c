//! Answers that choose a letter: `C`, `(C)`, `\text{Option C}`, `C) 5`.

/// Whether both texts choose the same letter; `None` if one of them chooses none.
pub(super) fn same_choice(gold: &str, text: &str) -> Option<bool> {
    let (several_gold, several) = (bracketed_letters(gold), bracketed_letters(text));
    if several_gold.len() > 1 && several.len() == 1 || several_gold.len() == 1 && several.len() > 1
    {
        return Some(false);
    }
    if several_gold.len() > 1 {
        let one = parse_choice(text).filter(|a| a.alone)?;
        return several_gold.contains(&one.letter).then_some(false);
    }
    let (g, a) = (parse_choice(gold)?, parse_choice(text)?);
    if g.letter == a.letter {
        return (g.alone || a.alone).then_some(true);
    }
    let sure = g.marked && (a.marked || a.alone) || a.marked && g.alone;
    sure.then_some(false)
}

/// The distinct letters in brackets.
fn bracketed_letters(text: &str) -> std::collections::BTreeSet<char> {
    let begins = ["(", "\\text{(", "\\textbf{(", "\\mathbf{(", "\\mathrm{("];
    if !begins.iter().any(|start| text.trim().starts_with(start)) {
        return std::collections::BTreeSet::new();
    }
    let bytes = text.as_bytes();
    let letters = bytes.windows(3).filter(|w| w[0] == b'(' && w[2] == b')');
    letters.map(|w| char::from(w[1])).filter(|c| ('A'..='J').contains(c)).collect()
}

/// The text after a choice in brackets: the 7 of `(B)\ 7`.
pub(super) fn text_after_choice(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix('(')?;
    let letter = rest.chars().next().filter(|c| ('A'..='J').contains(c))?;
    let rest = rest[letter.len_utf8()..].strip_prefix(')')?;
    let spaces = ["\\ ", "\\,", "\\;", "~", "\\quad", "\\qquad", " "];
    spaces.iter().find_map(|space| rest.strip_prefix(space)).filter(|r| !r.trim().is_empty())
}

/// A choice.
struct Choice {
    letter: char,
    /// The text contains nothing else.
    alone: bool,
    /// It cannot be a variable.
    marked: bool,
}

fn parse_choice(text: &str) -> Option<Choice> {
    let mut plain = text.to_owned();
    for wrapper in [
        "\\textbf",
        "\\textrm",
        "\\text",
        "\\mathrm",
        "\\mathbf",
        "\\mathsf",
        "\\boxed",
        "\\boldsymbol",
        "\\bf",
        "\\rm",
        "\\bold",
    ] {
        plain = plain.replace(wrapper, "");
    }
    for space in ["\\ ", "\\,", "\\;", "\\quad", "\\qquad", "~"] {
        plain = plain.replace(space, " ");
    }
    plain.retain(|c| !"{}$*\\".contains(c));
    let (plain, named) = strip_choice_label(plain.trim());
    let wrapped = plain.starts_with('(');
    let mut chars = plain.trim_start_matches('(').chars();
    let letter = chars.next().filter(char::is_ascii_uppercase)?;
    let rest = chars.as_str().trim_end();
    let alone = matches!(rest, "" | ")" | "." | ").");
    let listed = if wrapped {
        rest.starts_with(')')
    } else {
        rest.starts_with(')') || rest.starts_with(':') || rest.starts_with(". ")
    };
    let more = rest.trim_start_matches([')', '.', ':', ' ']);
    if !alone && (!listed || has_second_choice(more)) {
        return None;
    }
    Some(Choice { letter, alone, marked: named || wrapped || listed })
}

/// The text without `Option` and the like before the letter.
fn strip_choice_label(plain: &str) -> (&str, bool) {
    let lower = plain.to_ascii_lowercase();
    let is = ["the correct option is ", "the correct choice is ", "the correct answer is "];
    if let Some(start) = is.iter().find(|start| lower.starts_with(**start)) {
        return (&plain[start.len()..], true);
    }
    // `Thus, option C is correct`
    let correct = lower.strip_suffix(" is correct").filter(|l| !l.contains("not"));
    let option = correct.and_then(|l| l.rfind("option ").or_else(|| l.rfind("choice ")));
    if let Some(at) = option {
        let behind = at + "option ".len();
        let end = lower.len() - " is correct".len();
        return (plain.get(behind..end).unwrap_or(""), true);
    }
    let first = plain.split([' ', ':']).next().unwrap_or("");
    let names = ["option", "choice", "answer", "graph", "point", "figure", "statement", "letter"];
    if names.contains(&first.to_ascii_lowercase().as_str()) {
        return (plain[first.len()..].trim_start_matches([' ', ':']), true);
    }
    (plain, false)
}

/// Whether another choice follows.
fn has_second_choice(rest: &str) -> bool {
    let joined = ["and ", "or ", ",", "&", "and("].iter().any(|joint| rest.starts_with(joint));
    let bytes = rest.as_bytes();
    let bracketed =
        bytes.windows(3).any(|w| w[0] == b'(' && w[1].is_ascii_uppercase() && w[2] == b')');
    joined || bracketed
}
