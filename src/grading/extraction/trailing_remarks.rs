//! Text after an answer that only checks or explains it.

use super::answer_labels::after_conclusion_word;
use super::formula_spans::truncated;

/// A text without trailing paragraphs that only check or explain.
pub(crate) fn without_remarks(text: &str) -> &str {
    const REMARKS: [&str; 15] = [
        "note",
        "verification",
        "check",
        "let's verify",
        "let's check",
        "let us verify",
        "to verify",
        "to check",
        "to double",
        "explanation",
        "remark",
        "i hope this helps",
        "confidence",
        "we can verify",
        "we can check",
    ];
    let mut kept = without_code(text.trim_end());
    let mut from = 0;
    while let Some(at) = kept[from..].find("\n\n").map(|i| from + i) {
        let paragraph = kept[at..].trim_start_matches(['\n', '*', '#', '_', ' ', '(']);
        let begin = truncated(paragraph, 20).to_lowercase();
        let remark =
            REMARKS.iter().any(|r| begin.starts_with(r)) && !begin.starts_with("note that");
        if remark
            && kept[..at].contains(|c: char| c.is_ascii_digit())
            && !concludes_later(&kept[at..])
        {
            kept = &kept[..at];
            break;
        }
        from = at + 2;
    }
    kept
}

/// A text without a program at its end that only repeats the calculation.
fn without_code(text: &str) -> &str {
    let code = text.strip_suffix("```").and_then(|t| t.rsplit_once("\n```python\n"));
    let said = code.filter(|(before, inside)| {
        !inside.contains("```") && before.contains(|c: char| c.is_ascii_digit())
    });
    said.map_or(text, |(before, _)| before.trim_end())
}

/// Whether a later paragraph draws a conclusion.
fn concludes_later(text: &str) -> bool {
    text.split("\n\n").skip(2).any(|paragraph| {
        after_conclusion_word(paragraph.trim_start_matches(['*', '#', ' '])).is_some()
    })
}
