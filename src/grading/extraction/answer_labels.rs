//! Where a solution names its answer: `the answer is`, `**Answer:**`, `Respuesta:`.

use super::formula_spans::{outside_formulas, starts_with_value, truncated, words_outside};

/// Labels of an answer, in lower case.
const ANSWER_WORDS: [&str; 13] = [
    "answer",
    "respuesta",
    "resposta",
    "risposta",
    "antwort",
    "réponse",
    "ответ",
    "Ответ",
    "答案",
    "答え",
    "final result:",
    "correct option",
    "correct choice",
];

/// Text between a label and the answer.
const LINKS: [&str; 22] = [
    " is:", " is ", " are:", " are ", " be ", " equals ", " = ", ":**", ":", "=", "：", " - ",
    " – ", " — ", "是", "为", "は", " es ", " est ", " ist ", " é ", " è ",
];

/// Remarks about an answer given elsewhere.
const REMARKS: [&str; 40] = [
    "consistent",
    "correct",
    "reasonable",
    "valid",
    "not ",
    "obtained",
    "found",
    "an integer",
    "a positive",
    "positive",
    "negative",
    "nonnegative",
    "non-negative",
    "confirmed",
    "verified",
    "wrong",
    "incorrect",
    "in the ",
    "in simplest",
    "expected",
    "as expected",
    "the same",
    "also ",
    "indeed",
    "divisible",
    "derived",
    "based on",
    "calculated",
    "computed",
    "determined",
    "written",
    "expressed",
    "a whole number",
    "a number",
    "unique",
    "independent",
    "supposed",
    "possible",
    "rounded",
    "already",
];

/// Remarks that do not give the answer.
const UNINFORMATIVE: [&str; 12] = [
    "consistent",
    "obtained",
    "found",
    "derived",
    "based on",
    "calculated",
    "computed",
    "determined",
    "confirmed",
    "verified",
    "in the ",
    "as expected",
];

/// Words before `answer` when it is a verb or an object, not a label: `we can answer`, `find the answer`.
const VERB_CONTEXTS: [&str; 27] = [
    " me ",
    " we ",
    " i ",
    "'ll ",
    " us ",
    " can ",
    "will ",
    "please ",
    "find the ",
    "find our ",
    "find your ",
    "finding the ",
    "get the ",
    "get to the ",
    "get our ",
    "getting the ",
    "reach the ",
    "determine the ",
    "calculate the ",
    "compute the ",
    "obtain the ",
    "arrive at the ",
    "simplify the ",
    "express the ",
    "explain the ",
    "write the ",
    "give the ",
];

/// Words before an answer that is reconsidered or only assumed.
const RECHECKS: [&str; 14] = [
    "check the ",
    "check our ",
    "check my ",
    "check this ",
    "verify the ",
    "verify our ",
    "verify my ",
    "verify this ",
    "if the ",
    "if our ",
    "if this ",
    "whether the ",
    "that the correct ",
    "confirm the ",
];

/// A label and its position.
struct AnswerLabel<'a> {
    /// The text before the label.
    before: &'a str,
    /// The text from the answer on.
    value: &'a str,
    /// Whether it ends with a colon or is a line of its own.
    label: bool,
}

/// The text that begins with the last labelled answer. Remarks about an answer given elsewhere count only if there is
/// nothing else. A label over the whole reasoning does not count.
pub(crate) fn text_after_label(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let mut remark = None;
    for (at, name) in label_positions(&lower).into_iter().rev() {
        let Some(read_label) = read_label(text, &lower, at, name) else { continue };
        if read_label.precedes_reasoning() {
            return None;
        }
        if read_label.is_remark() {
            let value = truncated(read_label.value, 40).to_lowercase();
            let empty = UNINFORMATIVE.iter().any(|said| value.starts_with(said));
            remark = remark.or(Some(read_label.value).filter(|_| !empty));
            continue;
        }
        return Some(read_label.value);
    }
    remark
}

/// The start of the first labelled answer.
pub(crate) fn first_labeled_answer(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let namings = label_positions(&lower)
        .into_iter()
        .filter_map(|(at, name)| read_label(text, &lower, at, name));
    let first = namings.into_iter().find(|naming| !naming.is_remark());
    first.map(|naming| text.len() - naming.value.len())
}

