//! Finds the final answer in a solution.
//!
//! What is looked for, first to last; the first that is there counts:
//!
//! 1. the last `\boxed{…}` or `\fbox{…}`, or the last of several with nothing but `and` between them; behind it only
//!    a formula or number that is called the final answer;
//! 2. the last `<answer>…</answer>`; a last line `#### …`;
//! 3. what follows the last `answer is`, `answer:`, `final answer` and the like;
//! 4. the whole text, where it is one short line: the answer alone;
//! 5. the formula or the only number of a last sentence that begins with `therefore` or the like;
//! 6. the last formula between dollar signs or the like, or what is bold in the last lines;
//! 7. the last number.

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
    let text = without_trailer(after_thought(solution));
    let found = |place, texts: Vec<String>| {
        let texts: Vec<String> = texts.into_iter().filter(|t| !t.trim().is_empty()).collect();
        (!texts.is_empty()).then_some(Found { place, texts })
    };
    found(Place::Named, corrected(text))
        .or_else(|| found(Place::Boxed, boxed(text)))
        .or_else(|| found(Place::Named, tagged(text).into_iter().collect()))
        .or_else(|| found(Place::Hashes, hashes(text).into_iter().collect()))
        .or_else(|| found(Place::Named, named(text)))
        .or_else(|| found(Place::Whole, whole(text)))
        .or_else(|| found(Place::Formula, concluded(text)))
        .or_else(|| found(Place::Formula, last_formula(text).into_iter().collect()))
        .or_else(|| found(Place::Number, last_number(text).into_iter().collect()))
}

/// What follows a model's thinking aloud, where it ended.
pub fn after_thought(solution: &str) -> &str {
    match solution.rsplit_once("</think>") {
        Some((_, rest)) if !rest.trim().is_empty() => rest,
        _ => solution,
    }
}

/// Without what models are taught to end with, and what a server let through behind it.
fn without_trailer(text: &str) -> &str {
    let text = match text.find("<|im_start|>") {
        Some(at) if !text[..at].trim().is_empty() => &text[..at],
        _ => text,
    };
    let text = text.trim_end();
    let text = text.strip_suffix("<|im_end|>").unwrap_or(text).trim_end();
    text.strip_suffix("I hope it is correct.").unwrap_or(text).trim_end()
}

/// What a solution calls its final answer after the last box, where that is a formula or a number.
fn corrected(text: &str) -> Vec<String> {
    let all = boxes(text);
    let Some(rest) = all.last().map(|last| &text[last.end..]) else { return Vec::new() };
    let lower = rest.to_ascii_lowercase();
    let named_last = lower
        .rfind("answer")
        .is_some_and(|at| lower[..at].ends_with("final ") && lower[at..].starts_with("answer is"));
    if !named_last {
        return Vec::new();
    }
    let mut texts = named(rest);
    texts.retain(|t| !super::words::is_plain(t));
    texts
}

/// What the last sentence concludes.
fn concluded(text: &str) -> Vec<String> {
    let end = text.trim_end().rsplit("\n\n").next().unwrap_or("").trim_end_matches(['.', ' ']);
    let begin = [". ", ".\n", "\n", "? ", "! "]
        .iter()
        .filter_map(|mark| Some(end.rfind(mark)? + mark.len()));
    let last = end[begin.max().unwrap_or(0)..].trim();
    let words = ["therefore", "thus", "hence", "so", "consequently"];
    let first = last.split(|c: char| !c.is_alphabetic()).next().unwrap_or("").to_lowercase();
    if !words.contains(&first.as_str()) || last.contains("**") {
        return Vec::new();
    }
    let spots = super::number::spots(last);
    match (formulas(last).pop(), spots.as_slice()) {
        (Some(formula), _) if number_behind(last).is_none() => vec![formula],
        (Some(_), _) => number_behind(last).into_iter().collect(),
        (None, [only]) => vec![last[only.begin..only.end].to_owned()],
        (None, _) => Vec::new(),
    }
}

/// The number that ends a sentence behind its last formula: `the largest $n$ is 34`.
fn number_behind(sentence: &str) -> Option<String> {
    let behind = sentence.rfind(['$', ')', ']'])? + 1;
    let tail = sentence.get(behind..)?;
    let links = [" is ", " are ", " equals ", " be "];
    let link = links.iter().filter_map(|link| Some((tail.find(link)?, link.len()))).min()?;
    let (before, number) = (&tail[..link.0], &tail[link.0 + link.1..]);
    let first = super::number::spots(number).into_iter().next().filter(|spot| spot.begin == 0)?;
    (!before.contains([',', ';'])).then(|| number[..first.end].to_owned())
}

