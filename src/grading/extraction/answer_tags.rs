//! Answers in tags: `<answer>…</answer>`, `"answer": …`.

/// The content of the last `<answer>…</answer>` or `"answer": …`, and its start.
pub(crate) fn tagged(text: &str) -> Option<(usize, &str)> {
    const TAGS: [(&str, &str); 5] = [
        ("<answer>", "</answer>"),
        ("[answer]", "[/answer]"),
        ("<final_answer>", "</final_answer>"),
        ("<finalanswer>", "</finalanswer>"),
        ("<ans>", "</ans>"),
    ];
    let lower = text.to_ascii_lowercase();
    let tag = TAGS
        .iter()
        .filter_map(|(open, close)| Some((lower.rfind(open)? + open.len(), close)))
        .max();
    if let Some((begin, close)) = tag {
        let end = lower[begin..].find(close).map_or(text.len(), |end| begin + end);
        return Some((begin, text[begin..end].trim()));
    }
    let at = ["\"answer\":", "\"final_answer\":", "\"answer\" :"]
        .iter()
        .filter_map(|key| Some(lower.rfind(key)? + key.len()))
        .max()?;
    let value = text[at..].trim_start();
    let quoted = value.strip_prefix('"');
    let end = match quoted {
        Some(inside) => inside.find(['"', '\n']),
        None => value.find([',', '}', '\n']).filter(|_| !value.starts_with('[')),
    };
    let value = quoted.unwrap_or(value);
    Some((at, value[..end.unwrap_or(value.len())].trim()))
}