/// All labels, in order.
fn label_positions(lower: &str) -> Vec<(usize, &'static str)> {
    let mut found: Vec<(usize, &'static str)> = Vec::new();
    for name in ANSWER_WORDS {
        found.extend(lower.match_indices(name).map(|(at, _)| (at, name)));
    }
    found.sort_unstable();
    found
}

/// The label at `at`, if there is one.
fn read_label<'a>(text: &'a str, lower: &str, at: usize, name: &str) -> Option<AnswerLabel<'a>> {
    let before = &lower[..at];
    let latin = |c: char| c.is_alphabetic() && c < '\u{2e80}';
    if before.ends_with("to ")
        || before.ends_with(|c: char| latin(c) || c == '/' || c == '\\' || c == '{')
    {
        return None;
    }
    let rest = &text[at + name.trim_end_matches(':').len()..];
    let line_end = rest.find('\n').unwrap_or(rest.len());
    let line = &rest[..line_end];
    let found = |value: &'a str, label: bool| {
        let value = value.trim_start();
        (!value.is_empty()).then_some(AnswerLabel { before: &text[..at], value, label })
    };
    let bare = |s: &str| s.chars().all(|c| c.is_whitespace() || "*_#:s}$-：".contains(c));
    if bare(line) {
        // The line is a heading: the answer is below it.
        return found(&rest[line_end..], true);
    }
    let near = line.char_indices().nth(60).map_or(line, |(end, _)| &line[..end]);
    let clause = near.find(['.', '?', '!', '。']).unwrap_or(near.len());
    let link = LINKS
        .iter()
        .filter_map(|link| Some((near.find(link)?, *link)))
        .filter(|(i, link)| {
            // These link only adjacent words.
            let close = link.contains(['=', '-', '–', '—']);
            *i <= clause && (!close || near[..*i].trim().is_empty())
        })
        .min_by_key(|(i, link)| (*i, usize::MAX - link.len()));
    if let Some((i, link)) = link {
        let after = rest[i + link.len()..].trim_start_matches([':', ' ', '*', '：', '_']);
        let label = link.contains([':', '：']) && i < 3;
        if let Some(naming) = found(after, label) {
            return Some(naming);
        }
    }
    let open = near.trim_end();
    (open.ends_with(" is") || open.ends_with(" are")).then(|| found(&rest[line_end..], false))?
}

impl AnswerLabel<'_> {
    /// Whether the text comments on the answer instead of giving it.
    fn is_remark(&self) -> bool {
        let mut begin = self.before.len().saturating_sub(24);
        while !self.before.is_char_boundary(begin) {
            begin += 1;
        }
        let before = format!(" {}", self.before[begin..].to_lowercase());
        let value = truncated(self.value, 40).to_lowercase();
        let deed = VERB_CONTEXTS.iter().any(|deed| before.ends_with(deed));
        RECHECKS.iter().any(|again| before.ends_with(again))
            || deed && !starts_with_value(self.value)
            || lists_steps(self.value) && deed
            || !starts_with_value(self.value)
                && REMARKS.iter().any(|remark| value.starts_with(remark))
    }

    /// Whether it is the label of a whole response that reasons behind it: there is nearly nothing before it, and no
    /// answer next to it.
    fn precedes_reasoning(&self) -> bool {
        if !self.label {
            return false;
        }
        if lists_steps(self.value) {
            return true;
        }
        let before = self.before.trim();
        let said = before.chars().filter(|c| c.is_alphanumeric()).count();
        let digits = before.contains(|c: char| c.is_ascii_digit());
        let asks = before.ends_with('?') && !before.contains('=');
        if !(said <= 40 && !digits || asks) {
            return false;
        }
        let first_sentence_or_formula = first_sentence_or_formula(self.value);
        let behind = &self.value[self.value.len().min(first_sentence_or_formula.len())..];
        let reasons = behind.contains(|c: char| c.is_ascii_digit()) && behind.trim().len() > 8;
        let states = [" is ", " are "].iter().any(|link| {
            first_sentence_or_formula
                .rsplit_once(link)
                .is_some_and(|(_, value)| starts_with_value(value))
        });
        let goes_on = ["=", "So ", "Thus", "Therefore", "Hence"].iter().any(|w| behind.contains(w));
        let long = goes_on || first_sentence_or_formula.contains('=') || behind.trim().len() > 60;
        reasons && !is_standalone_answer(first_sentence_or_formula, behind) && (!states || long)
    }
}

