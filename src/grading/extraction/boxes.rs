//! The boxes of a solution: `\boxed{…}` and `\fbox{…}`.

use super::formula_spans::truncated;

/// Commands that open a box.
const COMMANDS: [&str; 3] = ["\\boxed", "\\fbox", "\\framebox"];

/// Maximum length of a box; a longer one was never closed.
const MAX_LENGTH: usize = 4000;

/// Placeholders for the answer in repeated instructions.
const PLACEHOLDERS: [&str; 5] =
    ["answer", "your answer", "final answer", "\\text{answer}", "\\text{your answer}"];

/// A box: its start, end and content.
pub(crate) struct AnswerBox<'a> {
    pub(crate) begin: usize,
    pub(crate) end: usize,
    pub(crate) inside: &'a str,
    /// Whether it is closed.
    pub(crate) closed: bool,
}

/// The boxes with an answer, in order. An unclosed box counts only if there is no other: a truncated model may have
/// repeated itself.
pub(crate) fn boxes(text: &str) -> Vec<AnswerBox<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = text[at..].find('\\') {
        let begin = at + step;
        let Some(command) = COMMANDS.iter().find(|c| text[begin..].starts_with(**c)) else {
            at = begin + 1;
            continue;
        };
        let one = read_box(text, begin, begin + command.len());
        at = one.end.max(begin + command.len());
        found.push(one);
    }
    found.retain(|b: &AnswerBox<'_>| !b.inside.trim().is_empty());
    let placeholder = |b: &AnswerBox<'_>| PLACEHOLDERS.contains(&b.inside.trim());
    if found.iter().any(|b| b.closed && !placeholder(b)) {
        found.retain(|b| b.closed && !placeholder(b));
    }
    found
}

/// The box whose command ends at `after`.
fn read_box(text: &str, begin: usize, after: usize) -> AnswerBox<'_> {
    let rest = text[after..].trim_start();
    let start = text.len() - rest.len();
    if rest.starts_with('{') {
        let (inside, end, closed) = braced(text, start);
        return AnswerBox { begin, end, inside, closed };
    }
    // `\boxed 5`
    let length = rest.find(|c: char| c.is_whitespace() || "$.,".contains(c));
    let length = length.unwrap_or(rest.len());
    AnswerBox { begin, end: start + length, inside: &rest[..length], closed: true }
}

/// The text between the brace at `open` and its partner, its end, and whether it is closed.
fn braced(text: &str, open: usize) -> (&str, usize, bool) {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (i, c) in truncated(&text[open..], MAX_LENGTH).char_indices() {
        match c {
            _ if escaped => {
                escaped = false;
                continue;
            }
            '\\' => {
                escaped = true;
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&text[open + 1..open + i], open + i + 1, true);
        }
    }
    // A truncated text: the rest of the line.
    let line = text[open + 1..].lines().next().unwrap_or("");
    (line.trim_end_matches(['$', '.', ' ']), open + 1 + line.len(), false)
}

/// The last box, joined with preceding ones that form a list with it.
pub(crate) fn boxed_answers(text: &str) -> Vec<String> {
    let all = boxes(text);
    let Some(last) = all.last() else { return Vec::new() };
    let alone = last.inside.to_owned();
    let list = |joined: &dyn Fn(&str) -> bool| {
        let mut first = all.len() - 1;
        while first > 0 && joined(&text[all[first - 1].end..all[first].begin]) {
            first -= 1;
        }
        let inside: Vec<&str> = all[first..].iter().map(|b| b.inside).collect();
        let several = inside.iter().any(|i| *i != last.inside);
        several.then(|| inside.join(", "))
    };
    let mut texts: Vec<String> = vec![list(&joins_boxes).unwrap_or(alone)];
    texts.extend(list(&|between| joins_boxes(between) || enumerates(between)));
    texts.dedup();
    texts
}

/// Whether the text between two boxes makes them one list.
fn joins_boxes(between: &str) -> bool {
    if between.contains("\n\n") || between.len() > 60 {
        return false;
    }
    let mut rest = between.replace("\\text", " ").replace("\\quad", " ").replace("\\)", " ");
    rest = rest.replace("\\(", " ").replace("\\,", " ").replace("\\ ", " ");
    let words = rest.split(|c: char| c.is_whitespace() || "{}$,;".contains(c));
    let mut kept = words.filter(|w| !w.is_empty());
    // A name before the box, as in `or x = \boxed{2}`.
    let bare = kept.all(|w| matches!(w, "and" | "or" | "=") || (w.len() == 1 && w.is_ascii()));
    // `\boxed{1} for part (a) and \boxed{2}`
    let said = rest.trim_end_matches(['{', '}', '$', ' ']);
    bare || said.ends_with(" and") && !said.contains(['.', '=', '\\'])
}

/// Whether the text between two boxes only enumerates them: `2. $x_2 =`, `and the larger root is`.
fn enumerates(between: &str) -> bool {
    const WORDS: &[&str] = &[
        "and",
        "or",
        "the",
        "a",
        "is",
        "are",
        "of",
        "for",
        "part",
        "first",
        "second",
        "third",
        "other",
        "smaller",
        "larger",
        "smallest",
        "largest",
        "root",
        "roots",
        "solution",
        "solutions",
        "value",
        "values",
        "case",
        "minimum",
        "maximum",
        "text",
        "quad",
        "qquad",
    ];
    if between.len() > 80 {
        return false;
    }
    let words = between.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let known = |w: &str| {
        w.chars().count() == 1
            || w.chars().all(|c| c.is_ascii_digit())
            || WORDS.contains(&w.to_lowercase().as_str())
    };
    words.into_iter().all(known)
}