/// The text between the brace at `open` and its partner, and where it ends.
fn braced(text: &str, open: usize) -> (&str, usize) {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (i, c) in text[open..].char_indices() {
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
            return (&text[open + 1..open + i], open + i + 1);
        }
    }
    // A text that was cut off: what there is of the line.
    let line = text[open + 1..].lines().next().unwrap_or("");
    (line.trim_end_matches(['$', '.', ' ']), open + 1 + line.len())
}

/// A box: where it begins and ends, and what is in it.
struct Boxed<'a> {
    begin: usize,
    end: usize,
    inside: &'a str,
}

fn boxes(text: &str) -> Vec<Boxed<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = ["\\boxed", "\\fbox", "\\framebox"]
        .iter()
        .filter_map(|c| Some((at + text[at..].find(c)?, c.len())))
        .min()
    {
        let (begin, length) = next;
        let after = begin + length;
        let rest = text[after..].trim_start();
        let start = text.len() - rest.len();
        let (inside, end) = if rest.starts_with('{') {
            braced(text, start)
        } else {
            // `\boxed 5`
            let length = rest.find(|c: char| c.is_whitespace() || "$.,".contains(c));
            let length = length.unwrap_or(rest.len());
            (&rest[..length], start + length)
        };
        found.push(Boxed { begin, end, inside });
        at = end.max(after);
    }
    found
}

/// The last box; before it, all boxes of one list joined.
fn boxed(text: &str) -> Vec<String> {
    let mut all = boxes(text);
    all.retain(|b| !b.inside.trim().is_empty());
    let Some(last) = all.last() else { return Vec::new() };
    let mut first = all.len() - 1;
    while first > 0 {
        let between = &text[all[first - 1].end..all[first].begin];
        if !joins(between) {
            break;
        }
        first -= 1;
    }
    let alone = last.inside.to_owned();
    if first + 1 == all.len() {
        return vec![alone];
    }
    let several: Vec<&str> = all[first..].iter().map(|b| b.inside).collect();
    if several.iter().all(|s| *s == last.inside) {
        return vec![alone];
    }
    vec![several.join(", "), alone]
}

/// Whether what is between two boxes makes one list of them.
fn joins(between: &str) -> bool {
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

/// What the last `<answer>…</answer>` holds.
fn tagged(text: &str) -> Option<String> {
    let (_, tail) = text.rsplit_once("<answer>")?;
    Some(tidied(tail.split("</answer>").next()?))
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
    let sentence = sentence(segment);
    let tidy = tidied(sentence);
    let mut texts = Vec::new();
    let formulas = formulas(sentence);
    let outside = outside_formulas(sentence);
    // A formula with little around it is the answer; words with formulas among them are a text.
    texts.extend(number_behind(sentence).filter(|_| !formulas.is_empty()));
    if formulas.len() == 1 && outside.split_whitespace().count() > 0 {
        texts.extend(formulas.first().cloned());
        texts.push(tidy);
    } else {
        texts.push(tidy);
        texts.extend(formulas.last().cloned());
    }
    let clauses = [", ", " because ", " since ", " which ", " where ", " when ", " (", " for "];
    let clause = clauses.iter().filter_map(|mark| sentence.find(mark)).filter(|at| *at > 0).min();
    texts.extend(clause.map(|at| tidied(&sentence[..at])));
    // `3 clips in 2 days`
    let first = super::number::spots(&texts[0]).into_iter().next().filter(|spot| spot.begin == 0);
    let counted =
        first.filter(|spot| texts[0][spot.end..].trim_start().starts_with(char::is_alphabetic));
    let counted = counted.map(|spot| texts[0][..spot.end].to_owned());
    texts.extend(counted.filter(|_| formulas.is_empty()));
    if let Some(number) = last_number(sentence).filter(|_| formulas.is_empty()) {
        texts.push(number);
    }
    // A factorial, or joy.
    let calm = texts.first().and_then(|t| t.strip_suffix('!')).map(str::to_owned);
    texts.extend(calm);
    texts.dedup();
    texts
}

/// The text after the last `answer is`, `answer:` and the like.
pub fn after_name(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    for (at, word) in lower.rmatch_indices("answer") {
        let before = &lower[..at];
        if before.ends_with("to ") || before.ends_with(|c: char| c.is_alphabetic() || c == '/') {
            continue;
        }
        let rest = &text[at + word.len()..];
        let line_end = rest.find('\n').unwrap_or(rest.len());
        let line = &rest[..line_end];
        let bare = |s: &str| s.chars().all(|c| c.is_whitespace() || "*_#:s}$-".contains(c));
        if bare(line) {
            // The line is a heading: the answer stands below it.
            let below = rest[line_end..].trim_start();
            if below.is_empty() {
                continue;
            }
            return Some(below);
        }
        let near: String = line.chars().take(60).collect();
        let clause = near.split(['.', '?', '!']).next().unwrap_or("").len();
        let link = [" is:", " is ", " are:", " are ", " be ", " equals ", " = ", ":**", ":", "="]
            .iter()
            .filter_map(|link| Some((near.find(link)?, link.len())))
            .filter(|(i, length)| {
                let equals = near[*i..i + length].contains('=');
                *i <= clause && (!equals || near[..*i].trim().is_empty())
            })
            .min_by_key(|(i, length)| (*i, usize::MAX - length));
        if let Some((i, length)) = link {
            let after = rest[i + length..].trim_start_matches([':', ' ', '*']);
            if !after.trim().is_empty() {
                return Some(after.trim_start());
            }
        }
        if near.trim_end().ends_with(" is") || near.trim_end().ends_with(" are") {
            let below = rest[line_end..].trim_start();
            if !below.is_empty() {
                return Some(below);
            }
        }
    }
    None
}

/// The first sentence of a text, or its first formula where it is set apart.
fn sentence(text: &str) -> &str {
    let text = text.trim_start();
    for (open, close) in [("\\[", "\\]"), ("$$", "$$")] {
        if let Some(inside) = text.strip_prefix(open)
            && let Some(end) = inside.find(close)
        {
            return &text[..open.len() + end + close.len()];
        }
    }
    let line = text.lines().next().unwrap_or("");
    let mut dollars = 0;
    let bytes = line.as_bytes();
    for (i, c) in line.char_indices() {
        if c == '$' && (i == 0 || bytes[i - 1] != b'\\') {
            dollars += 1;
        }
        let after = line[i + c.len_utf8()..].chars().next();
        let ends = matches!(c, '.' | '?') && after.is_none_or(char::is_whitespace);
        if ends && dollars % 2 == 0 {
            return &line[..i];
        }
    }
    line
}

/// Without what writing puts around an answer.
fn tidied(text: &str) -> String {
    let mut text = text.trim();
    loop {
        let before = text;
        text = text.trim_matches(['*', '`', '"', '“', '”', ' ', '\t']);
        text = text.trim_end_matches(['.', ',', ';', ':']);
        text = text.trim_start_matches([':', '=']);
        for (open, close) in [("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")] {
            if let Some(inside) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close))
                && !inside.contains('$')
            {
                text = inside;
            }
        }
        if text == before {
            return text.to_owned();
        }
    }
}