/// Whether the first sentence is an answer by itself, followed by remarks.
fn is_standalone_answer(sentence: &str, behind: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "we",
        "let",
        "first",
        "since",
        "given",
        "there",
        "he",
        "she",
        "it",
        "they",
        "to",
        "if",
        "start",
        "step",
        "using",
        "by",
        "from",
        "note",
        "suppose",
        "in",
        "as",
        "recall",
        "for",
        "when",
        "because",
        "this",
        "that",
        "i",
        "you",
        "each",
        "so",
        "begin",
        "consider",
        "here",
        "at",
        "on",
        "with",
        "after",
        "one",
        "notice",
        "rewriting",
        "factor",
        "name",
        "solution",
        "solve",
        "call",
        "define",
        "multiply",
        "add",
        "subtract",
        "substitute",
    ];
    let words = words_outside(sentence);
    let calculates = sentence.contains('=') && sentence.contains(['+', '*', '×', '/', '÷', '(']);
    if starts_with_value(sentence) {
        return words <= 2 && !calculates || words <= 4 && !behind.contains('=');
    }
    let outside = outside_formulas(sentence).to_lowercase();
    let first = outside.split_whitespace().next().unwrap_or("");
    let plain =
        !calculates && (!behind.contains('=') || !sentence.contains(|c: char| c.is_ascii_digit()));
    words > 0 && words <= 2 && plain && !BEGINNINGS.contains(&first)
}

/// Whether numbered steps follow: `1. Start with 40.`, `Step 1:`.
fn lists_steps(value: &str) -> bool {
    let value = value.trim_start_matches(['*', '#', ' ']);
    let step = truncated(value, 6).to_lowercase();
    let listed = value.strip_prefix("1.").or_else(|| value.strip_prefix("1)"));
    let words = |rest: &str| {
        let rest = rest.trim_start_matches(['*', ' ']);
        rest.starts_with(|c: char| c.is_alphabetic())
            && words_outside(first_sentence_or_formula(rest)) > 1
    };
    let goes_on = value.contains("\n2") || value.contains("\n**2") || value.contains(" 2. ");
    step == "step 1" || listed.is_some_and(words) && goes_on
}

/// The first sentence of a text, or its first displayed formula.
pub(crate) fn first_sentence_or_formula(text: &str) -> &str {
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
        let ends = matches!(c, '.' | '?')
            && after.is_none_or(char::is_whitespace)
            && !is_abbreviated(&line[..i]);
        if (ends || c == '。') && dollars % 2 == 0 {
            return &line[..i];
        }
    }
    line
}

/// Whether a full stop after this text belongs to an abbreviation.
pub(crate) fn is_abbreviated(text: &str) -> bool {
    const SHORT: [&str; 10] = ["i.e", "e.g", "Mr", "Mrs", "Ms", "Dr", "St", "vs", "approx", "No"];
    let last = text.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    SHORT.contains(&last)
}

/// The labelled final answer after the last box, if it is another number or formula.
pub(crate) fn corrected_answer(rest: &str) -> Option<&str> {
    const CALLS: [&str; 5] = [
        "final answer is",
        "answer is actually",
        "correct answer is",
        "answer should be",
        "final answer:",
    ];
    let lower = rest.to_ascii_lowercase();
    let at = lower.rfind("answer")?;
    let begin = at.saturating_sub(8);
    let called = lower.get(begin..).is_some_and(|l| {
        let end = l.len().min(34);
        let l = l.get(..end).unwrap_or(l);
        CALLS.iter().any(|call| l.contains(call))
    });
    let value = text_after_label(rest).filter(|_| called)?;
    let value = value.strip_prefix("actually ").unwrap_or(value);
    (starts_with_value(value) && !first_sentence_or_formula(value).contains("\\boxed"))
        .then_some(value)
}

/// The text after a first word such as `therefore`.
pub(crate) fn after_conclusion_word(sentence: &str) -> Option<&str> {
    const WORDS: [&str; 9] = [
        "therefore",
        "thus",
        "hence",
        "so",
        "consequently",
        "finally",
        "altogether",
        "in total",
        "in conclusion",
    ];
    const SIGNS: [&str; 6] = ["∴", "=>", "⇒", "$\\therefore$", "\\therefore", "$\\Rightarrow$"];
    let sign = SIGNS.iter().find_map(|sign| sentence.strip_prefix(sign));
    let lower = truncated(sentence, 20).to_lowercase();
    let word =
        WORDS.iter().find(|word| lower.starts_with(**word)).map(|word| &sentence[word.len()..]);
    let ended = word.filter(|rest| !rest.starts_with(|c: char| c.is_alphabetic()));
    sign.or(ended).map(|rest| rest.trim_start_matches([',', ' ', ':']))
}
