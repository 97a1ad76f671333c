//! Units of one letter: `5 m/s`. In plain mathematics they look like variables.

use super::tokens::{MathToken, SpacedToken};
use super::words;

/// Whether an upright letter after a number is a unit.
pub(super) fn is_unit_letter(text: &str) -> bool {
    matches!(text, "m" | "g" | "s" | "h" | "L" | "l" | "N" | "J" | "W" | "V" | "K" | "C" | "F")
}

/// The answer without a trailing unit, if a number precedes it.
pub(super) fn strip_unit(tokens: &[SpacedToken]) -> Option<Vec<SpacedToken>> {
    let letter = |s: &SpacedToken| match &s.token {
        MathToken::Letter(c) => is_unit_letter(c.encode_utf8(&mut [0; 4])),
        MathToken::Words(w) => !w.starts_with("mod "),
        MathToken::Command(c) => c == "Omega",
        _ => false,
    };
    let mut end = tokens.len();
    tokens.last().filter(|s| !matches!(s.token, MathToken::Words(_)))?;
    loop {
        let mut at = end;
        at = before_power(tokens, at);
        if at == 0 || !letter(&tokens[at - 1]) {
            return None;
        }
        at -= 1;
        let before = at.checked_sub(1).map(|i| &tokens[i].token)?;
        match before {
            MathToken::Sign('/' | '*') => end = at - 1,
            MathToken::Number(_) | MathToken::Sign('}' | ')') => {
                return Some(tokens[..at].to_vec());
            }
            MathToken::Command(c) if c == "pi" => return Some(tokens[..at].to_vec()),
            _ => return None,
        }
    }
}

/// The start of the power before `end`; `end` without one.
fn before_power(tokens: &[SpacedToken], end: usize) -> usize {
    let sign = |at: Option<usize>, c: char| {
        at.and_then(|i| tokens.get(i)).is_some_and(|s| s.token == MathToken::Sign(c))
    };
    let number = |at: Option<usize>| {
        at.and_then(|i| tokens.get(i)).is_some_and(|s| matches!(s.token, MathToken::Number(_)))
    };
    if number(end.checked_sub(1)) && sign(end.checked_sub(2), '^') {
        return end - 2;
    }
    let braced = sign(end.checked_sub(1), '}')
        && number(end.checked_sub(2))
        && sign(end.checked_sub(3), '{')
        && sign(end.checked_sub(4), '^');
    if braced { end - 4 } else { end }
}

/// The answer with `thousand`, `million` and the like multiplied out; `None` without one.
pub(super) fn apply_multiplier(tokens: &[SpacedToken]) -> Option<Vec<SpacedToken>> {
    let at = tokens.iter().position(|s| match &s.token {
        MathToken::Words(w) => {
            words::multiplier(w.split_whitespace().next().unwrap_or("").trim_end_matches(','))
                .is_some()
        }
        _ => false,
    })?;
    let MathToken::Words(said) = &tokens[at].token else { return None };
    let scale = words::multiplier(said.split_whitespace().next()?.trim_end_matches(','))?;
    let counted =
        at > 0 && matches!(tokens[at - 1].token, MathToken::Number(_) | MathToken::Sign('}'));
    let mut out = tokens.to_vec();
    out[at].token = MathToken::Sign('*');
    out.insert(
        at + 1,
        SpacedToken { token: MathToken::Number(scale.to_string()), space_before: false },
    );
    counted.then_some(out)
}