/// The last formula; in the last lines, what is bold.
fn last_formula(text: &str) -> Option<String> {
    let end = text.trim_end().rsplit("\n\n").next().unwrap_or("");
    let bold = end.rsplit_once("**").and_then(|(before, _)| before.rsplit_once("**"));
    let bold = bold.map(|(_, inside)| tidied(inside)).filter(|b| !b.is_empty() && b.len() <= 40);
    bold.or_else(|| formulas(text).pop())
}

/// The formulas of a text, in its order.
fn formulas(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    loop {
        let next = [("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")]
            .into_iter()
            .filter_map(|(open, close)| Some((unescaped(rest, open)?, open, close)))
            .min_by_key(|(i, open, _)| (*i, usize::MAX - open.len()));
        let Some((begin, open, close)) = next else { return found };
        let after = &rest[begin + open.len()..];
        let Some(end) = unescaped(after, close) else { return found };
        let inside = tidied(&after[..end]);
        if !inside.is_empty() {
            found.push(inside);
        }
        rest = &after[end + close.len()..];
    }
}

fn outside_formulas(text: &str) -> String {
    let mut outside = String::new();
    let mut inside = false;
    for c in text.replace("\\(", "$").replace("\\)", "$").chars() {
        match c {
            '$' => inside = !inside,
            _ if !inside => outside.push(if c.is_alphanumeric() { c } else { ' ' }),
            _ => {}
        }
    }
    outside
}

/// Where `mark` first stands without a backslash of another command before it.
fn unescaped(text: &str, mark: &str) -> Option<usize> {
    let free = |i: &usize| !text[..*i].ends_with('\\');
    text.match_indices(mark).map(|(i, _)| i).find(free)
}

/// The text itself, where it is one short line without a formula's marks: the answer alone.
fn whole(text: &str) -> Vec<String> {
    let text = text.trim();
    let text = text.strip_prefix("A:").unwrap_or(text).trim();
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
    let mut texts = vec![tidied(text)];
    // `Hence she has 11`
    if text.split_whitespace().filter(|w| w.chars().all(char::is_alphabetic)).count() >= 2 {
        texts.extend(last_number(text));
    }
    texts
}

/// The last number of a text, with its sign and fraction.
fn last_number(text: &str) -> Option<String> {
    super::number::spots(text).pop().map(|spot| text[spot.begin..spot.end].to_owned())
}
