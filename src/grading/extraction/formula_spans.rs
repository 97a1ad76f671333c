//! The formulas of a text, and markup around an answer.

/// Delimiters of formulas.
const DELIMITERS: [(&str, &str); 11] = [
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("\\begin{align*}", "\\end{align*}"),
    ("\\begin{align}", "\\end{align}"),
    ("\\begin{equation*}", "\\end{equation*}"),
    ("\\begin{equation}", "\\end{equation}"),
    ("\\begin{gather*}", "\\end{gather*}"),
    ("\\begin{eqnarray*}", "\\end{eqnarray*}"),
    ("\\begin{alignat*}", "\\end{alignat*}"),
];

/// Maximum length of a formula; a longer one was never closed.
const MAX_LENGTH: usize = 4000;

/// A formula: its start and end with delimiters, and its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Formula<'a> {
    pub(crate) begin: usize,
    pub(crate) end: usize,
    pub(crate) inside: &'a str,
}

/// The formulas of a text, in order.
pub(crate) fn formula_spans(text: &str) -> Vec<Formula<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = text[at..].find(['$', '\\']) {
        let begin = at + step;
        let rest = &text[begin..];
        if rest.starts_with("\\$") || rest.starts_with("\\\\") {
            at = begin + 2;
            continue;
        }
        let marks = DELIMITERS.iter().find(|(open, _)| rest.starts_with(open));
        let until_closing_mark = marks.and_then(|(open, close)| {
            let inside = until_closing_mark(&rest[open.len()..], close)?;
            Some((inside, open.len() + inside.len() + close.len()))
        });
        at = match until_closing_mark {
            Some((inside, length)) => {
                if !strip_decoration(inside).is_empty() {
                    found.push(Formula { begin, end: begin + length, inside });
                }
                begin + length
            }
            None => begin + 1,
        };
    }
    found
}

/// The text before the closing delimiter. A `$` closes within its paragraph.
fn until_closing_mark<'a>(after: &'a str, close: &str) -> Option<&'a str> {
    let near = truncated(after, MAX_LENGTH);
    let free = |i: &usize| !near[..*i].ends_with('\\');
    let end = near.match_indices(close).map(|(i, _)| i).find(free)?;
    (close != "$" || !near[..end].contains("\n\n")).then(|| &after[..end])
}

/// The start of the text, at most this many bytes.
pub(crate) fn truncated(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The text with formulas but without their delimiters.
pub(crate) fn formula_texts(text: &str) -> Vec<String> {
    formula_spans(text).iter().map(|formula| strip_decoration(formula.inside)).collect()
}

/// The words and digits outside formulas.
pub(crate) fn outside_formulas(text: &str) -> String {
    let mut outside = String::new();
    let mut at = 0;
    for formula in formula_spans(text) {
        outside.push_str(&text[at..formula.begin]);
        outside.push(' ');
        at = formula.end;
    }
    outside.push_str(&text[at..]);
    outside.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect()
}

/// How many words a text has outside its formulas.
pub(crate) fn words_outside(text: &str) -> usize {
    let outside = outside_formulas(text);
    outside.split_whitespace().filter(|w| w.chars().any(char::is_alphabetic)).count()
}

/// The result of a chain of calculations: the side after its last `=`. `None` if the formula is a single equation,
/// which is an answer as a whole.
pub(crate) fn last_side_of_chain(formula: &str) -> Option<String> {
    let rows = formula.rsplit("\\\\").map(|row| row.replace("\\end{aligned}", ""));
    let row = rows.into_iter().find(|row| !row.trim().is_empty())?;
    let (before, last) = row.rsplit_once('=')?;
    let chain = before.contains('=') || formula.contains("\\\\") || !has_variable(before);
    let marks = [" ", "&", ".", ",", "\n", "\t"];
    let last = marks.iter().fold(last, |l, mark| l.trim_matches(|c| mark.contains(c)));
    let whole = last.chars().any(char::is_alphanumeric) && !last.contains(['<', '>', '&']);
    (chain && whole && !before.ends_with(['\\', '<', '>', '!'])).then(|| last.trim().to_owned())
}

/// Whether a formula has a letter outside commands.
fn has_variable(formula: &str) -> bool {
    let mut command = false;
    formula.chars().any(|c| {
        command = c == '\\' || command && c.is_ascii_alphabetic();
        !command && c.is_alphabetic()
    })
}

/// The text without markup around the answer.
pub(crate) fn strip_decoration(text: &str) -> String {
    let mut text = text.trim();
    loop {
        let before = text;
        text = text.trim_matches(['*', '`', '"', '“', '”', ' ', '\t', '。']);
        text = text.trim_end_matches(['.', ',', ';', ':']);
        text = text.trim_start_matches([':', '=']);
        for (open, close) in &DELIMITERS[..4] {
            if let Some(inside) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close))
                && !inside.contains('$')
                && (!inside.contains(open) || open.len() < 2)
            {
                text = inside;
            }
        }
        if text == before {
            return text.to_owned();
        }
    }
}

/// Whether a text begins with a number or a formula, as an answer does.
pub(crate) fn starts_with_value(text: &str) -> bool {
    let text = text.trim_start_matches(['*', ' ', '\t', '"', '`', '_', ':', '≈', '~']);
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), _) if c.is_ascii_digit() => true,
        (Some('$' | '£' | '€' | '\\' | '(' | '[' | '{' | '-' | '−'), Some(_)) => true,
        (Some('.'), Some(c)) => c.is_ascii_digit(),
        // x = 5
        (Some(c), _) if c.is_alphabetic() => after_one_letter_name(text).starts_with('='),
        _ => false,
    }
}

/// The text after a one-letter name.
fn after_one_letter_name(text: &str) -> &str {
    let rest = text.trim_start_matches(|c: char| c.is_alphabetic());
    if text.len() - rest.len() == 1 { rest.trim_start() } else { "" }
}
